using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Data;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>Tor, VPNs, peer-to-peer, encrypted DNS, mining and cleartext on captures, by content alone and with lists; and that nothing is said of the negatives.</summary>
sealed class PolicyEvaluation : IEvaluation
{
    /// <summary>By label or folder: the threats of which one is enough.</summary>
    static readonly Dictionary<string, string[]> s_wanted = new(StringComparer.Ordinal)
    {
        ["vpn"] = ["vpn_activity"], ["wireguard"] = ["vpn_activity"], ["openvpn"] = ["vpn_activity"], ["vpn_other"] = ["vpn_activity", "anon_circuit"], ["circumvention"] = ["vpn_activity", "anon_circuit"],
        ["bittorrent"] = ["p2p_activity"], ["doh-dot"] = ["encrypted_dns"], ["mining"] = ["cryptomining"], ["dns-tunnel"] = ["multiple_long_hostnames", "not_dns"], ["scan"] = ["outbound_port_scan", "internal_port_scan", "inbound_port_scan"],
        ["icmp_tunnel"] = ["icmp_tunneling"], ["cleartext-login"] = ["cleartext_credentials", "cleartext_protocol"],
    };

    static readonly HashSet<string> s_negatives = new(StringComparer.Ordinal) { "benign", "negatives", "tls_ja4", "idn" };

