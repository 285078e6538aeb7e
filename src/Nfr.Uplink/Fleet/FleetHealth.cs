using System.Text.Json;

namespace Nfr.Uplink;

/// <param name="Gravity">"loss", "fault" or "notice".</param>
/// <param name="Place">capture, input, ledger, spool, uplink, output, clock, disk, box, lists, fleet.</param>
/// <param name="What">One sentence.</param>
/// <param name="Do">What to do about it; may be empty.</param>
public readonly record struct FleetTrouble(string Gravity, string Place, string What, string Do);

/// <param name="Interface">Its name.</param>
/// <param name="IsOpen">Frames can come.</param>
/// <param name="PacketsPerSecond">Null before the first window's end.</param>
/// <param name="BitsPerSecond">As above.</param>
/// <param name="Packets">Decoded since the start.</param>
/// <param name="Dropped">By card, kernel and decoder since the start.</param>
public readonly record struct FleetPort(string Interface, bool IsOpen, double? PacketsPerSecond, double? BitsPerSecond, long Packets, long Dropped);

/// <summary>Of the whole run: what came in, and where it went.</summary>
/// <param name="Packets">Decoded.</param>
/// <param name="Events">Made.</param>
/// <param name="InScope">Of those.</param>
/// <param name="Alerts">Raised on board.</param>
/// <param name="Spooled">Events whose commit returned.</param>
/// <param name="Delivered">Events that an engine took.</param>
/// <param name="Evicted">Events pushed out by the limit of size or age.</param>
/// <param name="Lost">Packets, lines and events lost in the last interval, all places together; null before its end.</param>
/// <param name="Closes">Every sum comes out.</param>
public readonly record struct FleetLedger(long Packets, long Events, long InScope, long Alerts, long Spooled, long Delivered, long Evicted, long? Lost, bool Closes);

/// <param name="Bytes">On disk.</param>
/// <param name="MaxBytes">The quota.</param>
/// <param name="Events">That wait.</param>
/// <param name="RingDays">How long the ring lasts at today's rate; null = unknown, or not filling.</param>
/// <param name="Failing">It cannot be written.</param>
public readonly record struct FleetSpool(long Bytes, long MaxBytes, long Events, double? RingDays, bool Failing);

/// <param name="Name">Of an engine or an output.</param>
/// <param name="Waiting">Events or alerts that wait for it.</param>
/// <param name="Trouble">Null while all is well.</param>
/// <param name="Refused">Alerts that it refused for good since the start: lost on this way.</param>
public readonly record struct FleetWay(string Name, long Waiting, string? Trouble, long Refused = 0);

/// <param name="Total">In all since the spool was made.</param>
/// <param name="Unacknowledged">Nobody has pressed the button since; null where no panel listens.</param>
/// <param name="LastAt">The stamp of the newest in the spool, an engine's or one of ours; null = it holds none.</param>
public readonly record struct FleetAlerts(long Total, long? Unacknowledged, DateTimeOffset? LastAt);

/// <param name="Installed">The image's version where there is one, else the program's.</param>
/// <param name="Latest">What "nfr update check" was told last; null = nobody asked.</param>
public readonly record struct FleetFirmware(string Installed, string? Latest);

/// <summary>
/// How a sensor is, under "health" with each heartbeat. <see cref="ToJson"/> shows the shape; times are ISO 8601 in UTC, rates a second, sizes bytes.
/// </summary>
public sealed record FleetHealth
{
    /// <summary>By the sensor's own clock, which <see cref="IsClockSet"/> may say is none.</summary>
    public DateTimeOffset Time { get; init; }
    public bool IsClockSet { get; init; } = true;
    public bool? IsClockSynchronised { get; init; }
    /// <summary>There is no trouble graver than a notice.</summary>
    public bool IsWell { get; init; }
    /// <summary>By the monotonic clock.</summary>
    public double UptimeSeconds { get; init; }
    /// <summary>A second heartbeat later than this after the last one means that the sensor is gone or cut off.</summary>
    public double HeartbeatSeconds { get; init; }
    /// <summary>Of this connection's heartbeats, from 1 on: a hole in them is a loss on the way.</summary>
    public long Beat { get; init; }
    /// <summary>Gravest first; at most 16, <see cref="MoreTroubles"/> counts the rest.</summary>
    public IReadOnlyList<FleetTrouble> Troubles { get; init; } = [];
    public int MoreTroubles { get; init; }
    public IReadOnlyList<FleetPort> Ports { get; init; } = [];
    public double? EventsPerSecond { get; init; }
    public FleetLedger Ledger { get; init; }
    public FleetSpool? Spool { get; init; }
    public IReadOnlyList<FleetWay> Uplinks { get; init; } = [];
    public IReadOnlyList<FleetWay> Outputs { get; init; } = [];
    public FleetAlerts Alerts { get; init; }
    public FleetFirmware? Firmware { get; init; }
    /// <summary>The hottest thermometer.</summary>
    public double? Celsius { get; init; }
    public long? DiskFree { get; init; }
    public long? DiskSize { get; init; }
    public long Resident { get; init; }
    /// <summary>Commands taken and refused since the start.</summary>
    public long CommandsTaken { get; init; }
    public long CommandsRefused { get; init; }

