using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>The test on first contacts, by ip events.</summary>
public sealed class PortScanTests
{
    [Theory]
    [InlineData(ConnectionState.S0)]
    [InlineData(ConnectionState.REJ)]
    [InlineData(ConnectionState.RSTOS0)]
    [InlineData(ConnectionState.SH)]
    public void The_simulators_scan_is_one_alert_within_two_seconds(ConnectionState state)
    {
        using var run = new Simulated();
        run.RunScan(state);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal("outbound_port_scan", alert.Threats[0].Id);
        Assert.Equal("10.1.2.3", alert.Event.SrcIP);
        Assert.InRange(alert.Evidence!.Facts.Single(v => v.Name == "seconds").Number, 0, 2);
    }

    [Fact]
    public void A_sweep_of_one_port_over_many_hosts_is_a_scan()
    {
        using var run = new Simulated();
        for (uint i = 0; i < 10; i++) run.Ip(Address.FromV4(0xCB007100 + i), 445, ConnectionState.S0);
        Assert.Equal(["outbound_port_scan"], run.ThreatIds);
    }

    [Fact]
    public void A_scan_between_home_addresses_is_internal()
    {
        using var run = new Simulated();
        for (uint i = 0; i < 10; i++) run.Ip(Address.FromV4(0x0A020000 + i), 22, ConnectionState.REJ);
        Assert.Equal(["internal_port_scan"], run.ThreatIds);
    }

