using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Traffic;
using Nfr.Wire;

namespace Nfr.Train.Evaluation;

/// <summary>What days without an infection raise, in a site that is made and in a log of a network.</summary>
sealed class DayEvaluation : IEvaluation
{
    const int Hosts = 500, Seed = 20;
    /// <summary>The first week teaches; the day after it is measured too.</summary>
    const int LaterDay = 8;

    /// <summary>They are shown, and are no false alarms: the rule of the house is broken, or somebody scans.</summary>
    static bool IsTrue(Alert alert, SiteDay site) => alert.Threats[0].Policy || s_administration.Contains(alert.Event.SrcIP)
        || alert.Evidence!.Facts.Any(f => f.Name == "domain" && f.Text is not null && site.Mistyped.Contains(f.Text));

    static readonly HashSet<string?> s_administration = [SiteDay.Admin.ToString(), SiteDay.Deployer.ToString(), SiteDay.Monitor.ToString()];

    public string Name => "day";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "False alarms of a day");
        if (!o.TryData("benign/domains.tsv", out string path) || !o.TryData("benign/umbrella_fqdn.tsv", out _)) return;
        if (o.TryData("benign/zeek_dns_wrccdc.log.gz", out string log)) Log(o, log);
        var names = new SiteNames(Path.Combine(Path.GetDirectoryName(path)!, ".."));
        o.Line($"A made site of {Hosts} hosts where nobody is infected: desktops, phones that sleep, servers, printers, televisions, cameras; they browse by the popularity of {names.Sites:N0} domains and 12,413 hosts (Zipf), with names that clouds make, block lists, virus scanners, updates, clocks, mail, backups, calls, failing search lists, typing errors, a resolver in the mirror, IPv6, multicast. All detectors, no lists.");
        o.Line("What is left of false alarms has few causes: devices and programs of which a house has one or a few and that call their maker by a timer (a beacon by all that can be seen; low, once a week); the first large backup of each client (low, once); "
            + "visits to real domains one letter from a brand, and to names that begin with one (low, until the house has used them for a week); new domains of a cloud's machines (information, at most 20 a day). A client with an address of IPv4 and one of IPv6 is told twice.");
        using var site = new SiteDay(names, Hosts, Seed);
        long start = Stopwatch.GetTimestamp();
        int before = 0;
        long events = 0;
        for (int day = 1; day <= LaterDay; day++)
        {
            site.RunUntil(day);
            List<Alert> alerts = site.Alerts[before..];
            long count = site.Events - events;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"day {day}: {count:N0} events, {alerts.Count} alerts, {Stopwatch.GetElapsedTime(start).TotalSeconds:0} s"));
            if (day is 1 or LaterDay) Report(o, day, count, alerts, site);
            (before, events) = (site.Alerts.Count, site.Events);
        }
    }

    /// <summary>All detectors on the queries of a network's log.</summary>
    static void Log(EvaluationOutput o, string path)
    {
        using var run = new Simulated();
        using var lines = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        var clients = new HashSet<string>();
        long rows = 0, first = 0;
        while (lines.ReadLine() is { } line)
        {
            string[] f = line.Split('\t');
            if (line.StartsWith('#') || f[9] == "-" || !Address.TryParse(f[2], out Address client) || !Address.TryParse(f[4], out Address server)) continue;
            rows++;
            clients.Add(f[2]);
            run.Tick = Math.Max(run.Tick, (long)(decimal.Parse(f[0], CultureInfo.InvariantCulture) * Simulated.Second));
            if (first == 0) first = run.Tick;
            run.Dns(f[9], client, server, ushort.TryParse(f[12], out ushort type) ? type : (ushort)1, short.TryParse(f[14], out short rcode) ? rcode : (short)0);
        }
        double hostDays = clients.Count * ((run.Tick - first) / (86_400.0 * Simulated.Second));
        string told = run.Alerts.Count == 0 ? "nothing" : string.Join(", ", run.Alerts.GroupBy(a => (a.Threats[0].Id, a.Severity)).Select(g => $"{g.Count()} {g.Key.Id} of severity {g.Key.Severity} (such as: {g.First().Evidence!.Summary})"));
        o.Line(string.Create(CultureInfo.InvariantCulture, $"The one good log there is, of an exercise network: {rows:N0} queries of {clients.Count} clients in {(run.Tick - first) / 60e9:0} minutes raise {told}. That is {hostDays:0.0} host-days: {1000 * run.Alerts.Count / hostDays:0} per 1,000 hosts and day by extrapolation, and no alert at all would bound the rate by {3000 / hostDays:N0} only."));
        int loud = run.Alerts.Count(a => a.Severity > 2);
        o.Goal("all detectors", "≤ 1 false alert per 1,000 hosts and day", string.Create(CultureInfo.InvariantCulture, $"{run.Alerts.Count} alerts ({loud} above severity 2) in {hostDays:0.0} host-days: too short a log to tell"), null, "benign/zeek_dns_wrccdc.log.gz, by extrapolation");
    }

    static void Report(EvaluationOutput o, int day, long events, List<Alert> alerts, SiteDay site)
    {
        o.Heading(3, day == 1 ? "The first day of a sensor" : $"Day {day}, when the sensor knows the site");
        Alert[] wrong = [.. alerts.Where(a => !IsTrue(a, site))];
        o.Line(string.Create(CultureInfo.InvariantCulture, $"{events:N0} events, {alerts.Count} alerts; {alerts.Count - wrong.Length} of them are true or a matter of policy (the administrator's scan and monitor, the distribution of software, encrypted DNS, a brand's name mistyped)."));
        o.Table(["threat", ">severity", ">alerts", ">per 1,000 hosts and day", "counted", "such as"], alerts.GroupBy(a => (a.Threats[0].Id, a.Severity, IsTrue(a, site))).OrderBy(g => g.Key.Item3).ThenByDescending(g => g.Key.Severity).ThenByDescending(g => g.Count()).Select(g => new[]
        {
            g.Key.Id, $"{g.Key.Severity}", $"{g.Count()}", (g.Count() * 1000.0 / Hosts).ToString("0.0", CultureInfo.InvariantCulture), g.Key.Item3 ? "no" : "yes", g.First().Evidence!.Summary.Replace("|", "\\|", StringComparison.Ordinal),
        }));
        int loud = wrong.Count(a => a.Severity > 2);
        double rate = loud * 1000.0 / Hosts, all = wrong.Length * 1000.0 / Hosts;
        o.Goal("all detectors", "≤ 1 false alert per 1,000 hosts and day", string.Create(CultureInfo.InvariantCulture, $"{rate:0.0} above severity 2, {all:0.0} of any severity"), all <= 1, $"a made site of {Hosts} hosts, {(day == 1 ? "a sensor's first day" : $"day {day}")}");
    }
}
