using Nfr.Events;
using Nfr.Health;
using Nfr.Logs;
using Nfr.Storage;
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

/// <summary>One source of lines or documents.</summary>
/// <param name="Input">Which worker reads it: logs, syslog, elastic.</param>
/// <param name="Report">What its input says of it.</param>
sealed record SourceReport(string Input, InputReport Report)
{
    /// <summary>What is wrong with what comes from there now.</summary>
    public IReadOnlyList<Trouble> Conditions { get; init; } = [];
}

/// <summary>One engine that events go to.</summary>
/// <param name="Name">Of the consumer of the spool, so it lasts.</param>
/// <param name="Engine">Its address.</param>
/// <param name="State">What the uploads have done since the start.</param>
sealed record UplinkReport(string Name, string Engine, UplinkState State)
{
    /// <summary>How the fetching of its alerts goes; null = none are fetched there.</summary>
    public AlertPollerState? Alerts { get; init; }
}

/// <summary>One who takes events out of the spool: an engine, or an output of events.</summary>
/// <param name="Name">As the spool knows it; an uplink's is its engine's.</param>
/// <param name="Types">Its account by <see cref="EventType"/>.</param>
sealed record ConsumerReport(string Name, IReadOnlyList<ConsumerTally> Types)
{
    public static ConsumerReport Of(SpoolConsumer consumer) => new(consumer.Name, [.. EventTypes.Uploaded.Select(consumer.Tally)]);

    public ConsumerTally Total => Types.Aggregate((a, b) => a + b);
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
    /// <summary>What is read beside packets.</summary>
    public IReadOnlyList<SourceReport> Inputs { get; init; } = [];
    public required Ledger Run { get; init; }
    public LedgerInterval? Interval { get; init; }
    public required string SpoolFolder { get; init; }
    public required long SpoolMost { get; init; }
    /// <summary>Empty: all is scored on board alone.</summary>
    public IReadOnlyList<UplinkReport> Uplinks { get; init; } = [];
    /// <summary>Those who take events out of the spool.</summary>
    public IReadOnlyList<ConsumerReport> Consumers { get; init; } = [];
    public IReadOnlyList<AlertOutputState> Outputs { get; init; } = [];
    /// <summary>The link to the broker; null where there is none.</summary>
    public FleetState? Fleet { get; init; }
    public IReadOnlyList<ListReport> Lists { get; init; } = [];
    /// <summary>Null where nobody looked, as in tests.</summary>
    public BoxFacts? Box { get; init; }

    /// <summary>Events that came into the spool, a second, over the last interval; null before its end.</summary>
    public double? SpoolRate => Interval is { Seconds: > 0, Moved: { Spool: { } now, SpoolAtStart: { } then } } interval ? (now.Total.Accepted - then.Total.Accepted) / interval.Seconds : null;

    /// <summary>Events or alerts of a class that lie in the spool.</summary>
    public static long HeldOf(SpoolCounters spool, SpoolClass of) => of switch
    {
        SpoolClass.Alerts => spool.Alerts.InSpool,
        SpoolClass.Scored => EventTypes.Uploaded.Sum(t => spool.Of(t, scored: true).InSpool),
        _ => spool.Of((EventType)(of - SpoolClass.Dns), scored: false).InSpool,
    };

    /// <summary>What is not as it should be, gravest first; empty while all is well.</summary>
    public IReadOnlyList<Trouble> Troubles => Health.Troubles.Of(this);

    /// <summary>The sensor does its work, though there may be something to look at.</summary>
    public bool IsWell => Trouble.AreNone(Troubles);

    public byte[] ToJson() => StatusJson.Write(this);
}
