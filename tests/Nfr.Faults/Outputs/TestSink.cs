using Nfr.Uplink;

namespace Nfr.Faults.Outputs;

enum SinkMood
{
    /// <summary>Takes every page at once.</summary>
    Well,
    /// <summary>Takes each page, after up to a second and a half.</summary>
    Slow,
    /// <summary>Fails two times of three, at times in the middle of a page, and says truly how much it took.</summary>
    Flapping,
    /// <summary>Refuses at once, or never answers.</summary>
    Dead,
}

/// <summary>The other side of an output: what it keeps outlives the sensor's restarts.</summary>
sealed class Receiver(string name, SinkMood mood, TimeProvider time)
{
    readonly Random _random = new(name.GetHashCode(StringComparison.Ordinal) & 1023);
    readonly List<string> _kept = [];

    public string Name => name;
    public SinkMood Mood { get; set; } = mood;
    public int Failures { get; private set; }

    public IReadOnlyList<string> Kept
    {
        get
        {
            lock (_kept) return [.. _kept];
        }
    }

    public AlertSink Sink() => new Connection(this);

    async Task<SinkAnswer> TakeAsync(AlertPage page, CancellationToken cancel)
    {
        int fate;
        lock (_random) fate = _random.Next(12);
        switch (Mood)
        {
            case SinkMood.Slow:
                // Whoever is told to stop within this has two seconds to end it.
                await Task.Delay(TimeSpan.FromSeconds(fate / 8.0), time, CancellationToken.None);
                break;
            case SinkMood.Dead:
                Failures++;
                if (fate < 6) return SinkAnswer.None("refused");
                await Task.Delay(TimeSpan.FromDays(1), time, cancel);
                break;
            case SinkMood.Flapping when fate < 4:
                Failures++;
                return SinkAnswer.None("flaps");
            case SinkMood.Flapping when fate < 8:
                Failures++;
                int taken = page.Count * (fate - 3) / 5;
                Keep(page, taken);
                return SinkAnswer.First(taken, "flaps");
        }
        Keep(page, page.Count);
        return SinkAnswer.All(page);
    }

    void Keep(AlertPage page, int count)
    {
        lock (_kept) _kept.AddRange(page.Alerts.Take(count).Select(a => a.Alert.Event.Query!));
    }

    sealed class Connection(Receiver receiver) : AlertSink
    {
        public override string Target => receiver.Name;

        public override Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel) => receiver.TakeAsync(page, cancel);
    }
}
