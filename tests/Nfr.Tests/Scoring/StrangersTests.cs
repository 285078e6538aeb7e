using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>Who comes from outside, or only seems to: what is told of it, whom it names, and what it must not hide.</summary>
public sealed class StrangersTests
{
    const byte Tcp = 6, Udp = 17;
    static readonly Address s_server = Simulated.Parse("10.1.2.3");

    static Address Stranger(int i) => Address.FromV4(0xC6330000u + (uint)i);

    static IpEvent Flow(Simulated run, Address source, Address destination, ushort port, byte protocol = Tcp, long packetsOut = 5, long packetsIn = 5, long payload = 400, App app = App.Unknown,
        ReadOnlySpan<byte> ja3 = default) => new()
    {
        Context = new EventContext { Timestamp = Simulated.StampOfTickZero + run.Tick, Tick = run.Tick, Source = source, SourcePort = 40_000, Destination = destination, DestinationPort = port, Protocol = protocol },
        State = ConnectionState.SF, TcpFlags = 0x1B, PacketsOut = packetsOut, PacketsIn = packetsIn, PayloadOut = packetsOut > 0 ? payload : 0, PayloadIn = packetsIn > 0 ? payload : 0,
        BytesOut = packetsOut * 100, BytesIn = packetsIn * 100, App = app, Ja3 = ja3,
    };

    [Fact]
    public void A_visitors_fingerprint_is_his_own_matter_and_a_listed_visitor_is_told_once_a_day()
    {
        byte[] ja3 = Encoding.ASCII.GetBytes(new string('a', 32));
        using var run = new Simulated(lists: [("ja3.csv", "# ja3_md5,Firstseen,Lastseen,Listingreason\n" + new string('a', 32) + ",2020-01-01 00:00:00,2021-01-01 00:00:00,TrickBot\n"), ("c2.txt", "198.51.0.7\n")]);
        for (int i = 100; i < 200; i++) Assert.Equal(0, run.Scorer.ScoreInbound(Flow(run, Stranger(i), s_server, 443, ja3: ja3), run.Alerts));
        Assert.Empty(run.Alerts);
        for (int hour = 0; hour < 23; hour++)
        {
            Assert.Equal(2, run.Scorer.ScoreInbound(Flow(run, Stranger(7), s_server, 443), run.Alerts));
            run.Wait(3600 * Simulated.Second);
        }
        Assert.Equal(2, Assert.Single(run.Alerts).Severity);
        // One of ours with that fingerprint is told as ever.
        run.Scorer.Score(Flow(run, s_server, Stranger(300), 443, ja3: ja3), run.Alerts);
        Assert.Equal(2, run.Alerts.Count);
    }

    [Theory]
    [InlineData(Udp, 0, 3, 200, 0)]
    [InlineData(Tcp, 0, 3, 0, 0)]
    [InlineData(Tcp, 0, 3, 200, 5)]
    [InlineData(Udp, 1, 0, 200, 5)]
    public void What_nobody_here_asked_for_is_no_contact_with_a_listed_address(byte protocol, int packetsOut, int packetsIn, int payload, int severity)
    {
        using var run = new Simulated(lists: ("c2.txt", "198.51.0.7\n"));
        Assert.Equal(severity, run.Scorer.Score(Flow(run, s_server, Stranger(7), 443, protocol, packetsOut, packetsIn, payload), run.Alerts));
    }

    [Fact]
    public void Strangers_use_up_no_stock_of_what_happens_inside()
    {
        using var run = new Simulated(new Thresholds { AlertStock = 5 }, lists: ("c2.txt", string.Join('\n', Enumerable.Range(1, 60).Select(i => Stranger(i).ToString()))));
        for (int i = 1; i < 50; i++) run.Scorer.ScoreInbound(Flow(run, Stranger(i), s_server, 443), run.Alerts);
        Assert.Equal(5, run.Alerts.Count);
        Assert.Equal(5, run.Scorer.Score(Flow(run, s_server, Stranger(55), 443), run.Alerts));
        Assert.Equal(5, run.Alerts[^1].Severity);
        Assert.Equal(6, run.Alerts.Count);
    }

    [Fact]
    public void A_server_that_mail_comes_to_may_send_mail_to_many()
    {
        using var run = new Simulated(enabled: Detectors.Spam);
        run.Scorer.ScoreInbound(Flow(run, Stranger(1), s_server, 25), run.Alerts);
        for (int i = 10; i < 60; i++) run.Scorer.Score(Flow(run, s_server, Stranger(i), 25), run.Alerts);
        Assert.Empty(run.Alerts);
        // One that none comes to is told.
        for (int i = 10; i < 60; i++) run.Scorer.Score(Flow(run, Simulated.Parse("10.1.2.4"), Stranger(i), 25), run.Alerts);
        Assert.Contains("spam_sending", run.ThreatIds);
    }

    [Fact]
    public void A_back_door_that_answers_strangers_is_one_finding_of_the_machine()
    {
        using var run = new Simulated(enabled: Detectors.BadPorts);
        for (int i = 1; i < 40; i++) Assert.Equal(2, run.Scorer.ScoreInbound(Flow(run, Stranger(i), s_server, 31337), run.Alerts));
        Assert.StartsWith("10.1.2.3 TCP 31337", Assert.Single(run.Alerts).Evidence!.Key, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_speaks_itself_and_its_peers_are_not_told()
    {
        using var run = new Simulated(enabled: Detectors.Mining);
        // Peers that have a wrong address: nothing is answered.
        for (int i = 1; i < 40; i++) Assert.Equal(0, run.Scorer.Score(Flow(run, s_server, Stranger(i), 30303, Udp, packetsOut: 0, app: App.Ethereum), run.Alerts));
        for (int i = 1; i < 40; i++) Assert.Equal(3, run.Scorer.Score(Flow(run, Stranger(i), s_server, 30303, Udp, app: App.Ethereum), run.Alerts));
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("cryptomining", 3, "10.1.2.3 ethereum"), (alert.Threats[0].Id, alert.Severity, alert.Evidence!.Key));
        for (int i = 1; i < 40; i++) Assert.Equal(3, run.Scorer.Score(Flow(run, s_server, Stranger(i), 30303, Udp, app: App.Monero), run.Alerts));
        Assert.Equal(2, run.Alerts.Count);
    }

    [Fact]
    public void Web_servers_that_are_known_by_name_alone_are_not_taken_for_one()
    {
        using var run = new Simulated(enabled: Detectors.HttpFailures);
        for (int i = 0; i < 40; i++)
        {
            byte[] url = Encoding.ASCII.GetBytes($"http://site{i}.example/p{i}");
            var e = new HttpEvent { Context = new EventContext { Tick = run.Tick, Source = s_server }, Url = url, Method = "GET"u8, Status = 404 };
            run.Scorer.Score(in e, run.Alerts);
        }
        Assert.Empty(run.Alerts);
        for (int i = 0; i < 40; i++)
        {
            byte[] url = Encoding.ASCII.GetBytes($"http://one.example/p{i}");
            var e = new HttpEvent { Context = new EventContext { Tick = run.Tick, Source = s_server }, Url = url, Method = "GET"u8, Status = 404 };
            run.Scorer.Score(in e, run.Alerts);
        }
        Assert.Contains("one.example", Assert.Single(run.Alerts).Evidence!.Summary, StringComparison.Ordinal);
    }
}
