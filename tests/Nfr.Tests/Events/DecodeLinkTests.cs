using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>From a frame's link layer to its IP packet, and every fault on that way.</summary>
public sealed class DecodeLinkTests
{
    static readonly byte[] s_four = Frames.IPv4("10.0.0.1", "192.0.2.1", 17, Frames.Udp(4000, 4001, [1, 2, 3]));
    static readonly byte[] s_six = Frames.IPv6("2001:db8::1", "2001:db8::2", 17, Frames.Udp(4000, 4001, [1, 2, 3]));

    [Theory]
    [InlineData(LinkType.Ethernet, "020000000002020000000001 0800", false)]
    [InlineData(LinkType.Ethernet, "020000000002020000000001 86dd", true)]
    [InlineData(LinkType.LinuxSll, "0000 0001 0006 0200000000010000 0800", false)]
    [InlineData(LinkType.LinuxSll2, "86dd 0000 00000003 0001 00 06 0200000000010000", true)]
    [InlineData(LinkType.Null, "02000000", false)]
    [InlineData(LinkType.Null, "1e000000", true)]
    [InlineData(LinkType.Loop, "00000018", true)]
    [InlineData(LinkType.Raw, "", false)]
    [InlineData(LinkType.Raw, "", true)]
    [InlineData(LinkType.RawBsd, "", false)]
    [InlineData(LinkType.RawOpenBsd, "", true)]
    [InlineData(LinkType.IPv4, "", false)]
    [InlineData(LinkType.IPv6, "", true)]
    public void Every_link_type_leads_to_the_packet(LinkType link, string header, bool v6)
    {
        using var bed = new DecodeBed();
        bed.Frame([.. Bytes.Of(header), .. v6 ? s_six : s_four], link);
        Assert.Equal(v6 ? "2001:db8::1:4000" : "10.0.0.1:4000", bed.OnlyFlow().Client);
        Assert.Equal(1, bed.Counters.Parsed);
    }

    [Theory]
    [InlineData("8100 0007", 7)]
    [InlineData("8100 e007", 7)]
    [InlineData("88a8 0064 8100 0007", 100)]
    [InlineData("9100 0064 8100 0007", 100)]
    [InlineData("8100 0000 8100 0009", 9)]      // a priority tag names no VLAN
    [InlineData("8100 0001 8100 0002 8100 0003 8100 0004", 1)]
    public void The_outermost_tag_names_the_vlan(string tags, int vlan)
    {
        using var bed = new DecodeBed();
        bed.Frame([.. Bytes.Of("020000000002020000000001" + tags + "0800"), .. s_four]);
        Assert.Equal(vlan, bed.OnlyFlow().Vlan);
        Assert.Equal(1, bed.Counters.VlanTagged);
    }

    [Theory]
    [InlineData(0x0007, "", 7)]
    [InlineData(0x0064, "8100 0007", 100)]
    [InlineData(0x6000, "8100 0007", 7)]
    public void A_tag_that_the_kernel_stripped_is_the_outermost(int tci, string tags, int vlan)
    {
        using var bed = new DecodeBed();
        bed.Frame([.. Bytes.Of("020000000002020000000001" + tags + "0800"), .. s_four], tpid: 0x8100, tci: (ushort)tci);
        Assert.Equal(vlan, bed.OnlyFlow().Vlan);
        Assert.Equal(1, bed.Counters.VlanTagged);
    }

    [Fact]
    public void What_is_not_ip_is_counted_and_opens_no_flow()
    {
        using var bed = new DecodeBed();
        bed.Frame(Bytes.Of("ffffffffffff020000000001 0806 0001080006040001"));      // ARP
        bed.Frame(Bytes.Of("0180c2000000020000000001 0026 424203"));                // spanning tree: LLC
        Assert.Equal((2, 2, 0), (bed.Counters.NonIp, bed.Counters.GroupAddressed, bed.Counters.FlowsOpened));
    }

