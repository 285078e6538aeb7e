using System.Text;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>Volumes, ports, long sessions and policies.</summary>
public sealed class FlowPolicyTests : IDisposable
{
    const long Megabyte = 1_000_000, Minute = 60 * Simulated.Second, Hour = 60 * Minute;
    readonly Simulated _run = new(enabled: Detectors.TransferVolume | Detectors.UploadVolume | Detectors.LongSession | Detectors.PortUse | Detectors.PolicyApps | Detectors.TorNames | Detectors.PeerFanOut);

    public void Dispose() => _run.Dispose();

    int Flow(ushort port, App app, long payloadOut = 500, long payloadIn = 500, Address? server = null, FlowNotes notes = FlowNotes.None, long duration = 0, ushort sourcePort = 40_000, byte protocol = 6,
        Address? client = null)
    {
        var e = new IpEvent
        {
            Context = new EventContext { Tick = _run.Tick, Source = client ?? Simulated.Client, Destination = server ?? Simulated.Outside, SourcePort = sourcePort, DestinationPort = port, Protocol = protocol },
            State = ConnectionState.SF, App = app, Notes = notes, Duration = duration, PacketsIn = payloadIn > 0 ? 5 : 0, PacketsOut = 5, PayloadOut = payloadOut, PayloadIn = payloadIn, BytesOut = payloadOut + 200,
            BytesIn = payloadIn + (payloadIn > 0 ? 200 : 0), TcpFlags = 0x1B,
        };
        return _run.Scorer.Score(in e, _run.Alerts);
    }

    int Tls(string sni, string issuer = "", string subject = "", string alpn = "", Address? server = null)
    {
        var e = new TlsEvent
        {
            Context = new EventContext { Tick = _run.Tick, Source = Simulated.Client, Destination = server ?? Simulated.Outside, SourcePort = 40_000, DestinationPort = 443, Protocol = 6 },
            Sni = Encoding.ASCII.GetBytes(sni), Issuer = Encoding.ASCII.GetBytes(issuer), Subject = Encoding.ASCII.GetBytes(subject), Alpn = Encoding.ASCII.GetBytes(alpn),
        };
        return _run.Scorer.Score(in e, _run.Alerts);
    }

    IEnumerable<(string Id, int Severity)> Raised => _run.Alerts.Select(a => (a.Threats[0].Id, a.Severity));

    [Theory]
    [InlineData(443)]
    [InlineData(465)]
    [InlineData(993)]
    [InlineData(995)]
    [InlineData(53)]
    public void Data_by_ssh_on_a_port_of_another_protocol_is_high(ushort port)
    {
        // Two flows of 100 MiB each, as the simulator's ssh-exfil.
        for (int flow = 0; flow < 2; flow++) Flow(port, App.Ssh, 105 * Megabyte, Megabyte, sourcePort: (ushort)(40_000 + flow));
        Assert.Contains(("high_volume_ssh", 4), Raised);
        Alert alert = _run.Alerts.Single(a => a.Threats[0].Id == "high_volume_ssh");
        Assert.Equal(1, alert.Evidence!.Score);
        Assert.True(alert.Evidence.Features[0].Value >= alert.Evidence.Features[0].Limit);
    }

    [Fact]
    public void A_transfer_by_ssh_climbs_the_ladder_while_it_runs()
    {
        for (int slice = 0; slice < 20; slice++)
        {
            Flow(22, App.Ssh, 10 * Megabyte, Megabyte, notes: FlowNotes.ActiveTimeout, duration: Minute);
            _run.Wait(Minute);
            if (slice == 2) Assert.Equal([("high_volume_ssh", 1)], Raised);
        }
        Assert.Equal([("high_volume_ssh", 1), ("high_volume_ssh", 3)], Raised);
    }

