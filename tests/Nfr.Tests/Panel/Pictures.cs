using Nfr.Health;
using Nfr.Panel;
using Nfr.Panel.Screens;

namespace Nfr.Tests.Panel;

/// <summary>The pictures that are kept: each page as it is on a good day, and each at its worst.</summary>
static class Pictures
{
    const string LongName = "Sensor-in-the-basement-of-the-old-administration-building-west";
    const string LongWords = "a sentence that goes on for much longer than anybody would want to read on a display that is two centimetres wide, with a/very/long/path/in/it/that/has/no/spaces.and.dots";

    static PanelState Well => ExampleStates.Of("example")!;
    static PanelState Trouble => ExampleStates.Of("trouble")!;
    static PanelState New => ExampleStates.Of("new-alert")!;

    static PanelState Worst => Trouble with
    {
        Name = LongName,
        Site = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
        SensorId = new string('W', 64),
        Version = "2.0.0-rc.17+0123456789abcdef",
        Addresses = ["255.255.255.255", "2001:0db8:85a3:1234:5678:8a2e:0370:7334", "2001:0db8:85a3:1234:5678:8a2e:0370:7335", "fd00::1"],
        Uptime = TimeSpan.MaxValue,
        Ports = [new("enp0s31f6.4094x", PanelLink.Up, true) { MegabitsPerSecond = 400_000, PacketsPerSecond = 1e18, BitsPerSecond = 1e300, Lost = long.MaxValue, LossShare = 7 }],
        Spool = new(long.MaxValue, long.MaxValue, long.MaxValue) { OldestAge = TimeSpan.MaxValue },
        Uplinks = [new(LongName + ".example.net", PanelUplinkPhase.BackingOff) { Waiting = long.MaxValue, SinceDelivery = TimeSpan.MaxValue, Trouble = LongWords }],
        Alerts =
        [
            new(long.MaxValue, 255, LongWords, "2001:0db8:85a3:1234:5678:8a2e:0370:7334", DateTimeOffset.MinValue, false),
            new(3, 5, LongWords, LongName, DateTimeOffset.MaxValue, false),
            new(2, 5, "東京のサーバー", "\ud83d\ude00", DateTimeOffset.UnixEpoch, true),
            new(1, 0, "", "", DateTimeOffset.UnixEpoch, false),
        ],
        Unacknowledged = long.MaxValue,
        WorstUnacknowledged = 5,
        Troubles = [.. Enumerable.Repeat(new Trouble(Gravity.Loss, "x", LongWords, LongWords), PanelState.MostTroubles)],
        Box = new() { Celsius = 1e9, CardYears = 1e9, DiskFree = long.MaxValue, DiskSize = long.MaxValue, IsUnderVoltage = true, IsThrottled = true },
        Address = new string('s', 64) + "/" + new string('W', 64),
        SshKey = "SHA256:" + new string('W', 43),
        CommandKeys = [.. Enumerable.Range(0, 9).Select(i => new string((char)('a' + i), 64))],
        SetupFaults = [LongWords, LongWords, LongWords, LongWords, LongWords],
        Update = new(PanelUpdatePhase.Writing, int.MaxValue, "2.0.0-rc.17+0123456789abcdef", LongWords),
        Rates = [double.NaN, double.PositiveInfinity, -5, double.Epsilon, double.MaxValue],
    };

    static PanelState Storm => New with
    {
        Alerts = [.. Enumerable.Range(0, 4).Select(i => new PanelAlert(900 - i, 5 - i, "Beacon to a known control server", $"10.20.30.{200 + i}", New.Now.AddSeconds(-i * 7), false))],
        Unacknowledged = 12_345,
    };

