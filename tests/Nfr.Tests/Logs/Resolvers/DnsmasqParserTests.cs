using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class DnsmasqParserTests
{
    readonly ResolverBed _bed = new(LogFormat.Dnsmasq);

    /// <summary>Lines of one second, as dnsmasq's own file has them; then the end of the file.</summary>
    string[] All(params string[] lines)
    {
        foreach (string line in lines) _bed.Read("Nov  2 15:04:05 dnsmasq[12]: " + line);
        _bed.Release();
        Assert.DoesNotContain(_bed.Verdicts, v => v.IsSkip());
        return [.. _bed.Events.Select(e => { Assert.StartsWith("2026-11-02T15:04:05 ", e, StringComparison.Ordinal); return e["2026-11-02T15:04:05 ".Length..]; })];
    }

    [Fact]
    public void A_query_is_one_event_with_the_records_of_its_answer()
    {
        Assert.Equal(["10.0.0.1:0 -/- a.example A 0 8000 None 27 A=192.0.2.1 A=192.0.2.2"],
            All("query[A] a.example from 10.0.0.1", "forwarded a.example to 192.0.2.53", "reply a.example is 192.0.2.1", "reply a.example is 192.0.2.2"));
        Assert.Equal([LineVerdict.Held, LineVerdict.Other, LineVerdict.Answer, LineVerdict.Answer], _bed.Verdicts);
    }

    [Fact]
    public void An_alias_leads_to_the_name_of_the_next_line() =>
        Assert.Equal(["10.0.0.1:0 -/- a.example A 0 8000 None 27 A=192.0.2.1", "10.0.0.1:0 -/- a.example AAAA 0 8000 None 27", "10.0.0.1:0 -/- n.example A 3 8003 None 27"],
            All("query[A] a.example from 10.0.0.1", "query[AAAA] a.example from 10.0.0.1", "forwarded a.example to 192.0.2.53",
                "reply a.example is <CNAME>", "reply b.example is <CNAME>", "reply c.example is 192.0.2.1",
                "reply a.example is <CNAME>", "reply b.example is <CNAME>", "reply c.example is NODATA-IPv6",
                "query[A] n.example from 10.0.0.1", "cached n.example is <CNAME>", "cached m.example is NXDOMAIN"));

    [Fact]
    public void Two_types_of_one_name_are_told_apart_by_what_is_answered() =>
        Assert.Equal(["10.0.0.1:0 -/- a.example A 0 8000 None 27 A=192.0.2.1", "10.0.0.1:0 -/- a.example AAAA 0 8000 None 27 AAAA=2001:db8::1", "10.0.0.1:0 -/- a.example HTTPS 0 8000 None 27"],
            All("query[A] a.example from 10.0.0.1", "query[AAAA] a.example from 10.0.0.1", "query[type=65] a.example from 10.0.0.1",
                "reply a.example is 192.0.2.1", "reply a.example is 2001:db8::1", "reply a.example is NODATA"));

    [Fact]
    public void A_name_of_an_address_is_the_answer_to_its_reverse() =>
        Assert.Equal(["10.0.0.1:0 -/- 4.3.2.1.in-addr.arpa PTR 0 8000 None 38 PTR=a.example", "::1:0 -/- 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR 3 8003 None 90"],
            All("query[PTR] 4.3.2.1.in-addr.arpa from 10.0.0.1", "/etc/hosts 1.2.3.4 is a.example",
                "query[PTR] 1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa from ::1", "cached 2001:db8::1 is NXDOMAIN"));

    [Theory]
    [InlineData("config a.example is 192.0.2.1", "0 8000 None 27 A=192.0.2.1")]
    [InlineData("/etc/hosts a.example is 192.0.2.1", "0 8000 None 27 A=192.0.2.1")]
    [InlineData("DHCP a.example is 192.0.2.1", "0 8000 None 27 A=192.0.2.1")]
    [InlineData("Pi-hole hostname a.example is 192.0.2.1", "0 8000 None 27 A=192.0.2.1")]
    [InlineData("gravity blocked a.example is 0.0.0.0", "0 8000 None 27 A=0.0.0.0")]
    [InlineData("regex blacklisted a.example is 0.0.0.0", "0 8000 None 27 A=0.0.0.0")]
    [InlineData("exactly denied a.example is NXDOMAIN", "3 8003 None 27")]
    [InlineData("special domain a.example is NXDOMAIN", "3 8003 None 27")]
    [InlineData("regex denied a.example is NODATA-IPv4", "0 8000 None 27")]
    [InlineData("blocked upstream with NULL address a.example is 0.0.0.0", "0 8000 None 27 A=0.0.0.0")]
    [InlineData("/etc/pihole/gravity.list a.example is 0.0.0.0", "0 8000 None 27 A=0.0.0.0")]
    [InlineData("cached-stale a.example is 192.0.2.1", "0 8000 None 27 A=192.0.2.1")]
    [InlineData("config a.example is REFUSED", "5 8005 None 27")]
    [InlineData("reply a.example is REFUSED (EDE: blocked)", "5 8005 None 27")]
    [InlineData("reply a.example is not implemented", "4 8004 None 27")]
    public void Whoever_answers_is_understood(string answer, string expected) => Assert.Equal(["10.0.0.1:0 -/- a.example A " + expected], All("query[A] a.example from 10.0.0.1", answer));

    [Fact]
    public void Serial_numbers_tell_which_query_is_answered() =>
        Assert.Equal(["10.0.0.2:2 -/- a.example A 3 8003 None 27", "10.0.0.1:1 -/- a.example A 0 8000 None 27 A=192.0.2.1", "fe80::1:3 -/- b.example TXT 2 8002 None 27", "10.0.0.4:4 -/- c.example A 0 8000 None 27 A=192.0.2.9", "10.0.0.5:5 -/- c.example A 0 8000 None 27 A=192.0.2.9"],
            All("7 10.0.0.1/1 query[A] a.example from 10.0.0.1", "8 10.0.0.2/2 query[A] a.example from 10.0.0.2", "7 10.0.0.1/1 forwarded a.example to 192.0.2.53",
                "8 10.0.0.2/2 cached a.example is NXDOMAIN", "9 dnssec-query[DS] example to 192.0.2.53", "7 10.0.0.1/1 validation result is INSECURE", "7 10.0.0.1/1 reply x.example is 192.0.2.1",
                "10 fe80::1%eth0/3 query[TXT] b.example from fe80::1%eth0", "10 fe80::1%eth0/3 reply error is SERVFAIL",
                "11 10.0.0.4/4 query[A] c.example from 10.0.0.4", "12 10.0.0.5/5 query[A] c.example from 10.0.0.5", "11 10.0.0.4/4 reply c.example is 192.0.2.9", "12 10.0.0.5/5 reply query is duplicate"));

    [Fact]
    public void A_query_that_nobody_answers_goes_out_alone() =>
        Assert.Equal(["10.0.0.1:0 -/- a b.example A -1 0000 None 29".Replace("a b", "a\\032b", StringComparison.Ordinal), "10.0.0.1:0 -/- . NS -1 0000 None 17"],
            All("query[A] a b.example from 10.0.0.1", "query[NS] . from 10.0.0.1", "nameserver 192.0.2.53 refused to do a recursive query", "reply error is SERVFAIL"));

    [Theory]
    [InlineData("<30>Nov  2 15:04:05 gw dnsmasq[12]: query[A] a.b from 10.0.0.1")]
    [InlineData("Mon Nov  2 15:04:05 2026 daemon.info dnsmasq[12]: query[A] a.b from 10.0.0.1")]
    [InlineData("2026-11-02T15:04:05+00:00 gw dnsmasq[12]: query[A] a.b from 10.0.0.1")]
    [InlineData("<30>1 2026-11-02T15:04:05Z gw dnsmasq 12 - - query[A] a.b from 10.0.0.1")]
    public void It_may_have_come_through_syslog(string line)
    {
        Assert.Equal(LineVerdict.Held, _bed.Read(line));
        _bed.Release();
        Assert.Equal("2026-11-02T15:04:05 10.0.0.1:0 -/- a.b A -1 0000 None 21", Assert.Single(_bed.Events));
    }

    [Theory]
    [InlineData("Nov  2 15:04:05 dnsmasq[12]: started, version 2.90 cachesize 150", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 dnsmasq[12]: read /etc/hosts - 7 names", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 dnsmasq-dhcp[12]: DHCPACK(eth0) 10.0.0.9 00:11:22:33:44:55 laptop", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 dnsmasq[12]: reply late.example is 192.0.2.1", LineVerdict.Other)]
    [InlineData("", LineVerdict.Header)]
    [InlineData("no such thing", LineVerdict.Syntax)]
    [InlineData("Nov  2 15:04:05 dnsmasq[12]: query[A] a.b from nobody", LineVerdict.Source)]
    [InlineData("Nov  2 15:04:05 dnsmasq[12]: query[A] a.b", LineVerdict.Syntax)]
    public void Every_other_line_says_why_it_is_none(string line, LineVerdict verdict)
    {
        Assert.Equal(verdict, _bed.Read(line));
        _bed.Release();
        Assert.Empty(_bed.Events);
    }

    [Fact]
    public void Lines_read_again_from_the_oldest_that_is_held_make_the_same()
    {
        string[] lines = ["query[A] a.example from 10.0.0.1", "reply a.example is <CNAME>", "query[AAAA] b.example from 10.0.0.1", "reply b.example is 2001:db8::1", "reply b.example is 2001:db8::2", "query[A] c.example from 10.0.0.1"];
        string[] whole = All(lines);
        for (int cut = 1; cut < lines.Length; cut++)
        {
            var first = new ResolverBed(LogFormat.Dnsmasq);
            foreach (string line in lines[..cut]) first.Read("Nov  2 15:04:05 dnsmasq[12]: " + line);
            long from = first.Parser.OldestHeld;
            int at = 0;
            var second = new ResolverBed(LogFormat.Dnsmasq);
            int before = first.Events.Count, dropped = 0;
            for (int i = 0; i < lines.Length; i++)
            {
                string line = "Nov  2 15:04:05 dnsmasq[12]: " + lines[i];
                if (at >= from || i >= cut) second.Read(line);
                if (i < cut) dropped = second.Events.Count;
                at += line.Length + 1;
            }
            second.Release();
            Assert.Equal(whole, first.Events.Take(before).Concat(second.Events.Skip(dropped)).Select(e => e[20..]).ToArray());
        }
    }

    [Fact]
    public void No_line_cut_anywhere_throws() => ResolverBed.Survives(LogFormat.Dnsmasq,
        "Nov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/53124 query[type=65] a.example from 10.0.0.1",
        "Nov  2 15:04:05 dnsmasq[12]: query[A] a.example from 10.0.0.1",
        "Nov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/53124 reply a.example is <CNAME>",
        "Nov  2 15:04:05 dnsmasq[12]: gravity blocked a.example is 192.0.2.1",
        "Nov  2 15:04:05 dnsmasq[12]: reply 2001:db8::1 is a.example",
        "Nov  2 15:04:05 dnsmasq[12]: reply query is duplicate");

    [Fact]
    public void A_line_allocates_nothing() => Assert.Equal(0, ResolverBed.Allocated(LogFormat.Dnsmasq,
        "Nov  2 15:04:05 dnsmasq[12]: query[A] a.example from 10.0.0.1", "Nov  2 15:04:05 dnsmasq[12]: forwarded a.example to 192.0.2.53",
        "Nov  2 15:04:05 dnsmasq[12]: reply a.example is <CNAME>", "Nov  2 15:04:05 dnsmasq[12]: reply b.example is 192.0.2.1",
        "Nov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/53124 query[type=65] a.example from 10.0.0.1", "Nov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/53124 reply a.example is NODATA"));
}
