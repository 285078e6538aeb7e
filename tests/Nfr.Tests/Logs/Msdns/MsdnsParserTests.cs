using System.Text;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>Lines of Microsoft's DNS server, line by line.</summary>
public sealed class MsdnsParserTests
{
    const string Start = "2026-01-20 23:00:16 0FE0 PACKET  000002C53117D990 ";

    static MsdnsParser Parser(string? layout = null, bool dns = true) => new(new LineOptions
    {
        Zone = TimeZoneInfo.Utc,
        MsdnsTimeFormat = layout,
        Types = LineOptions.TypesOf(dns ? "dns" : "http"),
        Time = new ManualTime(),
    });

    static DnsTaken Read(params string[] lines)
    {
        MsdnsParser parser = Parser();
        return new DnsTaken().Read(parser, lines).Release(parser);
    }

    [Fact]
    public void A_query_and_what_it_was_answered_are_one_event()
    {
        DnsTaken taken = Read(
            Start + "UDP Rcv 10.0.0.2        c049   Q [0001   D   NOERROR] A      (11)nonexistent(3)com(0)",
            "2026-01-20 23:00:17 0FE0 PACKET  000002C53117D990 UDP Snd 10.0.0.2        c049 R Q [8385 A DR NXDOMAIN] A      (11)nonexistent(3)com(0)");
        Assert.Equal([LineVerdict.Held, LineVerdict.Answer], taken.Verdicts);
        DnsTaken.Event e = Assert.Single(taken.Events);
        Assert.Equal(new DateTime(2026, 1, 20, 23, 0, 16), e.Utc);
        Assert.Equal(("10.0.0.2", "", 0, (byte)17, "nonexistent.com", (ushort)1, (short)3), (e.Source, e.Destination, e.SourcePort, e.Protocol, e.Query, e.QueryType, e.ResponseCode));
        Assert.Equal((0xC049, 0x8583, 12 + 17 + 4), (e.Id, e.Flags, e.QueryLength));
    }

