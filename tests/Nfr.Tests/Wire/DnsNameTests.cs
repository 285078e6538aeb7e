using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class DnsNameTests
{
    static string Read(string hex, int offset, out int end)
    {
        Span<byte> text = stackalloc byte[DnsName.MaxTextLength];
        end = offset;
        DecodeFault fault = DnsName.Read(Bytes.Of(hex), ref end, text, out int written);
        int skipped = offset;
        Assert.Equal(fault, DnsName.Skip(Bytes.Of(hex), ref skipped));
        Assert.Equal(end, skipped);
        return fault == DecodeFault.None ? Bytes.Text(text[..written]) : fault.ToString();
    }

    [Theory]
    [InlineData("00", 0, ".", 1)]
    [InlineData("03777777 00", 0, "www", 5)]
    [InlineData("01 61 02 6263 00", 0, "a.bc", 6)]
    [InlineData("03 41 62 43 00", 0, "AbC", 5)]
    [InlineData("03 612e62 00", 0, "a\\.b", 5)]
    [InlineData("03 615c62 00", 0, "a\\\\b", 5)]
    [InlineData("04 00 20 7f ff 00", 0, "\\000\\032\\127\\255", 6)]
    [InlineData("01 61 00 01 62 c000", 3, "b.a", 7)]
    [InlineData("01 61 00 01 62 c000 c003", 7, "b.a", 9)]
    public void A_name_reads_in_presentation_form(string hex, int offset, string expected, int expectedEnd)
    {
        Assert.Equal(expected, Read(hex, offset, out int end));
        Assert.Equal(expectedEnd, end);
    }

    [Theory]
    [InlineData("", 0, "DnsNameTruncated")]
    [InlineData("03 6161", 0, "DnsNameTruncated")]
    [InlineData("01 61", 0, "DnsNameTruncated")]
    [InlineData("c0", 0, "DnsNameTruncated")]
    [InlineData("00 c0", 1, "DnsNameTruncated")]
    [InlineData("40 61 00", 0, "DnsLabelTypeUnknown")]
    [InlineData("80 61 00", 0, "DnsLabelTypeUnknown")]
    [InlineData("c000", 0, "DnsCompressionLoop")]
    [InlineData("c002 0161 00", 0, "DnsCompressionLoop")]
    [InlineData("01 61 c000", 0, "DnsCompressionLoop")]
    [InlineData("01 61 c002", 0, "DnsCompressionLoop")]
    [InlineData("01 61 c004 01 62 c000", 4, "DnsCompressionLoop")]
    public void A_broken_name_is_refused_and_the_offset_stays(string hex, int offset, string fault)
    {
        Assert.Equal(fault, Read(hex, offset, out int end));
        Assert.Equal(offset, end);
    }

    [Fact]
    public void A_name_of_255_bytes_is_read_and_one_more_is_refused()
    {
        string label = "3f" + string.Concat(Enumerable.Repeat("ff", 63));
        string longest = label + label + label + "3d" + string.Concat(Enumerable.Repeat("ff", 61)) + "00";
        Assert.Equal(255, Bytes.Of(longest).Length);
        Assert.Equal(DnsName.MaxTextLength, Read(longest, 0, out int end).Length);
        Assert.Equal(255, end);
        Assert.Equal("DnsNameTooLong", Read(label + label + label + "3e" + string.Concat(Enumerable.Repeat("ff", 62)) + "00", 0, out _));
    }

    [Fact]
    public void A_name_grown_by_pointers_is_refused_at_255_bytes()
    {
        // Each name is a label and a pointer to the one before: 200 labels at the end.
        var hex = new System.Text.StringBuilder("01 61 00");
        int previous = 0, offset = 3;
        for (int i = 0; i < 200; i++)
        {
            hex.Append("0162").Append((0xC000 | previous).ToString("x4"));
            previous = offset;
            offset += 4;
        }
        Assert.Equal("DnsNameTooLong", Read(hex.ToString(), previous, out _));
    }

    [Fact]
    public void A_destination_that_is_too_short_is_named()
    {
        byte[] wire = Bytes.Of("02 61ff 02 2e62 00");
        int whole = "a\\255.\\.b".Length;
        for (int length = 0; length <= whole; length++)
        {
            int offset = 0;
            DecodeFault fault = DnsName.Read(wire, ref offset, new byte[length], out int written);
            Assert.Equal(length < whole ? DecodeFault.DnsNameTooLong : DecodeFault.None, fault);
            Assert.Equal(length < whole ? 0 : whole, written);
        }
    }

    [Fact]
    public void A_chain_of_pointers_longer_than_any_name_has_labels_is_a_loop()
    {
        // A root, then pointers that each lead to the one before.
        byte[] message = new byte[2 + (2 * 200)];
        for (int i = 1; i <= 200; i++) (message[2 * i], message[(2 * i) + 1]) = ((byte)(0xC0 | ((2 * (i - 1)) >> 8)), (byte)(2 * (i - 1)));
        int offset = 2 * 127;
        Assert.Equal(DecodeFault.None, DnsName.Skip(message, ref offset));
        offset = 2 * 128;
        Assert.Equal(DecodeFault.DnsCompressionLoop, DnsName.Skip(message, ref offset));
    }
}
