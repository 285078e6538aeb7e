using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class DnsMessageTests
{
    static readonly byte[] Answer = Bytes.Of("""
        1234            # id
        8580            # response, authoritative, recursion desired and available
        0001 0003 0001 0001
        03777777 07 6578616d706c65 03636f6d 00   # www.example.com
        0001 0001       # A, IN
        c00c 0005 0001 0000012c 0006 03 637367 c010     # CNAME csg.example.com, 300 s
        c02d 0001 0001 0000003c 0004 c0000201           # A 192.0.2.1
        c02d 001c 0001 0000003c 0010 20010db8000000000000000000000001
        c010 0002 0001 00000e10 0005 02 6e73 c010       # authority: NS ns.example.com
        00 0029 1000 00000000 0000                      # additional: OPT
        """);

    [Fact]
    public void The_header_and_the_first_question_are_read()
    {
        Assert.Equal(DecodeFault.None, DnsMessage.TryRead(Answer, out DnsMessage dns));
        Assert.Equal(0x1234, dns.Id);
        Assert.True(dns.IsResponse);
        Assert.Equal(0, dns.Opcode);
        Assert.True(dns.Authoritative);
        Assert.False(dns.Truncated);
        Assert.True(dns.RecursionDesired);
        Assert.True(dns.RecursionAvailable);
        Assert.Equal(0, dns.ResponseCode);
        Assert.Equal((1, 3, 1, 1), (dns.QuestionCount, dns.AnswerCount, dns.AuthorityCount, dns.AdditionalCount));
        Assert.True(dns.HasQuestion);
        Assert.Equal(DnsTypes.A, dns.QuestionType);
        Assert.Equal(1, dns.QuestionClass);
        Span<byte> name = stackalloc byte[DnsName.MaxTextLength];
        Assert.Equal("www.example.com", Bytes.Text(name[..dns.ReadQuestionName(name)]));
        Assert.Equal(0, dns.ReadQuestionName(name[..14]));
    }

    [Fact]
    public void Records_are_walked_through_their_sections()
    {
        Assert.Equal(DecodeFault.None, DnsMessage.TryRead(Answer, out DnsMessage dns));
        DnsRecordReader records = dns.Records;
        var seen = new List<string>();
        Span<byte> name = stackalloc byte[DnsName.MaxTextLength];
        Span<byte> text = stackalloc byte[200];
        while (records.MoveNext())
        {
            string owner = Bytes.Text(name[..records.ReadOwner(name)]);
            string data = Bytes.Text(text[..records.FormatData(text, out bool cut)]);
            Assert.False(cut);
            seen.Add($"{records.Section} {owner} {records.Type} {records.TimeToLive} {data}");
        }
        Assert.Equal(DecodeFault.None, records.Fault);
        Assert.Equal(Answer.Length, records.Offset);
        Assert.Equal(
            [
                "Answer www.example.com 5 300 csg.example.com",
                "Answer csg.example.com 1 60 192.0.2.1",
                "Answer csg.example.com 28 60 2001:db8::1",
                "Authority example.com 2 3600 ns.example.com",
                "Additional . 41 0 \\# 0",
            ],
            seen);
    }

    [Fact]
    public void Every_truncation_is_refused_or_keeps_the_question_and_names_the_fault()
    {
        for (int length = 0; length < Answer.Length; length++)
        {
            ReadOnlySpan<byte> cut = Answer.AsSpan(0, length);
            DecodeFault fault = DnsMessage.TryRead(cut, out DnsMessage dns);
            Assert.False(DnsMessage.LooksLikeDns(cut));
            if (length < 33)
            {
                DecodeFault expected = length < 12 ? DecodeFault.DnsHeaderTooShort : length < 29 ? DecodeFault.DnsNameTruncated : DecodeFault.DnsQuestionTruncated;
                Assert.Equal(expected, fault);
                continue;
            }
            Assert.Equal(DecodeFault.None, fault);
            DnsRecordReader records = dns.Records;
            while (records.MoveNext()) { }
            Assert.True(records.Fault is DecodeFault.DnsNameTruncated or DecodeFault.DnsRecordTruncated, $"{length}: {records.Fault}");
        }
    }

    [Fact]
    public void Counts_that_the_bytes_cannot_hold_are_implausible()
    {
        byte[] message = Bytes.Of("0001 0100 00ff 0000 0000 0000 01 61 00 0001 0001");
        Assert.Equal(DecodeFault.DnsCountsImplausible, DnsMessage.TryRead(message, out _));
    }

    [Fact]
    public void A_message_without_questions_has_no_question()
    {
        byte[] message = Bytes.Of("0000 8400 0000 0001 0000 0000 01 61 00 0001 8001 00000078 0004 0a000001");
        Assert.Equal(DecodeFault.None, DnsMessage.TryRead(message, out DnsMessage dns));
        Assert.False(dns.HasQuestion);
        Assert.Equal(0, dns.QuestionType);
        Assert.Equal(0, dns.ReadQuestionName(new byte[300]));
        DnsRecordReader records = dns.Records;
        Assert.True(records.MoveNext());
        Assert.Equal(0x8001, records.Class);
        Assert.False(records.MoveNext());
    }

    [Fact]
    public void A_whole_message_looks_like_dns()
    {
        Assert.True(DnsMessage.LooksLikeDns(Answer));
        Assert.True(DnsMessage.LooksLikeDns(Bytes.Of("0001 0100 0001 0000 0000 0000 01 61 00 0001 0001")));
    }

    [Theory]
    [InlineData("0001 1900 0001 0000 0000 0000 01 61 00 0001 0001", "opcode 3")]
    [InlineData("0001 0140 0001 0000 0000 0000 01 61 00 0001 0001", "the bit that must be zero")]
    [InlineData("0001 0103 0001 0000 0000 0000 01 61 00 0001 0001", "a query with a response code")]
    [InlineData("0001 0100 0001 0000 0000 0000 01 61 00 0001 0007", "an unknown class")]
    [InlineData("0001 0100 0001 0000 0000 0000 01 61 00 0001 0001 00", "a byte too many")]
    [InlineData("0001 0100 0000 0000 0000 0000", "nothing asked")]
    public void Other_bytes_do_not_look_like_dns(string hex, string why) => Assert.False(DnsMessage.LooksLikeDns(Bytes.Of(hex)), why);

    [Fact]
    public void Random_bytes_hardly_ever_look_like_dns()
    {
        var random = new Random(2);
        byte[] bytes = new byte[64];
        int found = 0;
        for (int i = 0; i < 200_000; i++)
        {
            random.NextBytes(bytes);
            if (DnsMessage.LooksLikeDns(bytes.AsSpan(0, 12 + (i % 52)))) found++;
        }
        Assert.Equal(0, found);
    }

    [Fact]
    public void Mutated_messages_never_throw_and_always_end()
    {
        var random = new Random(3);
        byte[] name = new byte[DnsName.MaxTextLength];
        byte[] text = new byte[300];
        for (int i = 0; i < 50_000; i++)
        {
            byte[] message = Bytes.Mutate(Answer, random);
            DnsMessage.LooksLikeDns(message);
            if (DnsMessage.TryRead(message, out DnsMessage dns) != DecodeFault.None) continue;
            dns.ReadQuestionName(name);
            DnsRecordReader records = dns.Records;
            while (records.MoveNext())
            {
                records.ReadOwner(name);
                Assert.InRange(records.FormatData(text, out _), 1, text.Length);
                // The same data read as every type that has a form.
                foreach (ushort type in DnsRecordTextTests.FormattedTypes)
                {
                    DnsRecordText.Format(message, type, records.DataOffset, records.DataLength, text.AsSpan(0, random.Next(text.Length)), out _);
                }
            }
        }
    }

    [Fact]
    public void Reading_a_message_allocates_nothing()
    {
        byte[] name = new byte[DnsName.MaxTextLength];
        byte[] text = new byte[300];
        Assert.Equal(0, Allocation.Of(() =>
        {
            DnsMessage.LooksLikeDns(Answer);
            DnsMessage.TryRead(Answer, out DnsMessage dns);
            dns.ReadQuestionName(name);
            DnsRecordReader records = dns.Records;
            while (records.MoveNext())
            {
                records.ReadOwner(name);
                records.FormatData(text, out _);
                DnsTypes.Name(records.Type, text);
            }
        }));
    }
}
