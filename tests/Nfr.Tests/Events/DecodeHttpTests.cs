using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>HTTP/1.x out of TCP segments, RFC 9112.</summary>
public sealed class DecodeHttpTests
{
    const string Get = "GET /a HTTP/1.1\r\nHost: x.example\r\nUser-Agent: ua/1\r\nReferer: http://y/\r\n\r\n";
    const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    const string GetEvent = "GET http://x.example/a 200 in=5 out=0 host=x.example type=text/plain ref=http://y/ ua=ua/1 None";

    static string Request(string path, string method = "GET") => $"{method} /{path} HTTP/1.1\r\nHost: h\r\n\r\n";

    static string Event(string path, int status, long bytesIn = 0, long bytesOut = 0, string method = "GET", string type = "") =>
        $"{method} http://h/{path} {status} in={bytesIn} out={bytesOut} host=h type={type} ref= ua= None";

    static DecodeBed Talk(Action<TcpTalk> talk, params string[] expected)
    {
        var bed = new DecodeBed();
        var conversation = new TcpTalk(bed);
        conversation.Open();
        talk(conversation);
        bed.Drain();
        Assert.Equal(expected, bed.Seen.Http);
        App app = expected.Any(e => e.StartsWith("CONNECT", StringComparison.Ordinal)) ? App.HttpProxy
            : expected.Any(e => e.Contains("/ws 101", StringComparison.Ordinal)) ? bed.Seen.Ip[0].App : App.Http;
        Assert.Equal(app, bed.Seen.Ip[0].App);
        return bed;
    }

    [Fact]
    public void A_request_and_its_response_are_one_event()
    {
        using DecodeBed bed = Talk(t => t.Client(Get).Server(Ok).Close(), GetEvent);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_conversation_may_be_split_at_every_byte()
    {
        using var bed = new DecodeBed();
        int port = 1024;
        for (int cut = 1; cut < Get.Length; cut++) new TcpTalk(bed, port++).Open().Client(Get[..cut]).Client(Get[cut..]).Server(Ok).Close();
        for (int cut = 1; cut < Ok.Length; cut++) new TcpTalk(bed, port++).Open().Client(Get).Server(Ok[..cut]).Server(Ok[cut..]).Close();
        TcpTalk single = new TcpTalk(bed, port++).Open();
        foreach (char c in Get) single.Client(c.ToString());
        foreach (char c in Ok) single.Server(c.ToString());
        bed.Drain();
        Assert.Equal(Get.Length + Ok.Length - 1, bed.Seen.Http.Count);
        Assert.All(bed.Seen.Http, e => Assert.Equal(GetEvent, e));
        Assert.Empty(bed.Faults);
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    [InlineData("CONNECT")]
    [InlineData("OPTIONS")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    public void A_method_may_be_split_at_every_byte(string method)
    {
        string request = method + " http://h/x HTTP/1.1\r\nHost: h\r\n\r\n";
        using var bed = new DecodeBed();
        for (int cut = 1; cut <= method.Length + 2; cut++) new TcpTalk(bed, 1024 + cut).Open().Client(request[..cut]).Client(request[cut..]);
        bed.Drain();
        Assert.Equal(method.Length + 2, bed.Seen.Http.Count);
    }

    [Fact]
    public void Pipelined_requests_meet_their_responses_in_order()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1") + Request("2") + Request("3"))
                .Server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx"),
            Event("1", 200, 3), Event("2", 404), Event("3", 500, 1));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Of_too_many_requests_without_a_response_the_oldest_are_let_go()
    {
        using DecodeBed bed = Talk(t => t.Client(string.Concat(Enumerable.Range(0, 40).Select(i => Request(i.ToString())))),
            [.. Enumerable.Range(0, 40).Select(i => Event(i.ToString(), 0))]);
    }

    [Fact]
    public void Responses_without_a_body_end_with_their_head()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1", "HEAD")).Server("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
                .Client(Request("2")).Server("HTTP/1.1 204 No\r\n\r\n")
                .Client(Request("3")).Server("HTTP/1.1 304 Not\r\nContent-Length: 99\r\n\r\n")
                .Client(Request("4")).Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
            Event("1", 200, method: "HEAD"), Event("2", 204), Event("3", 304), Event("4", 200, 2));
    }

