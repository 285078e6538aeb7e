using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class LinkHeaderTests
{
    delegate DecodeFault Read(ReadOnlySpan<byte> bytes);

    static readonly byte[] s_ethernet = Bytes.Of("""
        01005e0000fb            # destination: a group
        020000000001            # source
        0800                    # type
        4500                    # payload
        """);

    static readonly byte[] s_cooked = Bytes.Of("""
        0001                    # packet type: broadcast
        0001 0006 0200000000010000
        86dd                    # protocol
        60                      # payload
        """);

    static readonly byte[] s_cooked2 = Bytes.Of("""
        0800                    # protocol
        0000 00000003 0001
        02                      # packet type: multicast
        06 0200000000010000
        45                      # payload
        """);

    /// <summary>Every prefix below <paramref name="header"/> bytes is refused with that fault, every longer one is read.</summary>
    static void EveryTruncation(byte[] input, int header, DecodeFault fault, Read read)
    {
        for (int length = 0; length <= input.Length; length++)
            Assert.Equal(length < header ? fault : DecodeFault.None, read(input.AsSpan(0, length)));
    }

    [Fact]
    public void An_ethernet_frame_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, EthernetFrame.TryRead(s_ethernet, out EthernetFrame frame));
        Assert.Equal("01005e0000fb", Convert.ToHexStringLower(frame.Destination));
        Assert.Equal("020000000001", Convert.ToHexStringLower(frame.Source));
        Assert.Equal(EtherType.IPv4, frame.Type);
        Assert.True(frame.IsGroupAddressed);
        Assert.Equal("4500", Convert.ToHexStringLower(frame.Payload));
    }

    [Fact]
    public void A_unicast_destination_is_no_group()
    {
        byte[] unicast = (byte[])s_ethernet.Clone();
        unicast[0] = 0x02;
        EthernetFrame.TryRead(unicast, out EthernetFrame frame);
        Assert.False(frame.IsGroupAddressed);
    }

    [Fact]
    public void Every_truncation_of_a_link_header_is_refused()
    {
        EveryTruncation(s_ethernet, 14, DecodeFault.FrameTooShort, b => EthernetFrame.TryRead(b, out _));
        EveryTruncation(Bytes.Of("b123 0800 45"), 4, DecodeFault.VlanTooShort, b => VlanTag.TryRead(b, out _));
        EveryTruncation(s_cooked, 16, DecodeFault.LinuxSllTooShort, b => LinuxCooked.TryRead(b, out _));
        EveryTruncation(s_cooked2, 20, DecodeFault.LinuxSllTooShort, b => LinuxCooked.TryRead2(b, out _));
        EveryTruncation(Bytes.Of("02000000 45"), 4, DecodeFault.LoopbackTooShort, b => Loopback.TryRead(b, out _, out _));
    }

    [Fact]
    public void A_tag_gives_its_identifier_without_priority_and_eligibility()
    {
        Assert.Equal(DecodeFault.None, VlanTag.TryRead(Bytes.Of("f123 86dd 60"), out VlanTag tag));
        Assert.Equal((0x123, EtherType.IPv6, 1), (tag.Identifier, tag.Type, tag.Payload.Length));
    }

    [Fact]
    public void Both_cooked_headers_give_type_and_payload()
    {
        Assert.Equal(DecodeFault.None, LinuxCooked.TryRead(s_cooked, out LinuxCooked one));
        Assert.Equal((EtherType.IPv6, 1, 0x60), (one.Type, one.PacketType, one.Payload[0]));
        Assert.Equal(DecodeFault.None, LinuxCooked.TryRead2(s_cooked2, out LinuxCooked two));
        Assert.Equal((EtherType.IPv4, 2, 0x45), (two.Type, two.PacketType, two.Payload[0]));
    }

    [Theory]
    [InlineData("02000000", EtherType.IPv4)]    // little-endian AF_INET
    [InlineData("00000002", EtherType.IPv4)]    // big-endian, and LINKTYPE_LOOP
    [InlineData("18000000", EtherType.IPv6)]    // NetBSD, OpenBSD
    [InlineData("0000001c", EtherType.IPv6)]    // FreeBSD
    [InlineData("1e000000", EtherType.IPv6)]    // macOS
    [InlineData("0a000000", EtherType.IPv6)]    // Linux
    public void A_loopback_family_of_either_byte_order_is_known(string hex, ushort expected)
    {
        Assert.Equal(DecodeFault.None, Loopback.TryRead(Bytes.Of(hex + "45"), out ushort type, out ReadOnlySpan<byte> payload));
        Assert.Equal((expected, 1), (type, payload.Length));
    }

    [Theory]
    [InlineData("00000000")]
    [InlineData("07000000")]
    [InlineData("ffffffff")]
    public void An_unknown_loopback_family_is_refused(string hex) =>
        Assert.Equal(DecodeFault.LoopbackFamilyUnknown, Loopback.TryRead(Bytes.Of(hex), out _, out _));
}
