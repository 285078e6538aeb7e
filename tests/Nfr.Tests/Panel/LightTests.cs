using Nfr.Health;
using Nfr.Panel;

namespace Nfr.Tests.Panel;

public class LightTests
{
    static LightPlan Plan(PanelState state, PanelMode mode = PanelMode.Normal) => LightTable.Of(state, mode);

    static PanelState WithPort(Func<PanelPort, PanelPort> change) => PanelBed.Well() with { Ports = [change(PanelBed.Well().Ports[0])] };

    [Fact]
    public void All_is_well() =>
        Assert.Equal(new LightPlan(LightPattern.Heartbeat, LightPattern.FollowsLink, LightPattern.FollowsPackets, LightPattern.On, LightPattern.Off, "eth1"), Plan(PanelBed.Well()));

    [Fact]
    public void Without_a_sensor_only_power_and_the_kernels_own_link_are_shown() =>
        Assert.Equal(new LightPlan(LightPattern.Slow, LightPattern.FollowsLink, LightPattern.Off, LightPattern.Off, LightPattern.Off, "eth1"), Plan(PanelBed.Well().With(PanelBed.Alert(1, 5)) with { HasSensor = false }));

    [Fact]
    public void A_box_that_never_had_a_sensor_shows_power_alone() =>
        Assert.Equal(new LightPlan(LightPattern.Slow, LightPattern.Off, LightPattern.Off, LightPattern.Off, LightPattern.Off), Plan(PanelState.Nothing));

    [Fact]
    public void What_must_not_be_unplugged_blinks_fast()
    {
        Assert.Equal(LightPattern.Fast, Plan(PanelBed.Well(), PanelMode.Writing).Power);
        Assert.Equal(LightPattern.Fast, Plan(PanelState.Nothing with { Update = new PanelUpdate(PanelUpdatePhase.Writing, 3, "", "") }).Power);
        Assert.Equal(LightPlan.All(LightPattern.Off), Plan(PanelBed.Well() with { IdentifyFor = TimeSpan.FromSeconds(9) }, PanelMode.Off));
    }

    [Fact]
    public void All_together_blink_for_who_looks_for_the_box_but_not_while_it_writes()
    {
        PanelState state = PanelBed.Well() with { IdentifyFor = TimeSpan.FromSeconds(9) };
        Assert.Equal(LightPlan.All(LightPattern.Fast), Plan(state));
        Assert.NotEqual(LightPlan.All(LightPattern.Fast), Plan(state, PanelMode.Writing));
        Assert.Equal(LightPlan.All(LightPattern.On), Plan(state, PanelMode.LightTest));
    }

    [Fact]
    public void Capture_says_what_is_wrong_with_it()
    {
        Assert.Equal(LightPattern.Flash, Plan(WithPort(p => p with { Trouble = "only broadcast" })).Capture);
        Assert.Equal(LightPattern.Fast, Plan(WithPort(p => p with { LossShare = 0.01 })).Capture);
        Assert.Equal(LightPattern.FollowsPackets, Plan(WithPort(p => p with { LossShare = 0.0001 })).Capture);
        Assert.Equal(LightPattern.Off, Plan(WithPort(p => p with { IsOpen = false })).Capture);
        Assert.Equal(LightPattern.Off, Plan(PanelBed.Well() with { Ports = [] }).Capture);
        Assert.Equal(LightPattern.On, Plan(PanelBed.Well() with { Ports = [], Inputs = 2 }).Capture);
        Assert.Equal(LightPattern.Fast, Plan(PanelBed.Well() with { Spool = new PanelSpool(1, 1, 1) { IsFailing = true } }).Capture);
    }

    [Theory]
    [InlineData("capture")]
    [InlineData("ledger")]
    [InlineData("spool")]
    public void Whatever_status_calls_a_loss_the_light_of_the_capture_shows(string place)
    {
        PanelState With(Gravity gravity, string at) => PanelBed.Well() with { Troubles = [new(gravity, at, "lost in the last 60 s: 7 events, the pipeline behind", "")] };
        Assert.Equal(LightPattern.Fast, Plan(With(Gravity.Loss, place)).Capture);
        Assert.Equal(LightPattern.Fast, Plan(With(Gravity.Loss, place) with { Ports = [], Inputs = 1 }).Capture);
        Assert.Equal(LightPattern.FollowsPackets, Plan(With(Gravity.Fault, place)).Capture);
        // What was recorded and an output will not have.
        Assert.Equal(LightPattern.FollowsPackets, Plan(With(Gravity.Loss, "output")).Capture);
    }

    [Fact]
    public void Of_several_ports_one_without_a_cable_blinks_and_the_lights_follow_the_other()
    {
        PanelState state = PanelBed.Well() with { Ports = [new PanelPort("eth1", PanelLink.Down, true), new PanelPort("eth2", PanelLink.Up, true)] };
        Assert.Equal((LightPattern.Slow, "eth2"), (Plan(state).Link, Plan(state).Interface));
    }

    [Fact]
    public void Uplink_tells_absent_from_refused()
    {
        PanelState With(params PanelUplink[] uplinks) => PanelBed.Well() with { Uplinks = uplinks };
        Assert.Equal(LightPattern.Off, Plan(With()).Uplink);
        Assert.Equal(LightPattern.Slow, Plan(With(new("a", PanelUplinkPhase.Well), new("b", PanelUplinkPhase.BackingOff))).Uplink);
        Assert.Equal(LightPattern.Fast, Plan(With(new("a", PanelUplinkPhase.BackingOff), new("b", PanelUplinkPhase.KeyRefused))).Uplink);
        Assert.Equal(LightPattern.On, Plan(With(new PanelUplink("a", PanelUplinkPhase.OutsideWindow))).Uplink);
        Assert.Equal(LightPattern.Slow, Plan(With() with { Fleet = new PanelFleet(PanelFleetPhase.Connecting, "b", "") }).Uplink);
        Assert.Equal(LightPattern.On, Plan(With() with { Fleet = new PanelFleet(PanelFleetPhase.Connected, "b", "") }).Uplink);
        Assert.Equal(LightPattern.Fast, Plan(PanelBed.Well() with { Fleet = new PanelFleet(PanelFleetPhase.Refused, "b", "") }).Uplink);
        Assert.Equal(LightPattern.Fast, Plan(PanelBed.Well() with { Spool = new PanelSpool(1, 1, 1) { Evicted = 3 } }).Uplink);
    }

