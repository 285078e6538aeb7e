using System.Text.Json;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>Captures through decoder and scorer, all of it on board: what each class must raise, and what benign ones must not.</summary>
public sealed class FlowCaptureTests(ITestOutputHelper output)
{
    const Detectors Ours = Detectors.Beaconing | Detectors.TransferVolume | Detectors.UploadVolume | Detectors.LongSession | Detectors.PortUse | Detectors.PolicyApps | Detectors.TorNames | Detectors.PeerFanOut;

    readonly struct Scored(Scorer scorer, List<Alert> alerts) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => scorer.Score(in e, alerts);
        public void OnIp(scoped in IpEvent e) => scorer.Score(in e, alerts);
        public void OnHttp(scoped in HttpEvent e) => scorer.Score(in e, alerts);
        public void OnTls(scoped in TlsEvent e) => scorer.Score(in e, alerts);
        public void OnAnomaly(scoped in AnomalyEvent e) => scorer.Score(in e, alerts);
        public void OnHost(scoped in HostEvent e)
        {
        }
    }

    readonly struct Feed(FrameDecoder<Scored> decoder) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => decoder.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
    }

    /// <summary>Private addresses are home, and where a capture has none, whoever opens a connection is not asked for.</summary>
    static bool IsHome(Address address) => SpecialAddresses.IsPrivate(address) || SpecialAddresses.IsLinkLocal(address) || SpecialAddresses.IsLoopback(address);

    static List<Alert> Read(string path, Detectors enabled = Ours, Func<Address, bool>? isHome = null)
    {
        var alerts = new List<Alert>();
        isHome ??= IsHome;
        using var scorer = new Scorer(new ScorerOptions { FeedsFolders = [], FeedsPollInterval = TimeSpan.Zero, Enabled = enabled, IsHome = isHome, Lines = new ShortLines() });
        using CaptureFile? capture = CaptureFile.Open(path, out _);
        if (capture is null) return alerts;
        var decoder = new FrameDecoder<Scored>(new DecoderOptions { MaximumFlows = 8192, IsHome = isHome }, new Scored(scorer, alerts));
        var feed = new Feed(decoder);
        while (capture.Read(ref feed))
        {
        }
        decoder.Drain();
        return alerts;
    }

    static string Named(Alert alert) => $"{alert.Threats[0].Id} {alert.Severity}: {alert.Evidence!.Summary}";

    [Theory]
    [InlineData("wireguard", "vpn_activity")]
    [InlineData("openvpn", "vpn_activity")]
    [InlineData("bittorrent", "p2p_activity")]
    [InlineData("negatives", "")]
    [InlineData("tls_ja4", "")]
    [InlineData("idn", "")]
    [InlineData("scan", "")]
    [InlineData("mining", "")]
    [InlineData("icmp_tunnel", "")]
    public void Captures_of_a_class_raise_it(string folder, string threat)
    {
        if (!ScoringCorpus.TryPath("pcap/negatives/dns_fragmented.pcap", output, out string any)) return;
        string path = Path.Combine(Path.GetDirectoryName(any)!, "..", folder);
        int raised = 0, files = 0;
        foreach (string file in Directory.EnumerateFiles(path).Order(StringComparer.Ordinal))
        {
            if (Path.GetExtension(file) is not (".pcap" or ".pcapng")) continue;
            List<Alert> alerts = Read(file);
            output.WriteLine($"{folder}/{Path.GetFileName(file)}: {alerts.Count} alerts");
            foreach (Alert alert in alerts.DistinctBy(Named).Take(12)) output.WriteLine($"    {Named(alert)}");
            if (threat.Length == 0) Assert.Empty(alerts);
            else raised += alerts.Any(a => a.Threats[0].Id == threat) ? 1 : 0;
            files++;
        }
        output.WriteLine($"{raised} of {files} captures raise {threat}");
        // A torrent within TLS shows nothing of itself.
        if (threat.Length > 0) Assert.True(raised >= files - (folder == "bittorrent" ? 1 : 0));
    }

    /// <summary>nDPI's names of VPNs and peers, and the threat of each. Not its Gnutella: what it calls so in captures beside the checkout is a guess at what is within TLS.</summary>
    static readonly Dictionary<string, string> s_names = new(StringComparer.Ordinal)
    {
        ["WireGuard"] = "vpn_activity", ["OpenVPN"] = "vpn_activity", ["IPSec"] = "vpn_activity", ["PPTP"] = "vpn_activity", ["L2TP"] = "vpn_activity",
        ["BitTorrent"] = "p2p_activity", ["eDonkey"] = "p2p_activity",
    };

    [Fact]
    public void What_nDPI_names_a_VPN_or_a_peer_network_is_told_and_nothing_else_is()
    {
        if (!Corpus.TryFind("4-ndpi", out string folder))
        {
            output.WriteLine("left out: the captures are not beside the checkout");
            return;
        }
        int told = 0, named = 0, quiet = 0;
        List<string> differ = [];
        foreach (string file in Directory.EnumerateFiles(Path.Combine(folder, "expect"), "*.json").Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            JsonElement[] flows = [.. document.RootElement.GetProperty("flows").EnumerateArray()];
            // What nDPI guesses by a port, by an address or because it remembers one is nothing that content shows.
            string[] wanted =
            [
                .. flows.Where(f => f.GetProperty("Confidence").GetString() is { } how && !how.StartsWith("Match by", StringComparison.Ordinal) && how != "DPI (cache)")
                    .Select(f => s_names.GetValueOrDefault(f.GetProperty("app_proto").GetString()!.Split('.')[0], "")).Where(t => t.Length > 0).Distinct().Order(StringComparer.Ordinal),
            ];
            // It may be right by an address where the content shows it here.
            if (flows.Any(f => f.TryGetProperty("cat", out JsonElement of) && of.GetString()!.StartsWith("VPN/", StringComparison.Ordinal) && f.GetProperty("Confidence").GetString() == "Match by IP")) continue;
            // Captures have public clients too.
            string[] raised = [.. Read(Path.Combine(folder, "pcaps", name), Detectors.PolicyApps, static _ => true).Select(a => a.Threats[0].Id).Where(s_names.ContainsValue).Distinct().Order(StringComparer.Ordinal)];
            named += wanted.Length;
            told += wanted.Intersect(raised).Count();
            if (wanted.Length == 0 && raised.Length == 0) quiet++;
            if (!wanted.SequenceEqual(raised)) differ.Add($"{name}: [{string.Join(' ', wanted)}] by nDPI, [{string.Join(' ', raised)}] here");
        }
        output.WriteLine($"{told} of {named} classes in captures are told; {quiet} captures without one are quiet");
        foreach (string line in differ) output.WriteLine(line);
        Assert.Empty(differ);
    }

    /// <summary>What nDPI and others name, where the content shows it; tunnels made to look like the web are left to lists.</summary>
    static readonly Dictionary<string, string> s_threats = new(StringComparer.Ordinal)
    {
        ["bittorrent_utp.pcap"] = "p2p_activity", ["bt_search.pcap"] = "p2p_activity", ["dns_dot.pcap"] = "encrypted_dns", ["doq_adguard.pcapng"] = "encrypted_dns", ["dnscrypt-v1-and-resolver-pings.pcap"] = "encrypted_dns",
        ["mullvad_wireguard.pcap"] = "vpn_activity", ["pptp.pcap"] = "vpn_activity", ["wireguard.pcap"] = "vpn_activity", ["openvpn_obfuscated.pcapng"] = "vpn_activity",
        ["zeek-openvpn-openvpn-tcp-tls-auth.pcapng"] = "vpn_activity", ["zeek-openvpn-openvpn_tcp_nontlsauth.pcap"] = "vpn_activity",
    };

    [Fact]
    public void Labelled_captures_raise_what_they_are_and_benign_ones_nothing_above_low()
    {
        if (!Corpus.TryFind("11-detection-labels/labels.tsv", out string labels))
        {
            output.WriteLine("left out: the labelled captures are not beside the checkout");
            return;
        }
        string corpus = Path.Combine(Path.GetDirectoryName(labels)!, "..");
        int benign = 0, loud = 0;
        foreach (string[] row in File.ReadLines(labels).Skip(1).Select(l => l.Split('\t')).OrderBy(r => r[1]))
        {
            string file = Path.Combine(corpus, row[0]);
            if (!file.Contains("pcap", StringComparison.Ordinal) || !File.Exists(file)) continue;
            List<Alert> alerts = Read(file);
            output.WriteLine($"{row[1],-16} {Path.GetFileName(file)}: {alerts.Count} alerts");
            foreach (Alert alert in alerts.DistinctBy(Named).Take(8)) output.WriteLine($"    {Named(alert)}");
            if (s_threats.TryGetValue(Path.GetFileName(file), out string? threat)) Assert.Contains(alerts, a => a.Threats[0].Id == threat);
            if (row[1] != "benign") continue;
            benign++;
            if (alerts.Any(a => a.Severity > 2)) loud++;
        }
        output.WriteLine($"{loud} of {benign} benign captures raise more than low");
        Assert.Equal(0, loud);
    }
}
