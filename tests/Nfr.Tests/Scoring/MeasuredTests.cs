using System.Globalization;
using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>What the detectors find and what they do not, on the data sets; the figures are written to the test's output.</summary>
public sealed class MeasuredTests(ITestOutputHelper output)
{
    static List<string> NotTrainedOn(string path)
    {
        var names = new List<string>();
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            if ((row.Length < 3 || row[2].Length == 0) && !NameModelTraining.MayTrain(row[1])) names.Add(row[0]);
        }
        return names;
    }

    [Fact]
    public void What_scoring_costs_an_event()
    {
        if (!ScoringCorpus.TryPath("benign/umbrella_fqdn.tsv", output, out string path)) return;
        byte[][] names = [.. ScoringCorpus.Rows(path).Select(row => Encoding.ASCII.GetBytes(row[0]))];
        using var scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = [Path.Combine(Path.GetDirectoryName(path)!, "..", "feeds")], FeedsPollInterval = TimeSpan.Zero,
            IsHome = static a => a.V4 >> 24 == 10, Lines = new ShortLines(),
        });
        var raised = new List<Alert>();
        const int Events = 400_000;
        long start = 0;
        for (int i = -20_000; i < Events; i++)
        {
            if (i == 0) start = System.Diagnostics.Stopwatch.GetTimestamp();
            byte[] name = names[(i + 20_000) % names.Length];
            var context = new EventContext
            {
                Tick = i * Simulated.Millisecond * 20, Source = Host(i & 255), Destination = Address.FromV4(0x5DB8_0000 + (uint)(i & 0xFFFF)), DestinationPort = 443, Protocol = 6,
            };
            if ((i & 1) == 0)
            {
                var dns = new DnsEvent { Context = context, Query = name, QueryType = 1, ResponseCode = (short)((i & 31) == 0 ? 3 : 0) };
                scorer.Score(in dns, raised);
            }
            else
            {
                var ip = new IpEvent { Context = context, State = (i & 63) == 1 ? ConnectionState.S0 : ConnectionState.SF, PayloadIn = 1000, PayloadOut = 500, TcpFlags = 2 };
                scorer.Score(in ip, raised);
            }
        }
        double each = System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds / Events;
        output.WriteLine($"{each:0.00} us an event with {scorer.Store.Count} indicators in {scorer.Store.Lists.Count} lists; {raised.Count} alerts: {string.Join(", ", raised.GroupBy(a => a.Evidence!.Detector).Select(g => $"{g.Key} {g.Count()}"))}");
        Assert.True(each < 100);
    }

    static Address Host(int number) => Address.FromV4(0x0A00_0000 + (uint)number);

    [Fact]
    public void Every_run_of_the_simulators_dga_module_is_caught()
    {
        using var run = new Simulated(enabled: Detectors.Dga);
        const int Seeds = 1000;
        for (int seed = 0; seed < Seeds; seed++) run.RunDga(seed, Host(seed));
        var names = run.Alerts.Select(a => (int)a.Evidence!.Facts.First(f => f.Name == "names").Number).Order().ToArray();
        output.WriteLine($"caught {run.Alerts.Count} of {Seeds} seeds, at name {names[names.Length / 2]} at the median, {names[^1]} at the latest");
        Assert.Equal(Seeds, run.Alerts.Count);
    }

    [Fact]
    public void Hosts_of_the_dga_families_by_their_fifteenth_name()
    {
        if (!ScoringCorpus.TryPath("dga/dga.tsv", output, out string path)) return;
        var families = ScoringCorpus.Rows(path).GroupBy(row => (Family: row[1], Type: row[2])).OrderBy(g => g.Key.Type).ThenBy(g => g.Key.Family);
        using var run = new Simulated(enabled: Detectors.Dga);
        var random = new Random(11);
        int number = 0, random15 = 0, randomFamilies = 0;
        foreach (var family in families)
        {
            string[] names = [.. family.Select(row => row[0])];
            int before = run.Alerts.Count;
            for (int host = 0; host < 100; host++)
            {
                Address client = Host(number++);
                for (int i = 0; i < 15; i++) run.Dns(names[random.Next(names.Length)], rcode: 3, client: client);
            }
            int caught = run.Alerts.Count - before;
            output.WriteLine($"{family.Key.Type,-14} {family.Key.Family,-16} {caught} %");
            if (family.Key.Type is not ("random" or "alnum_hash")) continue;
            random15 += caught;
            randomFamilies++;
        }
        output.WriteLine($"families of random letters or hashes: {(double)random15 / randomFamilies:0.0} % of hosts");
        Assert.True(random15 >= 90 * randomFamilies);
    }

    [Fact]
    public void Browsing_is_no_dga_even_when_every_name_fails()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        List<string> names = NotTrainedOn(path);
        var random = new Random(5);
        const int Windows = 4000;
        int Alerts(Func<short> rcode)
        {
            using var run = new Simulated(enabled: Detectors.Dga | Detectors.DnsTunnel);
            for (int window = 0; window < Windows; window++)
            {
                for (int i = 0; i < 200; i++) run.Dns(names[random.Next(names.Count)], rcode: rcode(), client: Host(window));
            }
            return run.Alerts.Count;
        }
        int resolved = Alerts(() => 0), tenth = Alerts(() => (short)(random.Next(10) == 0 ? 3 : 0)), failing = Alerts(() => 3);
        output.WriteLine($"{Windows} windows of 200 names from lists not trained on ({names.Count} names): all resolve {resolved} alerts, one in ten NXDOMAIN {tenth}, all NXDOMAIN {failing}");
        Assert.Equal(0, resolved + tenth);
        Assert.True(failing <= 2);
    }

    [Fact]
    public void Every_tunnel_tool_is_caught()
    {
        if (!ScoringCorpus.TryPath("dns_tunnel/queries.tsv", output, out string path)) return;
        foreach (var tool in ScoringCorpus.Rows(path).GroupBy(row => row[0]))
        {
            using var run = new Simulated(enabled: Detectors.DnsTunnel);
            int queries = 0;
            foreach (string[] row in tool)
            {
                queries++;
                string name = tool.Key.StartsWith("bubnov", StringComparison.Ordinal) ? row[1].TrimEnd('.') + ".t.example.org" : row[1];
                run.Dns(name, TypeOf(row.Length > 2 ? row[2] : "A"));
                run.Wait(100 * Simulated.Millisecond);
                if (run.Alerts.Count > 0) break;
            }
            AlertEvidence? evidence = run.Alerts.FirstOrDefault()?.Evidence;
            output.WriteLine($"{tool.Key}: {(evidence is null ? "not found" : evidence.Summary)} after {queries} of {tool.Count()} queries");
            if (tool.Count() > 100) Assert.NotNull(evidence);
        }
    }

    static ushort TypeOf(string name) => name switch { "TXT" => 16, "CNAME" => 5, "NULL" => 10, "KEY" => 25, "MX" => 15, _ => 1 };

    [Fact]
    public void Popular_names_are_no_tunnel()
    {
        if (!ScoringCorpus.TryPath("benign/umbrella_fqdn.tsv", output, out string path)) return;
        string[] names = [.. ScoringCorpus.Rows(path).Select(row => row[0])];
        using (var all = new Simulated(enabled: Detectors.DnsTunnel))
        {
            foreach (string name in names) all.Dns(name);
            foreach (Alert alert in all.Alerts) output.WriteLine($"all {names.Length} names from one client at once: {alert.Evidence!.Summary}");
        }
        var random = new Random(3);
        using var run = new Simulated(enabled: Detectors.DnsTunnel);
        for (int window = 0; window < 500; window++)
        {
            for (int i = 0; i < 1000; i++) run.Dns(names[random.Next(names.Length)], client: Host(window));
            run.Wait(601 * Simulated.Second);
        }
        output.WriteLine($"500 windows of 1000 random names of {names.Length}: {run.Alerts.Count} alerts");
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void An_exercise_networks_log_raises_no_tunnel_and_no_dga()
    {
        if (!ScoringCorpus.TryPath("benign/zeek_dns_wrccdc.log.gz", output, out string path)) return;
        using var run = new Simulated(enabled: Detectors.DnsTunnel | Detectors.Dga);
        using var lines = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        int rows = 0;
        var clients = new HashSet<string>();
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            string[] f = line.Split('\t');
            if (f[9] == "-") continue;
            rows++;
            clients.Add(f[2]);
            run.Tick = Math.Max(run.Tick, (long)(decimal.Parse(f[0], CultureInfo.InvariantCulture) * Simulated.Second));
            run.Dns(f[9].Replace("\\x", "\\0", StringComparison.Ordinal), ushort.TryParse(f[12], out ushort type) ? type : (ushort)1,
                short.TryParse(f[14], out short rcode) ? rcode : (short)-1, Simulated.Parse(f[2]));
        }
        output.WriteLine($"{rows} rows of {clients.Count} clients: {run.Alerts.Count} alerts");
        foreach (Alert alert in run.Alerts) output.WriteLine(alert.Evidence!.Summary);
        Assert.Empty(run.Alerts);
    }
}
