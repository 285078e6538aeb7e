using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>
/// Each protocol that is wanted by name, at ports that say nothing: known from what its client sends alone, from what its server sends alone, and where
/// the beginning was missed.
/// </summary>
public sealed class EitherSideTests
{
    const string Session = "1122334455667788";

    /// <summary>The peer's part of a handshake: twenty bytes of hash, twenty of identifier.</summary>
    static readonly string s_peer = "13 426974546f7272656e742070726f746f636f6c 0000000000100000" + new string('5', 80);

    public static TheoryData<App, string, string> Streams => new()
    {
        { App.BitTorrent, s_peer, s_peer },
        { App.OpenVpn, $"000e 38 {Session} 00 00000000", $"001a 40 {Session} 01 00000000 8877665544332211 00000000" },
        { App.Ike, "494b45544350 0020 00000000", $"494b45544350 0020 00000000" },
        { App.Stratum, Hex("{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"), Hex("{\"id\":null,\"method\":\"mining.notify\",\"params\":[]}\n") },
        { App.Stratum, Hex("{\"id\":1,\"method\":\"eth_submitLogin\",\"params\":[]}\n"), Hex("{\"jsonrpc\":\"2.0\",\"method\":\"job\",\"params\":{\"blob\":\"00\",\"job_id\":\"1\",\"target\":\"ff\"}}\n") },
        { App.I2p, Hex("HELLO VERSION MIN=3.0 MAX=3.1\n"), Hex("HELLO REPLY RESULT=OK VERSION=3.1\n") },
        { App.I2p, "2a 00000007 20 06 302e392e3538", Hex("BOB 00.00.10\nOK\n") },
        { App.Irc, Hex("NICK a\r\nUSER a 0 * :a\r\n"), Hex(":irc.example 001 a :Welcome\r\n") },
        { App.Socks, "05 01 00", "05 00" },
        { App.Rdp, "0300 0013 0e e0 0000 0000 00 01 00 0800 03000000", "0300 0013 0e d0 0000 1234 00 02 00 0800 02000000" },
        { App.Smb, "00000044 fe534d42 4000", "00000044 fe534d42 4000" },
        { App.Kerberos, "0000000e 6a 0c 30 0a a1 03 02 01 05 a2 03 02 01 0a", "0000000e 7e 0c 30 0a a0 03 02 01 05 a1 03 02 01 1e" },
        { App.Snmp, "30 13 02 01 01 04 06 7075626c6963 a0 06 020100 020100", "30 13 02 01 01 04 06 7075626c6963 a2 06 020100 020100" },
        { App.Sip, Hex("REGISTER sip:a.example SIP/2.0\r\n\r\n"), Hex("SIP/2.0 200 OK\r\n\r\n") },
        { App.Mqtt, "10 0c 0004 4d515454 04 02 003c 0000", "20 02 00 00" },
        { App.Mqtt, "10 0d 0004 4d515454 05 02 003c 00 0000", "20 03 00 00 00" },
    };

    /// <summary>The reply that follows the server's choice, where the protocol needs it to be known.</summary>
    static byte[] Second(App app) => app == App.Socks ? Bytes.Of("05 00 00 01 c0000201 1f90") : [];

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_is_known_from_its_client_alone(App app, string client, string server)
    {
        Assert.NotEmpty(server);
        foreach (bool opened in new[] { true, false })
        {
            using var bed = new DecodeBed();
            var talk = new TcpTalk(bed, clientPort: 40_000, serverPort: 40_001);
            if (opened) talk.Segment(0, TcpFlags.Syn);
            talk.Client(Bytes.Of(client));
            Assert.Equal(app, bed.OnlyFlow().App);
        }
    }

