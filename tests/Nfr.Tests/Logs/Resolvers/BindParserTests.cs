using System.Text.Json;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class BindParserTests
{
    readonly ResolverBed _bed = new(LogFormat.Bind);

    [Theory]
    // 9.9: no object; all that print-* can add.
    [InlineData("01-Jan-2024 12:00:00.123 queries: info: client 10.0.0.1#53124 (a.example): query: a.example IN A +E (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:53124 10.0.0.53/udp a.example A -1 0100 Edns 27")]
    // 9.11 and later.
    [InlineData("01-Jan-2024 12:00:00.123 client @0x7f5c2c0d10e8 10.0.0.1#1 (a.example): query: a.example IN AAAA +E(0)K (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:1 10.0.0.53/udp a.example AAAA -1 0100 Edns 27")]
    [InlineData("2024-01-01T12:00:00.123Z info: client @0x7f5c2c0d10e8 10.0.0.1#1 (a.example): view inside: query: a.example IN MX -E(0)TDCV (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:1 10.0.0.53/tcp a.example MX -1 0010 Edns, DnssecOk 27")]
    [InlineData("2024-01-01T12:00:00.123 queries: client @0x1 10.0.0.1#1 (a.example): query: a.example IN TYPE65280 +S (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:1 10.0.0.53/udp a.example TYPE65280 -1 0100 None 27")]
    [InlineData("2024-01-01T13:00:00.5+01:00 queries: info: client @0x1 10.0.0.1#1 (a.example): query: a.example IN HTTPS + (10.0.0.53) [ECS 1.2.3.0/24/0]", "2024-01-01T12:00:00.5 10.0.0.1:1 10.0.0.53/udp a.example HTTPS -1 0100 None 27")]
    [InlineData("01-Jan-2024 12:00:00.123 client 10.0.0.1#1 (a.example): query: a.example IN A +E(0) (10.0.0.53 [ECS 2001:db8::/56/0])", "2024-01-01T12:00:00.123 10.0.0.1:1 10.0.0.53/udp a.example A -1 0100 Edns 27")]
    // Who asks: a zone id, a key, IPv6.
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 fe80::1%eth0#5353 (.): query: . IN NS + (fe80::53%eth0)", "2024-01-01T12:00:00.123 fe80::1:5353 fe80::53/udp . NS -1 0100 None 17")]
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 2001:db8::1#5/key office-key (a.b): view in side: query: a.b CH TXT -S (2001:db8::53)", "2024-01-01T12:00:00.123 2001:db8::1:5 2001:db8::53/udp a.b TXT -1 0000 None 21")]
    // What a name may hold.
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 (x\\032y\\.z\\\\.\\(a\\).b): query: x\\032y\\.z\\\\.\\(a\\).b IN A + (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:5 10.0.0.53/udp x\\032y\\.z\\\\.(a).b A -1 0100 None 30")]
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 (\\000\\255.b): query: \\000\\255.b IN A + (10.0.0.53)", "2024-01-01T12:00:00.123 10.0.0.1:5 10.0.0.53/udp \\000\\255.b A -1 0100 None 22")]
    // The oldest.
    [InlineData("01-Jan-2024 12:00:00.123 client 10.0.0.1#5: query: a.b IN A", "2024-01-01T12:00:00.123 10.0.0.1:5 -/udp a.b A -1 0000 None 21")]
    [InlineData("01-Jan-2024 12:00:00.123 client 10.0.0.1#5: view v: query: a.b IN A +", "2024-01-01T12:00:00.123 10.0.0.1:5 -/udp a.b A -1 0100 None 21")]
    // Through syslog.
    [InlineData("1483228800 Jan 1 00:00:01 localhost named[100]: queries: info: client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)", "2017-01-01T00:00:00 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 Edns, DnssecOk 21")]
    [InlineData("Nov  2 15:04:05 ns1 named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("<30>Nov  2 15:04:05 named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("<30>1 2026-11-02T15:04:05.123456+02:00 ns1.example named 42 - - client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T13:04:05.123456 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("<30>1 2026-11-02T15:04:05Z ns1 named - - [x@1 a=\"]\\\"\"][meta sequenceId=\"1\"] \uFEFFqueries: info: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("2026-11-02T15:04:05+0000 ns1 named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("2026-11-02T15:04:05.123456+00:00 ns1 named[42]: queries: info: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05.123456 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("Mon Nov  2 15:04:05 2026 daemon.info named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-02T15:04:05 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    // No time at all: when it is read.
    [InlineData("client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-21T12:00:00 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("queries: info: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-21T12:00:00 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    [InlineData("<30>named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", "2026-11-21T12:00:00 10.0.0.1:5 10.0.0.53/udp a.b A -1 0100 None 21")]
    public void A_query_of_any_version_and_channel_is_an_event(string line, string expected) => Assert.Equal(expected, _bed.Event(line.Replace("\uFEFF", "ï»¿", StringComparison.Ordinal)));

    [Theory]
    [InlineData("01-Jan-2024 12:00:00.123 query-errors: info: client @0x1 127.0.0.1#5 (a.b): query failed (SERVFAIL) for a.b/IN/A at query.c:123", LineVerdict.Other)]
    [InlineData("01-Jan-2024 12:00:00.123 security: info: client @0x1 10.0.0.1#5 (a.b): query (cache) 'a.b/A/IN' denied", LineVerdict.Other)]
    [InlineData("01-Jan-2024 12:00:00.123 queries: debug 3: client @0x1 10.0.0.1#5 (a.b): view internal: looking for relevant NSEC", LineVerdict.Other)]
    [InlineData("01-Jan-2024 12:00:00.123 lame-servers: info: network unreachable resolving 'a.b/A/IN': 2001:db8::1#53", LineVerdict.Other)]
    [InlineData("01-Jan-2024 12:00:00.123 general: notice: running", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 ns1 named[42]: zone a.b/IN: loaded serial 1", LineVerdict.Other)]
    [InlineData("Nov  2 15:04:05 ns1 cron[1]: session opened", LineVerdict.Other)]
    [InlineData("", LineVerdict.Header)]
    [InlineData("   ", LineVerdict.Header)]
    [InlineData("{\"a\":1}", LineVerdict.Syntax)]
    [InlineData("31-Feb-2024 12:00:00.123 client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)", LineVerdict.Timestamp)]
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.300#5 (a.b): query: a.b IN A + (10.0.0.53)", LineVerdict.Source)]
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 (): query:  IN A + (10.0.0.53)", LineVerdict.Query)]
    [InlineData("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 (a.b): query: a.b", LineVerdict.Syntax)]
    public void Every_other_line_says_why_it_is_none(string line, LineVerdict verdict)
    {
        Assert.Equal(verdict, _bed.Read(line));
        Assert.Empty(_bed.Events);
    }

    [Fact]
    public void A_name_longer_than_any_is_refused()
    {
        string Line(string name) => $"01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 ({name}): query: {name} IN A + (10.0.0.53)";
        Assert.Equal(LineVerdict.Event, _bed.Read(Line(new string('a', 253))));
        Assert.Equal(LineVerdict.Query, _bed.Read(Line(new string('a', 254))));
        Assert.Equal(LineVerdict.Event, _bed.Read(Line(string.Concat(Enumerable.Repeat("\\007", 250)))));
        Assert.Equal(LineVerdict.Query, _bed.Read(Line(string.Concat(Enumerable.Repeat("\\007", 254)))));
    }

    [Fact]
    public void A_time_without_a_zone_is_of_the_config_s_zone_in_summer_and_in_winter()
    {
        var bed = new ResolverBed(LogFormat.Bind, "Europe/Berlin");
        Assert.StartsWith("2024-07-01T10:00:00 ", bed.Event("01-Jul-2024 12:00:00.000 client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)"), StringComparison.Ordinal);
        Assert.StartsWith("2024-01-01T11:00:00 ", bed.Event("01-Jan-2024 12:00:00.000 client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)"), StringComparison.Ordinal);
        Assert.StartsWith("2024-01-01T12:00:00 ", bed.Event("2024-01-01T12:00:00.000Z client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-01-01T00:30:00Z", "Dec 31 23:59:59", "2025-12-31T23:59:59")]
    [InlineData("2025-12-31T23:59:59Z", "Jan  1 00:10:00", "2026-01-01T00:10:00")]
    [InlineData("2025-12-30T23:59:59Z", "Jan  1 00:10:00", "2025-01-01T00:10:00")]
    [InlineData("2026-11-21T12:00:00Z", "Nov 22 11:59:59", "2026-11-22T11:59:59")]
    [InlineData("2026-11-21T12:00:00Z", "Nov 22 12:00:01", "2025-11-22T12:00:01")]
    [InlineData("2026-11-21T12:00:00Z", "Feb 29 12:00:00", "2024-02-29T12:00:00")]
    public void A_time_without_a_year_is_never_more_than_a_day_in_the_future(string now, string stamp, string expected)
    {
        _bed.Time.Utc = DateTimeOffset.Parse(now, System.Globalization.CultureInfo.InvariantCulture);
        Assert.StartsWith(expected + " ", _bed.Event($"{stamp} ns1 named[1]: client 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_not_asked_for_is_told_apart()
    {
        var bed = new ResolverBed(LogFormat.Bind, types: LineOptions.TypesOf("http"));
        Assert.Equal(LineVerdict.Unwanted, bed.Read("01-Jan-2024 12:00:00.123 client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)"));
        Assert.Empty(bed.Events);
    }

    /// <summary>The original's only differences are fields that it does not know.</summary>
    [SampleFact("12-go-nfr-golden/inputs/syslog-named")]
    public void The_original_s_own_bodies_come_out()
    {
        string inputs = Corpus.Find("12-go-nfr-golden/inputs/syslog-named");
        foreach (string input in Directory.EnumerateFiles(inputs))
        {
            var bed = new ResolverBed(LogFormat.Bind);
            foreach (string line in File.ReadLines(input)) bed.Read(line);
            string[] golden = File.ReadAllLines(Path.Combine(inputs, "../../all-scope/syslog-named", Path.GetFileName(input) + ".dns.ndjson"));
            Assert.Equal(golden.Length, bed.Uploads.Count);
            foreach ((string theirs, string ours) in golden.Zip(bed.Uploads)) EqualFields(theirs, ours);
            Assert.DoesNotContain(bed.Verdicts, v => v.IsSkip());
        }
    }

    /// <summary>Every field of theirs is ours; what we say beside it, the original never says of a log's query: the client's port, the server.</summary>
    static void EqualFields(string theirs, string ours)
    {
        using JsonDocument golden = JsonDocument.Parse(theirs), made = JsonDocument.Parse(ours);
        foreach (JsonProperty field in golden.RootElement.EnumerateObject())
        {
            Assert.True(made.RootElement.TryGetProperty(field.Name, out JsonElement value), $"{field.Name} is missing in {ours}");
            Assert.Equal(field.Value.ToString(), value.ToString());
        }
        Assert.All(made.RootElement.EnumerateObject(), field => Assert.True(golden.RootElement.TryGetProperty(field.Name, out _) || field.Name is "srcPort", $"{field.Name} in {ours}"));
    }

    [Fact]
    public void No_line_cut_anywhere_throws() => ResolverBed.Survives(LogFormat.Bind,
        "<30>1 2026-11-02T15:04:05Z ns1 named - - [x@1 a=\"]\\\"\"] queries: info: client @0x1 fe80::1%eth0#5/key k (a\\032b.c): view v: query: a\\032b.c IN A +E(0)TDCVK (10.0.0.53 [ECS 1.2.3.0/24/0])",
        "Mon Nov  2 15:04:05 2026 daemon.info named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)",
        "1483228800 Jan 1 00:00:00 localhost named[100]: queries: info: client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)",
        "[1700000000.5] client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)",
        "2024/01/01 12:00:00 client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)",
        "1-Jan-2024 12:00:00.123 client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)");

    [Fact]
    public void A_line_allocates_nothing() => Assert.Equal(0, ResolverBed.Allocated(LogFormat.Bind,
        "01-Jan-2024 12:00:00.123 queries: info: client @0x7f5c2c0d10e8 10.0.0.1#53124 (a\\032b.example): query: a\\032b.example IN TYPE65280 +E(0)K (10.0.0.53)",
        "Jan  2 15:04:05 ns1 named[42]: client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)",
        "<30>1 2026-11-02T15:04:05Z ns1 named - - - client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)",
        "client @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)",
        "nothing of the kind"));
}
