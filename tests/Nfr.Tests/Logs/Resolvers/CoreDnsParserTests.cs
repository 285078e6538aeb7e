using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class CoreDnsParserTests
{
    readonly ResolverBed _bed = new(LogFormat.CoreDns);

    const string Common = "10.244.0.7:53124 - 1234 \"A IN a.example. udp 41 false 4096\" NXDOMAIN qr,aa,rd,ra 134 0.000123s";
    const string Event = "10.244.0.7:53124 -/udp a.example A 3 8583 Edns 41";

    [Theory]
    [InlineData("[INFO] " + Common, "2026-11-21T12:00:00 " + Event)]
    [InlineData(Common, "2026-11-21T12:00:00 " + Event)]
    [InlineData("[INFO] " + Common + " \"0\"", "2026-11-21T12:00:00 " + Event)]
    [InlineData("2024-01-01T00:00:00.123Z [INFO] " + Common, "2024-01-01T00:00:00.123 " + Event)]
    [InlineData("2019/01/02 15:04:05 [INFO] " + Common, "2019-01-02T15:04:05 " + Event)]
    [InlineData("2024-01-01T00:00:00.123456789Z stdout F [INFO] " + Common, "2024-01-01T00:00:00.123456 " + Event)]
    [InlineData("2024-01-01T00:00:00.123456789+01:00 stdout F 2019/01/02 15:04:05 [INFO] " + Common, "2023-12-31T23:00:00.123456 " + Event)]
    [InlineData("[pod/coredns-5d78c9869d-abcde/coredns] 2024-01-01T00:00:00Z [INFO] " + Common, "2024-01-01T00:00:00 " + Event)]
    [InlineData("Nov  2 15:04:05 node1 coredns[77]: [INFO] " + Common, "2026-11-02T15:04:05 " + Event)]
    [InlineData("<30>1 2026-11-02T15:04:05Z node1 coredns 77 - - [INFO] " + Common, "2026-11-02T15:04:05 " + Event)]
    [InlineData("{\"log\":\"[INFO] 10.244.0.7:53124 - 1234 \\\"A IN a.example. udp 41 false 4096\\\" NXDOMAIN qr,aa,rd,ra 134 0.000123s\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00.5Z\"}", "2024-01-01T00:00:00.5 " + Event)]
    [InlineData("[INFO] [2001:db8::7]:53124 - 1234 \"HTTPS IN a\\ b\\.c.example. tcp 60 true 512\" NOERROR qr,rd,ra,ad,cd,tc 70 1.5s", "2026-11-21T12:00:00 2001:db8::7:53124 -/tcp a\\032b\\.c.example HTTPS 0 83b0 Edns, DnssecOk 60")]
    [InlineData("[INFO] 10.0.0.1:5 - 7 \"A IN a.example. udp 41 false 512\" - 0 0.1s", "2026-11-21T12:00:00 10.0.0.1:5 -/udp a.example A -1 0000 None 41")]
    [InlineData("[INFO] 10.0.0.1:5 - 7 \"TYPE65280 IN . udp 41 false 512\" SERVFAIL qr 41 0.1s", "2026-11-21T12:00:00 10.0.0.1:5 -/udp . TYPE65280 2 8002 None 41")]
    [InlineData("2018/02/19 10:00:00 [INFO] 10.0.0.1 - [19/Feb/2018:10:00:00 +0000] \"A IN a.example. udp 41 false 4096\" NOERROR qr 70 1ms", "2018-02-19T10:00:00 10.0.0.1:0 -/udp a.example A 0 8000 Edns 41")]
    public void A_query_behind_any_runtime_s_prefix_is_an_event(string line, string expected) => Assert.Equal(expected, _bed.Event(line));

    [Theory]
    [InlineData("[ERROR] plugin/errors: 2 a.example. A: read udp 10.0.0.1:1->8.8.8.8:53: i/o timeout", LineVerdict.Other)]
    [InlineData("[INFO] plugin/reload: Running configuration SHA512 = 5913", LineVerdict.Other)]
    [InlineData("[WARNING] No files matching import glob pattern: /etc/coredns/custom/*.override", LineVerdict.Other)]
    [InlineData("CoreDNS-1.10.1", LineVerdict.Other)]
    [InlineData("linux/amd64, go1.20, 055b2c3", LineVerdict.Other)]
    [InlineData(".:53", LineVerdict.Other)]
    [InlineData("2024-01-01T00:00:00.1Z stdout F .:53", LineVerdict.Other)]
    [InlineData("", LineVerdict.Header)]
    [InlineData("what is this", LineVerdict.Syntax)]
    [InlineData("[INFO] 10.0.0.999:5 - 7 \"A IN a.example. udp 41 false 512\" NOERROR qr 41 0.1s", LineVerdict.Source)]
    [InlineData("[INFO] 10.0.0.9:5 - 7 \"A IN a.example.", LineVerdict.Syntax)]
    public void Every_other_line_says_why_it_is_none(string line, LineVerdict verdict)
    {
        Assert.Equal(verdict, _bed.Read(line));
        Assert.Empty(_bed.Events);
    }

    [Fact]
    public void No_line_cut_anywhere_throws() => ResolverBed.Survives(LogFormat.CoreDns,
        "[INFO] " + Common,
        "2024-01-01T00:00:00.123456789Z stdout F [INFO] [2001:db8::7]:53124 - 1234 \"HTTPS IN a\\ b\\.c.example. tcp 60 true 512\" NOERROR qr,rd 70 1.5s",
        "{\"log\":\"[INFO] 10.244.0.7:53124 - 1234 \\\"A IN a\\\\\\\\032b.example. udp 41 false 4096\\\" NXDOMAIN qr 134 0.1s\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00.5Z\"}");

    [Fact]
    public void A_line_allocates_nothing() => Assert.Equal(0, ResolverBed.Allocated(LogFormat.CoreDns, "[INFO] " + Common, "2024-01-01T00:00:00.123456789Z stdout F [INFO] " + Common, ".:53"));
}
