using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>What hosts say of themselves, as host events.</summary>
public sealed class HostTests
{
    internal static byte[] Arp(int operation, string mac, string sender, string target) =>
    [
        .. Bytes.Of("0001 0800 06 04"), 0, (byte)operation, .. Bytes.Of(mac), .. Four(sender), .. new byte[6], .. Four(target),
    ];

    static byte[] Four(string address) => System.Net.IPAddress.Parse(address).GetAddressBytes();

    static void Say(DecodeBed bed, byte[] arp) => bed.Frame([.. Bytes.Of("ffffffffffff 020000000001 0806"), .. arp]);

    [Theory]
    [InlineData(1, "10.0.0.7", "10.0.0.1")]
    [InlineData(2, "10.0.0.7", "10.0.0.1")]
    [InlineData(1, "10.0.0.7", "10.0.0.7")]
    public void Arp_tells_the_senders_hardware_address_once(int operation, string sender, string target)
    {
        using var bed = new DecodeBed();
        Say(bed, Arp(operation, "001132174 9f0", sender, target));
        Say(bed, Arp(operation, "0011321749f0", sender, target));
        Assert.Equal(["Arp 10.0.0.7 0011321749f0 "], bed.Seen.Hosts);
        Assert.Equal(2, bed.Counters.NonIp);
    }

    [Fact]
    public void A_probe_says_nothing()
    {
        using var bed = new DecodeBed();
        Say(bed, Arp(1, "0011321749f0", "0.0.0.0", "10.0.0.7"));
        Assert.Empty(bed.Seen.Hosts);
    }

    [Fact]
    public void An_address_that_changes_hands_is_told_again()
    {
        using var bed = new DecodeBed();
        Say(bed, Arp(2, "0011321749f0", "10.0.0.7", "10.0.0.1"));
        Say(bed, Arp(2, "020000000099", "10.0.0.7", "10.0.0.1"));
        Assert.Equal(["Arp 10.0.0.7 0011321749f0 ", "Arp 10.0.0.7 020000000099 "], bed.Seen.Hosts);
    }

    [Fact]
    public void Every_cut_arp_packet_is_counted_and_is_no_ip()
    {
        byte[] arp = Arp(1, "0011321749f0", "10.0.0.7", "10.0.0.1");
        using var bed = new DecodeBed();
        for (int length = 0; length < arp.Length; length++) Say(bed, arp[..length]);
        Assert.Equal((arp.Length, arp.Length), (bed.Fault(DecodeFault.ArpTooShort), bed.Counters.NonIp));
        Assert.Empty(bed.Seen.Hosts);
    }

    static byte[] Neighbor(int type, string target, int option, string mac) =>
        [(byte)type, 0, 0, 0, 0x60, 0, 0, 0, .. System.Net.IPAddress.Parse(target).GetAddressBytes(), (byte)option, 1, .. Bytes.Of(mac)];

    static void Ndp(DecodeBed bed, string source, byte[] message, byte hopLimit = 255)
    {
        byte[] packet = Frames.IPv6(source, "ff02::1", IPProtocol.IcmpV6, message);
        packet[7] = hopLimit;
        bed.Ip(packet);
    }

