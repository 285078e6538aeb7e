using System.Text;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What an event says of the tunnel that its flow came in, and what the flow around is called.</summary>
public sealed class TunnelContextTests
{
    static readonly byte[] Query = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")), "192.168.1.1", "192.168.1.2");
    static readonly byte[] Query6 = Frames.IPv6("2001:db8::1", "2001:db8::2", IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")));
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
        Assert.Contains(bed.Events, e => e.StartsWith("ip 10.0.0.1:", StringComparison.Ordinal) && e.EndsWith($" {protocol} {app}", StringComparison.Ordinal));
        Assert.Equal(3, bed.Events.Count);
        Assert.Equal((1, 0), (bed.Counters.Parsed, bed.Counters.Faults.Sum()));
    }

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
    public void A_PPPoE_session_is_a_tunnel_without_addresses()
    {
        var bed = new TunnelBed();
        bed.Frame(Layers.Ethernet(EtherType.PppoeSession, [0x11, 0, 1, 2, 0, 0x30, 0, 0x21, .. Query]));
        bed.Frame(Layers.Ethernet(EtherType.PppoeSession, [0x11, 0, 1, 2, 0, 6, 0xC0, 0x21, 9, 1, 0, 4]));   // an echo request of the link
        bed.End();
        Assert.Equal(["dns in.test | pppoe 258 1", "ip 192.168.1.1:5000 192.168.1.2:53 17 dns | pppoe 258 1"], bed.Events.Order());
        Assert.Equal((1, 1), (bed.Counters.Parsed, bed.Counters.NonIp));
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
