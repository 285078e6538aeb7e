using System.Text.Json;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Suricata;

public class EveDnsTests
{
    const string Head = "\"flow_id\":77,\"in_iface\":\"eth1\",\"event_type\":\"dns\"";
    const string ToServer = "\"src_ip\":\"10.0.0.5\",\"src_port\":40000,\"dest_ip\":\"10.0.0.53\",\"dest_port\":53,\"proto\":\"UDP\"";
    const string ToClient = "\"src_ip\":\"10.0.0.53\",\"src_port\":53,\"dest_ip\":\"10.0.0.5\",\"dest_port\":40000,\"proto\":\"UDP\"";

    static string Line(int ms, string way, string dns) => $$$"""{"timestamp":"2026-03-01T10:00:00.{{{ms:000}}}000+0000",{{{Head}}},{{{way}}},"dns":{ {{{dns}}} }}""";

    static string Query(int ms = 0, int id = 5, string name = "a.example") => Line(ms, ToServer, $"\"type\":\"query\",\"id\":{id},\"rrname\":\"{name}\",\"rrtype\":\"A\",\"tx_id\":0");

    static string Data(JsonElement e) => string.Join(" ", e.GetProperty("answers").EnumerateArray().Select(a => $"{a.GetProperty("type")}:{a.GetProperty("ttl")}:{a.GetProperty("data")}"));

    static void IsClients(JsonElement e)
    {
        Assert.Equal(("10.0.0.5", 40000, "10.0.0.53", 53), (e.GetProperty("srcIP").GetString(), e.GetProperty("srcPort").GetInt32(), e.GetProperty("destIP").GetString(), e.GetProperty("destPort").GetInt32()));
        Assert.Equal("udp", e.GetProperty("transport").GetString());
    }

    [Fact]
    public void Version_1_has_a_line_for_each_record_of_an_answer_and_they_are_one_event()
    {
        var bed = new EveBed();
        Assert.Equal(LineVerdict.Held, bed.Read(Query()));
        Assert.Equal(LineVerdict.Answer, bed.Read(Line(20, ToClient, "\"type\":\"answer\",\"id\":5,\"flags\":\"8180\",\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"CNAME\",\"ttl\":60,\"rdata\":\"b.example\"")));
        Assert.Equal(LineVerdict.Answer, bed.Read(Line(20, ToClient, "\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"rrname\":\"b.example\",\"rrtype\":\"A\",\"ttl\":30,\"rdata\":\"192.0.2.7\"")));
        Assert.Empty(bed.Lines);
        Assert.Equal(0, bed.Parser.OldestHeld);
        Assert.Equal(LineVerdict.Held, bed.Read(Query(40, 6, "c.example")));
        IsClients(bed.Only);
        Assert.Equal("a.example A NOERROR", $"{bed.Only.GetProperty("query")} {bed.Only.GetProperty("qtype")} {bed.Only.GetProperty("rcode")}");
        Assert.Equal("CNAME:60:b.example A:30:192.0.2.7", Data(bed.Only));
        Assert.Equal("2026-03-01T10:00:00Z", bed.Only.GetProperty("ts").GetString());
        Assert.Equal(0x8180, bed.Only.GetProperty("flags").GetInt32());
    }

    [Fact]
    public void Version_1_says_that_there_is_no_such_name_in_a_line_without_data()
    {
        EveBed bed = new EveBed().ReadAll(
        [
            Query(),
            Line(9, ToClient, "\"type\":\"answer\",\"id\":5,\"rcode\":\"NXDOMAIN\",\"rrname\":\"a.example\""),
            Line(9, ToClient, "\"type\":\"answer\",\"id\":5,\"rcode\":\"NXDOMAIN\",\"rrname\":\"example\",\"rrtype\":\"SOA\",\"ttl\":900"),
        ]);
        Assert.Equal("NXDOMAIN", bed.Only.GetProperty("rcode").GetString());
        Assert.False(bed.Only.TryGetProperty("answers", out _));
        Assert.Equal(long.MaxValue, bed.Parser.OldestHeld);
    }

    [Theory]
    [InlineData(ToServer)]
    [InlineData(ToClient)]
    public void Version_2_answers_in_one_line_whichever_way_it_stands(string way)
    {
        EveBed bed = new EveBed().ReadAll(
        [
            Line(0, ToServer, "\"version\":2,\"type\":\"query\",\"id\":9,\"rrname\":\"a.example\",\"rrtype\":\"MX\",\"tx_id\":3,\"opcode\":0"),
            Line(30, way, "\"version\":2,\"type\":\"answer\",\"id\":9,\"flags\":\"8580\",\"qr\":true,\"aa\":true,\"rrname\":\"a.example\",\"rrtype\":\"MX\",\"rcode\":\"NOERROR\",\"answers\":[{\"rrname\":\"a.example\",\"rrtype\":\"MX\",\"ttl\":5,\"rdata\":\"mx.example\"}],\"grouped\":{\"MX\":[\"mx.example\"]}"),
        ]);
        IsClients(bed.Only);
        Assert.Equal("MX:5:mx.example", Data(bed.Only));
        Assert.Equal(9, bed.Only.GetProperty("id").GetInt32());
        Assert.Equal((1, 1), ((int)bed.Verdicts[(int)LineVerdict.Held], (int)bed.Verdicts[(int)LineVerdict.Answer]));
    }