    [Fact]
    public void A_browser_that_opens_many_connections_is_no_scan()
    {
        using var run = new Simulated();
        var random = new Random(1);
        for (int i = 0; i < 3000; i++)
        {
            bool dead = random.Next(10) == 0;
            run.Ip(Address.FromV4(0x08000000 + (uint)random.Next(1 << 20)), (ushort)(random.Next(4) == 0 ? 80 : 443), dead ? ConnectionState.S0 : ConnectionState.SF, dead ? 0 : 700, dead ? 0 : 9000);
            run.Wait(200 * Simulated.Millisecond);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void One_dead_server_tried_again_and_again_is_no_scan()
    {
        using var run = new Simulated();
        for (int i = 0; i < 500; i++)
        {
            Assert.Equal(0, run.Ip(Simulated.Outside, 8883, ConnectionState.S0));
            run.Wait(Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void Dead_peers_each_on_a_port_of_its_own_are_no_scan()
    {
        using var run = new Simulated();
        var random = new Random(2);
        for (int i = 0; i < 150; i++)
        {
            run.Ip(Address.FromV4(0x2E000000 + (uint)random.Next(1 << 24)), (ushort)random.Next(10000, 65536), ConnectionState.S0);
            run.Wait(Simulated.Second);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void An_uplink_that_is_down_makes_no_scanners()
    {
        using var run = new Simulated();
        var random = new Random(3);
        ushort[] ports = [443, 443, 80, 993, 22, 5228, 8883, 587];
        for (int i = 0; i < 600; i++)
        {
            run.Ip(Address.FromV4(0x2E000000 + (uint)random.Next(1 << 24)), ports[random.Next(ports.Length)], ConnectionState.S0, client: Address.FromV4(0x0A010000 + (uint)(i % 20)));
            run.Wait(50 * Simulated.Millisecond);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_scan_of_many_ports_is_found_while_the_uplink_is_down()
    {
        using var run = new Simulated();
        for (uint i = 0; i < 20; i++) run.Ip(Simulated.Outside, 443, ConnectionState.S0, client: Address.FromV4(0x0A010000 + i));
        run.RunScan();
        Assert.Equal(["10.1.2.3"], run.Alerts.Select(a => a.Event.SrcIP));
    }

    [Fact]
    public void A_mirror_of_one_direction_makes_no_scanners()
    {
        using var run = new Simulated();
        // Only the client's packets are seen: SYN, ACK, data. No answer ever shows, yet there was one.
        for (uint i = 0; i < 200; i++) run.Ip(Address.FromV4(0x08080000 + i), 22, i % 4 == 0 ? ConnectionState.SH : ConnectionState.S0, payloadOut: i % 2 == 0 ? 500 : 0, flags: 2 | 16);
        Assert.Empty(run.Alerts);
    }

    [Theory]
    [InlineData(20, 0, false)]
    [InlineData(8, 0, true)]
    [InlineData(20, 100, true)]
    public void Datagrams_without_an_answer_have_failed_unless_the_mirror_shows_one_direction(int oneSided, int answered, bool found)
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint i = 0; i < answered; i++) run.Ip(Address.FromV4(0x08080000 + i), 443, ConnectionState.SF, 500, 500);
        // A few odd connections of a quiet quarter of an hour say nothing.
        for (int i = 0; i < oneSided; i++) run.Ip(Simulated.Outside, 443, ConnectionState.S0, 500, flags: 2 | 16);
        ScanByDatagrams(run);
        Assert.Equal(found, run.Alerts.Count > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_strangers_send_does_not_make_a_mirror_one_sided(bool inbound)
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint i = 0; i < 100; i++)
        {
            // A SYN with a byte of data.
            var e = new IpEvent
            {
                Context = new EventContext { Tick = run.Tick, Source = Address.FromV4(0x2E00_0000 + i), SourcePort = 40_000, Destination = Simulated.Client, DestinationPort = 443, Protocol = 6 },
                State = ConnectionState.S0, PacketsOut = 1, BytesOut = 41, PayloadOut = 1, TcpFlags = 2,
            };
            if (inbound) run.Scorer.ScoreInbound(in e, run.Alerts);
            else run.Scorer.Score(in e, run.Alerts);
        }
        ScanByDatagrams(run);
        Assert.NotEmpty(run.Alerts);
    }

    [Fact]
    public void Connections_whose_packets_nobody_counted_do_not_make_a_mirror_one_sided()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (ushort i = 0; i < 100; i++)
        {
            // As a sensor uploads them that knows of bytes alone.
            var e = new IpEvent
            {
                Context = new EventContext { Tick = run.Tick, Source = Simulated.Client, SourcePort = i, Destination = Simulated.Outside, DestinationPort = 443, Protocol = 6 },
                BytesIn = 900, BytesOut = 500, PayloadIn = 900, PayloadOut = 500,
            };
            run.Scorer.Score(in e, run.Alerts);
        }
        ScanByDatagrams(run);
        Assert.NotEmpty(run.Alerts);
    }

    static void ScanByDatagrams(Simulated run)
    {
        for (uint i = 0; i < 40; i++) run.Ip(Address.FromV4(0xC0000200 + i), 161, ConnectionState.S0, 40, protocol: 17);
    }

    [Fact]
    public void A_slow_scan_of_one_contact_a_minute_is_found_within_ten_minutes()
    {
        using var run = new Simulated();
        for (uint i = 0; i < 10 && run.Alerts.Count == 0; i++)
        {
            run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
            run.Wait(60 * Simulated.Second);
        }
        Assert.Equal(["outbound_port_scan"], run.ThreatIds);
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(300, 6)]
    public void A_scan_is_told_at_its_fifth_failure_and_of_a_busy_client_at_its_sixth(int answered, int expected)
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        // The two failures by which a client gets its entry come first, so that the answers count.
        for (uint i = 0; i < 2 && answered > 0; i++) run.Ip(Address.FromV4(0x08080000 + i), 443, ConnectionState.S0);
        for (uint i = 0; i < answered; i++) run.Ip(Address.FromV4(0x08000000 + (i << 8)), 443, ConnectionState.SF, 500, 5000);
        int failures = 0;
        for (uint i = 0; i < 20 && run.Alerts.Count == 0; i++, failures++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        Assert.Equal(expected, failures);
        AlertEvidence evidence = run.Alerts[0].Evidence!;
        Assert.Equal(1, evidence.Score);
        Assert.Equal(EvidenceScore.Of(evidence.Features), evidence.Score);
    }

    [Fact]
    public void A_sweep_of_the_webs_own_port_through_a_network_is_a_scan()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint i = 0; i < 12; i++) run.Ip(Address.FromV4(0xCB007100 + i), 443, ConnectionState.S0);
        Assert.Equal(["outbound_port_scan"], run.ThreatIds);
        Assert.Contains(run.Alerts[0].Evidence!.Features, f => f.Name == "neighbouringHosts");
    }

    [Fact]
    public void A_scan_from_outside_is_told_low_and_only_a_few_sources_an_hour()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint source = 0; source < 500; source++)
        {
            for (uint i = 0; i < 6; i++) run.Ip(Address.FromV4(0x0A020000 + i), 22, ConnectionState.S0, client: Address.FromV4(0xCB000000 + source));
        }
        Assert.Equal(new Thresholds().ScanInboundAlerts, run.Alerts.Count);
        Assert.All(run.Alerts, a => Assert.Equal(("inbound_port_scan", 2), (a.Threats[0].Id, a.Severity)));
    }

    [Fact]
    public void Probes_with_impossible_flags_are_a_scan_even_when_they_are_answered()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (ushort port = 2000; port < 2005; port++) run.Ip(Simulated.Outside, port, ConnectionState.RSTR, notes: FlowNotes.Probe | FlowNotes.Midstream, flags: 0x15);
        Assert.Equal(["outbound_port_scan"], run.ThreatIds);
    }

    [Fact]
    public void Datagrams_without_answers_to_many_ports_of_one_host_are_a_scan()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (ushort port = 1000; port < 1012; port++) run.Ip(Simulated.Outside, port, ConnectionState.S0, protocol: 17, flags: 0xC0);
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal(("outbound_port_scan", 3), (alert.Threats[0].Id, alert.Severity));
    }

