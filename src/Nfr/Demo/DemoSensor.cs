using Nfr.Events;

namespace Nfr.Demo;

/// <summary>The one seam between the demo and the sensor: how to start one.</summary>
/// <param name="StartAsync">Returns once frames are being captured; throws with a one-line message when that cannot be.</param>
public sealed record DemoSensor(Func<DemoSensorOptions, CancellationToken, Task<RunningSensor>> StartAsync);

/// <param name="ConfigPath">The config to run with; null = built-in defaults.</param>
/// <param name="DataFolder">Exists, empty, removed afterwards: spool, outputs and log go here, whatever the config says.</param>
/// <param name="FeedsFolder">Holds the demo's indicator lists; read in addition to the config's.</param>
/// <param name="InterfaceName">What to capture on; the config's own empty choice finds the same.</param>
public sealed record DemoSensorOptions(string? ConfigPath, string DataFolder, string FeedsFolder, string InterfaceName);

/// <param name="Snapshot">Numbers of this moment; called every half second, must not block.</param>
/// <param name="StopAsync">Drains as SIGTERM does (flows exported, events spooled), then tells what came of it. Called once.</param>
public sealed record RunningSensor(Func<SensorSnapshot> Snapshot, Func<CancellationToken, Task<SensorOutcome>> StopAsync);

/// <summary>A running sensor in numbers, all since its start.</summary>
public sealed record SensorSnapshot
{
    public required long Packets { get; init; }
    public required long Bytes { get; init; }
    /// <summary>Frames that the kernel could not hand over.</summary>
    public required long KernelDrops { get; init; }
    /// <summary>One count for each of <see cref="EventTypes.Uploaded"/>, in its order.</summary>
    public required IReadOnlyList<long> Events { get; init; }
    public required long SpoolRows { get; init; }
    public required long SpoolBytes { get; init; }
    /// <summary>Alerts so far.</summary>
    public required long Alerts { get; init; }
    /// <summary>The newest few, newest last.</summary>
    public IReadOnlyList<SensorAlert> LastAlerts { get; init; } = [];
}

/// <param name="Json">One line, as the outputs write it.</param>
/// <param name="SourceAddress">The event's srcIP.</param>
/// <param name="ThreatIds">All of the alert's threats.</param>
/// <param name="Title">Of the gravest threat.</param>
/// <param name="RaisedAt">When it was raised, as <see cref="TimeProvider.GetTimestamp"/> of the system's; 0 = nobody knows.</param>
public sealed record SensorAlert(string Json, string SourceAddress, IReadOnlyList<string> ThreatIds, string Title, long RaisedAt = 0);

/// <param name="Ledger">The closing ledger as text for people, several lines.</param>
/// <param name="LedgerCloses">Every packet and event is accounted for.</param>
/// <param name="Alerts">Every alert, oldest first.</param>
/// <param name="Packets">Frames that came to the sensor.</param>
public sealed record SensorOutcome(string Ledger, bool LedgerCloses, IReadOnlyList<SensorAlert> Alerts, long Packets);