    [Theory]
    [MemberData(nameof(Streams))]
    public void A_stream_is_known_from_its_server_alone(App app, string client, string server)
    {
        Assert.NotEmpty(client);
        foreach (bool opened in new[] { true, false })
        {
            using var bed = new DecodeBed();
            var talk = new TcpTalk(bed, clientPort: 40_000, serverPort: 40_001);
            if (opened) talk.Segment(1, TcpFlags.Syn | TcpFlags.Ack);
            talk.Server(Bytes.Of(server));
            if (Second(app) is { Length: > 0 } more) talk.Server(more);
            Assert.Equal(app, bed.OnlyFlow().App);
        }
    }

    public static TheoryData<App, string> Later => new()
    {
        { App.BitTorrent, "00000001 01 0000000d 06 00000010 0001c000 00004000" },
        { App.BitTorrent, "00004009 07 00000010 0001c000" + new string('a', 2000) },
        { App.Mqtt, "82 0a 0001 0005 612f622f63 01" },
        { App.Mqtt, "30 0a 0005 612f622f63 010203" },
        { App.Irc, Hex(":a!b@c.example PRIVMSG #d :e\r\n") },
        { App.Irc, Hex("PRIVMSG #d :e\r\n") },
        { App.Irc, Hex(":irc.example 372 a :- text\r\n") },
        { App.Stratum, Hex("{\"method\":\"submit\",\"params\":{\"id\":\"1\",\"job_id\":\"2\",\"nonce\":\"00\"},\"id\":3}\n") },
        { App.Stratum, Hex("{\"id\":4,\"method\":\"mining.submit\",\"params\":[]}\n") },
        { App.Rdp, "0300 000f 02 f0 80 64 0003 03eb 70 0200" },
        { App.Smb, "00000044 fe534d42 4000 0100" },
        { App.Kerberos, "0000000e 6c 0c 30 0a a1 03 02 01 05 a2 03 02 01 0c" },
        { App.Sip, Hex("BYE sip:a.example SIP/2.0\r\n\r\n") },
        { App.Tls, "aabbccddeeff 17 0303 0004 11223344" },
        { App.Tls, "00112233 17 0303 0002 1122 17 0303 0400 33" },
        { App.Netbios, "85 000000" },
    };

    [Theory]
    [MemberData(nameof(Later))]
    public void A_stream_picked_up_in_the_middle_is_known_by_a_later_message(App app, string message)
    {
        foreach (int direction in new[] { 0, 1 })
        {
            foreach (int before in new[] { 0, 1, 3 })
            {
                using var bed = new DecodeBed();
                var talk = new TcpTalk(bed, clientPort: 40_000, serverPort: 40_001);
                // The rest of something, which says nothing.
                for (int i = 0; i < before; i++) talk.Segment(direction, TcpFlags.Ack, [0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A]);
                talk.Segment(direction, TcpFlags.Psh | TcpFlags.Ack, Bytes.Of(message));
                Assert.Equal(app, bed.OnlyFlow().App);
            }
        }
    }

