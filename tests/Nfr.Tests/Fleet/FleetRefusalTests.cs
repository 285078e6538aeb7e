using System.Runtime.Versioning;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Alerts that a broker does not take: those that come again, and those that are counted and passed by.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetRefusalTests
{
    static readonly string s_alert = FleetBench.Topics.Of(FleetTopic.Alert);

    [BrokerFact]
    public void Alerts_that_an_access_list_forbids_are_told_of_and_arrive_once_it_allows_them()
    {
        using var broker = new MqttBroker("acl_file {folder}/acl");
        string acl = Path.Combine(broker.Folder, "acl"), rights = "topic read #\n" + string.Concat(new[] { "status", "info", "health", "answer" }.Select(t => $"topic write nfr/test/box1/{t}\n"));
        File.WriteAllText(acl, rights);
        broker.Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "nfr/#");
        using var bench = new FleetBench(broker.Port);
        bench.Append(5);
        MqttEar.Until(() => bench.Output.Trouble is not null, $"a trouble: {bench.Output} {bench.Link.State}", 60);
        Assert.Contains("not authorised", bench.Output.Trouble, StringComparison.Ordinal);
        Assert.Equal((0, 0, 5), (bench.Output.Alerts, bench.Output.Refused, bench.Output.Waiting));
        File.WriteAllText(acl, rights + "topic write nfr/test/box1/alert\n");
        broker.Reload();
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 5 && bench.Output.Alerts == 5, $"all alerts: {bench.Output} {bench.Link.State}", 60);
        Assert.Equal(0, bench.Output.Refused);
    }

    /// <summary>The broker says how long a message may be (5), closes the connection at one that is too long (3.1.1), or refuses it where it has a limit of its own.</summary>
    [BrokerTheory]
    [InlineData("max_packet_size 3000", MqttVersion.V5)]
    [InlineData("max_packet_size 3000", MqttVersion.V311)]
    [InlineData("message_size_limit 3000", MqttVersion.V5)]
    public void An_alert_that_is_too_long_for_the_broker_is_counted_and_the_others_arrive(string limit, MqttVersion version)
    {
        using MqttBroker broker = new MqttBroker(limit).Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "nfr/#");
        using var bench = new FleetBench(broker.Port, o => o with { Version = version });
        bench.Append(7);
        bench.Append(1, padding: 6000);
        bench.Append(20);
        MqttEar.Until(() => bench.Output.Alerts + bench.Output.Refused == 28, $"all alerts: {bench.Output} {bench.Link.State}", 90);
        Assert.Equal((27, 1), (bench.Output.Alerts, bench.Output.Refused));
        // The broker acknowledges before its subscriber has read.
        MqttEar.Until(() => FleetBench.Numbers(ear).Count >= 27, "all of them at the subscriber", 60);
        Assert.Equal([.. Enumerable.Range(0, 28).Where(n => n != 7)], FleetBench.Numbers(ear));
        Assert.NotNull(bench.Output.LastRefusal);
        Assert.Contains(bench.Notices, n => System.Text.RegularExpressions.Regex.IsMatch(n, @"^fleet: alert \d+, c2_communication of 10\.0\.0\.1, does not reach "));
    }

    /// <summary>DISCONNECT would have the broker drop the will; and "offline" may not have reached it.</summary>
    [Theory]
    [InlineData(PaperReply.Taken, 1)]
    [InlineData(PaperReply.Nothing, 0)]
    public void A_broker_that_has_not_acknowledged_everything_is_left_to_give_out_the_will(int reply, int goodbyes)
    {
        using var broker = new PaperBroker { Reply = (topic, _) => topic == s_alert ? reply : PaperReply.Taken };
        using (var bench = new FleetBench(broker.Port, o => o with { Patience = TimeSpan.FromMinutes(5) }))
        {
            bench.Append(3);
            MqttEar.Until(() => broker.Of(s_alert).Count() == 3, $"the alerts: {bench.Link.State}", 60);
            if (reply == PaperReply.Taken) MqttEar.Until(() => bench.Output.Alerts == 3, $"their acknowledgements: {bench.Output}", 60);
        }
        MqttEar.Until(() => broker.Open == 0, "the end of the connection", 60);
        Assert.Equal("offline", broker.Of(FleetBench.Topics.Of(FleetTopic.Status)).Last());
        Assert.Equal(goodbyes, broker.Goodbyes.Count);
    }

    [BrokerFact]
    public void That_nobody_listens_to_alerts_is_remarked_until_somebody_does()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var bench = new FleetBench(broker.Port);
        bench.Append(1);
        MqttEar.Until(() => bench.Output.Alerts == 1, $"the alert: {bench.Link.State}", 60);
        Assert.Contains("nobody who listens to nfr/test/box1/alert", bench.Link.State.Remark, StringComparison.Ordinal);
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "nfr/#");
        bench.Append(1);
        MqttEar.Until(() => FleetBench.Numbers(ear).Contains(1) && bench.Link.State.Remark is null, $"no remark: {bench.Link.State}", 60);
    }

    [BrokerTheory]
    [InlineData(0x90)]
    [InlineData(0x99)]
    public void An_alert_that_is_refused_for_good_by_its_PUBACK_is_passed_by(int reason)
    {
        using var broker = new PaperBroker { Reply = (_, text) => text.Contains("a3.example", StringComparison.Ordinal) ? reason : PaperReply.Taken };
        using var bench = new FleetBench(broker.Port);
        bench.Append(10);
        MqttEar.Until(() => bench.Output.Alerts + bench.Output.Refused == 10, $"all alerts: {bench.Output} {bench.Link.State}", 60);
        Assert.Equal((9, 1), (bench.Output.Alerts, bench.Output.Refused));
        Assert.Contains($"reason {reason:X2}", bench.Output.LastRefusal, StringComparison.Ordinal);
        Assert.Single(broker.Of(s_alert), t => t.Contains("a3.example", StringComparison.Ordinal));
    }

    [BrokerFact]
    public void For_good_are_only_reasons_that_stay_the_same()
    {
        foreach (int reason in new[] { 0x90, 0x95, 0x99 }) Assert.Contains($"reason {reason:X2}", FleetWords.Never(reason), StringComparison.Ordinal);
        foreach (int reason in new[] { 0x80, 0x83, 0x87, 0x91, 0x97 })
        {
            Assert.Null(FleetWords.Never(reason));
            Assert.NotEmpty(FleetWords.NotNow(reason));
        }
    }

    [BrokerTheory]
    [InlineData(0x83)]
    [InlineData(0x97)]
    public void An_alert_that_is_refused_for_now_comes_again(int reason)
    {
        int times = 0;
        using var broker = new PaperBroker { Reply = (_, text) => text.Contains("a3.example", StringComparison.Ordinal) && Interlocked.Increment(ref times) <= 2 ? reason : PaperReply.Taken };
        using var bench = new FleetBench(broker.Port);
        bench.Append(10);
        MqttEar.Until(() => bench.Output.Alerts == 10, $"all alerts: {bench.Output} {bench.Link.State}", 60);
        Assert.Equal((0, 3), (bench.Output.Refused, times));
        Assert.Equal(2, bench.Output.FailedWrites);
    }

    [BrokerFact]
    public void A_broker_that_closes_at_every_alert_loses_none()
    {
        bool closes = true;
        using var broker = new PaperBroker { Reply = (topic, _) => Volatile.Read(ref closes) && topic == s_alert ? PaperReply.Close : PaperReply.Taken };
        using var bench = new FleetBench(broker.Port, o => o with { Version = MqttVersion.V311 });
        bench.Append(10);
        FleetState told = bench.Link.State;
        MqttEar.Until(() => (told = bench.Link.State).Trouble?.Contains("closes the connection whenever an alert comes", StringComparison.Ordinal) == true, $"a trouble: {bench.Link.State}", 90);
        Assert.Contains("ACL", told.Advice, StringComparison.Ordinal);
        Assert.Equal((0, 0), (bench.Output.Alerts, bench.Output.Refused));
        Volatile.Write(ref closes, false);
        MqttEar.Until(() => bench.Output.Alerts == 10, $"all alerts: {bench.Output} {bench.Link.State}", 60);
        Assert.Equal(0, bench.Output.Refused);
    }
}