    [Fact]
    public void Ndp_tells_the_senders_or_the_targets_hardware_address()
    {
        using var bed = new DecodeBed();
        Ndp(bed, "fe80::1", Neighbor(135, "fe80::9", 1, "020000000001"));
        Ndp(bed, "fe80::2", Neighbor(136, "2001:db8::2", 2, "020000000002"));
        Ndp(bed, "fe80::3", [134, 0, 0, 0, .. new byte[12], 1, 1, 2, 0, 0, 0, 0, 3]);
        // Duplicate address detection, a router elsewhere, and the wrong option.
        Ndp(bed, "::", Neighbor(135, "fe80::9", 1, "020000000004"));
        Ndp(bed, "fe80::5", Neighbor(135, "fe80::9", 1, "020000000005"), hopLimit: 64);
        Ndp(bed, "fe80::6", Neighbor(136, "fe80::6", 1, "020000000006"));
        Assert.Equal(["Ndp fe80::1 020000000001 ", "Ndp 2001:db8::2 020000000002 ", "Ndp fe80::3 020000000003 "], bed.Seen.Hosts);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Every_cut_neighbor_message_is_counted_and_an_option_of_length_zero_too()
    {
        byte[] message = Neighbor(136, "fe80::2", 2, "020000000002");
        using var bed = new DecodeBed();
        // Without its option it is whole.
        for (int length = 8; length < message.Length; length++) Ndp(bed, "fe80::2", message[..length]);
        message[25] = 0;
        Ndp(bed, "fe80::2", message);
        Assert.Equal(message.Length - 8, bed.Fault(DecodeFault.NdpInvalid));
        Assert.Empty(bed.Seen.Hosts);
    }

    internal static byte[] Dhcp(int type, string client, string yours, params byte[][] options)
    {
        byte[] message = [(byte)(type is 2 or 5 ? 2 : 1), 1, 6, 0, 1, 2, 3, 4, .. new byte[4], .. Four(client), .. Four(yours), .. new byte[8], .. Bytes.Of("001132174 9f0"), .. new byte[10 + 192]];
        return [.. message, .. Bytes.Of("63825363 3501"), (byte)type, .. options.SelectMany(o => o), 255];
    }

    static byte[] Option(int code, byte[] value) => [(byte)code, (byte)value.Length, .. value];

    static void FromClient(DecodeBed bed, byte[] message) => bed.Udp("0.0.0.0", 68, "255.255.255.255", 67, message);
    static void FromServer(DecodeBed bed, byte[] message) => bed.Udp("10.0.0.1", 67, "255.255.255.255", 68, message);

    [Fact]
    public void A_name_and_an_address_belong_together_once_the_server_acknowledges()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Dhcp(3, "0.0.0.0", "0.0.0.0", Option(12, Bytes.Ascii("nas1\0"))));
        Assert.Empty(bed.Seen.Hosts);
        FromServer(bed, Dhcp(5, "0.0.0.0", "10.0.0.4"));
        FromServer(bed, Dhcp(5, "0.0.0.0", "10.0.0.4"));
        Assert.Equal(["Dhcp 10.0.0.4 0011321749f0 nas1"], bed.Seen.Hosts);
    }

    [Fact]
    public void The_answer_to_an_inform_is_for_the_address_that_the_client_has()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Dhcp(8, "10.0.0.4", "0.0.0.0", Option(81, [0, 0, 0, .. Bytes.Ascii("pc.example.com")]), Option(12, Bytes.Ascii("pc"))));
        FromServer(bed, Dhcp(5, "10.0.0.4", "0.0.0.0"));
        Assert.Equal(["Dhcp 10.0.0.4 0011321749f0 pc.example.com"], bed.Seen.Hosts);
    }

    [Theory]
    [InlineData("02 7063 07 6578616d706c65 00", "pc.example")]
    [InlineData("02 7063", "pc")]
    public void A_client_fqdn_may_be_in_wire_form(string name, string expected)
    {
        using var bed = new DecodeBed();
        FromServer(bed, Dhcp(5, "0.0.0.0", "10.0.0.4", Option(81, [4, 0, 0, .. Bytes.Of(name)])));
        Assert.Equal([$"Dhcp 10.0.0.4 0011321749f0 {expected}"], bed.Seen.Hosts);
    }

    [Fact]
    public void A_refusal_and_an_offer_say_nothing()
    {
        using var bed = new DecodeBed();
        FromServer(bed, Dhcp(2, "0.0.0.0", "10.0.0.4", Option(12, Bytes.Ascii("a"))));
        FromServer(bed, Dhcp(6, "0.0.0.0", "10.0.0.4", Option(12, Bytes.Ascii("a"))));
        Assert.Empty(bed.Seen.Hosts);
    }

    [Fact]
    public void A_name_is_cut_and_loses_its_control_characters()
    {
        using var bed = new DecodeBed();
        FromServer(bed, Dhcp(5, "0.0.0.0", "10.0.0.4", Option(12, [0x1B, .. Bytes.Ascii("[2Ja\n"), 0xC2, 0x9B, 0x7F, .. Enumerable.Repeat((byte)'x', 200)])));
        Assert.Equal([$"Dhcp 10.0.0.4 0011321749f0 [2Ja{new string('x', HostTable.NameSpace - 4)}"], bed.Seen.Hosts);
    }

    [Fact]
    public void Every_cut_dhcp_message_is_read_or_counted()
    {
        byte[] message = Dhcp(5, "0.0.0.0", "10.0.0.4", Option(12, Bytes.Ascii("nas1")));
        int invalid = 0;
        for (int length = 0; length < message.Length; length++)
        {
            DecodeFault fault = DhcpMessage.TryRead(message.AsSpan(0, length), out DhcpMessage dhcp);
            if (fault == DecodeFault.DhcpInvalid) invalid++;
            else Assert.Equal(0, dhcp.Type is 0 or 5 ? 0 : 1);
        }
        // All but those that end between two options.
        Assert.Equal(message.Length - 3, invalid);
        using var bed = new DecodeBed();
        FromServer(bed, message[..^2]);
        Assert.Equal([DecodeFault.DhcpInvalid], bed.Faults);
    }

    static byte[] LocalAnswer(string name, int type, byte[] data, int lifetime = 120) =>
        [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, .. Contents.DnsName(name), 0, (byte)type, 0x80, 1, 0, 0, 0, (byte)lifetime, 0, (byte)data.Length, .. data];

    [Fact]
    public void A_local_name_is_told_with_its_address_and_a_service_or_a_farewell_is_not()
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.9", 5353, "224.0.0.251", 5353, LocalAnswer("printer.local", 1, [10, 0, 0, 9]));
        bed.Udp("10.0.0.9", 5353, "224.0.0.251", 5353, LocalAnswer("printer.local", 28, System.Net.IPAddress.Parse("fe80::9").GetAddressBytes()));
        bed.Udp("10.0.0.9", 5353, "224.0.0.251", 5353, LocalAnswer("gone.local", 1, [10, 0, 0, 10], lifetime: 0));
        bed.Udp("10.0.0.9", 5353, "224.0.0.251", 5353, LocalAnswer("_ipp._tcp.local", 12, Contents.DnsName("printer.local")));
        bed.Udp("10.0.0.9", 5353, "224.0.0.251", 5353, LocalAnswer("www.example.com", 1, [10, 0, 0, 11]));
        bed.Udp("10.0.0.8", 5355, "10.0.0.1", 4000, Contents.Answer(7, "desk", "10.0.0.8"));
        Assert.Equal(["Mdns 10.0.0.9 000000000000 printer", "Mdns fe80::9 000000000000 printer", "Llmnr 10.0.0.8 000000000000 desk"], bed.Seen.Hosts);
    }

    static byte[] NetBios(string name, int suffix) =>
        [32, .. name.PadRight(15).Append((char)suffix).SelectMany(c => (byte[])[(byte)('A' + (c >> 4)), (byte)('A' + (c & 15))]), 0];

    static byte[] Registration(string name, int suffix, int flags = 0) =>
    [
        0, 1, 0x29, 0x10, 0, 1, 0, 0, 0, 0, 0, 1, .. NetBios(name, suffix), 0, 0x20, 0, 1,
        0xC0, 0x0C, 0, 0x20, 0, 1, 0, 0, 0, 60, 0, 6, (byte)(flags >> 8), (byte)flags, 10, 0, 0, 5,
    ];

    [Fact]
    public void A_host_that_registers_its_netbios_name_is_told_and_a_group_is_not()
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.5", 137, "10.0.0.255", 137, Registration("DESKTOP-7", 0x00));
        bed.Udp("10.0.0.5", 137, "10.0.0.255", 137, Registration("DESKTOP-7", 0x20));
        bed.Udp("10.0.0.5", 137, "10.0.0.255", 137, Registration("WORKGROUP", 0x00, 0x8000));
        bed.Udp("10.0.0.5", 137, "10.0.0.255", 137, Registration("BROWSER", 0x1D));
        Assert.Equal(["Nbns 10.0.0.5 000000000000 DESKTOP-7"], bed.Seen.Hosts);
        byte[] broken = Registration("DESKTOP-8", 0);
        broken[14] = (byte)'z';
        bed.Udp("10.0.0.6", 137, "10.0.0.255", 137, broken);
        Assert.Equal(1, bed.Fault(DecodeFault.NbnsNameInvalid));
    }

    [Fact]
    public void A_node_status_tells_the_name_and_the_hardware_address_and_no_cut_of_it_does_harm()
    {
        byte[] entry(string name, int suffix, int flags) => [.. Bytes.Ascii(name.PadRight(15)), (byte)suffix, (byte)(flags >> 8), (byte)flags];
        byte[] names = [3, .. entry("WORKGROUP", 0, 0x8400), .. entry("DESKTOP-7", 0, 0x0400), .. entry("DESKTOP-7", 0x20, 0x0400), .. Bytes.Of("0011321749f0"), .. new byte[40]];
        byte[] status = [0, 1, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0, .. NetBios("*", 0), 0, 0x21, 0, 1, 0, 0, 0, 0, 0, (byte)names.Length, .. names];
        using var bed = new DecodeBed();
        for (int length = 0; length < status.Length; length++) bed.Udp("10.0.0.5", 137, "10.0.0.1", 137, status[..length]);
        Assert.Empty(bed.Seen.Hosts);
        bed.Udp("10.0.0.5", 137, "10.0.0.1", 137, status);
        Assert.Equal(["Nbns 10.0.0.5 0011321749f0 DESKTOP-7"], bed.Seen.Hosts);
    }

    [Fact]
    public void The_table_is_bounded_and_forgets_the_one_silent_longest()
    {
        var table = new HostTable();
        for (uint i = 0; i < HostTable.Capacity; i++) Assert.True(table.Learn(Address.FromV4(0x0A000000 + i), 0, i + 1, default));
        Assert.False(table.Learn(Address.FromV4(0x0A000000), 0, 1, default));
        Assert.True(table.Learn(Address.FromV4(0x0B000000), 0, 1, "new"u8));
        Assert.Equal(HostTable.Capacity, table.Count);
        Assert.True(table.TryFind(Address.FromV4(0x0A000000), 0, out _, out _));
        Assert.False(table.TryFind(Address.FromV4(0x0A000001), 0, out _, out _));
        // What is not said does not take back what was.
        Assert.True(table.Learn(Address.FromV4(0x0B000000), 0, 2, default));
        Assert.True(table.TryFind(Address.FromV4(0x0B000000), 0, out ulong hardware, out ReadOnlySpan<byte> name));
        Assert.Equal((2ul, "new"), (hardware, Bytes.Text(name)));
    }

    [Fact]
    public void An_alert_says_whose_machine_it_is()
    {
        var table = new HostTable();
        var alert = new Alert { Threats = [new AlertThreat("t", "T", 1)], Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-03T09:39:47Z", SrcIP = "10.0.0.5" } };
        Assert.Same(alert, AlertEvents.WithHost(alert, table));
        table.Learn(Make.Ip("10.0.0.5"), 0, 0x0011321749f0, "nas1"u8);
        Alert told = AlertEvents.WithHost(alert, table);
        Assert.Equal(("nas1", "00:11:32:17:49:f0"), (told.Event.SrcHost, told.Event.SrcMac));
        Assert.Contains("\"srcHost\":\"nas1\",\"srcMac\":\"00:11:32:17:49:f0\"", Bytes.Text(AlertJson.ToBytes(told)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_hosts_say_allocates_nothing()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64 });
        byte[] arp = [.. Bytes.Of("ffffffffffff 020000000001 0806"), .. Arp(2, "0011321749f0", "10.0.0.7", "10.0.0.1")];
        byte[] dhcp = Frames.Ethernet(Frames.IPv4("10.0.0.1", "255.255.255.255", 17, Frames.Udp(67, 68, Dhcp(5, "0.0.0.0", "10.0.0.4", Option(12, Bytes.Ascii("nas1"))))));
        // To a name server: a broadcast is a dns event each time, and keeping events is what costs here.
        byte[] registration = Registration("DESKTOP-7", 0);
        registration[3] = 0;
        byte[] nbns = Frames.Ethernet(Frames.IPv4("10.0.0.5", "10.0.0.1", 17, Frames.Udp(137, 137, registration)));
        byte[] mdns = Frames.Ethernet(Frames.IPv4("10.0.0.9", "224.0.0.251", 17, Frames.Udp(5353, 5353, LocalAnswer("printer.local", 1, [10, 0, 0, 9]))));
        Assert.Equal(0, Allocation.Of(() =>
        {
            bed.Frame(arp);
            bed.Frame(dhcp);
            bed.Frame(nbns);
            bed.Frame(mdns);
        }));
    }
}
