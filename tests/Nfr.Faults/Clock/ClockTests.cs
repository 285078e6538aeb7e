using System.Text.RegularExpressions;
using Xunit.Abstractions;

namespace Nfr.Faults.Clock;

/// <summary>Promise 10: a wall clock that jumps changes stamps, and never an interval, what is kept, or an order.</summary>
public sealed partial class ClockTests(ITestOutputHelper output)
{
    /// <summary>A stamp of 1970 takes two bytes less in the file than one of today, so that the ring holds a few rows more.</summary>
    const int RowsOfStamps = 12 * 48;

    static readonly Lazy<ClockRun> s_truth = new(() => Run(ClockScript.Truth));

    public static TheoryData<string> Scripts => [.. ClockScript.All.Select(script => script.Name)];

    [Fact]
    public void An_hour_of_a_sensor_with_a_right_clock_is_worth_comparing()
    {
        IReadOnlyList<string> notes = s_truth.Value.Notes;
        foreach (string what in new[] { "upload", "poll ?follow=3", "sink fails", "sink 1,2,3" }) Assert.Contains(notes, note => note.Contains(what, StringComparison.Ordinal));
        Assert.DoesNotContain(notes, note => note.Contains("flush", StringComparison.Ordinal));
        Assert.True(s_truth.Value.Evicted[0] > 1000, "the ring is too large");
        // Scored ones of the outage, and of more than 360 alerts all but the last.
        Assert.InRange(s_truth.Value.Aged.Events, 100, 300);
        Assert.InRange(s_truth.Value.Aged.Alerts, 340, 380);
        ClockRun again = Run(ClockScript.Truth);
        Assert.Equal(notes, again.Notes);
        Assert.Equal(s_truth.Value.Evicted, again.Evicted);
        output.WriteLine($"{notes.Count} requests, failures and counts; {s_truth.Value.Evicted[^1]:N0} events evicted; {s_truth.Value.Aged.Events} events and {s_truth.Value.Aged.Alerts} alerts grew too old");
    }

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Whatever_the_clock_does_the_same_is_done_at_the_same_time(string name)
    {
        ClockRun run = Run(ClockScript.All.Single(script => script.Name == name));
        bool holdsMore = name.Contains("1970", StringComparison.Ordinal);
        Assert.Equal(s_truth.Value.Notes.Select(Comparable), run.Notes.Select(Comparable));
        foreach ((long right, long now) in s_truth.Value.Evicted.Zip(run.Evicted)) Assert.InRange(now - right, holdsMore ? -RowsOfStamps : 0, 0);
        Assert.Equal(s_truth.Value.Aged, run.Aged);
        // Stamps do change: what goes out says what the clock says.
        Assert.Equal(0, run.WrongDates);
        output.WriteLine($"{name}: {run.Notes.Count} requests, failures and counts at the same milliseconds as with a right clock; {run.Aged.Events} events and {run.Aged.Alerts} alerts grew too old at theirs; uploads were stamped with {run.Dates.Count} different minutes");

        // Which row is the oldest in a full ring is a matter of its room; which are too old is not.
        string Comparable(string note) => holdsMore ? Oldest().Replace(note, "upload up to ") : note;
    }

    [GeneratedRegex(@"upload \d+-")]
    private static partial Regex Oldest();

    static ClockRun Run(ClockScript script)
    {
        var run = new ClockRun(script);
        run.Run();
        return run;
    }
}