    [Fact]
    public void An_exfiltration_by_ssh_is_told_while_it_runs()
    {
        using var run = new ScoredTraffic();
        var talk = new TcpTalk(packet => run.Ip(packet), "10.0.0.5", 40_000, "203.0.113.7", 443);
        talk.Open().Server("SSH-2.0-OpenSSH_9.2\r\n").Client("SSH-2.0-libssh2_1.11\r\n");
        byte[] part = new byte[1400];
        new Random(1).NextBytes(part);
        for (int i = 0; i < 6000 && !run.ThreatIds.Contains("high_volume_ssh"); i++)
        {
            talk.Segment(0, TcpTalk.Ack, part);
            if (i % 4 == 0) talk.Segment(1, TcpTalk.Ack);
        }
        Alert alert = run.Alerts.Single(a => a.Threats[0].Id == "high_volume_ssh");
        Assert.Equal(4, alert.Severity);
        Assert.InRange(alert.Evidence!.Features[0].Value, 4 << 20, 6e6);
    }

    [Fact]
    public void Ssh_on_a_port_that_nothing_uses_is_medium_and_a_log_in_or_a_download_nothing()
    {
        Assert.Equal(0, Flow(22, App.Ssh, 4000, 9000));
        Assert.Equal(0, Flow(22, App.Ssh, Megabyte, 900 * Megabyte));
        Assert.Equal(0, Flow(22, App.Ssh, 900 * Megabyte, Megabyte, server: Simulated.Parse("10.9.9.9")));
        Assert.Empty(_run.Alerts);
        Assert.Equal(3, Flow(31_337, App.Ssh, 6 * Megabyte, Megabyte, server: Simulated.Parse("198.51.100.3")));
        Assert.Equal([("high_volume_ssh", 3)], Raised);
    }

    [Fact]
    public void Much_by_ftp_is_medium_whatever_its_data_port()
    {
        Flow(21, App.Ftp, 800, 2000);
        for (ushort i = 0; i < 6; i++) Flow((ushort)(50_000 + i), App.FtpData, 10 * Megabyte, 0);
        Assert.Equal([("high_volume_ftp", 3)], Raised);
    }

    [Fact]
    public void A_session_that_lasts_is_told_at_eight_hours_and_at_a_day()
    {
        for (int slice = 0; slice < 60; slice++)
        {
            Flow(4430, App.Unknown, 5000, 5000, notes: FlowNotes.ActiveTimeout, duration: 30 * Minute);
            _run.Wait(30 * Minute);
        }
        Assert.Equal([("long_session", 1), ("long_session", 2)], Raised);
    }

    [Theory]
    [InlineData(50, true)]
    [InlineData(0, false)]
    public void A_session_that_is_silent_when_it_becomes_long_is_told_when_it_is_heard_again(int gapMinutes, bool heard)
    {
        // Seven and three quarter hours; then nothing for a while, or half an hour in which the server is not heard.
        for (int slice = 0; slice < 31; slice++) Slice(15 * Minute, 5000);
        _run.Wait(gapMinutes * Minute);
        Slice(30 * Minute, heard ? 5000 : 0);
        Assert.Equal(heard ? 1 : 0, _run.Alerts.Count);
        for (int slice = 0; slice < 6; slice++) Slice(30 * Minute, 5000);
        Assert.Equal([("long_session", 1)], Raised);

        void Slice(long length, long payloadIn)
        {
            Flow(4430, App.Unknown, 5000, payloadIn, notes: FlowNotes.ActiveTimeout, duration: length);
            _run.Wait(length);
        }
    }

    [Fact]
    public void A_client_that_calls_again_whenever_its_long_session_ends_is_told_once_a_day()
    {
        for (ushort session = 0; session < 10; session++)
        {
            Flow(4430, App.Unknown, 5000, 5000, duration: 9 * Hour, sourcePort: (ushort)(40_000 + session));
            _run.Wait(9 * Hour);
        }
        // 90 hours.
        Assert.InRange(_run.Alerts.Count, 3, 4);
        Flow(4431, App.Unknown, 5000, 5000, duration: 9 * Hour);
        Assert.InRange(_run.Alerts.Count, 4, 5);
    }

