using Nfr.Events;
using Nfr.Tests.Wire;

namespace Nfr.Tests.Events;

/// <summary>The ip event's app: by content, at ports that say nothing.</summary>
public sealed class RecognitionTests
{
    /// <summary>As random as a public key is.</summary>
    const string s_key = "a819408ce5010ca2e09ef59ac3d89f5ff8595d02b524e61bf8afa894a95d594f8174099687a26621f4e2cdd7cc03b3dacedb3fb962255b1aafd033cabe831530";
    static readonly string s_name = string.Concat(Enumerable.Repeat("43", 32));

    const string Hash = "1b42cd5b940ed779c20ab755fe256f97";

    public static TheoryData<App, string> Datagrams => new()
    {
        { App.WireGuard, "01000000" + new string('7', 288) },
        { App.WireGuard, "02000000" + new string('7', 176) },
        { App.OpenVpn, "38 1122334455667788 00 00000000" },
        { App.Ike, "1122334455667788 0000000000000000 21 20 22 08 00000000 0000001c" },
        { App.Ike, "00000000 1122334455667788 0000000000000000 21 20 22 08 00000000 0000001c" },
        { App.Stun, "0001 0000 2112A442 000102030405060708090a0b" },
        { App.Stun, "0001 0008 000102030405060708090a0b0c0d0e0f 0003 0004 00000000" },
        { App.Rtp, "80 c8 0006 11223344 0000000000000000 00000000 00000000 00000000" },
        { App.Snmp, "30 13 02 01 01 04 06 7075626c6963 a0 06 020100 020100" },
        { App.Kerberos, "6a 0c 30 0a a1 03 02 01 05 a2 03 02 01 0a" },
        { App.BitTorrent, "0000041727101980 00000000 11223344" },
        { App.BitTorrent, "41 00 1234 00000001 00000000 00040000 0001 0000" },
        { App.Radius, "01 05 001a 00112233445566778899aabbccddeeff 01 06 61626364" },
        { App.Tftp, "0001 6600 6f6374657400" },
        { App.Coap, "40 01 1234 b1 61" },
        { App.Netflow, "000a 0018 00000000 00000000 00000000 0002 0008 00000000" },
        { App.Dtls, "16 fefd 0000 000000000000 0004 01000000" },
        { App.Quic, "0d 1122334455667788 51303433 01" },
        { App.Quic, "80 00000000 04 11223344 04 11223344 00000001" },
        { App.Bacnet, "81 0b 0008 01 20 ffff" },
        { App.Enip, "6300 0000 00000000 00000000 0000000000000000 00000000" },
        { App.Ethereum, new string('9', 64) + new string('c', 128) + "01 02 c9 84 7f000001 82 765f 80" },
        { App.Ethereum, new string('9', 64) + new string('c', 128) + "00 04 f840 " + new string('a', 128) },
        { App.Unknown, new string('9', 64) + new string('c', 128) + "00 04 f841 " + new string('a', 128) },
        { App.Unknown, new string('9', 64) + new string('c', 128) + "02 04 f840 " + new string('a', 128) },
        { App.Unknown, new string('9', 64) + new string('c', 128) + "00 07 f840 " + new string('a', 128) },
        { App.WakeOnLan, "ffffffffffff" + string.Concat(Enumerable.Repeat("020000112233", 16)) },
        { App.WakeOnLan, "ffffffffffff" + string.Concat(Enumerable.Repeat("020000112233", 16)) + "010203040506" },
        { App.Unknown, "ffffffffffff" + string.Concat(Enumerable.Repeat("020000112233", 15)) + "020000112234" },
        { App.Nbns, "1234 0110 0001 0000 0000 0000 20" + s_name + "00 0020 0001" },
        { App.Dns, "1234 0100 0001 0000 0000 0000 01 61 00 0001 0001" },
        { App.EDonkey, "e3 96 1234aa55" },
        { App.EDonkey, "e3 97 1234aa55 01000000 02000000" },
        { App.EDonkey, "e3 9b" + Hash + "02 c0000201 1236 c0000202 1236" },
        { App.EDonkey, "e4 21 0b" + Hash + Hash },
        { App.EDonkey, "e4 29" + Hash + "01" + Hash + "c0000201 1240 1236 08" },
        { App.EDonkey, "e4 09" + Hash + "3612 08 0100" + Hash + "c0000201 1240 1236 08" },
        { App.EDonkey, "e4 11" + Hash + "3612 08 00" },
        { App.EDonkey, "e4 19" + Hash + "3612 08 01 89 fc 4012" },
        { App.EDonkey, "e4 10" + Hash + "c0000201 4012 3612 00" },
        { App.EDonkey, "e4 34" + Hash + "0000 0010000000000000" },
        { App.EDonkey, "e5 29 789c 000102030405060708090a0b0c0d0e0f" },
        { App.Unknown, "e3 96 12345678" },
        { App.Unknown, "e3 9b" + Hash + "03 c0000201 1236 c0000202 1236" },
        { App.Unknown, "e4 21 0c" + Hash + Hash },
        { App.Unknown, "e4 21 0b" + Hash + Hash + "00" },
        { App.Unknown, "e4 29" + Hash + "02" + Hash + "c0000201 1240 1236 08" },
        { App.Unknown, "e5 29 789d 000102030405060708090a0b0c0d0e0f" },
        { App.Unknown, "01000000" + new string('7', 290) },
        { App.Unknown, "50 1122334455667788 00 00000000 00" },
        { App.Unknown, "01 05 001b 00112233445566778899aabbccddeeff 01 06 61626364" },
    };

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void A_datagram_is_known_by_content_and_no_cut_of_it_throws(App app, string hex)
    {
        byte[] payload = Bytes.Of(hex);
        for (int length = payload.Length; length > 0; length--)
        {
            using var bed = new DecodeBed();
            bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, payload[..length]);
            App seen = bed.OnlyFlow().App;
            if (length == payload.Length) Assert.Equal(app, seen);
        }
    }

    public static TheoryData<App, string> Texts => new()
    {
        { App.Sip, "OPTIONS sip:a@b SIP/2.0\r\n\r\n" },
        { App.Ssdp, "M-SEARCH * HTTP/1.1\r\n\r\n" },
        { App.Syslog, "<34>1 text" },
        { App.BitTorrent, "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe" },
        { App.Unknown, "<999>text" },
    };

    [Theory]
    [MemberData(nameof(Texts))]
    public void A_datagram_of_text_is_known(App app, string text)
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Ascii(text));
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.Rdp, "ffffffff 0040 1801 a7eb5da4 04d0 04d0", 1232)]
    [InlineData(App.Unknown, "ffffffff 0040 1801 a7eb5da4 04d0 04d0", 1131)]
    [InlineData(App.Unknown, "ffffffff 0040 1804 a7eb5da4 04d0 04d0", 1232)]
    [InlineData(App.Unknown, "ffffffff 0040 1801 a7eb5da4 04d0 0400", 1232)]
    public void Remote_desktop_over_UDP_opens_with_a_full_datagram(App app, string hex, int length)
    {
        byte[] payload = new byte[length];
        Bytes.Of(hex).CopyTo(payload, 0);
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, payload);
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Fact]
    public void HTTP_2_in_the_clear_that_carries_DNS_is_DoH()
    {
        byte[] query = Layers.DnsQuery("a.test");
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client([.. Bytes.Ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 0, 0, (byte)query.Length, 0, 1, 0, 0, 0, 1, .. query]);
        Assert.Equal(App.Doh, bed.OnlyFlow().App);
        Assert.Single(bed.Seen.Dns);
    }

    [Theory]
    [InlineData(App.OpenVpn, "38 1122334455667788 0011223344556677", "40 8877665544332211 0011223344556677")]
    [InlineData(App.Unknown, "38 1122334455667788 0011223344556677", "38 8877665544332211 0011223344556677")]
    [InlineData(App.Tftp, "0003 0001 616263", "0004 0001")]
    public void What_one_side_cannot_prove_takes_both(App app, string first, string second)
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Of(first));
        bed.Udp("192.0.2.1", 40_001, "10.0.0.1", 40_000, Bytes.Of(second));
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.Rtp, "0002")]
    [InlineData(App.Unknown, "4002")]
    public void Rtp_is_two_datagrams_that_follow_each_other(App app, string next)
    {
        using var bed = new DecodeBed();
        foreach (string number in new[] { "0001", next }) bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Of("80 00 " + number + " 00000000 11223344 ffffffff"));
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Fact]
    public void A_flow_that_nothing_recognised_at_first_is_not_looked_at_later()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 4; i++) bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, new byte[100]);
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Ascii("M-SEARCH * HTTP/1.1\r\n\r\n"));
        Assert.Equal(App.Unknown, bed.OnlyFlow().App);
    }

    public static TheoryData<App, string> Clients => new()
    {
        { App.Smb, "00000044 fe534d42 4000" },
        { App.Kerberos, "0000000e 6a 0c 30 0a a1 03 02 01 05 a2 03 02 01 0a" },
        { App.Postgres, "00000008 04d2162f" },
        { App.Mqtt, "10 0c 0004 4d515454 04 02 003c 0000" },
        { App.Ldap, "30 0c 02 01 01 60 07 02 01 03 04 00 80 00" },
        { App.Dcerpc, "05 00 0b 03 10 000000 1000 0000 01000000" },
        { App.S7, "0300 0016 11 e0 0000 0001 00 c1 02 0100 c2 02 0102 c0 01 0a" },
        { App.Rdp, "0300 0013 0e e0 0000 0000 00 01 00 0800 03000000" },
        { App.Iec104, "68 04 07 00 00 00" },
        { App.Dnp3, "05 64 05 c0 01 00 00 04 e9 21" },
        { App.Modbus, "0001 0000 0006 01 03 0000 0001" },
        { App.Enip, "6300 0000 00000000 00000000 0000000000000000 00000000" },
        { App.Enip, "6500 0400 00000000 00000000 0000000000000000 00000000 0100 0000" },
        { App.Mqtt, "20 02 00 00" },
        { App.Mqtt, "20 06 00 00 03 22 000a" },
        { App.Http, "474554202f0d0a0d0a" },
        { App.Bgp, "ffffffffffffffffffffffffffffffff 0013 04" },
        { App.Mongodb, "1a000000 01000000 00000000 dd070000 00000000 00 0500000000" },
        { App.Cassandra, "04 00 0000 05 00000000" },
        { App.OpenVpn, "000e 38 1122334455667788 00 00000000" },
        { App.Tds, "12 01 000e 0000 00 00 00 0000 00 00 ff" },
        // Hello of a peer, log-in at a server, both ways to write tags, eMule's own hello, a part of a file and a wish for three.
        { App.EDonkey, "e3 25000000 01 10" + Hash + "c0000201 3612 01000000 02 0100 01 0100 61" },
        { App.EDonkey, "e3 26000000 01" + Hash + "c0000201 3612 01000000 03 0100 11 3c000000 0000" },
        { App.EDonkey, "e3 2c000000 4c" + Hash + "c0000201 3612 01000000 89 11 3c 00 000000000000000000000000" },
        { App.EDonkey, "c5 0f000000 01 44 01 01000000 03 0100 20 01000000" },
        { App.EDonkey, "e3 29000000 47" + Hash + "00000000 00280000 00000000 00280000 00500000 00000000" },
        { App.EDonkey, "e3 1b000000 46" + Hash + "00280000 02280000 6162" },
        { App.Unknown, "e3 1c000000 46" + Hash + "00280000 02280000 616263" },
        { App.Unknown, "e3 25000000 01 11" + Hash + "c0000201 3612 01000000 02 0100 01 0100 61" },
        { App.Unknown, "e3 25000000 01 10" + Hash + "c0000201 3612 01000000 05 0100 01 0100 61" },
        { App.Unknown, "e3 25000000 01 10" + Hash + "c0000201 3612 21000000 02 0100 01 0100 61" },
        { App.Unknown, "c5 0f000000 01 44 02 01000000 03 0100 20 01000000" },
        { App.Bitcoin, "f9beb4d9 76657261636b000000000000 00000000 5df6e0e2" },
        { App.Monero, "0121010101010101 e200000000000000 01 e9030000 00000000 01000000 01000000" },
        { App.Unknown, "0121010101010101 e200000000000000 01 e9000000 00000000 01000000 01000000" },
        { App.Ethereum, "01aa 04" + s_key + new string('5', 722) },
        { App.Unknown, "01aa 05" + s_key + new string('5', 722) },
        { App.Unknown, "01aa 04" + string.Concat(Enumerable.Repeat("9c3e", 212)) + "7f" },
    };

    [Theory]
    [MemberData(nameof(Clients))]
    public void A_client_is_known_by_its_first_bytes_and_no_cut_of_it_throws(App app, string hex)
    {
        byte[] payload = Bytes.Of(hex);
        for (int length = payload.Length; length > 0; length--)
        {
            using var bed = new DecodeBed();
            new TcpTalk(bed, serverPort: 40_001).Open().Client(payload[..length]);
            App seen = bed.OnlyFlow().App;
            if (length == payload.Length) Assert.Equal(app, seen);
        }
    }

    [Fact]
    public void A_server_of_eDonkey_is_known_by_its_greeting()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Server([0xE3, 8, 0, 0, 0, 0x38, 5, 0, .. Bytes.Ascii("hello")]);
        Assert.Equal(App.EDonkey, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.Vnc, "", "RFB 003.008\n")]
    [InlineData(App.Irc, "USER a 0 * :A B\r\n", "")]
    [InlineData(App.Ftp, "USER a\r\n", "")]
    [InlineData(App.Xmpp, "<?xml version='1.0'?>", "")]
    [InlineData(App.Redis, "*1\r\n$4\r\nPING\r\n", "")]
    [InlineData(App.Git, "0032git-upload-pack /project.git\0host=h\0", "")]
    [InlineData(App.I2p, "HELLO VERSION MIN=3.0\n", "")]
    [InlineData(App.Tor, "GET /tor/keys/all HTTP/1.0\r\n\r\n", "")]
    [InlineData(App.HttpProxy, "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", "")]
    [InlineData(App.Rtsp, "OPTIONS rtsp://h/ RTSP/1.0\r\n\r\n", "")]
    [InlineData(App.Sip, "OPTIONS sip:a@b SIP/2.0\r\n\r\n", "")]
    [InlineData(App.Memcached, "get key\r\n", "")]
    [InlineData(App.Nntp, "", "200 NNTP service ready\r\n")]
    public void A_text_protocol_is_known_by_its_first_words(App app, string client, string server)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 40_001).Open();
        if (client.Length > 0) talk.Client(client);
        if (server.Length > 0) talk.Server(server);
        if (app == App.Xmpp) talk.Client("<stream:stream to='h'>");
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Fact]
    public void A_modbus_answer_that_ends_before_its_count_of_bytes_is_none() =>
        // Found by the fuzzer: transaction, protocol 0, length 2, unit, function 2, and no more.
        Assert.Equal(Recognition.No, Recognizer.Tcp(Bytes.Of("00c0 0000 0002 20 02"), 1, 4000, 502, out _, out _));
}
