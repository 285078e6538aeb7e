using System.Net.NetworkInformation;
using System.Net.Sockets;
using Nfr.Commands;
using Nfr.Events;
using Nfr.Health;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>What the sensor says of itself over MQTT: made from the very report that "nfr status" shows, so that no two of them disagree.</summary>
static class FleetReport
{
    const int MostTroubles = 16, MostAddresses = 16;

    /// <param name="report">Of this moment.</param>
    /// <param name="beat">Of this connection, from 1 on.</param>
    /// <param name="heartbeat">Between two.</param>
    /// <param name="unacknowledged">Alerts that nobody has seen at the panel; null where none listens.</param>
    /// <param name="newest">The stamp of the newest alert; null where there is none.</param>
    /// <param name="firmware">What runs, and what there would be.</param>
    public static FleetHealth Health(StatusReport report, long beat, TimeSpan heartbeat, long? unacknowledged = null, DateTimeOffset? newest = null, FleetFirmware? firmware = null)
    {
        IReadOnlyList<Trouble> troubles = report.Troubles;
        SpoolCounters? spool = report.Run.Spool;
        return new FleetHealth
        {
            Time = report.Now,
            IsClockSet = !(ClockFloor.IsUnset(report.Now) || report.Box?.Clock.IsUnset(report.Now) == true),
            IsClockSynchronised = report.Box?.Clock.Kernel?.IsSynchronised,
            IsWell = Trouble.AreNone(troubles),
            UptimeSeconds = report.Uptime.TotalSeconds,
            HeartbeatSeconds = heartbeat.TotalSeconds,
            Beat = beat,
            Troubles = [.. troubles.Take(MostTroubles).Select(t => new FleetTrouble(t.Gravity switch { Gravity.Loss => "loss", Gravity.Fault => "fault", _ => "notice" }, t.Place, t.What, t.Do))],
            MoreTroubles = Math.Max(0, troubles.Count - MostTroubles),
            Ports = [.. report.Ports.Select(p => PortOf(p, report.Run))],
            EventsPerSecond = report.SpoolRate,
            Ledger = LedgerOf(report),
            Spool = spool is null ? null : new FleetSpool(spool.BytesOnDisk, report.SpoolMost, spool.Total.InSpool + spool.Total.Pending, spool.Outlook?.RingDays, spool.Failing),
            Uplinks = [.. report.Uplinks.Select(u => new FleetWay(u.Name, report.Consumers.Where(c => c.Name == u.Name).Sum(c => c.Total.Waiting), u.State.Trouble))],
            Outputs = [.. report.Outputs.Select(o => new FleetWay(o.Name, o.Waiting, o.Trouble, o.Refused))],
            Alerts = new FleetAlerts(spool?.Alerts.Accepted ?? 0, unacknowledged, newest),
            Firmware = firmware,
            Celsius = report.Box is { Temperatures.Count: > 0 } box ? box.Temperatures.Max(t => t.Celsius) : null,
            DiskFree = report.Box?.Disk?.Free,
            DiskSize = report.Box?.Disk?.Size,
            Resident = report.Box?.Process.Resident ?? 0,
            CommandsTaken = report.Fleet?.CommandsTaken ?? 0,
            CommandsRefused = report.Fleet?.CommandsRefused ?? 0,
        };
    }

    static FleetPort PortOf(PortReport port, Ledger run)
    {
        CaptureEntry[] workers = [.. run.Captures.Where(c => c.Interface == port.Interface)];
        return new FleetPort(port.Interface, port.IsOpen, port.Rate?.Packets, port.Rate?.Bits, workers.Sum(c => c.Decoded.Frames),
            // The card counts for all workers of its port together.
            workers.Select(c => c.Nic?.Lost ?? 0).DefaultIfEmpty().Max() + workers.Sum(c => (c.Kernel?.Dropped ?? 0) + (c.Kernel?.Abandoned ?? 0) + c.DroppedEvents.Sum()));
    }

    static FleetLedger LedgerOf(StatusReport report)
    {
        Ledger run = report.Run;
        SpoolTally spool = run.Spool?.Total ?? default, before = run.SpoolAtStart?.Total ?? default;
        return new FleetLedger(run.Frames, EventTypes.All.Sum(run.EventsOf), run.Stage?.InScope.Sum() ?? 0, run.Stage?.Alerts ?? 0,
            spool.Spooled - before.Spooled, spool.Delivered - before.Delivered, spool.Evicted - before.Evicted, report.Interval?.Lost, run.Closes);
    }

    /// <param name="topics">Site and id.</param>
    /// <param name="sensorId">The spool's.</param>
    /// <param name="capture">Interfaces that are listened on: their addresses are none of ours.</param>
    /// <param name="started">When.</param>
    /// <param name="takesCommands">There are keys.</param>
    public static FleetInfo Info(FleetTopics topics, string sensorId, IReadOnlyList<string> capture, DateTimeOffset started, bool takesCommands)
    {
        List<NetworkInterface> ours = [.. Interfaces().Where(i => !capture.Contains(i.Name) && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)];
        return new FleetInfo
        {
            Name = Environment.MachineName,
            Site = topics.Site,
            Id = topics.Id,
            Sensor = sensorId,
            Version = VersionText.Version,
            Model = Board("model"),
            Serial = Board("serial-number"),
            Mac = ours.Where(i => i.OperationalStatus == OperationalStatus.Up).Select(MacOf).FirstOrDefault(m => m is not null),
            Addresses = [.. ours.SelectMany(AddressesOf).Distinct().Take(MostAddresses)],
            Capture = capture,
            Started = started,
            Commands = takesCommands ? FleetActions.Names : [],
        };
    }

    static IEnumerable<NetworkInterface> Interfaces()
    {
        try
        {
            return NetworkInterface.GetAllNetworkInterfaces();
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }

    static string? MacOf(NetworkInterface port)
    {
        byte[] bytes = port.GetPhysicalAddress().GetAddressBytes();
        return bytes.Length == 6 && bytes.Any(b => b != 0) ? string.Join(':', bytes.Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture))) : null;
    }

    static IEnumerable<string> AddressesOf(NetworkInterface port)
    {
        try
        {
            return port.GetIPProperties().UnicastAddresses.Select(a => a.Address).Where(a => a.AddressFamily == AddressFamily.InterNetwork || (a.AddressFamily == AddressFamily.InterNetworkV6 && !a.IsIPv6LinkLocal)).Select(a => a.ToString());
        }
        catch (NetworkInformationException)
        {
            // It went away meanwhile.
            return [];
        }
    }

    /// <summary>Of the device tree, whose texts end with a zero.</summary>
    static string? Board(string name)
    {
        try
        {
            string text = File.ReadAllText("/proc/device-tree/" + name).TrimEnd('\0').Trim();
            return text.Length is > 0 and <= 128 ? text : null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
