using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>DNS queries matched with their answers, over UDP and TCP.</summary>
public sealed class DecodeDnsTests
{
    const string Client = "10.0.0.1", Server = "192.0.2.53";
    static readonly byte[] s_query = Contents.Query(7, "www.example.com"), s_answer = Contents.Answer(7, "www.example.com");

    static readonly string s_answered = $"10.0.0.1:4000 > 192.0.2.53:53 www.example.com 1 0 [192.0.2.7] {s_query.Length}/{s_answer.Length}";
    static readonly string s_unanswered = $"10.0.0.1:4000 > 192.0.2.53:53 www.example.com 1 -1 [] {s_query.Length}/0";

    static void Ask(DecodeBed bed, byte[] message, int port = 4000, int serverPort = 53) => bed.Udp(Client, port, Server, serverPort, message);
    static void Reply(DecodeBed bed, byte[] message, int port = 4000, int serverPort = 53) => bed.Udp(Server, serverPort, Client, port, message);

    [Fact]
    public void A_query_and_its_answer_are_one_event()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        Assert.Empty(bed.Seen.Dns);
        Reply(bed, s_answer);
        Assert.Equal([s_answered], bed.Seen.Dns);
        Assert.Equal(App.Dns, bed.OnlyFlow().App);
        Assert.Single(bed.Seen.Dns);
    }

    [Fact]
    public void A_query_without_an_answer_is_told_after_ten_seconds()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        bed.Wait(9.9);
        Assert.Empty(bed.Seen.Dns);
        bed.Wait(0.2);
        Assert.Equal([s_unanswered], bed.Seen.Dns);
    }

    [Fact]
    public void A_late_answer_is_an_event_of_its_own()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        bed.Wait(11);
        Reply(bed, s_answer);
        Assert.Equal([s_unanswered, $"10.0.0.1:4000 > 192.0.2.53:53 www.example.com 1 0 [192.0.2.7] 0/{s_answer.Length}"], bed.Seen.Dns);
    }

    [Fact]
    public void An_answer_whose_query_was_not_seen_is_an_event_told_once()
    {
        using var bed = new DecodeBed();
        Reply(bed, s_answer);
        Reply(bed, s_answer);
        Assert.Equal([$"10.0.0.1:4000 > 192.0.2.53:53 www.example.com 1 0 [192.0.2.7] 0/{s_answer.Length}"], bed.Seen.Dns);
        Assert.Equal("10.0.0.1:4000", bed.OnlyFlow().Client);
    }

    [Fact]
    public void A_repeated_query_is_answered_with_the_first()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        bed.Wait(1);
        Ask(bed, s_query);
        Reply(bed, s_answer);
        Reply(bed, s_answer);
        bed.Drain();
        Assert.Equal([s_answered], bed.Seen.Dns);
        Assert.Equal(["7 8180 0 Repeated Dns"], bed.Seen.DnsHeaders);
        Assert.Equal(1, bed.Counters.DnsRepeated);
    }

    [Fact]
    public void A_question_asked_anew_after_its_answer_is_another_event()
    {
        using var bed = new DecodeBed();
        for (int i = 0; i < 3; i++)
        {
            Ask(bed, s_query);
            Reply(bed, s_answer);
        }
        Assert.Equal([s_answered, s_answered, s_answered], bed.Seen.Dns);
        Assert.Equal(0, bed.Counters.DnsRepeated);
    }

    /// <summary>Steps, not time: what an attacker can make us do for one packet.</summary>
    [Theory]
    [InlineData("one query again and again")]
    [InlineData("one id, other names")]
    [InlineData("one name, other ids")]
    public void A_flood_of_unanswered_queries_costs_a_few_steps_each(string flood)
    {
        const int Queries = 20_000;
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64 });
        for (int i = 0; i < Queries; i++)
        {
            byte[] query = flood switch
            {
                "one id, other names" => Contents.Query(7, $"n{i}.example"),
                "one name, other ids" => Contents.Query(i, "www.example.com"),
                _ => s_query,
            };
            byte[] frame = Frames.Ethernet(Frames.IPv4(Client, Server, 17, Frames.Udp(4000, 53, query)));
            bed.Decoder.OnFrame(new Frame(frame, frame.Length, Make.Stamp + i, bed.Tick + i, LinkType.Ethernet));
        }
        bed.Drain();
        // A table half as full as it has buckets: less than two entries a search.
        Assert.InRange(bed.Decoder.DnsSteps, 0, 2L * Queries);
        Assert.Equal(Queries, bed.Seen.Dns.Count + bed.Counters.DnsRepeated);
        Assert.Equal(flood.StartsWith("one query", StringComparison.Ordinal) ? 1 : Queries, bed.Seen.Dns.Count);
    }

    [Fact]
    public void An_opt_record_gives_the_payload_size_the_do_bit_and_the_upper_bits_of_the_code()
    {
        byte[] opt = Bytes.Of("00 0029 04d0 00 00 8000 0000");
        byte[] query = [.. s_query, .. opt], answer = [.. Contents.Query(7, "www.example.com", 1, 0x8180), .. Bytes.Of("00 0029 1000 01 00 0000 0000")];
        query[11] = answer[11] = 1;
        using var bed = new DecodeBed();
        Ask(bed, query);
        Reply(bed, answer);
        Assert.Contains(" 16 []", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        Assert.Equal(["7 8180 1232 Edns, DnssecOk Dns"], bed.Seen.DnsHeaders);
    }

    [Theory]
    [InlineData("0001 00 0001 0003 02 6832 0004 0004 c0000207 0005 0002 abcd", true, "1 . alpn=h2 ipv4hint=192.0.2.7 ech=q80=")]
    [InlineData("0001 00 0001 0003 02 6832", false, "1 . alpn=h2")]
    public void A_service_record_says_whether_hellos_may_be_encrypted(string data, bool ech, string text)
    {
        byte[] bytes = Bytes.Of(data);
        byte[] answer = [.. Contents.Query(7, "www.example.com", 65, 0x8180), 0xC0, 0x0C, 0, 65, 0, 1, 0, 0, 0, 60, 0, (byte)bytes.Length, .. bytes];
        answer[7] = 1;
        using var bed = new DecodeBed();
        Ask(bed, Contents.Query(7, "www.example.com", 65));
        Reply(bed, answer);
        Assert.Contains($"[{text}]", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        Assert.Equal(ech, bed.Seen.DnsHeaders[0].Contains("EncryptedClientHello", StringComparison.Ordinal));
    }

    [Fact]
    public void An_answer_cut_in_its_records_keeps_what_came_and_is_counted()
    {
        byte[] answer = [.. s_answer, 0xC0, 0x0C, 0, 1];
        answer[7] = 2;
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        Reply(bed, answer);
        Assert.Contains("[192.0.2.7]", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        Assert.Contains("AnswersTruncated", bed.Seen.DnsHeaders[0], StringComparison.Ordinal);
        Assert.Equal([DecodeFault.DnsRecordTruncated], bed.Faults);
    }

    [Fact]
    public void Dns_is_recognised_on_a_port_that_promises_nothing()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query, serverPort: 5300);
        Reply(bed, s_answer, serverPort: 5300);
        Assert.Contains("192.0.2.53:5300 www.example.com 1 0 [192.0.2.7]", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        Assert.Equal(App.Dns, bed.OnlyFlow().App);
    }

    [Fact]
    public void A_message_as_long_as_its_length_word_allows_is_read_over_tcp()
    {
        byte[] message = [.. Contents.Query(7, "www.example.com", 16, 0x8180), .. new byte[65_535 - s_query.Length]];
        int records = 0, at = s_query.Length;
        // One string of 255 bytes each.
        for (; at + 268 <= message.Length; at += 268, records++) Bytes.Of("c00c 0010 0001 0000003c 0100 ff").CopyTo(message, at);
        (message[6], message[7]) = ((byte)(records >> 8), (byte)records);
        using var bed = new DecodeBed();
        var talk = new TcpTalk(bed, 40_000, 53).Open().Client(Contents.OverTcp(Contents.Query(7, "www.example.com", 16)));
        foreach (byte[] part in Contents.OverTcp(message).Chunk(1400)) talk.Server(part);
        talk.Client(Contents.OverTcp(Contents.Query(8, "b.example"))).Server(Contents.OverTcp(Contents.Answer(8, "b.example")));
        Assert.Equal(2, bed.Seen.Dns.Count);
        Assert.EndsWith("/65535", bed.Seen.Dns[0], StringComparison.Ordinal);
        Assert.Contains("AnswersTruncated", bed.Seen.DnsHeaders[0], StringComparison.Ordinal);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Only_the_answer_to_the_same_question_matches()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        Ask(bed, Contents.Query(7, "www.example.com", type: 28));
        Ask(bed, Contents.Query(8, "www.example.com"));
        Ask(bed, s_query, port: 4001);
        Reply(bed, Contents.Answer(7, "WWW.EXAMPLE.COM"));
        Assert.Equal([s_answered], bed.Seen.Dns);
        bed.Drain();
        Assert.Equal(3, bed.Seen.Dns.Count(e => e.Contains(" -1 ", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public void A_refusal_carries_its_code(int code)
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        Reply(bed, Contents.Answer(7, "www.example.com", code: code));
        Assert.Contains($"www.example.com 1 {code} []", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_without_its_question_matches_by_the_id()
    {
        using var bed = new DecodeBed();
        Ask(bed, s_query);
        Reply(bed, Bytes.Of("0007 8185 0000 0000 0000 0000"));
        Assert.Contains("www.example.com 1 5 []", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("224.0.0.251", 5353, App.Mdns)]
    [InlineData("224.0.0.252", 5355, App.Llmnr)]
    public void A_multicast_question_is_told_at_once(string group, int port, App app)
    {
        using var bed = new DecodeBed();
        bed.Udp(Client, port == 5353 ? 5353 : 4000, group, port, Contents.Query(0, "printer.local"));
        Assert.Contains("printer.local 1 -1 []", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        // The answer of somebody else to the group belongs to nobody's query.
        bed.Udp("10.0.0.9", port, group, port, Contents.Answer(0, "printer.local"));
        Assert.Single(bed.Seen.Dns);
        bed.Drain();
        Assert.Equal(app, bed.Seen.Ip[0].App);
    }

    [Fact]
    public void When_the_table_is_full_the_oldest_query_is_told_unanswered()
    {
        using var bed = new DecodeBed(new DecoderOptions { MaximumFlows = 64 });
        for (int i = 0; i < 8192; i++) bed.Decoder.OnFrame(QueryFrame(bed, i));
        Assert.Empty(bed.Seen.Dns);
        bed.Decoder.OnFrame(QueryFrame(bed, 8192));
        Assert.Contains(" n0.example 1 -1", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
        bed.Drain();
        Assert.Equal(8193, bed.Seen.Dns.Count);
        Assert.Equal(8193, bed.Seen.Dns.Distinct().Count());
    }

    static Frame QueryFrame(DecodeBed bed, int i)
    {
        byte[] bytes = Frames.Ethernet(Frames.IPv4(Client, Server, 17, Frames.Udp(4000, 53, Contents.Query(i, $"n{i}.example"))));
        return new Frame(bytes, bytes.Length, Make.Stamp + i, bed.Tick + i, LinkType.Ethernet);
    }

    [Fact]
    public void A_name_of_255_bytes_is_kept_whole_even_when_every_byte_is_escaped()
    {
        foreach (char c in new[] { 'a', '\x01' })
        {
            // Three labels of 63 and one of 61: 255 bytes with lengths and root.
            string name = string.Join('.', new string(c, 63), new string(c, 63), new string(c, 63), new string(c, 61));
            using var bed = new DecodeBed();
            Ask(bed, Contents.Query(1, name));
            Reply(bed, Contents.Answer(1, name));
            string text = c == 'a' ? name : name.Replace("\x01", @"\001", StringComparison.Ordinal);
            Assert.Contains($" {text} 1 0 [192.0.2.7]", Assert.Single(bed.Seen.Dns), StringComparison.Ordinal);
            Ask(bed, Contents.Query(2, name));
            bed.Drain();
            Assert.Contains($" {text} 1 -1 []", bed.Seen.Dns[1], StringComparison.Ordinal);
        }
    }

    public static TheoryData<DecodeFault, string> Faults => new()
    {
        { DecodeFault.DnsHeaderTooShort, "0007 0100 0001" },
        { DecodeFault.DnsNameTruncated, "0007 0100 0001 0000 0000 0000 05 6162" },
        { DecodeFault.DnsQuestionTruncated, "0007 0100 0001 0000 0000 0000 01 61 00 0001" },
        { DecodeFault.DnsLabelTypeUnknown, "0007 0100 0001 0000 0000 0000 41 6162 0001 0001" },
        { DecodeFault.DnsCompressionLoop, "0007 0100 0001 0000 0000 0000 c00c 0001 0001" },
        { DecodeFault.DnsCountsImplausible, "0007 0100 ffff 0000 0000 0000 01 61 00 0001 0001" },
        { DecodeFault.DnsNameTooLong, "0007 0100 0001 0000 0000 0000 " + string.Concat(Enumerable.Repeat("3f" + new string('6', 126), 4)) + "00 0001 0001" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_message_that_cannot_be_read_is_counted(DecodeFault fault, string hex)
    {
        using var bed = new DecodeBed();
        Ask(bed, Bytes.Of(hex));
        Assert.Equal([fault], bed.Faults);
        Assert.Equal((1, App.Unknown), (bed.Counters.Parsed, bed.OnlyFlow().App));
        Assert.Empty(bed.Seen.Dns);
    }

    [Fact]
    public void Dns_over_tcp_may_be_split_at_every_byte()
    {
        byte[] query = Contents.OverTcp(s_query), answer = Contents.OverTcp(s_answer);
        using var bed = new DecodeBed();
        int n = 0;
        for (int cut = 1; cut < query.Length; cut++, n++) new TcpTalk(bed, 1024 + n, 53, server: Server).Open().Client(query[..cut]).Client(query[cut..]).Server(answer).Close();
        for (int cut = 1; cut < answer.Length; cut++, n++) new TcpTalk(bed, 1024 + n, 53, server: Server).Open().Client(query).Server(answer[..cut]).Server(answer[cut..]).Close();
        bed.Drain();
        Assert.Equal(n, bed.Seen.Dns.Count);
        Assert.All(bed.Seen.Dns, e => Assert.Contains("> 192.0.2.53:53 www.example.com 1 0 [192.0.2.7]", e, StringComparison.Ordinal));
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void Two_messages_in_one_segment_are_two_queries()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, 40_000, 53).Open()
            .Client(Contents.Join(Contents.OverTcp(s_query), Contents.OverTcp(Contents.Query(8, "b.example"))))
            .Server(Contents.Join(Contents.OverTcp(Contents.Answer(8, "b.example")), Contents.OverTcp(s_answer)));
        Assert.Equal(["b.example", "www.example.com"], bed.Seen.Dns.Select(e => e.Split(' ')[3]));
        Assert.Equal(App.Dns, bed.OnlyFlow().App);
    }

    [Fact]
    public void What_is_not_dns_on_its_port_is_recognised_for_what_it_is()
    {
        using var bed = new DecodeBed();
        new TcpTalk(bed, 40_000, 53).Open().Client("GET / HTTP/1.1\r\nHost: h\r\n\r\n").Server("HTTP/1.1 204 No\r\n\r\n");
        new TcpTalk(bed, 40_001, 53).Open().Client("SSH-2.0-OpenSSH_9.6 and more\r\n");
        bed.Drain();
        Assert.Single(bed.Seen.Http);
        Assert.Equal([App.Http, App.Ssh], bed.Seen.Ip.OrderBy(f => f.Client, StringComparer.Ordinal).Select(f => f.App));
    }

    [Fact]
    public void More_answers_than_the_event_holds_are_left_out()
    {
        byte[] message = Contents.Query(7, "many.example", 1, 0x8180);
        var whole = new List<byte>(message);
        for (int i = 0; i < 2000; i++) whole.AddRange([0xC0, 0x0C, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, (byte)(i >> 8), (byte)i]);
        (whole[6], whole[7]) = (2000 >> 8, 2000 & 0xFF);
        using var bed = new DecodeBed();
        new TcpTalk(bed, 40_000, 53).Open().Client(Contents.OverTcp(Contents.Query(7, "many.example"))).Server(Contents.OverTcp([.. whole]));
        string e = Assert.Single(bed.Seen.Dns);
        Assert.InRange(e.Count(c => c == ' '), 300, 2100);
    }
}
