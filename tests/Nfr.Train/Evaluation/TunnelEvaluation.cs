using System.Globalization;
using System.IO.Compression;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Data;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>What tunnels carry before they are found, tool by tool, and what good traffic raises.</summary>
sealed class TunnelEvaluation : IEvaluation
{
    const long Second = 1_000_000_000;

    public string Name => "tunnel";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Tunnels in DNS and ICMP");
        if (o.TryData("dns_tunnel/queries.tsv", out string queries)) Tools(o, queries);
        Slow(o);
        if (o.TryData("pcap", out string captures)) Captures(o, captures);
        if (o.TryData("benign/zeek_dns_wrccdc.log.gz", out string log)) Log(o, log);
        if (o.TryData("benign/umbrella_fqdn.tsv", out string names)) Windows(o, names);
    }

    /// <summary>A scorer with the tunnel detectors alone.</summary>
    sealed class Bed(Detectors enabled = Detectors.DnsTunnel | Detectors.IcmpTunnel) : IDisposable
    {
        public Scorer Scorer { get; } = new(new ScorerOptions
        {
            FeedsFolders = [], FeedsPollInterval = TimeSpan.Zero, Enabled = enabled, IsHome = static a => a.IsV4 && a.V4 >> 24 == 10, Lines = new NoLines(),
        });

        public List<Alert> Alerts { get; } = [];
        public long Tick { get; set; } = 100 * Second;

        public void Dns(string name, ushort type, Address client, ushort answer = 0)
        {
            var e = new DnsEvent
            {
                Context = new EventContext { Tick = Tick, Source = client, Destination = Address.FromV4(0x0A000035), SourcePort = 40_000, DestinationPort = 53, Protocol = 17 },
                Query = Encoding.UTF8.GetBytes(name), QueryType = type, QueryLength = (ushort)(name.Length + 18), ResponseLength = answer, Service = App.Dns,
            };
            Scorer.Score(in e, Alerts);
        }

        public void Dispose() => Scorer.Dispose();
    }

    sealed class NoLines : IEventLines
    {
        public string Line(scoped in DnsEvent e) => "{}";
        public string Line(scoped in IpEvent e) => "{}";
        public string Line(scoped in HttpEvent e) => "{}";
        public string Line(scoped in TlsEvent e) => "{}";
        public string Line(scoped in AnomalyEvent e) => "{}";
        public string Line(scoped in SignatureEvent e) => "{}";
    }

    static readonly Address s_client = Address.FromV4(0x0A010203);

    static ushort TypeOf(string name) => name switch { "TXT" => 16, "CNAME" => 5, "NULL" => 10, "KEY" => 25, "MX" => 15, "AAAA" => 28, _ => 1 };

    static string Number(double value) => value.ToString("N0", CultureInfo.InvariantCulture);

    static void Tools(EvaluationOutput o, string path)
    {
        var rows = new List<string[]>();
        int found = 0, all = 0, most = 0;
        foreach (var tool in ScoringData.Rows(path).GroupBy(row => row[0]))
        {
            using var bed = new Bed();
            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            int asked = 0, bytes = 0, total = tool.Count();
            foreach (string[] row in tool)
            {
                // These names carry no parent.
                string name = tool.Key.StartsWith("bubnov", StringComparison.Ordinal) ? row[1].TrimEnd('.') + ".t.example.org" : row[1];
                string[] labels = name.Split('.');
                foreach (string label in labels[..^Math.Min(2, labels.Length)])
                {
                    if (seen.Add(label)) bytes += Octets(label);
                }
                bed.Dns(name, TypeOf(row.Length > 2 ? row[2] : "A"), s_client);
                bed.Tick += Second / 10;
                asked++;
                if (bed.Alerts.Count > 0) break;
            }
            bool caught = bed.Alerts.Count > 0;
            if (total > 1) all++;
            if (total > 1 && caught) found++;
            if (total > 1) most = Math.Max(most, caught ? bytes : int.MaxValue);
            rows.Add([tool.Key, Number(total), caught ? "yes" : "no", caught ? Number(asked) : "", caught ? Number(bytes) : ""]);
        }
        o.Line($"{found} of {all} tools are found (a list of one query is not counted). Bytes are those of all different labels asked up to the alert; the goal is 2,000.");
        o.Table(["tool", ">queries", "found", ">at query", ">label bytes"], rows);
        o.Goal("DNS tunnel", "every tool within 2 kB of new label bytes", $"{found} of {all}, {Number(most)} bytes at most", found == all && most <= 2000, "dns_tunnel/queries.tsv");
    }

    static int Octets(string label)
    {
        int octets = label.Length;
        for (int i = label.IndexOf('\\', StringComparison.Ordinal); i >= 0; i = label.IndexOf('\\', i + 1)) octets -= 3;
        return octets;
    }

    static void Slow(EvaluationOutput o)
    {
        var rows = new List<string[]>();
        foreach ((string what, double perSecond, double goal) in new[] { ("1 kB an hour", 1000 / 3600.0, 2.0), ("0.7 B a second", 0.7, 0.5), ("4 kB a day", 4000 / 86_400.0, 24.0) })
        {
            foreach (ushort type in new ushort[] { 1, 16 })
            {
                const int Length = 25, Runs = 20;
                int found = 0;
                double latest = 0;
                for (int seed = 0; seed < Runs; seed++)
                {
                    using var bed = new Bed();
                    var random = new Random(seed);
                    long start = bed.Tick;
                    while (bed.Alerts.Count == 0 && bed.Tick - start < 26 * 3600 * Second)
                    {
                        string label = string.Create(Length, random, static (span, r) =>
                        {
                            for (int i = 0; i < span.Length; i++) span[i] = "abcdefghijklmnopqrstuvwxyz234567"[r.Next(32)];
                        });
                        bed.Dns(label + ".t.example.com", type, s_client);
                        if (bed.Alerts.Count == 0) bed.Tick += (long)(Length / perSecond * Second);
                    }
                    double hours = (bed.Tick - start) / 3600.0 / Second;
                    if (bed.Alerts.Count > 0 && hours <= goal) found++;
                    latest = Math.Max(latest, hours);
                }
                rows.Add([what, type == 1 ? "A" : "TXT", $"{found} of {Runs}", latest.ToString("0.0", CultureInfo.InvariantCulture), goal.ToString("0.0", CultureInfo.InvariantCulture)]);
            }
        }
        o.Line("Slow tunnels, base32 in labels of 25 characters, evenly spread.");
        o.Table(["rate", "type", ">found in time", ">hours, at the latest", ">goal"], rows);
        o.Goal("DNS tunnel", "1 kB/h in 2 h, 4 kB a day in 24 h", string.Join("; ", rows.Where(r => r[0] != "0.7 B a second").Select(r => $"{r[0]} by {r[1]}: {r[2]}, {r[3]} h")), rows.Where(r => r[0] != "0.7 B a second").All(r => r[2].Split(" of ") is [var some, var every] && some == every), "made tunnels");
        o.Goal("DNS tunnel", "stretch: 0.7 B/s in 30 min", string.Join("; ", rows.Where(r => r[0] == "0.7 B a second").Select(r => $"by {r[1]}: {r[2]}, {r[3]} h")), rows.Where(r => r[0] == "0.7 B a second").All(r => r[2].Split(" of ") is [var some, var every] && some == every), "made tunnels");
    }

    static void Captures(EvaluationOutput o, string folder)
    {
        var rows = new List<string[]>();
        int others = 0, wrong = 0;
        string tunnels = Path.Combine(folder, "..", "dns_tunnel"), corpus = Path.Combine(folder, "..", "..", "corpus");
        string[] folders = [tunnels, folder, corpus];
        foreach (string file in folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal))
        {
            if (Path.GetExtension(file) is not (".pcap" or ".pcapng" or ".cap")) continue;
            bool isTunnel = file.Contains("dns_tunnel", StringComparison.Ordinal) || file.Contains("icmp_tunnel", StringComparison.Ordinal);
            using var bed = new Bed();
            CaptureFile? capture = CaptureFile.Open(file, out _);
            if (capture is null) continue;
            using (capture)
            {
                var decoder = new FrameDecoder<Score>(new DecoderOptions { MaximumFlows = 8192 }, new Score(bed));
                var feed = new Feed(decoder);
                while (capture.Read(ref feed))
                {
                }
                decoder.Drain();
            }
            if (isTunnel || bed.Alerts.Count > 0)
            {
                rows.Add([Path.GetFileName(file), isTunnel ? "tunnel" : "other", bed.Alerts.Count == 0 ? "no" : string.Join(", ", bed.Alerts.Select(a => a.Threats[0].Id).Distinct()),
                    bed.Alerts.Count == 0 ? "" : string.Join(", ", bed.Alerts[0].Evidence!.Features.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Name} {f.Value:0.##}")))]);
            }
            if (isTunnel) continue;
            others++;
            if (bed.Alerts.Count > 0) wrong++;
        }
        o.Line($"Captures: {others} that are not filed as tunnels, {wrong} of them raise an alert of these detectors.");
        o.Table(["capture", "filed as", "found", "with"], rows);
        o.Goal("DNS and ICMP tunnel", "0 alerts on other captures", $"{wrong} of {others} (a capture may hold a tunnel and be filed as something else: see its table)", null, "pcap, dns_tunnel, corpus");
    }

    readonly struct Feed(FrameDecoder<Score> decoder) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => decoder.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
    }

    readonly struct Score(Bed bed) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => bed.Scorer.Score(in e, bed.Alerts);
        public void OnIp(scoped in IpEvent e) => bed.Scorer.Score(in e, bed.Alerts);

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }

    static void Log(EvaluationOutput o, string path)
    {
        using var bed = new Bed();
        using var lines = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var clients = new HashSet<string>();
        long rows = 0, first = 0;
        while (lines.ReadLine() is { } line)
        {
            string[] f = line.Split('\t');
            if (line.StartsWith('#') || f[9] == "-" || !Address.TryParse(f[2], out Address client)) continue;
            rows++;
            clients.Add(f[2]);
            bed.Tick = Math.Max(bed.Tick, (long)(decimal.Parse(f[0], CultureInfo.InvariantCulture) * Second));
            if (first == 0) first = bed.Tick;
            bed.Dns(f[9].Replace("\\x", "\\0", StringComparison.Ordinal), ushort.TryParse(f[12], out ushort type) ? type : (ushort)1, client);
        }
        o.Goal("DNS tunnel", "0 alerts on the benign logs", $"{bed.Alerts.Count} of {rows:N0} rows", bed.Alerts.Count == 0, "benign/zeek_dns_wrccdc.log.gz");
        double hostDays = clients.Count * ((bed.Tick - first) / (86_400.0 * Second));
        o.Line(string.Create(CultureInfo.InvariantCulture,
            $"A good network's log (exercise network, {rows:N0} rows, {clients.Count} clients, {(bed.Tick - first) / 60.0 / Second:0} minutes): {bed.Alerts.Count} alerts, {1000 * bed.Alerts.Count / hostDays:0.0} per 1,000 hosts and day ({hostDays:0.0} host-days, so this bounds the rate by about {3000 / hostDays:N0} only)."));
    }

    static void Windows(EvaluationOutput o, string path)
    {
        string[] names = [.. ScoringData.Rows(path).Select(row => row[0])];
        using var all = new Bed();
        foreach (string name in names) all.Dns(name, 1, s_client);
        using var bed = new Bed();
        var random = new Random(3);
        const int Hosts = 1000, Names = 1500;
        for (int host = 0; host < Hosts; host++)
        {
            // A day of browsing: names of the popular list, each asked for in three types.
            for (int i = 0; i < Names; i++)
            {
                string name = names[random.Next(names.Length)];
                foreach (ushort type in new ushort[] { 1, 28, 65 }) bed.Dns(name, type, Address.FromV4(0x0A00_0000 + (uint)host));
                bed.Tick += 86_400 * Second / Names;
            }
        }
        o.Line($"{Hosts:N0} days of one host each with {Names:N0} names drawn from {names.Length:N0} popular ones: {bed.Alerts.Count} alerts per 1,000 hosts and day. All {names.Length:N0} from one client at one time (what a resolver asks): {all.Alerts.Count} alerts.");
    }
}
