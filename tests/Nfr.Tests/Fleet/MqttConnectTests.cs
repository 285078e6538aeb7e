using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Nfr.Native;
using Nfr.Uplink;

namespace Nfr.Tests.Fleet;

/// <summary>Addresses that never answer: libmosquitto by itself would wait for two minutes.</summary>
[SupportedOSPlatform("linux")]
public sealed class MqttConnectTests
{
    sealed class Nobody : MqttListener
    {
        public override void Connected(bool sessionPresent)
        {
        }
    }

    [BrokerFact]
    public void A_connection_to_an_address_that_does_not_answer_is_given_up_in_time()
    {
        using var hole = new BlackHole();
        long from = Stopwatch.GetTimestamp();
        using MqttConnection connection = MqttConnection.Open(FleetBench.EarOptions(hole.Port) with { ConnectLimit = TimeSpan.FromSeconds(1) }, new Nobody());
        Assert.Equal((MqttEndKind.Unreachable, true), (connection.End.Kind, connection.End.Said.Contains("no answer within 1 s", StringComparison.Ordinal)));
        Assert.InRange(Stopwatch.GetElapsedTime(from).TotalSeconds, 0.9, 60);
    }

    [BrokerFact]
    public void Whoever_stops_does_not_wait_for_it()
    {
        using var hole = new BlackHole();
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        long from = Stopwatch.GetTimestamp();
        using MqttConnection connection = MqttConnection.Open(FleetBench.EarOptions(hole.Port) with { ConnectLimit = TimeSpan.FromMinutes(10), ConnectLimitInAll = TimeSpan.FromMinutes(10) }, new Nobody(), stop.Token);
        Assert.Equal(MqttEndKind.Unreachable, connection.End.Kind);
        Assert.True(Stopwatch.GetElapsedTime(from) < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void The_look_before_says_within_its_time_that_nobody_answers()
    {
        using var hole = new BlackHole();
        long from = Stopwatch.GetTimestamp();
        Assert.Equal(SocketError.TimedOut, TcpReach.Try("127.0.0.1", hole.Port, TimeSpan.FromSeconds(1), CancellationToken.None, out IPAddress? answers, out _));
        Assert.Null(answers);
        Assert.True(Stopwatch.GetElapsedTime(from) < TimeSpan.FromSeconds(60));
    }

    [Fact]
    public void The_look_before_finds_who_answers()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Assert.Null(FleetReach.Try("127.0.0.1", ((IPEndPoint)listener.LocalEndpoint).Port, CancellationToken.None, out IPAddress? answers, out TimeSpan each));
        Assert.Equal((IPAddress.Loopback, TimeSpan.FromSeconds(5)), (answers, each));
    }
}