    /// <summary>Packets a second over all ports; null before the first window's end.</summary>
    public double? PacketsPerSecond => Sum(Ports.Select(p => p.PacketsPerSecond));

    public double? BitsPerSecond => Sum(Ports.Select(p => p.BitsPerSecond));

    static double? Sum(IEnumerable<double?> rates) => rates.Aggregate((double?)null, (sum, rate) => rate is null ? sum : (sum ?? 0) + rate);

    public byte[] ToJson() => FleetJson.Make(json =>
    {
        json.WriteStartObject();
        json.WriteString("time", Time.UtcDateTime);
        json.WriteBoolean("clockSet", IsClockSet);
        if (IsClockSynchronised is { } synchronised) json.WriteBoolean("clockSynchronised", synchronised);
        json.WriteBoolean("well", IsWell);
        json.WriteNumber("uptimeSeconds", Math.Round(UptimeSeconds));
        json.WriteNumber("heartbeatSeconds", HeartbeatSeconds);
        json.WriteNumber("beat", Beat);
        json.WriteStartArray("troubles");
        foreach (FleetTrouble t in Troubles)
        {
            json.WriteStartObject();
            json.WriteString("gravity", t.Gravity);
            json.WriteString("place", t.Place);
            json.WriteString("what", t.What);
            json.WriteString("do", t.Do);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("moreTroubles", MoreTroubles);
        FleetJson.Write(json, "packetsPerSecond", PacketsPerSecond);
        FleetJson.Write(json, "bitsPerSecond", BitsPerSecond);
        FleetJson.Write(json, "eventsPerSecond", EventsPerSecond);
        json.WriteStartArray("ports");
        foreach (FleetPort p in Ports)
        {
            json.WriteStartObject();
            json.WriteString("interface", p.Interface);
            json.WriteBoolean("open", p.IsOpen);
            FleetJson.Write(json, "packetsPerSecond", p.PacketsPerSecond);
            FleetJson.Write(json, "bitsPerSecond", p.BitsPerSecond);
            json.WriteNumber("packets", p.Packets);
            json.WriteNumber("dropped", p.Dropped);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("ledger");
        json.WriteNumber("packets", Ledger.Packets);
        json.WriteNumber("events", Ledger.Events);
        json.WriteNumber("inScope", Ledger.InScope);
        json.WriteNumber("alerts", Ledger.Alerts);
        json.WriteNumber("spooled", Ledger.Spooled);
        json.WriteNumber("delivered", Ledger.Delivered);
        json.WriteNumber("evicted", Ledger.Evicted);
        if (Ledger.Lost is { } lost) json.WriteNumber("lost", lost);
        json.WriteBoolean("closes", Ledger.Closes);
        json.WriteEndObject();
        if (Spool is { } spool)
        {
            json.WriteStartObject("spool");
            json.WriteNumber("bytes", spool.Bytes);
            json.WriteNumber("maxBytes", spool.MaxBytes);
            json.WriteNumber("events", spool.Events);
            FleetJson.Write(json, "ringDays", spool.RingDays);
            json.WriteBoolean("failing", spool.Failing);
            json.WriteEndObject();
        }
        Write(json, "uplinks", Uplinks);
        Write(json, "outputs", Outputs);
        json.WriteStartObject("alerts");
        json.WriteNumber("total", Alerts.Total);
        if (Alerts.Unacknowledged is { } unacknowledged) json.WriteNumber("unacknowledged", unacknowledged);
        if (Alerts.LastAt is { } at) json.WriteString("lastAt", at.UtcDateTime);
        json.WriteEndObject();
        if (Firmware is { } firmware)
        {
            json.WriteStartObject("firmware");
            json.WriteString("installed", firmware.Installed);
            if (firmware.Latest is not null) json.WriteString("latest", firmware.Latest);
            json.WriteEndObject();
        }
        json.WriteStartObject("box");
        FleetJson.Write(json, "celsius", Celsius);
        if (DiskFree is { } free) json.WriteNumber("diskFree", free);
        if (DiskSize is { } size) json.WriteNumber("diskSize", size);
        json.WriteNumber("resident", Resident);
        json.WriteEndObject();
        json.WriteStartObject("commands");
        json.WriteNumber("taken", CommandsTaken);
        json.WriteNumber("refused", CommandsRefused);
        json.WriteEndObject();
        json.WriteEndObject();
    });

    static void Write(Utf8JsonWriter json, string name, IReadOnlyList<FleetWay> ways)
    {
        json.WriteStartArray(name);
        foreach (FleetWay way in ways)
        {
            json.WriteStartObject();
            json.WriteString("name", way.Name);
            json.WriteNumber("waiting", way.Waiting);
            if (way.Trouble is not null) json.WriteString("trouble", way.Trouble);
            if (way.Refused > 0) json.WriteNumber("refused", way.Refused);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Null when it is none. What a later version adds is passed by, what an earlier one lacks is empty.</summary>
    public static FleetHealth? TryRead(ReadOnlyMemory<byte> bytes) => FleetJson.Read(bytes, root =>
    {
        FleetJson? spool = root.Under("spool"), ledger = root.Under("ledger"), alerts = root.Under("alerts"), box = root.Under("box"), commands = root.Under("commands");
        return new FleetHealth
        {
            Time = root.Moment("time") ?? default,
            IsClockSet = root.Flag("clockSet") ?? true,
            IsClockSynchronised = root.Flag("clockSynchronised"),
            IsWell = root.Flag("well") ?? false,
            UptimeSeconds = root.Number("uptimeSeconds") ?? 0,
            HeartbeatSeconds = root.Number("heartbeatSeconds") ?? 0,
            Beat = root.Count("beat"),
            Troubles = [.. root.Items("troubles").Select(t => new FleetTrouble(t.Text("gravity") ?? "", t.Text("place") ?? "", t.Text("what") ?? "", t.Text("do") ?? ""))],
            MoreTroubles = (int)Math.Clamp(root.Count("moreTroubles"), 0, int.MaxValue),
            Ports = [.. root.Items("ports").Select(p => new FleetPort(p.Text("interface") ?? "", p.Flag("open") ?? false, p.Number("packetsPerSecond"), p.Number("bitsPerSecond"), p.Count("packets"), p.Count("dropped")))],
            EventsPerSecond = root.Number("eventsPerSecond"),
            Ledger = ledger is not { } l ? default : new FleetLedger(l.Count("packets"), l.Count("events"), l.Count("inScope"), l.Count("alerts"), l.Count("spooled"), l.Count("delivered"), l.Count("evicted"),
                l.Whole("lost"), l.Flag("closes") ?? false),
            Spool = spool is not { } s ? null : new FleetSpool(s.Count("bytes"), s.Count("maxBytes"), s.Count("events"), s.Number("ringDays"), s.Flag("failing") ?? false),
            Uplinks = Ways(root, "uplinks"),
            Outputs = Ways(root, "outputs"),
            Alerts = alerts is not { } a ? default : new FleetAlerts(a.Count("total"), a.Whole("unacknowledged"), a.Moment("lastAt")),
            Firmware = root.Under("firmware") is { } f && f.Text("installed") is { } installed ? new FleetFirmware(installed, f.Text("latest")) : null,
            Celsius = box?.Number("celsius"),
            DiskFree = box?.Whole("diskFree"),
            DiskSize = box?.Whole("diskSize"),
            Resident = box?.Count("resident") ?? 0,
            CommandsTaken = commands?.Count("taken") ?? 0,
            CommandsRefused = commands?.Count("refused") ?? 0,
        };
    });

    static IReadOnlyList<FleetWay> Ways(FleetJson root, string name) => [.. root.Items(name).Select(w => new FleetWay(w.Text("name") ?? "", w.Count("waiting"), w.Text("trouble"), w.Count("refused")))];
}