    [Fact]
    public void What_firewalls_drop_by_habit_is_no_udp_scan()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        var random = new Random(4);
        ushort[] ports = [443, 443, 443, 123, 53, 3478, 3479, 19302, 51820];
        for (int i = 0; i < 400; i++) run.Ip(Address.FromV4(0x2E000000 + (uint)random.Next(1 << 24)), ports[random.Next(ports.Length)], ConnectionState.S0, protocol: 17, flags: 0xC0);
        // traceroute: a port of its own for each of 90 datagrams.
        for (ushort port = 33434; port < 33524; port++) run.Ip(Simulated.Outside, port, ConnectionState.S0, protocol: 17, flags: 0xC0);
        // Peers of a distributed hash table, each on its own port.
        for (int i = 0; i < 400; i++) run.Ip(Address.FromV4(0x2E000000 + (uint)random.Next(1 << 24)), (ushort)random.Next(10000, 65536), ConnectionState.S0, protocol: 17, flags: 0xC0, client: Simulated.Parse("10.1.2.4"));
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_mirror_of_one_direction_makes_no_udp_scanners()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (int i = 0; i < 20; i++) run.Ip(Simulated.Outside, 443, ConnectionState.S0, payloadOut: 500, flags: 2 | 16);
        for (ushort port = 1000; port < 1100; port++)
        {
            run.Ip(Simulated.Outside, 443, ConnectionState.S0, payloadOut: 500, flags: 2 | 16);
            run.Ip(Simulated.Outside, port, ConnectionState.S0, protocol: 17, flags: 0xC0);
        }
        Assert.Empty(run.Alerts);
    }

    [Fact]
    public void A_flood_of_forged_sources_pushes_out_no_scanner_in_progress()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint i = 0; i < 3; i++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        for (uint i = 0; i < 100_000; i++) run.Ip(Simulated.Outside, 81, ConnectionState.S0, client: Address.FromV4(0x0A800000 + i));
        run.Ip(Simulated.Outside, 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.5.5.5"));
        Assert.Equal((1, 0), (run.Scorer.Stats.Tracked, run.Scorer.Stats.TrackedEvicted));
        Assert.Empty(run.Alerts);
        for (uint i = 3; i < 5; i++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        Assert.Equal(["10.1.2.3"], run.Alerts.Select(a => a.Event.SrcIP));
    }

    [Fact]
    public void A_hundred_thousand_sources_that_each_fail_once_are_all_remembered()
    {
        using var run = new Simulated(new Thresholds { AlertStock = 100_000 }, Detectors.PortScan);
        const uint Sources = 100_000;
        run.Ip(Simulated.Outside, 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.5.5.5"));
        for (uint i = 0; i < 5; i++)
        {
            // One contact of each source after the other's: every one of them is in progress at a time.
            for (uint source = 0; source < Sources; source += i == 0 ? 1u : 10u) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0, client: Address.FromV4(0x0A800000 + source));
        }
        // Every tenth of them scans on: a few are lost where eight newer ones fell into their bucket.
        Assert.InRange(run.Alerts.Count, 9000, 10_000);
    }

    [Fact]
    public void Forged_sources_that_fail_twice_each_leave_a_scanner_of_three_failures_alone()
    {
        using var run = new Simulated(enabled: Detectors.PortScan);
        for (uint i = 0; i < 3; i++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        for (uint i = 0; i < 100_000; i++)
        {
            run.Ip(Simulated.Outside, 81, ConnectionState.S0, client: Address.FromV4(0x0A800000 + i));
            run.Ip(Simulated.Outside, 82, ConnectionState.S0, client: Address.FromV4(0x0A800000 + i));
        }
        Assert.True(run.Scorer.Stats.TrackedEvicted > 60_000);
        run.Ip(Simulated.Outside, 443, ConnectionState.SF, 500, 500, client: Simulated.Parse("10.5.5.5"));
        for (uint i = 3; i < 5; i++) run.Ip(Address.FromV4(0xCB007100 + i), 3389, ConnectionState.S0);
        Assert.Equal(["10.1.2.3"], run.Alerts.Select(a => a.Event.SrcIP));
    }
}
