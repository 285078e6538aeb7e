using System.Net;
using Nfr.Events;
using Nfr.Health;
using Nfr.Native;
using Nfr.Panel;
using Nfr.Pipeline;
using Nfr.Tests.Nfr;
using Nfr.Uplink;

namespace Nfr.Tests.Panel;

public class PanelReportTests
{
    static readonly InterfaceEntry[] s_interfaces =
    [
        new("lo", 1, true, true, true, 772, [], [IPAddress.Loopback]),
        new("eth0", 2, true, true, false, 1, [], [IPAddress.Parse("fd00::7"), IPAddress.Parse("fe80::1"), IPAddress.Parse("192.168.1.7")]),
        new("eth1", 3, true, true, false, 1, [], [IPAddress.Parse("10.9.9.9")]),
    ];

    static PanelFacts Facts() => new() { Name = "box", Alerts = new PanelAlertNews([], 0, 0), Interfaces = s_interfaces, SpeedOf = _ => 1000 };

    static PanelState Of(StatusReport report) => PanelReport.Of(report, Facts());

    [Fact]
    public void A_well_sensor_is_told_as_nfr_status_tells_it()
    {
        StatusReport report = StatusBed.Well();
        PanelState state = Of(report);
        Assert.Equal((true, "box", report.SensorId, PanelHealth.Ok), (state.HasSensor, state.Name, state.SensorId, state.Health));
        Assert.Equal(["192.168.1.7", "fd00::7"], state.Addresses);
        Assert.Equal(new PanelPort("eth1", PanelLink.Up, true) { MegabitsPerSecond = 1000, PacketsPerSecond = 1234.5, BitsPerSecond = 9_876_543 }, Assert.Single(state.Ports));
        Assert.Equal(("engine.example", PanelUplinkPhase.Well, 5L), (state.Uplinks[0].Name, state.Uplinks[0].Phase, state.Uplinks[0].Waiting));
        Assert.Equal((PanelClock.Synchronised, 52.3), (state.Clock, state.Box.Celsius));
        Assert.Equal(report.Troubles, state.Troubles);
    }

    [Fact]
    public void An_interface_that_is_gone_is_a_fault_of_the_box_and_an_engine_that_is_away_is_not()
    {
        StatusReport well = StatusBed.Well();
        Assert.Equal(PanelHealth.Fault, Of(well with { Ports = [new PortReport("eth1", false)] }).Health);
        PanelState away = Of(well with { Uplinks = [StatusBed.Uplink("engine", "engine.example does not answer")] });
        Assert.Equal((PanelHealth.Degraded, PanelUplinkPhase.BackingOff), (away.Health, away.Uplinks[0].Phase));
        Assert.Equal("engine.example does not answer", away.Uplinks[0].Trouble);
    }

    [Theory]
    [InlineData(Gravity.Notice, "capture", PanelHealth.Ok)]
    [InlineData(Gravity.Fault, "uplink", PanelHealth.Degraded)]
    [InlineData(Gravity.Fault, "clock", PanelHealth.Degraded)]
    [InlineData(Gravity.Fault, "disk", PanelHealth.Fault)]
    [InlineData(Gravity.Loss, "output", PanelHealth.Fault)]
    public void Health_follows_the_gravest_trouble(object gravity, string place, object health) => Assert.Equal(health, PanelReport.HealthOf([new((Gravity)gravity, place, "x", "y"), new(Gravity.Notice, "box", "x", "y")]));

    [Fact]
    public void The_interface_without_a_cable_is_down()
    {
        PanelState state = PanelReport.Of(StatusBed.Well(), Facts() with { Interfaces = [s_interfaces[2] with { IsRunning = false }] });
        Assert.Equal((PanelLink.Down, 0), (state.Ports[0].Link, state.Ports[0].MegabitsPerSecond));
    }

    [Fact]
    public void What_is_wrong_with_the_mirror_is_told_in_the_observers_words()
    {
        PanelState state = Of(StatusBed.Well() with { Ports = [new PortReport("eth1", true) { Conditions = [new(Gravity.Notice, "capture", "slight", ""), new(Gravity.Fault, "capture", "eth1 has received no packets for 40 s", "")] }] });
        Assert.Equal("eth1 has received no packets for 40 s", state.Ports[0].Trouble);
    }

    [Fact]
    public void A_clock_that_was_never_set_is_told_and_stamps_before_1970_do_no_harm()
    {
        PanelState state = Of(StatusBed.Well() with { Now = new DateTimeOffset(1969, 12, 31, 0, 0, 0, TimeSpan.Zero) });
        Assert.Equal((PanelClock.Unset, DateTimeOffset.UnixEpoch), (state.Clock, state.Now));
        PanelMessage.Write(state, new byte[PanelMessage.Length]);
    }

