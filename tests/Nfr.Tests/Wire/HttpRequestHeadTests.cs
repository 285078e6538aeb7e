using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class HttpRequestHeadTests
{
    const string Whole =
        "POST /login?x=1 HTTP/1.1\r\n" +
        "Host: www.example.com:8080\r\n" +
        "User-Agent:  curl/8.5.0 \r\n" +
        "REFERER: http://example.com/\r\n" +
        "Content-Type: application/x-www-form-urlencoded\r\n" +
        "Content-Length: 7\r\n" +
        "Authorization: basic dXNlcjpwYXNz\r\n" +
        "Connection: keep-alive, Upgrade\r\n" +
        "Upgrade: websocket\r\n" +
        "Expect: 100-Continue\r\n" +
        "\r\n" +
        "a=1&b=2";

    static ReadState Read(string text, out HttpRequestHead head, out int length, out DecodeFault fault) =>
        HttpRequestHead.TryRead(Bytes.Ascii(text), out head, out length, out fault);

    [Fact]
    public void A_whole_head_gives_its_fields()
    {
        Assert.Equal(ReadState.Complete, Read(Whole, out HttpRequestHead head, out int length, out DecodeFault fault));
        Assert.Equal(DecodeFault.None, fault);
        Assert.Equal(Whole.Length - 7, length);
        Assert.Equal("POST", Bytes.Text(head.Method));
        Assert.Equal("/login?x=1", Bytes.Text(head.Target));
        Assert.Equal("HTTP/1.1", Bytes.Text(head.Version));
        Assert.Equal("www.example.com:8080", Bytes.Text(head.Host));
        Assert.Equal("curl/8.5.0", Bytes.Text(head.UserAgent));
        Assert.Equal("http://example.com/", Bytes.Text(head.Referer));
        Assert.Equal("application/x-www-form-urlencoded", Bytes.Text(head.ContentType));
        Assert.Equal(7, head.ContentLength);
        Assert.Equal(HttpBody.ContentLength, head.Body);
        Assert.True(head.HasBasicAuthorization);
        Assert.True(head.WantsUpgrade);
        Assert.Equal("websocket", Bytes.Text(head.Upgrade));
        Assert.True(head.ExpectsContinue);
        Assert.True(head.IsPersistent);
        Assert.False(head.HasInvalidLine);
        Assert.False(head.IsConnect || head.IsHead || head.IsChunked);
    }

    [Fact]
    public void Every_truncation_needs_more()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        for (int length = 0; length < bytes.Length - 7; length++)
        {
            Assert.Equal(ReadState.NeedMore, HttpRequestHead.TryRead(bytes.AsSpan(0, length), out _, out int headLength, out DecodeFault fault));
            Assert.Equal((0, DecodeFault.None), (headLength, fault));
        }
    }

    [Theory]
    [InlineData("GET / HTTP/1.0\n\n", "GET", "/")]
    [InlineData("\r\n\r\nGET / HTTP/1.1\r\n\r\n", "GET", "/")]
    [InlineData("GET  /a b  HTTP/1.1 \r\n\r\n", "GET", "/a b")]
    [InlineData("GET http://example.com/x HTTP/1.1\r\n\r\n", "GET", "http://example.com/x")]
    [InlineData("CONNECT example.com:443 HTTP/1.1\r\n\r\n", "CONNECT", "example.com:443")]
    [InlineData("OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS", "*")]
    [InlineData("BREW /pot HTTP/1.1\r\n\r\n", "BREW", "/pot")]
    public void A_lenient_request_line_is_read(string text, string method, string target)
    {
        Assert.Equal(ReadState.Complete, Read(text, out HttpRequestHead head, out int length, out _));
        Assert.Equal(text.Length, length);
        Assert.Equal(method, Bytes.Text(head.Method));
        Assert.Equal(target, Bytes.Text(head.Target));
        Assert.Equal(HttpBody.None, head.Body);
    }

    [Theory]
    [InlineData("GET key\r\n\r\n")]
    [InlineData("GET /a b\r\n\r\n")]
    [InlineData("POST /\r\n\r\n")]
    [InlineData("get /\r\n\r\n")]
    [InlineData("GET HTTP/1.1\r\n\r\n")]
    [InlineData("GET / HTTP/2.0\r\n\r\n")]
    [InlineData("G@T / HTTP/1.1\r\n\r\n")]
    [InlineData(" GET / HTTP/1.1\r\n\r\n")]
    [InlineData("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")]
    [InlineData("INVITE sip:a@b SIP/2.0\r\n\r\n")]
    [InlineData("\0\0\0\n")]
    public void A_line_that_is_no_request_is_refused(string text)
    {
        Assert.Equal(ReadState.Invalid, Read(text, out _, out _, out DecodeFault fault));
        Assert.Equal(DecodeFault.HttpStartLineInvalid, fault);
        Assert.False(HttpRequestHead.LooksLikeRequest(Bytes.Ascii(text)));
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 5\r\n", 5)]
    [InlineData("Content-Length: 5, 5\r\n", 5)]
    [InlineData("content-length:0005\r\n", 5)]
    [InlineData("Content-Length: 9223372036854775807\r\n", long.MaxValue)]
    [InlineData("X: 1\r\n", -1)]
    public void A_length_said_alike_is_one_length(string fields, long expected)
    {
        Assert.Equal(ReadState.Complete, Read($"PUT / HTTP/1.1\r\n{fields}\r\n", out HttpRequestHead head, out _, out _));
        Assert.Equal(expected, head.ContentLength);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 6\r\n")]
    [InlineData("Content-Length: 5, 6\r\n")]
    [InlineData("Content-Length: -5\r\n")]
    [InlineData("Content-Length: +5\r\n")]
    [InlineData("Content-Length: 5x\r\n")]
    [InlineData("Content-Length:\r\n")]
    [InlineData("Content-Length: 9223372036854775808\r\n")]
    public void A_length_that_says_two_things_or_none_is_a_fault(string fields)
    {
        Assert.Equal(ReadState.Invalid, Read($"PUT / HTTP/1.1\r\n{fields}\r\n", out _, out _, out DecodeFault fault));
        Assert.Equal(DecodeFault.HttpContentLengthInvalid, fault);
    }

    [Fact]
    public void A_folded_line_belongs_to_its_field()
    {
        Assert.Equal(ReadState.Complete, Read("GET / HTTP/1.1\r\nUser-Agent: a\r\n  b\r\n\tc\r\nHost: h\r\n\r\n", out HttpRequestHead head, out _, out _));
        Assert.Equal("a\r\n  b\r\n\tc", Bytes.Text(head.UserAgent));
        Assert.Equal("h", Bytes.Text(head.Host));
    }

    [Fact]
    public void A_line_that_is_no_field_is_passed_over_and_remembered()
    {
        Assert.Equal(ReadState.Complete, Read("GET / HTTP/1.1\r\nnonsense\r\n: x\r\na b: c\r\nHost : h\r\n\r\n", out HttpRequestHead head, out _, out _));
        Assert.True(head.HasInvalidLine);
        Assert.Equal("h", Bytes.Text(head.Host));
    }

    [Theory]
    [InlineData("GET /a\r\n\r\n", "/a", "")]
    [InlineData("GET http://h/a\n\n", "http://h/a", "")]
    [InlineData("GET /a\nnonsense\nHost: h\nContent-Length: 5\n\n", "/a", "h")]
    public void A_simple_request_has_no_version_and_no_body(string text, string target, string host)
    {
        Assert.Equal(ReadState.Complete, Read(text, out HttpRequestHead head, out int length, out _));
        Assert.True(HttpRequestHead.LooksLikeRequest(Bytes.Ascii(text)));
        Assert.Equal((text.Length, target, host), (length, Bytes.Text(head.Target), Bytes.Text(head.Host)));
        Assert.Equal((true, false, HttpBody.None), (head.IsSimple, head.IsPersistent, head.Body));
    }

    [Fact]
    public void The_version_may_be_in_small_letters()
    {
        Assert.Equal(ReadState.Complete, Read("GET / http/1.0\r\nConnection: keep-alive\r\n\r\n", out HttpRequestHead head, out _, out _));
        Assert.Equal((false, true), (head.IsSimple, head.IsPersistent));
    }

    [Fact]
    public void Of_a_head_cut_at_every_byte_the_lines_that_came_whole_are_read()
    {
        int line = Whole.IndexOf('\r'), host = Whole.IndexOf("User-Agent", StringComparison.Ordinal);
        for (int cut = 0; cut <= Whole.Length; cut++)
        {
            bool read = HttpRequestHead.TryReadCut(Bytes.Ascii(Whole[..cut]), out HttpRequestHead head);
            Assert.Equal(cut >= line, read);
            if (!read) continue;
            Assert.Equal("/login?x=1", Bytes.Text(head.Target));
            Assert.Equal(cut >= host ? "www.example.com:8080" : "", Bytes.Text(head.Host));
        }
    }

    [Theory]
    [InlineData("Authorization: Basic dTpw", "dTpw")]
    [InlineData("proxy-authorization: BASIC   dTpw", "dTpw")]
    [InlineData("Authorization: Digest x\r\nProxy-Authorization: Basic dTpw", "dTpw")]
    [InlineData("Authorization: Basic", "")]
    [InlineData("Authorization: Basic:dTpw", "")]
    public void Basic_credentials_are_those_of_server_or_proxy(string field, string expected)
    {
        Read($"GET / HTTP/1.1\r\n{field}\r\n\r\n", out HttpRequestHead head, out _, out _);
        Assert.Equal((expected, expected.Length > 0), (Bytes.Text(head.BasicCredentials), head.HasBasicAuthorization));
    }

    [Fact]
    public void The_first_of_two_fields_counts()
    {
        Read("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", out HttpRequestHead head, out _, out _);
        Assert.Equal("a", Bytes.Text(head.Host));
    }

    [Theory]
    [InlineData("HTTP/1.1", "", true)]
    [InlineData("HTTP/1.1", "Connection: Close\r\n", false)]
    [InlineData("HTTP/1.0", "", false)]
    [InlineData("HTTP/1.0", "Connection: x, Keep-Alive\r\n", true)]
    public void A_connection_stays_as_the_version_and_the_field_say(string version, string field, bool expected)
    {
        Read($"GET / {version}\r\n{field}\r\n", out HttpRequestHead head, out _, out _);
        Assert.Equal(expected, head.IsPersistent);
    }

    [Theory]
    [InlineData("chunked", true)]
    [InlineData("gzip, Chunked", true)]
    [InlineData("gzip", false)]
    [InlineData("chunked, gzip", false)]
    public void Chunked_must_be_the_last_coding(string coding, bool expected)
    {
        Read($"POST / HTTP/1.1\r\nTransfer-Encoding: {coding}\r\n\r\n", out HttpRequestHead head, out _, out _);
        Assert.Equal(expected, head.IsChunked);
    }

    [Fact]
    public void A_head_beyond_the_limit_is_refused_whole_or_not()
    {
        string head = "GET / HTTP/1.1\r\nX: ";
        string fits = head + new string('x', HttpRequestHead.MaxLength - head.Length - 4) + "\r\n\r\n";
        Assert.Equal(ReadState.Complete, Read(fits, out _, out int length, out _));
        Assert.Equal(HttpRequestHead.MaxLength, length);
        foreach (string tooLong in (string[])[head + new string('x', HttpRequestHead.MaxLength), "\n" + fits, new string('A', 16384), new string('\n', 16384)])
        {
            Assert.Equal(ReadState.Invalid, Read(tooLong, out _, out _, out DecodeFault fault));
            Assert.Equal(DecodeFault.HttpHeadTooLong, fault);
        }
    }

    [Theory]
    [InlineData("GET /ind", true)]
    [InlineData("GET / HTTP/1.1\r\nHo", true)]
    [InlineData("\r\nPOST /x", true)]
    [InlineData("BREW /pot HTTP/1.1\r\n", true)]
    [InlineData("BREW /pot", false)]
    [InlineData("GET", false)]
    [InlineData("GET ", false)]
    [InlineData("GET \u0001", false)]
    [InlineData("OPTIONS rtsp://a RTSP/1.0\r\n", false)]
    [InlineData("SSH-2.0-x\r\n", false)]
    [InlineData("", false)]
    public void A_request_is_recognised_by_its_first_bytes(string text, bool expected) =>
        Assert.Equal(expected, HttpRequestHead.LooksLikeRequest(Bytes.Ascii(text)));

    [Fact]
    public void Mutated_heads_never_throw()
    {
        var random = new Random(4);
        byte[] whole = Bytes.Ascii(Whole);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] bytes = Bytes.Mutate(whole, random);
            HttpRequestHead.LooksLikeRequest(bytes);
            HttpResponseHead.LooksLikeResponse(bytes);
            HttpResponseHead.TryRead(bytes, out _, out _, out _);
            if (HttpRequestHead.TryRead(bytes, out HttpRequestHead head, out int length, out _) != ReadState.Complete) continue;
            Assert.InRange(length, 1, bytes.Length);
            _ = head.IsPersistent | head.IsChunked | head.HasBasicAuthorization | head.WantsUpgrade | (head.Body == HttpBody.None);
        }
    }

    [Fact]
    public void Reading_a_head_allocates_nothing()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        Assert.Equal(0, Allocation.Of(() =>
        {
            HttpRequestHead.LooksLikeRequest(bytes);
            HttpRequestHead.TryRead(bytes, out HttpRequestHead head, out _, out _);
            _ = head.IsPersistent | head.IsChunked | head.HasBasicAuthorization;
        }));
    }
}
