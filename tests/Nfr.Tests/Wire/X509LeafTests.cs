using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nfr.Wire;

namespace Nfr.Tests.Wire;

public sealed class X509LeafTests
{
    static byte[] Element(byte tag, params byte[] content) => content.Length < 128
        ? [tag, (byte)content.Length, .. content]
        : [tag, 0x82, (byte)(content.Length >> 8), (byte)content.Length, .. content];

    static byte[] Attribute(string oid, byte tag, params byte[] value) =>
        Element(0x31, Element(0x30, [.. Element(6, Bytes.Of(oid)), .. Element(tag, value)]));

    static byte[] Certificate(byte[] issuer, byte[] notBefore, byte[] notAfter, byte[] subject, bool withVersion = true, byte[]? extensions = null) => Element(0x30,
        [
            .. Element(0x30,
            [
                .. withVersion ? Bytes.Of("a003 02 01 02") : [],
                .. Bytes.Of("02 01 05"),               // serial number
                .. Bytes.Of("30 03 06 01 2a"),         // signature algorithm
                .. Element(0x30, issuer),
                .. Element(0x30, [.. notBefore, .. notAfter]),
                .. Element(0x30, subject),
                .. Bytes.Of("30 00"),                  // key
                .. extensions is null ? [] : Element(0xA3, Element(0x30, extensions)),
            ]),
            .. Bytes.Of("30 03 06 01 2a 03 01 00"),    // signature
        ]);

    static byte[] Utc(string text) => Element(0x17, Bytes.Ascii(text));
    static byte[] Generalized(string text) => Element(0x18, Bytes.Ascii(text));

    internal static readonly byte[] Sample = Certificate(
        Attribute("550403", 0x0C, Bytes.Ascii("Test CA")), Utc("200101000000Z"), Utc("300101000000Z"),
        [.. Attribute("550406", 0x13, Bytes.Ascii("PL")), .. Attribute("55040a", 0x0C, Bytes.Ascii("Example")), .. Attribute("550403", 0x0C, Bytes.Ascii("example.com"))]);

    /// <summary>A certificate with these GeneralNames, each with its tag, behind another extension.</summary>
    internal static byte[] WithNames(params (byte Tag, string Name)[] names) => Certificate([], Utc("200101000000Z"), Utc("300101000000Z"), [], extensions:
    [
        .. Element(0x30, [.. Bytes.Of("06 03 551d13 0101ff"), .. Element(0x04, Bytes.Of("30 00"))]),
        .. Element(0x30, [.. Bytes.Of("06 03 551d11"), .. Element(0x04, Element(0x30, [.. names.SelectMany(n => Element(n.Tag, Bytes.Ascii(n.Name)))]))]),
    ]);

