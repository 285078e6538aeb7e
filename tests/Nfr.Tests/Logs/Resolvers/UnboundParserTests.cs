using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class UnboundParserTests
{
    readonly ResolverBed _bed = new(LogFormat.Unbound);

    [Theory]
    [InlineData("[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN", "2023-11-14T22:13:20 10.0.0.1:0 -/- a.example A -1 0000 None 27")]
    [InlineData("[1700000000] unbound[12:3] query: 2001:db8::1 . NS IN", "2023-11-14T22:13:20 2001:db8::1:0 -/- . NS -1 0000 None 17")]
    [InlineData("Nov 02 15:04:05 unbound[12:0] info: fe80::1%eth0 a.example. TYPE65280 IN", "2026-11-02T15:04:05 fe80::1:0 -/- a.example TYPE65280 -1 0000 None 27")]
    [InlineData("2024-09-01T12:00:00.123+02:00 unbound[12:0] info: 10.0.0.1 _x._tcp.a?b. SRV IN", "2024-09-01T10:00:00.123 10.0.0.1:0 -/- _x._tcp.a?b SRV -1 0000 None 29")]
    [InlineData("Nov  2 15:04:05 gw unbound[12]: [12:0] info: 10.0.0.1 a.example. A IN", "2026-11-02T15:04:05 10.0.0.1:0 -/- a.example A -1 0000 None 27")]
    [InlineData("<30>1 2026-11-02T15:04:05+01:00 gw unbound 12 - [meta sequenceId=\"1\"] [12:1] info: 10.0.0.1 a.example. A IN", "2026-11-02T14:04:05 10.0.0.1:0 -/- a.example A -1 0000 None 27")]
    [InlineData("<30>Nov  2 15:04:05 unbound: [12:1] info: 10.0.0.1 version.bind. TXT CH", "2026-11-02T15:04:05 10.0.0.1:0 -/- version.bind TXT -1 0000 None 30")]
    [InlineData("info: 10.0.0.1 a.example. A IN", "2026-11-21T12:00:00 10.0.0.1:0 -/- a.example A -1 0000 None 27")]
    [InlineData("[1700000000] unbound[12:0] info: inform.example. inform 10.0.0.1@5353 a.inform.example. A IN", "2023-11-14T22:13:20 10.0.0.1:5353 -/- a.inform.example A -1 0000 None 34")]
    public void A_query_goes_out_when_nothing_answers_it(string line, string expected)
    {
        Assert.Equal(LineVerdict.Held, _bed.Read(line));
        Assert.Empty(_bed.Events);
        Assert.Equal(0, _bed.Parser.OldestHeld);
        _bed.Release();
        Assert.Equal(expected, Assert.Single(_bed.Events));
    }

    [Theory]
    [InlineData("[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN NXDOMAIN 0.012000 0 87", "2023-11-14T22:13:20 10.0.0.1:0 -/- a.example A 3 8003 None 27")]
    [InlineData("[1700000000] unbound[12:0] reply: 10.0.0.1 a.example. A IN NOERROR 0.000000 1 87 on tcp 10.0.0.53 53", "2023-11-14T22:13:20 10.0.0.1:0 10.0.0.53/tcp a.example A 0 8000 None 27")]
    [InlineData("[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN SERVFAIL 0.012000 0 27", "2023-11-14T22:13:20 10.0.0.1:0 -/- a.example A 2 8002 None 27")]
    public void A_reply_is_an_event(string line, string expected) => Assert.Equal(expected, _bed.Event(line));

    [Fact]
    public void A_query_and_its_reply_are_one_event_with_the_local_action_between()
    {
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN"));
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000000] unbound[12:0] info: 10.0.0.2 a.example. A IN"));
        Assert.Equal(LineVerdict.Other, _bed.Read("[1700000000] unbound[12:0] info: example. redirect 10.0.0.1@5353 a.example. A IN"));
        Assert.Equal(LineVerdict.Answer, _bed.Read("[1700000001] unbound[12:0] info: 10.0.0.1 A.example. A IN NXDOMAIN 0.012000 0 87"));
        Assert.Equal("2023-11-14T22:13:20 10.0.0.1:0 -/- a.example A 3 8003 None 27", Assert.Single(_bed.Events));
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000006] unbound[12:0] info: 10.0.0.1 b.example. A IN"));
        Assert.Equal("2023-11-14T22:13:20 10.0.0.2:0 -/- a.example A -1 0000 None 27", _bed.Events[1]);
    }

    [Fact]
    public void A_reply_too_late_for_its_query_is_no_second_event_where_queries_are_logged()
    {
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000000] unbound[12:0] info: 10.0.0.1 dead.example. A IN"));
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000017] unbound[12:0] info: 10.0.0.2 b.example. A IN"));
        Assert.Equal(LineVerdict.Answer, _bed.Read("[1700000018] unbound[12:0] info: 10.0.0.1 dead.example. A IN SERVFAIL 18.000000 0 30"));
        Assert.Equal("2023-11-14T22:13:20 10.0.0.1:0 -/- dead.example A -1 0000 None 30", Assert.Single(_bed.Events));
        // Queries are logged no more.
        Assert.Equal(LineVerdict.Event, _bed.Read("[1700000200] unbound[12:0] info: 10.0.0.1 c.example. A IN NOERROR 0.000000 0 30"));
    }

    [Fact]
    public void Replies_are_events_where_of_queries_only_local_actions_are_logged()
    {
        Assert.Equal(LineVerdict.Held, _bed.Read("[1700000000] unbound[12:0] info: example. redirect 10.0.0.1@5353 a.example. A IN"));
        Assert.Equal(LineVerdict.Event, _bed.Read("[1700000001] unbound[12:0] info: 10.0.0.2 b.test. A IN NOERROR 0.000000 0 30"));
    }

    [Theory]
    [InlineData("[1700000000] unbound[12:0] notice: init module 0: validator", LineVerdict.Other)]
    [InlineData("[1700000000] unbound[12:0] info: start of service (unbound 1.17.1).", LineVerdict.Other)]
    [InlineData("[1700000000] unbound[12:0] info: server stats for thread 0: 1 queries, 0 answers from cache", LineVerdict.Other)]
    [InlineData("[1700000000] unbound[12:0] info: 10.0.0.1 - - - FORMERR - - - ", LineVerdict.Other)]
    [InlineData("[1700000000] unbound[12:0] info: rpz: applied [zone] a.b. nxdomain 10.0.0.1@5353 a.b. A IN", LineVerdict.Other)]
    [InlineData("[1700000000] unbound[12:0] error: SERVFAIL <a.b. A IN>: all servers failed", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 gw cron[12]: something", LineVerdict.Other)]
    [InlineData("", LineVerdict.Header)]
    [InlineData("{}", LineVerdict.Syntax)]
    [InlineData("[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN WHAT 0.0 0 1", LineVerdict.Syntax)]
    public void Every_other_line_says_why_it_is_none(string line, LineVerdict verdict)
    {
        Assert.Equal(verdict, _bed.Read(line));
        _bed.Release();
        Assert.Empty(_bed.Events);
    }

    [Fact]
    public void No_line_cut_anywhere_throws() => ResolverBed.Survives(LogFormat.Unbound,
        "[1700000000] unbound[12:0] reply: 10.0.0.1 a.example. A IN NOERROR 0.000000 1 87 on tcp 10.0.0.53 53",
        "<30>Nov  2 15:04:05 gw unbound[12]: [12:0] info: 10.0.0.1 a.example. A IN",
        "[1700000000] unbound[12:0] info: example. redirect 10.0.0.1@5353 a.example. A IN");

    [Fact]
    public void A_line_allocates_nothing() => Assert.Equal(0, ResolverBed.Allocated(LogFormat.Unbound,
        "[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN",
        "[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN NXDOMAIN 0.012000 0 87",
        "Nov  2 15:04:05 gw unbound[12]: [12:0] info: 10.0.0.1 a.example. A IN NXDOMAIN 0.012000 0 87"));
}