    [Fact]
    public void A_connection_seen_from_its_start_is_not_named_by_a_later_message()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Client([0xA5, 0x5A, 0xA5, 0x5A, 0xA5, 0x5A]).Client(Bytes.Of("30 0a 0005 612f622f63 010203"));
        Assert.Equal(App.Unknown, bed.OnlyFlow().App);
    }

    [Fact]
    public void A_hard_reset_of_OpenVPN_cut_into_small_segments_is_known()
    {
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed, serverPort: 40_001).Open();
        byte[] reset = Bytes.Of($"0056 38 {Session}" + new string('7', 128) + "00000001 5d98b0f0 00 00000000");
        foreach (byte[] part in reset.Chunk(9)) talk.Client(part);
        Assert.Equal(App.OpenVpn, bed.OnlyFlow().App);
    }

    [Fact]
    public void A_server_that_closes_before_a_version_is_agreed_speaks_TLS()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Server(Bytes.Of("15 0000 0002 01 00"));
        Assert.Equal(App.Tls, bed.OnlyFlow().App);
    }

    public static TheoryData<App, string, string> Datagrams => new()
    {
        { App.BitTorrent, Hex("d1:ad2:id20:aaaaaaaaaaaaaaaaaaaae1:q4:ping1:t2:aa1:y1:qe"), Hex("d1:rd2:id20:aaaaaaaaaaaaaaaaaaaae1:t2:aa1:y1:re") },
        { App.WireGuard, "01000000" + new string('7', 288), "02000000" + new string('7', 176) },
        { App.OpenVpn, $"38 {Session} 00 00000000", $"40 {Session} 01 00000000 8877665544332211 00000000" },
        { App.OpenVpn, $"38 {Session} 00000001 5d98b0f0" + new string('7', 64) + "1122334455", $"40 {Session} 00000001 5d98b0f0" + new string('7', 64) + "1122334455667788" + new string('8', 18) },
        { App.Ike, $"{Session} 0000000000000000 21 20 22 08 00000000 0000001c", $"{Session} 8877665544332211 21 20 22 20 00000000 0000001c" },
        { App.Kerberos, "6a 0c 30 0a a1 03 02 01 05 a2 03 02 01 0a", "7e 0c 30 0a a0 03 02 01 05 a1 03 02 01 1e" },
        { App.Ntp, "e3 00 06 ec" + new string('0', 72) + "e6b5d0f0 11223344", "24 02 06 ec 00000100 00000200 c0000201 e6b5d000 00000000 e6b5d0f0 11223344 e6b5d0f1 11223344 e6b5d0f1 22334455" },
        { App.Snmp, "30 13 02 01 01 04 06 7075626c6963 a0 06 020100 020100", "30 13 02 01 01 04 06 7075626c6963 a2 06 020100 020100" },
        { App.Sip, Hex("INVITE sip:a@b.example SIP/2.0\r\n\r\n"), Hex("SIP/2.0 100 Trying\r\n\r\n") },
        { App.Rdp, "ffffffff 0400 0001 11223344 04d0 04d0" + new string('0', 2432), "11223344 0400 0005 55667788 04d0 04d0" + new string('0', 2432) },
        { App.Quic, "c3 00000001 08 1122334455667788 00 00 4496" + new string('7', 100), "f0 00000001 00 08 1122334455667788" + new string('7', 64) },
        { App.Quic, "c3 faceb002 08 1122334455667788 00 00 4496" + new string('7', 100), "80 00000000 00 08 1122334455667788 faceb002 faceb001" },
    };

    [Theory]
    [MemberData(nameof(Datagrams))]
    public void A_datagram_is_known_from_either_side_alone(App app, string client, string server)
    {
        foreach (string payload in new[] { client, server })
        {
            using var bed = new DecodeBed();
            bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Of(payload));
            Assert.Equal(app, bed.OnlyFlow().App);
        }
    }

    [Theory]
    // uTP's data: one identifier, and a sequence that goes on; or the neighbouring identifier of the other side.
    [InlineData(App.BitTorrent, 40_001, "01 00 1234 10000000 00001000 00040000 0101 0001 aa", "01 00 1234 10001000 00001000 00040000 0102 0001 aa", false)]
    [InlineData(App.Unknown, 40_001, "01 00 1234 10000000 00001000 00040000 0101 0001 aa", "01 00 1234 10001000 00001000 00040000 0101 0001 aa", false)]
    [InlineData(App.BitTorrent, 40_001, "01 00 1234 10000000 00001000 00040000 0101 0001 aa", "21 00 1235 10001000 00001000 00040000 0001 0101", true)]
    // OpenVPN's data of one peer, the numbers in a row.
    [InlineData(App.OpenVpn, 40_001, "48 000001 00000010 00112233445566778899aabbccddeeff", "48 000001 00000011 ffeeddccbbaa99887766554433221100", false)]
    [InlineData(App.Unknown, 40_001, "48 000001 00000010 00112233445566778899aabbccddeeff", "48 000001 00001011 ffeeddccbbaa99887766554433221100", false)]
    // QUIC: the connection identifier stays, the first byte is hidden; at its port only. Google's own has a number.
    [InlineData(App.Quic, 443, "4a 1122334455667788 00112233445566778899aabb", "57 1122334455667788 ffeeddccbbaa998877665544", false)]
    [InlineData(App.Unknown, 40_001, "4a 1122334455667788 00112233445566778899aabb", "57 1122334455667788 ffeeddccbbaa998877665544", false)]
    [InlineData(App.Unknown, 443, "4a 1122334455667788 00112233445566778899aabb", "4a 1122334455667788 ffeeddccbbaa998877665544", false)]
    [InlineData(App.Quic, 443, "0c 1122334455667788 22 112233445566778899aabb", "0c 1122334455667788 23 ffeeddccbbaa9988776655", false)]
    public void Datagrams_behind_a_missed_handshake_take_two(App app, int port, string first, string second, bool answers)
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", port, Bytes.Of(first));
        if (answers) bed.Udp("192.0.2.1", port, "10.0.0.1", 40_000, Bytes.Of(second));
        else bed.Udp("10.0.0.1", 40_000, "192.0.2.1", port, Bytes.Of(second));
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.WireGuard, "a1b2c3d4")]
    [InlineData(App.Unknown, "a1b2c3d5")]
    public void A_WireGuard_answer_in_reserved_bytes_must_name_the_sender(App app, string named)
    {
        using var bed = new DecodeBed();
        bed.Udp("10.0.0.1", 40_000, "192.0.2.1", 40_001, Bytes.Of("01 112233 a1b2c3d4" + new string('7', 280)));
        bed.Udp("192.0.2.1", 40_001, "10.0.0.1", 40_000, Bytes.Of("02 112233 99999999" + named + new string('7', 160)));
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.Tor, "www.xk3qbtz7rwd.com")]
    [InlineData(App.Tls, "www.example.com")]
    [InlineData(App.Tls, "www.web2printing.com")]
    [InlineData(App.Tls, "www.xk3qbtz7rwd.org")]
    public void A_hello_for_a_name_drawn_by_lot_is_of_Tor(App app, string name)
    {
        byte[] host = Bytes.Ascii(name);
        byte[] body = [3, 3, .. new byte[32], 0, 0, 4, 0xC0, 0x2B, 0x00, 0xFF, 1, 0, 0, (byte)(host.Length + 9), 0, 0, 0, (byte)(host.Length + 5), 0, (byte)(host.Length + 3), 0, 0, (byte)host.Length, .. host];
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Client(Contents.Record(22, Contents.Handshake(1, body))).Close();
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.Tor, "www.xk3qbtz7rwd.com", "www.p4fjmn6ylq.net")]
    [InlineData(App.Tls, "www.example.com", "www.example.net")]
    [InlineData(App.Tls, "www.xk3qbtz7rwd.com", "www.p4fjmn6ylq.com")]
    public void A_certificate_of_two_such_names_is_of_Tor(App app, string issuer, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + subject, key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.Create(new X500DistinguishedName("CN=" + issuer), X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(51), [1]);
        byte[] hello = Contents.Resumed12[..(5 + ((Contents.Resumed12[3] << 8) | Contents.Resumed12[4]))];
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Client(Contents.ClientHello).Server(Contents.Join(hello, Contents.Record(22, Contents.CertificateMessage(certificate.RawData)))).Close();
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    [Theory]
    [InlineData(App.BitTorrent, "GET /announce?info_hash=%aa HTTP/1.1\r\n\r\n")]
    [InlineData(App.I2p, "GET http://a.i2p/ HTTP/1.1\r\n\r\n")]
    [InlineData(App.HttpProxy, "GET http://a.example/ HTTP/1.1\r\n\r\n")]
    [InlineData(App.Http, "GET /announce?a=b HTTP/1.1\r\n\r\n")]
    public void A_request_names_what_it_is_for(App app, string request)
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 40_001).Open().Client(request).Close();
        Assert.Equal(app, bed.OnlyFlow().App);
    }

    static string Hex(string text) => Convert.ToHexString(Bytes.Ascii(text));
}
