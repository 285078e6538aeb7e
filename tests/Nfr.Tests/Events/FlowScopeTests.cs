using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Which packets of the same addresses and ports are one flow, by what they came in (decisions/005).</summary>
public sealed class FlowScopeTests
{
    const string Client = "192.168.1.1", Server = "192.168.1.2";

    static byte[] Datagram(bool back, byte[]? payload = null) => back
        ? Layers.IPv4(IPProtocol.Udp, Layers.Udp(5001, 5000, payload ?? [9, 9, 9]), Server, Client)
        : Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 5001, payload ?? [9, 9, 9]), Client, Server);

    /// <summary>What lies around a datagram, by a number: the same kind with two numbers is what tests compare.</summary>
    static byte[] Around(string kind, byte number, byte[] packet)
    {
        byte[] frame = Layers.Ethernet(EtherType.IPv4, packet);
        return kind switch
        {
            "vxlan" => Outer(IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, number, 0, .. frame])),
            "geneve" => Outer(IPProtocol.Udp, Layers.Udp(40_000, 6081, [0, 0, 0x65, 0x58, 0, 0, number, 0, .. frame])),
            "gre" => Outer(IPProtocol.Gre, [0x20, 0, 8, 0, 0, 0, 0, number, .. packet]),
            "nvgre network" => Outer(IPProtocol.Gre, [0x20, 0, 0x65, 0x58, 0, 0, number, 7, .. frame]),
            "nvgre entropy" => Outer(IPProtocol.Gre, [0x20, 0, 0x65, 0x58, 0, 0, 7, number, .. frame]),
            "erspan" => Outer(IPProtocol.Gre, [0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0x10, 0, 0, number, 0, 0, 0, 0, .. frame]),
            "pptp" => Outer(IPProtocol.Gre, [0x30, 1, 0x88, 0x0B, 0, (byte)(packet.Length + 1), 0, number, 0, 0, 0, 1, 0x21, .. packet]),
            "gtp" => Outer(IPProtocol.Udp, Layers.Udp(2152, 2152, [0x30, 0xFF, 0, (byte)packet.Length, 0, 0, 0, number, .. packet])),
            "pppoe" => Layers.Ethernet(EtherType.PppoeSession, [0x11, 0, 0, number, 0, (byte)(packet.Length + 2), 0, 0x21, .. packet]),
            "mpls" => Layers.Ethernet(EtherType.Mpls, [0, number, 1, 64, .. packet]),
            "vlan" => Layers.Ethernet(EtherType.Vlan, [0, number, 8, 0, .. packet]),
            "qinq" => Layers.Ethernet(EtherType.ServiceVlan, [0, 5, 0x81, 0, 0, number, 8, 0, .. packet]),
            "vxlan in mpls" => Layers.Ethernet(EtherType.Mpls, [0, 3, 1, 64, .. Layers.IPv4(IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, number, 0, .. frame]))]),
            "ipip or none" => number == 1 ? Outer(IPProtocol.IPv4, packet) : frame,
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };

        static byte[] Outer(byte protocol, byte[] payload) => Layers.Ethernet(EtherType.IPv4, Layers.IPv4(protocol, payload));
    }

    /// <summary>Flows between the two hosts, after a datagram out in network 1 and one back in network 2.</summary>
    static int Flows(string kind, byte first, byte second, FlowSeparation separation)
    {
        var bed = new TunnelBed(separation);
        bed.Frame(Around(kind, first, Datagram(back: false)));
        bed.Frame(Around(kind, second, Datagram(back: true)));
        bed.End();
        return bed.Events.Count(e => e.StartsWith("ip 192.168.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("vxlan")]
    [InlineData("geneve")]
    [InlineData("gre")]
    [InlineData("nvgre network")]
    [InlineData("pppoe")]
    [InlineData("vxlan in mpls")]
    public void Networks_that_both_directions_name_alike_have_their_own_flows(string kind)
    {
        Assert.Equal(2, Flows(kind, 1, 2, FlowSeparation.Networks));
        Assert.Equal(1, Flows(kind, 2, 2, FlowSeparation.Networks));
        Assert.Equal(1, Flows(kind, 1, 2, FlowSeparation.None));
    }

    [Theory]
    [InlineData("nvgre entropy")]
    [InlineData("erspan")]
    [InlineData("pptp")]
    [InlineData("gtp")]
    [InlineData("mpls")]
    [InlineData("ipip or none")]
    public void What_each_direction_has_of_its_own_does_not_cut_a_flow(string kind)
    {
        Assert.Equal(1, Flows(kind, 1, 2, FlowSeparation.Networks));
        Assert.Equal(1, Flows(kind, 1, 2, FlowSeparation.Vlans));
    }

    [Theory]
    [InlineData("vlan")]
    [InlineData("qinq")]
    public void Tags_cut_a_flow_only_where_the_config_says_so(string kind)
    {
        Assert.Equal(1, Flows(kind, 1, 2, FlowSeparation.Networks));
        Assert.Equal(2, Flows(kind, 1, 2, FlowSeparation.Vlans));
        Assert.Equal(1, Flows(kind, 2, 2, FlowSeparation.Vlans));
    }

    [Fact]
    public void A_tag_that_the_card_took_out_counts_as_one_in_the_frame_and_a_priority_as_none()
    {
        var bed = new TunnelBed(FlowSeparation.Vlans);
        byte[] frame = Layers.Ethernet(EtherType.IPv4, Datagram(back: false));
        bed.Frame(Around("vlan", 7, Datagram(back: true)));
        bed.Frame(frame, vlan: 7);
        bed.Frame(Around("vlan", 0, Datagram(back: true)));
        bed.Frame(frame);
        bed.End();
        Assert.Equal(2, bed.Events.Count);
    }

    [Fact]
    public void The_same_question_in_two_networks_has_two_answers()
    {
        byte[] query = Layers.DnsQuery("in.test"), answer = [.. query];
        answer[2] |= 0x80;
        byte[] asked = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, query), Client, Server), answered = Layers.IPv4(IPProtocol.Udp, Layers.Udp(53, 5000, answer), Server, Client);
        var bed = new TunnelBed();
        foreach (byte network in new byte[] { 1, 2 }) bed.Frame(Around("vxlan", network, asked));
        foreach (byte network in new byte[] { 1, 2 }) bed.Frame(Around("vxlan", network, answered));
        // Before the flows end, so both were answered.
        Assert.Equal(["dns in.test | vxlan 1 10.0.0.1 10.0.0.2 1", "dns in.test | vxlan 2 10.0.0.1 10.0.0.2 1"], bed.Events.Order());
        Assert.Equal(0, bed.Counters.DnsRepeated);
        bed.End();
    }

    [Fact]
    public void Fragments_of_two_networks_are_not_put_together()
    {
        byte[] first = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test"))[..16], Client, Server, fragment: 0x2000);
        byte[] second = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test"))[16..], Client, Server, fragment: 2);
        var bed = new TunnelBed();
        bed.Frame(Around("vxlan", 1, first));
        bed.Frame(Around("vxlan", 2, second));
        Assert.Empty(bed.Events);
        bed.Frame(Around("vxlan", 1, second));
        bed.End();
        Assert.Single(bed.Events, e => e.StartsWith("dns in.test | vxlan 1 ", StringComparison.Ordinal));
    }
}