    [Fact]
    public void Grouped_data_serve_where_the_log_has_nothing_else()
    {
        EveBed bed = new EveBed().ReadAll(
        [
            Query(),
            Line(30, ToServer, "\"version\":2,\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"grouped\":{\"A\":[\"192.0.2.1\",\"192.0.2.2\"],\"SRV\":[{\"port\":5060,\"priority\":1,\"weight\":2,\"name\":\"sip.example\"}],\"SSHFP\":[{\"fingerprint\":\"ab:cd\",\"algo\":4,\"type\":2}]}"),
        ]);
        Assert.Equal("A:0:192.0.2.1 A:0:192.0.2.2 SRV:0:1 2 5060 sip.example SSHFP:0:4 2 ab:cd", Data(bed.Only));
    }

    [Fact]
    public void Version_3_has_requests_and_responses_with_a_list_of_queries()
    {
        EveBed bed = new EveBed().ReadAll(
        [
            Line(0, ToServer, "\"version\":3,\"type\":\"request\",\"tx_id\":0,\"id\":11,\"flags\":\"100\",\"rd\":true,\"opcode\":0,\"rcode\":\"NOERROR\",\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"AAAA\"}]"),
            Line(30, ToServer, "\"version\":3,\"type\":\"response\",\"tx_id\":1,\"id\":11,\"flags\":\"8183\",\"qr\":true,\"rd\":true,\"ra\":true,\"opcode\":0,\"rcode\":\"NXDOMAIN\",\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"AAAA\"}],\"authorities\":[{\"rrname\":\"example\",\"rrtype\":\"SOA\",\"ttl\":1,\"soa\":{}}]"),
        ]);
        Assert.Equal("a.example AAAA NXDOMAIN", $"{bed.Only.GetProperty("query")} {bed.Only.GetProperty("qtype")} {bed.Only.GetProperty("rcode")}");
        Assert.Equal(0x8183, bed.Only.GetProperty("flags").GetInt32());
    }

    [Fact]
    public void Several_questions_of_a_message_are_an_event_each()
    {
        const string Questions = "\"queries\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\"},{\"rrname\":\"b.example\",\"rrtype\":\"TXT\"}]";
        EveBed bed = new EveBed().ReadAll(
        [
            Line(0, ToServer, $"\"version\":3,\"type\":\"request\",\"id\":11,{Questions}"),
            Line(30, ToServer, $"\"version\":3,\"type\":\"response\",\"id\":11,\"rcode\":\"SERVFAIL\",{Questions}"),
        ]);
        Assert.Equal(["a.example A SERVFAIL", "b.example TXT SERVFAIL"], bed.Lines.Select((_, i) => $"{bed[i].GetProperty("query")} {bed[i].GetProperty("qtype")} {bed[i].GetProperty("rcode")}"));
    }

    [Fact]
    public void A_query_without_an_answer_goes_out_five_seconds_later_and_an_answer_after_that_makes_no_second_event()
    {
        var bed = new EveBed();
        bed.Read(Query());
        Assert.Equal(LineVerdict.Other, bed.Read("""{"timestamp":"2026-03-01T10:00:09.000000+0000","event_type":"stats","stats":{}}"""));
        bed.Read(Query(0, 6, "b.example").Replace("10:00:00", "10:00:06", StringComparison.Ordinal));
        Assert.False(bed.Only.TryGetProperty("rcode", out _));
        Assert.Equal(LineVerdict.Answer, bed.Read(Line(0, ToServer, "\"version\":2,\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\"").Replace("10:00:00", "10:00:07", StringComparison.Ordinal)));
        Assert.Single(bed.Lines);
    }

    [Fact]
    public void A_log_of_answers_alone_has_an_event_for_each()
    {
        EveBed bed = new EveBed().ReadAll([Line(0, ToClient, "\"version\":2,\"type\":\"answer\",\"id\":5,\"rcode\":\"NOERROR\",\"rrname\":\"a.example\",\"rrtype\":\"A\",\"answers\":[{\"rrname\":\"a.example\",\"rrtype\":\"A\",\"ttl\":1,\"rdata\":\"192.0.2.1\"}]")]);
        IsClients(bed.Only);
        Assert.Equal("A:1:192.0.2.1", Data(bed.Only));
    }

    [Theory]
    [InlineData("A.Example.", "A.Example")]
    [InlineData("", ".")]
    [InlineData(".", ".")]
    [InlineData("b\\u00fccher.example", "b\\195\\188cher.example")]
    [InlineData("x\\\\xe4.example", "x\\xe4.example")]
    [InlineData("tab\\there", "tab\\009here")]
    public void A_name_is_in_the_models_form(string written, string expected)
    {
        EveBed bed = new EveBed().ReadAll([Query(name: written)]);
        Assert.Equal(expected, bed.Only.GetProperty("query").GetString());
    }