    [Fact]
    public void The_addresses_behind_one_name_are_one_long_session_a_day()
    {
        using var run = new Simulated(enabled: Detectors.LongSession | Detectors.Beaconing);
        for (uint i = 0; i < 2; i++)
        {
            Address server = Address.FromV4(0x2E00_0000 + i);
            run.Dns("remote.desk-of-somebody.com", answers: (1, server.ToString()));
            var e = new IpEvent
            {
                Context = new EventContext { Tick = run.Tick, Source = Simulated.Client, Destination = server, SourcePort = 40_000, DestinationPort = 4430, Protocol = 6 }, Duration = 9 * Hour,
                State = ConnectionState.SF, PacketsIn = 9, PacketsOut = 9, BytesIn = 900, BytesOut = 900, PayloadIn = 400, PayloadOut = 400,
            };
            run.Scorer.Score(in e, run.Alerts);
            run.Wait(9 * Hour);
        }
        Alert alert = Assert.Single(run.Alerts);
        Assert.Equal($"{Simulated.Client} desk-of-somebody.com port 4430", alert.Evidence!.Key);
    }

    [Fact]
    public void Many_short_flows_and_push_services_are_no_long_session()
    {
        for (int i = 0; i < 200; i++)
        {
            Flow(8443, App.Tls, 500, 500, duration: 20 * Minute, sourcePort: (ushort)(40_000 + i));
            Flow(5228, App.Tls, 500, 500, notes: FlowNotes.ActiveTimeout, duration: 30 * Minute);
            _run.Wait(30 * Minute);
        }
        Assert.Empty(_run.Alerts);
    }

    [Theory]
    [InlineData(443, App.Ssh, 2)]
    [InlineData(443, App.Rdp, 2)]
    [InlineData(53, App.Http, 2)]
    [InlineData(53, App.Tls, 2)]
    [InlineData(80, App.Ssh, 2)]
    [InlineData(443, App.Http, 1)]
    [InlineData(5354, App.Dns, 2)]
    public void A_protocol_on_a_port_of_another_is_low(ushort port, App app, int severity)
    {
        Assert.Equal(severity, Flow(port, app));
        Assert.Equal([("protocol_on_other_port", severity)], Raised);
        Assert.True(_run.Alerts[0].Threats[0].Policy);
    }

    [Theory]
    [InlineData(443, App.Tls)]
    [InlineData(443, App.Quic)]
    [InlineData(443, App.Stun)]
    [InlineData(443, App.WebSocket)]
    [InlineData(8443, App.Tls)]
    [InlineData(993, App.Tls)]
    [InlineData(25, App.Tls)]
    [InlineData(587, App.Smtp)]
    [InlineData(2222, App.Ssh)]
    [InlineData(8080, App.Http)]
    [InlineData(5353, App.Dns)]
    [InlineData(3389, App.Tls, true)]
    public void A_protocol_where_it_is_common_is_nothing(ushort port, App app, bool inside = false)
    {
        Assert.Equal(0, Flow(port, app, server: inside ? Simulated.Parse("10.4.4.4") : null));
        Assert.Empty(_run.Alerts);
    }

    [Theory]
    [InlineData(389, 3)]
    [InlineData(1389, 3)]
    [InlineData(445, 2)]
    [InlineData(3389, 2)]
    public void A_service_for_inside_that_answers_from_outside_is_unusual(ushort port, int severity)
    {
        Assert.Equal(0, Flow(port, App.Unknown, payloadIn: 0));
        Assert.Equal(0, Flow(port, App.Unknown, server: Simulated.Parse("10.9.9.9")));
        Assert.Equal(severity, Flow(port, App.Unknown));
        Assert.Equal([("unusual_network_port", severity)], Raised);
    }