    [Theory]
    [InlineData("TCP Rcv 2001:db8::5    c049   Q [0001   D   NOERROR] AAAA   (3)www(7)example(3)com(0)", "2001:db8::5", 6, 28, "www.example.com")]
    [InlineData("UDP Rcv fe80::1%12     c049   Q [0001   D   NOERROR] HTTPS  (1)a(0)", "fe80::1", 17, 65, "a")]
    [InlineData("UDP  Rcv 10.0.0.2      c049   Q [1001   D   NOERROR] ALL    (0)", "10.0.0.2", 17, 255, ".")]
    [InlineData("UDP Rcv 10.0.0.2       0000   Q [0000       NOERROR] 65     (5)_ldap(4)_tcp(0)", "10.0.0.2", 17, 65, "_ldap._tcp")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] 0x0041 (4)a.b\\(1)c(0)", "10.0.0.2", 17, 65, "a\\.b\\\\.c")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] A      (5)a(2)b(0)", "10.0.0.2", 17, 1, "a(2)b")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] A      (5)müde(3)com(0)", "10.0.0.2", 17, 1, "m\\195\\188de.com")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] A      (4)müde(3)com(0)", "10.0.0.2", 17, 1, "m\\195\\188de.com")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] PTR    (4)My P(3)com(0)  ", "10.0.0.2", 17, 12, "My\\032P.com")]
    [InlineData("UDP Rcv 10.0.0.2       c049   Q [0001   D   NOERROR] A      .cdn.example.com.", "10.0.0.2", 17, 1, "cdn.example.com")]
    public void Every_shape_of_address_type_and_name_is_read(string rest, string source, int protocol, int type, string name)
    {
        DnsTaken taken = Read(Start + rest);
        DnsTaken.Event e = Assert.Single(taken.Events);
        Assert.Equal((source, (byte)protocol, (ushort)type, name, (short)-1), (e.Source, e.Protocol, e.QueryType, e.Query, e.ResponseCode));
    }

    [Fact]
    public void Old_servers_write_no_number_of_the_packet()
    {
        DnsTaken taken = Read("20070129 11:45:35 738 PACKET  UDP Rcv 192.168.0.1    0a2f   Q [0001   D   NOERROR] (3)www(7)example(3)com(0)",
            "20070129 11:45:35 738 PACKET  UDP Rcv 192.168.0.1    0a2f   Q [0001   D   NOERROR] A     (3)www(7)example(3)com(0)");
        Assert.Equal([LineVerdict.Query, LineVerdict.Held], taken.Verdicts);
        Assert.Equal(new DateTime(2007, 1, 29, 11, 45, 35), Assert.Single(taken.Events).Utc);
    }

    [Theory]
    [InlineData("UDP Snd 8.8.8.8        c049   Q [0001   D   NOERROR] A      (7)example(3)com(0)")]
    [InlineData("UDP Rcv 8.8.8.8        c049 R Q [8081   DR  NOERROR] A      (7)example(3)com(0)")]
    [InlineData("UDP Snd 10.0.0.2       c049 R Q [8081   DR  NOERROR] A      (7)example(3)com(0)")]
    [InlineData("UDP Rcv 10.0.0.2       c049   U [0028       NOERROR] SOA    (7)example(3)com(0)")]
    [InlineData("UDP Snd 10.0.0.2       c049 R U [02a8       SERVFAIL] SOA    (7)example(3)com(0)")]
    [InlineData("UDP Rcv 10.0.0.2       c049   N [0020       NOERROR] SOA    (7)example(3)com(0)")]
    [InlineData("UDP Rcv 10.0.0.2       c049   ? [0020       NOERROR] SOA    (7)example(3)com(0)")]
    public void What_the_server_asks_others_and_what_is_no_query_makes_no_event(string rest)
    {
        DnsTaken taken = Read(Start + rest);
        Assert.Equal([LineVerdict.Other], taken.Verdicts);
        Assert.Empty(taken.Events);
    }

    [Theory]
    [InlineData("2026-01-20 23:00:16 0FE0 PACKET", LineVerdict.Syntax)]
    [InlineData(Start + "UDP Rcv", LineVerdict.Syntax)]
    [InlineData(Start + "SCTP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (1)a(0)", LineVerdict.Syntax)]
    [InlineData(Start + "UDP Rcv 10.0.0.2 c049   Q A      (1)a(0)", LineVerdict.Syntax)]
    [InlineData(Start + "UDP Rcv 10.0.0   c049   Q [0001   D   NOERROR] A      (1)a(0)", LineVerdict.Source)]
    [InlineData(Start + "UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      ", LineVerdict.Query)]
    [InlineData(Start + "UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (3)www(7)exam", LineVerdict.Query)]
    [InlineData("2026-13-20 23:00:16 0FE0 PACKET  000002C53117D990 UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (1)a(0)", LineVerdict.Timestamp)]
    [InlineData("2026-01-20 23:00:16 xx 0FE0 PACKET  000002C53117D990 UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (1)a(0)", LineVerdict.Timestamp)]
    [InlineData("something else", LineVerdict.Syntax)]
    public void A_line_that_cannot_be_read_says_why(string line, LineVerdict verdict)
    {
        DnsTaken taken = Read(line);
        Assert.Equal([verdict], taken.Verdicts);
        Assert.Empty(taken.Events);
    }

    [Fact]
    public void Headers_events_and_details_are_no_skips()
    {
        DnsTaken taken = Read(
            "", "DNS Server log file creation at 1/20/2026 10:15:10 PM", "Log file wrap at 1/20/2026 10:15:10 PM", "",
            "Message logging key (for packets - other items use a subset of these fields):", "\tField #  Information         Values", "    -------  -----------         ------",
            "1/20/2026 10:15:10 PM 01A0 EVENT   The DNS server machine currently has no DNS domain name.  Its DNS name is a", "single label hostname.", "", "See help.",
            "1/20/2026 10:15:10 PM 0298 Note: got GQCS failure on a dead socket context status=995", "20.01.2026 22:15:10 0518 EVENT   Der DNS-Server wurde gestartet.",
            "1/20/2026 10:15:10 PM 0298 DSPOLL  something",
            "1/20/2026 10:15:11 PM 0294 PACKET  000002DAEC36D650 UDP Rcv 127.0.0.1       d07e   Q [0001   D   NOERROR] A      (4)home(0)",
            "UDP question info at 000002DAEC36D650", "  Socket = 488", "  Remote addr 127.0.0.1, port 49893", "  Message:", "    XID       0xd07e", "    QUESTION SECTION:", "", "junk");
        Assert.Equal("Header Other Header Header Header Header Header".Split(' '), taken.Verdicts.Take(7).Select(v => v.ToString()));
        Assert.Equal("Other Other Header Other Other Other Other Held Other Other Other Other Other Other Header Syntax".Split(' '), taken.Verdicts.Skip(7).Select(v => v.ToString()));
        Assert.Single(taken.Events);
    }

    [Fact]
    public void A_type_that_is_not_asked_for_makes_no_event()
    {
        MsdnsParser parser = Parser(dns: false);
        DnsTaken taken = new DnsTaken().Read(parser, Start + "UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (1)a(0)").Release(parser);
        Assert.Equal([LineVerdict.Unwanted], taken.Verdicts);
        Assert.Empty(taken.Events);
    }

    [Fact]
    public void A_layout_of_one_s_own_is_followed()
    {
        MsdnsParser parser = Parser("Jan _2 15:04:05.000 2006");
        DnsTaken taken = new DnsTaken().Read(parser, "Jan  9 23:00:16.250 2026 0FE0 PACKET  000002C53117D990 UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      (1)a(0)").Release(parser);
        Assert.Equal(new DateTime(2026, 1, 9, 23, 0, 16, 250), Assert.Single(taken.Events).Utc);
    }

    [Fact]
    public void The_date_of_a_header_tells_day_from_month_and_is_read_again_after_a_restart()
    {
        MsdnsParser parser = Parser();
        string packet = "2/1/2026 10:15:11 PM 0294 PACKET  000002DAEC36D650 UDP Rcv 127.0.0.1       d07e   Q [0001   D   NOERROR] A      (4)home(0)";
        DnsTaken taken = new DnsTaken().Read(parser, "", "DNS Server log file creation at 31/1/2026 10:15:10 PM", packet).Release(parser);
        Assert.Equal(1, parser.HeaderAt);
        // Reading again ends with it: a packet's line behind it would be held once more.
        Assert.Equal(LineVerdict.Other, taken.Verdicts[1]);
        Assert.Equal(new DateTime(2026, 1, 2, 22, 15, 11), Assert.Single(taken.Events).Utc);
        // Without it, AM and PM speak for the other order.
        Assert.Equal(new DateTime(2026, 2, 1, 22, 15, 11), Assert.Single(Read(packet).Events).Utc);
    }

    [Fact]
    public void Any_truncation_and_any_bytes_are_borne()
    {
        MsdnsParser parser = Parser();
        var taken = new DnsTaken();
        byte[] whole = Encoding.UTF8.GetBytes("1/20/2026 10:15:11 PM 0294 PACKET  000002DAEC36D650 UDP Snd 127.0.0.1       d07e R Q [8385 A DR NXDOMAIN] A      (4)home(0)");
        for (int length = 0; length <= whole.Length; length++) taken.Read(parser, [whole[..length]]);
        var random = new Random(5);
        for (int run = 0; run < 20_000; run++)
        {
            byte[] line = [.. whole];
            for (int i = random.Next(1, 6); i > 0; i--) line[random.Next(line.Length)] = (byte)(random.Next(3) == 0 ? random.Next(256) : "0129(). []/:RQ"u8[random.Next(14)]);
            taken.Read(parser, [line]);
        }
        taken.Read(parser, [new byte[1 << 20], Enumerable.Repeat((byte)'(', 1 << 20).ToArray(), Encoding.Unicode.GetBytes("1/20/2026 10:15:11 PM 0294 PACKET")]);
        taken.Read(parser, [[.. "2026-01-20 23:00:16 0FE0 PACKET  000002C53117D990 UDP Rcv 10.0.0.2 c049   Q [0001   D   NOERROR] A      "u8, .. Enumerable.Repeat((byte)'(', 1 << 20)]]);
        Assert.Equal(LineVerdict.Syntax, taken.Verdicts[^2]);
    }

    [Fact]
    public void Lines_of_queries_and_answers_allocate_nothing()
    {
        MsdnsParser parser = Parser();
        var sink = new NoEvents();
        byte[][] lines = [.. Enumerable.Range(0, 60).SelectMany(second => new[]
        {
            $"1/20/2026 3:29:{second:00} PM 0294 PACKET  000002DAEC36D650 UDP Rcv 10.0.0.1       d07e   Q [0001   D   NOERROR] A      (4)home(4)gell(3)one(0)",
            $"1/20/2026 3:29:{second:00} PM 0294 PACKET  000002DAEC36D650 UDP Rcv 10.0.0.2       d07f   Q [0001   D   NOERROR] HTTPS  (4)home(4)gell(3)one(0)",
            $"1/20/2026 3:29:{second:00} PM 0294 PACKET  000002DAEC36D650 UDP Snd 10.0.0.1       d07e R Q [8085 A DR  NOERROR] A      (4)home(4)gell(3)one(0)",
            $"1/20/2026 3:29:{second:00} PM 01A0 EVENT   The DNS server has started.",
        }).Select(Encoding.ASCII.GetBytes)];
        Assert.Equal(0, Allocation.Of(() =>
        {
            foreach (byte[] line in lines) parser.Read(line, sink);
        }));
    }
}
