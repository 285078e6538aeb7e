using System.Text;
using Nfr.Health;

namespace Nfr.Panel;

enum Light : byte
{
    Power,
    Link,
    Capture,
    Uplink,
    Alert,
}

/// <summary>What a light does, all of it by a trigger of the kernel: it goes on when this process is stuck or gone.</summary>
enum LightPattern : byte
{
    Off,
    On,
    /// <summary>Two short beats a second: trigger heartbeat, which only a running kernel beats.</summary>
    Heartbeat,
    /// <summary>One second on, one off: trigger timer.</summary>
    Slow,
    /// <summary>Five times a second: trigger timer.</summary>
    Fast,
    /// <summary>A short flash every two seconds: trigger timer.</summary>
    Flash,
    /// <summary>On while the interface has a link: trigger netdev, so the kernel's word and not ours.</summary>
    FollowsLink,
    /// <summary>On while the interface has a link, and flickering with each packet that comes: trigger netdev.</summary>
    FollowsPackets,
}

/// <summary>One thing that a light can say.</summary>
/// <param name="Light">Which.</param>
/// <param name="Pattern">How it says it.</param>
/// <param name="Means">In words for somebody who never saw a manual.</param>
/// <param name="Do">What to do; empty = nothing.</param>
sealed record LightMeaning(Light Light, LightPattern Pattern, string Means, string Do);

/// <summary>The lights of the box, with what it wants of each.</summary>
/// <param name="Power">Its meaning.</param>
/// <param name="Link">Its meaning.</param>
/// <param name="Capture">Its meaning.</param>
/// <param name="Uplink">Its meaning.</param>
/// <param name="Alert">Its meaning.</param>
/// <param name="Interface">Whose link and packets they follow; empty = none is known.</param>
readonly record struct LightPlan(LightPattern Power, LightPattern Link, LightPattern Capture, LightPattern Uplink, LightPattern Alert, string Interface = "")
{
    public static LightPlan All(LightPattern pattern) => new(pattern, pattern, pattern, pattern, pattern);

    public LightPattern this[Light light] => light switch
    {
        Light.Power => Power,
        Light.Link => Link,
        Light.Capture => Capture,
        Light.Uplink => Uplink,
        _ => Alert,
    };
}

/// <summary>What the whole box is about, where that goes before what the state says.</summary>
enum PanelMode : byte
{
    /// <summary>The lights say how the sensor is.</summary>
    Normal,
    /// <summary>All on, for a moment, when the panel starts: who looks sees that each works.</summary>
    LightTest,
    /// <summary>Something is written that must not be cut off: update, shutdown, factory reset.</summary>
    Writing,
    /// <summary>All is written: it is safe to unplug.</summary>
    Off,
}

/// <summary>
/// The one table of what the lights mean. The panel drives them by it, "nfr panel --lights" prints it, and hardware/README.md has the same rows (a test compares them).
/// A pattern is never used for a light that has no row here.
/// </summary>
static class LightTable
{
    /// <summary>Up to this severity alerts blink slowly; above it fast.</summary>
    public const int Medium = 3;

