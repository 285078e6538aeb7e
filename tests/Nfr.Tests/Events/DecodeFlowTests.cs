using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>One ip event for each flow: its counters, its end, its two ends and its state.</summary>
public sealed class DecodeFlowTests
{
    const byte Syn = TcpFlags.Syn, Ack = TcpFlags.Ack, Fin = TcpFlags.Fin, Rst = TcpFlags.Rst;

    static DecoderOptions Home(string prefix, int flows = 1024) => new()
    {
        MaximumFlows = flows,
        IsHome = address => address.ToString().StartsWith(prefix, StringComparison.Ordinal),
    };

    [Fact]
    public void A_connection_gives_one_event_with_the_ip_bytes_of_both_directions()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client("ping").Server("pong!").Close();
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(("10.0.0.1:40000", "192.0.2.1:80", 6), (flow.Client, flow.Server, flow.Protocol));
        Assert.Equal((5, 3), (flow.PacketsOut, flow.PacketsIn));
        Assert.Equal(((5 * 40) + 4, (3 * 40) + 5), (flow.BytesOut, flow.BytesIn));
        Assert.Equal((4, 5), (flow.PayloadOut, flow.PayloadIn));
        Assert.Equal((ConnectionState.SF, FlowNotes.None), (flow.State, flow.Notes));
        Assert.Equal(Syn | Ack | Fin | TcpFlags.Psh, flow.TcpFlags);
        Assert.Equal(7_000_000, flow.Duration);
        Assert.Equal(Make.Stamp + DecodeBed.Second + 1_000_000, flow.Timestamp);
    }

    [Fact]
    public void Link_padding_and_tags_are_not_counted_and_what_was_cut_off_is()
    {
        using var bed = new DecodeBed();
        byte[] packet = Frames.IPv4("10.0.0.1", "192.0.2.1", 17, Frames.Udp(4000, 4001, new byte[100]));
        bed.Frame([.. Frames.Ethernet(packet, 7, 8), 0, 0, 0, 0, 0, 0]);
        bed.Frame(Frames.Ethernet(packet, 7, 8)[..60], originalLength: 150);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((2, 256, 200, 7), (flow.PacketsOut, flow.BytesOut, flow.PayloadOut, flow.Vlan));
        Assert.Equal((1, 2), (bed.Counters.Truncated, bed.Counters.VlanTagged));
    }

    [Fact]
    public void A_closed_connection_is_exported_after_the_close_time_out()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Close();
        bed.Wait(4);
        Assert.Empty(bed.Seen.Ip);
        bed.Wait(1.5);
        Assert.Equal(ConnectionState.SF, Assert.Single(bed.Seen.Ip).State);
    }

    [Fact]
    public void A_late_segment_of_a_closed_connection_opens_no_flow()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open().Close();
        bed.Wait(3);
        talk.Segment(1, Ack);
        Assert.Equal(4, bed.OnlyFlow().PacketsOut);
    }

    [Fact]
    public void A_reset_ends_a_connection()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client("x").Segment(1, Rst);
        bed.Wait(6);
        Assert.Equal(ConnectionState.RSTR, Assert.Single(bed.Seen.Ip).State);
    }

    [Fact]
    public void Idle_flows_are_exported_by_their_kind()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, 40_001).Open();
        new TcpTalk(bed, 40_002).Segment(0, Syn);
        bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, [1]);
        bed.Wait(11);
        Assert.Equal(ConnectionState.S0, Assert.Single(bed.Seen.Ip).State);
        bed.Wait(50);
        Assert.Equal(17, bed.Seen.Ip[1].Protocol);
        bed.Wait(200);
        Assert.Equal(2, bed.Seen.Ip.Count);
        bed.Wait(60);
        Assert.Equal(ConnectionState.S1, bed.Seen.Ip[2].State);
    }

    [Fact]
    public void A_long_flow_is_reported_in_slices_that_add_up()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64, ActiveTimeout = 100 * DecodeBed.Second });
        for (int i = 0; i < 25; i++)
        {
            bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, new byte[10]);
            bed.Wait(10);
        }
        bed.Drain();
        Assert.Equal(3, bed.Seen.Ip.Count);
        Assert.Equal(2, bed.Counters.FlowSlices);
        Assert.Equal(25, bed.Seen.Ip.Sum(f => f.PacketsOut));
        Assert.Equal(25 * 38, bed.Seen.Ip.Sum(f => f.BytesOut));
        Assert.Equal([FlowNotes.ActiveTimeout, FlowNotes.ActiveTimeout, FlowNotes.None], bed.Seen.Ip.Select(f => f.Notes));
        Assert.All(bed.Seen.Ip, f => Assert.InRange(f.Duration, 0, 101 * DecodeBed.Second));
    }

    [Fact]
    public void A_client_that_sends_much_is_reported_while_it_sends_less_and_less_often()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64, SentStep = 10_000 });
        for (int i = 0; i < 200; i++)
        {
            bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, new byte[1000]);
            bed.Wait(1);
        }
        bed.Drain();
        // 10, 20, 40 and 80 thousand bytes, then the rest.
        Assert.Equal(4, bed.Counters.FlowSlices);
        Assert.Equal([10_000, 20_000, 40_000, 80_000, 50_000], bed.Seen.Ip.Select(f => f.PayloadOut));
        Assert.Equal([FlowNotes.ActiveTimeout, FlowNotes.None], bed.Seen.Ip.Select(f => f.Notes).Distinct());
        Assert.All(bed.Seen.Ip, f => Assert.Equal(ConnectionState.S0, f.State));
    }

    [Fact]
    public void A_download_is_reported_at_its_end()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64, SentStep = 10_000 });
        bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, new byte[10]);
        for (int i = 0; i < 100; i++)
        {
            bed.Udp("192.0.2.1", 4001, "10.0.0.1", 4000, new byte[1000]);
            bed.Wait(1);
        }
        Assert.Equal(100_000, bed.OnlyFlow().PayloadIn);
        Assert.Equal(0, bed.Counters.FlowSlices);
    }

    [Fact]
    public void A_note_of_one_slice_is_not_repeated_in_the_next()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64, ActiveTimeout = 100 * DecodeBed.Second });
        TcpTalk talk = new TcpTalk(bed, serverPort: 21).Open().Server("220 files\r\n").Client("USER a\r\n").Client("PASS b\r\n");
        bed.Wait(101);
        talk.Client("NOOP\r\n").Client("NOOP\r\n");
        bed.Drain();
        Assert.Equal([FlowNotes.CleartextCredentials | FlowNotes.ActiveTimeout, FlowNotes.None], bed.Seen.Ip.Select(f => f.Notes));
    }

    [Fact]
    public void A_full_table_lets_the_least_recently_seen_go()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 16 });
        for (int i = 0; i < 16; i++)
        {
            bed.Udp("10.0.0.1", 4000 + i, "192.0.2.1", 9999, [1]);
            bed.Wait(1);
        }
        // Flow 0 is seen again, so flow 1 is the oldest now.
        bed.Udp("10.0.0.1", 4000, "192.0.2.1", 9999, [1]);
        bed.Wait(1);
        bed.Udp("10.0.0.1", 5000, "192.0.2.1", 9999, [1]);
        SeenIp evicted = Assert.Single(bed.Seen.Ip);
        Assert.Equal(("10.0.0.1:4001", FlowNotes.Evicted), (evicted.Client, evicted.Notes));
        Assert.Equal((1, 1, 16), (bed.Counters.FlowsEvicted, bed.Counters.FlowsClosed, bed.Decoder.ActiveFlows));
        bed.Drain();
        Assert.Equal(17, bed.Seen.Ip.Count);
    }

    [Fact]
    public void A_full_table_of_all_kinds_lets_them_go_in_the_order_they_were_seen()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 16, TcpCloseTimeout = 1000 * DecodeBed.Second, TcpAttemptTimeout = 1000 * DecodeBed.Second });
        var order = new List<string>();
        for (int i = 0; i < 64; i++)
        {
            int port = 4000 + i;
            switch (i % 4)
            {
                case 0: bed.Udp("10.0.0.1", port, "192.0.2.1", 9999, [1]); break;
                case 1: new TcpTalk(bed, port).Segment(0, Syn); break;
                case 2: new TcpTalk(bed, port).Open(); break;
                default: new TcpTalk(bed, port).Open().Close(); break;
            }
            order.Add($"10.0.0.1:{port}");
            bed.Wait(1);
        }
        Assert.Equal(order[..48], bed.Seen.Ip.Select(f => f.Client));
    }

    [Fact]
    public void A_new_syn_on_a_closed_connection_is_another_one()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open().Close();
        talk.Out += 70_000;
        talk.In += 70_000;
        talk.Open().Close();
        bed.Drain();
        Assert.Equal([ConnectionState.SF, ConnectionState.SF], bed.Seen.Ip.Select(f => f.State));
        Assert.Equal([4, 4], bed.Seen.Ip.Select(f => f.PacketsOut));
    }

    [Fact]
    public void A_syn_with_the_same_number_is_a_repeat()
    {
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed);
        talk.Raw(0, 1000, 0, Syn, []);
        talk.Open().Close();
        talk.Raw(0, 1000, 0, Syn, []);
        Assert.Equal(6, bed.OnlyFlow().PacketsOut);
    }

    [Fact]
    public void A_connection_after_a_stray_reset_is_its_own()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Segment(1, Rst);
        bed.Wait(1);
        talk.Open().Close();
        bed.Drain();
        Assert.Equal([ConnectionState.RSTRH, ConnectionState.SF], bed.Seen.Ip.Select(f => f.State));
    }

    [Fact]
    public void A_refusal_that_a_mirror_shows_before_its_syn_is_one_flow()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Segment(1, Rst | Ack).Segment(0, Syn);
        Assert.Equal(ConnectionState.REJ, bed.OnlyFlow().State);
    }

    [Fact]
    public void A_second_attempt_with_another_number_still_shows_its_content()
    {
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed);
        talk.Segment(0, Syn);
        bed.Wait(3);
        talk.Out = 3_000_000_000;
        talk.Open().Client("GET / HTTP/1.1\r\nHost: a\r\n\r\n").Server("HTTP/1.1 204 No\r\n\r\n").Close();
        bed.OnlyFlow();
        Assert.StartsWith("GET http://a/ 204", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }

    public static TheoryData<string, ConnectionState> States => new()
    {
        // c: client, s: server; S SYN, A ACK, F FIN, R RST, d data; a comma ends a segment.
        { "cS", ConnectionState.S0 },
        { "cS,sSA,cA", ConnectionState.S1 },
        { "cS,sSA,cA,cAd,sAd,cFA,sFA,cA", ConnectionState.SF },
        { "cS,sSA,cA,cFA,sFA", ConnectionState.SF },
        { "cS,sRA", ConnectionState.REJ },
        { "cS,sSA,cA,cFA,sA", ConnectionState.S2 },
        { "cS,sSA,cA,sFA,cA", ConnectionState.S3 },
        { "cS,sSA,cA,cR", ConnectionState.RSTO },
        { "cS,sSA,cA,cAd,sRA", ConnectionState.RSTR },
        { "cS,cR", ConnectionState.RSTOS0 },
        { "sSA,sR", ConnectionState.RSTRH },
        { "cS,cFA", ConnectionState.SH },
        { "sSA,sFA", ConnectionState.SHR },
        { "cAd,sAd", ConnectionState.OTH },
        // A reset behind both ends, and one that answers another, only clear up.
        { "cS,sSA,cA,cFA,sFA,sR", ConnectionState.SF },
        { "cS,sSA,cR,sR", ConnectionState.RSTO },
        { "cS,sSA,cA,cFA,cR,sFA", ConnectionState.RSTO },
        // The SYN was missed.
        { "sSA,cA,cAd,sAd", ConnectionState.S1 },
        { "sSA", ConnectionState.OTH },
        // Out of the mirror in another order.
        { "sSA,cS,cA", ConnectionState.S1 },
    };

    [Theory]
    [MemberData(nameof(States))]
    public void Every_state_is_named_as_zeek_does(string script, ConnectionState expected)
    {
        using var bed = new DecodeBed(Home("10."));
        var talk = new TcpTalk(bed);
        foreach (string step in script.Split(','))
        {
            byte flags = 0;
            if (step.Contains('S')) flags |= Syn;
            if (step.Contains('A')) flags |= Ack;
            if (step.Contains('F')) flags |= Fin;
            if (step.Contains('R')) flags |= Rst;
            talk.Segment(step[0] == 'c' ? 0 : 1, flags, step.Contains('d') ? [1, 2, 3] : []);
        }
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((expected, "10.0.0.1:40000"), (flow.State, flow.Client));
    }

    [Fact]
    public void The_states_of_udp_are_named_as_zeek_does()
    {
        using var bed = new DecodeBed(Home("10."));
        bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, [1]);
        bed.Udp("10.0.0.1", 4002, "192.0.2.1", 4001, [1]);
        bed.Udp("192.0.2.1", 4001, "10.0.0.1", 4002, [1]);
        bed.Udp("192.0.2.1", 4001, "10.0.0.1", 4003, [1]);
        bed.Drain();
        Assert.Equal([ConnectionState.S0, ConnectionState.SF, ConnectionState.SHR], bed.Seen.Ip.OrderBy(f => f.Client, StringComparer.Ordinal).Select(f => f.State));
    }

    [Fact]
    public void The_client_is_who_sent_the_syn_even_from_outside_to_a_high_port()
    {
        using var bed = new DecodeBed(Home("10."));
        new TcpTalk(bed, 80, 40_000, client: "203.0.113.9", server: "10.0.0.5").Open();
        new TcpTalk(bed, 81, 40_001, client: "203.0.113.9", server: "10.0.0.5").Segment(1, Syn | Ack);
        bed.Drain();
        Assert.Equal(["203.0.113.9:80", "203.0.113.9:81"], bed.Seen.Ip.Select(f => f.Client));
    }

    [Fact]
    public void Without_a_syn_the_client_is_who_is_at_home_then_who_has_the_higher_port()
    {
        using var bed = new DecodeBed(Home("10."));
        // Home network first: our web server's answer is taken for a client's packet, as the rule says.
        new TcpTalk(bed, 40_000, 80).Segment(1, Ack, [1]);
        // Both at home: the port decides.
        new TcpTalk(bed, 40_001, 443, "10.0.0.1", "10.0.0.2").Segment(1, Ack, [1]);
        // Neither says anything: whoever spoke first.
        new TcpTalk(bed, 40_002, 50_000, "10.0.0.1", "10.0.0.2").Segment(1, Ack, [1]);
        bed.Drain();
        Assert.Equal(["10.0.0.1:40000", "10.0.0.1:40001", "10.0.0.2:50000"], bed.Seen.Ip.Select(f => f.Client));
        Assert.All(bed.Seen.Ip, f => Assert.Equal(FlowNotes.Midstream, f.Notes));
    }

    [Fact]
    public void An_answer_from_port_53_comes_from_the_server_wherever_it_stands()
    {
        using var bed = new DecodeBed(Home("10."));
        bed.Udp("10.0.0.53", 53, "203.0.113.9", 40_000, Contents.Answer(1, "a.example"));
        Assert.Equal("203.0.113.9:40000", bed.OnlyFlow().Client);
    }

    [Theory]
    [InlineData(3544)]
    [InlineData(5072)]
    [InlineData(123)]
    public void A_datagram_from_a_service_port_to_a_high_one_comes_from_the_server(int port)
    {
        using var bed = new DecodeBed();
        bed.Udp("192.0.2.1", port, "10.0.0.1", 40_000, [1, 2, 3]);
        Assert.Equal("10.0.0.1:40000", bed.OnlyFlow().Client);
    }

    [Fact]
    public void A_mirror_of_one_direction_is_told_by_its_acknowledgments()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Segment(0, Syn);
        for (int i = 0; i < 10; i++) talk.Client([1]);
        Assert.Equal((10, 0), (bed.Counters.SegmentsAlone, bed.Counters.SegmentsPaired));
        talk.Server([1]).Client([1]);
        Assert.Equal((10, 2), (bed.Counters.SegmentsAlone, bed.Counters.SegmentsPaired));
    }

    [Fact]
    public void An_echo_and_its_reply_are_one_flow()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 3; i++)
        {
            bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 1, Frames.Icmp(8, 0)));
            bed.Ip(Frames.IPv4("192.0.2.1", "10.0.0.1", 1, Frames.Icmp(0, 0)));
        }
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(("10.0.0.1:8", "192.0.2.1:0", 3, 3, 180, 96), (flow.Client, flow.Server, flow.PacketsOut, flow.PacketsIn, flow.BytesIn, flow.PayloadIn));
    }

    [Fact]
    public void A_reply_that_is_seen_first_does_not_turn_the_flow()
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv6("2001:db8::1", "2001:db8::2", 58, Frames.Icmp(129, 0)));
        bed.Ip(Frames.IPv6("2001:db8::2", "2001:db8::1", 58, Frames.Icmp(128, 0)));
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(("2001:db8::2:128", 1, 1), (flow.Client, flow.PacketsOut, flow.PacketsIn));
    }

    [Fact]
    public void A_one_way_message_is_its_senders()
    {
        using var bed = new DecodeBed(Home("10."));
        bed.Ip(Frames.IPv4("192.0.2.1", "10.0.0.1", 1, Frames.Icmp(3, 1)));
        Assert.Equal(("192.0.2.1:3", "10.0.0.1:1"), (bed.OnlyFlow().Client, bed.Seen.Ip[0].Server));
    }

    [Fact]
    public void A_protocol_without_ports_is_a_flow_too()
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", 47, new byte[60]));
        bed.Ip(Frames.IPv4("192.0.2.1", "10.0.0.1", 47, new byte[40]));
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((47, ConnectionState.OTH), (flow.Protocol, flow.State));
        Assert.Equal((1, 1, 80, 60), (flow.PacketsOut, flow.PacketsIn, flow.BytesOut, flow.BytesIn));
    }

    [Fact]
    public void Flows_are_the_same_whatever_the_time_between_frames_does_to_stamps()
    {
        using var bed = new DecodeBed();
        byte[] packet = Frames.Ethernet(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, Frames.Udp(4000, 4001, [1])));
        // A clock that was set back by a year: stamps jump, ticks do not, and a tick that lags behind is no time travel.
        bed.Decoder.OnFrame(new Frame(packet, packet.Length, Make.Stamp, 5 * DecodeBed.Second, LinkType.Ethernet));
        bed.Decoder.OnFrame(new Frame(packet, packet.Length, Make.Stamp - 31_536_000_000_000_000, 6 * DecodeBed.Second, LinkType.Ethernet));
        bed.Decoder.OnFrame(new Frame(packet, packet.Length, Make.Stamp, 4 * DecodeBed.Second, LinkType.Ethernet));
        Assert.Equal((3, DecodeBed.Second), (bed.OnlyFlow().PacketsOut, bed.Seen.Ip[0].Duration));
    }

    [Fact]
    public void A_slice_forgets_counts_and_not_what_was_seen()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open();
        for (int i = 0; i < 80; i++)
        {
            bed.Wait(50);
            bed.Udp("10.0.0.1", 4000, "192.0.2.1", 4001, [1]);
            if (i == 0) bed.Udp("192.0.2.1", 4001, "10.0.0.1", 4000, [2]);
            // The server is silent from here on; it was seen.
            talk.Client([1]);
        }
        bed.Drain();
        Assert.True(bed.Counters.FlowSlices >= 2);
        Assert.Equal(0, bed.Counters.SegmentsAlone);
        Assert.All(bed.Seen.Ip.Where(f => f.Protocol == IPProtocol.Udp), f => Assert.Equal(ConnectionState.SF, f.State));
    }

    [Fact]
    public void A_slice_lasts_to_its_own_last_packet()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64, ActiveTimeout = 100 * DecodeBed.Second });
        TcpTalk talk = new TcpTalk(bed, serverPort: 9999).Open().Client("x");
        bed.Wait(250);
        talk.Client("y");
        bed.Drain();
        Assert.Equal(2, bed.Seen.Ip.Count);
        Assert.InRange(bed.Seen.Ip[0].Duration, 0, DecodeBed.Second);
        Assert.Equal(0, bed.Seen.Ip[1].Duration);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(0x29)]
    [InlineData(3)]
    public void A_segment_that_begins_no_connection_is_a_probe_of_its_sender(int flags)
    {
        // From outside to a home host, which would be the client of any other segment without SYN.
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 16, IsHome = static a => a.V4 >> 24 == 10 });
        bed.Ip(Frames.IPv4("192.0.2.1", "10.0.0.1", IPProtocol.Tcp, Frames.Tcp(40_000, 3390, 1, 0, (byte)flags, [])));
        bed.Wait(10.2);
        SeenIp flow = Assert.Single(bed.Seen.Ip);
        Assert.Equal("192.0.2.1:40000", flow.Client);
        Assert.Equal(FlowNotes.Probe, flow.Notes & FlowNotes.Probe);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(4)]
    [InlineData(0x11)]
    [InlineData(0x12)]
    public void Flags_that_begin_or_end_connections_are_no_probe(int flags)
    {
        using var bed = new DecodeBed();
        bed.Ip(Frames.IPv4("10.0.0.1", "192.0.2.1", IPProtocol.Tcp, Frames.Tcp(40_000, 3390, 1, 0, (byte)flags, [])));
        Assert.Equal(FlowNotes.None, bed.OnlyFlow().Notes & FlowNotes.Probe);
    }
}