    [Theory]
    [InlineData(0, PanelHealth.Ok, LightPattern.Off)]
    [InlineData(0, PanelHealth.Degraded, LightPattern.Off)]
    [InlineData(0, PanelHealth.Fault, LightPattern.On)]
    [InlineData(3, PanelHealth.Fault, LightPattern.Slow)]
    [InlineData(4, PanelHealth.Ok, LightPattern.Fast)]
    public void Alert_blinks_by_the_gravest_that_nobody_has_seen(int severity, object health, object expected)
    {
        PanelState state = (severity == 0 ? PanelBed.Well() : PanelBed.Well().With(PanelBed.Alert(2, 1), PanelBed.Alert(1, severity))) with { Health = (PanelHealth)health };
        Assert.Equal(expected, Plan(state).Alert);
        if (severity > 0) Assert.NotEqual(expected, Plan(state.With(PanelBed.Alert(1, severity, acknowledged: true)) with { Health = PanelHealth.Ok }).Alert);
    }

    [Fact]
    public void Alert_flashes_where_something_is_to_be_set_right_and_nothing_graver_waits()
    {
        PanelState well = PanelBed.Well();
        PanelState[] states =
        [
            well with { SetupFaults = ["nfr.txt line 3: nobody knows the name \"colour\""] }, well with { Clock = PanelClock.Free }, well with { Clock = PanelClock.Unset },
            well with { Spool = well.Spool with { IsDiskFull = true } }, well with { Box = new PanelBox { DiskSize = 29L << 30, DiskFree = 0 } },
            .. new[] { PanelUpdatePhase.RolledBack, PanelUpdatePhase.Failed, PanelUpdatePhase.Refused }.Select(p => well with { Update = new PanelUpdate(p, 0, "2.1.0", "") }),
        ];
        foreach (PanelState state in states)
        {
            Assert.Equal(LightPattern.Flash, Plan(state).Alert);
            Assert.Equal(Plan(well) with { Alert = LightPattern.Flash }, Plan(state));
            Assert.Equal(LightPattern.On, Plan(state with { Health = PanelHealth.Fault }).Alert);
            Assert.Equal(LightPattern.Slow, Plan(state.With(PanelBed.Alert(1, 2)) with { Health = PanelHealth.Fault }).Alert);
        }
        // What nobody can tell, and an update that is well, is nothing to set right.
        Assert.Equal(LightPattern.Off, Plan(well with { Clock = PanelClock.Unknown, Box = new PanelBox(), Update = new PanelUpdate(PanelUpdatePhase.Confirmed, 0, "2.1.0", "") }).Alert);
    }

    [Fact]
    public void Whatever_a_light_shows_has_a_row_in_the_table()
    {
        PanelState well = PanelBed.Well();
        PanelState[] states =
        [
            well, PanelState.Nothing, PanelBed.Full(), well with { Ports = [] }, well with { Ports = [], Inputs = 1 }, well with { Uplinks = [] }, well with { Health = PanelHealth.Fault }, well with { Clock = PanelClock.Free },
            .. new[] { PanelLink.Down, PanelLink.Unknown }.Select(l => WithPort(p => p with { Link = l })), WithPort(p => p with { Trouble = "x" }), WithPort(p => p with { LossShare = 1 }), WithPort(p => p with { IsOpen = false }),
            well with { Ports = [new PanelPort("a", PanelLink.Down, true), new PanelPort("b", PanelLink.Up, true)] },
            .. Enum.GetValues<PanelUplinkPhase>().Select(p => well with { Uplinks = [new PanelUplink("e", p)] }), .. Enumerable.Range(1, 5).Select(s => well.With(PanelBed.Alert(1, s))),
        ];
        HashSet<(Light, LightPattern)> rows = [.. LightTable.Meanings.Select(m => (m.Light, m.Pattern))];
        HashSet<(Light, LightPattern)> seen = [];
        foreach (PanelState state in states)
        {
            foreach (bool sensor in new[] { true, false })
            {
                foreach (PanelMode mode in new[] { PanelMode.Normal, PanelMode.Writing, PanelMode.Off })
                {
                    LightPlan plan = Plan(state with { HasSensor = sensor, IdentifyFor = TimeSpan.Zero }, mode);
                    foreach (Light light in Enum.GetValues<Light>())
                    {
                        Assert.Contains((light, plan[light]), rows);
                        seen.Add((light, plan[light]));
                    }
                }
            }
        }
        // And no row says what no light ever shows; that power is on before any of us runs is the overlay's doing.
        Assert.Equal([(Light.Power, LightPattern.On)], rows.Except(seen));
    }

    [Fact]
    public void No_two_rows_of_a_light_look_alike()
    {
        // A light that follows a link is on or off by the cable: "on" to who looks.
        foreach (IGrouping<Light, LightMeaning> light in LightTable.Meanings.GroupBy(m => m.Light))
            Assert.Equal(light.Count(), light.Select(m => LightTable.WordOf(m.Pattern)).Distinct().Count());
    }
}