    static (string Names, bool IsCut) Names(byte[] der, int room)
    {
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(der, out X509Leaf leaf));
        byte[] text = new byte[room];
        return (Bytes.Text(text.AsSpan(0, leaf.WriteDnsNames(text, out bool isCut))), isCut);
    }

    [Fact]
    public void DNS_names_of_subjectAltName_are_joined_and_cut_at_a_names_end()
    {
        byte[] der = WithNames((0x82, "a.example"), (0x81, "me@example"), (0x82, "b,c"), (0x82, "*.b.example"));
        Assert.Equal(("a.example,*.b.example", false), Names(der, 21));
        Assert.Equal(("a.example", true), Names(der, 20));
        Assert.Equal(("", true), Names(der, 8));
        Assert.Equal(("", false), Names(Sample, 100));
    }

    [Fact]
    public void Damage_in_a_subjectAltName_gives_fewer_names()
    {
        byte[] der = WithNames((0x82, "a.example"), (0x82, "b.example"));
        for (int i = 0; i < der.Length; i++)
        {
            byte[] damaged = [.. der];
            damaged[i] ^= 0x85;
            if (X509Leaf.TryRead(damaged, out X509Leaf leaf) == DecodeFault.None) leaf.WriteDnsNames(new byte[32], out _);
        }
    }

    static string Subject(byte[] name, int room = 500)
    {
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(Certificate([], Utc("200101000000Z"), Utc("200101000000Z"), name), out X509Leaf leaf));
        byte[] text = new byte[room];
        return Bytes.Text(text.AsSpan(0, leaf.WriteSubject(text)));
    }

    [Fact]
    public void A_certificate_gives_names_validity_and_hash()
    {
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(Sample, out X509Leaf leaf));
        byte[] text = new byte[200];
        Assert.Equal("CN=Test CA", Bytes.Text(text.AsSpan(0, leaf.WriteIssuer(text))));
        Assert.Equal("CN=example.com,O=Example,C=PL", Bytes.Text(text.AsSpan(0, leaf.WriteSubject(text))));
        Assert.Equal(DateTimeOffset.Parse("2020-01-01T00:00:00Z").ToUnixTimeSeconds(), leaf.NotBefore);
        Assert.Equal(DateTimeOffset.Parse("2030-01-01T00:00:00Z").ToUnixTimeSeconds(), leaf.NotAfter);
        Assert.Equal(Convert.ToHexStringLower(SHA1.HashData(Sample)), Bytes.Text(text.AsSpan(0, leaf.WriteSha1(text))));
        Assert.Equal(0, leaf.WriteSha1(text.AsSpan(0, 39)));
    }

    [Fact]
    public void A_certificate_of_version_1_has_no_version_field()
    {
        byte[] der = Certificate(Attribute("550403", 0x0C, Bytes.Ascii("a")), Utc("200101000000Z"), Utc("300101000000Z"), [], withVersion: false);
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(der, out X509Leaf leaf));
        Assert.Equal(0, leaf.WriteSubject(new byte[10]));
        Assert.Equal(4, leaf.WriteIssuer(new byte[10]));
    }

    [Fact]
    public void A_certificate_made_by_the_platform_reads_as_the_platform_reads_it()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=sensor.example, OU=\"a, b\", O=Ünïcode, C=PL", key, HashAlgorithmName.SHA256);
        DateTimeOffset from = new(1955, 3, 1, 12, 30, 15, TimeSpan.Zero), to = new(2105, 2, 28, 23, 59, 59, TimeSpan.Zero);
        using X509Certificate2 certificate = request.CreateSelfSigned(from, to);
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(certificate.RawData, out X509Leaf leaf));
        byte[] text = new byte[300];
        Assert.Equal(certificate.GetCertHashString(HashAlgorithmName.SHA1).ToLowerInvariant(), Bytes.Text(text.AsSpan(0, leaf.WriteSha1(text))));
        // How the platform orders what it was given is its own affair; the characters and their escapes are ours.
        string subject = Bytes.Text(text.AsSpan(0, leaf.WriteSubject(text)));
        Assert.Equal(["C=PL", "CN=sensor.example", "O=Ünïcode", "OU=a\\, b"], System.Text.RegularExpressions.Regex.Split(subject, @"(?<!\\),").Order(StringComparer.Ordinal));
        Assert.Equal((from.ToUnixTimeSeconds(), to.ToUnixTimeSeconds()), (leaf.NotBefore, leaf.NotAfter));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        for (int length = 0; length < Sample.Length; length++)
        {
            Assert.Equal(DecodeFault.X509Invalid, X509Leaf.TryRead(Sample.AsSpan(0, length), out _));
        }
    }

    [Theory]
    [InlineData("550403", 0x0C, "612c622b63223b3c3e5c", "CN=a\\,b\\+c\\\"\\;\\<\\>\\\\")]
    [InlineData("550403", 0x13, "2061202320", "CN=\\ a #\\ ")]
    [InlineData("550403", 0x16, "2361", "CN=\\#a")]
    [InlineData("550403", 0x0C, "6100620a7f", "CN=a\\00b\\0a\\7f")]
    [InlineData("550403", 0x0C, "c3bcff41", "CN=ü\\ffA")]
    [InlineData("550403", 0x14, "fc", "CN=ü")]
    [InlineData("550403", 0x1E, "00fcd83dde00", "CN=ü😀")]
    [InlineData("550403", 0x1E, "d83d0041", "CN=\\d8\\3dA")]
    [InlineData("550403", 0x1C, "0001f600", "CN=😀")]
    [InlineData("550403", 0x04, "6162", "CN=#04026162")]
    [InlineData("550404", 0x0C, "61", "SN=a")]
    [InlineData("0992268993f22c640119", 0x16, "636f6d", "DC=com")]
    [InlineData("0992268993f22c640101", 0x0C, "61", "UID=a")]
    [InlineData("2a864886f70d010901", 0x16, "614062", "emailAddress=a@b")]
    [InlineData("2b0601040182373c020103", 0x13, "5553", "jurisdictionC=US")]
    [InlineData("550463", 0x0C, "61", "2.5.4.99=a")]
    [InlineData("2a864886f70d01090e", 0x0C, "61", "1.2.840.113549.1.9.14=a")]
    [InlineData("883703", 0x0C, "61", "2.999.3=a")]
    public void A_value_is_written_as_rfc_4514_has_it(string oid, byte tag, string value, string expected) =>
        Assert.Equal(expected, Subject(Attribute(oid, tag, Convert.FromHexString(value))));

    [Fact]
    public void Parts_of_one_set_are_joined_by_a_plus()
    {
        byte[] both = Element(0x31, [.. Element(0x30, Bytes.Of("0603550403 0c0161")), .. Element(0x30, Bytes.Of("060355040b 0c0162"))]);
        Assert.Equal("C=PL,CN=a+OU=b", Subject([.. both, .. Attribute("550406", 0x13, Bytes.Ascii("PL"))]));
    }

    [Fact]
    public void A_name_is_cut_between_characters_and_after_64_parts()
    {
        byte[] name = Attribute("550403", 0x0C, System.Text.Encoding.UTF8.GetBytes("äöü"));
        string[] expected = ["", "C", "CN", "CN=", "CN=", "CN=ä", "CN=ä", "CN=äö", "CN=äö", "CN=äöü", "CN=äöü"];
        for (int room = 0; room < expected.Length; room++) Assert.Equal(expected[room], Subject(name, room));
        byte[] many = [.. Enumerable.Range(0, 70).SelectMany(i => Attribute("550403", 0x0C, Bytes.Ascii(i.ToString())))];
        Assert.Equal(string.Join(',', Enumerable.Range(6, 64).Reverse().Select(i => $"CN={i}")), Subject(many, 1000));
    }

    [Theory]
    [InlineData("491231235959Z", "2049-12-31T23:59:59Z")]
    [InlineData("500101000000Z", "1950-01-01T00:00:00Z")]
    [InlineData("000229120000Z", "2000-02-29T12:00:00Z")]
    [InlineData("2006011200Z", "2020-06-01T12:00:00Z")]
    [InlineData("200601120000+0130", "2020-06-01T10:30:00Z")]
    [InlineData("200601120000-0500", "2020-06-01T17:00:00Z")]
    [InlineData("G20500101000000Z", "2050-01-01T00:00:00Z")]
    [InlineData("G18991231235959Z", "1899-12-31T23:59:59Z")]
    [InlineData("G99991231235959Z", "9999-12-31T23:59:59Z")]
    [InlineData("G20200601120000.123Z", "2020-06-01T12:00:00Z")]
    [InlineData("G20200601120000", "2020-06-01T12:00:00Z")]
    public void A_time_is_seconds_since_1970(string text, string expected)
    {
        byte[] time = text[0] == 'G' ? Generalized(text[1..]) : Utc(text);
        X509Leaf.TryRead(Certificate([], time, time, []), out X509Leaf leaf);
        Assert.Equal(DateTimeOffset.Parse(expected).ToUnixTimeSeconds(), leaf.NotBefore);
        Assert.Equal(leaf.NotBefore, leaf.NotAfter);
    }

    [Theory]
    [InlineData("")]
    [InlineData("2020")]
    [InlineData("201301000000Z")]
    [InlineData("190229000000Z")]
    [InlineData("200600000000Z")]
    [InlineData("200601240000Z")]
    [InlineData("200601120000z")]
    [InlineData("200601120000Z0")]
    [InlineData("2006011200xxZ")]
    [InlineData("200601120000+01")]
    [InlineData("G2020060112Z")]
    public void A_time_that_is_none_says_so(string text)
    {
        byte[] time = text.StartsWith('G') ? Generalized(text[1..]) : Utc(text);
        Assert.Equal(DecodeFault.None, X509Leaf.TryRead(Certificate([], time, Utc("200101000000Z"), []), out X509Leaf leaf));
        Assert.Equal(X509Leaf.NoTime, leaf.NotBefore);
        Assert.Equal(1577836800, leaf.NotAfter);
    }

    [Fact]
    public void Mutated_certificates_never_throw()
    {
        var random = new Random(8);
        byte[] text = new byte[300];
        for (int i = 0; i < 50_000; i++)
        {
            if (X509Leaf.TryRead(Bytes.Mutate(Sample, random), out X509Leaf leaf) != DecodeFault.None) continue;
            Span<byte> room = text.AsSpan(0, random.Next(text.Length));
            Assert.InRange(leaf.WriteIssuer(room), 0, room.Length);
            Assert.InRange(leaf.WriteSubject(room), 0, room.Length);
        }
    }

    [Fact]
    public void Reading_a_certificate_allocates_nothing()
    {
        byte[] text = new byte[300];
        Assert.Equal(0, Allocation.Of(() =>
        {
            X509Leaf.TryRead(Sample, out X509Leaf leaf);
            leaf.WriteIssuer(text);
            leaf.WriteSubject(text);
            leaf.WriteSha1(text);
        }));
    }
}
