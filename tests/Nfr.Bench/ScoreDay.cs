using System.Diagnostics;
using System.Globalization;
using Nfr.Bench.Traffic;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Scoring;

namespace Nfr.Bench;

/// <summary>
/// "score [--hours N] [--rate N] [--clients N] [--feeds FOLDER]": an office's day of events through the scorer, as fast as it goes: what scoring costs an event (the day without a scorer is taken
/// off), how memory grows, and what a day without misbehaviour raises.
/// </summary>
static class ScoreDay
{
    public static int Run(string[] args)
    {
        int hours = Option(args, "--hours", 24), rate = Option(args, "--rate", 50), clients = Option(args, "--clients", 100);
        int feeds = Array.IndexOf(args, "--feeds");
        double empty = Day(hours, rate, clients, null, null, out long events);
        using var scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = feeds >= 0 && feeds + 1 < args.Length ? [args[feeds + 1]] : [],
            FeedsPollInterval = TimeSpan.Zero,
            IsHome = static a => a.IsV4 && a.V4 >> 24 == 10,
            Lines = new SampleLines(),
        });
        var alerts = new List<Alert>();
        double full = Day(hours, rate, clients, scorer, alerts, out _);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{events:N0} events of {hours} h at {rate}/s: {full:F1} s, {empty:F1} s of them making events; scoring takes {(full - empty) / events * 1e6:F2} µs an event"));
        foreach (var group in alerts.GroupBy(a => (a.Threats[0].Id, a.Severity)).OrderByDescending(g => g.Key.Severity))
            Console.WriteLine($"  {group.Count()} x severity {group.Key.Severity} {group.Key.Id}, such as: {group.First().Evidence!.Summary}");
        Console.WriteLine($"{alerts.Count} alerts, {alerts.Count(a => a.Severity > 2)} of them above severity 2");
        return 0;
    }

    static double Day(int hours, int rate, int clients, Scorer? scorer, List<Alert>? alerts, out long events)
    {
        var office = new OfficeDay(7, clients);
        var raised = new List<Alert>();
        long from = Stopwatch.GetTimestamp();
        for (long second = 0; second < hours * 3600L; second++)
        {
            office.OneSecond(second, rate, scorer, raised);
            if (raised.Count > 0)
            {
                alerts?.AddRange(raised);
                raised.Clear();
            }
            if (scorer is not null && (second + 1) % (3600 * 4) == 0)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"  after {(second + 1) / 3600,2} h: {alerts!.Count} alerts, heap {GC.GetTotalMemory(forceFullCollection: true) / 1048576.0:F1} MiB, resident {Environment.WorkingSet / 1048576.0:F1} MiB, {Stopwatch.GetElapsedTime(from).TotalSeconds:F1} s"));
            }
        }
        events = office.Events;
        return Stopwatch.GetElapsedTime(from).TotalSeconds;
    }

    static int Option(string[] args, string name, int fallback)
    {
        int at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length && int.TryParse(args[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : fallback;
    }
}
