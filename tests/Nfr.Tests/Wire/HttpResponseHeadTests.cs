using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class HttpResponseHeadTests
{
    const string Whole =
        "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";

    static ReadState Read(string text, out HttpResponseHead head, out DecodeFault fault) =>
        HttpResponseHead.TryRead(Bytes.Ascii(text), out head, out _, out fault);

    [Fact]
    public void A_whole_head_gives_its_fields()
    {
        Assert.Equal(ReadState.Complete, Read(Whole, out HttpResponseHead head, out _));
        Assert.Equal(200, head.StatusCode);
        Assert.Equal("OK", Bytes.Text(head.ReasonPhrase));
        Assert.Equal("text/html; charset=utf-8", Bytes.Text(head.ContentType));
        Assert.Equal("test", Bytes.Text(head.Server));
        Assert.Equal(-1, head.ContentLength);
        Assert.True(head.IsChunked);
        Assert.False(head.IsPersistent);
        Assert.False(head.IsInterim);
    }

    [Fact]
    public void Every_truncation_needs_more()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(ReadState.NeedMore, HttpResponseHead.TryRead(bytes.AsSpan(0, length), out _, out _, out _));
        }
    }

    [Theory]
    [InlineData("HTTP/1.0 404\r\n\r\n", 404, "")]
    [InlineData("HTTP/1.1 404 \n\n", 404, "")]
    [InlineData("http/1.1 200 OK\r\n\r\n", 200, "OK")]
    [InlineData("HTTP/1.1  999 what now\r\n\r\n", 999, "what now")]
    public void A_lenient_status_line_is_read(string text, int status, string reason)
    {
        Assert.Equal(ReadState.Complete, Read(text, out HttpResponseHead head, out _));
        Assert.Equal(status, head.StatusCode);
        Assert.Equal(reason, Bytes.Text(head.ReasonPhrase));
        Assert.True(HttpResponseHead.LooksLikeResponse(Bytes.Ascii(text)));
    }

    [Theory]
    [InlineData("HTTP/1.1 20\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1200 OK\r\n\r\n")]
    [InlineData("ICY 200 OK\r\n\r\n")]
    public void A_line_that_is_no_status_is_refused(string text)
    {
        Assert.Equal(ReadState.Invalid, Read(text, out _, out DecodeFault fault));
        Assert.Equal(DecodeFault.HttpStartLineInvalid, fault);
        Assert.False(HttpResponseHead.LooksLikeResponse(Bytes.Ascii(text)));
    }

    [Theory]
    [InlineData(200, "Content-Length: 5", false, false, HttpBody.ContentLength)]
    [InlineData(200, "Content-Length: 0", false, false, HttpBody.None)]
    [InlineData(200, "Content-Length: 5\r\nTransfer-Encoding: chunked", false, false, HttpBody.Chunked)]
    [InlineData(200, "Transfer-Encoding: gzip", false, false, HttpBody.UntilClose)]
    [InlineData(200, "X: 1", false, false, HttpBody.UntilClose)]
    [InlineData(200, "Content-Length: 5", true, false, HttpBody.None)]
    [InlineData(200, "Content-Length: 5", false, true, HttpBody.None)]
    [InlineData(407, "Content-Length: 5", false, true, HttpBody.ContentLength)]
    [InlineData(204, "Content-Length: 5", false, false, HttpBody.None)]
    [InlineData(304, "Content-Length: 5", false, false, HttpBody.None)]
    [InlineData(100, "X: 1", false, false, HttpBody.None)]
    [InlineData(101, "Upgrade: websocket", false, false, HttpBody.None)]
    public void The_body_ends_as_the_request_and_the_fields_say(int status, string fields, bool isHead, bool isConnect, HttpBody expected)
    {
        Assert.Equal(ReadState.Complete, Read($"HTTP/1.1 {status} x\r\n{fields}\r\n\r\n", out HttpResponseHead head, out _));
        Assert.Equal(expected, head.Body(isHead, isConnect));
        Assert.Equal(status == 100, head.IsInterim);
        Assert.Equal(status == 101 || (isConnect && status == 200), head.SwitchesProtocol(isConnect));
    }

    [Theory]
    [InlineData("HTTP/1.", true)]
    [InlineData("HTTP/1.1 200", true)]
    [InlineData("HTTP/1.1 200 O", true)]
    [InlineData("HTTP", false)]
    [InlineData("HTTP/1.1 abc def", false)]
    [InlineData("220 ftp ready\r\n", false)]
    public void A_response_is_recognised_by_its_first_bytes(string text, bool expected) =>
        Assert.Equal(expected, HttpResponseHead.LooksLikeResponse(Bytes.Ascii(text)));

    [Theory]
    [InlineData("H", true)]
    [InlineData("http/1", true)]
    [InlineData("HTTP/1.", false)]
    [InlineData("HTML", false)]
    public void Bytes_that_may_become_a_status_line_are_told_from_others(string text, bool expected) =>
        Assert.Equal(expected, HttpResponseHead.MayBecomeResponse(Bytes.Ascii(text)));

    [Fact]
    public void Reading_a_head_allocates_nothing()
    {
        byte[] bytes = Bytes.Ascii(Whole);
        Assert.Equal(0, Allocation.Of(() =>
        {
            HttpResponseHead.LooksLikeResponse(bytes);
            HttpResponseHead.TryRead(bytes, out HttpResponseHead head, out _, out _);
            _ = head.Body(false, false);
        }));
    }
}