    [Fact]
    public void Many_connections_on_a_port_that_nothing_uses_are_medium_and_peers_on_ports_of_their_own_nothing()
    {
        for (uint i = 0; i < 200; i++) Flow((ushort)(20_000 + i), App.Unknown, server: Address.FromV4(0x2E00_0000 + i));
        for (uint i = 0; i < 60; i++) Flow(8883, App.Unknown);
        for (uint i = 0; i < 60; i++) Flow(40_404, App.Mqtt);
        Assert.Empty(_run.Alerts);
        for (uint i = 0; i < 60; i++)
        {
            Flow(40_405, App.Unknown);
            _run.Wait(20 * Simulated.Second);
        }
        Assert.Equal([("conn_unusual_port_volume", 3)], Raised);
    }

    [Theory]
    [InlineData(App.WireGuard, "vpn_activity", 3)]
    [InlineData(App.OpenVpn, "vpn_activity", 3)]
    [InlineData(App.Pptp, "vpn_activity", 3)]
    [InlineData(App.L2tp, "vpn_activity", 3)]
    [InlineData(App.Ike, "vpn_activity", 2)]
    [InlineData(App.Tor, "anon_circuit", 4)]
    [InlineData(App.I2p, "anon_circuit", 4)]
    public void What_a_policy_names_is_one_finding_a_client_and_protocol(App app, string threat, int severity)
    {
        for (uint i = 0; i < 20; i++) Assert.Equal(severity, Flow((ushort)(50_000 + i), app, server: Address.FromV4(0x2E00_0000 + i), protocol: 17));
        Assert.Equal([(threat, severity)], Raised);
    }

    [Theory]
    [InlineData(App.BitTorrent)]
    [InlineData(App.EDonkey)]
    [InlineData(App.Gnutella)]
    public void A_peer_asked_once_is_low_and_several_are_medium(App app)
    {
        Assert.Equal(2, Flow(51_413, app, protocol: 17));
        Flow(51_413, app, server: Simulated.Parse("198.51.100.7"), protocol: 17);
        Assert.Equal(3, Flow(51_413, app, server: Simulated.Parse("198.51.100.8"), protocol: 17));
        Assert.Equal([("p2p_activity", 2), ("p2p_activity", 3)], Raised);
    }

    [Fact]
    public void A_habit_is_told_once_a_day()
    {
        for (int half = 0; half < 2 * 24 * 3; half++)
        {
            Flow(51_820, App.WireGuard, protocol: 17);
            Flow(853, App.Dot, server: Simulated.Parse("9.9.9.9"));
            Certificate();
            _run.Wait(30 * Minute);
        }
        Assert.Equal(3, Raised.Count(r => r == ("vpn_activity", 3)));
        Assert.Equal(3, Raised.Count(r => r == ("encrypted_dns", 1)));
        Assert.Equal(3, Raised.Count(r => r == ("encrypted_dns", 2)));
        Assert.Equal(9, _run.Alerts.Count);
    }

    int Certificate()
    {
        var e = new DnsEvent { Context = new EventContext { Tick = _run.Tick, Source = Simulated.Client, Destination = Simulated.Outside, DestinationPort = 443, Protocol = 17 }, Query = "2.dnscrypt-cert.example.com"u8, QueryType = 16 };
        return _run.Scorer.Score(in e, _run.Alerts);
    }

    [Fact]
    public void A_certificate_query_of_dnscrypt_is_encrypted_dns()
    {
        Assert.Equal(2, Certificate());
        Assert.Equal(["dnscrypt"], _run.Alerts.Single().Flags);
    }

    [Fact]
    public void Encrypted_dns_climbs_from_a_common_resolver_to_an_uncommon_one_to_much()
    {
        Flow(853, App.Dot, server: Simulated.Parse("9.9.9.9"));
        Tls("chrome.cloudflare-dns.com", server: Simulated.Parse("203.0.113.53"));
        Flow(443, App.Doh, server: Simulated.Parse("203.0.113.53"));
        Assert.Equal([("encrypted_dns", 1)], Raised);
        Flow(853, App.Doq, server: Simulated.Parse("198.51.100.53"), protocol: 17);
        Assert.Equal([("encrypted_dns", 1), ("encrypted_dns", 2)], Raised);
        Flow(443, App.Doh, 11 * Megabyte, server: Simulated.Parse("198.51.100.53"));
        Assert.Equal([1, 2, 3], Raised.Select(r => r.Severity));
    }

