using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>
/// A frame of every tunnel, cut after each of its bytes as a capture with a short snap length cuts it: the layer that is not whole is the fault, what lies around
/// it is kept, and nothing behind the cut is looked at.
/// </summary>
public sealed class TunnelTruncationTests
{
    /// <summary>Bytes of one layer, and the fault when the cut is in them; at their very start too, unless they may be missing.</summary>
    /// <param name="Name">Of the layer.</param>
    /// <param name="Length">In bytes.</param>
    /// <param name="Fault">None where a cut shows nothing.</param>
    /// <param name="MayBeMissing">Cut right before it, nothing is wrong: nothing has been promised.</param>
    internal sealed record Layer(string Name, int Length, DecodeFault Fault, bool MayBeMissing = false);

    const DecodeFault Broken = DecodeFault.TunnelInvalid;

    static readonly byte[] s_query = Layers.IPv4(IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")), "192.168.1.1", "192.168.1.2");
    static readonly byte[] s_query6 = Frames.IPv6("2001:0:1:2::1", "2001:db8::2", IPProtocol.Udp, Layers.Udp(5000, 53, Layers.DnsQuery("in.test")));
    static readonly byte[] s_frame = Layers.Ethernet(EtherType.IPv4, s_query);

    static readonly Layer[] s_dns =
    [
        new("inner UDP", 8, Broken), new("DNS header", 12, DecodeFault.DnsHeaderTooShort, MayBeMissing: true),
        new("name", 9, DecodeFault.DnsNameTruncated), new("type and class", 4, DecodeFault.DnsQuestionTruncated),
    ];

    static readonly Layer[] s_inFour = [new("inner IPv4", 20, Broken), .. s_dns];
    static readonly Layer[] s_inSix = [new("inner IPv6", 40, Broken), .. s_dns];
    static readonly Layer[] s_inFrame = [new("inner Ethernet", 14, Broken), .. s_inFour];

    static readonly Dictionary<string, (byte[] Frame, Layer[] Layers)> s_tunnels = new(StringComparer.Ordinal)
    {
        ["IP in IP"] = Ip(IPProtocol.IPv4, s_query, s_inFour),
        ["6in4"] = Ip(IPProtocol.IPv6, s_query6, s_inSix),
        ["GRE"] = Ip(IPProtocol.Gre, [0, 0, 8, 0, .. s_query], [new("GRE", 4, Broken), new("inner IPv4", 20, Broken, MayBeMissing: true), .. s_dns]),
        ["GRE with all its options"] = Ip(IPProtocol.Gre, [0xF0, 0, 8, 0, .. new byte[12], 8, 0, 0, 4, 10, 0, 0, 9, 0, 0, 0, 0, .. s_query],
            [new("GRE", 16, Broken), new("routes", 12, Broken), new("inner IPv4", 20, Broken, MayBeMissing: true), .. s_dns]),
        ["ERSPAN I"] = Ip(IPProtocol.Gre, [0, 0, 0x88, 0xBE, .. s_frame], [new("GRE", 4, Broken), .. s_inFrame]),
        ["ERSPAN II"] = Ip(IPProtocol.Gre, [0x10, 0, 0x88, 0xBE, 0, 0, 0, 1, 0x10, 0, 0, 5, 0, 0, 0, 0, .. s_frame], [new("GRE", 8, Broken), new("ERSPAN", 8, Broken), .. s_inFrame]),
        ["ERSPAN III"] = Ip(IPProtocol.Gre, [0x10, 0, 0x22, 0xEB, 0, 0, 0, 1, 0x20, 0, 0, 5, .. new byte[7], 1, .. new byte[8], .. s_frame],
            [new("GRE", 8, Broken), new("ERSPAN", 12, Broken), new("platform header", 8, Broken), .. s_inFrame]),
        ["PPTP"] = Ip(IPProtocol.Gre, [0x30, 0x81, 0x88, 0x0B, (byte)((s_query.Length + 4) >> 8), (byte)(s_query.Length + 4), 0, 99, 0, 0, 0, 1, 0, 0, 0, 1, 0xFF, 3, 0, 0x21, .. s_query],
            [new("GRE", 16, Broken), new("PPP", 4, Broken, MayBeMissing: true), .. s_inFour]),
        ["GTP-U"] = Udp(2152, [0x34, 0xFF, 0, (byte)(s_query.Length + 8), 0, 0, 0, 17, 0, 1, 0, 0x85, 1, 0x10, 9, 0, .. s_query],
            [new("GTP", 8, Broken), new("sequence number", 4, Broken), new("extension", 4, Broken), .. s_inFour]),
        ["Teredo"] = Udp(3544, [0, 1, 2, 1, 7, 7, 7, .. new byte[9], 0, 0, 1, 2, 1, 2, 3, 4, .. s_query6], [new("authentication", 16, Broken), new("origin", 8, Broken), .. s_inSix]),
        ["VXLAN"] = Udp(4789, [8, 0, 0, 0, 0, 0, 7, 0, .. s_frame], [new("VXLAN", 8, Broken), .. s_inFrame]),
        ["VXLAN-GPE"] = Udp(4790, [0x0C, 0, 0, 1, 0, 0, 7, 0, .. s_query], [new("VXLAN", 8, Broken), .. s_inFour]),
        ["VXLAN-GPE with a shim and NSH"] = Udp(4790, [0x0C, 0, 0, 0x80, 0, 0, 7, 0, 0x80, 2, 0, 4, 0, 0, 0, 0, 0x0F, 0xC2, 1, 1, 0, 0, 0, 1, .. s_query],
            [new("VXLAN", 8, Broken), new("shim", 8, Broken), new("NSH", 8, Broken), .. s_inFour]),
        ["Geneve"] = Udp(6081, [1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4, .. s_frame], [new("Geneve", 8, Broken), new("option", 4, Broken), .. s_inFrame]),
        // It has neither a mark nor a length: until it is whole it may be anything.
        ["AYIYA"] = Udp(5072, [0x41, 0x52, 0x11, 41, 0, 0, 0, 0, .. new byte[16], .. new byte[20], .. s_query6], [new("AYIYA", 44, DecodeFault.None), .. s_inSix]),
        ["NSH"] = Link(EtherType.Nsh, [0x0F, 0xC2, 1, 1, 0, 0, 0, 1, .. s_query], [new("NSH", 8, DecodeFault.NshTooShort), .. InLink()]),
        ["MPLS"] = Link(EtherType.Mpls, [0, 0, 0x10, 0x40, 0, 0x0F, 0xF1, 0x40, .. s_query],
            [new("labels", 8, DecodeFault.MplsTooShort), new("first byte", 0, DecodeFault.MplsTooShort), .. InLink(DecodeFault.MplsTooShort)]),
        ["PPPoE"] = Link(EtherType.PppoeSession, [0x11, 0, 1, 2, 0, (byte)(s_query.Length + 2), 0, 0x21, .. s_query], [new("PPPoE", 6, DecodeFault.PppTooShort), new("PPP", 2, DecodeFault.PppTooShort), .. InLink()]),
        ["PBB"] = Link(EtherType.ServiceInstance, [0, 1, 2, 3, .. s_frame], [new("I-tag", 4, DecodeFault.VlanTooShort), new("customer's Ethernet", 14, DecodeFault.FrameTooShort), .. InLink()]),
    };

    public static TheoryData<string> Tunnels => new(s_tunnels.Keys);

    /// <summary>Without a packet around, faults have their own names; a stack of labels wants one byte to look at.</summary>
    static Layer[] InLink(DecodeFault atStart = DecodeFault.IPv4HeaderTooShort) =>
    [
        new("first byte", 1, atStart), new("inner IPv4", 19, DecodeFault.IPv4HeaderTooShort), s_dns[0] with { Fault = DecodeFault.UdpHeaderTooShort }, .. s_dns[1..],
    ];

    static (byte[], Layer[]) Link(ushort type, byte[] payload, Layer[] layers) => (Layers.Ethernet(type, payload), [new("Ethernet", 14, DecodeFault.FrameTooShort), .. layers]);

    static (byte[], Layer[]) Ip(byte protocol, byte[] payload, Layer[] layers) =>
        Link(EtherType.IPv4, Layers.IPv4(protocol, payload), [new("IPv4", 20, DecodeFault.IPv4HeaderTooShort), .. layers]);

    static (byte[], Layer[]) Udp(ushort port, byte[] payload, Layer[] layers) =>
        Ip(IPProtocol.Udp, Layers.Udp(40_000, port, payload), [new("UDP", 8, DecodeFault.UdpHeaderTooShort), .. layers]);

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void The_layer_that_is_cut_is_the_fault_and_the_layers_around_it_are_kept(string name)
    {
        (byte[] frame, Layer[] layers) = s_tunnels[name];
        Assert.Equal(frame.Length, layers.Sum(l => l.Length));
        int within = frame.Length - layers.Reverse().TakeWhile(l => l.Name != "inner UDP").Sum(l => l.Length);
        int around = layers.TakeWhile(l => l.Name is "Ethernet" or "IPv4" or "UDP").Sum(l => l.Length);
        bool hasOuter = layers[1].Name == "IPv4";
        using var bed = new DecodeBed();
        for (int length = 0; length < frame.Length; length++)
        {
            bed.Seen.Clear();
            long[] faults = [.. bed.Counters.Faults];
            long parsed = bed.Counters.Parsed;
            // A whole one first: then the flow is known for what it is.
            bed.Frame(frame);
            bed.Frame(frame[..length], originalLength: frame.Length);
            bed.Drain();
            DecodeFault fault = FaultAt(layers, length);
            if (fault != DecodeFault.None) faults[(int)fault]++;
            Assert.True(faults.SequenceEqual(bed.Counters.Faults), $"{length}: {fault} wanted, {string.Join(' ', bed.Faults.Where(f => bed.Fault(f) != faults[(int)f]))} counted");
            SeenIp inner = Assert.Single(bed.Seen.Ip, e => e.Server.EndsWith(":53", StringComparison.Ordinal));
            Assert.Equal(length >= within ? 2 : 1, inner.PacketsOut);
            if (hasOuter) Assert.Equal(length >= around ? 2 : 1, Assert.Single(bed.Seen.Ip, e => e.Client.StartsWith("10.0.0.1:", StringComparison.Ordinal)).PacketsOut);
            Assert.Equal(parsed + 1 + (length >= (hasOuter ? around : within) ? 1 : 0), bed.Counters.Parsed);
            Assert.Equal(["in.test"], bed.Seen.Dns.Select(e => e.Split(' ')[3]));
        }
    }

    static DecodeFault FaultAt(Layer[] layers, int length)
    {
        foreach (Layer layer in layers)
        {
            if (length < layer.Length) return length == 0 && layer.MayBeMissing ? DecodeFault.None : layer.Fault;
            length -= layer.Length;
        }
        return DecodeFault.None;
    }

    [Theory]
    [MemberData(nameof(Tunnels))]
    public void What_lies_in_memory_behind_the_cut_changes_nothing(string name)
    {
        byte[] frame = s_tunnels[name].Frame;
        using var bed = new DecodeBed();
        for (int length = 0; length < frame.Length; length++)
        {
            string[] results = [.. new[] { frame[..length], frame, [.. frame[..length], .. Enumerable.Repeat((byte)0xFF, 64)] }.Select(memory => Seen(bed, frame, memory, length))];
            Assert.True(results.Distinct().Count() == 1, $"{length}: {string.Join(" / ", results)}");
        }
    }

    static string Seen(DecodeBed bed, byte[] whole, byte[] memory, int length)
    {
        bed.Seen.Clear();
        long[] faults = [.. bed.Counters.Faults];
        bed.Frame(whole);
        bed.Decoder.OnFrame(new Frame(memory.AsSpan(0, length), whole.Length, Make.Stamp, bed.Tick, LinkType.Ethernet));
        bed.Drain();
        return string.Join('|', [.. bed.Seen.Content, .. bed.Seen.Ip.Select(e => (e with { Timestamp = 0 }).ToString()), .. bed.Faults.Where(f => bed.Fault(f) != faults[(int)f]).Select(f => f.ToString())]);
    }

    [Fact]
    public void Datagrams_of_a_known_tunnel_that_are_none_are_faults_and_empty_ones_are_not()
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "10.0.0.2", 4789, [0, 0, 0, 0, 0, 0, 7, 0]);
        Assert.Empty(bed.Faults);
        bed.Udp("10.0.0.1", 40_001, "10.0.0.2", 4789, [8, 0, 0, 0, 0, 0, 7, 0, .. s_frame]);
        bed.Udp("10.0.0.1", 40_001, "10.0.0.2", 4789, []);
        Assert.Empty(bed.Faults);
        bed.Udp("10.0.0.1", 40_001, "10.0.0.2", 4789, [0, 0, 0, 0, 0, 0, 7, 0]);
        Assert.Equal(1, bed.Fault(Broken));
    }
}