    /// <summary>Name, state, page.</summary>
    public static IReadOnlyList<(string Name, PanelState State, PanelView View)> All { get; } =
    [
        ("identity", Well, new(PanelPage.Identity)),
        ("identity-no-address", ExampleStates.Of("no-address")!, new(PanelPage.Identity)),
        ("identity-long", Worst, new(PanelPage.Identity)),
        ("identity-long-later", Worst, new(PanelPage.Identity, 5)),
        ("identity-umlauts", Well with { Name = "Größe Łódź", Site = "Çà et là: ÄÖÜ äöü ß ñ å é €", Addresses = ["10.0.0.1"] }, new(PanelPage.Identity)),
        ("identity-nothing", PanelState.Nothing, new(PanelPage.Identity)),
        ("capture", Well, new(PanelPage.Capture)),
        ("capture-no-traffic", Well with { Rates = [], Ports = [Well.Ports[0] with { PacketsPerSecond = 0, BitsPerSecond = 0, Trouble = "eth1 sees no packets at all: the mirror port is silent" }] }, new(PanelPage.Capture)),
        ("capture-broadcast-only", Well with { Ports = [Well.Ports[0] with { PacketsPerSecond = 3, BitsPerSecond = 2_100, Trouble = "eth1 sees broadcast only, which is what any port gets: it is no mirror" }] }, new(PanelPage.Capture)),
        ("capture-one-direction", Trouble, new(PanelPage.Capture)),
        ("capture-no-link", Trouble, new(PanelPage.Capture, PageParts.Turn)),
        ("capture-gone", Well with { Ports = [new("eth1", PanelLink.Unknown, false)] }, new(PanelPage.Capture)),
        ("capture-no-port", Well with { Ports = [], Inputs = 2 }, new(PanelPage.Capture)),
        ("capture-two-ports", Well with { Ports = [Well.Ports[0] with { Lost = 17 }, Well.Ports[0] with { Interface = "eth2" }] }, new(PanelPage.Capture)),
        ("capture-worst", Worst, new(PanelPage.Capture)),
        ("spool", Well, new(PanelPage.Spool)),
        ("spool-broker", Well, new(PanelPage.Spool, PageParts.Turn)),
        ("spool-alone", Well with { Uplinks = [], Fleet = PanelFleet.None, Spool = PanelSpool.None }, new(PanelPage.Spool)),
        ("spool-outage", Trouble, new(PanelPage.Spool)),
        ("spool-outage-broker", Trouble, new(PanelPage.Spool, 2 * PageParts.Turn)),
        ("spool-failing", Trouble with { Spool = Trouble.Spool with { IsFailing = true } }, new(PanelPage.Spool)),
        ("spool-disk-full", Trouble with { Spool = Trouble.Spool with { IsDiskFull = true } }, new(PanelPage.Spool)),
        ("spool-worst", Worst, new(PanelPage.Spool)),
        ("alerts", Well, new(PanelPage.Alerts)),
        ("alerts-none", Well with { Alerts = [] }, new(PanelPage.Alerts)),
        ("alerts-new", New, new(PanelPage.Alerts)),
        ("alerts-new-later", New, new(PanelPage.Alerts, 1)),
        ("alerts-storm", Storm, new(PanelPage.Alerts)),
        ("alerts-storm-list", Storm, new(PanelPage.Alerts, PageParts.Turn)),
        ("alerts-worst", Worst, new(PanelPage.Alerts)),
        ("alerts-worst-list", Worst, new(PanelPage.Alerts, 2 * PageParts.Turn)),
        ("health", Well, new(PanelPage.Health)),
        ("health-trouble", Trouble, new(PanelPage.Health)),
        ("health-clock", Trouble, new(PanelPage.Health, PageParts.Turn)),
        ("health-facts-worst", Trouble, new(PanelPage.Health, (HealthPage.Turns(Trouble) - 1) * PageParts.Turn)),
        ("health-worst", Worst with { Update = PanelUpdate.None }, new(PanelPage.Health)),
        ("health-card-dying", Well with { Box = Well.Box with { IsDiskReadOnly = true, CardYears = 0.2 } }, new(PanelPage.Health)),
        ("health-trial", ExampleStates.Of("update-trial")!, new(PanelPage.Health)),
        ("health-went-back", ExampleStates.Of("update-back")!, new(PanelPage.Health)),
        ("health-update-waiting", Well with { Update = new(PanelUpdatePhase.Waiting, 100, "2.1.0", "") }, new(PanelPage.Health)),
        ("health-update-cut-off", Well with { Update = new(PanelUpdatePhase.Failed, 0, "2.1.0", "it was cut off; begin it again") }, new(PanelPage.Health)),
        ("health-update-refused", Well with { Update = new(PanelUpdatePhase.Refused, 0, "", "its signature is not by a key of this box") }, new(PanelPage.Health)),
        ("pairing", Well, new(PanelPage.Pairing)),
        ("pairing-ssh", Well, new(PanelPage.Pairing, PageParts.Turn)),
        ("pairing-commands", Well, new(PanelPage.Pairing, 2 * PageParts.Turn)),
        ("pairing-no-broker", Well with { Address = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" }, new(PanelPage.Pairing)),
        ("pairing-no-owner", Well with { SshKey = "", CommandKeys = [] }, new(PanelPage.Pairing, PageParts.Turn)),
        ("pairing-long", Worst, new(PanelPage.Pairing)),
        ("pairing-long-ssh", Worst, new(PanelPage.Pairing, PageParts.Turn)),
        ("pairing-long-commands", Worst, new(PanelPage.Pairing, 2 * PageParts.Turn)),
        ("setup-faults", Well, new(PanelPage.SetupFaults)),
        ("setup-faults-remedy", Well, new(PanelPage.SetupFaults, PageParts.Turn)),
        ("setup-faults-start", Well with { SetupFaults = ["no wired port was found: look at the cable of the USB adapter"] }, new(PanelPage.SetupFaults)),
        ("setup-faults-worst", Worst, new(PanelPage.SetupFaults)),
        ("starting", PanelState.Nothing, new(PanelPage.Starting, 3)),
        ("no-sensor", PanelState.Nothing, new(PanelPage.NoSensor)),
        ("updating", Well with { Update = new(PanelUpdatePhase.Writing, 42, "2.1.0", "") }, new(PanelPage.Updating)),
        ("updating-worst", Worst, new(PanelPage.Updating)),
        ("identify", Well, new(PanelPage.Identify, 1)),
        ("identify-later", Well, new(PanelPage.Identify)),
        ("identify-long", Worst, new(PanelPage.Identify, 1)),
        ("shutdown-countdown", Well, new(PanelPage.ShutdownCountdown, 0, 3)),
        ("shutdown-ready", Well, new(PanelPage.ShutdownReady, 0, 8)),
        ("reset-held", Well, new(PanelPage.ResetConfirm)),
        ("reset-confirm", Well, new(PanelPage.ResetConfirm, 0, 9)),
        ("shutting-down", Well, new(PanelPage.ShuttingDown, 2)),
        ("safe-to-unplug", Well, new(PanelPage.SafeToUnplug)),
        ("resetting", Well, new(PanelPage.Resetting, 4)),
        ("not-possible", Well, new(PanelPage.NotPossible)),
    ];
}