    [Fact]
    public void A_record_without_a_name_is_counted_and_so_is_one_longer_than_any()
    {
        var bed = new EveBed();
        Assert.Equal(LineVerdict.Query, bed.Read(Line(0, ToServer, "\"type\":\"query\",\"id\":5")));
        Assert.Equal(LineVerdict.Query, bed.Read(Line(0, ToServer, "\"version\":3,\"type\":\"request\",\"id\":5,\"queries\":[]")));
        Assert.Equal(LineVerdict.Query, bed.Read(Query(name: new string('a', 2000))));
        Assert.Equal(LineVerdict.Query, bed.Read($$"""{"timestamp":"2026-03-01T10:00:00Z",{{Head}},{{ToServer}}}"""));
        Assert.Empty(bed.Lines);
    }

    [Fact]
    public void Mdns_and_llmnr_are_dns_events_of_their_own_service()
    {
        EveBed bed = new EveBed().ReadAll(
        [
            """{"timestamp":"2026-03-01T10:00:00Z","flow_id":1,"event_type":"mdns","src_ip":"fe80::1","src_port":5353,"dest_ip":"ff02::fb","dest_port":5353,"proto":"UDP","mdns":{"type":"request","queries":[{"rrname":"_ipp._tcp.local","rrtype":"PTR"}]}}""",
            """{"timestamp":"2026-03-01T10:00:01Z","flow_id":2,"event_type":"llmnr","src_ip":"10.0.0.5","src_port":50001,"dest_ip":"224.0.0.252","dest_port":5355,"proto":"UDP","llmnr":{"type":"request","id":3,"queries":[{"rrname":"printer","rrtype":"A"}]}}""",
            """{"timestamp":"2026-03-01T10:00:01Z","flow_id":2,"event_type":"llmnr","src_ip":"10.0.0.5","src_port":50001,"dest_ip":"224.0.0.252","dest_port":5355,"proto":"UDP","llmnr":{"type":"response","id":3,"queries":[{"rrname":"printer","rrtype":"A"}],"answers":[{"rrname":"printer","rrtype":"A","ttl":30,"a":"10.0.0.9"}]}}""",
            """{"timestamp":"2026-03-01T10:00:02Z","event_type":"mdns","src_ip":"fe80::2","src_port":5353,"dest_ip":"ff02::fb","dest_port":5353,"proto":"UDP","mdns":{"type":"response","answers":[{"rrname":"_ipp._tcp.local","ptr":"x"}]}}""",
        ]);
        Assert.Equal(["mdns _ipp._tcp.local", "llmnr printer"], bed.Lines.Select((_, i) => $"{bed[i].GetProperty("service")} {bed[i].GetProperty("query")}"));
        Assert.Equal("A:30:10.0.0.9", Data(bed[1]));
    }

    [Fact]
    public void Lines_read_again_from_the_oldest_that_is_held_lead_to_the_same_events()
    {
        string[] lines =
        [
            Query(), Query(5, 6, "b.example"),
            Line(6, ToClient, "\"type\":\"answer\",\"id\":6,\"rcode\":\"NOERROR\",\"rrname\":\"b.example\",\"rrtype\":\"CNAME\",\"ttl\":60,\"rdata\":\"c.example\""),
            Line(6, ToClient, "\"type\":\"answer\",\"id\":6,\"rcode\":\"NOERROR\",\"rrname\":\"c.example\",\"rrtype\":\"A\",\"ttl\":60,\"rdata\":\"192.0.2.1\""),
            Line(7, ToClient, "\"type\":\"answer\",\"id\":5,\"rcode\":\"REFUSED\",\"rrname\":\"a.example\""),
            Query(8, 7, "d.example"),
        ];
        List<string> whole = new EveBed().ReadAll(lines).Lines;
        for (int cut = 0; cut < lines.Length; cut++)
        {
            var before = new EveBed();
            long at = 0;
            for (int i = 0; i <= cut; i++)
            {
                before.Read(lines[i]);
                at += lines[i].Length + 1;
            }
            long from = Math.Min(before.Parser.OldestHeld, at);
            var after = new EveBed();
            long place = 0;
            int spooled = -1;
            foreach (string line in lines)
            {
                if (place == at) spooled = after.Lines.Count;
                if (place >= from) after.Read(line);
                place += line.Length + 1;
            }
            if (spooled < 0) spooled = after.Lines.Count;
            after.Parser.Release(after);
            Assert.Equal(whole.Order(), before.Lines.Concat(after.Lines.Skip(spooled)).Order());
        }
    }

    [Fact]
    public void A_type_that_is_not_asked_for_is_not_wanted()
    {
        var bed = new EveBed(new LineOptions { Types = LineOptions.TypesOf("http") });
        Assert.Equal(LineVerdict.Unwanted, bed.Read(Query()));
        Assert.Equal(long.MaxValue, bed.Parser.OldestHeld);
    }
}
