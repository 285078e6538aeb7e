using System.Diagnostics;
using System.Globalization;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>After how many contacts a scan is told, slow ones too, how many good hosts are taken for scanners, and what a flood of sources does.</summary>
sealed class ScanEvaluation : IEvaluation
{
    const int Seeds = 100;

    public string Name => "scan";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Scans");
        Contacts(o);
        Slow(o);
        Benign(o);
        Flood(o);
    }

    static Address Any(Random random, uint network, int bits) => Address.FromV4(network | (uint)random.Next(1 << bits));

    static void Contacts(EvaluationOutput o)
    {
        ushort[] services = [21, 22, 23, 25, 110, 135, 139, 143, 389, 445, 1433, 1521, 3306, 3389, 5432, 5900, 6379, 8080, 9200];
        var rows = new List<string[]>();
        int worst = 0;
        Scan("one port through a network inside", r => Any(r, 0x0A05_0000, 16), _ => 445);
        Scan("services of one host inside", _ => Simulated.Parse("10.5.5.5"), r => services[r.Next(services.Length)]);
        Scan("one port through a network outside", r => Any(r, 0xCB00_7100, 8), _ => 22);
        Scan("the same, refused, by a client that had 300 answers first", r => Any(r, 0xCB00_7100, 8), _ => 22, state: ConnectionState.REJ, before: 300);
        int tcp = worst;
        Scan("one port through a network inside where one in ten answers", r => Any(r, 0x0A05_0000, 8), _ => 22, answers: 0.1);
        Scan("services of ten hosts outside, in any order", r => Address.FromV4(0xCB00_7100 + (uint)r.Next(10)), r => services[r.Next(services.Length)]);
        Scan("services of 256 hosts inside, in any order", r => Any(r, 0x0A05_0000, 8), r => services[r.Next(services.Length)]);
        Scan("the web's port through a network outside", r => Any(r, 0xCB00_7100, 8), _ => 443);
        Scan("UDP ports of one host", _ => Simulated.Outside, r => (ushort)(1000 + r.Next(9000)), protocol: 17);
        o.Line($"{Seeds} scans each; failed first contacts up to the alert.");
        o.Table(["scan", ">found", ">contacts, median", ">at most"], rows);
        o.Goal("scan", "alert at 4 to 6 failed first contacts", $"{tcp} at most", tcp <= 6, $"{Seeds} made scans of four kinds in TCP, through hosts or ports in a row (UDP, web ports and targets in any order have limits of their own)");

        void Scan(string name, Func<Random, Address> host, Func<Random, ushort> port, ConnectionState state = ConnectionState.S0, double answers = 0, int before = 0, byte protocol = 6)
        {
            var counts = new List<int>();
            for (int seed = 0; seed < Seeds; seed++)
            {
                using var run = new Simulated(enabled: Detectors.PortScan);
                var random = new Random(seed);
                var asked = new HashSet<(Address, ushort)>();
                // Somebody else of the site has an answer: the uplink is not down.
                run.Ip(Simulated.Parse("198.51.100.1"), 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.9.9.9"));
                for (int i = 0; i < before; i++) run.Ip(Any(random, 0x0800_0000, 24), 443, ConnectionState.SF, 500, 5000);
                int failed = 0;
                for (int i = 0; i < 500 && run.Alerts.Count == 0; i++)
                {
                    (Address Host, ushort Port) target = (host(random), port(random));
                    if (!asked.Add(target)) continue;
                    bool answered = random.NextDouble() < answers;
                    if (!answered) failed++;
                    run.Ip(target.Host, target.Port, answered ? ConnectionState.SF : state, answered ? 200 : 0, answered ? 200 : 0, protocol: protocol, flags: (byte)(protocol == 6 ? 0 : 0xC0));
                    run.Wait(100 * Simulated.Millisecond);
                }
                if (run.Alerts.Count > 0) counts.Add(failed);
            }
            counts.Sort();
            worst = Math.Max(worst, counts.Count < Seeds ? 500 : counts[^1]);
            rows.Add([name, $"{counts.Count} of {Seeds}", counts.Count > 0 ? $"{counts[counts.Count / 2]}" : "", counts.Count > 0 ? $"{counts[^1]}" : ""]);
        }
    }

    static void Slow(EvaluationOutput o)
    {
        var rows = new List<string[]>();
        double minute = double.NaN;
        foreach (int seconds in new[] { 1, 10, 60, 120, 300, 600, 840, 1200 })
        {
            using var run = new Simulated(enabled: Detectors.PortScan);
            long start = run.Tick;
            for (uint i = 0; i < 60 && run.Alerts.Count == 0; i++)
            {
                run.Ip(Simulated.Parse("198.51.100.1"), 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.9.9.9"));
                run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
                if (run.Alerts.Count == 0) run.Wait(seconds * Simulated.Second);
            }
            double minutes = (run.Tick - start) / 60e9;
            if (seconds == 60 && run.Alerts.Count > 0) minute = minutes;
            rows.Add([$"{seconds}", run.Alerts.Count > 0 ? minutes.ToString("0.0", CultureInfo.InvariantCulture) : "not in 60 contacts"]);
        }
        o.Line("Slow scans, one contact so often:");
        o.Table([">seconds between contacts", ">minutes to the alert"], rows);
        o.Goal("scan", "stretch: 1 contact a minute in 10 min", string.Create(CultureInfo.InvariantCulture, $"{minute:0.0} min"), minute <= 10, "a made scan");
    }

    static void Benign(EvaluationOutput o)
    {
        const int Hosts = 5000;
        using var run = new Simulated(enabled: Detectors.PortScan);
        var random = new Random(11);
        // A day in turns of five minutes: each host browses, a share of its targets dead; some keep asking one dead server, a mail relay, a printer that is off, old shares.
        ushort[] own = [22, 25, 110, 143, 445, 587, 993, 1883, 3389, 5222, 5228, 8080, 8443, 9100];
        double[] dead = [.. Enumerable.Range(0, Hosts).Select(_ => 0.02 + (0.18 * random.NextDouble() * random.NextDouble()))];
        for (int turn = 0; turn < 288; turn++)
        {
            for (int host = 0; host < Hosts; host++)
            {
                if (random.Next(3) > 0) continue;
                Address client = Address.FromV4(0x0A10_0000 + (uint)host);
                for (int i = 0; i < 6; i++)
                {
                    bool fails = random.NextDouble() < dead[host];
                    run.Ip(Any(random, 0x2000_0000, 26), (ushort)(random.Next(12) > 0 ? 443 : 80), fails ? ConnectionState.S0 : ConnectionState.SF, fails ? 0 : 900, fails ? 0 : 9000, client);
                }
                if (host % 3 == 0) run.Ip(Address.FromV4(0xC633_6400 + (uint)(host % 200)), own[host % own.Length], ConnectionState.S0, client: client);
                // Its drive and its printer are where they were before the move.
                if (host % 5 == 0) run.Ip(Address.FromV4(0x0A01_0000 + (uint)(host % 7)), (ushort)(turn % 2 == 0 ? 445 : 9100), ConnectionState.REJ, client: client);
            }
            run.Wait(300 * Simulated.Second);
        }
        int told = run.Alerts.Select(a => a.Event.SrcIP).Distinct().Count();
        o.Line(string.Create(CultureInfo.InvariantCulture, $"Good hosts: {Hosts:N0} for a day, 2 to 20 % of whose web contacts fail, a third with a dead server of their own, a fifth with refusing servers of the site: {told} told as scanners."));
        foreach (Alert alert in run.Alerts.Take(5)) o.Line(alert.Evidence!.Summary);
        o.Goal("scan", "≤ 1e-3 of benign hosts", string.Create(CultureInfo.InvariantCulture, $"{(double)told / Hosts:0.0e0} ({told} of {Hosts:N0})"), told <= Hosts / 1000, "a made day of clients with failing contacts");
    }

    static void Flood(EvaluationOutput o)
    {
        const uint Sources = 100_000;
        using var run = new Simulated(enabled: Detectors.PortScan);
        run.Ip(Simulated.Parse("198.51.100.1"), 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.9.9.9"));
        int failures = 3;
        for (uint i = 0; i < failures; i++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        long heap = GC.GetTotalMemory(forceFullCollection: true), start = Stopwatch.GetTimestamp();
        for (uint i = 0; i < Sources; i++)
        {
            for (ushort port = 81; port < 83; port++) run.Ip(Simulated.Outside, port, ConnectionState.S0, client: Address.FromV4(0x0A80_0000 + i));
        }
        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / (2 * Sources);
        long more = GC.GetTotalMemory(forceFullCollection: true) - heap;
        run.Ip(Simulated.Parse("198.51.100.1"), 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.9.9.9"));
        for (; failures < 20 && run.Alerts.Count == 0; failures++) run.Ip(Address.FromV4(0xCB007100 + (uint)failures), 3389, ConnectionState.S0);
        bool kept = run.Alerts.Count > 0 && failures <= 6;
        string figure = string.Create(CultureInfo.InvariantCulture, $"{more / 1024.0:0} KiB more; a scanner in progress is told at its contact {failures}");
        o.Line(string.Create(CultureInfo.InvariantCulture, $"{Sources:N0} forged sources that fail twice each in the middle of a scan: {figure}; {nanoseconds:0} ns an event."));
        o.Goal("scan", "100,000 sources in fixed memory, nothing in progress evicted", figure, kept && more < 1 << 20, "a made flood");
    }
}
