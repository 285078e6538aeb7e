using Nfr.Events;

namespace Nfr.Storage;

/// <summary>
/// One who takes events out of the ring, with progress of its own by type, durable with its counts: an engine, or an output of events. A row leaves
/// the ring when every consumer has settled it. Thread-safe; but two who peek the same type as the same consumer get the same events.
/// </summary>
public sealed class SpoolConsumer
{
    readonly Spool _spool;
    readonly int _index;

    internal SpoolConsumer(Spool spool, int index, string name)
    {
        _spool = spool;
        _index = index;
        Name = name;
    }

    /// <summary>As in <see cref="SpoolOptions.Consumers"/>.</summary>
    public string Name { get; }

    /// <summary>
    /// The oldest events of a type that wait for this consumer, as whole rows, up to both limits but at least one row (of 500 events at most); null when
    /// there are none, or when they cannot be read now (see <see cref="SpoolCounters.LastFault"/>). Rows that cannot be read are quarantined on the way.
    /// </summary>
    /// <param name="type">Which kind.</param>
    /// <param name="maxEvents">Most events.</param>
    /// <param name="maxBytes">Most bytes of the compressed body.</param>
    /// <param name="from">Live: only what came after the first call with Live while events waited, or from where <see cref="BeginLive"/> said; until the backlog has come up to there.</param>
    public SpoolBatch? Peek(EventType type, int maxEvents, int maxBytes, SpoolEnd from = SpoolEnd.Oldest) => _spool.Peek(_index, type, maxEvents, maxBytes, from);

    /// <summary>
    /// What waits before a number becomes the backlog, and what comes from there on the live end, as at the first call of <see cref="Peek"/> with Live. While nothing of the live end
    /// was settled it may be moved forward; a batch of it in hand is the backlog's then, to be peeked anew. Without effect when nothing waits before it, or it moves back.
    /// </summary>
    /// <param name="type">Which kind.</param>
    /// <param name="from">What <see cref="Spool.NextSequence"/> said since the spool was opened, so that no row reaches over it.</param>
    public SpoolFault? BeginLive(EventType type, long from) => _spool.BeginLive(_index, type, from);

    /// <summary>
    /// The batch's events were delivered to this consumer: null = noted durably. A <see cref="SpoolBatch.Slice"/> is as good, the oldest first. Events
    /// evicted since they were peeked stay counted as missed.
    /// </summary>
    public SpoolFault? Delivered(SpoolBatch batch) => _spool.Settle(_index, batch, null);

    /// <summary>The batch's events can never be delivered to this consumer: they are copied aside and counted as quarantined. As <see cref="Delivered"/>.</summary>
    public SpoolFault? Quarantine(SpoolBatch batch, string reason)
    {
        ArgumentException.ThrowIfNullOrEmpty(reason);
        return _spool.Settle(_index, batch, reason);
    }

    /// <summary>How long the oldest events of a type have waited for this consumer, by the spool's running time: no clock that is set makes them older. Null when none wait.</summary>
    public TimeSpan? OldestAge(EventType type) => _spool.OldestAge(_index, type);

    /// <summary>This consumer's account of a type.</summary>
    public ConsumerTally Tally(EventType type) => _spool.Tally(_index, type);
}

/// <summary>At which end of what waits a consumer takes events.</summary>
public enum SpoolEnd
{
    Oldest,
    Live,
}

/// <summary>
/// A consumer's account: Since = Delivered + Quarantined + Missed + Waiting at every commit. Since is what was spooled from when it was added, and what
/// was in the ring then.
/// </summary>
/// <param name="Since">What it was ever to have.</param>
/// <param name="Delivered">Settled so.</param>
/// <param name="Quarantined">Settled so, or unreadable before it came to it.</param>
/// <param name="Missed">Evicted before it came to it.</param>
/// <param name="Waiting">In the ring.</param>
/// <param name="OldestWaiting">When the oldest row that waits was spooled, by the clock of then; null when none waits.</param>
public readonly record struct ConsumerTally(
    long Since, long Delivered, long Quarantined, long Missed, long Waiting, DateTimeOffset? OldestWaiting = null)
{
    public static ConsumerTally operator +(ConsumerTally a, ConsumerTally b) => new(
        a.Since + b.Since, a.Delivered + b.Delivered, a.Quarantined + b.Quarantined, a.Missed + b.Missed, a.Waiting + b.Waiting,
        a.OldestWaiting is { } x && b.OldestWaiting is { } y ? (x < y ? x : y) : a.OldestWaiting ?? b.OldestWaiting);

    public static ConsumerTally Add(ConsumerTally left, ConsumerTally right) => left + right;
}
