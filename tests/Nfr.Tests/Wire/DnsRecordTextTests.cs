using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class DnsRecordTextTests
{
    public static readonly ushort[] FormattedTypes =
    [
        DnsTypes.A, DnsTypes.AAAA, DnsTypes.CNAME, DnsTypes.MX, DnsTypes.TXT, DnsTypes.SOA, DnsTypes.SRV, DnsTypes.NAPTR, DnsTypes.CAA,
        DnsTypes.SVCB, DnsTypes.HTTPS, 65280,
    ];

    // Offset 0 holds a name that data may point to: example.com
    const string Names = "07 6578616d706c65 03636f6d 00";
    const int NamesLength = 13;

    static string Format(ushort type, string hex, int room = 500)
    {
        byte[] message = Bytes.Of(Names + "\n" + hex);
        byte[] text = new byte[room];
        int length = DnsRecordText.Format(message, type, NamesLength, message.Length - NamesLength, text, out bool cut);
        return Bytes.Text(text.AsSpan(0, length)) + (cut ? "…" : "");
    }

    [Theory]
    [InlineData("A", "c0000201", "192.0.2.1")]
    [InlineData("A", "c00002", "\\# 3 c00002")]
    [InlineData("AAAA", "00000000000000000000ffffc0000201", "::ffff:192.0.2.1")]
    [InlineData("AAAA", "fe800000000000000000000000000001", "fe80::1")]
    [InlineData("CNAME", "01 61 c000", "a.example.com")]
    [InlineData("NS", "00", ".")]
    [InlineData("PTR", "c000", "example.com")]
    [InlineData("PTR", "c000 00", "\\# 3 c00000")]
    [InlineData("MX", "000a 04 6d61696c c000", "10 mail.example.com")]
    [InlineData("MX", "000a", "\\# 2 000a")]
    [InlineData("TXT", "05 68656c6c6f 03 22 5c 0a", "\"hello\" \"\\\"\\\\\\010\"")]
    [InlineData("TXT", "00", "\"\"")]
    [InlineData("TXT", "05 6865", "\\# 3 056865")]
    [InlineData("TXT", "", "\\# 0")]
    [InlineData("SOA", "02 6e73 c000 05 61646d696e c000 00000001 00000e10 00000258 00015180 0000003c", "ns.example.com admin.example.com 1 3600 600 86400 60")]
    [InlineData("SRV", "0001 0002 1466 03 736970 c000", "1 2 5222 sip.example.com")]
    [InlineData("CAA", "00 05 6973737565 63612e74657374", "0 issue \"ca.test\"")]
    [InlineData("CAA", "00 00", "\\# 2 0000")]
    [InlineData("NAPTR", "0064 000a 01 75 07 4532552b736970 00 00", "100 10 \"u\" \"E2U+sip\" \"\" .")]
    [InlineData("HTTPS", "0001 00 0001 0006 02 6832 02 6833 0003 0002 20fb 0004 0008 c0000201 c0000202", "1 . alpn=h2,h3 port=8443 ipv4hint=192.0.2.1,192.0.2.2")]
    [InlineData("HTTPS", "0000 c000", "0 example.com")]
    [InlineData("SVCB", "0010 c000 0000 0004 0001 0003 0002 0000 0005 0004 fe0dabcd 0006 0010 20010db8000000000000000000000001 fde8 0002 6122",
        "16 example.com mandatory=alpn,port no-default-alpn ech=/g2rzQ== ipv6hint=2001:db8::1 key65000=\"a\\\"\"")]
    [InlineData("SVCB", "0001 00 0001 0003 04 6832", "\\# 10 000100000100030468" + "32")]
    [InlineData("SVCB", "0001 00 0003 0001 20", "\\# 8 0001000003000120")]
    [InlineData("TYPE65280", "0102", "\\# 2 0102")]
    public void Data_has_its_presentation_form(string type, string hex, string expected)
    {
        Assert.True(DnsTypes.TryParse(Bytes.Ascii(type), out ushort number));
        Assert.Equal(expected, Format(number, hex));
    }

    [Fact]
    public void What_does_not_fit_is_cut_and_said()
    {
        const string whole = "\"hello\" \"world\"";
        for (int room = 0; room <= whole.Length; room++)
        {
            Assert.Equal(room < whole.Length ? whole[..room] + "…" : whole, Format(DnsTypes.TXT, "05 68656c6c6f 05 776f726c64", room));
        }
        Assert.Equal("\\# 4 0102…", Format(65280, "01020304", 9));
    }

    [Fact]
    public void Names_of_types_are_ianas_and_read_back()
    {
        Span<byte> text = stackalloc byte[DnsTypes.MaxNameLength];
        for (int type = 0; type <= ushort.MaxValue; type++)
        {
            ReadOnlySpan<byte> name = DnsTypes.Name((ushort)type, text);
            Assert.InRange(name.Length, 1, DnsTypes.MaxNameLength);
            Assert.True(DnsTypes.TryParse(name, out ushort back), Bytes.Text(name));
            Assert.Equal(type, back);
        }
    }

    [Theory]
    [InlineData("A", 1)]
    [InlineData("aaaa", 28)]
    [InlineData("Https", 65)]
    [InlineData("*", 255)]
    [InlineData("ANY", 255)]
    [InlineData("RRSIG", 46)]
    [InlineData("DNSKEY", 48)]
    [InlineData("DS", 43)]
    [InlineData("type1", 1)]
    [InlineData("TYPE65535", 65535)]
    public void A_type_is_read_from_text(string text, int expected)
    {
        Assert.True(DnsTypes.TryParse(Bytes.Ascii(text), out ushort type));
        Assert.Equal(expected, type);
    }

    [Theory]
    [InlineData("")]
    [InlineData("TYPE")]
    [InlineData("TYPE65536")]
    [InlineData("TYPE-1")]
    [InlineData("TYPE1x")]
    [InlineData("BOGUS")]
    public void Text_that_is_no_type_is_refused(string text) => Assert.False(DnsTypes.TryParse(Bytes.Ascii(text), out _));
}
