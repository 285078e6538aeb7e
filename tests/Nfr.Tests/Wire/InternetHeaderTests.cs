using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class InternetHeaderTests
{
    static readonly byte[] s_four = Bytes.Of("""
        46 00 001c              # version and IHL 6, TOS, total length 28
        1234 2001 40 11 0000    # identification, MF + offset 1, TTL, UDP, checksum
        0a000001 c0000201       # 10.0.0.1, 192.0.2.1
        01010100                # options
        deadbeef                # payload
        """);

    /// <summary>Payload length and next header go where the braces are.</summary>
    const string Six = """
        6 0000000 {length} {next} 40    # version, traffic class, flow label, payload length, next header, hop limit
        20010db8000000000000000000000001
        20010db8000000000000000000000002
        """;

    static byte[] V6(byte next, string rest, int? length = null)
    {
        byte[] body = Bytes.Of(rest);
        return [.. Bytes.Of(Six.Replace("{length}", (length ?? body.Length).ToString("x4")).Replace("{next}", next.ToString("x2"))), .. body];
    }

    [Fact]
    public void An_ipv4_header_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, IPv4Packet.TryRead(s_four, out IPv4Packet ip));
        Assert.Equal((28, 24, 0x1234, 64, 17), (ip.TotalLength, ip.HeaderLength, ip.Identification, ip.TimeToLive, ip.Protocol));
        Assert.Equal((true, true, 8), (ip.IsFragment, ip.MoreFragments, ip.FragmentOffset));
        Assert.Equal(("10.0.0.1", "192.0.2.1"), (ip.Source.ToString(), ip.Destination.ToString()));
        Assert.Equal("deadbeef", Convert.ToHexStringLower(ip.Payload));
    }

    [Fact]
    public void Every_truncation_of_an_ipv4_header_is_refused_and_of_its_payload_read()
    {
        for (int length = 0; length <= s_four.Length; length++)
        {
            DecodeFault fault = IPv4Packet.TryRead(s_four.AsSpan(0, length), out IPv4Packet ip);
            Assert.Equal(length < 24 ? DecodeFault.IPv4HeaderTooShort : DecodeFault.None, fault);
            // A cut-off frame keeps the length on the wire.
            if (length >= 24) Assert.Equal((28, length - 24), (ip.TotalLength, ip.Payload.Length));
        }
    }

    [Fact]
    public void Link_padding_is_no_payload()
    {
        Assert.Equal(DecodeFault.None, IPv4Packet.TryRead([.. s_four, 0, 0, 0, 0, 0, 0], out IPv4Packet ip));
        Assert.Equal(4, ip.Payload.Length);
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead([.. V6(17, "deadbeef"), 0, 0, 0], out IPv6Packet six));
        Assert.Equal((4, 44), (six.Payload.Length, six.TotalLength));
    }

    [Fact]
    public void A_total_length_of_zero_is_what_was_captured()
    {
        byte[] offloaded = (byte[])s_four.Clone();
        offloaded[2] = offloaded[3] = 0;
        Assert.Equal(DecodeFault.None, IPv4Packet.TryRead(offloaded, out IPv4Packet ip));
        Assert.Equal((28, 4), (ip.TotalLength, ip.Payload.Length));
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead(V6(6, "deadbeef", 0), out IPv6Packet six));
        Assert.Equal((44, 4), (six.TotalLength, six.Payload.Length));
    }

    [Theory]
    [InlineData(0, 0x56, DecodeFault.IPv4VersionWrong)]
    [InlineData(0, 0x44, DecodeFault.IPv4HeaderLengthBelowMinimum)]
    [InlineData(0, 0x4F, DecodeFault.IPv4HeaderTooShort)]
    [InlineData(3, 23, DecodeFault.IPv4TotalLengthBelowHeader)]
    public void A_broken_ipv4_header_is_refused(int at, byte value, DecodeFault expected)
    {
        byte[] broken = (byte[])s_four.Clone();
        broken[at] = value;
        Assert.Equal(expected, IPv4Packet.TryRead(broken, out _));
    }

    [Theory]
    [InlineData(0x0000, false, false, 0)]
    [InlineData(0x4000, false, false, 0)]       // don't fragment
    [InlineData(0x8000, false, false, 0)]       // the reserved bit
    [InlineData(0x2000, true, true, 0)]
    [InlineData(0x0001, true, false, 8)]
    [InlineData(0x1FFF, true, false, 65528)]
    public void Flags_and_offset_say_what_a_fragment_is(int word, bool fragment, bool more, int offset)
    {
        byte[] bytes = (byte[])s_four.Clone();
        (bytes[6], bytes[7]) = ((byte)(word >> 8), (byte)word);
        IPv4Packet.TryRead(bytes, out IPv4Packet ip);
        Assert.Equal((fragment, more, offset), (ip.IsFragment, ip.MoreFragments, ip.FragmentOffset));
    }

    [Fact]
    public void An_ipv6_header_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead(V6(17, "deadbeef"), out IPv6Packet ip));
        Assert.Equal((44, 17, 64, false), (ip.TotalLength, ip.Protocol, ip.HopLimit, ip.IsFragment));
        Assert.Equal((0, 0u, false), (ip.FragmentOffset, ip.Identification, ip.MoreFragments));
        Assert.Equal(("2001:db8::1", "2001:db8::2"), (ip.Source.ToString(), ip.Destination.ToString()));
        Assert.Equal("deadbeef", Convert.ToHexStringLower(ip.Payload));
    }

    /// <summary>Hop-by-hop, destination (16 bytes), routing, authentication (16 bytes), an atomic fragment, mobility, then UDP.</summary>
    static readonly byte[] s_chain = V6(0, """
        3c 00 010400000000              # hop-by-hop, next: destination options
        2b 01 010400000000 0106000000000000  # destination options of 16 bytes, next: routing
        33 00 000000000000              # routing, next: authentication
        2c 02 0000 00000001 00000002 01020304   # authentication of 16 bytes, next: fragment
        87 00 0000 00000007             # fragment: offset 0, no more; next: mobility
        11 00 0000 00000000             # mobility, next: UDP
        cafe                            # payload
        """);

    [Fact]
    public void A_chain_of_extension_headers_is_walked_to_the_upper_layer()
    {
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead(s_chain, out IPv6Packet ip));
        Assert.Equal((17, false, 7u), (ip.Protocol, ip.IsFragment, ip.Identification));
        Assert.Equal("cafe", Convert.ToHexStringLower(ip.Payload));
    }

    [Fact]
    public void Every_truncation_of_an_extension_chain_is_refused()
    {
        int header = s_chain.Length - 2;
        for (int length = 0; length <= s_chain.Length; length++)
        {
            DecodeFault expected = length < 40 ? DecodeFault.IPv6HeaderTooShort : length < header ? DecodeFault.IPv6ExtensionTooShort : DecodeFault.None;
            Assert.Equal(expected, IPv6Packet.TryRead(s_chain.AsSpan(0, length), out IPv6Packet ip));
            if (length >= header) Assert.Equal((length - header, s_chain.Length), (ip.Payload.Length, ip.TotalLength));
        }
    }

    [Fact]
    public void An_extension_chain_beyond_the_announced_length_is_refused() =>
        Assert.Equal(DecodeFault.IPv6ExtensionTooShort, IPv6Packet.TryRead(V6(0, "11 01 0104000000000104000000000000 cafe", 8), out _));

    [Theory]
    [InlineData(8, DecodeFault.None)]
    [InlineData(9, DecodeFault.IPv6ExtensionsTooMany)]
    public void Nine_extension_headers_are_too_many(int count, DecodeFault expected)
    {
        string chain = string.Concat(Enumerable.Range(1, count).Select(i => (i == count ? "11" : "3c") + "00 010400000000"));
        Assert.Equal(expected, IPv6Packet.TryRead(V6(60, chain + "cafe"), out _));
    }

    [Fact]
    public void An_ipv6_version_other_than_six_is_refused() =>
        Assert.Equal(DecodeFault.IPv6VersionWrong, IPv6Packet.TryRead([0x45, .. V6(17, "")[1..]], out _));

    [Fact]
    public void Behind_the_header_of_a_later_fragment_stands_data()
    {
        // Offset 8, more; the payload would look like a hop-by-hop header.
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead(V6(44, "00 00 0009 00000007 0000 0000 0000 0000"), out IPv6Packet ip));
        Assert.Equal((true, true, 8, 0), (ip.IsFragment, ip.MoreFragments, ip.FragmentOffset, ip.Protocol));
        Assert.Equal(8, ip.Payload.Length);
    }

    [Fact]
    public void A_first_fragment_keeps_the_extension_headers_behind_its_own_as_data()
    {
        // RFC 8200 4.5: they belong to the fragmentable part, so offsets count from them.
        Assert.Equal(DecodeFault.None, IPv6Packet.TryRead(V6(44, "3c 00 0001 00000007  11 00 010400000000  cafe"), out IPv6Packet ip));
        Assert.Equal((true, 60, 10), (ip.IsFragment, ip.Protocol, ip.Payload.Length));
    }
}