    [Fact]
    public void What_the_box_has_to_say_of_set_up_and_updates_is_told_and_is_a_trouble()
    {
        BoxNotes notes = new() { Setup = ["line 3: there is no key nmae; did you mean name?"], Update = new PanelUpdate(PanelUpdatePhase.RolledBack, 0, "2.2.0", "no packets came"), SshKey = "SHA256:abc" };
        PanelState state = Of(StatusBed.Well() with { Box = StatusBed.Box() with { Notes = notes } });
        Assert.Equal(("SHA256:abc", PanelHealth.Ok), (state.SshKey, state.Health));
        Assert.Contains(state.Troubles, t => t is { What: "line 3: there is no key nmae; did you mean name?", Gravity: Gravity.Notice });
        Assert.Contains(state.Troubles, t => t.What == "the update to 2.2.0 did not stay: no packets came");
    }

    [Fact]
    public void That_nothing_of_this_run_is_kept_is_a_fault_of_the_box()
    {
        PanelState state = Of(StatusBed.Well() with { Box = StatusBed.Box() with { Notes = new BoxNotes { DataLost = "the data partition cannot be used" } } });
        Assert.Equal((PanelHealth.Fault, "the data partition cannot be used"), (state.Health, state.Troubles[0].What));
    }

    [Fact]
    public void A_refused_key_goes_before_all_else_that_an_engines_types_say()
    {
        UplinkReport uplink = StatusBed.Uplink("engine");
        UplinkTypeState[] types = [.. uplink.State.Types];
        types[1] = types[1] with { Phase = UplinkPhase.KeyRefused };
        types[0] = types[0] with { Phase = UplinkPhase.Sending };
        Assert.Equal(PanelUplinkPhase.KeyRefused, Of(StatusBed.Well() with { Uplinks = [uplink with { State = uplink.State with { Types = types } }] }).Uplinks[0].Phase);
    }

    [Fact]
    public void An_engine_that_gives_no_alerts_is_not_well_though_it_takes_events()
    {
        PanelUplink With(AlertPollerState poll) => Of(StatusBed.Well() with { Uplinks = [StatusBed.Uplink("engine") with { Alerts = poll }] }).Uplinks[0];
        Assert.Equal((PanelUplinkPhase.Well, ""), (With(new AlertPollerState { Pages = 3 }).Phase, With(new AlertPollerState { Pages = 3 }).Trouble));
        var away = new AlertPollerState { Trouble = "the page of alerts cannot be read" };
        Assert.Equal((PanelUplinkPhase.BackingOff, away.Trouble), (With(away).Phase, With(away).Trouble));
        Assert.Equal(PanelUplinkPhase.KeyRefused, With(away with { KeyRefused = true }).Phase);
    }

    [Fact]
    public void What_is_lost_behind_the_card_is_shown_by_the_light_of_the_capture()
    {
        static StatusReport Lost(long events)
        {
            var dropped = new long[EventTypes.Count];
            dropped[0] = events;
            CaptureEntry port = StatusBed.Port("eth1") with { DroppedEvents = dropped };
            return StatusBed.Well() with { Interval = StatusBed.Interval(port) };
        }
        Assert.Equal(LightPattern.FollowsPackets, LightTable.Of(Of(Lost(0)), PanelMode.Normal).Capture);
        PanelState state = Of(Lost(7));
        Assert.Contains("7 events, the pipeline behind", state.Troubles[0].What, StringComparison.Ordinal);
        Assert.Equal(LightPattern.Fast, LightTable.Of(state, PanelMode.Normal).Capture);
        // As it comes out of the message.
        var message = new byte[PanelMessage.Length];
        PanelMessage.Write(state, message);
        Assert.Equal(PanelFault.None, PanelMessage.TryRead(message, out PanelState read));
        Assert.Equal(LightPattern.Fast, LightTable.Of(read, PanelMode.Normal).Capture);
    }

    [Fact]
    public void The_box_is_called_as_the_fleet_calls_it_and_by_its_own_id_where_there_is_none()
    {
        PanelState state = PanelReport.Of(StatusBed.Well(), Facts() with { Address = "home/box", CommandKeys = ["0011223344556677"] });
        Assert.Equal("home/box", state.Address);
        Assert.Equal(["0011223344556677"], state.CommandKeys);
        Assert.Equal(StatusBed.Well().SensorId, Of(StatusBed.Well()).Address);
    }
}
