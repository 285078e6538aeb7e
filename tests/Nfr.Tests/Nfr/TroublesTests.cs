using Nfr.Events;
using Nfr.Health;
using Nfr.Native;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Uplink;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Nfr;

/// <summary>What the sensor calls trouble, how grave it is, and that it says what to do.</summary>
public sealed class TroublesTests
{
    static Trouble Only(StatusReport report, Gravity gravity, string place, string says)
    {
        Trouble trouble = Assert.Single(report.Troubles);
        Assert.Equal((gravity, place), (trouble.Gravity, trouble.Place));
        Assert.Contains(says, trouble.What, StringComparison.Ordinal);
        Assert.Equal(gravity == Gravity.Notice, report.IsWell);
        return trouble;
    }

    static StatusReport WithBox(Func<BoxFacts, BoxFacts> change) => StatusBed.Well() with { Box = change(StatusBed.Box()) };

    [Fact]
    public void A_sensor_in_order_has_none()
    {
        Assert.Empty(StatusBed.Well().Troubles);
        Assert.True(StatusBed.Well().IsWell);
    }

    [Fact]
    public void A_port_that_is_gone_is_a_fault_and_nothing_else_is_said_of_it()
    {
        var silence = new Trouble(Gravity.Fault, "capture", "eth1 has received no packets for 40 s", "check the cable");
        Only(StatusBed.Well() with { Ports = [new PortReport("eth1", false) { Conditions = [silence] }] }, Gravity.Fault, "capture", "eth1 is gone");
        Only(StatusBed.Well() with { Ports = [new PortReport("eth1", true) { Conditions = [silence] }] }, Gravity.Fault, "capture", "no packets for 40 s");
    }

    [Fact]
    public void Events_that_were_lost_in_the_last_interval_are_a_loss()
    {
        CaptureEntry port = StatusBed.Port("eth1");
        port.DroppedEvents[(int)EventType.Dns] = 7;
        port.Events[(int)EventType.Dns] = 7;
        Trouble trouble = Only(StatusBed.Well() with { Interval = StatusBed.Interval(port) }, Gravity.Loss, "ledger", "in the last 60 s: 7 events");
        Assert.Contains("processor", trouble.Do, StringComparison.Ordinal);
    }

    [Fact]
    public void A_ledger_that_does_not_add_up_is_a_fault() =>
        Only(StatusBed.Well() with { Run = new Ledger { Captures = [StatusBed.Port("eth1")], PipelineMistakes = 1 } }, Gravity.Fault, "ledger", "does NOT add up");

    [Fact]
    public void An_engine_and_an_output_that_fail_are_faults_of_their_own_and_those_that_go_on_are_not_named()
    {
        StatusReport report = StatusBed.Well() with
        {
            Uplinks = [StatusBed.Uplink("engine"), StatusBed.Uplink("second", "engine second.example unreachable (connection refused)")],
            Outputs = [StatusBed.Output("file"), StatusBed.Output("siem", "siem.example takes no alerts (time-out)")],
        };
        Assert.Equal([(Gravity.Fault, "uplink"), (Gravity.Fault, "output")], report.Troubles.Select(t => (t.Gravity, t.Place)));
        Assert.All(report.Troubles, t => Assert.Matches("second|siem", t.What));
    }

    [Fact]
    public void An_engine_whose_alerts_cannot_be_fetched_is_a_fault_though_it_takes_all_events_and_is_told_once_where_it_takes_none()
    {
        var poll = new AlertPollerState { Trouble = "the engine refuses the API key (403)", KeyRefused = true };
        Only(StatusBed.Well() with { Uplinks = [StatusBed.Uplink("engine") with { Alerts = poll }] }, Gravity.Fault, "uplink", "alerts are not fetched: the engine refuses the API key (403)");
        Only(StatusBed.Well() with { Uplinks = [StatusBed.Uplink("engine", "engine unreachable (no route)") with { Alerts = poll }] }, Gravity.Fault, "uplink", "engine unreachable (no route)");
        Assert.Empty((StatusBed.Well() with { Uplinks = [StatusBed.Uplink("engine") with { Alerts = new AlertPollerState { Pages = 3 } }] }).Troubles);
    }

