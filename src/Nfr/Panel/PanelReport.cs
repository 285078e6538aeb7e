using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Nfr.Commands;
using Nfr.Events;
using Nfr.Health;
using Nfr.Native;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Panel;

/// <summary>What a state is made of besides the report.</summary>
sealed record PanelFacts
{
    /// <summary>The box's name.</summary>
    public string Name { get; init; } = "";
    public string Site { get; init; } = "";
    /// <summary>SITE/ID on the broker; empty = there is none.</summary>
    public string Address { get; init; } = "";
    /// <summary>Whose commands are obeyed, by their short names.</summary>
    public IReadOnlyList<string> CommandKeys { get; init; } = [];
    public required PanelAlertNews Alerts { get; init; }
    /// <summary>Of this machine, as the kernel lists them.</summary>
    public IReadOnlyList<InterfaceEntry> Interfaces { get; init; } = [];
    public PanelFleet Fleet { get; init; } = PanelFleet.None;
    public TimeSpan IdentifyFor { get; init; }
    /// <summary>Megabits per second of a link by its interface's name; 0 = not known.</summary>
    public Func<string, int> SpeedOf { get; init; } = _ => 0;
}

/// <summary>
/// The state that lights and pages show, made of the very report that "nfr status" shows: so the light and the screen never disagree. Nothing is judged here that
/// <see cref="Troubles"/> has not judged.
/// </summary>
static class PanelReport
{
    public static PanelState Of(StatusReport report, PanelFacts facts)
    {
        IReadOnlyList<Trouble> troubles = report.Troubles;
        BoxNotes notes = report.Box?.Notes ?? BoxNotes.None;
        HashSet<string> captured = [.. report.Ports.Select(p => p.Interface)];
        List<PanelPort> ports = [.. report.Ports.Select(p => PortOf(p, report, facts)).OrderBy(p => p.IsOpen && p.Trouble.Length == 0 && p.Link != PanelLink.Down)];
        return new PanelState
        {
            HasSensor = true,
            Name = facts.Name,
            Site = facts.Site,
            SensorId = report.SensorId,
            Version = VersionText.Version,
            Addresses = AddressesOf(facts.Interfaces.Where(i => !captured.Contains(i.Name))),
            Now = report.Now < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch : report.Now,
            Uptime = report.Uptime,
            Clock = ClockOf(report),
            // Those with something to say first, then in the config's order.
            Ports = ports,
            PacketsPerSecond = ports.Sum(p => p.PacketsPerSecond),
            BitsPerSecond = ports.Sum(p => p.BitsPerSecond),
            Dropped = ports.Sum(p => p.Lost),
            Inputs = report.Inputs.Count,
            Spool = SpoolOf(report),
            Uplinks = [.. report.Uplinks.Select(u => UplinkOf(u, report)).OrderBy(u => u.IsWell)],
            Fleet = facts.Fleet,
            Alerts = facts.Alerts.Last,
            Unacknowledged = facts.Alerts.Unacknowledged,
            WorstUnacknowledged = facts.Alerts.Worst,
            Health = HealthOf(troubles),
            Troubles = troubles,
            TroubleCount = troubles.Count,
            Box = BoxOf(report),
            Update = notes.Update,
            IdentifyFor = facts.IdentifyFor,
            Address = facts.Address.Length > 0 ? facts.Address : report.SensorId,
            CommandKeys = facts.CommandKeys,
            SshKey = notes.SshKey,
            SetupFaults = notes.Setup,
        };
    }

    /// <summary>Lost packets and events, and faults of what the box itself does, are faults; of what lies outside, it is degraded.</summary>
    internal static PanelHealth HealthOf(IEnumerable<Trouble> troubles)
    {
        var health = PanelHealth.Ok;
        foreach (Trouble trouble in troubles)
        {
            PanelHealth own = trouble.Gravity switch
            {
                Gravity.Notice => PanelHealth.Ok,
                Gravity.Fault => trouble.Place is "capture" or "ledger" or "spool" or "disk" ? PanelHealth.Fault : PanelHealth.Degraded,
                _ => PanelHealth.Fault,
            };
            if (own > health) health = own;
        }
        return health;
    }

    static PanelPort PortOf(PortReport port, StatusReport report, PanelFacts facts)
    {
        InterfaceEntry? entry = facts.Interfaces.FirstOrDefault(i => i.Name == port.Interface);
        (long came, long lost) = Counts(report.Run, port.Interface);
        (long cameLately, long lostLately) = report.Interval is { } interval ? Counts(interval.Moved, port.Interface) : (0, 0);
        return new PanelPort(port.Interface, entry is { IsRunning: true } ? PanelLink.Up : facts.Interfaces.Count > 0 ? PanelLink.Down : PanelLink.Unknown, port.IsOpen)
        {
            MegabitsPerSecond = entry is { IsRunning: true } ? facts.SpeedOf(port.Interface) : 0,
            PacketsPerSecond = port.Rate?.Packets ?? 0,
            BitsPerSecond = port.Rate?.Bits ?? 0,
            Lost = lost,
            LossShare = cameLately + lostLately > 0 ? (double)lostLately / (cameLately + lostLately) : 0,
            Trouble = port.Conditions.Count > 0 ? port.Conditions.MaxBy(c => c.Gravity)!.What : port.IsOpen ? "" : "gone or down",
        };
    }

