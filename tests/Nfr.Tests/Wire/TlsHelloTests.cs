using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class TlsHelloTests
{
    internal static readonly byte[] Client = Bytes.Of("""
        0303                    # legacy_version
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
        04 deadbeef             # session id
        0008 1a1a 1301 c02b 00ff
        01 00                   # compression methods
        0053                    # extensions
        0a0a 0000               # GREASE
        0000 0010 000e 00 000b 6578616d706c652e636f6d   # server_name example.com
        000a 0006 0004 2a2a 001d
        000b 0002 01 00
        000d 0006 0004 0403 0804
        0010 000e 000c 02 6832 08 687474702f312e31      # h2, http/1.1
        002b 0007 06 3a3a 0304 0303
        0017 0000
        """);

    internal static readonly byte[] Server = Bytes.Of("""
        0303
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
        00                      # session id
        1301 00                 # cipher suite, compression method
        000f
        002b 0002 0304
        0010 0005 0003 02 6832
        """);

    [Fact]
    public void A_client_hello_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(Client, out TlsClientHello hello));
        Assert.Equal(0x0303, hello.LegacyVersion);
        Assert.Equal("000102", Convert.ToHexStringLower(hello.Random[..3]));
        Assert.Equal(32, hello.Random.Length);
        Assert.Equal("deadbeef", Convert.ToHexStringLower(hello.SessionId));
        Assert.Equal((4, 0x1301), (hello.CipherSuites.Count, hello.CipherSuites[1]));
        Assert.Equal(1, hello.CompressionMethods.Length);
        Assert.True(hello.HasServerName);
        Assert.Equal("example.com", Bytes.Text(hello.ServerName));
        Assert.Equal("h2", Bytes.Text(hello.FirstAlpn));
        TlsProtocolNames names = hello.Alpn;
        Assert.True(names.MoveNext() && names.MoveNext());
        Assert.Equal("http/1.1", Bytes.Text(names.Current));
        Assert.False(names.MoveNext());
        Assert.Equal(3, hello.SupportedVersions.Count);
        Assert.Equal(0x0304, hello.HighestVersion);
        Assert.Equal((2, 0x001d), (hello.SupportedGroups.Count, hello.SupportedGroups[1]));
        Assert.Equal("00", Convert.ToHexStringLower(hello.EcPointFormats));
        Assert.Equal((2, 0x0804), (hello.SignatureAlgorithms.Count, hello.SignatureAlgorithms[1]));
        var types = new List<int>();
        TlsExtensions extensions = hello.Extensions;
        while (extensions.MoveNext()) types.Add(extensions.Type);
        Assert.Equal([0x0a0a, 0, 10, 11, 13, 16, 43, 23], types);
    }

    [Fact]
    public void Every_truncation_of_a_client_hello_is_refused_but_the_one_that_is_an_older_hello()
    {
        const int withoutExtensions = 2 + 32 + 5 + 10 + 2;
        for (int length = 0; length < Client.Length; length++)
        {
            DecodeFault fault = TlsClientHello.TryRead(Client.AsSpan(0, length), out TlsClientHello hello);
            // The handshake header says how long the hello is; one stray byte after an older hello is no extensions block.
            bool older = length is withoutExtensions or withoutExtensions + 1;
            Assert.Equal(older ? DecodeFault.None : DecodeFault.TlsHelloTruncated, fault);
            if (older) Assert.Equal((0x0303, false), (hello.HighestVersion, hello.HasServerName));
        }
    }

    [Fact]
    public void An_extension_longer_than_its_block_is_refused()
    {
        byte[] broken = (byte[])Client.Clone();
        broken[^1] = 1;
        Assert.Equal(DecodeFault.TlsExtensionTruncated, TlsClientHello.TryRead(broken, out _));
        broken = (byte[])Server.Clone();
        broken[^6]++;
        Assert.Equal(DecodeFault.TlsExtensionTruncated, TlsServerHello.TryRead(broken, out _));
    }

    [Theory]
    [InlineData("0000 0007 2a2a 00 0002 3432", "42", true)]
    [InlineData("0000 0000", "", true)]
    [InlineData("0000 0005 0003 01 0000", "", true)]
    [InlineData("0000 0009 0007 01 0001 78 00 0000", "", true)]
    [InlineData("0000 000a 0008 01 0001 78 00 0001 79", "y", true)]
    [InlineData("0000 0006 0004 00 0002 78", "", true)]
    [InlineData("0017 0000", "", false)]
    public void A_server_name_is_the_first_host_name_whatever_the_list_length(string extension, string expected, bool has)
    {
        byte[] block = Bytes.Of(extension);
        byte[] body = [.. Bytes.Of("0303" + new string('0', 64) + "00 0002 1301 01 00"), 0, (byte)block.Length, .. block];
        Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(body, out TlsClientHello hello));
        Assert.Equal(expected, Bytes.Text(hello.ServerName));
        Assert.Equal(has, hello.HasServerName);
    }

    [Fact]
    public void A_datagram_hello_has_a_cookie()
    {
        byte[] body = Bytes.Of("fefd" + new string('0', 64) + "00 03 aabbcc 0002 c02b 01 00");
        Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(body, out TlsClientHello hello, datagram: true));
        Assert.Equal(0xc02b, hello.CipherSuites[0]);
        Assert.Equal(0xfefd, hello.HighestVersion);
    }

    [Fact]
    public void A_session_id_beyond_32_bytes_is_refused()
    {
        byte[] body = Bytes.Of("0303" + new string('0', 64) + "21" + new string('0', 66) + "0002 1301 01 00 0000");
        Assert.Equal(DecodeFault.TlsHelloTruncated, TlsClientHello.TryRead(body, out _));
        Assert.Equal(DecodeFault.TlsHelloTruncated, TlsServerHello.TryRead(body, out _));
    }

    [Fact]
    public void A_server_hello_gives_its_fields()
    {
        Assert.Equal(DecodeFault.None, TlsServerHello.TryRead(Server, out TlsServerHello hello));
        Assert.Equal(0x0303, hello.LegacyVersion);
        Assert.Equal(0x0304, hello.Version);
        Assert.Equal(0x1301, hello.CipherSuite);
        Assert.Equal(0, hello.CompressionMethod);
        Assert.Equal("h2", Bytes.Text(hello.Alpn));
        Assert.True(hello.SessionId.IsEmpty);
        Assert.False(hello.IsHelloRetryRequest);
    }

    [Fact]
    public void Every_truncation_of_a_server_hello_is_refused_but_the_one_that_is_an_older_hello()
    {
        for (int length = 0; length < Server.Length; length++)
        {
            DecodeFault fault = TlsServerHello.TryRead(Server.AsSpan(0, length), out _);
            Assert.Equal(length is 38 or 39 ? DecodeFault.None : DecodeFault.TlsHelloTruncated, fault);
        }
    }

    [Fact]
    public void A_hello_retry_request_is_known_by_its_random()
    {
        byte[] retry = (byte[])Server.Clone();
        System.Security.Cryptography.SHA256.HashData("HelloRetryRequest"u8).CopyTo(retry, 2);
        TlsServerHello.TryRead(retry, out TlsServerHello hello);
        Assert.True(hello.IsHelloRetryRequest);
    }

    [Fact]
    public void A_certificate_message_gives_its_leaf()
    {
        byte[] body = Bytes.Of("000009 000002 aabb 000001 cc");
        Assert.Equal(DecodeFault.None, TlsCertificateMessage.TryRead(body, out TlsCertificateMessage message));
        Assert.Equal("aabb", Convert.ToHexStringLower(message.Leaf));
        Assert.Equal(9, message.CertificateList.Length);
        for (int length = 0; length < body.Length; length++)
        {
            Assert.Equal(DecodeFault.TlsCertificateTruncated, TlsCertificateMessage.TryRead(body.AsSpan(0, length), out _));
        }
        Assert.Equal(DecodeFault.TlsCertificateTruncated, TlsCertificateMessage.TryRead(Bytes.Of("000003 000001"), out _));
        Assert.Equal(DecodeFault.None, TlsCertificateMessage.TryRead(Bytes.Of("000000"), out message));
        Assert.True(message.Leaf.IsEmpty);
    }

    [Fact]
    public void Mutated_hellos_never_throw()
    {
        var random = new Random(6);
        byte[] text = new byte[Ja3.MaxTextLength];
        for (int i = 0; i < 50_000; i++)
        {
            byte[] body = Bytes.Mutate(i % 2 == 0 ? Client : Server, random);
            TlsCertificateMessage.TryRead(body, out _);
            if (TlsClientHello.TryRead(body, out TlsClientHello client, datagram: i % 3 == 0) == DecodeFault.None)
            {
                Ja3.TryWrite(client, text);
                Ja4.TryWrite(client, Ja4Transport.Tcp, text);
                _ = client.HighestVersion;
            }
            if (TlsServerHello.TryRead(body, out TlsServerHello server) == DecodeFault.None)
            {
                Ja3.TryWrite(server, text);
                _ = server.Alpn.Length + server.CipherSuite + server.CompressionMethod + (server.IsHelloRetryRequest ? 1 : 0);
            }
        }
    }

    [Fact]
    public void Reading_hellos_and_certificates_allocates_nothing()
    {
        byte[] certificate = Bytes.Of("000005 000002 aabb");
        Assert.Equal(0, Allocation.Of(() =>
        {
            TlsClientHello.TryRead(Client, out TlsClientHello client);
            _ = client.HighestVersion + client.FirstAlpn.Length + client.ServerName.Length;
            TlsServerHello.TryRead(Server, out TlsServerHello server);
            _ = server.Alpn.Length;
            TlsCertificateMessage.TryRead(certificate, out _);
        }));
    }
}
