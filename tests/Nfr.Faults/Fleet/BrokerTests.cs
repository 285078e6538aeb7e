using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Nfr.Native;
using Nfr.Tests;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Fleet;

/// <summary>Brokers that go, hang, refuse or say nothing: each alert arrives all the same once a broker is well, and who appends them never waits.</summary>
[SupportedOSPlatform("linux")]
public sealed class BrokerTests(ITestOutputHelper output)
{
    [BrokerTheory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public void No_alert_is_lost_however_often_a_broker_with_client_certificates_restarts(MqttVersion version)
    {
        using var certificates = new MqttCertificates();
        using MqttBroker broker = new MqttBroker(certificates.Options(certificates.Broker)).Start();
        MqttTls tls = new(certificates.RootFile, certificates.Client.Certificate, certificates.Client.Key);
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port, version) with { Tls = tls }, "nfr/#");
        using var bench = new FleetBench(broker.Port, o => o with { Version = version, UseTls = true, Tls = new TlsSettings { Roots = tls.Roots, Certificate = tls.Certificate, Key = tls.Key } });
        int restarts = Tier.Of(5, 50);
        long slowest = 0;
        for (int i = 0; i < restarts; i++)
        {
            slowest = Math.Max(slowest, Append(bench, 130));
            // In the middle of a page, just connected, or wherever the link is between two tries.
            if (i % 3 == 0) MqttEar.Until(() => bench.Output.Alerts >= (i * 150) + 50, $"some alerts in round {i}: {bench.Link.State}", 60);
            else if (i % 3 == 1) MqttEar.Until(() => bench.Link.State.IsConnected, $"a connection in round {i}: {bench.Link.State}", 60);
            broker.Stop();
            slowest = Math.Max(slowest, Append(bench, 20));
            broker.Start();
        }
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == bench.Alerts, $"all {bench.Alerts} alerts: {FleetBench.Numbers(ear).Count} {bench.Link.State} {bench.Output}", 60);
        int all = ear.Of(FleetBench.Topics.Of(FleetTopic.Alert)).Count();
        output.WriteLine($"{version}: {restarts} restarts, {bench.Alerts} alerts, {all - bench.Alerts} doubled, {bench.Link.State.Connects} connections; the slowest commit took {slowest} ms");
        Assert.InRange(bench.Link.State.Connects, restarts * 2 / 3, restarts + 1);
        Assert.True(slowest < LongestCommit, $"{slowest} ms");
    }

    /// <summary>Milliseconds of a commit on a busy machine, far below what anything takes that waits for a broker.</summary>
    const long LongestCommit = 10_000;

    static long Append(FleetBench bench, int count)
    {
        long begin = Stopwatch.GetTimestamp();
        bench.Append(count);
        return (long)Stopwatch.GetElapsedTime(begin).TotalMilliseconds;
    }

    [BrokerFact]
    public void A_broker_that_is_paused_is_given_up_and_found_again()
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), "nfr/#");
        using var bench = new FleetBench(broker.Port, o => o with { Patience = TimeSpan.FromSeconds(1) });
        bench.Append(10);
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 10, "the first alerts");
        broker.Pause();
        try
        {
            Assert.True(Append(bench, 150) < LongestCommit);
            MqttEar.Until(() => bench.Link.State.Trouble is not null, "a trouble");
            Assert.Contains("says nothing any more", bench.Link.State.Trouble);
        }
        finally
        {
            broker.Continue();
        }
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 160, $"all alerts: {bench.Link.State}");
    }

    /// <summary>A port that takes connections and is never heard of again, then the real broker there.</summary>
    [BrokerFact]
    public void A_broker_that_never_answers_costs_nobody_anything_and_the_stop_is_quick()
    {
        using var deaf = new TcpListener(IPAddress.Loopback, 0);
        deaf.Start(64);
        using (var bench = new FleetBench(((IPEndPoint)deaf.LocalEndpoint).Port))
        {
            for (int i = 0; i < 20; i++) Assert.True(Append(bench, 10) < LongestCommit);
            MqttEar.Until(() => deaf.Pending(), "a try");
            Assert.False(bench.Link.State.IsConnected);
            Assert.Equal(0, bench.Output.Alerts);
            long begin = Stopwatch.GetTimestamp();
            bench.Link.Stop();
            Assert.True(Stopwatch.GetElapsedTime(begin) < TimeSpan.FromSeconds(3));
        }
    }

    [BrokerFact]
    public void A_wrong_authority_holds_alerts_back_until_it_is_right()
    {
        using var certificates = new MqttCertificates();
        using MqttBroker broker = new MqttBroker(certificates.Options(certificates.Broker)).Start();
        string roots = Path.Combine(broker.Folder, "trusted.pem");
        File.Copy(certificates.StrangerFile, roots);
        MqttTls tls = new(certificates.RootFile, certificates.Client.Certificate, certificates.Client.Key);
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port) with { Tls = tls }, "nfr/#");
        using var bench = new FleetBench(broker.Port, o => o with { UseTls = true, Tls = new TlsSettings { Roots = roots, Certificate = tls.Certificate, Key = tls.Key } });
        bench.Append(30);
        MqttEar.Until(() => bench.Link.State.Trouble is not null, "a trouble");
        Assert.Empty(FleetBench.Numbers(ear));
        File.Copy(certificates.RootFile, roots, overwrite: true);
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 30, $"all alerts: {bench.Link.State}");
    }

    /// <summary>MQTT 3.1.1 cannot forbid it, and the library would take 256 MiB for one message.</summary>
    [BrokerTheory]
    [InlineData(MqttVersion.V311)]
    [InlineData(MqttVersion.V5)]
    public void A_message_far_too_long_where_commands_come_neither_fills_memory_nor_stops_alerts(MqttVersion version)
    {
        using MqttBroker broker = new MqttBroker().Start();
        using var ear = new MqttEar(FleetBench.EarOptions(broker.Port), FleetBench.Topics.Of(FleetTopic.Alert));
        using var bench = new FleetBench(broker.Port, o => o with { Version = version });
        MqttEar.Until(() => bench.Link.State.IsConnected, "connected");
        ear.Say(FleetBench.Topics.Of(FleetTopic.Command), new byte[64 << 20]);
        bench.Append(30);
        MqttEar.Until(() => FleetBench.Numbers(ear).Count == 30, $"all alerts: {bench.Link.State}", 60);
        MqttEar.Until(() => bench.Link.State.IsConnected, $"connected: {bench.Link.State}");
    }
}
