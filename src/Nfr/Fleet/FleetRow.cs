using Nfr.Health;

namespace Nfr.Fleet;

/// <summary>How a sensor is, in one word.</summary>
enum SensorState : byte
{
    Well,
    /// <summary>Nothing was heard from it itself yet.</summary>
    Waiting,
    /// <summary>It does its work, and there is something to look at.</summary>
    Degraded,
    /// <summary>It says online, and more than two heartbeats are missing.</summary>
    Silent,
    /// <summary>The broker has said so in its place, or it has signed off.</summary>
    Offline,
    /// <summary>Something of it does not work, or it loses packets or events.</summary>
    Fault,
    /// <summary>It is well and has raised alerts within the hour.</summary>
    Alert,
}

/// <summary>One sensor at one moment, as the screens and --json show it.</summary>
sealed record FleetRow
{
    public required string Key { get; init; }
    public required string Site { get; init; }
    public required string Id { get; init; }
    public required SensorState State { get; init; }
    public required bool? Online { get; init; }
    public required SensorAbout About { get; init; }
    public required SensorHealth? Health { get; init; }
    /// <summary>Since it was last heard; null = not since we listen.</summary>
    public required TimeSpan? Heard { get; init; }
    /// <summary>Since it went or came while we listened.</summary>
    public required TimeSpan? StatusAge { get; init; }
    public required TimeSpan? Skew { get; init; }
    public required int AlertsInHour { get; init; }
    public required long AlertCount { get; init; }
    public required int WorstSeverity { get; init; }
    public required SensorAlert? LastAlert { get; init; }

    public string Name => About.Name ?? Id;

    public Trouble? WorstTrouble => Health is { Troubles: [var worst, ..] } ? worst : null;

    /// <summary>The smaller the worse: alerts and faults, offline, silent, degraded, waiting, well.</summary>
    public int Rank => State switch
    {
        SensorState.Offline or SensorState.Silent when AlertsInHour > 0 => 0,
        _ when AlertsInHour > 0 => 1,
        SensorState.Fault => WorstTrouble?.Gravity == Gravity.Loss ? 2 : 3,
        SensorState.Offline => 4,
        SensorState.Silent => 5,
        SensorState.Degraded => 6,
        SensorState.Waiting => 7,
        _ => 8,
    };

    /// <summary>Somebody has to do something.</summary>
    public bool IsTrouble => State is SensorState.Fault or SensorState.Offline or SensorState.Silent or SensorState.Alert;

    public static string Word(SensorState state) => state switch
    {
        SensorState.Well => "ok",
        SensorState.Waiting => "waiting",
        SensorState.Degraded => "degraded",
        SensorState.Silent => "silent",
        SensorState.Offline => "offline",
        SensorState.Fault => "fault",
        _ => "alert",
    };

    /// <summary>The one sentence that says why it stands where it stands; empty while all is well.</summary>
    public string Why => State switch
    {
        SensorState.Offline => (StatusAge is { } age ? $"left {Ages.Of(age)} ago" : "was gone when this began") + AlertTail,
        SensorState.Silent => "says online, but no heartbeat comes" + AlertTail,
        SensorState.Fault => WorstTrouble!.What + AlertTail,
        SensorState.Alert => LastAlert is { } alert ? $"{alert.Threat}: {alert.What}" : "",
        SensorState.Degraded => WorstTrouble!.What,
        SensorState.Waiting => Online is null ? "its status was not heard" : "no heartbeat yet",
        _ => "",
    };

    string AlertTail => LastAlert is { } alert && AlertsInHour > 0 ? $"; before: {alert.Threat}" : "";
}

/// <summary>What was not taken from the broker, and why.</summary>
/// <param name="Foreign">Topics below nfr/ that no sensor uses.</param>
/// <param name="TooLong">Topics or payloads.</param>
/// <param name="Unreadable">Payloads that are no JSON object, or no status.</param>
/// <param name="Full">Sensors beyond the table's size, by their messages.</param>
readonly record struct FleetRefusals(long Foreign, long TooLong, long Unreadable, long Full)
{
    public long Total => Foreign + TooLong + Unreadable + Full;
}

/// <summary>All sensors at one moment, in the order of their coming.</summary>
sealed record FleetView(IReadOnlyList<FleetRow> Rows, FleetRefusals Refused, long Messages, DateTimeOffset Now)
{
    public int Count(SensorState state) => Rows.Count(r => r.State == state);

    public int Offline => Count(SensorState.Offline);
    public int Online => Rows.Count(r => r.Online == true);
    public int AlertsInHour => Rows.Sum(r => r.AlertsInHour);
    public bool AllWell => !Rows.Any(r => r.IsTrouble || r.State == SensorState.Waiting);

    /// <summary>Versions by how many sensors run them, the most common first; of two as common the one that sorts last.</summary>
    public IReadOnlyList<(string Version, int Count)> Versions =>
        [.. Rows.Where(r => r.About.Version is not null).GroupBy(r => r.About.Version!).Select(g => (g.Key, g.Count())).OrderByDescending(g => g.Item2).ThenByDescending(g => g.Key, StringComparer.Ordinal)];
}
