using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What hosts say within a tunnel is said of the network within: it names nobody in the network around, nor in another tunnel's.</summary>
public sealed class TunnelHostTests
{
    static byte[] Udp(string source, ushort sourcePort, string destination, ushort destinationPort, byte[] payload) =>
        Frames.Ip(source, destination, IPProtocol.Udp, Layers.Udp(sourcePort, destinationPort, payload));

    static byte[] Mdns(string name, byte last) =>
        Udp("10.0.0.9", 5353, "224.0.0.251", 5353, [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, .. Contents.DnsName(name), 0, 1, 0x80, 1, 0, 0, 0, 120, 0, 4, 10, 0, 0, last]);

    static byte[] Advertisement()
    {
        byte[] packet = Frames.IPv6("fe80::9", "ff02::1", IPProtocol.IcmpV6,
            [136, 0, 0, 0, 0x60, 0, 0, 0, .. System.Net.IPAddress.Parse("fe80::9").GetAddressBytes(), 2, 1, 0, 0x11, 0x32, 0x17, 0x49, 0xF0]);
        packet[7] = 255;
        return packet;
    }

    static readonly byte[] s_lease = Bytes.Of("""
        0001 000a 0003 0001 001132174 9f0
        0003 0028 000000010000000000000000 0005 0018 20010db8000000000000000000000009 00000e10 00000e10
        0027 0005 01 03 6e6173
        """);

    public static TheoryData<string, byte[]> Sayings => new()
    {
        { "arp 10.0.0.9", Layers.Ethernet(EtherType.Arp, HostTests.Arp(2, "0011321749f0", "10.0.0.9", "10.0.0.1")) },
        { "ndp fe80::9", Layers.Ethernet(EtherType.IPv6, Advertisement()) },
        { "dhcp 10.0.0.9", Layers.Ethernet(EtherType.IPv4, Udp("10.0.0.1", 67, "255.255.255.255", 68, HostTests.Dhcp(5, "0.0.0.0", "10.0.0.9"))) },
        { "dhcpv6 2001:db8::9 nas", Layers.Ethernet(EtherType.IPv6, Udp("fe80::1", 547, "fe80::4", 546, DhcpV6Tests.Message(7, s_lease))) },
        { "mdns 10.0.0.9 nas", Layers.Ethernet(EtherType.IPv4, Mdns("nas.local", 9)) },
        { "llmnr 10.0.0.9 nas", Layers.Ethernet(EtherType.IPv4, Udp("10.0.0.9", 5355, "10.0.0.1", 4000, Contents.Answer(7, "nas", "10.0.0.9"))) },
        { "nbns 10.0.0.9 NAS", Layers.Ethernet(EtherType.IPv4, Udp("10.0.0.9", 137, "10.0.0.1", 137,
            [0, 1, 0x29, 0, 0, 1, 0, 0, 0, 0, 0, 1, .. NbnsTests.Name("NAS", 0), 0, 0x20, 0, 1, 0xC0, 0x0C, 0, 0x20, 0, 1, 0, 0, 0, 60, 0, 6, 0, 0, 10, 0, 0, 9])) },
    };

    [Theory]
    [MemberData(nameof(Sayings))]
    public void A_host_that_is_heard_in_a_tunnel_is_told_with_it_and_apart_from_others(string said, byte[] frame)
    {
        var bed = new TunnelBed();
        void Vxlan(byte network, string from) => bed.Frame(Layers.Ethernet(EtherType.IPv4,
            Layers.IPv4(IPProtocol.Udp, Layers.Udp(40_000, 4789, [8, 0, 0, 0, 0, 0, network, 0, .. frame]), from, "172.16.0.2")));
        bed.Frame(frame);
        Vxlan(7, "172.16.0.1");
        Vxlan(8, "172.16.0.1");
        // The same network by another end, and what was said before: nothing new.
        Vxlan(7, "172.16.0.3");
        bed.Frame(frame);
        string[] hosts = [.. bed.Events.Where(e => e.StartsWith(said, StringComparison.Ordinal))];
        bed.End();
        Assert.Equal([said, $"{said} | vxlan 7 172.16.0.1 172.16.0.2 1", $"{said} | vxlan 8 172.16.0.1 172.16.0.2 1"], hosts);
        Assert.Equal(0, bed.Counters.Faults.Sum());
    }

