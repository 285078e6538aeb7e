using System.Text;
using System.Text.Json.Nodes;
using Nfr.Pipeline;
using Nfr.Tests.Nfr;
using Nfr.Update;
using Nfr.Uplink;

namespace Nfr.Tests.Update;

public sealed class ConfirmationTests : IDisposable
{
    readonly Bundles _bundles = new();

    public void Dispose() => _bundles.Dispose();

    SimulatedBox OnTrial()
    {
        SimulatedBox box = _bundles.Box();
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(_bundles.Make()), default);
        box.Boot((_, _) => Bundles.Image(12, "2.1.0"));
        Assert.True(box.OnTrial);
        return box;
    }

    static Confirmation Of(SimulatedBox box, Func<string?> missing) => new(box, missing, new UpdatePowerCutTests.HastyTime());

    [Fact]
    public void A_sensor_that_is_well_makes_its_system_lasting()
    {
        SimulatedBox box = OnTrial();
        int asked = 0;
        Confirmation confirmation = Of(box, () => ++asked < 3 ? "no sensor is running" : null);
        Assert.Equal(ConfirmResult.Confirmed, confirmation.Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(('b', 1, UpdatePhase.Good), (box.Lasting, box.Rebooted, box.ReadRecord()!.Phase));
        Assert.Contains("is well and stays", confirmation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void One_good_answer_of_a_sensor_that_falls_over_again_is_not_enough()
    {
        SimulatedBox box = OnTrial();
        int asked = 0;
        Assert.Equal(ConfirmResult.Unwell, Of(box, () => ++asked % 3 == 0 ? "no sensor is running" : null).Run(TimeSpan.FromMinutes(5), orBack: false, default));
        Assert.Equal('a', box.Lasting);
    }

    [Fact]
    public void A_sensor_that_stays_unwell_is_gone_back_from_and_the_reason_stays()
    {
        SimulatedBox box = OnTrial();
        Confirmation confirmation = Of(box, () => "interface eth1 is not open");
        Assert.Equal(ConfirmResult.Unwell, confirmation.Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(2, box.Rebooted);
        box.Boot((_, _) => Bundles.Image());
        Assert.Equal(ConfirmResult.Nothing, Of(box, () => null).Run(TimeSpan.Zero, orBack: true, default));
        Assert.Equal(('a', false, UpdatePhase.Failed, "interface eth1 is not open"), (box.Booted, box.OnTrial, box.ReadRecord()!.Phase, box.ReadRecord()!.Why));
        Assert.Equal(2, box.Rebooted);
    }

    [Fact]
    public void Without_back_it_only_says_so()
    {
        SimulatedBox box = OnTrial();
        Assert.Equal(ConfirmResult.Unwell, Of(box, () => "it is not").Run(TimeSpan.FromSeconds(1), orBack: false, default));
        Assert.Equal(1, box.Rebooted);
    }

    [Fact]
    public void A_trial_that_ended_by_itself_is_told_as_failed()
    {
        SimulatedBox box = OnTrial();
        // The watchdog bit: the next boot is the lasting one.
        box.Boot((_, _) => Bundles.Image());
        Confirmation confirmation = Of(box, () => null);
        Assert.Equal(ConfirmResult.Nothing, confirmation.Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(UpdatePhase.Failed, box.ReadRecord()!.Phase);
        Assert.Contains("the update to 2.1.0 (12) failed", confirmation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void An_update_that_waits_for_its_reboot_has_not_failed()
    {
        SimulatedBox box = _bundles.Box();
        Bundles.Updater(box, _bundles.Keys).Run(new MemoryStream(_bundles.Make()), default);
        Of(box, () => null).Run(TimeSpan.Zero, orBack: true, default);
        Assert.Equal((UpdatePhase.Trying, true), (box.ReadRecord()!.Phase, box.Armed));
    }

    /// <summary>Somebody else has the lock for so many looks.</summary>
    static Confirmation Held(SimulatedBox box, Func<string?> missing, int looks, List<int> looked) => new(box, missing, new UpdatePowerCutTests.HastyTime())
    {
        Lock = () =>
        {
            looked.Add(looked.Count);
            return looked.Count > looks ? Stream.Null : null;
        },
    };

    [Fact]
    public void A_lock_that_another_has_for_a_moment_is_waited_for_and_the_update_stays()
    {
        SimulatedBox box = OnTrial();
        List<int> looked = [];
        Assert.Equal(ConfirmResult.Confirmed, Held(box, () => null, 7, looked).Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(('b', 1, 8), (box.Lasting, box.Rebooted, looked.Count));
    }

    [Fact]
    public void A_lock_that_is_never_to_be_had_sends_no_healthy_system_back_and_keeps_no_bad_one()
    {
        SimulatedBox box = OnTrial();
        List<int> looked = [];
        Assert.Equal(ConfirmResult.Confirmed, Held(box, () => null, int.MaxValue, looked).Run(TimeSpan.FromMinutes(5), orBack: true, default));
        // A minute of seconds.
        Assert.Equal(('b', 1, 61), (box.Lasting, box.Rebooted, looked.Count));
        box = OnTrial();
        Assert.Equal(ConfirmResult.Unwell, Held(box, () => "no sensor is running", int.MaxValue, looked).Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(('a', 2), (box.Lasting, box.Rebooted));
        var unmade = new Confirmation(OnTrial(), () => null, new UpdatePowerCutTests.HastyTime()) { Lock = () => throw new UpdateException("the lock cannot be made") };
        Assert.Equal(ConfirmResult.Confirmed, unmade.Run(TimeSpan.FromMinutes(5), orBack: true, default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void What_another_has_confirmed_meanwhile_is_confirmed_whatever_was_seen_before(bool well)
    {
        SimulatedBox box = OnTrial();
        var confirmation = new Confirmation(box, () => well ? null : "no sensor is running", new UpdatePowerCutTests.HastyTime())
        {
            // Who had it before us settled.
            Lock = () =>
            {
                if (box.OnTrial) Assert.Equal(ConfirmResult.Confirmed, Of(box, () => null).Run(TimeSpan.FromMinutes(1), orBack: false, default));
                return Stream.Null;
            },
        };
        Assert.Equal(ConfirmResult.Nothing, confirmation.Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal(('b', 1, UpdatePhase.Good), (box.Lasting, box.Rebooted, box.ReadRecord()!.Phase));
        Assert.Contains("was confirmed by another meanwhile", confirmation.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Off_trial_an_update_that_is_under_way_is_waited_for_and_is_no_failure()
    {
        SimulatedBox box = OnTrial();
        box.Boot((_, _) => Bundles.Image());
        List<int> looked = [];
        Confirmation confirmation = Held(box, () => null, int.MaxValue, looked);
        Assert.Equal(ConfirmResult.Nothing, confirmation.Run(TimeSpan.FromSeconds(20), orBack: true, default));
        Assert.Equal((21, UpdatePhase.Trying), (looked.Count, box.ReadRecord()!.Phase));
        Assert.Contains("another update is under way", confirmation.Text, StringComparison.Ordinal);
        looked.Clear();
        Assert.Equal(ConfirmResult.Nothing, Held(box, () => null, 3, looked).Run(TimeSpan.FromSeconds(20), orBack: true, default));
        Assert.Equal((4, UpdatePhase.Failed), (looked.Count, box.ReadRecord()!.Phase));
    }

    [Fact]
    public void A_fat_partition_in_other_hands_for_a_moment_sends_no_healthy_system_back()
    {
        SimulatedBox box = OnTrial();
        box.Busy = 2;
        Assert.Equal(ConfirmResult.Confirmed, Of(box, () =>
        {
            // And once more when it is to be made lasting.
            box.Busy = 2;
            return null;
        }).Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal('b', box.Lasting);
        // A script that is broken for good is told.
        SimulatedBox broken = OnTrial();
        broken.Busy = int.MaxValue;
        Assert.Contains("used by another program", Assert.Throws<UpdateException>(() => Of(broken, () => null).Run(TimeSpan.FromMinutes(5), orBack: true, default)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_cannot_be_written_undoes_nothing_of_what_was_settled()
    {
        SimulatedBox box = OnTrial();
        box.IsDataFull = true;
        Confirmation confirmation = Of(box, () => null);
        Assert.Equal(ConfirmResult.Confirmed, confirmation.Run(TimeSpan.FromMinutes(5), orBack: true, default));
        Assert.Equal('b', box.Lasting);
        Assert.EndsWith("; record.json cannot be written: No space left on device", confirmation.Text, StringComparison.Ordinal);
        box = OnTrial();
        box.Boot((_, _) => Bundles.Image());
        box.IsDataFull = true;
        Assert.Equal(ConfirmResult.Nothing, Of(box, () => null).Run(TimeSpan.FromMinutes(5), orBack: true, default));
    }

    [Fact]
    public void A_record_that_is_rubbish_is_none()
    {
        foreach (string text in (string[])["", "{", "{}", "[]", "{\"phase\":\"good\",\"slot\":\"c\",\"version\":\"1\",\"counter\":1,\"boot\":\"\",\"why\":\"\"}", "{\"phase\":7,\"slot\":\"a\",\"version\":\"1\",\"counter\":1,\"boot\":\"\",\"why\":\"\"}"])
            Assert.Null(UpdateRecord.Read(Encoding.UTF8.GetBytes(text)));
        var record = new UpdateRecord(UpdatePhase.Failed, 'b', "2.1.0", 12, "x", "why");
        Assert.Equal(record, UpdateRecord.Read(record.Write()));
    }
}

/// <summary>Held against the JSON that a sensor really writes.</summary>
public sealed class SensorHealthTests
{
    internal static JsonNode Status(Func<StatusReport, StatusReport>? change = null) => JsonNode.Parse(StatusJson.Write((change ?? (r => r))(StatusBed.Well())))!;

    static string? Missing(JsonNode status, bool link = true) => SensorHealth.Missing(Encoding.UTF8.GetBytes(status.ToJsonString()), _ => link, TimeSpan.FromSeconds(30));

    static JsonNode Young(JsonNode status)
    {
        status["clock"]!["uptimeSeconds"] = 4;
        return status;
    }

    internal static JsonNode WithSpool(JsonNode status, bool failing = false, int commits = 0)
    {
        status["spool"] = new JsonObject { ["failing"] = failing, ["lastFault"] = failing ? "the disk is gone" : null, ["commits"] = commits };
        return status;
    }

    [Fact]
    public void A_well_sensor_lacks_nothing() => Assert.Null(Missing(WithSpool(Status())));

    [Fact]
    public void A_port_needs_a_link_or_packets()
    {
        Assert.Contains("neither a link nor packets", Missing(WithSpool(Status()), link: false), StringComparison.Ordinal);
        JsonNode packets = WithSpool(Status());
        packets["capture"]![0]!["packets"] = 1;
        Assert.Null(Missing(packets, link: false));
        packets["capture"]![0]!["open"] = false;
        Assert.Contains("is not open", Missing(packets), StringComparison.Ordinal);
        packets["capture"] = new JsonArray();
        Assert.Contains("captures nothing", Missing(packets), StringComparison.Ordinal);
    }

    static JsonNode Port(string name, bool open, int packets = 0) => new JsonObject { ["interface"] = name, ["open"] = open, ["packets"] = packets };

    [Fact]
    public void A_log_that_is_read_forgives_a_silent_port_and_never_a_capture_that_is_dead()
    {
        JsonNode With(bool isRead, params JsonNode[] ports)
        {
            JsonNode status = WithSpool(Status());
            status["capture"] = new JsonArray(ports);
            status["inputs"] = new JsonArray(new JsonObject { ["input"] = "monitor", ["trouble"] = "no such file" }, new JsonObject { ["input"] = "syslog", ["trouble"] = isRead ? null : "the port is taken" });
            return status;
        }
        // A new kernel without the driver of the card.
        Assert.Equal("interface eth1 is not open", Missing(With(true, Port("eth1", false)), link: false));
        Assert.Equal("interface eth1 is not open", Missing(With(true, Port("eth1", false), Port("eth2", false, 7)), link: true));
        // The mirror's cable is out, as it would be with the old system.
        Assert.Null(Missing(With(true, Port("eth1", true)), link: false));
        Assert.Null(Missing(With(true, Port("eth1", false), Port("eth2", true)), link: false));
        Assert.Null(Missing(With(true, Port("eth2", true), Port("eth1", false)), link: false));
        Assert.Equal("interface eth1 is not open", Missing(With(false, Port("eth2", true), Port("eth1", false)), link: false));
        // A sensor of logs alone.
        Assert.Null(Missing(With(true), link: false));
        Assert.Equal("the sensor captures nothing", Missing(With(false), link: false));
    }

    [Fact]
    public void The_spool_must_take_what_comes()
    {
        Assert.Contains("not open", Missing(Status()), StringComparison.Ordinal);
        Assert.Contains("the disk is gone", Missing(WithSpool(Status(), failing: true)), StringComparison.Ordinal);
        Assert.Contains("committed nothing yet", Missing(Young(WithSpool(Status()))), StringComparison.Ordinal);
        Assert.Null(Missing(Young(WithSpool(Status(), commits: 1))));
    }

    [Fact]
    public void An_engine_that_is_out_of_reach_is_no_reason_to_go_back_and_one_that_is_not_asked_yet_is_waited_for()
    {
        JsonNode status = Young(WithSpool(Status(), commits: 1));
        foreach ((_, JsonNode? type) in status["uplinks"]![0]!["types"]!.AsObject()) type!.AsObject().Remove("lastSuccess");
        Assert.Contains("has not answered yet", Missing(status), StringComparison.Ordinal);
        status["uplinks"]![0]!["trouble"] = "connection refused";
        Assert.Null(Missing(status));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"capture\":7}")]
    public void What_is_no_status_is_not_well(string text) => Assert.Equal("the sensor's status cannot be read", SensorHealth.Missing(Encoding.UTF8.GetBytes(text), _ => true, TimeSpan.Zero));

    /// <summary>The engine has been asked nothing, or has not answered, since the start.</summary>
    static JsonNode Unanswered(JsonNode status)
    {
        foreach ((_, JsonNode? type) in status["uplinks"]![0]!["types"]!.AsObject())
        {
            type!.AsObject().Remove("lastSuccess");
            type["phase"] = "Idle";
        }
        return status;
    }

    /// <summary>The sensor runs for so long; of what waits the oldest is so old.</summary>
    static JsonNode Aged(JsonNode status, double uptime, double oldest)
    {
        DateTimeOffset now = StatusBed.Now;
        (status["clock"]!["uptimeSeconds"], status["clock"]!["started"]) = (uptime, now.AddSeconds(-uptime).UtcDateTime);
        JsonNode dns = status["consumers"]![0]!["types"]!["dns"]!;
        dns["oldestWaiting"] = now.AddSeconds(-oldest).UtcDateTime;
        return status;
    }

    [Theory]
    // What lay there before the start goes at once; later events with the next flush.
    [InlineData(100, 2000, true)]
    [InlineData(100, 50, true)]
    [InlineData(100, 20, false)]
    // A stamp of a clock that was set since.
    [InlineData(100, -50, true)]
    public void An_engine_for_which_events_wait_must_answer_however_quiet_it_was(double uptime, double oldest, bool isMissing)
    {
        JsonNode status = Aged(Unanswered(WithSpool(Status(), commits: 1)), uptime, oldest);
        if (isMissing) Assert.Equal("5 events wait for the engine engine, which has not answered yet", Missing(status));
        else Assert.Null(Missing(status));
        // It says why not.
        status["uplinks"]![0]!["types"]!["dns"]!["phase"] = "OutsideWindow";
        Assert.Null(Missing(status));
    }

    [Fact]
    public void An_engine_that_nothing_waits_for_is_asked_by_nobody_and_is_not_waited_for()
    {
        JsonNode status = Unanswered(WithSpool(Status(), commits: 1));
        JsonObject dns = status["consumers"]![0]!["types"]!["dns"]!.AsObject();
        dns.Remove("oldestWaiting");
        dns["waiting"] = 0;
        Assert.Null(Missing(status));
        Assert.Contains("has not answered yet", Missing(Young(status)), StringComparison.Ordinal);
        // Of a type that does not go there nothing is due.
        JsonNode off = Aged(Unanswered(WithSpool(Status(), commits: 1)), 100, 2000);
        off["uplinks"]![0]!["types"]!["dns"]!["phase"] = "Off";
        Assert.Null(Missing(off));
    }

    [Fact]
    public void An_engine_that_alerts_are_fetched_from_is_asked_at_once_and_must_answer()
    {
        JsonNode With(AlertPollerState alerts)
        {
            JsonNode status = Unanswered(WithSpool(Status(r => r with { Uplinks = [r.Uplinks[0] with { Alerts = alerts }] }), commits: 1));
            JsonObject dns = status["consumers"]![0]!["types"]!["dns"]!.AsObject();
            dns.Remove("oldestWaiting");
            return status;
        }
        Assert.Equal("the engine engine was asked for alerts and has not answered yet", Missing(With(new AlertPollerState())));
        Assert.Null(Missing(With(new AlertPollerState { LastSuccess = StatusBed.Now })));
        Assert.Null(Missing(With(new AlertPollerState { Trouble = "engine.example does not answer" })));
    }

    [Fact]
    public void Without_a_clock_nothing_may_go_yet_and_a_good_update_stays()
    {
        JsonNode status = Aged(Unanswered(WithSpool(Status(), commits: 1)), 100, 2000);
        status["clock"]!["now"] = new DateTime(1970, 1, 1, 0, 5, 0, DateTimeKind.Utc);
        Assert.Null(Missing(status));
    }
}
