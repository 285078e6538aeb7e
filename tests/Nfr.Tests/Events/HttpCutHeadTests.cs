using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>Requests without a version (RFC 1945 4.1, HTTP/0.9) and heads that end before their end.</summary>
public sealed class HttpCutHeadTests
{
    const string Page = "<html>hello</html>\r\n";

    static DecodeBed Talk(Action<TcpTalk> talk, params string[] expected)
    {
        var bed = new DecodeBed();
        talk(new TcpTalk(bed).Open());
        bed.Drain();
        Assert.Equal(expected, bed.Seen.Http.Select(e => string.Join(' ', e.Split(' ')[..5])));
        Assert.Empty(bed.Faults);
        return bed;
    }

    [Theory]
    [InlineData("GET /a\r\n")]
    [InlineData("GET /a\n")]
    [InlineData("GET /a")]
    [InlineData("GET /a\r\n\r\n")]
    public void A_simple_request_gets_all_that_comes_up_to_the_close(string request)
    {
        using DecodeBed bed = Talk(t => t.Client(request).Server(Page).Server(Page).Close(), "GET http://192.0.2.1/a 0 in=40 out=0");
        Assert.Equal(App.Http, Assert.Single(bed.Seen.Ip).App);
    }

    [Fact]
    public void A_simple_conversation_may_be_split_at_every_byte()
    {
        const string request = "GET /a\r\nHost: h\r\nUser-Agent: ua\r\n\r\n";
        using var bed = new DecodeBed();
        int port = 1024;
        for (int cut = 1; cut < request.Length; cut++) new TcpTalk(bed, port++).Open().Client(request[..cut]).Client(request[cut..]).Server(Page).Close();
        for (int cut = 1; cut < Page.Length; cut++) new TcpTalk(bed, port++).Open().Client(request).Server(Page[..cut]).Server(Page[cut..]).Close();
        bed.Drain();
        Assert.Equal(request.Length + Page.Length - 2, bed.Seen.Http.Count);
        Assert.All(bed.Seen.Http, e => Assert.Equal("GET http://h/a 0 in=20 out=0 host=h type= ref= ua=ua None", e));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_server_may_answer_a_simple_request_with_a_head()
    {
        using DecodeBed bed = Talk(t => t.Client("GET /a\r\n").Server("HT").Server("TP/1.1 400 No\r\nContent-Length: 2\r\n\r\nno").Close(), "GET http://192.0.2.1/a 400 in=2 out=0");
    }

    [Fact]
    public void A_client_that_has_closed_is_answered_too()
    {
        using DecodeBed bed = Talk(t => t.Client("GET /a\r\n").Segment(0, TcpFlags.Fin | TcpFlags.Ack).Server(Page).Segment(1, TcpFlags.Fin | TcpFlags.Ack), "GET http://192.0.2.1/a 0 in=20 out=0");
    }

    [Fact]
    public void A_simple_request_without_an_answer_ends_with_its_connection()
    {
        using DecodeBed bed = Talk(t => t.Client("GET /a\r\n").Close(), "GET http://192.0.2.1/a 0 in=0 out=0");
    }

    [Fact]
    public void What_came_before_a_simple_request_does_not_frame_its_answer()
    {
        using DecodeBed bed = Talk(t => t.Server("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n").Client("GET /\r\n\r\n").Server(Page).Close(), "GET http://192.0.2.1/ 0 in=20 out=0");
    }

    /// <summary>A client that sends its head too slowly, or only in part, is answered all the same.</summary>
    [Fact]
    public void A_head_that_is_answered_before_its_end_is_a_request_from_its_line_on()
    {
        const string head = "GET /slow HTTP/1.1\r\nHost: h\r\nUser-Agent: ua\r\n\r\n";
        const string answer = "HTTP/1.1 408 Time\r\nContent-Length: 0\r\n\r\n";
        using var bed = new DecodeBed();
        int line = head.IndexOf('\r'), host = head.IndexOf("User", StringComparison.Ordinal);
        for (int cut = 1; cut < head.Length; cut++)
        {
            int before = bed.Seen.Http.Count;
            new TcpTalk(bed, 1024 + cut).Open().Client(head[..cut]).Server(answer).Close();
            // A short target is one too; a version that is cut off is not part of it.
            bool isRequest = cut >= line;
            if (!isRequest) continue;
            Assert.Equal(before + 1, bed.Seen.Http.Count);
            Assert.StartsWith($"GET http://{(cut >= host ? "h" : "192.0.2.1")}/slow 408 ", bed.Seen.Http[^1], StringComparison.Ordinal);
        }
        bed.Drain();
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void The_rest_of_a_head_behind_its_answer_is_passed_over()
    {
        using DecodeBed bed = Talk(
            t => t.Client("GET /1 HTTP/1.1\r\nHost: h\r\n").Server("HTTP/1.1 408 Time\r\nContent-Length: 0\r\n\r\n").Client("User-Agent: late\r\n\r\n")
                .Client("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n").Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").Close(),
            "GET http://h/1 408 in=0 out=0", "GET http://h/2 200 in=0 out=0");
    }

    /// <summary>Two directions of a mirrored port come out of step: the server has had what we have yet to see.</summary>
    [Fact]
    public void A_head_whose_rest_the_server_has_had_is_waited_for()
    {
        const string head = "GET /long/path HTTP/1.1\r\nHost: h\r\n\r\n";
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed);
        talk.Open().Client(head[..9]);
        talk.ClientLost(head.Length - 9).Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        talk.Out -= (uint)head.Length - 9;
        talk.Client(head[9..]);
        bed.Drain();
        Assert.StartsWith("GET http://h/long/path 0 ", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }

    [Fact]
    public void A_target_that_goes_on_in_the_next_segment_is_no_simple_request()
    {
        using DecodeBed bed = Talk(
            t => t.Client("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").Client("GET /lo").Server("\r\n").Client("ng HTTP/1.1\r\nHost: h\r\n\r\n")
                .Server("HTTP/1.1 201 OK\r\nContent-Length: 0\r\n\r\n").Close(),
            "GET http://h/1 200 in=2 out=0", "GET http://h/long 201 in=0 out=0");
    }

    [Fact]
    public void A_head_without_an_answer_is_no_request()
    {
        using DecodeBed bed = Talk(t => t.Client("GET /1 HTTP/1.1\r\nHost: h\r\n").Close());
    }

    /// <summary>A host that does not take a reset (its time stamp is out of range, say) goes on, and what it says is read.</summary>
    [Fact]
    public void A_reset_that_the_client_does_not_take_ends_nothing()
    {
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed);
        talk.Segment(0, TcpFlags.Syn);
        talk.Raw(1, 0, talk.Out, TcpFlags.Rst | TcpFlags.Ack, []);
        talk.Segment(1, TcpFlags.Syn | TcpFlags.Ack).Segment(0, TcpFlags.Ack)
            .Client("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n").Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        bed.Drain();
        Assert.StartsWith("GET http://h/1 200 in=2 ", Assert.Single(bed.Seen.Http), StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_of_which_the_server_had_more_than_we_is_no_request_of_ours()
    {
        using var bed = new DecodeBed();
        // The acknowledgment is bare: no byte of the server tells.
        new TcpTalk(bed).Open().Client("GET /lo").ClientLost(40).Segment(1, TcpFlags.Ack);
        bed.Wait(400);
        bed.Drain();
        Assert.Empty(bed.Seen.Http);
    }
}
