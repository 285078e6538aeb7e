using System.Net.NetworkInformation;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Health;
using Nfr.Pipeline;
using Nfr.Storage;
using Nfr.Tests.Nfr;
using Nfr.Uplink;
using Ledger = Nfr.Pipeline.Ledger;

namespace Nfr.Tests.Fleet;

/// <summary>What a sensor says of itself over MQTT is what "nfr status" says.</summary>
public sealed class FleetReportTests
{
    static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(30);

    static FleetHealth Of(StatusReport report) => FleetReport.Health(report, 7, s_heartbeat);

    static CaptureEntry Port(string name, long frames, long kernelDropped = 0, long abandoned = 0, long cardLost = 0, long events = 0)
    {
        CaptureEntry port = StatusBed.Port(name) with { Kernel = new CaptureStatistics(frames + kernelDropped + abandoned, kernelDropped, 0, 0, abandoned), Nic = new NicStatistics(frames, cardLost, 0, 0) };
        port.Decoded.Frames = frames;
        port.DroppedEvents[(int)EventType.Dns] = events;
        return port;
    }

    [Fact]
    public void A_sensor_in_order_is_well_and_says_how_long_and_how_often_it_will_say_so()
    {
        FleetHealth health = Of(StatusBed.Well());
        Assert.True(health.IsWell && health.IsClockSet && health.IsClockSynchronised == true);
        Assert.Equal((StatusBed.Now, 3 * 86_400.0, 30.0, 7L), (health.Time, health.UptimeSeconds, health.HeartbeatSeconds, health.Beat));
        Assert.Empty(health.Troubles);
        Assert.Equal((52.3, 20L << 30, 29L << 30, 118L << 20), (health.Celsius, health.DiskFree, health.DiskSize, health.Resident));
        Assert.Equal([new FleetPort("eth1", true, 1234.5, 9_876_543, 0, 0)], health.Ports);
        Assert.Equal([new FleetWay("engine", 5, null)], health.Uplinks);
        Assert.Equal([new FleetWay("file", 0, null)], health.Outputs);
        Assert.Null(health.Spool);
        Assert.Equal(new FleetAlerts(0, null, null), health.Alerts);
        // And comes back from its JSON as it went.
        Assert.Equal(Encoding.UTF8.GetString(health.ToJson()), Encoding.UTF8.GetString(FleetHealth.TryRead(health.ToJson())!.ToJson()));
    }

    [Fact]
    public void Troubles_are_those_of_the_status_the_gravest_first_and_sixteen_at_most()
    {
        StatusReport report = StatusBed.Well() with
        {
            Now = DateTimeOffset.UnixEpoch.AddMinutes(3),
            Uplinks = [StatusBed.Uplink("engine", "engine.example unreachable (connection refused)")],
            Outputs = [.. Enumerable.Range(0, 20).Select(i => StatusBed.Output($"out{i}", "takes no alerts"))],
        };
        FleetHealth health = Of(report);
        Assert.False(health.IsWell || health.IsClockSet);
        Assert.Equal((16, report.Troubles.Count - 16), (health.Troubles.Count, health.MoreTroubles));
        Assert.Equal(report.Troubles.Take(16).Select(t => (t.Place, t.What, t.Do)), health.Troubles.Select(t => (t.Place, t.What, t.Do)));
        Assert.All(health.Troubles, t => Assert.Equal("fault", t.Gravity));
        CaptureEntry port = StatusBed.Port("eth1");
        port.DroppedEvents[(int)EventType.Dns] = 7;
        port.Events[(int)EventType.Dns] = 7;
        Assert.Equal("loss", Of(StatusBed.Well() with { Interval = StatusBed.Interval(port) }).Troubles[0].Gravity);
        FleetHealth notice = Of(StatusBed.Well() with { Box = StatusBed.Box() with { Disk = new DiskFacts("/var/lib", "ext4", false, 1 << 20, 29L << 30) } });
        Assert.Equal(("notice", true), (notice.Troubles[0].Gravity, notice.IsWell));
    }

