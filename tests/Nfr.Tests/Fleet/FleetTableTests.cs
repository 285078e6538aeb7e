using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Nfr.Fleet;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>What "nfr fleet" makes of messages.</summary>
public sealed class FleetTableTests
{
    [Fact]
    public void Worst_comes_first_alerts_and_faults_then_offline_silent_degraded_and_well()
    {
        FleetView view = FleetBed.Mixed().Table.View();
        Assert.Equal(
            ["munich/gone-alert offline", "hamburg/alert alert", "hamburg/loss fault", "hamburg/fault fault", "munich/gone offline", "berlin/silent silent", "munich/hot degraded", "berlin/ok-1 ok"],
            FleetOrder.Of(view.Rows, null, "", FleetSort.Worst).Select(r => $"{r.Key} {FleetRow.Word(r.State)}"));
        Assert.False(view.AllWell);
    }

    [Fact]
    public void The_gravest_trouble_stands_for_the_sensor_whatever_order_it_was_sent_in() =>
        Assert.Equal(FleetBed.Fault.What, FleetBed.Mixed()["hamburg/fault"].Why);

    [Fact]
    public void A_sensor_is_silent_after_two_missing_heartbeats_and_well_again_with_the_next()
    {
        var bed = new FleetBed();
        bed.Online("a/b");
        bed.Beat("a/b");
        bed.Time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(SensorState.Well, bed["a/b"].State);
        bed.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(SensorState.Silent, bed["a/b"].State);
        bed.Beat("a/b");
        Assert.Equal(SensorState.Well, bed["a/b"].State);
    }

    [Fact]
    public void Nobody_is_silent_for_the_time_in_which_the_broker_was_away()
    {
        var bed = new FleetBed();
        bed.Online("a/b");
        bed.Beat("a/b");
        bed.Time.Advance(TimeSpan.FromSeconds(20));
        bed.Table.Listen(false);
        bed.Time.Advance(TimeSpan.FromHours(3));
        Assert.Equal(SensorState.Well, bed["a/b"].State);
        bed.Table.Listen(true);
        bed.Time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(SensorState.Well, bed["a/b"].State);
        bed.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(SensorState.Silent, bed["a/b"].State);
    }

    [Fact]
    public void What_the_broker_had_kept_is_no_sign_of_life()
    {
        var bed = new FleetBed();
        bed.Online("a/b");
        Assert.Equal((SensorState.Waiting, null), (bed["a/b"].State, bed["a/b"].Heard));
        bed.Time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal(SensorState.Silent, bed["a/b"].State);
        bed.Say("a/b", FleetTopic.Status, "offline");
        Assert.Null(bed["a/b"].Heard);
    }

    [Fact]
    public void Alerts_are_counted_for_an_hour_and_one_that_came_twice_once()
    {
        var bed = new FleetBed();
        bed.Online("a/b");
        bed.Alert("a/b", id: "x");
        bed.Alert("a/b", id: "x");
        bed.Time.Advance(TimeSpan.FromMinutes(30));
        bed.Alert("a/b", id: "y");
        Assert.Equal(2, bed["a/b"].AlertsInHour);
        bed.Time.Advance(TimeSpan.FromMinutes(31));
        Assert.Equal((1, 2L), (bed["a/b"].AlertsInHour, bed["a/b"].AlertCount));
        bed.Time.Advance(TimeSpan.FromHours(5));
        Assert.Equal(0, bed["a/b"].AlertsInHour);
        Assert.Equal("10.20.30.40 calls 203.0.113.9 every 60 s", bed["a/b"].LastAlert!.What);
    }

    [Fact]
    public void Loss_is_that_between_two_heartbeats_and_begins_anew_with_the_sensor()
    {
        var bed = new FleetBed();
        void Beat(long packets, long dropped) => bed.Say("a/b", FleetTopic.Health, (bed.Well() with { Ports = [new FleetPort("eth1", true, 1, 1, packets, dropped)] }).ToJson());
        Beat(900, 100);
        Assert.Equal(0.1, bed["a/b"].Health!.Loss);
        Beat(1_900, 100);
        Assert.Equal(0, bed["a/b"].Health!.Loss);
        Beat(2_700, 300);
        Assert.Equal(0.2, bed["a/b"].Health!.Loss);
        Beat(75, 25);
        Assert.Equal(0.25, bed["a/b"].Health!.Loss);
    }

