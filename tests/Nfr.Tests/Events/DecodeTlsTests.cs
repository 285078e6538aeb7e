using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>TLS handshakes out of TCP segments.</summary>
public sealed class DecodeTlsTests
{
    static readonly byte[] s_hello = Contents.ClientHello, s_server = Contents.ServerHello13;

    static string Expected(byte[] client, byte[] server)
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 443).Open().Client(client).Server(server);
        bed.Drain();
        return Assert.Single(bed.Seen.Tls);
    }

    [Fact]
    public void A_handshake_of_1_3_gives_one_event_and_marks_its_flow()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 443).Open().Client(s_hello).Server(s_server);
        string e = Assert.Single(bed.Seen.Tls);
        Assert.Matches("^example.com 0304 ja3=[0-9a-f]{32} ja3s=[0-9a-f]{32} ja4=t13d[0-9]{4}h2_[0-9a-f]{12}_[0-9a-f]{12} cert= / True alpn=h2$", e);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal(App.Tls, flow.App);
        Assert.Equal(32, flow.Ja3.Length);
        Assert.Contains("ja3=" + flow.Ja3 + " ", e, StringComparison.Ordinal);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Hellos_may_be_split_at_every_byte()
    {
        string expected = Expected(s_hello, s_server);
        using var bed = new DecodeBed();
        int port = 1024, n = 0;
        for (int cut = 1; cut < s_hello.Length; cut++, n++) new TcpTalk(bed, port++, 443).Open().Client(s_hello[..cut]).Client(s_hello[cut..]).Server(s_server).Close();
        for (int cut = 1; cut < s_server.Length; cut++, n++) new TcpTalk(bed, port++, 443).Open().Client(s_hello).Server(s_server[..cut]).Server(s_server[cut..]).Close();
        TcpTalk single = new TcpTalk(bed, port, 443).Open();
        foreach (byte b in s_hello) single.Client([b]);
        foreach (byte b in s_server) single.Server([b]);
        bed.Drain();
        Assert.Equal(n + 1, bed.Seen.Tls.Count);
        Assert.All(bed.Seen.Tls, e => Assert.Equal(expected, e));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Hellos_may_be_cut_into_records_of_any_size()
    {
        byte[] server = Contents.Record(22, Contents.Handshake(2, TlsHelloTests.Server));
        string expected = Expected(s_hello, server);
        using var bed = new DecodeBed();
        int n = 0;
        for (int size = 1; size < s_hello.Length - 5; size++, n++)
            new TcpTalk(bed, 1024 + size, 443).Open().Client(Contents.Recut(s_hello, size)).Server(Contents.Recut(server, size)).Close();
        bed.Drain();
        Assert.Equal(n, bed.Seen.Tls.Count);
        Assert.All(bed.Seen.Tls, e => Assert.Equal(expected, e));
    }

    [Fact]
    public void A_hello_may_come_reordered_and_retransmitted_with_overlap()
    {
        string expected = Expected(s_hello, s_server);
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 443).Open();
        uint start = talk.Out;
        void Send(int from, int to) => talk.Raw(0, start + (uint)from, talk.In, TcpTalk.Ack, s_hello[from..to]);
        Send(100, s_hello.Length);
        Send(60, 120);
        Send(0, 30);
        Send(0, 70);
        Send(0, s_hello.Length);
        talk.Out = start + (uint)s_hello.Length;
        talk.Server(s_server);
        Send(0, s_hello.Length);
        bed.Drain();
        Assert.Equal(expected, Assert.Single(bed.Seen.Tls));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_hello_after_a_retry_request_belongs_to_the_same_handshake()
    {
        string expected = Expected(s_hello, s_server);
        byte[] retry = Contents.Join(Contents.RetryRequest, Contents.Record(20, [1]));
        byte[] whole = Contents.Join(retry, s_server);
        using var bed = new DecodeBed();
        new TcpTalk(bed, 1023, 443).Open().Client(s_hello).Server(retry).Client(Contents.Join(Contents.Record(20, [1]), s_hello)).Server(s_server).Close();
        for (int cut = 1; cut < whole.Length; cut++)
            new TcpTalk(bed, 1023 + cut, 443).Open().Client(s_hello).Server(whole[..cut]).Server(whole[cut..]).Close();
        bed.Drain();
        Assert.Equal(whole.Length, bed.Seen.Tls.Count);
        Assert.All(bed.Seen.Tls, e => Assert.Equal(expected, e));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_handshake_of_1_2_shows_its_certificate_at_every_split()
    {
        string expected = Expected(s_hello, Contents.ServerFlight12);
        Assert.Contains(" 0303 ", expected, StringComparison.Ordinal);
        Assert.Matches("cert=[0-9a-f]{40} CN=Test CA/CN=example.com,O=Example,C=PL False", expected);
        using var bed = new DecodeBed();
        for (int cut = 1; cut < Contents.ServerFlight12.Length; cut++)
            new TcpTalk(bed, 1024 + cut, 443).Open().Client(s_hello).Server(Contents.ServerFlight12[..cut]).Server(Contents.ServerFlight12[cut..]).Close();
        bed.Drain();
        Assert.All(bed.Seen.Tls, e => Assert.Equal(expected, e));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_resumed_session_has_no_certificate()
    {
        string e = Expected(s_hello, Contents.Resumed12);
        Assert.Contains("example.com 0303 ", e, StringComparison.Ordinal);
        Assert.Contains(" cert= / True", e, StringComparison.Ordinal);
    }

    static (TlsNotes Notes, string ServerAlpn, string Names) More(params byte[][] rounds)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 443).Open();
        for (int i = 0; i < rounds.Length; i++)
        {
            if (i % 2 == 0) talk.Client(rounds[i]);
            else talk.Server(rounds[i]);
        }
        bed.Drain();
        return Assert.Single(bed.Seen.TlsMore);
    }

    static readonly byte[] s_server12 = Bytes.Of("0303" + new string('1', 64) + "00 c02b 00 0009 0010 0005 0003 02 6832");

    static byte[] Server12(params byte[][] messages) => Contents.Join([Contents.Record(22, Contents.Handshake(2, s_server12)), .. messages.Select(m => Contents.Record(22, m))]);

    [Fact]
    public void A_session_taken_up_again_is_told_from_a_new_one()
    {
        byte[] cipher = Contents.Record(20, [1]), ticket = Contents.Handshake(4, new byte[40]);
        Assert.Equal((TlsNotes.Resumed, "", ""), More(s_hello, Contents.Resumed12));
        Assert.Equal((TlsNotes.Resumed, "h2", ""), More(s_hello, Contents.Join(Server12(ticket), cipher)));
        Assert.Equal((TlsNotes.None, "", ""), More(s_hello, Contents.ServerFlight12));
        // Without a certificate (RFC 5246 F.1.1.1) there is still a key exchange.
        Assert.Equal((TlsNotes.None, "h2", ""), More(s_hello, Contents.Join(Server12(Contents.Handshake(12, new byte[8])), cipher)));
        byte[] key = [.. TlsHelloTests.Server[..^17], .. Bytes.Of("000c 002b 0002 0304 0029 0002 0000")];
        Assert.Equal(TlsNotes.Resumed, More(s_hello, Contents.Record(22, Contents.Handshake(2, key))).Notes);
        Assert.Equal(TlsNotes.None, More(s_hello, s_server).Notes);
    }

    [Fact]
    public void A_server_that_wants_a_certificate_of_the_client_is_noted_with_its_own_names()
    {
        byte[] certificate = Contents.CertificateMessage(X509LeafTests.WithNames((0x82, "a.example"), (0x82, "b.example")));
        byte[] flight = Server12(certificate, Contents.Handshake(12, new byte[8]), Contents.Handshake(13, new byte[8]), Contents.Handshake(14, []));
        Assert.Equal((TlsNotes.ClientCertificateRequested, "h2", "a.example,b.example"), More(s_hello, flight));
        string[] names = [.. Enumerable.Range(0, 200).Select(i => $"name{i}.example")];
        string seen = More(s_hello, Server12(Contents.CertificateMessage(X509LeafTests.WithNames([.. names.Select(n => ((byte)0x82, n))])))).Names;
        Assert.InRange(seen.Length, 1000, 1024);
        Assert.Equal(names.Take(seen.Split(',').Length), seen.Split(','));
    }

    [Fact]
    public void A_retry_request_cut_into_records_of_any_size_is_one()
    {
        byte[] retry = Contents.RetryRequest;
        string expected = Expected(s_hello, s_server);
        for (int size = 1; size < retry.Length; size++)
        {
            using var bed = new DecodeBed();
            new TcpTalk(bed, serverPort: 443).Open().Client(s_hello).Server(Contents.Join(Contents.Recut(retry, size), Contents.Record(20, [1]))).Client(s_hello).Server(s_server).Close();
            bed.Drain();
            Assert.Equal(expected, Assert.Single(bed.Seen.Tls));
            Assert.Equal(TlsNotes.Retried, Assert.Single(bed.Seen.TlsMore).Notes);
        }
    }

    [Fact]
    public void A_hello_behind_another_protocol_is_noted_as_upgraded()
    {
        byte[] connect = Bytes.Ascii("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"), agreed = Bytes.Ascii("HTTP/1.1 200 OK\r\n\r\n");
        Assert.Equal(TlsNotes.Upgraded, More(connect, agreed, s_hello, s_server).Notes);
        Assert.Equal(TlsNotes.Upgraded, More(Bytes.Of("05 01 00"), Bytes.Of("05 00"), s_hello, s_server).Notes);
        Assert.Equal(TlsNotes.Upgraded, More(Bytes.Of("00000008 04d2162f"), Bytes.Ascii("S"), s_hello, s_server).Notes);
        Assert.Equal(TlsNotes.Upgraded, More(Bytes.Ascii("EHLO a\r\n"), Bytes.Ascii("250 STARTTLS\r\n"), Bytes.Ascii("STARTTLS\r\n"), Bytes.Ascii("220 go\r\n"), s_hello, s_server).Notes);
    }

    [Fact]
    public void An_encrypted_hello_is_noted()
    {
        byte[] hello = [.. TlsHelloTests.Client];
        int versions = hello.AsSpan().IndexOf(Bytes.Of("000a 0006 0004 2a2a 001d"));
        (hello[versions], hello[versions + 1]) = (0xFE, 0x0D);
        Assert.Equal(TlsNotes.EncryptedClientHello, More(Contents.Record(22, Contents.Handshake(1, hello)), s_server).Notes);
    }

    [Fact]
    public void A_server_that_answers_with_an_alert_leaves_the_clients_side()
    {
        string e = Expected(s_hello, Contents.Record(21, [2, 40]));
        Assert.Contains("example.com 0304 ", e, StringComparison.Ordinal);
        Assert.Contains(" ja3s= ", e, StringComparison.Ordinal);
    }

    [Fact]
    public void One_side_alone_gives_an_event_at_the_end()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, 40_000, 443).Open().Client(s_hello);
        new TcpTalk(bed, 40_001, 443).Open().Server(s_server);
        bed.Drain();
        Assert.Equal(2, bed.Seen.Tls.Count);
        Assert.Contains(bed.Seen.Tls, e => e.StartsWith("example.com 0304", StringComparison.Ordinal) && e.Contains(" ja3s= ", StringComparison.Ordinal));
        Assert.Contains(bed.Seen.Tls, e => e.StartsWith(" 0304 ja3= ja3s=", StringComparison.Ordinal));
    }

    [Fact]
    public void A_gap_in_a_handshake_gives_what_is_known()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 443).Open().Client(s_hello).Server(Contents.ServerFlight12[..60]).ServerLost(50).Server(Contents.ServerFlight12[110..]).Segment(0, TcpTalk.Ack);
        Assert.StartsWith("example.com 0303", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
        Assert.Equal([DecodeFault.StreamGap], bed.Faults);
        Assert.Equal(0, bed.Decoder.ConversationsInUse);
    }

    [Fact]
    public void An_ssl_2_hello_leaves_the_servers_side()
    {
        string e = Expected(Contents.SslV2Hello, Contents.ServerFlight12);
        Assert.Contains("CN=example.com", e, StringComparison.Ordinal);
        Assert.StartsWith(" 0303 ja3= ja3s=", e, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(587, "220 mail ESMTP\r\n", "EHLO c\r\n", "250-mail\r\n250 STARTTLS\r\n", "STARTTLS\r\n", "220 go\r\n", App.Smtp)]
    [InlineData(143, "* OK imap\r\n", "a CAPABILITY\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "b STARTTLS\r\n", "b OK\r\n", App.Imap)]
    [InlineData(21, "220 ftp\r\n", "FEAT\r\n", "211 End\r\n", "AUTH TLS\r\n", "234 go\r\n", App.Ftp)]
    public void Tls_that_begins_inside_a_line_protocol_is_read(int port, string hello, string one, string two, string three, string four, App app)
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: port).Open().Server(hello).Client(one).Server(two).Client(three).Server(four)
            .Client(s_hello[..1]).Client(s_hello[1..]).Server(s_server);
        SeenIp flow = bed.OnlyFlow();
        Assert.Equal((app, FlowNotes.StartTls), (flow.App, flow.Notes));
        Assert.Equal(Expected(s_hello, s_server), Assert.Single(bed.Seen.Tls));
        Assert.Equal(TlsNotes.Upgraded, Assert.Single(bed.Seen.TlsMore).Notes);
    }

    [Fact]
    public void Tls_behind_socks_is_read()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, serverPort: 1080).Open().Client([5, 1, 0]).Server([5, 0]).Client([5, 1, 0, 1, 192, 0, 2, 9, 1, 0xBB]).Server([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
            .Client(s_hello).Server(s_server);
        bed.Drain();
        Assert.Single(bed.Seen.Tls);
    }

    public static TheoryData<DecodeFault, byte[], byte[]> Faults
    {
        get
        {
            byte[] badCertificate = Contents.CertificateMessage([0x30, 0x03, 1, 2, 3]);
            byte[] hello12 = Contents.ServerFlight12[..(5 + 4 + 38)];
            return new TheoryData<DecodeFault, byte[], byte[]>
            {
                { DecodeFault.TlsHelloTruncated, Contents.Record(22, Contents.Handshake(1, [3, 3, 1, 2])), [] },
                { DecodeFault.TlsExtensionTruncated, Contents.Record(22, Contents.Handshake(1, [.. TlsHelloTests.Client[..^1], 9])), [] },
                { DecodeFault.TlsRecordTypeUnknown, Contents.Join(Contents.Record(22, Contents.Handshake(1, TlsHelloTests.Client)[..20]), [9, 9, 9, 9, 9, 9]), [] },
                { DecodeFault.TlsRecordVersionUnknown, Contents.Join(Contents.Record(22, Contents.Handshake(1, TlsHelloTests.Client)[..20]), [22, 9, 9, 9, 9, 9]), [] },
                { DecodeFault.TlsRecordTooLong, Contents.Join(Contents.Record(22, Contents.Handshake(1, TlsHelloTests.Client)[..20]), [22, 3, 3, 0xFF, 0xFF, 9]), [] },
                { DecodeFault.TlsHandshakeTooLong, Contents.Record(22, [1, 2, 0, 0, .. new byte[40]]), [] },
                { DecodeFault.X509Invalid, s_hello, Contents.Join(hello12, Contents.Record(22, badCertificate)) },
                { DecodeFault.TlsCertificateTruncated, s_hello, Contents.Join(hello12, Contents.Record(22, Contents.Handshake(11, [0, 0, 9, 0, 0, 50, 1]))) },
            };
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_broken_handshake_is_counted(DecodeFault fault, byte[] client, byte[] server)
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed, serverPort: 443).Open().Client(client);
        if (server.Length > 0) talk.Server(server);
        bed.Drain();
        Assert.Equal([fault], bed.Faults);
        Assert.Equal(App.Tls, bed.Seen.Ip[0].App);
    }
}
