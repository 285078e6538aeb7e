using System.Security.Cryptography;
using System.Text.Json;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Wire;

public sealed class FingerprintTests(ITestOutputHelper output)
{
    static string Md5(string text) => Convert.ToHexStringLower(MD5.HashData(Bytes.Ascii(text)));

    static byte[] Body(string extensions, string ciphers = "0002 1301", string version = "0303")
    {
        byte[] block = Bytes.Of(extensions);
        return [.. Bytes.Of(version + new string('0', 64) + "00" + ciphers + "01 00"), (byte)(block.Length >> 8), (byte)block.Length, .. block];
    }

    static string ReadJa3(byte[] body, out string text, out string sni)
    {
        Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(body, out TlsClientHello hello));
        byte[] buffer = new byte[Ja3.MaxTextLength];
        text = Bytes.Text(buffer.AsSpan(0, Ja3.WriteText(hello, buffer)));
        sni = Bytes.Text(hello.ServerName);
        byte[] hash = new byte[Ja3.HashLength];
        Assert.True(Ja3.TryWrite(hello, hash));
        return Bytes.Text(hash);
    }

    static string ReadJa4(byte[] body, Ja4Transport transport = Ja4Transport.Tcp)
    {
        Assert.Equal(DecodeFault.None, TlsClientHello.TryRead(body, out TlsClientHello hello));
        byte[] text = new byte[Ja4.Length];
        return Ja4.TryWrite(hello, transport, text) ? Bytes.Text(text) : "";
    }

    [Fact]
    public void Ja3_is_the_known_vector()
    {
        byte[] body = Body(
            "ff01 0001 00 0000 0000 000a 0006 0004 0017 0018 000b 0002 0100 000d 0000", version: "0303",
            ciphers: "002a 003c 002f 003d 0035 0005 000a c027 c013 c014 c02b c023 c02c c024 c009 c00a 0040 0032 006a 0038 0013 0004");
        Assert.Equal("4d7a28d6f2263ed61de88ca66eb011e3", ReadJa3(body, out string text, out _));
        Assert.Equal(
            "771,60-47-61-53-5-10-49191-49171-49172-49195-49187-49196-49188-49161-49162-64-50-106-56-19-4,65281-0-10-11-13,23-24,0", text);
    }

    [Fact]
    public void Grease_is_left_out_of_ja3()
    {
        Assert.Equal(Md5("771,4865-49195-255,0-10-11-13-16-43-23,29,0"), ReadJa3(TlsHelloTests.Client, out string text, out _));
        Assert.Equal("771,4865-49195-255,0-10-11-13-16-43-23,29,0", text);
    }

    [Fact]
    public void The_sixteen_grease_values_are_grease_and_no_others()
    {
        var found = Enumerable.Range(0, 65536).Where(v => Grease.Is((ushort)v)).ToList();
        Assert.Equal(Enumerable.Range(0, 16).Select(i => 0x0A0A + (0x1010 * i)), found);
    }

    [Fact]
    public void Ja3s_is_the_hash_of_version_cipher_and_extensions()
    {
        Assert.Equal(DecodeFault.None, TlsServerHello.TryRead(TlsHelloTests.Server, out TlsServerHello hello));
        byte[] buffer = new byte[200];
        Assert.Equal("771,4865,43-16", Bytes.Text(buffer.AsSpan(0, Ja3.WriteText(hello, buffer))));
        Assert.True(Ja3.TryWrite(hello, buffer));
        Assert.Equal(Md5("771,4865,43-16"), Bytes.Text(buffer.AsSpan(0, 32)));
        Assert.False(Ja3.TryWrite(hello, buffer.AsSpan(0, 31)));
    }

    [Fact]
    public void Ja4_is_the_example_of_its_description()
    {
        // The lists of the public description, in the order of the wire, with GREASE among them.
        byte[] body = Body(
            """
            2a2a 0000
            001b 0000 0000 0007 0005 00 0002 6162 0033 0000 0010 0005 0003 02 6832 4469 0000 0017 0000 002d 0000
            000d 0014 0012 1a1a 0403 0804 0401 0503 0805 0501 0806 0601
            0005 0000 0023 0000 0012 0000 002b 0007 06 fafa 0303 0304 ff01 0000 000b 0000 000a 0000 0015 0000
            """,
            ciphers: "0020 0a0a 1301 1302 1303 c02b c02f c02c c030 cca9 cca8 c013 c014 009c 009d 002f 0035");
        Assert.Equal("t13d1516h2_8daaf6152771_e5627efa2ab1", ReadJa4(body));
        Assert.StartsWith("q13d1516h2_", ReadJa4(body, Ja4Transport.Quic), StringComparison.Ordinal);
    }

    [Fact]
    public void Ja4_without_signature_algorithms_ends_without_an_underscore()
    {
        byte[] body = Body("0005 0000 000a 0000 000b 0000 000d 0000 0012 0000 0015 0000 0017 0000 001b 0000 0023 0000 002b 0000 002d 0000 0033 0000 4469 0000 ff01 0000");
        Assert.EndsWith("_6d807ffa2a79", ReadJa4(body), StringComparison.Ordinal);
    }

    [Fact]
    public void Ja4_of_nothing_says_so()
    {
        Assert.Equal("t12i000000_000000000000_000000000000", ReadJa4(Body("", ciphers: "0000")));
        Assert.Equal("t00d010200_" + Convert.ToHexStringLower(SHA256.HashData("1301"u8))[..12] + "_000000000000", ReadJa4(Body("0000 0000 0010 0000", version: "0404")));
    }

    [Theory]
    [InlineData("6832", "h2")]
    [InlineData("687474702f312e31", "h1")]
    [InlineData("78", "xx")]
    [InlineData("ab", "ab")]
    [InlineData("abcd", "ad")]
    [InlineData("30ab", "3b")]
    [InlineData("3031abcd", "3d")]
    [InlineData("30abcd31", "01")]
    [InlineData("ba2d", "bd")]
    [InlineData("baad08", "b8")]
    [InlineData("", "00")]
    public void Ja4_shows_the_first_alpn_value(string value, string expected)
    {
        string length = (value.Length / 2).ToString("x2");
        byte[] body = Body($"0010 00{value.Length / 2 + 3:x2} 00{value.Length / 2 + 1:x2} {length} {value}");
        Assert.Equal(expected, ReadJa4(body).Substring(8, 2));
    }

    [Theory]
    [InlineData("0304", "13")]
    [InlineData("0303", "12")]
    [InlineData("0302", "11")]
    [InlineData("0301", "10")]
    [InlineData("0300", "s3")]
    [InlineData("0002", "s2")]
    [InlineData("feff", "d1")]
    [InlineData("fefd", "d2")]
    [InlineData("fefc", "d3")]
    [InlineData("0305", "00")]
    public void Ja4_names_the_version(string version, string expected) => Assert.Equal(expected, ReadJa4(Body("", version: version)).Substring(1, 2));

    [Fact]
    public void Ja4_counts_no_further_than_99_and_gives_up_beyond_its_limit()
    {
        static string Ciphers(int count) => (2 * count).ToString("x4") + string.Concat(Enumerable.Range(1, count).Select(i => i.ToString("x4")));
        Assert.StartsWith("t12i9900", ReadJa4(Body("", ciphers: Ciphers(100))), StringComparison.Ordinal);
        Assert.NotEmpty(ReadJa4(Body("", ciphers: Ciphers(Ja4.MaxValues))));
        Assert.Empty(ReadJa4(Body("", ciphers: Ciphers(Ja4.MaxValues + 2))));
        TlsClientHello.TryRead(Body("", ciphers: Ciphers(3000)), out TlsClientHello hello);
        Assert.False(Ja3.TryWrite(hello, new byte[32]));
    }

    [Fact]
    public void Fingerprints_and_the_hashes_under_them_allocate_nothing()
    {
        byte[] text = new byte[64];
        Assert.Equal(0, Allocation.Of(() =>
        {
            TlsClientHello.TryRead(TlsHelloTests.Client, out TlsClientHello client);
            Assert.True(Ja3.TryWrite(client, text) && Ja4.TryWrite(client, Ja4Transport.Tcp, text));
            TlsServerHello.TryRead(TlsHelloTests.Server, out TlsServerHello server);
            Assert.True(Ja3.TryWrite(server, text));
            MD5.HashData(text, text);
            SHA1.HashData(text, text);
            SHA256.HashData(text, text);
        }));
    }

    static ReadOnlySpan<byte> HelloBody(byte[] stream, byte[] scratch)
    {
        var reader = new TlsHandshakeReader(stream, scratch);
        Assert.Equal(ReadState.Complete, reader.MoveNext());
        Assert.Equal(TlsHandshakeType.ClientHello, reader.Type);
        return reader.Body;
    }

    [Fact]
    public void Ja3_agrees_with_the_reference_on_every_hello_of_the_corpus()
    {
        if (!Corpus.TryFind("10-tool-oracles", out string folder))
        {
            output.WriteLine("skipped: no corpus beside the checkout");
            return;
        }
        byte[] scratch = new byte[65536];
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.salesforce-ja3.json", SearchOption.AllDirectories))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement row in json.RootElement.GetProperty("ja3").EnumerateArray())
            {
                byte[] stream = Convert.FromHexString(row.GetProperty("client_hello_pkt").GetString()!);
                string hash = ReadJa3(HelloBody(stream, scratch).ToArray(), out string text, out _);
                Assert.Equal((row.GetProperty("ja3").GetString(), row.GetProperty("ja3_digest").GetString()), (text, hash));
                count++;
            }
        }
        output.WriteLine($"{count} hellos agree");
        Assert.True(count > 100);
    }

    [Fact]
    public void Raw_hello_vectors_of_another_project_agree()
    {
        if (!Corpus.TryFind("1b-arkime-ipfixprobe/open-ch-ja3", out string folder))
        {
            output.WriteLine("skipped: no corpus beside the checkout");
            return;
        }
        byte[] scratch = new byte[65536];
        int count = 0;
        foreach (string file in Directory.EnumerateFiles(folder, "*.json"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement row in json.RootElement.EnumerateArray())
            {
                byte[] stream = Convert.FromHexString(row.GetProperty("payload_hex").GetString()!);
                string hash = ReadJa3(HelloBody(stream, scratch).ToArray(), out string text, out string sni);
                Assert.Equal(
                    (row.GetProperty("ja3_string").GetString(), row.GetProperty("ja3").GetString(), row.GetProperty("sni").GetString()), (text, hash, sni));
                count++;
            }
        }
        Assert.True(count > 0);
    }

    [Fact]
    public void Ja4_agrees_on_the_hellos_whose_fingerprint_the_corpus_names()
    {
        if (!Corpus.TryFind("10-tool-oracles/1-ja3-ja4", out string hellos) || !Corpus.TryFind("1-ja3-ja4", out string expectations))
        {
            output.WriteLine("skipped: no corpus beside the checkout");
            return;
        }
        byte[] scratch = new byte[65536];
        int agreed = 0;
        foreach (string file in Directory.EnumerateFiles(hellos, "*.salesforce-ja3.json"))
        {
            string expected = Path.Combine(expectations, Path.GetFileName(file).Replace(".salesforce-ja3.json", ".expect.json", StringComparison.Ordinal));
            if (!File.Exists(expected)) continue;
            using var known = JsonDocument.Parse(File.ReadAllBytes(expected));
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (JsonElement row in json.RootElement.GetProperty("ja3").EnumerateArray())
            {
                foreach (JsonElement entry in known.RootElement.GetProperty("expect").EnumerateArray())
                {
                    JsonElement match = entry.GetProperty("match");
                    if (!match.TryGetProperty("tls.ja4", out JsonElement ja4)) continue;
                    if (match.GetProperty("src_port").GetInt32() != row.GetProperty("source_port").GetInt32()) continue;
                    if (match.GetProperty("src_ip").GetString() != row.GetProperty("source_ip").GetString()) continue;
                    byte[] stream = Convert.FromHexString(row.GetProperty("client_hello_pkt").GetString()!);
                    string ours = ReadJa4(HelloBody(stream, scratch).ToArray());
                    // The reference tools print 99 for an ALPN that is not ASCII; the description's present text has the hex digits.
                    string theirs = ja4.GetString()!;
                    if (theirs[8..10] == "99") theirs = theirs[..8] + "bd" + theirs[10..];
                    Assert.Equal(theirs, ours);
                    agreed++;
                }
            }
        }
        output.WriteLine($"{agreed} fingerprints agree");
        Assert.True(agreed > 5);
    }
}
