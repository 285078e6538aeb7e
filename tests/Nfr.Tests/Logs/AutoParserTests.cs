using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>"format: auto": lines choose their parser.</summary>
public sealed class AutoParserTests
{
    const string Zeek = "#separator \\x09\n#set_separator\t,\n#path\tdns\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\tqtype_name\n"
        + "1763726400.25\tC1\t10.0.0.7\t5353\t10.0.0.53\t53\tudp\tzeek.example\tA";
    const string Eve = "{\"timestamp\":\"2026-11-21T12:00:01.000001+0000\",\"flow_id\":1,\"event_type\":\"http\",\"src_ip\":\"10.0.0.8\",\"src_port\":40000,\"dest_ip\":\"192.0.2.80\",\"dest_port\":80,\"proto\":\"TCP\","
        + "\"http\":{\"hostname\":\"eve.example\",\"url\":\"/\",\"http_method\":\"GET\",\"status\":200}}";
    const string Bind = "21-Nov-2026 12:00:02.123 client @0x7f 10.0.0.9#2000 (bind.example): query: bind.example IN A +E(0)K (10.0.0.53)";
    const string Named = "Nov 21 12:00:03 ns1 named[7]: client @0x7f 10.0.0.9#2000 (named.example): query: named.example IN A +E(0)K (10.0.0.53)";
    const string Masq = "Nov 21 12:00:04 ns1 dnsmasq[99]: query[A] masq.example from 10.0.0.10";

    static LineBed Bed() => new(new AutoParser(new LineOptions { Zone = TimeZoneInfo.Utc, Time = new ManualTime() }));

    [Theory]
    [InlineData(Zeek, LogFormat.Zeek, "zeek.example")]
    [InlineData(Eve, LogFormat.Suricata, "eve.example")]
    [InlineData(Bind, LogFormat.Bind, "bind.example")]
    [InlineData(Named, LogFormat.Bind, "named.example")]
    [InlineData(Masq, LogFormat.Dnsmasq, "masq.example")]
    public void The_first_line_that_tells_what_wrote_it_chooses(string text, LogFormat format, string name)
    {
        LineBed bed = Bed().Text("\n \n" + text);
        bed.Parser.Release(bed);
        Assert.Equal(format, ((AutoParser)bed.Parser).Format);
        Assert.Contains(name, Assert.Single(bed.Events), StringComparison.Ordinal);
        Assert.Equal(0, bed.Count(LineVerdict.Syntax));
    }

    [Fact]
    public void A_line_before_that_which_tells_nothing_is_counted_and_not_guessed()
    {
        LineBed bed = Bed();
        Assert.Equal(LineVerdict.Syntax, bed.Line("something else entirely"));
        Assert.Equal(LineVerdict.Header, bed.Line("# a comment"));
        Assert.Equal(LogFormat.Auto, ((AutoParser)bed.Parser).Format);
        Assert.Equal(-1, bed.Parser.HeaderAt);
        Assert.Equal(LineVerdict.Event, bed.Line(Bind));
    }

    [Fact]
    public void In_the_systems_log_the_lines_of_two_resolvers_are_read_each_by_its_own()
    {
        LineBed bed = Bed().Text(string.Join('\n', Named, Masq, Named, Masq, "Nov 21 12:00:05 ns1 sshd[3]: Server listening"));
        // A query of dnsmasq's waits for its answer, whoever has written the line behind it.
        Assert.Equal(Named.Length + 1, bed.Parser.OldestHeld);
        bed.Parser.Release(bed);
        Assert.Equal(2, bed.Events.Count(e => e.Contains("named.example", StringComparison.Ordinal)));
        Assert.Equal(2, bed.Events.Count(e => e.Contains("masq.example", StringComparison.Ordinal)));
        Assert.Equal(long.MaxValue, bed.Parser.OldestHeld);
    }

    [Fact]
    public void What_Zeek_or_Suricata_wrote_is_nobody_elses_whatever_stands_in_it()
    {
        LineBed bed = Bed().Text(Eve);
        Assert.True(bed.Line(Bind).IsSkip());
        Assert.Equal(LogFormat.Suricata, ((AutoParser)bed.Parser).Format);
    }

    [Fact]
    public void Another_file_is_another_choice()
    {
        LineBed bed = Bed().Text(Zeek);
        Assert.True(bed.Parser.HeaderAt >= 0);
        bed.Parser.Restart();
        Assert.Equal(-1, bed.Parser.HeaderAt);
        bed.Text(Eve);
        Assert.Equal(LogFormat.Suricata, ((AutoParser)bed.Parser).Format);
        Assert.Equal(2, bed.Events.Count);
    }
}
