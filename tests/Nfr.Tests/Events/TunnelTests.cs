using Nfr.Wire;

namespace Nfr.Tests.Events;

public sealed class TunnelTests
{
    static readonly byte[] Query = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")), "192.168.1.1", "192.168.1.2");
    static readonly byte[] QueryFrame = Layers.Ethernet(EtherType.IPv4, Query);

    public static TheoryData<string, byte, byte[]> Tunnels => new()
    {
        { "IP in IP", IPProtocol.IPv4, Query },
        { "GRE", IPProtocol.Gre, [0, 0, 8, 0, .. Query] },
        { "GRE with checksum, key and sequence number", IPProtocol.Gre, [0xB0, 0, 8, 0, .. new byte[12], .. Query] },
        { "GRE of Ethernet", IPProtocol.Gre, [0, 0, 0x65, 0x58, .. QueryFrame] },
        { "GRE in UDP", IPProtocol.Udp, Layers.Udp(40_000, 4754, [0, 0, 8, 0, .. Query]) },
        { "VXLAN", IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. QueryFrame]) },
        { "Geneve with options", IPProtocol.Udp, Layers.Udp(40_000, 6081, [1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4, .. QueryFrame]) },
        { "a VLAN in VXLAN", IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. Layers.Ethernet(EtherType.Vlan, [0, 5, 8, 0, .. Query])]) },
    };

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void The_packet_within_a_tunnel_is_seen_and_so_is_the_tunnel(string name, byte protocol, byte[] payload)
    {
        var looked = new Looked();
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(protocol, payload)));
        looked.End();
        Assert.Contains("dns in.test -1", looked.Events);
        Assert.Contains($"ip 10.0.0.1 10.0.0.2 {protocol} 1", looked.Events);
        Assert.Contains("ip 192.168.1.1 192.168.1.2 17 1", looked.Events);
        Assert.Equal(1, looked.Decoder.Counters.Parsed);
        Assert.Equal(0, looked.Decoder.Counters.Faults.Sum());
        Assert.NotEmpty(name);
    }

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void Every_truncation_of_a_tunnel_keeps_the_ledger_closed(string name, byte protocol, byte[] payload)
    {
        for (int length = 0; length < payload.Length; length++)
        {
            var looked = new Looked();
            looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(protocol, payload[..length])));
            looked.End();
        }
        Assert.NotEmpty(name);
    }

    [Fact]
    public void A_broken_packet_within_a_tunnel_is_a_fault_beside_the_tunnels_own_flow()
    {
        var looked = new Looked();
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, [0x45, 0, 0])));
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.Gre, [0, 1, 0x88, 0x0B])));
        looked.End();
        Assert.Equal(2, looked.Fault(DecodeFault.TunnelInvalid));
        Assert.Equal(2, looked.Decoder.Counters.Parsed);
    }

    [Fact]
    public void Tunnels_are_followed_four_deep()
    {
        byte[] packet = Query;
        var looked = new Looked();
        for (int depth = 1; depth <= 6; depth++)
        {
            packet = Layers.IPv4(IPProtocol.IPv4, packet);
            looked.Events.Clear();
            looked.Frame(Layers.Ethernet(EtherType.IPv4, packet));
            looked.End();
            Assert.Equal(depth <= 4, looked.Events.Contains("dns in.test -1"));
        }
        Assert.Equal(2, looked.Fault(DecodeFault.TunnelTooDeep));
    }

    [Fact]
    public void A_tunnelled_packet_that_came_in_fragments_is_seen()
    {
        var looked = new Looked();
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, Query[..32], fragment: 0x2000)));
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, Query[32..], fragment: 4)));
        looked.End();
        Assert.Contains("dns in.test -1", looked.Events);
        Assert.Equal(2, looked.Decoder.Counters.FragmentsHeld);
    }

    [Fact]
    public void Fragments_within_a_tunnel_are_put_together_and_within_fragments_refused()
    {
        byte[] first = Layers.IPv4(IPProtocol.Udp, Query[20..36], fragment: 0x2000), second = Layers.IPv4(IPProtocol.Udp, Query[36..], fragment: 2);
        var looked = new Looked();
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, first)));
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, second)));
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, second[..16], fragment: 0x2000)));
        looked.Frame(Layers.Ethernet(EtherType.IPv4, Layers.IPv4(IPProtocol.IPv4, second[16..], fragment: 2)));
        looked.End();
        Assert.Contains("dns in.test -1", looked.Events);
        Assert.Equal(1, looked.Fault(DecodeFault.TunnelInvalid));
    }

    [Theory]
    [InlineData("1100 0001 0030 0021")]
    [InlineData("1100 0001 0030 FF03 0021")] // some keep address and control
    public void PPPoE_is_taken_off(string header)
    {
        var looked = new Looked();
        looked.Frame(Layers.Ethernet(EtherType.PppoeSession, [.. Convert.FromHexString(header.Replace(" ", "", StringComparison.Ordinal)), .. Query]));
        looked.End();
        Assert.Contains("dns in.test -1", looked.Events);
    }

    [Fact]
    public void A_PPP_link_gives_its_packets_and_counts_the_rest()
    {
        var looked = new Looked();
        looked.Frame([0, 0x21, .. Query], LinkType.Ppp);
        looked.Frame([0xFF, 3, 0, 0x21, .. Query], LinkType.Ppp);
        looked.Frame([0xC0, 0x21, 1, 1, 0, 4], LinkType.Ppp);   // link control
        looked.Frame([0], LinkType.Ppp);
        looked.End();
        Assert.Equal(2, looked.Decoder.Counters.Parsed);
        Assert.Equal(1, looked.Decoder.Counters.NonIp);
        Assert.Equal(1, looked.Fault(DecodeFault.PppTooShort));
    }
}
