using Nfr.Health;
using Nfr.Panel;

namespace Nfr.Tests.Panel;

/// <summary>States made by hand.</summary>
static class PanelBed
{
    public static readonly DateTimeOffset Now = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    /// <summary>All is well, with something in every field that then has something.</summary>
    public static PanelState Well() => new()
    {
        HasSensor = true, Name = "nfr-cellar", Site = "home", SensorId = "0123456789abcdef", Version = "2.1.0", Addresses = ["192.168.1.7", "fd00::7"], Now = Now, Uptime = TimeSpan.FromHours(3),
        Clock = PanelClock.Synchronised,
        Ports = [new PanelPort("eth1", PanelLink.Up, true) { MegabitsPerSecond = 1000, PacketsPerSecond = 1234.5, BitsPerSecond = 9e6 }],
        PacketsPerSecond = 1234.5, BitsPerSecond = 9e6,
        Spool = new PanelSpool(1200, 5 << 20, 1 << 30) { OldestAge = TimeSpan.FromSeconds(4) },
        Uplinks = [new PanelUplink("engine.example", PanelUplinkPhase.Well) { Waiting = 3, SinceDelivery = TimeSpan.FromSeconds(2) }],
        Box = new PanelBox { Celsius = 48.5, CardYears = 12, DiskFree = 20L << 30, DiskSize = 29L << 30 },
    };

    public static PanelAlert Alert(long sequence, int severity, bool acknowledged = false) => new(sequence, severity, "Command and control", "laptop-7", Now, acknowledged);

    public static PanelState With(this PanelState state, params PanelAlert[] newestFirst)
    {
        PanelAlert[] waiting = [.. newestFirst.Where(a => !a.IsAcknowledged)];
        return state with { Alerts = newestFirst, Unacknowledged = waiting.Length, WorstUnacknowledged = waiting.Length == 0 ? 0 : waiting.Max(a => a.Severity) };
    }

    /// <summary>Every list full, every text longer than its place, every number as large as it can be.</summary>
    public static PanelState Full()
    {
        string text = string.Concat(Enumerable.Repeat("Größe→😀 ", 60));
        return new PanelState
        {
            HasSensor = true, Name = text, Site = text, SensorId = text, Version = text, Addresses = [.. Enumerable.Repeat("fd00:1111:2222:3333:4444:5555:6666:7777", 9)],
            Now = DateTimeOffset.MaxValue, Uptime = TimeSpan.FromDays(300_000), Clock = PanelClock.Unset,
            Ports = [.. Enumerable.Range(0, 9).Select(i => new PanelPort(text, PanelLink.Down, true) { MegabitsPerSecond = int.MaxValue, PacketsPerSecond = double.MaxValue, BitsPerSecond = 1, Lost = long.MaxValue, LossShare = 1, Trouble = text })],
            PacketsPerSecond = double.MaxValue, BitsPerSecond = double.MaxValue, Dropped = long.MaxValue, Inputs = int.MaxValue,
            Spool = new PanelSpool(long.MaxValue, long.MaxValue, long.MaxValue) { OldestAge = TimeSpan.FromDays(300_000), IsFailing = true, IsDiskFull = true, Evicted = long.MaxValue },
            Uplinks = [.. Enumerable.Range(0, 9).Select(i => new PanelUplink(text, PanelUplinkPhase.OutsideWindow) { Waiting = long.MaxValue, SinceDelivery = TimeSpan.FromDays(300_000), Trouble = text })],
            Fleet = new PanelFleet(PanelFleetPhase.Refused, text, text),
            Alerts = [.. Enumerable.Range(0, 9).Select(i => new PanelAlert(long.MaxValue, 5, text, text, DateTimeOffset.MaxValue, true))],
            Unacknowledged = long.MaxValue, WorstUnacknowledged = 5, Health = PanelHealth.Fault,
            Troubles = [.. Enumerable.Range(0, 9).Select(i => new Trouble(Gravity.Loss, text, text, text))], TroubleCount = 9,
            Box = new PanelBox { Celsius = -40.5, CardYears = double.MaxValue, DiskFree = long.MaxValue, DiskSize = long.MaxValue, IsDiskReadOnly = true, IsUnderVoltage = true, IsThrottled = true },
            Update = new PanelUpdate(PanelUpdatePhase.Failed, 100, text, text), IdentifyFor = TimeSpan.FromHours(1), Address = text, SshKey = text, CommandKeys = [.. Enumerable.Repeat(text, 9)], SetupFaults = [.. Enumerable.Repeat(text, 9)],
        };
    }
}
