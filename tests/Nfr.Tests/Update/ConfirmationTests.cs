using System.Text;
using System.Text.Json.Nodes;
using Nfr.Pipeline;
using Nfr.Tests.Nfr;
using Nfr.Update;

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
    static JsonNode Status(Func<StatusReport, StatusReport>? change = null) => JsonNode.Parse(StatusJson.Write((change ?? (r => r))(StatusBed.Well())))!;

    static string? Missing(JsonNode status, bool link = true) => SensorHealth.Missing(Encoding.UTF8.GetBytes(status.ToJsonString()), _ => link);

    static JsonNode Young(JsonNode status)
    {
        status["clock"]!["uptimeSeconds"] = 4;
        return status;
    }

    static JsonNode WithSpool(JsonNode status, bool failing = false, int commits = 0)
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
    public void What_is_no_status_is_not_well(string text) => Assert.Equal("the sensor's status cannot be read", SensorHealth.Missing(Encoding.UTF8.GetBytes(text), _ => true));
}