    public static readonly IReadOnlyList<LightMeaning> Meanings =
    [
        new(Light.Power, LightPattern.Off, "no power, or the box is shut down: it is safe to unplug", ""),
        new(Light.Power, LightPattern.On, "it has power and is starting, or the panel program does not run", "wait two minutes; then take the power away for ten seconds"),
        new(Light.Power, LightPattern.Slow, "no sensor answers: it is starting, or it has stopped", "wait a minute; then read the display; if it stays, take the power away for ten seconds, or read the log (journalctl -u nfr)"),
        new(Light.Power, LightPattern.Heartbeat, "the box runs and its sensor answers", ""),
        new(Light.Power, LightPattern.Fast, "it is writing (update, shutting down, factory reset)", "do not unplug"),

        new(Light.Link, LightPattern.Off, "no cable in the mirror port, or the switch is off", "plug the mirror (SPAN) cable in"),
        new(Light.Link, LightPattern.FollowsLink, "the mirror port has a link (the light is steadily on)", ""),
        new(Light.Link, LightPattern.Slow, "of several mirror ports one has no link", "look which cable is out: the display's page Capture names it"),

        new(Light.Capture, LightPattern.Off, "nothing is recorded", "look at link and power; then read the display's page Health"),
        new(Light.Capture, LightPattern.On, "logs are recorded; no mirror port is set", ""),
        new(Light.Capture, LightPattern.FollowsPackets, "packets are recorded (the light flickers with them)", ""),
        new(Light.Capture, LightPattern.Flash, "the mirror is not right: no packets, only broadcast, or one direction", "look at the switch's mirror session; the display's page Capture says what is missing"),
        new(Light.Capture, LightPattern.Fast, "packets or events are being lost", "mirror fewer ports; the display's page Health says where they go"),

        new(Light.Uplink, LightPattern.Off, "there is nobody to send to: all is scored in the box", ""),
        new(Light.Uplink, LightPattern.On, "every engine and the broker get what is theirs", ""),
        new(Light.Uplink, LightPattern.Slow, "an engine or the broker does not answer; events wait in the box and follow", "look at the network and at the other side; the display's page Spool says who it is"),
        new(Light.Uplink, LightPattern.Fast, "the box is refused (key or certificate), or its spool is full and unsent events go", "the display's pages Spool and Health say why"),

        new(Light.Alert, LightPattern.Off, "no alert waits for somebody", ""),
        new(Light.Alert, LightPattern.Flash, "something is to be set right: nfr.txt, the clock, a full card, or an update that did not come about", "read the display's page Health; after an update it goes out with the next one that comes about"),
        new(Light.Alert, LightPattern.On, "the box has a fault", "read the display's page Health"),
        new(Light.Alert, LightPattern.Slow, "there are new alerts, none graver than medium", "read the page Alerts; a press of the button there acknowledges them"),
        new(Light.Alert, LightPattern.Fast, "there are new alerts, high or critical", "read the page Alerts; a press of the button there acknowledges them"),
    ];

    /// <summary>What is said by all five together.</summary>
    public static readonly IReadOnlyList<(string Does, string Means)> Together =
    [
        ("all on for two seconds", "the panel program starts: every light works"),
        ("all blink fast", "somebody asked over the network which box this is: it is this one"),
        ("all off", "no power, or safe to unplug"),
    ];

    public static string NameOf(Light light) => light switch
    {
        Light.Power => "power",
        Light.Link => "link",
        Light.Capture => "capture",
        Light.Uplink => "uplink",
        _ => "alert",
    };

    public static string ColourOf(Light light) => light switch
    {
        Light.Power or Light.Link => "green",
        Light.Capture => "yellow",
        Light.Uplink => "blue",
        _ => "red",
    };

    public static string WordOf(LightPattern pattern) => pattern switch
    {
        LightPattern.Off => "off",
        LightPattern.On => "on",
        LightPattern.Heartbeat => "beats (two short flashes, again and again)",
        LightPattern.Slow => "blinks slowly (1 s on, 1 s off)",
        LightPattern.Fast => "blinks fast (5 times a second)",
        LightPattern.Flash => "flashes (shortly, every 2 s)",
        LightPattern.FollowsLink => "on",
        _ => "on, flickering",
    };

    public static LightPlan Of(PanelState state, PanelMode mode)
    {
        if (mode == PanelMode.LightTest) return LightPlan.All(LightPattern.On);
        if (mode == PanelMode.Off) return LightPlan.All(LightPattern.Off);
        if (state.IdentifyFor > TimeSpan.Zero && mode != PanelMode.Writing) return LightPlan.All(LightPattern.Fast);
        bool writes = mode == PanelMode.Writing || state.Update.Phase == PanelUpdatePhase.Writing;
        LightPattern power = writes ? LightPattern.Fast : state.HasSensor ? LightPattern.Heartbeat : LightPattern.Slow;
        // What nobody vouches for is not shown; the link is the kernel's own word and stays.
        return state.HasSensor
            ? new LightPlan(power, LinkOf(state), CaptureOf(state), UplinkOf(state), AlertOf(state), Followed(state))
            : new LightPlan(power, Followed(state).Length > 0 ? LightPattern.FollowsLink : LightPattern.Off, LightPattern.Off, LightPattern.Off, LightPattern.Off, Followed(state));
    }

