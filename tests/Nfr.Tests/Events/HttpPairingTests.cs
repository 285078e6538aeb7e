using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Which response belongs to which request, RFC 9112 9.2 and 9.3, also where something is missing or ends otherwise than announced.</summary>
public sealed class HttpPairingTests
{
    static string Request(string path) => $"GET /{path} HTTP/1.1\r\nHost: h\r\n\r\n";
    static string Response(int status) => $"HTTP/1.1 {status} X\r\nContent-Length: 2\r\n\r\nok";

    static DecodeBed Talk(Action<TcpTalk> talk, params string[] expected)
    {
        var bed = new DecodeBed();
        talk(new TcpTalk(bed).Open());
        bed.Drain();
        Assert.Equal(expected, bed.Seen.Http.Select(e => string.Join(' ', e.Split(' ')[..3]).Replace("http://h/", "", StringComparison.Ordinal)));
        return bed;
    }

    [Fact]
    public void The_response_of_a_lost_request_is_no_other_requests()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server(Response(201)).ClientLost(60).Server(Response(202)).Client(Request("3")).Server(Response(203)).Client(Request("4")).Server(Response(204)),
            "GET 1 201", "GET 3 203", "GET 4 204");
    }

    [Fact]
    public void Of_two_lost_requests_neither_response_is_another_ones()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server(Response(201)).ClientLost(60).Server(Response(202)).ClientLost(60).Server(Response(203)).Client(Request("4")).Server(Response(206))
                .Client(Request("5")).Server(Response(207)),
            "GET 1 201", "GET 4 206", "GET 5 207");
    }

    [Fact]
    public void A_request_lost_among_pipelined_ones_takes_its_response()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).ClientLost(60).Client(Request("3")).Server(Response(201)).Server(Response(202)).Server(Response(203)),
            "GET 1 201", "GET 3 203");
    }

    [Fact]
    public void A_request_whose_head_was_lost_in_part_takes_its_response()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server(Response(201)).Client("GET /2 HTTP/1.1\r\nHo").ClientLost(9).Client("\r\n\r\n").Server(Response(202)).Client(Request("3")).Server(Response(203)),
            "GET 1 201", "GET 3 203");
    }

    [Theory]
    [InlineData("Content-Length: 5000")]
    [InlineData("Transfer-Encoding: chunked")]
    public void A_body_announced_and_refused_is_not_awaited(string length)
    {
        using DecodeBed bed = Talk(
            t => t.Client($"PUT /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{length}\r\n\r\n").Server(Response(417)).Client(Request("2")).Server(Response(202)),
            "PUT 1 417", "GET 2 202");
        Assert.Empty(bed.Faults);
        Assert.Contains(" out=0 ", bed.Seen.Http[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_body_refused_and_sent_all_the_same_is_passed_over()
    {
        using DecodeBed bed = Talk(
            t => t.Client("PUT /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n").Server(Response(417)).Client(new byte[1000]).Client(new byte[1000])
                .Client(Request("2")).Server(Response(202)),
            "PUT 1 417", "GET 2 202");
    }

    [Fact]
    public void A_body_that_was_asked_for_is_the_requests()
    {
        using DecodeBed bed = Talk(
            t => t.Client("PUT /1 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n").Server("HTTP/1.1 100 Continue\r\n\r\n")
                .Client(Request("fake" + new string('x', 14)).PadRight(50)).Server(Response(201)).Client(Request("2")).Server(Response(202)),
            "PUT 1 201", "GET 2 202");
        Assert.Contains(" out=50 ", bed.Seen.Http[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_to_http2_by_upgrade_ends_with_its_answer()
    {
        using DecodeBed bed = Talk(
            t => t.Client("GET /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n")
                .Server("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n").Server([0, 0, 0, 4, 0, 0, 0, 0, 0])
                .Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").Client([0, 0, 0, 4, 0, 0, 0, 0, 0]),
            "GET 1 101");
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Http2_by_prior_knowledge_has_a_name()
    {
        using DecodeBed bed = Talk(t => t.Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").Client([0, 0, 0, 4, 0, 0, 0, 0, 0]).Server([0, 0, 0, 4, 0, 0, 0, 0, 0]));
        Assert.Equal(App.Http2, Assert.Single(bed.Seen.Ip).App);
        Assert.Empty(bed.Faults);
    }

    [Theory]
    [InlineData("GET /1 HTTP/1.1\nHost: h\n\n", "GET 1 201")]                                    // bare LF
    [InlineData("GET /1 HTTP/1.1\r\nX: a\r\n b\r\n\tc\r\nHost: h\r\n\r\n", "GET 1 201")]         // obs-fold
    [InlineData("\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET 1 201")]                       // empty lines before
    [InlineData("GET http://h/1 HTTP/1.1\r\nHost: other\r\n\r\n", "GET 1 201")]                     // absolute form
    [InlineData("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", "POST 1 201")]
    public void Heads_of_odd_forms_are_read(string request, string expected)
    {
        using DecodeBed bed = Talk(t => t.Client(request).Server(Response(201)), expected);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Lengths_that_differ_are_a_fault()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client("POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc");
        bed.Drain();
        Assert.Equal([DecodeFault.HttpContentLengthInvalid], bed.Faults);
    }

    [Theory]
    [InlineData("GET key\r\n")]
    [InlineData("POST /\r\n")]
    [InlineData("GET\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("\0\0\0\0GET / HTTP/1.1\r\n\r\n")]
    public void What_has_no_version_is_not_http_one(string request)
    {
        using DecodeBed bed = Talk(t => t.Client(request).Server("<html>hello</html>\r\n").Close());
    }

    [Fact]
    public void A_restart_without_a_buffer_is_counted_and_given_up()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 8192 });
        var victim = new TcpTalk(bed, 1000);
        victim.Open().Client(Request("1"));
        // Every buffer of the pool but those that the victim's request takes.
        for (int i = 0; i < 2048 + 256 + 48 - 1; i++) new TcpTalk(bed, 2000 + i).Open().Client("GET /");
        Assert.Empty(bed.Faults);
        victim.ClientLost(70_000).Client("GET /" + new string('x', 1000));
        Assert.Equal((1, 1), (bed.Fault(DecodeFault.StreamWindowExceeded), bed.Fault(DecodeFault.StreamBuffersExhausted)));
        Assert.Contains("/1 0 ", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }
}