    [Fact]
    public void An_interim_response_is_not_the_answer()
    {
        using DecodeBed bed = Talk(
            t => t.Client("POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
                .Server("HTTP/1.1 100 Continue\r\n\r\n").Client("abcdef").Server("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n"),
            Event("up", 201, 0, 6, "POST"));
    }

    const string Chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nb;x=y\r\nhello again\r\n0\r\nTrailer: t\r\n\r\n";

    [Fact]
    public void Chunks_may_be_split_at_every_byte_both_ways()
    {
        string post = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n3\r\npie\r\n0\r\n\r\n";
        using var bed = new DecodeBed();
        int port = 1024;
        for (int cut = 1; cut < Chunked.Length; cut++)
            new TcpTalk(bed, port++).Open().Client(post).Server(Chunked[..cut]).Server(Chunked[cut..]).Client(Request("next")).Server(Chunked);
        for (int cut = 1; cut < post.Length; cut++)
            new TcpTalk(bed, port++).Open().Client(post[..cut]).Client(post[cut..] + Request("next")).Server(Chunked + Chunked);
        bed.Drain();
        Assert.Equal(2 * (Chunked.Length + post.Length - 2), bed.Seen.Http.Count);
        Assert.All(bed.Seen.Http.Where((_, i) => i % 2 == 0), e => Assert.Equal(Event("c", 200, 16, 7, "POST"), e));
        Assert.All(bed.Seen.Http.Where((_, i) => i % 2 == 1), e => Assert.Equal(Event("next", 200, 16), e));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_broken_chunk_is_counted_and_the_next_response_found_again()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX")
                .Client(Request("2")).Server(Ok),
            Event("1", 200, 5), Event("2", 200, 5, type: "text/plain"));
        Assert.Equal([DecodeFault.HttpChunkInvalid], bed.Faults);
    }

    [Fact]
    public void A_body_without_a_length_runs_to_the_close()
    {
        using DecodeBed bed = Talk(t => t.Client(Request("1")).Server("HTTP/1.0 200 OK\r\n\r\n").Server(new byte[1000]).Server(new byte[500]).Close(), Event("1", 200, 1500));
    }

    [Fact]
    public void A_large_body_is_skipped_and_what_follows_read()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open().Client("POST /big HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
        for (int i = 0; i < 100; i++) talk.Client(new byte[1000]);
        talk.Server("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n");
        for (int i = 0; i < 50; i++) talk.Server(new byte[1000]);
        Assert.Equal(Event("big", 200, 50_000, 100_000, "POST"), Assert.Single(bed.Seen.Http));
        Assert.Equal(0, bed.Decoder.BuffersInUse);
        talk.Client(Request("next")).Server("HTTP/1.1 204 No\r\n\r\n");
        Assert.Equal(Event("next", 204), bed.Seen.Http[1]);
    }

    [Fact]
    public void A_body_that_stops_short_is_counted_as_far_as_it_came()
    {
        using DecodeBed bed = Talk(
            t => t.Client("PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n").Client(new byte[40])
                .Server("HTTP/1.1 413 No\r\nContent-Length: 9\r\n\r\nabc").Segment(1, TcpFlags.Rst),
            Event("p", 413, 3, 40, "PUT"));
    }

