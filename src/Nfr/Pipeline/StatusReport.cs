using Nfr.Health;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>One port, all its workers together.</summary>
/// <param name="Interface">Its name.</param>
/// <param name="IsOpen">Frames can come.</param>
sealed record PortReport(string Interface, bool IsOpen)
{
    /// <summary>Over the last ten seconds or so; null before the first window's end.</summary>
    public PortRate? Rate { get; init; }
    /// <summary>What the observer sees there now.</summary>
    public IReadOnlyList<Trouble> Conditions { get; init; } = [];
}

/// <summary>One engine that events go to.</summary>
/// <param name="Name">Of the consumer of the spool, so it lasts.</param>
/// <param name="Engine">Its address.</param>
/// <param name="State">What the uploads have done since the start.</param>
sealed record UplinkReport(string Name, string Engine, UplinkState State)
{
    /// <summary>Events that wait for it, by <see cref="Events.EventType"/>.</summary>
    public long[] Waiting { get; init; } = new long[Events.EventTypes.UploadedCount];
}

/// <summary>Everything that the running sensor tells of itself at one moment: by <see cref="StatusJson"/> to "nfr status", by <see cref="MetricsText"/> to Prometheus.</summary>
sealed record StatusReport
{
    public required string SensorId { get; init; }
    public required DateTimeOffset Now { get; init; }
    public required DateTimeOffset Started { get; init; }
    /// <summary>By the monotonic clock.</summary>
    public required TimeSpan Uptime { get; init; }
    public required IReadOnlyList<PortReport> Ports { get; init; }
    public required Ledger Run { get; init; }
    public LedgerInterval? Interval { get; init; }
    public required string SpoolFolder { get; init; }
    public required long SpoolMost { get; init; }
    /// <summary>Empty: all is scored on board alone.</summary>
    public IReadOnlyList<UplinkReport> Uplinks { get; init; } = [];
    public IReadOnlyList<AlertOutputState> Outputs { get; init; } = [];
    public IReadOnlyList<ListReport> Lists { get; init; } = [];
    /// <summary>Null where nobody looked, as in tests.</summary>
    public BoxFacts? Box { get; init; }

    /// <summary>What is not as it should be, gravest first; empty while all is well.</summary>
    public IReadOnlyList<Trouble> Troubles => Health.Troubles.Of(this);

    /// <summary>The sensor does its work, though there may be something to look at.</summary>
    public bool IsWell => Trouble.AreNone(Troubles);

    public byte[] ToJson() => StatusJson.Write(this);
}