    [Fact]
    public void Random_server_names_that_nobody_asked_for_are_tor()
    {
        Assert.Equal(0, Tls("www.k3hq7zxw2vfp.com"));
        Assert.Equal(0, Tls("www.k3hq7zxw2vfp.com"));
        Assert.Equal(0, Tls("www.qx5vzj4kwtbd6.com"));
        Assert.Equal(4, Tls("www.zv2mxqk7hfwjpt.net"));
        Assert.Equal([("anon_circuit", 4)], Raised);
    }

    [Fact]
    public void A_certificate_as_tors_relays_have_counts_alone()
    {
        Assert.Equal(4, Tls("", "CN=www.k3hq7zxw2vfp.com", "CN=www.zv2mxqk7hfwjpt.net"));
        Assert.Equal([("anon_circuit", 4)], Raised);
    }

    [Fact]
    public void Names_that_people_chose_or_asked_for_are_not_tor()
    {
        foreach (string name in new[] { "wikipedia", "nytimes24", "deutschebank", "booking247", "theguardian", "springerlink", "backblazeb2", "letsencrypt", "mp3juices", "w3schools", "dhl24tracking" }) Tls($"www.{name}.com");
        foreach (string name in new[] { "k3hq7zxw2vfp", "qx5vzj4kwtbd6", "zv2mxqk7hfwjpt", "hx2kqpwz7v" })
        {
            _run.Dns($"www.{name}.com");
            Tls($"www.{name}.com");
            Tls($"www.{name}.com", alpn: "h2");
        }
        Assert.Empty(_run.Alerts);
    }

    [Fact]
    public void One_port_that_talks_with_many_peers_each_on_a_port_of_its_own_is_a_peer_network()
    {
        var random = new Random(8);
        for (uint i = 0; i < 60; i++)
        {
            bool inbound = random.Next(3) == 0;
            Address peer = Address.FromV4(0x2E00_0000 + (uint)random.Next(1 << 24));
            ushort port = (ushort)random.Next(9000, 31_000);
            if (inbound) Flow(27_015, App.Unknown, server: Simulated.Client, client: peer, sourcePort: port, protocol: 17);
            else Flow(port, App.Unknown, server: peer, sourcePort: 27_015, protocol: 17);
            _run.Wait(5 * Simulated.Second);
        }
        Assert.Equal([("p2p_activity", 2)], Raised);
        Assert.Equal("peer_fan_out", _run.Alerts[0].Evidence!.Detector);
    }

    [Fact]
    public void Games_calls_and_peers_that_do_not_answer_are_no_peer_network()
    {
        var random = new Random(9);
        for (uint i = 0; i < 300; i++)
        {
            Address server = Address.FromV4(0x2E00_0000 + (uint)random.Next(1 << 24));
            Flow((ushort)(27_015 + random.Next(6)), App.Unknown, server: server, sourcePort: 27_005, protocol: 17);
            Flow((ushort)random.Next(9000, 31_000), App.Unknown, payloadIn: 0, server: server, sourcePort: 27_006, protocol: 17);
            Flow((ushort)random.Next(9000, 31_000), App.Rtp, server: server, sourcePort: 27_007, protocol: 17);
            Flow((ushort)random.Next(9000, 31_000), App.Unknown, server: server, sourcePort: (ushort)random.Next(30_000, 60_000), protocol: 17);
            _run.Wait(Simulated.Second);
        }
        Assert.Empty(_run.Alerts);
    }

    [Fact]
    public void What_comes_from_outside_is_no_policy_matter()
    {
        foreach (App app in new[] { App.WireGuard, App.BitTorrent, App.Tor, App.Dot, App.Ssh }) Assert.Equal(0, Flow(443, app, 300 * Megabyte, server: Simulated.Client, client: Simulated.Outside));
        Assert.Empty(_run.Alerts);
    }
}