    [Fact]
    public void A_gap_in_a_body_is_passed_over()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server("HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n").Server(new byte[1000]).ServerLost(1000).Server(new byte[1000])
                .Client(Request("2")).Server("HTTP/1.1 204 No\r\n\r\n"),
            Event("1", 200, 3000), Event("2", 204));
    }

    [Fact]
    public void A_gap_from_a_body_into_the_next_head_finishes_the_body()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1") + Request("2") + Request("3")).Server("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n").Server(new byte[500])
                .ServerLost(540).Server("X-Rest: of the head\r\n\r\n").Segment(0, TcpTalk.Ack).Server("HTTP/1.1 206 Part\r\nContent-Length: 0\r\n\r\n"),
            Event("1", 200, 1000), Event("2", 206), Event("3", 0));
        Assert.Equal(1, bed.Fault(DecodeFault.StreamGap));
        Assert.Equal(FlowNotes.MissedBytes, bed.Seen.Ip[0].Notes);
    }

    [Fact]
    public void A_gap_in_chunks_counts_what_came()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n").ServerLost(10).Server("\r\n0\r\n\r\n")
                .Client(Request("2")).Server(Ok),
            Event("1", 200, 5), Event("2", 200, 5, type: "text/plain"));
    }

    [Fact]
    public void After_a_gap_in_a_head_the_next_request_is_found()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).Server("HTTP/1.1 204 No\r\n\r\n").Client("GET /lost HTTP/1.1\r\nHo").ClientLost(100).Client("X-Tail: 1\r\n\r\n")
                .Server("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n").Client(Request("3")).Server("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
            Event("1", 204), Event("3", 404));
        Assert.Equal([DecodeFault.StreamGap], bed.Faults);
    }

    [Fact]
    public void A_lost_segment_that_was_acknowledged_is_noted()
    {
        using DecodeBed bed = Talk(t => t.Client("GET /a HTTP/1.1\r\n").ClientLost(20).Client("Host: h\r\n\r\n").Server("HTTP/1.1 200 OK\r\n\r\n"));
        Assert.Equal(FlowNotes.MissedBytes, bed.Seen.Ip[0].Notes);
    }

    [Fact]
    public void Several_holes_covered_by_one_acknowledgment_are_all_passed()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("1")).ClientLost(50).Client(Request("2")).ClientLost(50).Client(Request("3")).Segment(1, TcpTalk.Ack),
            Event("1", 0), Event("2", 0), Event("3", 0));
        Assert.Equal(2, bed.Fault(DecodeFault.StreamGap));
    }

    [Fact]
    public void What_came_behind_a_hole_is_read_at_the_end()
    {
        // One direction only: nobody is seen to acknowledge.
        using DecodeBed bed = Talk(t => t.Client(Request("1")).ClientLost(50).Client(Request("2")).Segment(0, TcpFlags.Rst), Event("1", 0), Event("2", 0));
    }

    [Fact]
    public void A_request_without_a_response_is_an_event_with_status_zero()
    {
        using DecodeBed bed = Talk(t => t.Client(Request("1")), Event("1", 0));
    }

    [Fact]
    public void A_response_without_a_request_is_no_event()
    {
        using DecodeBed bed = Talk(t => t.Server(Ok));
    }

    [Fact]
    public void A_connection_seen_from_its_middle_is_read_from_the_next_head()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Client(Request("1")).Server(Ok);
        bed.Drain();
        Assert.Equal(Event("1", 200, 5, type: "text/plain"), Assert.Single(bed.Seen.Http));
        Assert.Equal(FlowNotes.Midstream, bed.Seen.Ip[0].Notes);
    }

    [Fact]
    public void Connect_leads_to_the_tls_inside()
    {
        using DecodeBed bed = Talk(
            t => t.Client("CONNECT x.example:443 HTTP/1.1\r\nHost: x.example:443\r\n\r\n").Server("HTTP/1.1 200 Connection established\r\n\r\n")
                .Client(Contents.ClientHello).Server(Contents.ServerHello13),
            "CONNECT x.example:443 200 in=0 out=0 host=x.example:443 type= ref= ua= None");
        Assert.StartsWith("example.com 0304", Assert.Single(bed.Seen.Tls), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_connect_is_an_ordinary_answer()
    {
        using DecodeBed bed = Talk(
            t => t.Client("CONNECT x:443 HTTP/1.1\r\n\r\n").Server("HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno").Client(Request("2")).Server(Ok),
            "CONNECT x:443 407 in=2 out=0 host=x:443 type= ref= ua= None", Event("2", 200, 5, type: "text/plain"));
    }

    [Fact]
    public void After_an_upgrade_nothing_more_is_http()
    {
        using DecodeBed bed = Talk(
            t => t.Client("GET /ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n").Server("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n")
                .Client([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9]).Server([0x81, 5, 1, 2, 3, 4, 5]),
            Event("ws", 101));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Requests_behind_an_upgrade_are_let_go_with_what_is_known()
    {
        using DecodeBed bed = Talk(
            t => t.Client(Request("ws") + Request("late")).Server("HTTP/1.1 101 Switching\r\n\r\n").Server(new byte[100]),
            Event("ws", 101), Event("late", 0));
    }

    [Fact]
    public void Basic_credentials_are_noted_on_event_and_flow()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client("GET /p HTTP/1.1\r\nHost: h\r\nAuthorization: Basic dTpw\r\n\r\n").Server(Ok).Close();
        Assert.Equal(FlowNotes.CleartextCredentials | FlowNotes.LoginSucceeded, bed.OnlyFlow().Notes);
        Assert.EndsWith(" CleartextCredentials, LoginSucceeded", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /x HTTP/1.0\r\n\r\n", "GET http://192.0.2.1/x 0 in=0 out=0 host=192.0.2.1")]
    [InlineData("GET http://p.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n", "GET http://p.example/x?y 0 in=0 out=0 host=p.example")]
    [InlineData("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS http://h* 0 in=0 out=0 host=h")]
    public void The_url_is_absolute(string request, string expected)
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed).Open().Client(request);
        bed.Drain();
        Assert.StartsWith(expected, Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }

    [Fact]
    public void Faults_of_heads_are_counted()
    {
        var inputs = new Dictionary<DecodeFault, string>
        {
            [DecodeFault.HttpStartLineInvalid] = Request("1") + "what is this\r\n\r\n",
            [DecodeFault.HttpContentLengthInvalid] = "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
            [DecodeFault.HttpHeadTooLong] = "GET / HTTP/1.1\r\nX: " + new string('x', 17_000) + "\r\n\r\n",
        };
        foreach ((DecodeFault fault, string input) in inputs)
        {
            using var bed = new DecodeBed();
            TcpTalk talk = new TcpTalk(bed).Open();
            foreach (char[] part in input.Chunk(1400)) talk.Client(new string(part));
            Assert.Equal([fault], bed.Faults);
        }
    }

    [Fact]
    public void A_line_of_a_head_that_is_no_field_is_counted_and_the_rest_read()
    {
        using DecodeBed bed = Talk(
            t => t.Client("GET /1 HTTP/1.1\r\nwhat is this\r\nHost: h\r\n\r\n").Server("HTTP/1.1 204 No\r\n: x\r\n\r\n"), Event("1", 204));
        Assert.Equal([DecodeFault.HttpHeaderInvalid], bed.Faults);
        Assert.Equal(2, bed.Fault(DecodeFault.HttpHeaderInvalid));
    }

    [Fact]
    public void A_head_of_many_segments_is_read_out_of_order()
    {
        string request = "GET /long HTTP/1.1\r\nHost: h\r\nX: " + new string('x', 12_000) + "\r\n\r\n";
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open();
        uint start = talk.Out;
        foreach (int i in new[] { 3, 1, 0, 2, 7, 6, 5, 4, 8 })
        {
            int from = i * 1400, to = Math.Min(from + 1400, request.Length);
            talk.Raw(0, start + (uint)from, talk.In, TcpTalk.Ack, Bytes.Ascii(request[from..to]));
        }
        bed.Drain();
        Assert.Equal(Event("long", 0), Assert.Single(bed.Seen.Http));
    }

    [Fact]
    public void A_stream_with_more_holes_than_a_receiver_has_starts_anew()
    {
        using var bed = new DecodeBed();
        TcpTalk talk = new TcpTalk(bed).Open().Client(Request("1"));
        for (int i = 0; i < 20; i++) talk.ClientLost(10).Client("x");
        talk.Client(Request("2"));
        bed.Drain();
        Assert.Equal(1, bed.Fault(DecodeFault.StreamSegmentsTooMany));
        Assert.Contains(Event("1", 0), bed.Seen.Http);
    }

    [Fact]
    public void A_segment_far_ahead_of_the_window_starts_it_anew()
    {
        using DecodeBed bed = Talk(t => t.Client(Request("1")).ClientLost(70_000).Client(Request("2")), Event("1", 0), Event("2", 0));
        Assert.Equal([DecodeFault.StreamWindowExceeded], bed.Faults);
    }

    [Fact]
    public void Sequence_numbers_wrap()
    {
        using var bed = new DecodeBed();
        for (uint before = 0; before < 120; before += 7)
            new TcpTalk(p => bed.Ip(p), clientPort: 2000 + (int)before, clientStart: 0u - before, serverStart: 0u - (before / 2)).Open().Client(Get[..20]).Client(Get[20..]).Server(Ok[..30]).Server(Ok[30..]);
        bed.Drain();
        Assert.Equal(18, bed.Seen.Http.Count);
        Assert.All(bed.Seen.Http, e => Assert.Equal(GetEvent, e));
    }
}
