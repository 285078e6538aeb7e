using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>What the packages of 1998 looked for, as packets.</summary>
public sealed class OldAttacksTests(ITestOutputHelper output)
{
    const byte Syn = TcpFlags.Syn, Rst = TcpFlags.Rst, Ack = TcpFlags.Ack;

    static byte[] Tcp(string source, int sourcePort, string destination, int port, byte flags, uint sequence = 1000) =>
        Frames.IPv4(source, destination, IPProtocol.Tcp, Frames.Tcp(sourcePort, port, sequence, 0, flags, []));

    static byte[] Ping(string source, string destination, byte type = 8, int payload = 32) => OldAttacks.Ping(source, destination, type, payload);

    void Check(ScoredTraffic run, params string[] threats)
    {
        foreach (Alert alert in run.Alerts) output.WriteLine(alert.Evidence!.Summary);
        Assert.Equal(threats, run.ThreatIds);
        Assert.All(run.Alerts, a => Assert.True(a.Evidence!.Score >= a.Evidence.ScoreLimit));
    }

    [Theory]
    [InlineData("10.0.0.9", 139, 139)]
    [InlineData("10.0.0.9", 40_000, 139)]
    [InlineData("192.0.2.7", 80, 80)]
    public void Land_is_a_packet_from_a_host_to_itself(string address, int from, int to)
    {
        using var run = new ScoredTraffic();
        OldAttacks.Land(run, address, from, to);
        run.Wait(15);
        Check(run, "land_attack");
    }

    [Fact]
    public void A_captured_loopback_is_no_land()
    {
        using var run = new ScoredTraffic();
        foreach (string address in new[] { "127.0.0.1", "10.0.0.9" })
        {
            new TcpTalk(packet => run.Ip(packet), address, 40_000, address, 8080).Open().Client("hello").Server("yes").Close();
        }
        // "Host unreachable", said to itself.
        run.Ip(Ping("10.0.0.9", "10.0.0.9", type: 3));
        run.Wait(70);
        Check(run);
    }

    [Theory]
    [InlineData("203.0.113.5", "10.0.7.255", 3)]
    [InlineData("203.0.113.5", "10.0.7.0", 3)]
    [InlineData("10.0.7.9", "255.255.255.255", 2)]
    public void Smurf_is_an_echo_request_to_a_broadcast_address(string victim, string broadcast, int severity)
    {
        using var run = new ScoredTraffic();
        OldAttacks.Smurf(run, victim, broadcast);
        run.Wait(70);
        Check(run, "smurf_attack");
        Assert.Equal(severity, run.Alerts[0].Severity);
    }

    static readonly byte[] s_magic = [.. Enumerable.Repeat((byte)0xFF, 6), .. Enumerable.Repeat(new byte[] { 2, 0, 0, 0x11, 0x22, 0x33 }, 16).SelectMany(m => m)];

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    [InlineData(40_000)]
    public void Waking_a_machine_is_no_attack_whatever_port_it_uses(int port)
    {
        using var run = new ScoredTraffic(thresholds: new Thresholds { BadUdpPorts = [7, 9] });
        foreach (string broadcast in new[] { "255.255.255.255", "10.0.7.255" })
        {
            for (int i = 0; i < 3; i++) run.Ip(Frames.IPv4("10.0.0.5", broadcast, IPProtocol.Udp, [.. Frames.Udp(40_000, port, s_magic)]));
        }
        run.Wait(70);
        Check(run);
    }

    [Fact]
    public void Fraggle_is_a_datagram_to_the_echo_port_of_a_broadcast_address()
    {
        using var run = new ScoredTraffic();
        for (int i = 0; i < 10; i++) run.Ip(Frames.IPv4("203.0.113.5", "10.0.7.255", IPProtocol.Udp, [.. Frames.Udp(40_000, 7, new byte[102])]));
        run.Wait(70);
        Check(run, "smurf_attack");
    }

    [Fact]
    public void Smurf_is_found_by_its_victim_from_replies_that_nobody_asked_for()
    {
        using var run = new ScoredTraffic();
        OldAttacks.SmurfReplies(run);
        run.Wait(70);
        Check(run, "smurf_attack");
        Assert.Equal("10.0.0.5", run.Alerts[0].Event.SrcIP);
    }

    [Fact]
    public void Answers_to_pings_and_pings_of_ordinary_hosts_are_no_smurf()
    {
        using var run = new ScoredTraffic(Detectors.Smurf);
        for (int host = 1; host < 60; host++)
        {
            run.Ip(Ping("10.0.0.5", $"203.0.113.{host}"));
            run.Ip(Ping($"203.0.113.{host}", "10.0.0.5", type: 0));
        }
        run.Wait(70);
        Check(run);
    }

    [Fact]
    public void Answers_whose_questions_the_mirror_does_not_show_are_no_smurf()
    {
        using var run = new ScoredTraffic(Detectors.Smurf);
        void Talk(int server)
        {
            var talk = new TcpTalk(packet =>
            {
                if (packet[12] != 10) run.Ip(packet);
            }, "10.0.0.5", 40_000, $"192.0.2.{server}", 443);
            talk.Open().Client("hello").Server("yes").Close();
        }
        for (int server = 10; server < 40; server++) Talk(server);
        run.Wait(400);
        for (int host = 1; host < 60; host++) run.Ip(Ping($"203.0.113.{host}", "10.0.0.5", type: 0));
        Talk(40);
        run.Wait(70);
        Check(run);
    }

