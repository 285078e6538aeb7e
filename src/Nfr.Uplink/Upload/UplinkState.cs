using Nfr.Events;

namespace Nfr.Uplink;

public enum UplinkPhase : byte
{
    /// <summary>engine.analyze says no.</summary>
    Off,
    /// <summary>Nothing to send, or waiting for the interval.</summary>
    Idle,
    Sending,
    /// <summary>The last request failed; the next one is at BackingOffUntil.</summary>
    BackingOff,
    /// <summary>The engine refuses the key.</summary>
    KeyRefused,
    /// <summary>Events wait for the time of day at which they may go.</summary>
    OutsideWindow,
}

/// <summary>What one event type's upload has done since the start.</summary>
public sealed record UplinkTypeState
{
    public required EventType Type { get; init; }
    public UplinkPhase Phase { get; init; }
    public DateTimeOffset? LastSuccess { get; init; }
    /// <summary>One sentence; kept after recovery, see <see cref="LastErrorAt"/>.</summary>
    public string? LastError { get; init; }
    public DateTimeOffset? LastErrorAt { get; init; }
    public DateTimeOffset? BackingOffUntil { get; init; }
    public long DeliveredEvents { get; init; }
    public long DeliveredBatches { get; init; }
    public long DeliveredBytes { get; init; }
    /// <summary>Delivered, but the engine did not want them; its reasons are in <see cref="Rejected"/>.</summary>
    public long RejectedEvents { get; init; }
    public IReadOnlyDictionary<string, long> Rejected { get; init; } = new Dictionary<string, long>();
    /// <summary>Single events that the engine could not take, put aside.</summary>
    public long QuarantinedEvents { get; init; }
    public long FailedRequests { get; init; }
    /// <summary>Requests by the status of their answer, or <see cref="NoAnswer"/>; of a server that makes up ever new ones the later ones are <see cref="OtherStatus"/>.</summary>
    public IReadOnlyDictionary<int, long> Requests { get; init; } = new Dictionary<int, long>();

    /// <summary>No whole answer came.</summary>
    public const int NoAnswer = 0;
    public const int OtherStatus = -1;
}

/// <summary>A snapshot of the uplink for status and metrics.</summary>
/// <param name="Types">In the order of <see cref="EventTypes.Uploaded"/>.</param>
/// <param name="Trouble">What stops or delays uploads now, in one sentence; null when all is well.</param>
public sealed record UplinkState(IReadOnlyList<UplinkTypeState> Types, string? Trouble)
{
    public long DeliveredEvents => Types.Sum(type => type.DeliveredEvents);
    public long DeliveredBatches => Types.Sum(type => type.DeliveredBatches);
    public long QuarantinedEvents => Types.Sum(type => type.QuarantinedEvents);
}
