using Nfr.Events;
using Nfr.Scoring;
using Nfr.Train.Traffic;

namespace Nfr.Tests.Scoring;

/// <summary>Logs that are a day behind, beside what happens now; and logs of a read, one behind the other.</summary>
public sealed class PastTests : IDisposable
{
    const long Second = 1_000_000_000, Day = 86_400 * Second;

    readonly List<Alert> _raised = [];
    Scorer? _scorer;

    Scorer Open(bool running) => _scorer = new Scorer(new ScorerOptions { FeedsFolders = [], FeedsPollInterval = TimeSpan.Zero, IsHome = static a => a.ToString().StartsWith("10.", StringComparison.Ordinal), Lines = new ShortLines(), IsRunning = running });

    public void Dispose() => _scorer?.Dispose();

    static EventContext Context(long tick, string client = "10.0.0.1") =>
        new() { Timestamp = tick, Tick = tick, Source = Simulated.Parse(client), Destination = Simulated.Parse("192.0.2.1"), SourcePort = 1, DestinationPort = 80, Protocol = 6 };

    int Rule(long tick) => _scorer!.Score(new SignatureEvent { Context = Context(tick), SignatureId = 7, GeneratorId = 1, Severity = 1, Signature = "A rule"u8 }, _raised);

    [Fact]
    public void Old_lines_between_those_of_now_raise_no_storm_and_move_no_clock()
    {
        Open(running: true);
        long past = EventContext.Past + Day;
        for (int i = 0; i < 1000; i++)
        {
            Rule((3600 + i) * Second / 10);
            Rule(past + (i * Second / 10));
        }
        // One of now and one of then.
        Assert.Equal(2, _raised.Count);
        Rule(500 * Second);
        Assert.Equal(500 * Second, _scorer!.Now);
    }

    [Fact]
    public void Another_log_of_a_read_is_judged_by_its_own_time()
    {
        Open(running: false);
        Rule(Day);
        Rule(Day + Second);
        Assert.Equal(Day + Second, _scorer!.Now);
        _scorer.BeginAnew(_raised);
        Rule(5 * Second);
        Assert.Equal(5 * Second, _scorer.Now);
        Rule(3 * Second);
        Assert.Equal(5 * Second, _scorer.Now);
    }
}
