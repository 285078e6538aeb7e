using System.Net;
using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>DHCPv6 messages and what they say of hosts.</summary>
public sealed class DhcpV6Tests
{
    internal static readonly byte[] DuidLinkLayer = Bytes.Of("0003 0001 001132174 9f0");
    static readonly byte[] s_duidTime = Bytes.Of("0001 0001 2a3b4c5d 0011321749f0");

    static byte[] Option(int code, params byte[][] value)
    {
        byte[] content = Contents.Join(value);
        return [(byte)(code >> 8), (byte)code, (byte)(content.Length >> 8), (byte)content.Length, .. content];
    }

    static byte[] Lease(string address, int lifetime = 3600, params byte[][] within) =>
        Option(5, IPAddress.Parse(address).GetAddressBytes(), [0, 0, 0, 9, 0, 0, (byte)(lifetime >> 8), (byte)lifetime], Contents.Join(within));

    static byte[] Association(params byte[][] within) => Option(3, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], Contents.Join(within));

    static byte[] Name(string wire) => Option(39, [1], Bytes.Of(wire));

    internal static byte[] Message(int type, params byte[][] options) => [(byte)type, 1, 2, 3, .. Contents.Join(options)];

    static byte[] Relayed(int type, byte[] message, params byte[][] options) => [(byte)type, 0, .. new byte[32], .. Contents.Join(options), .. Option(9, message)];

    static byte[] Answer => Message(7, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4")), Name("03 6e6173 04 686f6d65 00"));

    static void FromClient(DecodeBed bed, byte[] message) => bed.Udp("fe80::4", 546, "ff02::1:2", 547, message);
    static void FromServer(DecodeBed bed, byte[] message) => bed.Udp("fe80::1", 547, "fe80::4", 546, message);

    [Theory]
    [InlineData("03 6e6173 04 686f6d65 00", "nas.home")]
    [InlineData("03 6e6173", "nas")]
    [InlineData("00", "")]
    [InlineData("c000", "")]
    [InlineData("", "")]
    public void A_reply_tells_address_name_and_the_hardware_address_of_the_identifier(string name, string expected)
    {
        using var bed = new DecodeBed();
        byte[] reply = Message(7, Option(1, s_duidTime), Association(Lease("2001:db8::4")), Name(name));
        FromServer(bed, reply);
        FromServer(bed, reply);
        Assert.Equal([$"DhcpV6 2001:db8::4 0011321749f0 {expected}"], bed.Seen.Hosts);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_name_asked_for_belongs_to_every_address_of_the_reply()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Message(3, Option(1, DuidLinkLayer), Association(), Name("03 6e6173")));
        Assert.Empty(bed.Seen.Hosts);
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4"), Lease("2001:db8::5")), Option(4, [0, 0, 0, 2], Lease("2001:db8::6"))));
        Assert.Equal(["DhcpV6 2001:db8::4 0011321749f0 nas", "DhcpV6 2001:db8::5 0011321749f0 nas", "DhcpV6 2001:db8::6 0011321749f0 nas"], bed.Seen.Hosts);
    }

    [Fact]
    public void Another_clients_reply_does_not_get_the_name()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Message(1, Option(1, DuidLinkLayer), Name("03 6e6173")));
        FromServer(bed, Message(7, Option(1, Bytes.Of("0003 0001 020000000009")), Association(Lease("2001:db8::9"))));
        Assert.Equal(["DhcpV6 2001:db8::9 020000000009 "], bed.Seen.Hosts);
    }

    [Fact]
    public void An_offer_a_refusal_and_an_address_taken_back_say_nothing()
    {
        byte[] refused = Option(13, [0, 2]), granted = Option(13, [0, 0]);
        using var bed = new DecodeBed();
        FromServer(bed, Message(2, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4"))));
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Association(refused, Lease("2001:db8::4"))));
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4", 3600, refused))));
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4", 0))));
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Option(25, Lease("2001:db8::4"))));
        Assert.Empty(bed.Seen.Hosts);
        FromServer(bed, Message(7, Option(1, DuidLinkLayer), Association(granted, Lease("2001:db8::4", 60, granted))));
        Assert.Single(bed.Seen.Hosts);
        Assert.Empty(bed.Faults);
    }

    [Theory]
    [InlineData("0003 0006 001132174 9f0")]             // no Ethernet
    [InlineData("0003 0001 0011321749f0 00")]
    [InlineData("0002 0000 0009 0cc084d3 0300 0912")]   // by a manufacturer's number
    [InlineData("0003")]
    [InlineData("")]
    public void An_identifier_that_is_made_of_something_else_tells_no_hardware_address(string identifier)
    {
        using var bed = new DecodeBed();
        FromServer(bed, Message(7, Option(1, Bytes.Of(identifier)), Association(Lease("2001:db8::4")), Name("03 6e6173")));
        Assert.Equal(["DhcpV6 2001:db8::4 000000000000 nas"], bed.Seen.Hosts);
    }

    [Fact]
    public void What_a_relay_saw_goes_before_the_identifier()
    {
        byte[] seen = Option(79, [0, 1], Bytes.Of("020000000007"));
        using var bed = new DecodeBed();
        bed.Udp("2001:db8::1", 547, "2001:db8::2", 547, Relayed(12, Relayed(12, Message(3, Option(1, DuidLinkLayer), Name("03 6e6173")), seen)));
        bed.Udp("2001:db8::2", 547, "2001:db8::1", 547, Relayed(13, Relayed(13, Message(7, Option(1, DuidLinkLayer), Association(Lease("2001:db8::4"))), seen)));
        Assert.Equal(["DhcpV6 2001:db8::4 020000000007 nas"], bed.Seen.Hosts);
    }

    [Theory]
    [InlineData(8, DecodeFault.None)]
    [InlineData(9, DecodeFault.DhcpV6RelayedTooOften)]
    [InlineData(500, DecodeFault.DhcpV6RelayedTooOften)]
    public void Relays_within_relays_are_followed_as_far_as_relays_go(int relays, DecodeFault expected)
    {
        byte[] message = Answer;
        for (int i = 0; i < relays; i++) message = Relayed(13, message);
        Assert.Equal(expected, Dhcpv6Message.TryRead(message, out Dhcpv6Message read));
        if (expected == DecodeFault.None) Assert.Equal((7, 0x010203u, relays), (read.Type, read.Transaction, read.Relays));
        using var bed = new DecodeBed();
        FromServer(bed, message);
        Assert.Equal(expected == DecodeFault.None ? [] : [expected], bed.Faults);
        Assert.Equal(App.DhcpV6, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_cut_message_is_read_or_counted(bool relayed)
    {
        byte[] whole = relayed ? Relayed(13, Answer) : Answer;
        int read = 0;
        for (int length = 0; length < whole.Length; length++)
        {
            // A copy of just that length: a read past the end would throw.
            DecodeFault fault = Dhcpv6Message.TryRead(whole[..length], out Dhcpv6Message message);
            if (fault == DecodeFault.None) read++;
            else Assert.Equal(DecodeFault.DhcpV6Invalid, fault);
            if (fault == DecodeFault.None) Assert.Equal(7, message.Type);
        }
        // All but those that end between two options.
        Assert.Equal(relayed ? 0 : 3, read);
        using var bed = new DecodeBed();
        FromServer(bed, whole);
        for (int length = 0; length < whole.Length; length++) FromServer(bed, whole[..length]);
        Assert.Single(bed.Seen.Hosts);
        Assert.Equal(whole.Length - read, bed.Fault(DecodeFault.DhcpV6Invalid));
        Assert.Equal(whole.Length + 1, bed.Counters.Parsed);
    }

    [Theory]
    [InlineData("07010203 0003 000b 0000000100000000000000")]                                          // an association too short for its header
    [InlineData("07010203 0004 0003 000000")]
    [InlineData("07010203 0003 0010 000000010000000000000000 0005 0018")]                              // an address that ends beyond it
    [InlineData("07010203 0003 0020 000000010000000000000000 0005 0010 00000000000000000000000000000000")]
    [InlineData("07010203 0005 0004 00000000")]
    [InlineData("0d00 0000000000000000000000000000000000000000000000000000000000000000")]              // a relay's message around nothing
    public void An_option_that_lies_about_its_length_is_refused(string message) =>
        Assert.Equal(DecodeFault.DhcpV6Invalid, Dhcpv6Message.TryRead(Bytes.Of(message), out _));

    [Fact]
    public void Damage_anywhere_is_survived()
    {
        var random = new Random(1);
        byte[] text = new byte[DnsName.MaxTextLength];
        byte[] relayed = Relayed(13, Answer);
        for (int i = 0; i < 20_000; i++)
        {
            if (Dhcpv6Message.TryRead(Bytes.Mutate(relayed, random), out Dhcpv6Message message) != DecodeFault.None) continue;
            _ = message.ClientHardware;
            message.ReadName(text);
            Dhcpv6AddressReader addresses = message.Addresses;
            while (addresses.MoveNext()) Assert.NotEqual(0u, addresses.ValidLifetime);
        }
    }

    [Fact]
    public void A_lease_allocates_nothing()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64 });
        byte[] frame = Frames.Ethernet(Frames.IPv6("fe80::1", "fe80::4", 17, Frames.Udp(547, 546, Answer)));
        Assert.Equal(0, Allocation.Of(() => bed.Frame(frame)));
    }
}