    [Fact]
    public void What_an_output_remarks_and_what_it_passes_by_is_told_and_a_loss_when_nothing_gets_through()
    {
        StatusReport With(Func<AlertOutputState, AlertOutputState> change) => StatusBed.Well() with { Outputs = [change(StatusBed.Output("siem"))] };
        Only(With(o => o with { Remark = "1 of 2 recipients refused" }), Gravity.Notice, "output", "1 of 2 recipients refused");
        AlertOutputState Refusing(AlertOutputState o) => o with { Refused = 3, LastRefusal = "it answered 422", LastRefusalAt = StatusBed.Now.AddMinutes(-2) };
        Only(With(o => Refusing(o) with { LastSuccess = StatusBed.Now.AddMinutes(-1) }), Gravity.Notice, "output", "refuses some alerts for good: it answered 422");
        Only(With(Refusing), Gravity.Loss, "output", "refuses all alerts for good");
        Only(With(o => Refusing(o) with { LastSuccess = null }), Gravity.Loss, "output", "refuses all alerts for good");
        Assert.Empty(With(o => Refusing(o) with { LastRefusalAt = StatusBed.Now.AddHours(-1) }).Troubles);
    }

    [Fact]
    public void A_spool_that_cannot_be_written_is_the_gravest_and_says_where_room_is_wanted()
    {
        SpoolCounters failing = new(new SpoolTally[Lane.Count], default) { Failing = true, LastFault = new SpoolFault(SpoolFaultKind.DiskFull, "database or disk is full") };
        StatusReport report = StatusBed.Well() with
        {
            Run = new Ledger { Captures = [StatusBed.Port("eth1")], Spool = failing }, Outputs = [StatusBed.Output("siem", "siem.example takes no alerts (time-out)")],
        };
        Assert.Equal((Gravity.Loss, "spool"), (report.Troubles[0].Gravity, report.Troubles[0].Place));
        Assert.Contains("free space on /var/lib", report.Troubles[0].Do, StringComparison.Ordinal);
        Assert.Equal("output", report.Troubles[1].Place);
    }

    [Fact]
    public void An_outage_says_how_long_it_may_last_and_a_short_card_life_is_told()
    {
        SpoolCounters Of(double ringDays, double years) => new(new SpoolTally[Lane.Count], default) { BytesOnDisk = 1L << 29, Outlook = new SpoolOutlook(1L << 30, ringDays, years, 32_000_000_000) };
        StatusReport report = StatusBed.Well() with { Run = new Ledger { Captures = [StatusBed.Port("eth1")], Spool = Of(18, 30) }, Uplinks = [StatusBed.Uplink("engine", "engine unreachable")] };
        Assert.EndsWith("at today's rate there is room for 9 days", Only(report, Gravity.Fault, "uplink", "unreachable").Do, StringComparison.Ordinal);
        Assert.Empty((report with { Uplinks = [] }).Troubles);
        StatusReport brief = report with { Uplinks = [], Run = report.Run with { Spool = Of(18, 1.25) } };
        Only(brief, Gravity.Notice, "spool", "1.0 GiB a day: a card of this size lasts 1.3 years");
        // The appliance starts from its card or eMMC alone, and its spool lies where it starts from.
        Assert.DoesNotMatch("SSD|USB", Only(brief with { Box = StatusBed.Box() with { IsAppliance = true } }, Gravity.Notice, "spool", "lasts 1.3 years").Do);
    }

    [Fact]
    public void A_clock_that_nobody_keeps_is_a_notice_and_one_that_was_never_set_is_a_fault()
    {
        StatusReport unkept = WithBox(b => b with { Clock = b.Clock with { Kernel = new ClockStatus(false, TimeSpan.FromSeconds(16), TimeSpan.FromSeconds(16), default) } });
        Only(unkept, Gravity.Notice, "clock", "not synchronised");
        Only(unkept with { Now = new DateTimeOffset(1970, 1, 2, 0, 0, 0, TimeSpan.Zero) }, Gravity.Fault, "clock", "never set: it says 1970-01-02");
    }

    [Fact]
    public void A_clock_that_goes_on_from_the_guess_of_the_start_was_never_set_until_somebody_keeps_it()
    {
        StatusReport guess = WithBox(b => b with { Clock = b.Clock with { Kernel = new ClockStatus(false, null, null, null), IsGuess = true } });
        Only(guess, Gravity.Fault, "clock", "nobody has set the clock since the box came up: 2026-");
        Only(WithBox(b => b with { Clock = b.Clock with { Kernel = null, IsGuess = true } }), Gravity.Fault, "clock", "nobody has set the clock");
        Assert.Empty(WithBox(b => b with { Clock = b.Clock with { IsGuess = true } }).Troubles);
    }

    /// <summary>Each trouble that there is a command against.</summary>
    static StatusReport Commanded(bool isAppliance)
    {
        SpoolCounters Spool(SpoolFaultKind kind) => new(new SpoolTally[Lane.Count], default) { Failing = true, LastFault = new SpoolFault(kind, "refused") };
        BoxFacts box = StatusBed.Box();
        return StatusBed.Well() with
        {
            Ports = [new PortReport("eth1", false)],
            Run = new Ledger { Captures = [StatusBed.Port("eth1")], Spool = Spool(SpoolFaultKind.ReadOnly) },
            Box = box with
            {
                IsAppliance = isAppliance, Disk = box.Disk! with { IsReadOnly = true }, Clock = box.Clock with { Kernel = new ClockStatus(false, null, null, null) },
                Notes = BoxNotes.None with { Update = new global::Nfr.Panel.PanelUpdate(global::Nfr.Panel.PanelUpdatePhase.Failed, 0, "2.1.0", "the card is full") },
            },
        };
    }