    public static TheoryData<DecodeFault, string, LinkType> Faults
    {
        get
        {
            const string ether4 = "020000000002020000000001 0800", ether6 = "020000000002020000000001 86dd";
            string four = Convert.ToHexString(s_four), six = Convert.ToHexString(s_six);
            string Ip4(byte protocol, string payload) => ether4 + Convert.ToHexString(Frames.IPv4("10.0.0.1", "192.0.2.1", protocol, Bytes.Of(payload)));
            string Ip6(byte next, string payload) => ether6 + Convert.ToHexString(Frames.IPv6("2001:db8::1", "2001:db8::2", next, Bytes.Of(payload)));
            string options = string.Concat(Enumerable.Repeat("3c00010400000000", 9));
            return new TheoryData<DecodeFault, string, LinkType>
            {
                { DecodeFault.LinkTypeUnknown, four, (LinkType)147 },
                { DecodeFault.FrameTooShort, "020000000002020000000001 08", LinkType.Ethernet },
                { DecodeFault.FrameTooShort, "", LinkType.Raw },
                { DecodeFault.VlanTooShort, "020000000002020000000001 8100 0007 08", LinkType.Ethernet },
                { DecodeFault.VlanTooDeep, "020000000002020000000001 8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800" + four, LinkType.Ethernet },
                { DecodeFault.LinuxSllTooShort, "0000 0001 0006", LinkType.LinuxSll },
                { DecodeFault.LinuxSllTooShort, "0800 0000 00000003 0001 00 06 02000000", LinkType.LinuxSll2 },
                { DecodeFault.LoopbackTooShort, "0200", LinkType.Null },
                { DecodeFault.LoopbackFamilyUnknown, "63000000" + four, LinkType.Loop },
                { DecodeFault.IPv4HeaderTooShort, ether4 + four[..38], LinkType.Ethernet },
                { DecodeFault.IPv4VersionWrong, ether4 + "55" + four[2..], LinkType.Ethernet },
                { DecodeFault.IPv4HeaderLengthBelowMinimum, ether4 + "44" + four[2..], LinkType.Ethernet },
                { DecodeFault.IPv4TotalLengthBelowHeader, ether4 + "45000013" + four[8..], LinkType.Ethernet },
                { DecodeFault.IPv6HeaderTooShort, ether6 + six[..78], LinkType.Ethernet },
                { DecodeFault.IPv6VersionWrong, ether6 + "45" + six[2..], LinkType.Ethernet },
                { DecodeFault.IPv6ExtensionTooShort, Ip6(0, "1100 0104"), LinkType.Ethernet },
                { DecodeFault.IPv6ExtensionsTooMany, Ip6(60, options), LinkType.Ethernet },
                { DecodeFault.FragmentBeyondDatagram, ether4 + Convert.ToHexString(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, new byte[16], 1, 65_528)), LinkType.Ethernet },
                { DecodeFault.TcpHeaderTooShort, Ip4(6, "c0000050"), LinkType.Ethernet },
                { DecodeFault.TcpDataOffsetBelowMinimum, Ip4(6, "c0000050 00000000 00000000 4002 4000 0000 0000"), LinkType.Ethernet },
                { DecodeFault.TcpDataOffsetBeyondSegment, Ip4(6, "c0000050 00000000 00000000 6002 4000 0000 0000"), LinkType.Ethernet },
                { DecodeFault.UdpHeaderTooShort, Ip4(17, "00350035"), LinkType.Ethernet },
                { DecodeFault.UdpLengthBelowHeader, Ip4(17, "0035003500070000"), LinkType.Ethernet },
                { DecodeFault.IcmpHeaderTooShort, Ip4(1, "08000000"), LinkType.Ethernet },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_frame_that_cannot_be_read_ends_in_its_fault(DecodeFault fault, string hex, LinkType link)
    {
        using var bed = new DecodeBed();
        bed.Frame(Bytes.Of(hex), link);
        Assert.Equal([fault], bed.Faults);
        Assert.Equal((1, 1, 0), (bed.Counters.PacketFaults, bed.Counters.Frames, bed.Counters.FlowsOpened));
    }

    [Fact]
    public void Every_truncation_of_a_frame_is_counted_once()
    {
        using var bed = new DecodeBed();
        byte[][] inputs =
        [
            Frames.Ethernet(s_four, 1, 2), Frames.Ethernet(s_six),
            Frames.Ethernet(Frames.IPv4("10.0.0.1", "192.0.2.1", 6, Frames.Tcp(40_000, 80, 1, 1, 16, Bytes.Ascii("GET / HTTP/1.1\r\n\r\n")))),
            Frames.Ethernet(Frames.IPv6Fragment("2001:db8::1", "2001:db8::2", 17, new byte[32], 9, 0, true)),
            Frames.Ethernet(Frames.IPv4("10.0.0.1", "192.0.2.1", 17, Frames.Udp(4000, 53, Contents.Query(1, "a.example")))),
        ];
        foreach (byte[] input in inputs)
        {
            for (int length = 0; length < input.Length; length++) bed.Frame(input[..length], originalLength: input.Length);
        }
        Assert.Equal(inputs.Sum(i => i.Length), bed.Counters.Frames);
        Assert.Equal(bed.Counters.Frames, bed.Counters.Truncated);
    }

    [Fact]
    public void A_frame_seen_twice_within_a_moment_is_noticed()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 2000; i++)
        {
            byte[] packet = Frames.Ethernet(Frames.IPv4("10.0.0.1", "192.0.2.1", 6, Frames.Tcp(40_000, 5000, (uint)(i * 100), 1, 16, new byte[100]), i));
            bed.Frame(packet);
            bed.Frame(packet);
        }
        Assert.InRange(bed.Counters.DuplicatesLookedAt, 250, 1000);
        Assert.Equal(bed.Counters.DuplicatesLookedAt / 2, bed.Counters.Duplicates);
    }

    [Fact]
    public void Ordinary_traffic_and_retransmissions_are_no_duplicates()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 2000; i++)
        {
            byte[] packet = Frames.Ethernet(Frames.IPv4("10.0.0.1", "192.0.2.1", 6, Frames.Tcp(40_000, 5000, (uint)(i * 100), 1, 16, new byte[100]), i));
            bed.Frame(packet);
            if (i % 10 != 0) continue;
            bed.Wait(0.2);
            bed.Frame(packet);
        }
        Assert.Equal(0, bed.Counters.Duplicates);
    }
}
