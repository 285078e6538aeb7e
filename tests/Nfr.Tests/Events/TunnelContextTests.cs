using System.Text;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What an event says of the tunnel that its flow came in, and what the flow around is called.</summary>
public sealed class TunnelContextTests
{
    static readonly byte[] Query = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")), "192.168.1.1", "192.168.1.2");
    static readonly byte[] Query6 = Frames.IPv6("2001:db8::1", "2001:db8::2", IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")));
    static readonly byte[] Teredo = Frames.IPv6("2001:0:1:2::1", "2001:db8::2", IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")));
    static readonly byte[] QueryFrame = Layers.Ethernet(EtherType.IPv4, Query);

    public static TheoryData<string, string, byte, byte[]> Tunnels => new()
    {
        { "ipip 0", "ipip", IPProtocol.IPv4, Query },
        { "6in4 0", "ipip", IPProtocol.IPv6, Query6 },
        { "gre 0", "gre", IPProtocol.Gre, [0, 0, 8, 0, .. Query] },
        { "gre 258", "gre", IPProtocol.Gre, [0xB0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 9, .. Query] },
        { "gre 0", "gre", IPProtocol.Udp, Layers.Udp(40_000, 4754, [0, 0, 8, 0, .. Query]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. QueryFrame]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 8472, [8, 0, 0, 0, 0, 0, 7, 0, .. QueryFrame]) },
        { "geneve 263", "geneve", IPProtocol.Udp, Layers.Udp(40_000, 6081, [1, 0, 0x65, 0x58, 0, 1, 7, 0, 1, 2, 3, 4, .. QueryFrame]) },
        { "erspan 0", "gre", IPProtocol.Gre, [0, 0, 0x88, 0xBE, .. QueryFrame] },
        { "erspan 5", "gre", IPProtocol.Gre, [0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0x10, 0, 0, 5, 0, 0, 0, 0, .. QueryFrame] },
        { "erspan 5", "gre", IPProtocol.Gre, [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1, 0x20, 0, 0, 5, .. new byte[8], .. QueryFrame] },
        { "erspan 5", "gre", IPProtocol.Gre, [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1, 0x20, 0, 0, 5, .. new byte[7], 1, .. new byte[8], .. QueryFrame] },
        { "erspan 5", "gre", IPProtocol.Gre, [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1, 0x20, 0, 0, 5, .. new byte[6], 8, 0, .. Query] },
        { "pptp 99", "gre", IPProtocol.Gre, [0x30, 0x81, 0x88, 0x0B, (byte)((Query.Length + 4) >> 8), (byte)(Query.Length + 4), 0, 99, 0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 3, 0, 0x21, .. Query] },
        { "pptp 99", "gre", IPProtocol.Gre, [0x30, 1, 0x88, 0x0B, 0, (byte)(Query.Length + 1), 0, 99, 0, 0, 0, 1, 0x21, .. Query] },
        { "gre 0", "gre", IPProtocol.Gre, [0x40, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 4, 10, 0, 0, 9, 0, 0, 0, 0, .. Query] },
        { "gtp 17", "gtp", IPProtocol.Udp, Layers.Udp(2152, 2152, [0x30, 0xFF, 0, (byte)Query.Length, 0, 0, 0, 17, .. Query]) },
        { "gtp 17", "gtp", IPProtocol.Udp, Layers.Udp(40_000, 2152, [0x34, 0xFF, 0, (byte)(Query6.Length + 8), 0, 0, 0, 17, 0, 1, 0, 0x85, 1, 0x10, 9, 0, .. Query6]) },
        { "teredo 0", "teredo", IPProtocol.Udp, Layers.Udp(40_000, 3544, Teredo) },
        { "teredo 0", "teredo", IPProtocol.Udp, Layers.Udp(40_000, 40_001, Teredo) },
        { "teredo 0", "teredo", IPProtocol.Udp, Layers.Udp(3544, 40_000, [0, 1, 2, 1, 7, 7, 7, .. new byte[9], 0, 0, 1, 2, 1, 2, 3, 4, .. Teredo]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x08, 0, 0, 0, 0, 0, 7, 0, .. QueryFrame]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x0C, 0, 0, 3, 0, 0, 7, 0, .. QueryFrame]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x0C, 0, 0, 1, 0, 0, 7, 0, .. Query]) },
        { "vxlan 0", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x04, 0, 0, 2, 0, 0, 7, 0, .. Query6]) },
        { "vxlan 7", "vxlan", IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x0C, 0, 0, 4, 0, 0, 7, 0, 0x0F, 0xC2, 1, 1, 0, 0, 0, 1, .. Query]) },
        { "geneve 1", "geneve", IPProtocol.Udp, Layers.Udp(40_000, 6081, [0, 0, 0x86, 0xDD, 0, 0, 1, 0, .. Query6]) },
    };

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void Events_of_the_flow_within_say_what_it_came_in(string tunnel, string app, byte protocol, byte[] payload)
    {
        var bed = new TunnelBed();
        bed.Outer(protocol, payload);
        bed.End();
        Assert.Contains($"dns in.test | {tunnel} 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains(bed.Events, e => e.EndsWith($":53 17 dns | {tunnel} 10.0.0.1 10.0.0.2 1", StringComparison.Ordinal));
        Assert.Contains(bed.Events, e => e.StartsWith("ip 10.0.0.", StringComparison.Ordinal) && e.EndsWith($" {protocol} {app}", StringComparison.Ordinal));
        Assert.Equal(3, bed.Events.Count);
        Assert.Equal((1, 0), (bed.Counters.Parsed, bed.Counters.Faults.Sum()));
    }

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void Every_truncation_keeps_the_ledger_closed(string tunnel, string app, byte protocol, byte[] payload)
    {
        for (int length = 0; length < payload.Length; length++)
        {
            var bed = new TunnelBed();
            bed.Outer(protocol, payload[..length]);
            bed.End();
        }
        Assert.NotEmpty(tunnel + app);
    }

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void Five_of_a_kind_are_one_too_many(string tunnel, string app, byte protocol, byte[] payload)
    {
        // What is around the query, four times in IP in IP.
        byte[] packet = Layers.IPv4(protocol, payload);
        for (int i = 0; i < 4; i++) packet = Layers.IPv4(IPProtocol.IPv4, packet);
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.IPv4, packet));
        bed.End();
        Assert.DoesNotContain(bed.Events, e => e.StartsWith("dns", StringComparison.Ordinal));
        Assert.Equal(1, bed.Fault(DecodeFault.TunnelTooDeep));
        Assert.NotEmpty(tunnel + app);
    }

    [Fact]
    public void AYIYA_forwards_packets_behind_an_identity_and_a_signature()
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 5072, [0x41, 0x52, 0x11, 41, 0, 0, 0, 0, .. new byte[16], .. new byte[20], .. Query6]));
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 5072, [0x41, 0x52, 0x10, 59, 0, 0, 0, 0, .. new byte[36]]));   // nothing: keeps the way open
        bed.End();
        Assert.Contains("dns in.test | ayiya 0 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains(bed.Events, e => e.EndsWith(" 17 ayiya", StringComparison.Ordinal));
    }

    [Fact]
    public void What_only_has_a_tunnels_port_is_no_tunnel()
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Udp, Layers.Udp(2152, 2152, [0x30, 0xFF, 0, 1, 0, 0, 0, 17, .. Query]));           // a length that is not the datagram's
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 3544, Query6));                                              // no Teredo address
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_001, 3544, Teredo[..^1]));
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_001, 5072, [0, 0, 0x17, 41, 0, 0, 0, 0, 0, .. Query6]));
        bed.End();
        Assert.DoesNotContain(bed.Events, e => e.Contains('|', StringComparison.Ordinal) || e.StartsWith("dns", StringComparison.Ordinal));
        Assert.Equal(0, bed.Counters.Faults.Sum());
    }

    [Theory]
    [InlineData("000FF140")]
    [InlineData("00001040 00002040 000FF140")]
    public void Labels_are_taken_off_IP_and_the_innermost_is_kept(string stack)
    {
        byte[] labels = Bytes(stack);
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.Mpls, [.. labels, .. Query]));
        bed.Frame(Layers.Ethernet(EtherType.MplsMulticast, [.. labels, .. Query6]));
        bed.End();
        Assert.Equal(2, bed.Events.Count(e => e == "dns in.test | mpls 255 1"));
        Assert.Equal(2, bed.Counters.Parsed);
    }

    [Theory]
    [InlineData("", "020000000001020000000002")]
    [InlineData("00000000", "020000000001020000000002")]
    [InlineData("00000000", "000000000001020000000002")]
    [InlineData("", "000000000001020000000002")]
    [InlineData("00000007", "440000000001020000000002")]
    public void A_pseudowire_of_Ethernet_is_seen_with_and_without_its_control_word(string controlWord, string addresses)
    {
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.Mpls, [.. Bytes("000FF140"), .. Bytes(controlWord), .. Bytes(addresses), 8, 0, .. Query]));
        bed.End();
        Assert.Contains("dns in.test | mpls 255 1", bed.Events);
    }

    [Fact]
    public void Labels_without_end_or_cut_off_are_faults_and_an_associated_channel_is_no_IP()
    {
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.Mpls, [.. Enumerable.Repeat(Bytes("00001040"), 40).SelectMany(b => b)]));
        bed.Frame(Layers.Ethernet(EtherType.Mpls, Bytes("00001040 0000")));
        bed.Frame(Layers.Ethernet(EtherType.Mpls, Bytes("00001140")));
        bed.Frame(Layers.Ethernet(EtherType.Mpls, Bytes("00001140 10000021 00")));
        bed.End();
        Assert.Equal((1, 2, 1), (bed.Fault(DecodeFault.MplsTooDeep), bed.Fault(DecodeFault.MplsTooShort), bed.Counters.NonIp));
    }

    [Fact]
    public void Pseudowires_within_pseudowires_end_at_the_limit()
    {
        byte[] frame = QueryFrame;
        for (int i = 0; i < 5; i++) frame = Layers.Ethernet(EtherType.Mpls, [.. Bytes("000FF140 00000000"), .. frame]);
        var bed = new TunnelBed();
        bed.Frame(frame);
        bed.Outer(IPProtocol.Gre, [0, 0, 0x65, 0x58, .. frame]);
        bed.End();
        Assert.Equal((1, 1), (bed.Fault(DecodeFault.EncapsulationTooDeep), bed.Fault(DecodeFault.TunnelTooDeep)));
    }

    [Theory]
    [InlineData(0x0030, "AAAA03 000000 0800")]             // a length: LLC with SNAP
    [InlineData(0x0030, "AAAA03 0000F8 0800")]
    [InlineData(0x893F, "000000000000 0800")]               // E-tag
    [InlineData(0x8926, "00000000 0800")]                   // VN-tag
    [InlineData(0x894F, "0FC20101 00000001")]               // NSH
    [InlineData(0x894F, "0FC20103 00000001 020000000001020000000002 0800")]
    public void Headers_that_are_no_tunnel_are_taken_off(int etherType, string header)
    {
        byte[] bytes = Bytes(header);
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet((ushort)etherType, [.. bytes, .. Query]));
        for (int length = 0; length < bytes.Length; length++) bed.Frame(Layers.Ethernet((ushort)etherType, bytes[..length]));
        bed.End();
        Assert.Contains("dns in.test", bed.Events);
        Assert.Equal(1, bed.Counters.Parsed);
        Assert.True(bed.Fault(DecodeFault.LlcTooShort) + bed.Fault(DecodeFault.VlanTooShort) + bed.Fault(DecodeFault.NshTooShort) > 0);
    }

    [Theory]
    [InlineData(LinkType.CiscoHdlc, "0F00 0800")]
    [InlineData(LinkType.CiscoHdlc, "8F00 0800")]
    [InlineData(LinkType.Ppp, "0F00 0800")]                 // some call it PPP
    [InlineData(LinkType.Ppp, "21")]                        // a protocol of one byte
    [InlineData(LinkType.Ppp, "0281 000FF140")]
    [InlineData(LinkType.Nflog, "02000000 05000100 41000000 FFFF0900")]
    [InlineData(LinkType.Ieee80211, "0801 0000 000000000001 000000000002 000000000003 0000 AAAA03 000000 0800")]
    [InlineData(LinkType.Ieee80211, "8803 0000 000000000001 000000000002 000000000003 0000 000000000004 0000 AAAA03 000000 0800")]
    [InlineData(LinkType.Radiotap, "00000900 00000000 00 8801 0000 000000000001 000000000002 000000000003 0000 0000 AAAA03 000000 0800")]
    public void Link_headers_are_taken_off_and_every_truncation_is_counted(LinkType link, string header)
    {
        byte[] bytes = Bytes(header);
        byte[] frame = [.. bytes, .. Query];
        if (link == LinkType.Nflog) (frame[bytes.Length - 4], frame[bytes.Length - 3]) = ((byte)(Query.Length + 4), 0);
        var bed = new TunnelBed();
        bed.Frame(frame, link);
        for (int length = 0; length < bytes.Length; length++) bed.Frame(frame[..length], link);
        bed.End();
        Assert.Contains(bed.Events, e => e.StartsWith("dns in.test", StringComparison.Ordinal));
        Assert.Equal(1, bed.Counters.Parsed);
        DecodeFault[] expected = [DecodeFault.FrameTooShort, DecodeFault.PppTooShort, DecodeFault.MplsTooShort, DecodeFault.NflogTooShort, DecodeFault.WirelessTooShort, DecodeFault.LlcTooShort];
        Assert.Equal(bed.Counters.PacketFaults, expected.Sum(bed.Fault));
        Assert.NotEqual(0, bed.Counters.PacketFaults);
    }

    [Theory]
    [InlineData("8000 0000 000000000001 000000000002 000000000003 0000 00")]   // a beacon
    [InlineData("0841 0000 000000000001 000000000002 000000000003 0000 AAAA03 000000 0800")]   // protected
    [InlineData("4801 0000 000000000001 000000000002 000000000003 0000")]   // no data
    public void Wireless_frames_without_readable_data_are_no_IP(string frame)
    {
        var bed = new TunnelBed();
        bed.Frame(Bytes(frame), LinkType.Ieee80211);
        bed.End();
        Assert.Equal(1, bed.Counters.NonIp);
    }

    [Fact]
    public void An_SCTP_association_has_its_ports_and_its_client()
    {
        byte[] granted = [0x0B, 0x59, 0x9C, 0x40, .. new byte[8], 2, 0, 0, 4], data = [0x9C, 0x40, 0x0B, 0x59, .. new byte[8], 0, 3, 0, 4];
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.Sctp, granted, "10.0.0.2", "10.0.0.1")));
        bed.Outer(IPProtocol.Sctp, data);
        for (int length = 0; length < SctpPacket.HeaderLength; length++) bed.Outer(IPProtocol.Sctp, data[..length]);
        bed.End();
        Assert.Equal(["ip 10.0.0.1:40000 10.0.0.2:2905 132"], bed.Events);
        Assert.Equal(12, bed.Fault(DecodeFault.SctpHeaderTooShort));
    }

    static byte[] Bytes(string hex) => Wire.Bytes.Of(hex);

    [Fact]
    public void IPv4_in_IPv6_is_named_so()
    {
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.IPv6, Frames.IPv6("2001:db8::1", "2001:db8::2", IPProtocol.IPv4, Query)));
        bed.Frame(Layers.Ethernet(EtherType.IPv6, Frames.IPv6("2001:db8::3", "2001:db8::4", IPProtocol.IPv6, Query6)));
        bed.End();
        Assert.Contains("dns in.test | 4in6 0 2001:db8::1 2001:db8::2 1", bed.Events);
        Assert.Contains("dns in.test | ipip 0 2001:db8::3 2001:db8::4 1", bed.Events);
    }

    [Fact]
    public void Nested_tunnels_say_the_innermost_and_how_deep_it_is()
    {
        byte[] gre = Layers.IPv4(IPProtocol.Gre, [0, 0, 8, 0, .. Query], "172.16.0.1", "172.16.0.2");
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. Layers.Ethernet(EtherType.IPv4, gre)]));
        bed.End();
        Assert.Contains("dns in.test | gre 0 172.16.0.1 172.16.0.2 2", bed.Events);
        Assert.Contains("ip 172.16.0.1:0 172.16.0.2:0 47 gre | vxlan 7 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains("ip 10.0.0.1:40000 10.0.0.2:4789 17 vxlan", bed.Events);
    }

    [Fact]
    public void A_packet_after_a_tunnels_is_in_none()
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.IPv4, Query);
        bed.Outer(IPProtocol.IPv4, Query[..9]);
        bed.Outer(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("out.test")));
        bed.End();
        Assert.Contains("dns in.test | ipip 0 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains("dns out.test", bed.Events);
        Assert.Contains("ip 10.0.0.1:5000 10.0.0.2:53 17 dns", bed.Events);
        Assert.Equal(1, bed.Fault(DecodeFault.TunnelInvalid));
    }

    [Fact]
    public void Http_and_tls_of_a_connection_within_say_it_too()
    {
        byte[] request = Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: in.test\r\n\r\n");
        byte[] hello = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 1, 1, 0];
        var bed = new TunnelBed();
        void Tcp(ushort port, uint sequence, byte flags, byte[] payload) =>
            bed.Outer(IPProtocol.Gre, [0x20, 0, 8, 0, 0, 0, 0, 5, .. Layers.IPv4(IPProtocol.Tcp, Layers.Tcp(port, 80, sequence, flags, payload), "192.168.1.1", "192.168.1.2")]);
        Tcp(40_000, 0, TcpFlags.Syn, []);
        Tcp(40_000, 1, TcpFlags.Ack, request);
        Tcp(40_001, 0, TcpFlags.Syn, []);
        Tcp(40_001, 1, TcpFlags.Ack, Layers.TlsRecord(1, hello));
        bed.End();
        Assert.Contains("http in.test | gre 5 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains("tls  | gre 5 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains("ip 192.168.1.1:40000 192.168.1.2:80 6 http | gre 5 10.0.0.1 10.0.0.2 1", bed.Events);
    }

    [Fact]
    public void A_datagram_of_a_tunnel_that_came_in_fragments_keeps_its_tunnel()
    {
        byte[] datagram = Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. QueryFrame]);
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.Udp, datagram[..48], fragment: 0x2000)));
        bed.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.Udp, datagram[48..], fragment: 6)));
        bed.End();
        Assert.Contains("dns in.test | vxlan 7 10.0.0.1 10.0.0.2 1", bed.Events);
        Assert.Contains("ip 10.0.0.1:40000 10.0.0.2:4789 17 vxlan", bed.Events);
    }

    [Fact]
    public void Fragments_within_a_tunnel_that_differ_are_an_anomaly_of_that_tunnel()
    {
        byte[] part = Layers.IPv4(IPProtocol.Udp, Query[20..44], fragment: 0x2000), other = [.. part[..^1], (byte)(part[^1] ^ 1)];
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Gre, [0x20, 0, 8, 0, 0, 0, 0, 5, .. part]);
        bed.Outer(IPProtocol.Gre, [0x20, 0, 8, 0, 0, 0, 0, 5, .. other]);
        bed.End();
        Assert.Contains("anomaly FragmentOverlapDiffers | gre 5 10.0.0.1 10.0.0.2 1", bed.Events);
    }

    [Fact]
    public void A_PPPoE_session_is_a_tunnel_without_addresses()
    {
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.PppoeSession, [0x11, 0, 1, 2, 0, 0x30, 0, 0x21, .. Query]));
        bed.Frame(Layers.Ethernet(EtherType.PppoeSession, [0x11, 0, 1, 2, 0, 6, 0xC0, 0x21, 9, 1, 0, 4]));   // an echo request of the link
        bed.End();
        Assert.Equal(["dns in.test | pppoe 258 1", "ip 192.168.1.1:5000 192.168.1.2:53 17 dns | pppoe 258 1"], bed.Events.Order());
        Assert.Equal((1, 1), (bed.Counters.Parsed, bed.Counters.NonIp));
    }

    [Theory]
    [InlineData("88E7 00000102", "0800")]
    [InlineData("88A8 0009 88E7 E0000102", "8100 0005 0800")]
    public void A_customers_frame_within_a_providers_is_a_tunnel_of_its_service(string provider, string customer)
    {
        var bed = new TunnelBed();
        bed.Frame([.. new byte[12], .. Bytes(provider), .. new byte[12], .. Bytes(customer), .. Query]);
        bed.End();
        Assert.Contains("dns in.test | pbb 258 1", bed.Events);
        Assert.Equal((1, 0), (bed.Counters.Parsed, bed.Counters.Faults.Sum()));
    }

    [Theory]
    [InlineData("1C000001 00000700")]                      // another version
    [InlineData("8C000001 00000700")]                      // reserved flags
    [InlineData("0C000080 00000700 80000001")]             // a shim of no length
    [InlineData("0C000080 00000700 80010080 80010080 80010080 80010080 80010001")]
    public void A_header_that_is_no_generic_VXLAN_is_none(string header)
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 4790, [.. Bytes(header), .. Query]));
        bed.End();
        Assert.Equal(["ip 10.0.0.1:40000 10.0.0.2:4790 17"], bed.Events);
        Assert.Equal(0, bed.Counters.Faults.Sum());
    }

    [Fact]
    public void A_protocol_that_is_not_known_is_left_in_its_tunnel()
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Udp, Layers.Udp(40_000, 4790, [0x0C, 0, 0, 7, 0, 0, 7, 0, .. Query]));
        bed.End();
        Assert.Equal(["ip 10.0.0.1:40000 10.0.0.2:4790 17 vxlan"], bed.Events);
        Assert.Equal(0, bed.Counters.Faults.Sum());
    }

    [Fact]
    public void Frames_within_frames_are_followed_so_far_and_no_further()
    {
        byte[] frame = QueryFrame;
        for (int i = 0; i < 4000; i++) frame = Layers.Ethernet(EtherType.Bridged, frame);
        var bed = new TunnelBed();
        bed.Frame(frame);
        bed.Outer(IPProtocol.Gre, [0, 0, 0x65, 0x58, .. frame[..50_000]]);
        bed.End();
        Assert.Equal((1, 1), (bed.Fault(DecodeFault.EncapsulationTooDeep), bed.Fault(DecodeFault.TunnelTooDeep)));
    }

    [Fact]
    public void Tunnels_beyond_the_tables_size_share_an_entry_and_give_everything_back()
    {
        var bed = new TunnelBed();
        for (uint vni = 1; vni <= 5000; vni++)
            bed.Outer(IPProtocol.Udp, Layers.Udp((ushort)(20_000 + vni), 4789, [8, 0, 0, 0, 0, (byte)(vni >> 8), (byte)vni, 0, .. QueryFrame]));
        bed.End();
        Assert.Equal(0, bed.Counters.Faults.Sum());
    }
}