    [Fact]
    public void A_clock_that_is_off_is_told_from_one_that_is_not_set()
    {
        var bed = new FleetBed();
        bed.Say("a/ahead", FleetTopic.Health, (bed.Well() with { Time = bed.Time.Utc + TimeSpan.FromMinutes(10) }).ToJson());
        bed.Say("a/unset", FleetTopic.Health, (bed.Well() with { Time = DateTimeOffset.UnixEpoch, IsClockSet = false }).ToJson());
        Assert.Equal(TimeSpan.FromMinutes(10), bed["a/ahead"].Skew);
        Assert.Equal((null, true), (bed["a/unset"].Skew, bed["a/unset"].Health!.ClockUnset));
    }

    [Fact]
    public void A_sensor_that_is_taken_out_of_the_broker_leaves_the_table()
    {
        var bed = FleetBed.Mixed();
        long held = bed.Table.HeldBytes;
        bed.Say("munich/gone", FleetTopic.Info, "");
        bed.Say("munich/gone", FleetTopic.Status, "");
        Assert.DoesNotContain(bed.Table.View().Rows, r => r.Key == "munich/gone");
        Assert.True(bed.Table.HeldBytes < held);
    }

    [Theory]
    [InlineData("nfr", 0)]
    [InlineData("nfr/", 0)]
    [InlineData("nfr/a/b", 0)]
    [InlineData("nfr//b/status", 0)]
    [InlineData("nfr/a//status", 0)]
    [InlineData("nfr/a/b/c/status", 0)]
    [InlineData("nfr/a/b/nothing", 0)]
    [InlineData("nfr/a b/c/status", 0)]
    [InlineData("nfr/a/é/status", 0)]
    [InlineData("zigbee/a/b/status", 0)]
    [InlineData("nfr/a/b/status", 1)]
    public void A_topic_that_is_no_sensors_makes_none_and_is_counted(string topic, int sensors)
    {
        var bed = new FleetBed();
        bed.Table.Take(topic, "online"u8, retained: true);
        FleetView view = bed.Table.View();
        Assert.Equal((sensors, 1L - sensors), (view.Rows.Count, view.Refused.Foreign));
    }

    [Theory]
    [InlineData(FleetTopic.Status, "maybe")]
    [InlineData(FleetTopic.Info, "[]")]
    [InlineData(FleetTopic.Info, "{")]
    [InlineData(FleetTopic.Health, "3")]
    [InlineData(FleetTopic.Health, """{"troubles":[{"what":"\ud800"}]}""")]
    [InlineData(FleetTopic.Alert, """{"threats":{}}""")]
    public void A_payload_that_cannot_be_read_makes_no_sensor_and_is_counted(FleetTopic about, string payload)
    {
        var bed = new FleetBed();
        bed.Say("a/b", about, payload);
        FleetView view = bed.Table.View();
        Assert.Equal((0, 1L), (view.Rows.Count, view.Refused.Unreadable));
    }

    [Fact]
    public void A_hostile_broker_cannot_make_the_table_grow()
    {
        var bed = new FleetBed();
        string longest = new('x', 64);
        byte[] much = Encoding.UTF8.GetBytes($$"""{"name":"{{new string('n', 3000)}}","version":"v","addresses":[]}"""), health = new byte[FleetBounds.LongestHealth];
        health.AsSpan().Fill((byte)' ');
        "{}"u8.CopyTo(health);
        for (int i = 0; i < FleetBounds.MostSensors + 500; i++)
        {
            string key = $"{longest}/{i:0000000}";
            bed.Say(key, FleetTopic.Info, much);
            bed.Say(key, FleetTopic.Health, health);
        }
        bed.Say("a/b", FleetTopic.Info, new byte[FleetBounds.LongestInfo + 1]);
        bed.Table.Take("nfr/" + new string('y', 70_000), default, false);
        FleetView view = bed.Table.View();
        Assert.Equal(FleetBounds.MostSensors, view.Rows.Count);
        Assert.Equal(new FleetRefusals(0, 2, 0, 1000), view.Refused);
        Assert.InRange(bed.Table.HeldBytes, 0, FleetBounds.MostHeldBytes);
        Assert.InRange(view.Rows[0].About.Name!.Length, 1, FleetBounds.LongestWord);
        Assert.Same(view.Rows[0].About.Name, view.Rows[^1].About.Name);
    }

