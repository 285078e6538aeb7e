using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>Whatever the bytes: a verdict, and nothing allocated.</summary>
public sealed class ZeekRobustnessTests
{
    sealed class Nothing : IEventSink
    {
        public int Events;
        public void OnDns(scoped in DnsEvent e) => Events++;
        public void OnIp(scoped in IpEvent e) => Events++;
        public void OnHttp(scoped in HttpEvent e) => Events++;
        public void OnTls(scoped in TlsEvent e) => Events++;
        public void OnHost(scoped in HostEvent e) => Events++;
        public void OnAnomaly(scoped in AnomalyEvent e) => Events++;
    }

    public static TheoryData<string, string> Lines => new()
    {
        { "#path\tdns\n" + ZeekSamples.DnsFields, ZeekSamples.Dns.Replace("www", "\\xffw\\\\w", StringComparison.Ordinal) },
        { "#path\tconn\n" + ZeekSamples.ConnFields, ZeekSamples.Conn },
        { "#path\thttp\n" + ZeekSamples.HttpFields, ZeekSamples.Http },
        { "#path\tssl\n" + ZeekSamples.SslFields, ZeekSamples.Ssl },
        { "#path\tx509\n#fields\tts\tfingerprint\tcertificate.subject\tsan.dns\n", "1.5\taa11\tCN=a\\x2cb\ta,b" },
        { "", """{"_path":"dns","ts":1700000000.1,"id":{"orig_h":"10.0.0.1","orig_p":1,"resp_h":"::1","resp_p":53},"query":"a\u00e9\\xffb.example","qtype_name":"A","answers":["192.0.2.1","a\tb"],"TTLs":[1.0,2.0]}""" },
        { "", """{"_path":"ssl","ts":1700000000.1,"id.orig_h":"10.0.0.1","id.resp_h":"::1","cert_chain_fps":["aa11"],"server_name":"a\u00e9"}""" },
    };

    [Theory]
    [MemberData(nameof(Lines))]
    public void A_line_takes_no_memory(string header, string line)
    {
        var parser = new ZeekParser(new LineOptions());
        var sink = new Nothing();
        foreach (string h in header.Split('\n')) parser.Read(Encoding.UTF8.GetBytes(h), sink);
        byte[] bytes = Encoding.UTF8.GetBytes(line);
        Assert.False(parser.Read(bytes, sink).IsSkip());
        Assert.Equal(0, Allocation.Of(() => parser.Read(bytes, sink)));
        byte[][] headers = [.. header.Split('\n').Select(Encoding.UTF8.GetBytes)];
        Assert.Equal(0, Allocation.Of(() =>
        {
            foreach (byte[] h in headers) parser.Read(h, sink);
        }));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Every_beginning_of_a_line_has_a_verdict(string header, string line)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(header + line);
        var sink = new Nothing();
        int start = Encoding.UTF8.GetByteCount(header);
        for (int length = 0; length < bytes.Length; length++)
        {
            var parser = new ZeekParser(new LineOptions());
            LineVerdict last = LineVerdict.Header;
            foreach (Range range in bytes.AsSpan(0, length).Split((byte)'\n')) last = parser.Read(bytes.AsSpan(0, length)[range], sink);
            // A cut object is none; a cut line has too few columns until its last one.
            if (length > start && header.Length == 0) Assert.Equal(LineVerdict.NotJson, last);
            if (length > start && length < bytes.AsSpan().LastIndexOf((byte)'\t') && header.Length > 0) Assert.Equal(LineVerdict.Columns, last);
        }
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Any_byte_in_any_place_has_a_verdict(string header, string line)
    {
        byte[] good = Encoding.UTF8.GetBytes(line);
        var sink = new Nothing();
        var parser = new ZeekParser(new LineOptions());
        foreach (string h in header.Split('\n')) parser.Read(Encoding.UTF8.GetBytes(h), sink);
        byte[] bytes = new byte[good.Length];
        for (int at = 0; at < good.Length; at++)
        {
            foreach (byte b in (byte[])[0, (byte)'\t', (byte)'"', (byte)'\\', (byte)'-', (byte)',', 0x7F, 0xFF, (byte)'9', (byte)'{', (byte)'#'])
            {
                good.CopyTo(bytes, 0);
                bytes[at] = b;
                Assert.True(Enum.IsDefined(parser.Read(bytes, sink)));
                // What a line began with '#' said may have changed the header.
                if (at == 0) foreach (string h in header.Split('\n')) parser.Read(Encoding.UTF8.GetBytes(h), sink);
            }
        }
    }

    [Fact]
    public void A_line_of_a_megabyte_is_read_in_bounded_memory()
    {
        var parser = new ZeekParser(new LineOptions());
        var sink = new Nothing();
        foreach (string h in ("#path\thttp\n" + ZeekSamples.HttpFields.TrimEnd()).Split('\n')) parser.Read(Encoding.UTF8.GetBytes(h), sink);
        foreach (string filling in (string[])["x", "\\x00", ",", "\\", "\0"])
        {
            string wide = string.Concat(Enumerable.Repeat(filling, (1 << 20) / filling.Length));
            parser.Read(Encoding.Latin1.GetBytes(ZeekSamples.Http.Replace("/a?b=c", wide, StringComparison.Ordinal)), sink);
            parser.Read(Encoding.Latin1.GetBytes(ZeekSamples.Http.Replace("text/html", wide, StringComparison.Ordinal)), sink);
            parser.Read(Encoding.Latin1.GetBytes("{\"_path\":\"dns\",\"ts\":1,\"id.orig_h\":\"::1\",\"query\":\"a\",\"answers\":[\"" + wide + "\",\"" + wide), sink);
            parser.Read(Encoding.Latin1.GetBytes(wide), sink);
            parser.Read(Encoding.Latin1.GetBytes("#fields\t" + wide), sink);
            foreach (string h in ("#path\thttp\n" + ZeekSamples.HttpFields.TrimEnd()).Split('\n')) parser.Read(Encoding.UTF8.GetBytes(h), sink);
        }
        Assert.True(sink.Events > 5);
    }

    [Fact]
    public void The_certificate_told_of_longest_ago_makes_room()
    {
        var cache = new CertificateCache(100);
        for (int i = 0; i < 1000; i++) cache.Put(Encoding.ASCII.GetBytes($"key{i}"), new CertificateText { Subject = Encoding.ASCII.GetBytes($"CN={i}"), SubjectAltNames = Encoding.ASCII.GetBytes(string.Join(',', Enumerable.Repeat("name.example", 200))) });
        Assert.Equal(100, cache.Count);
        Span<byte> room = stackalloc byte[1024];
        for (int i = 0; i < 1000; i++)
        {
            Assert.Equal(i >= 900, cache.TryGet(Encoding.ASCII.GetBytes($"key{i}"), room, out CertificateText certificate));
            if (i < 900) continue;
            Assert.Equal($"CN={i}", Encoding.ASCII.GetString(certificate.Subject));
            Assert.EndsWith(",name.example", Encoding.ASCII.GetString(certificate.SubjectAltNames), StringComparison.Ordinal);
        }
    }
}