    static (long Came, long Lost) Counts(Ledger ledger, string name)
    {
        long came = 0, lost = 0;
        bool first = true;
        foreach (CaptureEntry entry in ledger.Captures)
        {
            if (entry.Interface != name) continue;
            came += entry.Decoded.Frames;
            lost += entry.Kernel?.Dropped ?? 0;
            // The card's counts are the interface's, however many workers read it.
            if (first) lost += entry.Nic?.Lost ?? 0;
            first = false;
        }
        return (came, lost);
    }

    static List<string> AddressesOf(IEnumerable<InterfaceEntry> interfaces) => [.. interfaces
        .Where(i => i is { IsUp: true, IsLoopback: false })
        .SelectMany(i => i.Addresses)
        .Where(a => !a.IsIPv6LinkLocal && !IPAddress.IsLoopback(a))
        .OrderBy(a => a.AddressFamily != AddressFamily.InterNetwork)
        .Select(a => a.ToString())];

    static PanelClock ClockOf(StatusReport report) =>
        ClockFloor.IsUnset(report.Now) || report.Box?.Clock.IsUnset(report.Now) == true ? PanelClock.Unset
        : report.Box?.Clock.Kernel is not { } kernel ? PanelClock.Unknown
        : kernel.IsSynchronised ? PanelClock.Synchronised : PanelClock.Free;

    static PanelSpool SpoolOf(StatusReport report)
    {
        if (report.Run.Spool is not { } spool) return PanelSpool.None;
        DateTimeOffset? oldest = report.Consumers.Min(c => c.Total.OldestWaiting);
        return new PanelSpool(spool.Total.InSpool + spool.Alerts.InSpool, spool.BytesOnDisk, report.SpoolMost)
        {
            OldestAge = oldest is { } at ? (report.Now > at ? report.Now - at : TimeSpan.Zero) : null,
            IsFailing = spool.Failing,
            IsDiskFull = spool.DiskFull,
            Evicted = report.Interval?.Losses.Where(l => l.Place is LossPlace.Evicted or LossPlace.Aged).Sum(l => l.Count) ?? 0,
        };
    }

    static PanelUplink UplinkOf(UplinkReport uplink, StatusReport report)
    {
        IReadOnlyList<UplinkTypeState> types = uplink.State.Types;
        string? wrong = uplink.State.Trouble ?? uplink.Alerts?.Trouble;
        PanelUplinkPhase phase = types.Any(t => t.Phase == UplinkPhase.KeyRefused) || uplink.Alerts?.KeyRefused == true ? PanelUplinkPhase.KeyRefused
            : types.Any(t => t.Phase == UplinkPhase.BackingOff) || wrong is not null ? PanelUplinkPhase.BackingOff
            : types.Any(t => t.Phase == UplinkPhase.Sending) ? PanelUplinkPhase.Sending
            : types.Any(t => t.Phase == UplinkPhase.OutsideWindow) ? PanelUplinkPhase.OutsideWindow : PanelUplinkPhase.Well;
        DateTimeOffset? last = types.Max(t => t.LastSuccess);
        return new PanelUplink(Printable.Of(HostOf(uplink.Engine)), phase)
        {
            Waiting = report.Consumers.FirstOrDefault(c => c.Name == uplink.Name)?.Total.Waiting ?? 0,
            SinceDelivery = last is { } at ? (report.Now > at ? report.Now - at : TimeSpan.Zero) : null,
            Trouble = Printable.Of(wrong ?? ""),
        };
    }

    /// <summary>"https://engine.example/api" as engine.example; what is no address stays.</summary>
    static string HostOf(string engine) => Uri.TryCreate(engine, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 ? uri.Host : engine;

    static PanelBox BoxOf(StatusReport report) => new()
    {
        Celsius = report.Box is { Temperatures.Count: > 0 } warm ? warm.Temperatures.Max(t => t.Celsius) : null,
        CardYears = report.Run.Spool?.Outlook?.CardYears,
        DiskFree = report.Box?.Disk?.Free ?? 0,
        DiskSize = report.Box?.Disk?.Size ?? 0,
        IsDiskReadOnly = report.Box?.Disk?.IsReadOnly ?? false,
        IsUnderVoltage = report.Box?.Throttling?.HasFlag(Throttling.UnderVoltage) ?? false,
        IsThrottled = report.Box?.Throttling is { } t && (t & (Throttling.Throttled | Throttling.FrequencyCapped | Throttling.SoftTemperatureLimit)) != 0,
    };

    /// <summary>/sys/class/net/IF/speed: -1 or an error while there is no link, 0 here.</summary>
    public static int SpeedOf(string name)
    {
        try
        {
            return int.TryParse(File.ReadAllText($"/sys/class/net/{name}/speed"), NumberStyles.AllowLeadingSign | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int speed) && speed > 0 ? speed : 0;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
