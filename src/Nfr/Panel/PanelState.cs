using Nfr.Health;

namespace Nfr.Panel;

/// <summary>Whether the box is well, as lights and pages show it.</summary>
enum PanelHealth : byte
{
    /// <summary>Nothing graver than a notice.</summary>
    Ok,
    /// <summary>Something outside does not work (an engine, the broker, the clock); the sensor records on and loses nothing.</summary>
    Degraded,
    /// <summary>Packets or events are being lost, or a part of the box itself does not do its work (capture, spool, disk).</summary>
    Fault,
}

enum PanelLink : byte
{
    Unknown,
    /// <summary>No cable, or the other end is off; or the interface is gone.</summary>
    Down,
    Up,
}

/// <summary>One capture interface.</summary>
/// <param name="Interface">Its name; 15 bytes at most.</param>
/// <param name="Link">Of the cable.</param>
/// <param name="IsOpen">The sensor captures there.</param>
sealed record PanelPort(string Interface, PanelLink Link, bool IsOpen)
{
    /// <summary>Of the link; 0 = not known.</summary>
    public int MegabitsPerSecond { get; init; }
    /// <summary>Over the last ten seconds or so.</summary>
    public double PacketsPerSecond { get; init; }
    public double BitsPerSecond { get; init; }
    /// <summary>Packets lost on the card and in the kernel since the start.</summary>
    public long Lost { get; init; }
    /// <summary>Share of the packets lost over the last ledger interval (a minute), 0 to 1.</summary>
    public double LossShare { get; init; }
    /// <summary>What the observer sees wrong with the mirror (silence, one direction only, broadcast only), in words; empty = nothing.</summary>
    public string Trouble { get; init; } = "";
}

/// <summary>The spool.</summary>
/// <param name="Rows">Events and alerts that lie in it.</param>
/// <param name="Bytes">On disk.</param>
/// <param name="MostBytes">What it may take (spool.max_size).</param>
sealed record PanelSpool(long Rows, long Bytes, long MostBytes)
{
    public static readonly PanelSpool None = new(0, 0, 0);

    /// <summary>Of the ring that is in use, 0 to 1.</summary>
    public double Share => MostBytes > 0 ? Math.Clamp((double)Bytes / MostBytes, 0, 1) : 0;
    /// <summary>For how long the oldest that still waits for somebody has been waiting; null = nothing waits.</summary>
    public TimeSpan? OldestAge { get; init; }
    /// <summary>It cannot be written: events wait in memory.</summary>
    public bool IsFailing { get; init; }
    public bool IsDiskFull { get; init; }
    /// <summary>Evicted unsent over the last ledger interval.</summary>
    public long Evicted { get; init; }
}

enum PanelUplinkPhase : byte
{
    /// <summary>All went; nothing waits, or it waits for its interval.</summary>
    Well,
    Sending,
    /// <summary>The last request failed.</summary>
    BackingOff,
    KeyRefused,
    /// <summary>It may send at another time of day only.</summary>
    OutsideWindow,
}

/// <summary>One engine (or cluster) that events go to.</summary>
/// <param name="Name">Its host.</param>
/// <param name="Phase">The worst of its types'.</param>
sealed record PanelUplink(string Name, PanelUplinkPhase Phase)
{
    /// <summary>Events that wait for it.</summary>
    public long Waiting { get; init; }
    /// <summary>Since the last delivery; null = none since the start.</summary>
    public TimeSpan? SinceDelivery { get; init; }
    /// <summary>In words; empty = none.</summary>
    public string Trouble { get; init; } = "";

    public bool IsWell => Phase is PanelUplinkPhase.Well or PanelUplinkPhase.Sending or PanelUplinkPhase.OutsideWindow && Trouble.Length == 0;
}

enum PanelFleetPhase : byte
{
    /// <summary>No broker is set.</summary>
    Off,
    Connecting,
    Connected,
    /// <summary>The broker does not let us in: certificate, name or password.</summary>
    Refused,
}

/// <summary>The MQTT broker.</summary>
/// <param name="Phase">Of the connection.</param>
/// <param name="Broker">host:port; empty when off.</param>
/// <param name="Trouble">In words; empty = none.</param>
sealed record PanelFleet(PanelFleetPhase Phase, string Broker, string Trouble)
{
    public static readonly PanelFleet None = new(PanelFleetPhase.Off, "", "");
}

enum PanelClock : byte
{
    Unknown,
    /// <summary>Nobody has set it since the box got power: it says a time before this program was built.</summary>
    Unset,
    /// <summary>It may be right, nobody keeps it.</summary>
    Free,
    Synchronised,
}

/// <summary>One alert.</summary>
/// <param name="Sequence">Its number in the spool; grows, never comes again.</param>
/// <param name="Severity">1 informational to 5 critical.</param>
/// <param name="Threat">Its title, in words.</param>
/// <param name="Host">Name or address of the machine that it is about.</param>
/// <param name="Stamp">When.</param>
/// <param name="IsAcknowledged">Somebody has pressed the button since.</param>
sealed record PanelAlert(long Sequence, int Severity, string Threat, string Host, DateTimeOffset Stamp, bool IsAcknowledged);

/// <summary>The machine itself. Null = it does not tell.</summary>
sealed record PanelBox
{
    public static readonly PanelBox Unknown = new();

