using System.Diagnostics;
using System.Globalization;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Traffic;

namespace Nfr.Train.Evaluation;

/// <summary>What days without an infection raise, in a site that is made and in a log of a network.</summary>
sealed class DayEvaluation : IEvaluation
{
    const int Hosts = 500, Seed = 20;
    /// <summary>The first week teaches; the day after it is measured too.</summary>
    const int LaterDay = 1;

    /// <summary>They are shown, and are no false alarms: the rule of the house is broken, or somebody scans.</summary>
    static bool IsTrue(Alert alert) => alert.Threats[0].Policy || s_administration.Contains(alert.Event.SrcIP);

    static readonly HashSet<string?> s_administration = [SiteDay.Admin.ToString(), SiteDay.Deployer.ToString(), SiteDay.Monitor.ToString()];

    public string Name => "day";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "False alarms of a day");
        if (!o.TryData("benign/domains.tsv", out string path) || !o.TryData("benign/umbrella_fqdn.tsv", out _)) return;
        var names = new SiteNames(Path.Combine(Path.GetDirectoryName(path)!, ".."));
        o.Line($"A made site of {Hosts} hosts where nobody is infected: desktops, phones that sleep, servers, printers, televisions, cameras; they browse by the popularity of {names.Sites:N0} domains and 12,413 hosts (Zipf), with names that clouds make, block lists, virus scanners, updates, clocks, mail, backups, calls, failing search lists, typing errors, a resolver in the mirror, IPv6, multicast. All detectors, no lists.");
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
            File.AppendAllLines("/tmp/ev/alerts.txt", alerts.Select(a => $"{day}\t{IsTrue(a)}\t{a.Severity}\t{a.Threats[0].Id}\t{a.Evidence!.Summary}")); Console.WriteLine(site.Stats);
            if (day is 1 or LaterDay) Report(o, day, count, alerts);
            (before, events) = (site.Alerts.Count, site.Events);
        }
    }

    static void Report(EvaluationOutput o, int day, long events, List<Alert> alerts)
    {
        o.Heading(3, day == 1 ? "The first day of a sensor" : $"Day {day}, when the sensor knows the site");
        Alert[] wrong = [.. alerts.Where(a => !IsTrue(a))];
        o.Line(string.Create(CultureInfo.InvariantCulture, $"{events:N0} events, {alerts.Count} alerts; {alerts.Count - wrong.Length} of them are true or a matter of policy (the administrator's scan and monitor, the distribution of software, encrypted DNS)."));
        o.Table(["threat", ">severity", ">alerts", ">per 1,000 hosts and day", "counted", "such as"], alerts.GroupBy(a => (a.Threats[0].Id, a.Severity, IsTrue(a))).OrderBy(g => g.Key.Item3).ThenByDescending(g => g.Key.Severity).ThenByDescending(g => g.Count()).Select(g => new[]
        {
            g.Key.Id, $"{g.Key.Severity}", $"{g.Count()}", (g.Count() * 1000.0 / Hosts).ToString("0.0", CultureInfo.InvariantCulture), g.Key.Item3 ? "no" : "yes", g.First().Evidence!.Summary.Replace("|", "\\|", StringComparison.Ordinal),
        }));
        int loud = wrong.Count(a => a.Severity > 2);
        double rate = loud * 1000.0 / Hosts, all = wrong.Length * 1000.0 / Hosts;
        o.Goal("all detectors", "≤ 1 false alert per 1,000 hosts and day", string.Create(CultureInfo.InvariantCulture, $"{rate:0.0} above severity 2, {all:0.0} of any severity"), all <= 1, $"a made site of {Hosts} hosts, {(day == 1 ? "a sensor's first day" : $"day {day}")}");
    }
}