    public string Name => "policy";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Tor, VPN, peer-to-peer, mining, encrypted DNS: captures by class");
        if (!o.TryData("pcap", out string folder)) return;
        Captures(o, folder);
        Parity(o, folder);
        Miners(o);
        Tor(o);
    }

    /// <summary>What nDPI names by content, capture by capture.</summary>
    static void Parity(EvaluationOutput o, string folder)
    {
        string corpus = Path.GetFullPath(Path.Combine(folder, "..", "..", "corpus", "4-ndpi"));
        if (!Directory.Exists(corpus)) return;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["WireGuard"] = "vpn_activity", ["OpenVPN"] = "vpn_activity", ["PPTP"] = "vpn_activity", ["BitTorrent"] = "p2p_activity", ["eDonkey"] = "p2p_activity", ["Gnutella"] = "p2p_activity", ["Mining"] = "cryptomining",
        };
        var rows = new List<string[]>();
        int found = 0;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(corpus, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            string[] named = [.. document.RootElement.GetProperty("flows").EnumerateArray().Where(f => Get(f, "Confidence") == "DPI").SelectMany(f => Get(f, "app_proto").Split('.')).Where(labels.ContainsKey).Distinct()];
            string capture = Path.Combine(corpus, document.RootElement.GetProperty("pcap").GetString()!);
            if (named.Length == 0 || !File.Exists(capture)) continue;
            using ScoredTraffic run = ScoredTraffic.OfAny(capture);
            bool all = named.All(n => run.ThreatIds.Contains(labels[n]));
            if (all) found++;
            rows.Add([Path.GetFileName(capture), string.Join(", ", named), all ? "yes" : "**no**", string.Join(", ", run.ThreatIds.Distinct())]);
        }
        o.Line("Captures in which nDPI names a VPN, a peer-to-peer network or a miner by content:");
        o.Table(["capture", "nDPI", "found", "alerts"], rows);
        o.Goal("VPN, P2P, mining", "parity with nDPI's labels", $"{found} of {rows.Count} captures", found == rows.Count, "corpus/4-ndpi");

        static string Get(JsonElement flow, string key) => flow.TryGetProperty(key, out JsonElement value) ? value.GetString() ?? "" : "";
    }

    static void Captures(EvaluationOutput o, string folder)
    {
        List<(string Class, string File)> captures = [.. Directory.EnumerateFiles(folder, "*.pcap*", SearchOption.AllDirectories).Where(f => f.EndsWith(".pcap", StringComparison.Ordinal) || f.EndsWith(".pcapng", StringComparison.Ordinal))
            .Select(f => (Path.GetFileName(Path.GetDirectoryName(f))!, f))];
        string corpus = Path.GetFullPath(Path.Combine(folder, "..", "..", "corpus")), labels = Path.Combine(corpus, "11-detection-labels", "labels.tsv");
        if (File.Exists(labels)) captures.AddRange(ScoringData.Rows(labels).Select(r => (r[1], Path.Combine(corpus, r[0]))).Where(c => c.Item2.Contains("pcap", StringComparison.Ordinal) && File.Exists(c.Item2)));
        using Scorer lists = new(new ScorerOptions { FeedsFolders = [Path.Combine(folder, "..", "feeds")], FeedsPollInterval = TimeSpan.Zero, IsHome = ScoredTraffic.IsPrivate, Lines = new ShortLines() });
        var rows = new List<string[]>();
        var classes = new SortedDictionary<string, (int Files, int Found, int WithLists)>(StringComparer.Ordinal);
        int negatives = 0, told = 0, loud = 0;
        foreach ((string kind, string file) in captures.OrderBy(c => c.Class, StringComparer.Ordinal).ThenBy(c => c.File, StringComparer.Ordinal))
        {
            bool isNegative = s_negatives.Contains(kind);
            if (!isNegative && !s_wanted.ContainsKey(kind)) continue;
            using ScoredTraffic plain = ScoredTraffic.OfAny(file);
            if (isNegative)
            {
                negatives++;
                if (plain.Alerts.Count > 0) told++;
                if (plain.Alerts.Any(a => a.Severity > 2)) loud++;
                if (plain.Alerts.Count > 0) rows.Add([kind, Path.GetFileName(file), "told", Text(plain.Alerts), ""]);
                continue;
            }
            using ScoredTraffic listed = ScoredTraffic.OfAny(file, lists);
            bool found = Hit(plain), withLists = found || Hit(listed);
            (int files, int hits, int more) = classes.GetValueOrDefault(kind);
            classes[kind] = (files + 1, hits + (found ? 1 : 0), more + (withLists ? 1 : 0));
            rows.Add([kind, Path.GetFileName(file), found ? "yes" : withLists ? "by list" : "**no**", Text(plain.Alerts), Text(listed.Alerts)]);

            bool Hit(ScoredTraffic run) => run.ThreatIds.Any(id => s_wanted[kind].Contains(id));
        }
        o.Table(["class", ">captures", ">found by content", ">with the lists"], classes.Select(c => new[] { c.Key, $"{c.Value.Files}", $"{c.Value.Found}", $"{c.Value.WithLists}" }));
        o.Line($"Negatives: {negatives} captures (browsing, calls, chats, games, updates); {told} raise anything, {loud} of them above severity 2. All captures that raise something or should:");
        o.Table(["class", "capture", "found", "by content", "with lists"], rows);
        // The goal names what content shows; tunnels made to pass for the web, and labels that hold for a single query, have none.
        foreach ((string name, string[] kinds, bool isGoal) in new (string, string[], bool)[]
        {
            ("VPN: WireGuard, OpenVPN", ["wireguard", "openvpn"], true), ("VPN, of any make", ["vpn", "vpn_other", "circumvention"], false), ("P2P", ["bittorrent"], false), ("mining", ["mining"], true), ("encrypted DNS", ["doh-dot"], false),
        })
        {
            int files = kinds.Sum(k => classes.GetValueOrDefault(k).Files), found = kinds.Sum(k => classes.GetValueOrDefault(k).Found), more = kinds.Sum(k => classes.GetValueOrDefault(k).WithLists);
            o.Goal(name, isGoal ? "every capture" : "", $"{found} of {files} by content, {more} with lists", isGoal ? more == files : null, "pcap and corpus/11-detection-labels");
        }
        o.Goal("benign captures", "nothing above severity 2", $"{loud} of {negatives} ({told} raise something low)", loud == 0, "captures labelled benign, pcap/negatives, tls_ja4, idn");

        static string Text(List<Alert> alerts) => string.Join(", ", alerts.GroupBy(a => $"{a.Threats[0].Id} {a.Severity}").Select(g => g.Count() > 1 ? $"{g.Key} ({g.Count()})" : g.Key));
    }

    /// <summary>Whether a miner is told before anybody has answered its first line.</summary>
    static void Miners(EvaluationOutput o)
    {
        string[] lines =
        [
            "{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[\"miner/1.0\"]}\n", "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"login\",\"params\":{\"login\":\"wallet\",\"pass\":\"x\",\"agent\":\"miner/6.2\"}}\n",
            "{\"id\":1,\"method\":\"eth_submitLogin\",\"params\":[\"0xabc\"],\"worker\":\"w1\"}\n", "{\"id\":2,\"method\":\"mining.authorize\",\"params\":[\"user.1\",\"x\"]}\n", "{\"method\":\"mining.configure\",\"id\":1,\"params\":[[\"version-rolling\"],{}]}\n",
        ];
        int found = 0;
        foreach (string line in lines)
        {
            using var run = new ScoredTraffic();
            new TcpTalk(run, serverPort: 3333).Open().Client(line);
            run.Wait(1);
            if (run.ThreatIds.Contains("cryptomining")) found++;
        }
        o.Line($"Miners: {found} of {lines.Length} forms of a client's first line are told within a second, before any answer.");
        o.Goal("mining", "on the first client line", $"{found} of {lines.Length} forms", found == lines.Length, "made packets");
    }

    static void Tor(EvaluationOutput o)
    {
        const int Clients = 200;
        var random = new Random(3);
        int found = 0, handshakes = 0;
        for (int client = 0; client < Clients; client++)
        {
            using var run = new Simulated(enabled: Detectors.TorNames);
            int asked = 0;
            while (run.Alerts.Count == 0 && asked < 10)
            {
                asked++;
                run.Tls($"www.{string.Create(8 + random.Next(13), random, static (span, r) =>
                {
                    for (int i = 0; i < span.Length; i++) span[i] = "abcdefghijklmnopqrstuvwxyz234567"[r.Next(32)];
                })}.{(random.Next(2) == 0 ? "com" : "net")}");
                run.Wait(30 * Simulated.Second);
            }
            if (run.Alerts.Count > 0) found++;
            handshakes = Math.Max(handshakes, asked);
        }
        o.Line($"Tor's random server names without a list: {found} of {Clients} clients are told, after {handshakes} handshakes at most.");
        int told = 0, days = 0;
        if (o.TryData("benign/domains.tsv", out string benign))
        {
            // The worst case: the DNS is not seen at all, and the servers show no application protocol.
            string[] names = [.. ScoringData.Rows(benign).Select(r => r[0]).Where(d => d.EndsWith(".com", StringComparison.Ordinal) || d.EndsWith(".net", StringComparison.Ordinal))];
            for (; days < 1000; days++)
            {
                using var run = new Simulated(enabled: Detectors.TorNames);
                for (int i = 0; i < 20; i++) run.Tls("www." + names[random.Next(names.Length)]);
                if (run.Alerts.Count > 0) told++;
            }
            o.Line($"Clients whose DNS is not seen, an hour of {days} each with 20 handshakes to popular names under www: {told} told.");
        }
        o.Goal("Tor", "the name pattern finds the host without a list; 0 on negatives", string.Create(CultureInfo.InvariantCulture, $"{(double)found / Clients:0.00} within {handshakes} handshakes; {told} of {days} good hours"), found >= 0.95 * Clients && told == 0, "made handshakes; names of benign/domains.tsv");
    }
}
