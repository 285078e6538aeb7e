using Nfr.Events;
using Nfr.Tests.Wire;
using Nfr.Wire;

namespace Nfr.Tests.Events;

/// <summary>NetBIOS names as dns events.</summary>
public sealed class NbnsTests
{
    internal static byte[] Name(string name, int suffix, string scope = "") =>
    [
        32, .. name.PadRight(15, name == "*" ? '\0' : ' ').Append((char)suffix).SelectMany(c => (byte[])[(byte)('A' + (c >> 4)), (byte)('A' + (c & 15))]), .. Contents.DnsName(scope),
    ];

    internal static byte[] Query(int id, byte[] name, int type = 0x20, int flags = 0x0110) =>
        [(byte)(id >> 8), (byte)id, (byte)(flags >> 8), (byte)flags, 0, 1, 0, 0, 0, 0, 0, 0, .. name, 0, (byte)type, 0, 1];

    internal static byte[] Answer(int id, byte[] name, byte[] data, int type = 0x20, int flags = 0x8500) =>
        [(byte)(id >> 8), (byte)id, (byte)(flags >> 8), (byte)flags, 0, 0, 0, 1, 0, 0, 0, 0, .. name, 0, (byte)type, 0, 1, 0, 4, 0x93, 0xE0, 0, (byte)data.Length, .. data];

    static byte[] Status(params (string Name, int Suffix, int Flags)[] names) =>
        [(byte)names.Length, .. names.SelectMany(n => (byte[])[.. Bytes.Ascii(n.Name.PadRight(15)), (byte)n.Suffix, (byte)(n.Flags >> 8), 0]), .. Bytes.Of("0011321749f0"), .. new byte[40]];

    static readonly byte[] s_owned = Bytes.Of("6000 0a000005");

    static void FromClient(DecodeBed bed, byte[] message, string to = "10.0.0.1") => bed.Udp("10.0.0.7", 137, to, 137, message);
    static void FromServer(DecodeBed bed, byte[] message, string from = "10.0.0.1") => bed.Udp(from, 137, "10.0.0.7", 137, message);