    [Fact]
    public void A_cut_arp_packet_in_a_tunnel_is_a_fault_and_no_second_frame()
    {
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.Gre, [0, 0, 0x65, 0x58, .. Layers.Ethernet(EtherType.Arp, HostTests.Arp(2, "0011321749f0", "10.0.0.9", "10.0.0.1")[..20])]);
        bed.End();
        Assert.Equal((1, 1, 0), (bed.Fault(DecodeFault.ArpTooShort), bed.Counters.Parsed, bed.Counters.NonIp));
    }

    [Fact]
    public void A_name_asked_for_in_one_network_is_not_anothers()
    {
        byte[] ask = HostTests.Dhcp(3, "0.0.0.0", "0.0.0.0", [12, 3, .. "nas"u8]), granted = HostTests.Dhcp(5, "0.0.0.0", "10.0.0.9");
        var bed = new TunnelBed();
        bed.Outer(IPProtocol.IPv4, Udp("0.0.0.0", 68, "255.255.255.255", 67, ask));
        bed.Frame(Layers.Ethernet(EtherType.IPv4, Udp("10.0.0.1", 67, "255.255.255.255", 68, granted)));
        bed.End();
        Assert.Contains("dhcp 10.0.0.9", bed.Events);
    }

    static Tunnel Tunnel(TunnelKind kind, uint identifier, string source, string destination) =>
        new() { Kind = kind, Depth = 1, Identifier = identifier, Source = Make.Ip(source), Destination = Make.Ip(destination) };

    [Fact]
    public void Both_directions_of_a_tunnel_are_one_network_and_another_is_another()
    {
        Assert.Equal(0ul, default(Tunnel).Network);
        ulong gre = Tunnel(TunnelKind.Gre, 5, "10.0.0.1", "10.0.0.2").Network;
        Assert.Equal(gre, Tunnel(TunnelKind.Gre, 5, "10.0.0.2", "10.0.0.1").Network);
        ulong[] others =
        [
            0, gre, Tunnel(TunnelKind.Gre, 6, "10.0.0.1", "10.0.0.2").Network, Tunnel(TunnelKind.Gre, 5, "10.0.0.1", "10.0.0.3").Network,
            Tunnel(TunnelKind.Erspan, 5, "10.0.0.1", "10.0.0.2").Network, Tunnel(TunnelKind.Vxlan, 5, "10.0.0.1", "10.0.0.2").Network, new Tunnel { Kind = TunnelKind.Mpls, Identifier = 5 }.Network,
        ];
        Assert.Equal(others.Length, others.Distinct().Count());
        Assert.Equal(others[5], Tunnel(TunnelKind.Vxlan, 5, "10.9.9.9", "10.0.0.2").Network);
    }

    [Fact]
    public void An_alert_names_a_machine_only_in_its_own_network()
    {
        ulong network = Tunnel(TunnelKind.Vxlan, 7, "172.16.0.1", "172.16.0.2").Network;
        var table = new HostTable();
        table.Learn(Make.Ip("10.0.0.5"), 0, 1, "tenants"u8, network);
        var alert = new Alert { Threats = [new AlertThreat("t", "T", 1)], Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.0.0.5" } };
        Assert.Same(alert, AlertEvents.WithHost(alert, table));
        Assert.Equal("tenants", AlertEvents.WithHost(alert, table, network).Event.SrcHost);
        table.Learn(Make.Ip("10.0.0.5"), 0, 2, "ours"u8);
        Assert.Equal(("ours", "tenants"), (AlertEvents.WithHost(alert, table).Event.SrcHost, AlertEvents.WithHost(alert, table, network).Event.SrcHost));
    }

    [Fact]
    public void The_event_line_says_the_tunnel_behind_the_ring_too()
    {
        var ring = new EventRing(1 << 20);
        Assert.True(ring.TryWriteHost(new HostEvent { Address = Make.Ip("10.0.0.9"), Name = "nas"u8, Source = HostSource.Mdns, Tunnel = Tunnel(TunnelKind.Vxlan, 7, "172.16.0.1", "172.16.0.2") }));
        using var lines = new MemoryStream();
        var sink = new StageSink(new EventStage(null, null, null, lines));
        Assert.Equal(1, ring.Read(ref sink, 10));
        Assert.Contains("\"name\":\"nas\",\"source\":\"mdns\",\"tunnel\":{\"type\":\"vxlan\",\"src\":\"172.16.0.1\",\"dest\":\"172.16.0.2\",\"id\":7}}", Bytes.Text(lines.ToArray()), StringComparison.Ordinal);
    }
}