    [Fact]
    public void On_an_appliance_nothing_is_asked_for_that_wants_a_login()
    {
        Assert.Equal(5, Commanded(true).Troubles.Count);
        Assert.All(Commanded(true).Troubles, t => Assert.DoesNotMatch("timedatectl|mount -o|ip link|dmesg|journalctl|ethtool|date -s|scope\\.yml|config\\.yml", t.Do));
        Assert.All(Commanded(true).Troubles, t => Assert.NotEmpty(t.Do));
        string all = string.Concat(Commanded(false).Troubles.Select(t => t.Do));
        Assert.All(new[] { "timedatectl", "mount -o remount,rw", "ip link set eth1 up" }, command => Assert.Contains(command, all, StringComparison.Ordinal));
    }

    [Fact]
    public void What_an_update_left_behind_is_told_as_it_is()
    {
        Trouble Of(global::Nfr.Panel.PanelUpdatePhase phase, string version) => Assert.Single(WithBox(b => b with { Notes = BoxNotes.None with { Update = new(phase, 0, version, "reason") } }).Troubles);
        Assert.Contains("the other slot is started by nobody", Of(global::Nfr.Panel.PanelUpdatePhase.Failed, "2.1.0").Do, StringComparison.Ordinal);
        Assert.Equal("an update was not taken: reason", Of(global::Nfr.Panel.PanelUpdatePhase.Refused, "").What);
        Assert.Equal((Gravity.Notice, "update"), (Of(global::Nfr.Panel.PanelUpdatePhase.Refused, "2.1.0").Gravity, Of(global::Nfr.Panel.PanelUpdatePhase.RolledBack, "2.1.0").Place));
    }

    [Fact]
    public void A_clock_that_was_set_is_news_for_ten_minutes()
    {
        StatusReport Set(double minutesAgo) => WithBox(b => b with { Clock = b.Clock with { Jumps = 1, LastJump = TimeSpan.FromSeconds(-3.5), LastJumpAt = StatusBed.Now.AddMinutes(-minutesAgo) } });
        Only(Set(9), Gravity.Notice, "clock", "set by -3.5 s at 11:51:00");
        Assert.Empty(Set(11).Troubles);
    }

    [Fact]
    public void A_disk_that_is_read_only_is_a_fault_and_one_that_fills_a_notice()
    {
        Only(WithBox(b => b with { Disk = b.Disk! with { IsReadOnly = true } }), Gravity.Fault, "disk", "/var/lib is read-only");
        Only(WithBox(b => b with { Disk = b.Disk! with { Free = 1 << 30 } }), Gravity.Notice, "disk", "1.0 GiB left of 29.0 GiB");
    }

    [Fact]
    public void Heat_a_weak_supply_and_memory_are_notices()
    {
        Only(WithBox(b => b with { Temperatures = [new("cpu-thermal", 79.9), new("modem", 81)] }), Gravity.Notice, "box", "modem is at 81");
        Only(WithBox(b => b with { Throttling = Throttling.UnderVoltage | Throttling.Throttled }), Gravity.Notice, "box", "power supply");
        Assert.Empty(WithBox(b => b with { Throttling = Throttling.UnderVoltageSinceBoot }).Troubles);
        Only(WithBox(b => b with { Process = b.Process with { Resident = 161L << 20 } }), Gravity.Notice, "box", "161 MiB of memory");
    }

    [Fact]
    public void Every_trouble_says_what_to_do_but_those_that_only_tell()
    {
        StatusReport report = StatusBed.Well() with
        {
            Ports = [new PortReport("eth1", false)], Run = new Ledger { Captures = [StatusBed.Port("eth1")], PipelineMistakes = 1 },
            Uplinks = [StatusBed.Uplink("engine", "engine unreachable")], Outputs = [StatusBed.Output("file", "the disk is full")],
            Box = StatusBed.Box() with { Disk = StatusBed.Box().Disk! with { IsReadOnly = true }, Temperatures = [new("cpu", 90)], Throttling = Throttling.UnderVoltage },
        };
        Assert.Equal(7, report.Troubles.Count);
        Assert.All(report.Troubles, t => Assert.NotEmpty(t.Do));
        Assert.Equal(report.Troubles.OrderByDescending(t => t.Gravity), report.Troubles);
    }
}