    /// <summary>A light follows one interface: the first that is captured from and has a link.</summary>
    static string Followed(PanelState state) =>
        (state.Ports.FirstOrDefault(p => p is { IsOpen: true, Link: PanelLink.Up }) ?? state.Ports.FirstOrDefault(p => p.IsOpen) ?? (state.Ports.Count > 0 ? state.Ports[0] : null))?.Interface ?? "";

    static LightPattern LinkOf(PanelState state)
    {
        if (state.Ports.Count == 0) return LightPattern.Off;
        bool some = state.Ports.Any(p => p.Link == PanelLink.Up), all = state.Ports.All(p => p.Link != PanelLink.Down);
        return some && !all ? LightPattern.Slow : LightPattern.FollowsLink;
    }

    static LightPattern CaptureOf(PanelState state)
    {
        if (IsLosing(state)) return LightPattern.Fast;
        if (state.Ports.Count == 0) return state.Inputs > 0 ? LightPattern.On : LightPattern.Off;
        if (!state.Ports.Any(p => p.IsOpen)) return LightPattern.Off;
        return state.Ports.Any(p => p.Trouble.Length > 0 || !p.IsOpen) ? LightPattern.Flash : LightPattern.FollowsPackets;
    }

    /// <summary>A lost packet in a thousand is a notice and no loss that somebody has to get up for, as everywhere else.</summary>
    const double LeastLoss = 0.001;

    /// <summary>
    /// Whatever "nfr status" calls a loss now, wherever it happens: card, kernel, pipeline, logs, spool. Gravest come first, so none of them is beyond those that are told. What an output
    /// refuses has been recorded, and is told as a fault.
    /// </summary>
    static bool IsLosing(PanelState state) =>
        state.Spool.IsFailing || state.Ports.Any(p => p.LossShare >= LeastLoss) || state.Troubles.Any(t => t.Gravity == Gravity.Loss && t.Place != "output");

    static LightPattern UplinkOf(PanelState state)
    {
        bool broker = state.Fleet.Phase != PanelFleetPhase.Off;
        if (state.Uplinks.Count == 0 && !broker) return LightPattern.Off;
        bool losing = state.Uplinks.Count > 0 && state.Spool.Evicted > 0;
        if (losing || state.Fleet.Phase == PanelFleetPhase.Refused || state.Uplinks.Any(u => u.Phase == PanelUplinkPhase.KeyRefused)) return LightPattern.Fast;
        return state.Uplinks.All(u => u.IsWell) && state.Fleet.Phase is PanelFleetPhase.Connected or PanelFleetPhase.Off ? LightPattern.On : LightPattern.Slow;
    }

    static LightPattern AlertOf(PanelState state) =>
        state.Unacknowledged > 0 ? state.WorstUnacknowledged > Medium ? LightPattern.Fast : LightPattern.Slow
        : state.Health == PanelHealth.Fault ? LightPattern.On : IsToBeSetRight(state) ? LightPattern.Flash : LightPattern.Off;

    /// <summary>
    /// What no other light shows and goes by nobody's doing but a person's: a setting that was not taken, a clock that nobody has set or keeps, a card that is full, an update that did not stay,
    /// could not be written or was not taken.
    /// </summary>
    static bool IsToBeSetRight(PanelState state) =>
        state.SetupFaults.Count > 0 || state.Clock is PanelClock.Unset or PanelClock.Free || state.Spool.IsDiskFull || state.Box is { DiskSize: > 0, DiskFree: <= 0 }
        || state.Update.Phase is PanelUpdatePhase.RolledBack or PanelUpdatePhase.Failed or PanelUpdatePhase.Refused;

    /// <summary>As Markdown, for "nfr panel --lights".</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder();
        text.Append("| light | colour | it | means | what to do |\n|---|---|---|---|---|\n");
        foreach (LightMeaning m in Meanings)
            text.Append("| ").Append(NameOf(m.Light)).Append(" | ").Append(ColourOf(m.Light)).Append(" | ").Append(WordOf(m.Pattern)).Append(" | ").Append(m.Means).Append(" | ").Append(m.Do).Append(" |\n");
        text.Append("\n| all five | means |\n|---|---|\n");
        foreach ((string does, string means) in Together) text.Append("| ").Append(does).Append(" | ").Append(means).Append(" |\n");
        return text.ToString();
    }
}