    [Fact]
    public void Shared_texts_are_bounded_and_a_cut_never_halves_a_pair()
    {
        var texts = new TextPool(most: 2);
        Assert.Same(texts.Of("a" + 1, 9), texts.Of("a" + 1, 9));
        texts.Of("b", 9);
        texts.Of("c", 9);
        Assert.Equal(2, texts.Count);
        Assert.Equal("abc…", texts.Of("abc😀def", 5));
        Assert.Equal("\\u001B[31m", texts.Of("\e[31m", 48));
    }

    /// <summary>Random bytes, and well-formed messages with random bytes in them: nothing throws, nothing grows past its bound, and every screen can be drawn.</summary>
    [Fact]
    public void No_payload_does_harm()
    {
        Gen<byte[]> bytes = ArbMap.Default.GeneratorFor<byte[]>();
        Prop.ForAll(Arb.From(Gen.Choose(0, 5)), Arb.From(bytes), Arb.From(Gen.Choose(0, 4000)), (about, noise, at) =>
        {
            var bed = FleetBed.Mixed();
            byte[] payload = about switch { 1 => new FleetInfo { Name = "n", Site = "a", Id = "b" }.ToJson(), 2 => (bed.Well() with { Troubles = [FleetBed.Loss] }).ToJson(), _ => noise };
            for (int i = 0; about is 1 or 2 && i < noise.Length; i++) payload[(at + i) % payload.Length] = noise[i];
            bed.Say("berlin/ok-1", (FleetTopic)about, payload);
            FleetView view = bed.Table.View();
            var keys = new FleetKeys(null, "", FleetSort.Worst);
            string frame = FleetScreen.Text(FleetScreen.Frame(bed.Table, view, new BrokerState("b", TimeSpan.Zero), keys, 80, 24), 80, colours: false);
            Assert.DoesNotContain(frame, c => char.IsControl(c) && c != '\n');
            if (bed.Table.Detail("berlin/ok-1") is { } detail)
            {
                Assert.DoesNotContain(FleetDetail.Lines(detail, view.Now, 80), l => l.Text.Any(char.IsControl));
            }
            _ = FleetLines.Document(view, new BrokerState("b", null), view.Rows);
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_payload_full_of_terminal_codes_cannot_move_the_cursor()
    {
        var bed = new FleetBed();
        bed.Online("a/b", name: "\e[2J\u202Ename");
        bed.Beat("a/b", new FleetTrouble("loss", "x", "\e]0;title\a lost", "\r\nrm"));
        FleetView view = bed.Table.View();
        string all = FleetScreen.Text(FleetScreen.Printed(view, new BrokerState("b", TimeSpan.Zero), view.Rows, 200), 200, colours: false)
            + string.Join('\n', FleetDetail.Lines(bed.Table.Detail("a/b")!, view.Now, 200).Select(l => l.Text));
        Assert.DoesNotContain(all, c => (char.IsControl(c) && c != '\n') || c == '\u202E');
        Assert.Contains("\\u001B]0;title", all, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("berlin", "ber*", true)]
    [InlineData("berlin", "BERLIN", true)]
    [InlineData("berlin", "b?rlin", true)]
    [InlineData("berlin", "ber", false)]
    [InlineData("berlin", "*l*n*", true)]
    [InlineData("berlin", "*x*", false)]
    [InlineData("", "*", true)]
    public void Sites_are_matched_by_patterns(string site, string pattern, bool fits) => Assert.Equal(fits, FleetAddress.Fits(site, pattern));

    [Fact]
    public void A_filter_wants_each_of_its_words_somewhere()
    {
        FleetView view = FleetBed.Mixed().Table.View();
        Assert.Equal(["munich/gone"], FleetOrder.Of(view.Rows, "mun*", "OFFLINE gone left 0", FleetSort.Name).Select(r => r.Key).Where(k => k == "munich/gone"));
        Assert.Equal(["hamburg/fault"], FleetOrder.Of(view.Rows, null, "engine.example", FleetSort.Worst).Select(r => r.Key));
        Assert.Empty(FleetOrder.Of(view.Rows, "ber*", "hamburg", FleetSort.Worst));
    }

    [Fact]
    public void Every_order_ends_in_the_key_so_that_rows_do_not_jump()
    {
        FleetView view = FleetBed.Mixed().Table.View();
        foreach (FleetSort sort in Enum.GetValues<FleetSort>())
        {
            string[] once = [.. FleetOrder.Of(view.Rows, null, "", sort).Select(r => r.Key)];
            Assert.Equal(once, FleetOrder.Of([.. view.Rows.Reverse()], null, "", sort).Select(r => r.Key));
        }
    }
}
