using Nfr.Events;

namespace Nfr.Storage;

/// <summary>What lies in a spool at one moment, as seen from beside.</summary>
public sealed record SpoolFacts
{
    /// <summary>Every class by type that has rows; alerts last.</summary>
    public required IReadOnlyList<SpoolShare> Shares { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<QuarantinedRow> Quarantined { get; init; }

    /// <summary>Every consumer by type.</summary>
    public required IReadOnlyList<(string Name, EventType Type, ConsumerTally Tally)> Consumers { get; init; }

    /// <summary>As the sensor noted it last, which it does every ten minutes and when it stops; null before.</summary>
    public SpoolOutlook? Outlook { get; init; }

    /// <summary>Bytes of the database and its log.</summary>
    public long BytesOnDisk { get; init; }

    /// <summary>Folders in <c>quarantine/</c>: files that could not be read.</summary>
    public IReadOnlyList<string> QuarantinedFiles { get; init; } = [];
}

/// <summary>One class of one type.</summary>
/// <param name="Type">"dns", "ip", "http", "tls" or "alert".</param>
/// <param name="Scored">With a finding; false for alerts.</param>
/// <param name="Rows">Of the ring.</param>
/// <param name="Events">In them.</param>
/// <param name="Bytes">Of the rows, compressed.</param>
/// <param name="Oldest">When the oldest was spooled, by the clock of then.</param>
/// <param name="Newest">When the newest was.</param>
public sealed record SpoolShare(string Type, bool Scored, long Rows, long Events, long Bytes, DateTimeOffset Oldest, DateTimeOffset Newest);

/// <summary>Events that a consumer can never take, or a row that could not be read.</summary>
/// <param name="Id">For <see cref="Spool.Requeue"/>.</param>
/// <param name="Type">As in <see cref="SpoolShare"/>.</param>
/// <param name="First">Sequence number.</param>
/// <param name="Last">Sequence number.</param>
/// <param name="At">When it was put aside.</param>
/// <param name="Reason">The engine's words, or "unreadable row".</param>
/// <param name="Consumer">Who could not take it; null = nobody could have.</param>
/// <param name="Bytes">Compressed.</param>
public sealed record QuarantinedRow(long Id, string Type, long First, long Last, DateTimeOffset At, string Reason, string? Consumer, long Bytes);

/// <summary>One event or alert as it lies in the spool.</summary>
/// <param name="Type">As in <see cref="SpoolShare"/>.</param>
/// <param name="Scored">With a finding.</param>
/// <param name="Sequence">Of its type.</param>
/// <param name="Spooled">When, by the clock of then.</param>
/// <param name="Json">One object without line end; valid until the next is taken.</param>
public readonly record struct SpooledEvent(string Type, bool Scored, long Sequence, DateTimeOffset Spooled, ReadOnlyMemory<byte> Json);

/// <summary>Which events are wanted.</summary>
public sealed record SpoolFilter
{
    /// <summary>"dns", "ip", "http", "tls", "alert"; empty = all.</summary>
    public IReadOnlyList<string> Types { get; init; } = [];
    /// <summary>Only events with a finding, and alerts.</summary>
    public bool ScoredOnly { get; init; }
    /// <summary>Spooled at this moment or later.</summary>
    public DateTimeOffset? From { get; init; }
    /// <summary>Spooled before.</summary>
    public DateTimeOffset? To { get; init; }
    /// <summary>Only what waits for this consumer; null = all that is there.</summary>
    public string? Consumer { get; init; }

    internal bool Wants(string type, bool scored) => (Types.Count == 0 || Types.Contains(type)) && (!ScoredOnly || scored || type == AlertType);

    internal bool Wants(long stamp) => (From is not { } from || stamp >= from.ToUnixTimeMilliseconds()) && (To is not { } to || stamp < to.ToUnixTimeMilliseconds());

    public const string AlertType = "alert";
}
