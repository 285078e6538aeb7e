using System.Runtime.Versioning;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Which MQTT is spoken, and who finds it out.</summary>
[SupportedOSPlatform("linux")]
public sealed class FleetVersionTests
{
    static readonly MqttEnd s_refuses = new(MqttEndKind.Refused, 0x84, ""), s_closes = new(MqttEndKind.Lost, 7, ""), s_silent = new(MqttEndKind.Silent, 0, "");

    [Fact]
    public void A_broker_that_refuses_5_is_spoken_to_in_3_1_1_for_the_life_of_the_process()
    {
        var version = new FleetVersion(null);
        Assert.Equal(MqttVersion.V5, version.Current);
        Assert.True(version.Ended(s_refuses));
        Assert.Equal(MqttVersion.V311, version.Current);
        Assert.False(version.FellBack);
        version.Worked();
        Assert.True(version.FellBack);
        for (int i = 0; i < 10; i++) Assert.False(version.Ended(s_closes));
        Assert.Equal(MqttVersion.V311, version.Current);
    }

    [Fact]
    public void A_broker_that_closes_without_a_word_means_the_version_only_after_three_times_and_never_once_it_worked()
    {
        var version = new FleetVersion(null);
        Assert.False(version.Ended(s_closes));
        Assert.False(version.Ended(s_silent));
        Assert.False(version.Ended(s_closes));
        Assert.True(version.Ended(s_closes));
        Assert.Equal(MqttVersion.V311, version.Current);
        // It was not the version after all.
        for (int i = 0; i < 3; i++) version.Ended(s_closes);
        Assert.Equal(MqttVersion.V5, version.Current);
        version.Worked();
        for (int i = 0; i < 10; i++) Assert.False(version.Ended(s_closes));
        Assert.Equal(MqttVersion.V5, version.Current);
    }

    [Fact]
    public void What_the_configuration_says_is_spoken_and_nothing_else()
    {
        foreach (MqttVersion forced in new[] { MqttVersion.V311, MqttVersion.V5 })
        {
            var version = new FleetVersion(forced);
            for (int i = 0; i < 10; i++) Assert.False(version.Ended(i % 2 == 0 ? s_refuses : s_closes));
            Assert.Equal(forced, version.Current);
        }
    }

    [BrokerFact]
    public void An_old_broker_is_found_to_be_one_within_one_more_try_and_that_is_said()
    {
        using var broker = new PaperBroker { Connack = level => level == 5 ? [0x20, 2, 0, 1] : [0x20, 2, 0, 0] };
        using var bench = new FleetBench(broker.Port);
        bench.Append(3);
        MqttEar.Until(() => bench.Output.Alerts == 3, $"the alerts: {bench.Link.State}", 60);
        FleetState state = bench.Link.State;
        Assert.Equal([5, 4], broker.Levels);
        Assert.Equal(("3.1.1", 0), (state.Version, state.FailedConnects));
        Assert.Contains("speaks MQTT 3.1.1 only", state.Remark, StringComparison.Ordinal);
        Assert.Contains(bench.Notices, n => n.Contains("does not speak MQTT 5; 3.1.1 is tried", StringComparison.Ordinal));
        broker.Cut();
        MqttEar.Until(() => bench.Link.State.Connects == 2, "it comes back", 60);
        Assert.Equal([5, 4, 4], broker.Levels);
        Assert.Single(bench.Notices, n => n.Contains("no broker can say that its ACL forbids an alert", StringComparison.Ordinal));
    }

    [BrokerFact]
    public void A_broker_of_today_is_spoken_to_in_5_and_there_is_nothing_to_remark()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var bench = new FleetBench(broker.Port);
        MqttEar.Until(() => bench.Link.State.IsConnected, "connected", 60);
        Assert.Equal(("5", null), (bench.Link.State.Version, bench.Link.State.Remark));
    }

    [BrokerFact]
    public void A_broker_that_takes_neither_version_is_said_to()
    {
        using var broker = new PaperBroker { Connack = _ => [0x20, 2, 0, 1] };
        using var bench = new FleetBench(broker.Port);
        MqttEar.Until(() => bench.Link.State.Trouble is not null, "a trouble", 60);
        Assert.Contains("speaks neither MQTT 5 nor 3.1.1", bench.Link.State.Trouble, StringComparison.Ordinal);
    }
}