    [Fact]
    public void A_port_is_all_its_workers_together_and_its_card_counts_once()
    {
        FleetHealth health = Of(StatusBed.Well() with
        {
            Ports = [new PortReport("eth1", true), new PortReport("eth2", false)],
            Run = new Ledger { Captures = [Port("eth1", 100, kernelDropped: 1, abandoned: 2, cardLost: 10, events: 4), Port("eth1", 50, kernelDropped: 3, cardLost: 10), Port("eth2", 7)] },
        });
        Assert.Equal([new FleetPort("eth1", true, null, null, 150, 1 + 2 + 3 + 4 + 10), new FleetPort("eth2", false, null, null, 7, 0)], health.Ports);
        Assert.Null(health.PacketsPerSecond);
        Assert.Equal(157, health.Ledger.Packets);
    }

    [Fact]
    public void The_ledger_counts_from_the_start_of_the_run_and_says_whether_it_closes()
    {
        using var bed = new LedgerBed();
        SpoolTally before = new(Accepted: 100, Spooled: 90, InSpool: 40, Delivered: 50, Evicted: 5, Quarantined: 0, LostBeforeSpool: 0), now = before with { Spooled = 190, Delivered = 120, Evicted = 6, InSpool = 64, Pending = 3 };
        Ledger run = StatusBed.Well().Run with
        {
            Stage = new StageCounters { Alerts = 2 },
            SpoolAtStart = bed.Spool.Counters.With(Lanes(before), default),
            Spool = bed.Spool.Counters.With(Lanes(now), new SpoolTally(11, 11, 11, 0, 0, 0, 0)),
        };
        run.Stage!.InScope[(int)EventType.Dns] = 30;
        FleetHealth health = Of(StatusBed.Well() with { Run = run });
        Assert.Equal((30L, 2L, 100L, 70L, 1L), (health.Ledger.InScope, health.Ledger.Alerts, health.Ledger.Spooled, health.Ledger.Delivered, health.Ledger.Evicted));
        Assert.Equal(run.Closes, health.Ledger.Closes);
        Assert.Null(health.Ledger.Lost);
        Assert.Equal((1L << 30, 67L), (health.Spool!.Value.MaxBytes, health.Spool.Value.Events));
        Assert.Equal(11, health.Alerts.Total);
        Assert.False(Of(StatusBed.Well() with { Run = StatusBed.Well().Run with { PipelineMistakes = 1 } }).Ledger.Closes);

        SpoolTally[] Lanes(SpoolTally first)
        {
            SpoolTally[] lanes = new SpoolTally[Lane.Count];
            lanes[0] = first;
            return lanes;
        }
    }

    [Fact]
    public void Commands_and_the_box_may_be_unknown()
    {
        FleetHealth health = Of(StatusBed.Well() with { Box = null, Fleet = new FleetState { Broker = "b", CommandsTaken = 3, Refused = [0, 1, 0, 2] } });
        Assert.Equal((3L, 3L), (health.CommandsTaken, health.CommandsRefused));
        Assert.True(health is { Celsius: null, DiskFree: null, DiskSize: null, Resident: 0, IsClockSynchronised: null });
    }

    [Fact]
    public void The_birth_names_the_machine_and_leaves_out_the_ports_that_are_listened_on()
    {
        var topics = new FleetTopics("office", "box1");
        DateTimeOffset started = StatusBed.Now;
        FleetInfo info = FleetReport.Info(topics, "0123", ["eth9"], started, takesCommands: true);
        Assert.Equal((Environment.MachineName, "office", "box1", "0123", started), (info.Name, info.Site, info.Id, info.Sensor, info.Started));
        Assert.Equal(["eth9"], info.Capture);
        Assert.NotEmpty(info.Version);
        Assert.Equal(FleetActions.Names, info.Commands);
        Assert.Empty(FleetReport.Info(topics, "0123", [], started, takesCommands: false).Commands);
        // Nobody who reads the birth is led to the mirror's port: not one address of it, nor its hardware's.
        string[] every = [.. NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name)];
        FleetInfo none = FleetReport.Info(topics, "0123", every, started, takesCommands: false);
        Assert.Null(none.Mac);
        Assert.Empty(none.Addresses);
        Assert.DoesNotContain("127.0.0.1", info.Addresses);
        Assert.Equal(Encoding.UTF8.GetString(info.ToJson()), Encoding.UTF8.GetString(FleetInfo.TryRead(info.ToJson())!.ToJson()));
    }
}