    /// <summary>Of the hottest thermometer.</summary>
    public double? Celsius { get; init; }
    /// <summary>Years that the card lasts at today's rate.</summary>
    public double? CardYears { get; init; }
    /// <summary>Of the disk that the spool lies on; 0 = not known.</summary>
    public long DiskFree { get; init; }
    public long DiskSize { get; init; }
    public bool IsDiskReadOnly { get; init; }
    public bool IsUnderVoltage { get; init; }
    public bool IsThrottled { get; init; }
}

enum PanelUpdatePhase : byte
{
    Idle,
    /// <summary>The other slot is being written: do not unplug.</summary>
    Writing,
    /// <summary>The new version is written and waits for the reboot that tries it.</summary>
    Waiting,
    /// <summary>The new version runs on trial; it goes back by itself unless it is well.</summary>
    Trial,
    /// <summary>The new version stays.</summary>
    Confirmed,
    /// <summary>The new version was not well, the old one runs again.</summary>
    RolledBack,
    /// <summary>The update could not be written, or was cut off; what runs is as before.</summary>
    Failed,
    /// <summary>The update was not taken (signature, older version): nothing was touched.</summary>
    Refused,
}

/// <summary>An update of the box.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="Percent">0 to 100, of the writing.</param>
/// <param name="Version">The new one; empty = not known.</param>
/// <param name="Reason">Why it failed or went back; empty = nothing to say.</param>
sealed record PanelUpdate(PanelUpdatePhase Phase, int Percent, string Version, string Reason)
{
    public static readonly PanelUpdate None = new(PanelUpdatePhase.Idle, 0, "", "");
}

/// <summary>
/// All that a page or a light can show, at one moment. The sensor makes it once a second (<see cref="PanelReport"/>) of the same report that "nfr status" shows, and it
/// goes to the panel as a <see cref="PanelMessage"/>, which cuts texts that are too long on a character. Lists are no longer than their Most says.
/// </summary>
sealed record PanelState
{
    public const int MostAddresses = 4;
    public const int MostPorts = 4;
    public const int MostUplinks = 4;
    public const int MostAlerts = 4;
    public const int MostTroubles = 6;
    public const int MostSetupFaults = 4;
    public const int MostCommandKeys = 4;

    /// <summary>What there is to say before any sensor has spoken.</summary>
    public static readonly PanelState Nothing = new();

    /// <summary>False = no sensor has answered for some seconds: the rest is what it said last, or nothing. The panel's own word, not on the wire.</summary>
    public bool HasSensor { get; init; }

    /// <summary>The box's name for people: its host name.</summary>
    public string Name { get; init; } = "";
    public string Site { get; init; } = "";
    public string SensorId { get; init; } = "";
    public string Version { get; init; } = "";
    /// <summary>IP addresses that the box can be reached at, IPv4 first, without a prefix length.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];
    /// <summary>The sensor's wall clock; see <see cref="Clock"/> for how far to trust it.</summary>
    public DateTimeOffset Now { get; init; } = DateTimeOffset.UnixEpoch;
    /// <summary>Of the sensor.</summary>
    public TimeSpan Uptime { get; init; }
    public PanelClock Clock { get; init; }

    public IReadOnlyList<PanelPort> Ports { get; init; } = [];
    /// <summary>All ports together.</summary>
    public double PacketsPerSecond { get; init; }
    public double BitsPerSecond { get; init; }
    /// <summary>Packets per second of the last two minutes, one value a second, oldest first. The panel's own memory, not on the wire.</summary>
    public IReadOnlyList<double> Rates { get; init; } = [];
    /// <summary>Packets dropped since the start, all ports.</summary>
    public long Dropped { get; init; }
    /// <summary>Logs, syslog and searches that are read beside packets.</summary>
    public int Inputs { get; init; }

    public PanelSpool Spool { get; init; } = PanelSpool.None;
    /// <summary>Empty: all is scored on board alone.</summary>
    public IReadOnlyList<PanelUplink> Uplinks { get; init; } = [];
    public PanelFleet Fleet { get; init; } = PanelFleet.None;

    /// <summary>Newest first.</summary>
    public IReadOnlyList<PanelAlert> Alerts { get; init; } = [];
    /// <summary>Alerts that nobody has acknowledged, those beyond <see cref="Alerts"/> too.</summary>
    public long Unacknowledged { get; init; }
    /// <summary>The greatest severity among those, 1 to 5; 0 = there are none.</summary>
    public int WorstUnacknowledged { get; init; }

    public PanelHealth Health { get; init; }
    /// <summary>Gravest first: what is wrong and what to do about it.</summary>
    public IReadOnlyList<Trouble> Troubles { get; init; } = [];
    /// <summary>All of them, those beyond <see cref="Troubles"/> too.</summary>
    public int TroubleCount { get; init; }

    public PanelBox Box { get; init; } = PanelBox.Unknown;
    public PanelUpdate Update { get; init; } = PanelUpdate.None;
    /// <summary>The box has been asked to show which one it is, for so much longer; zero = it has not.</summary>
    public TimeSpan IdentifyFor { get; init; }

    /// <summary>What "nfr fleet" calls the box: SITE/ID, or the sensor's id where there is no broker; empty = not known yet.</summary>
    public string Address { get; init; } = "";
    /// <summary>What "ssh" asks about at the first connection: SHA256:…; empty = SSH is off.</summary>
    public string SshKey { get; init; } = "";
    /// <summary>Short names of the keys whose commands the box obeys; "nfr fleet key" prints the same of the owner's.</summary>
    public IReadOnlyList<string> CommandKeys { get; init; } = [];
    /// <summary>Lines of nfr.txt that could not be taken at the first boot, in words.</summary>
    public IReadOnlyList<string> SetupFaults { get; init; } = [];
}