    [Fact]
    public void One_connection_that_looks_one_sided_among_many_hides_no_smurf()
    {
        using var run = new ScoredTraffic(Detectors.Smurf);
        for (int i = 0; i < 20; i++) new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_000 + i, "192.0.2.1", 443).Open().Client("hello").Server("yes").Close();
        run.Ip(Frames.IPv4("192.0.2.9", "10.0.0.5", IPProtocol.Tcp, Frames.Tcp(443, 50_000, 1000, 1000, Ack, "data"u8.ToArray())));
        run.Wait(10);
        for (int host = 1; host < 60; host++) run.Ip(Ping($"203.0.113.{host}", "10.0.0.5", type: 0));
        run.Wait(70);
        Check(run, "smurf_attack");
    }

    [Theory]
    [InlineData(8)]
    [InlineData(0)]
    public void Icmpfrag_is_a_ping_in_fragments(int type)
    {
        using var run = new ScoredTraffic();
        OldAttacks.FragmentedPing(run, (byte)type);
        run.Wait(70);
        Check(run, "fragmented_icmp");
        Assert.Equal(2, run.Alerts[0].Severity);
    }

    [Fact]
    public void The_ping_of_death_reaches_beyond_the_largest_datagram()
    {
        using var run = new ScoredTraffic();
        OldAttacks.PingOfDeath(run);
        run.Wait(40);
        Check(run, "fragment_attack");
    }

    [Fact]
    public void Teardrop_is_a_fragment_within_another()
    {
        using var run = new ScoredTraffic();
        OldAttacks.Teardrop(run);
        run.Wait(5);
        Check(run, "fragment_attack");
    }

    [Fact]
    public void Many_resets_are_a_scan_by_implication()
    {
        using var run = new ScoredTraffic(Detectors.ManyResets);
        OldAttacks.Refused(run);
        run.Wait(10);
        Check(run, "many_resets");
    }

    [Fact]
    public void Resets_to_one_whose_packets_were_forged_are_told()
    {
        using var run = new ScoredTraffic();
        OldAttacks.ForgedResets(run);
        run.Wait(10);
        Check(run, "many_resets");
    }

    [Fact]
    public void Strangers_whom_one_server_refuses_are_one_alert_and_few_of_them_none()
    {
        using var run = new ScoredTraffic(Detectors.ManyResets);
        for (int stranger = 1; stranger < 20; stranger++)
        {
            for (int port = 1; port < 60; port++)
            {
                run.Ip(Tcp($"203.0.113.{stranger}", 40_000, "10.0.0.5", port, Syn));
                run.Ip(Tcp("10.0.0.5", port, $"203.0.113.{stranger}", 40_000, Rst | Ack));
            }
            run.Ip(Tcp($"198.51.100.{stranger}", 40_000, "10.0.0.6", 23, Syn));
            run.Ip(Tcp("10.0.0.6", 23, $"198.51.100.{stranger}", 40_000, Rst | Ack));
            run.Wait(70);
        }
        Check(run, "many_resets");
        Assert.Equal("outside 10.0.0.5", run.Alerts[0].Evidence!.Key);
    }

    [Fact]
    public void A_browser_whose_servers_reset_what_they_have_answered_is_quiet()
    {
        using var run = new ScoredTraffic();
        for (int i = 0; i < 100; i++)
        {
            new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_000 + i, "192.0.2.1", 443).Open().Client("hello").Server("yes").Segment(1, Rst);
        }
        run.Wait(10);
        Check(run);
    }

    [Theory]
    [InlineData(12345, false, 1)]
    [InlineData(31337, true, 2)]
    [InlineData(19, true, 2)]
    public void A_bad_port_is_told_and_told_higher_when_it_answers(int port, bool answers, int severity)
    {
        using var run = new ScoredTraffic();
        OldAttacks.BadPort(run, port, answers);
        run.Wait(15);
        Check(run, "bad_port");
        Assert.Equal(severity, run.Alerts[0].Severity);
    }

    [Fact]
    public void The_list_of_bad_ports_is_the_sites_own()
    {
        using var run = new ScoredTraffic(thresholds: new Thresholds { BadTcpPorts = [8081], BadUdpPorts = [] });
        new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_000, "192.0.2.1", 8081).Open().Client("x").Close();
        new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_001, "192.0.2.1", 12345).Open().Client("x").Close();
        run.Wait(15);
        Check(run, "bad_port");
    }

    [Fact]
    public void One_outside_host_against_many_inside_is_a_host_scan_and_against_many_ports_a_port_scan()
    {
        using var run = new ScoredTraffic();
        OldAttacks.HostScan(run);
        OldAttacks.PortScan(run);
        run.Wait(15);
        Check(run, "inbound_port_scan", "inbound_port_scan");
        Assert.Equal(["203.0.113.5", "203.0.113.6"], run.Alerts.Select(a => a.Event.SrcIP).Order());
    }
}
