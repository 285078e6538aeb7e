using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Servers;

/// <summary>What tests of outputs before bad servers have in common: all kinds side by side, alerts with numbers, and waiting with a limit.</summary>
static partial class EachMood
{
    /// <summary>Whoever is not through within this is stuck, also on a busy machine.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>How one kind of bad server went.</summary>
    /// <param name="Tries">Requests or connections that the server saw while it was bad.</param>
    /// <param name="During">For how long, in the output's own time.</param>
    /// <param name="Doubled">Alerts that came once more.</param>
    public readonly record struct Course(int Tries, TimeSpan During, int Doubled = 0);

    /// <summary>Most of the time is spent in waiting for time-outs.</summary>
    public static async Task RunAsync<T>(ITestOutputHelper output, string what, IReadOnlyList<T> moods, Func<T, Task<Course>> run)
    {
        var faults = new ConcurrentBag<string>();
        var courses = new ConcurrentBag<Course>();
        string slowest = "";
        TimeSpan longest = default;
        long begin = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(moods, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (mood, _) =>
        {
            long from = Stopwatch.GetTimestamp();
            try
            {
                courses.Add(await run(mood));
            }
            catch (Exception e)
            {
                faults.Add($"{mood}: {e.Message.ReplaceLineEndings(" ")} {e.StackTrace?.Split('\n').FirstOrDefault(line => line.Contains("Bad", StringComparison.Ordinal))?.Trim()}");
            }
            TimeSpan took = Stopwatch.GetElapsedTime(from);
            lock (faults)
            {
                if (took > longest) (longest, slowest) = (took, $"{mood}");
            }
        });
        output.WriteLine(
            $"{what}: {moods.Count} kinds of bad server, {courses.Sum(c => c.Tries)} tries, {courses.Sum(c => c.Doubled)} alerts doubled, {faults.Count} faults; the slowest kind ({slowest}) took {longest.TotalSeconds:0.0} s, all of them {Stopwatch.GetElapsedTime(begin).TotalSeconds:0} s");
        Assert.True(faults.IsEmpty, string.Join("\n", faults));
    }

    /// <summary>Some kilobytes each where <paramref name="bulk"/> says so.</summary>
    public static void Append(Spool spool, int from, int to, int bulk = 0)
    {
        for (int i = from; i < to; i++)
        {
            spool.AppendAlert(new Alert
            {
                Threats = [new AlertThreat("c2_communication", "C2 communication", 5)],
                Flags = ["c2"],
                Event = new AlertEvent { Type = EventType.Dns, Ts = "2026-11-21T12:00:00.000000Z", SrcIP = "10.0.0.1", Query = $"{new string('x', bulk)}a{i}.example", QType = "A" },
            });
        }
        Assert.Null(spool.Flush());
    }

    /// <summary>Of an alert or event by its name; the first one in the text.</summary>
    public static int Number(string text) => int.Parse(Name().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);

    public static int[] Numbers(string text) => [.. Name().Matches(text).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).Distinct()];

    public static async Task UntilAsync(Func<bool> condition, Task running, Func<string> what)
    {
        long begin = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (running.IsCompleted) throw new InvalidOperationException("the stage ended: " + running.Exception?.Message);
            if (Stopwatch.GetElapsedTime(begin) > Limit) throw new TimeoutException($"not within {Limit.TotalSeconds:0} s: {what()}");
            await Task.Delay(10);
        }
    }

    /// <summary>One try a second while they fail; the first one and the last need no distance.</summary>
    public static void AssertSpaced(Course course) => Assert.True(course.Tries <= course.During.TotalSeconds + 2, $"{course.Tries} tries in {course.During.TotalSeconds:0.0} s");

    [GeneratedRegex(@"a(\d+)\.example")]
    private static partial Regex Name();
}
