using Nfr.Events;

namespace Nfr.Storage;

/// <summary>
/// The ledger of one kind of event. At every commit Spooled = InSpool + Delivered + Evicted + Quarantined, and at every moment
/// Accepted = Spooled + LostBeforeSpool + Pending. EvictedForAge are those of Evicted that were not evicted for room or a quota; Bytes are the rows', compressed. Accepted is counted when an event comes, Pending is the length of its queue: neither is made from the other.
/// </summary>
public readonly record struct SpoolTally(
    long Accepted, long Spooled, long InSpool, long Delivered, long Evicted, long Quarantined, long LostBeforeSpool, long Pending = 0,
    long EvictedForAge = 0, long Bytes = 0)
{
    public static SpoolTally operator +(SpoolTally a, SpoolTally b) => new(
        a.Accepted + b.Accepted, a.Spooled + b.Spooled, a.InSpool + b.InSpool, a.Delivered + b.Delivered,
        a.Evicted + b.Evicted, a.Quarantined + b.Quarantined, a.LostBeforeSpool + b.LostBeforeSpool, a.Pending + b.Pending,
        a.EvictedForAge + b.EvictedForAge, a.Bytes + b.Bytes);

    public static SpoolTally Add(SpoolTally left, SpoolTally right) => left + right;
}

/// <summary>The spool's numbers at one moment. Counts of events last across restarts; those of this run say so.</summary>
public sealed class SpoolCounters
{
    readonly SpoolTally[] _lanes;

    internal SpoolCounters(SpoolTally[] lanes, SpoolTally alerts)
    {
        _lanes = lanes;
        Alerts = alerts;
    }

    internal SpoolTally OfLane(int lane) => _lanes[lane];

    internal SpoolCounters With(SpoolTally[] lanes, SpoolTally alerts) => new(lanes, alerts)
    {
        EngineAlerts = EngineAlerts, RowsCounted = true, BytesOnDisk = BytesOnDisk, BytesWritten = BytesWritten, Commits = Commits, LastFault = LastFault,
        Faults = Faults, Failing = Failing, DiskFull = DiskFull, QuarantinedFiles = QuarantinedFiles, Outlook = Outlook,
    };

    /// <summary>Bytes of one class's rows.</summary>
    public long BytesOf(SpoolClass of)
    {
        if (of == SpoolClass.Alerts) return Alerts.Bytes;
        long bytes = 0;
        for (int lane = 0; lane < _lanes.Length; lane++) bytes += SpoolClasses.OfLine(lane) == of ? _lanes[lane].Bytes : 0;
        return bytes;
    }

    /// <summary>Events of one type and class.</summary>
    public SpoolTally Of(EventType type, bool scored) => _lanes[Lane.Of(type, scored)];

    /// <summary>Events of one type.</summary>
    public SpoolTally Of(EventType type) => Of(type, false) + Of(type, true);

    /// <summary>All events.</summary>
    public SpoolTally Total
    {
        get
        {
            SpoolTally total = default;
            foreach (SpoolTally lane in _lanes) total += lane;
            return total;
        }
    }

    /// <summary>Alerts; Delivered stays 0, because outputs read with their own bookmarks and delete nothing.</summary>
    public SpoolTally Alerts { get; }

    /// <summary>Alerts of an engine among the accepted ones, of this run.</summary>
    public long EngineAlerts { get; init; }

    /// <summary>InSpool is the number of rows as they lie in the file, not what the counts say they should be.</summary>
    public bool RowsCounted { get; init; }

    /// <summary>Bytes of the database, its write-ahead log and the reserve file.</summary>
    public long BytesOnDisk { get; init; }

    /// <summary>Bytes written to the card by this run, counted as pages; an upper bound, because a checkpoint writes a page once that was logged often.</summary>
    public long BytesWritten { get; init; }

    /// <summary>Commits of this run, each one sync.</summary>
    public long Commits { get; init; }

    /// <summary>The last fault of this run.</summary>
    public SpoolFault? LastFault { get; init; }

    /// <summary>Faults of this run.</summary>
    public long Faults { get; init; }

    /// <summary>The last flush failed: events wait in memory.</summary>
    public bool Failing { get; init; }

    /// <summary>The disk is full and the ring works within what it has.</summary>
    public bool DiskFull { get; init; }

    /// <summary>How long ring and card last as things go now; null in the first minutes, and while nothing is written.</summary>
    public SpoolOutlook? Outlook { get; init; }

    /// <summary>Items in <c>quarantine/</c>.</summary>
    public int QuarantinedFiles { get; init; }
}