    [Fact]
    public void A_query_to_a_name_server_and_its_answer_are_one_event()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Query(7, Name("NAS", 0x20), flags: 0x0100));
        FromClient(bed, Query(7, Name("NAS", 0x20), flags: 0x0100));
        FromServer(bed, Answer(7, Name("NAS", 0x20), [.. s_owned, .. Bytes.Of("e000 0a000006")]));
        Assert.Equal(["10.0.0.7:137 > 10.0.0.1:137 NAS<20> 32 0 [10.0.0.5 10.0.0.6*] 50/68"], bed.Seen.Dns);
        Assert.Equal(["7 8500 0 Repeated Nbns"], bed.Seen.DnsHeaders);
        Assert.Equal(App.Nbns, bed.OnlyFlow().App);
        Assert.Empty(bed.Faults);
    }

    [Fact]
    public void A_question_to_all_is_told_at_once_and_every_answer_besides()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Query(8, Name("WORKGROUP", 0x1D)), "10.0.0.255");
        Assert.Equal(["10.0.0.7:137 > 10.0.0.255:137 WORKGROUP<1d> 32 -1 [] 50/0"], bed.Seen.Dns);
        FromServer(bed, Answer(8, Name("WORKGROUP", 0x1D), s_owned), "10.0.0.5");
        FromServer(bed, Answer(8, Name("WORKGROUP", 0x1D), s_owned), "10.0.0.5");
        FromServer(bed, Answer(8, Name("WORKGROUP", 0x1D), s_owned), "10.0.0.6");
        bed.Drain();
        Assert.Equal(["10.0.0.7:137 > 10.0.0.5:137 WORKGROUP<1d> 32 0 [10.0.0.5] 0/62", "10.0.0.7:137 > 10.0.0.6:137 WORKGROUP<1d> 32 0 [10.0.0.5] 0/62"], bed.Seen.Dns[1..]);
    }

    [Fact]
    public void A_refusal_says_its_code_and_a_query_without_answer_none()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Query(9, Name("GONE", 0), flags: 0x0100));
        FromServer(bed, Answer(9, Name("GONE", 0), [], type: 0x0A, flags: 0x8583));
        FromClient(bed, Query(10, Name("MUTE", 0), flags: 0x0100));
        bed.Drain();
        Assert.Equal(["10.0.0.7:137 > 10.0.0.1:137 GONE<00> 32 3 [\\# 0] 50/56", "10.0.0.7:137 > 10.0.0.1:137 MUTE<00> 32 -1 [] 50/0"], bed.Seen.Dns);
    }

    [Fact]
    public void A_node_status_lists_its_names_and_tells_the_host()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Query(11, Name("*", 0), type: 0x21, flags: 0), "10.0.0.5");
        FromServer(bed, Answer(11, Name("*", 0), Status(("DESKTOP-7", 0, 0x0400), ("WORK GROUP", 0, 0x8400)), type: 0x21, flags: 0x8400), "10.0.0.5");
        Assert.Equal(["10.0.0.7:137 > 10.0.0.5:137 *<00> 33 0 [DESKTOP-7<00> WORK GROUP<00>* 0011321749f0] 50/139"], bed.Seen.Dns);
        Assert.Equal(["Nbns 10.0.0.5 0011321749f0 DESKTOP-7"], bed.Seen.Hosts);
    }

    [Theory]
    [InlineData("\u0001\u0002__MSBROWSE__\u0002", 1, "", "\\001\\002__MSBROWSE__\\002<01>")]
    [InlineData("A.B\\C", 0x20, "", "A\\.B\\\\C<20>")]
    [InlineData("NAS", 0x20, "corp.example", "NAS<20>.corp.example")]
    [InlineData("", 0x00, "", "<00>")]
    public void Names_are_written_with_suffix_and_scope(string name, int suffix, string scope, string expected)
    {
        byte[] message = Query(1, Name(name, suffix, scope)), text = new byte[NbnsMessage.MaxTextLength];
        Assert.True(NbnsMessage.TryFormatName(message, DnsMessage.HeaderLength, text, out int written));
        Assert.Equal(expected, Bytes.Text(text.AsSpan(0, written)));
        Assert.False(NbnsMessage.TryFormatName(message, DnsMessage.HeaderLength, text.AsSpan(0, written - 1), out _));
    }

    [Fact]
    public void The_longest_name_fits()
    {
        string scope = string.Join('.', Enumerable.Repeat(new string('\u0001', 54), 4));
        byte[] message = Query(1, Name(new string('\u0001', 15), 1, scope)), text = new byte[NbnsMessage.MaxTextLength];
        Assert.True(NbnsMessage.TryFormatName(message, DnsMessage.HeaderLength, text, out int written));
        Assert.Equal((15 * 4) + 4 + (4 * (1 + (54 * 4))), written);
    }

    [Fact]
    public void Data_that_has_not_its_types_shape_is_written_as_bytes()
    {
        using var bed = new DecodeBed();
        FromServer(bed, Answer(1, Name("A", 0), [1, 2, 3]));
        FromServer(bed, Answer(2, Name("A", 0), [9, 1, 2], type: 0x21));
        FromServer(bed, Answer(3, Name("A", 0), [10, 0, 0, 9], type: 1));
        Assert.Equal(["[\\# 3 010203]", "[\\# 3 090102]", "[10.0.0.9]"], bed.Seen.Dns.Select(e => e[e.IndexOf('[', StringComparison.Ordinal)..(e.IndexOf(']', StringComparison.Ordinal) + 1)]));
    }

    [Fact]
    public void Every_cut_message_is_an_event_or_a_fault_and_the_ledger_closes()
    {
        byte[] query = Query(7, Name("NAS", 0x20, "corp")), answer = Answer(7, Name("NAS", 0x20), s_owned);
        for (int length = 1; length < query.Length; length++)
        {
            using var bed = new DecodeBed();
            FromClient(bed, query[..length], "10.0.0.255");
            Assert.Empty(bed.Seen.Dns);
            Assert.Equal(length < 12 ? DecodeFault.DnsHeaderTooShort : length < 51 ? DecodeFault.DnsNameTruncated : DecodeFault.DnsQuestionTruncated, Assert.Single(bed.Faults));
            Assert.Equal(1, bed.Counters.Parsed);
        }
        for (int length = 1; length < answer.Length; length++)
        {
            using var bed = new DecodeBed();
            FromServer(bed, answer[..length]);
            Assert.Empty(bed.Seen.Dns);
            Assert.Equal(length < 12 ? DecodeFault.DnsHeaderTooShort : length < 46 ? DecodeFault.DnsNameTruncated : DecodeFault.DnsRecordTruncated, Assert.Single(bed.Faults));
        }
    }

    [Fact]
    public void A_name_that_is_none_is_a_fault_and_an_answer_to_nothing_is_not()
    {
        using var bed = new DecodeBed();
        FromClient(bed, Query(1, Contents.DnsName("www.example.com")));
        FromServer(bed, Answer(2, Contents.DnsName("www.example.com"), s_owned), "10.0.0.2");
        FromServer(bed, Answer(3, [0xC0, 0x0C], s_owned));
        FromServer(bed, [0, 4, 0x85, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bed.Udp("10.0.0.7", 137, "10.0.0.1", 137, []);
        Assert.Empty(bed.Seen.Dns);
        Assert.Equal((2, 1), (bed.Fault(DecodeFault.NbnsNameInvalid), bed.Fault(DecodeFault.DnsCompressionLoop)));
    }

    [Fact]
    public void Types_have_their_own_names_in_the_event_line()
    {
        var json = new EventJson();
        byte[] packed = new byte[64];
        var answers = new DnsAnswerWriter(packed);
        "10.0.0.5"u8.CopyTo(answers.TextSpace);
        answers.Commit(NbnsMessage.TypeNB, 300, 8);
        string line = json.ToText(new DnsEvent { Query = "NAS<20>"u8, QueryType = NbnsMessage.TypeStatus, Service = App.Nbns, Answers = answers.Written });
        Assert.Contains("\"query\":\"NAS<20>\",\"qtype\":\"NBSTAT\"", line, StringComparison.Ordinal);
        Assert.Contains("{\"type\":\"NB\",\"ttl\":300,\"data\":\"10.0.0.5\"}", line, StringComparison.Ordinal);
        Assert.Contains("\"service\":\"nbns\"", line, StringComparison.Ordinal);
        Assert.Contains("\"qtype\":\"SRV\"", json.ToText(new DnsEvent { QueryType = NbnsMessage.TypeStatus }), StringComparison.Ordinal);
        Assert.Equal("A", Bytes.Text(NbnsMessage.TypeName(1, packed)));
    }

    [Fact]
    public void A_query_with_its_answer_allocates_nothing()
    {
        byte[] query = Frames.Ethernet(Frames.IPv4("10.0.0.7", "10.0.0.1", 17, Frames.Udp(137, 137, Query(7, Name("NAS", 0x20), flags: 0x0100))));
        byte[] answer = Frames.Ethernet(Frames.IPv4("10.0.0.1", "10.0.0.7", 17, Frames.Udp(137, 137, Answer(7, Name("NAS", 0x20), Status(("NAS", 0, 0)), type: 0x21))));
        var decoder = new FrameDecoder<Quiet>(new DecoderOptions { MaximumFlows = 64 }, default);
        long tick = 1;
        Assert.Equal(0, Allocation.Of(() =>
        {
            foreach (byte[] frame in (ReadOnlySpan<byte[]>)[query, answer]) decoder.OnFrame(new Frame(frame, frame.Length, tick, tick++, LinkType.Ethernet));
        }));
    }

    readonly struct Quiet : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnIp(scoped in IpEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }
}
