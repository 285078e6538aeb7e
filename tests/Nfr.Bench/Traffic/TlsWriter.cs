using System.Formats.Asn1;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nfr.Bench.Traffic;

/// <summary>TLS flights (RFC 8446, RFC 5246) in the shapes of today's browsers and servers; keys and signatures are noise.</summary>
static class TlsWriter
{
    static readonly ushort[] s_browserSuites = [0x1301, 0x1302, 0x1303, 0xC02B, 0xC02F, 0xC02C, 0xC030, 0xCCA9, 0xCCA8, 0xC013, 0xC014, 0x009C, 0x009D, 0x002F, 0x0035];
    static readonly ushort[] s_toolSuites = [0x1302, 0x1303, 0x1301, 0xC02C, 0xC030, 0xC02B, 0xC02F, 0x00FF];

    /// <summary>A browser's hello with GREASE (RFC 8701), or a command-line tool's shorter one.</summary>
    public static byte[] ClientHello(string name, bool browser, Random random)
    {
        var hello = new List<byte> { 3, 3 };
        Noise(hello, 32, random);
        hello.Add(32);
        Noise(hello, 32, random);
        var suites = new List<byte>();
        if (browser) U16(suites, Grease(random));
        foreach (ushort suite in browser ? s_browserSuites : s_toolSuites) U16(suites, suite);
        Vector16(hello, suites);
        hello.AddRange([1, 0]);
        var extensions = new List<byte>();
        if (browser) Extension(extensions, Grease(random), []);
        byte[] host = Encoding.ASCII.GetBytes(name);
        Extension(extensions, 0, [(byte)((host.Length + 3) >> 8), (byte)(host.Length + 3), 0, (byte)(host.Length >> 8), (byte)host.Length, .. host]);
        Extension(extensions, 23, []);
        Extension(extensions, 0xFF01, [0]);
        Extension(extensions, 10, Convert.FromHexString(browser ? "0008aaaa001d00170018" : "0006001d00170018"));
        Extension(extensions, 11, Convert.FromHexString("0100"));
        Extension(extensions, 35, []);
        Extension(extensions, 16, browser ? Convert.FromHexString("000c02683208687474702f312e31") : Convert.FromHexString("000908687474702f312e31"));
        Extension(extensions, 5, Convert.FromHexString("0100000000"));
        Extension(extensions, 13, Convert.FromHexString("001004030804040105030805050108060601"));
        var share = new List<byte>();
        U16(share, 36);
        U16(share, 29);
        U16(share, 32);
        Noise(share, 32, random);
        Extension(extensions, 51, [.. share]);
        Extension(extensions, 45, Convert.FromHexString("0101"));
        Extension(extensions, 43, Convert.FromHexString(browser ? "06aaaa03040303" : "0403040303"));
        if (browser)
        {
            Extension(extensions, 27, Convert.FromHexString("020002"));
            Extension(extensions, Grease(random), [0]);
            // Padding (RFC 7685) to the 512 bytes that old middleboxes can bear.
            int rest = 512 - (hello.Count + 6 + extensions.Count + 4);
            if (rest > 0) Extension(extensions, 21, new byte[rest]);
        }
        Vector16(hello, extensions);
        return Record(0x16, Handshake(1, hello));
    }

    /// <summary>The server's whole first flight: TLS 1.3 in noise after its hello, or TLS 1.2 with its certificates in the clear.</summary>
    public static byte[] ServerFlight(bool tls13, byte[] certificate, Random random)
    {
        var hello = new List<byte> { 3, 3 };
        Noise(hello, 32, random);
        hello.Add(32);
        Noise(hello, 32, random);
        U16(hello, tls13 ? 0x1301 : 0xC02F);
        hello.Add(0);
        var extensions = new List<byte>();
        if (tls13)
        {
            Extension(extensions, 43, [3, 4]);
            var share = new List<byte>();
            U16(share, 29);
            U16(share, 32);
            Noise(share, 32, random);
            Extension(extensions, 51, [.. share]);
        }
        else
        {
            Extension(extensions, 0xFF01, [0]);
            Extension(extensions, 11, Convert.FromHexString("0100"));
            Extension(extensions, 23, []);
        }
        Vector16(hello, extensions);
        var flight = new List<byte>();
        flight.AddRange(Record(0x16, Handshake(2, hello)));
        if (tls13)
        {
            flight.AddRange(Record(0x14, [1]));
            flight.AddRange(ApplicationData(random.Next(2200, 4200), random));
            return [.. flight];
        }
        var chain = new List<byte>();
        foreach (int length in (int[])[certificate.Length, 1200])
        {
            chain.AddRange([0, (byte)(length >> 8), (byte)length]);
            if (length == certificate.Length && chain.Count == 3) chain.AddRange(certificate);
            else Noise(chain, length, random);
        }
        List<byte> message = [0, (byte)(chain.Count >> 8), (byte)chain.Count, .. chain];
        flight.AddRange(Record(0x16, Handshake(11, message)));
        var exchange = new List<byte> { 3, 0, 29, 32 };
        Noise(exchange, 32 + 4 + 256, random);
        flight.AddRange(Record(0x16, Handshake(12, exchange)));
        flight.AddRange(Record(0x16, Handshake(14, [])));
        return [.. flight];
    }

    /// <summary>The client's answer: a key exchange in TLS 1.2, then ChangeCipherSpec and what is encrypted already.</summary>
    public static byte[] ClientFinish(bool tls13, Random random)
    {
        var flight = new List<byte>();
        if (!tls13)
        {
            var exchange = new List<byte> { 32 };
            Noise(exchange, 32, random);
            flight.AddRange(Record(0x16, Handshake(16, exchange)));
        }
        flight.AddRange(Record(0x14, [1]));
        var finished = new List<byte>();
        Noise(finished, 40, random);
        flight.AddRange(Record((byte)(tls13 ? 0x17 : 0x16), finished));
        return [.. flight];
    }

    /// <summary>Records of at most 16 KiB that carry <paramref name="length"/> bytes.</summary>
    public static byte[] ApplicationData(int length, Random random)
    {
        var records = new List<byte>(length + 64);
        while (length > 0)
        {
            int n = Math.Min(length, 16_384);
            records.AddRange([0x17, 3, 3, (byte)((n + 17) >> 8), (byte)(n + 17)]);
            Noise(records, n + 17, random);
            length -= n;
        }
        return [.. records];
    }

    /// <summary>X.509 v3 (RFC 5280) for a host, in DER.</summary>
    public static byte[] Certificate(string name, Random random)
    {
        var der = new AsnWriter(AsnEncodingRules.DER);
        byte[] noise = new byte[256];
        using (der.PushSequence())
        {
            using (der.PushSequence())
            {
                using (der.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0))) der.WriteInteger(2);
                der.WriteInteger(random.NextInt64());
                Algorithm(der, "1.2.840.113549.1.1.11");
                der.WriteEncodedValue(new X500DistinguishedName("CN=Example Issuing CA R3, O=Example Trust Services, C=US").RawData);
                using (der.PushSequence())
                {
                    var from = new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero);
                    der.WriteUtcTime(from.AddDays(random.Next(300)));
                    der.WriteUtcTime(from.AddDays(400 + random.Next(300)));
                }
                der.WriteEncodedValue(new X500DistinguishedName($"CN={name}, O=Example Ltd, L=Zurich, C=CH").RawData);
                using (der.PushSequence())
                {
                    Algorithm(der, "1.2.840.113549.1.1.1");
                    var key = new AsnWriter(AsnEncodingRules.DER);
                    random.NextBytes(noise);
                    using (key.PushSequence())
                    {
                        key.WriteIntegerUnsigned([0x7F, .. noise[1..]]);
                        key.WriteInteger(65_537);
                    }
                    der.WriteBitString(key.Encode());
                }
                using (der.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3)))
                using (der.PushSequence())
                using (der.PushSequence())
                {
                    der.WriteObjectIdentifier("2.5.29.17");
                    der.WriteOctetString([0x30, (byte)(name.Length + 2), 0x82, (byte)name.Length, .. Encoding.ASCII.GetBytes(name)]);
                }
            }
            Algorithm(der, "1.2.840.113549.1.1.11");
            random.NextBytes(noise);
            der.WriteBitString(noise);
        }
        return der.Encode();
    }

    static void Algorithm(AsnWriter der, string identifier)
    {
        using (der.PushSequence())
        {
            der.WriteObjectIdentifier(identifier);
            der.WriteNull();
        }
    }

    static List<byte> Handshake(byte type, List<byte> body) => [type, (byte)(body.Count >> 16), (byte)(body.Count >> 8), (byte)body.Count, .. body];

    static byte[] Record(byte type, List<byte> body) => [type, 3, (byte)(type == 0x16 && body[0] == 1 ? 1 : 3), (byte)(body.Count >> 8), (byte)body.Count, .. body];

    static void Extension(List<byte> to, int type, ReadOnlySpan<byte> body)
    {
        U16(to, type);
        U16(to, body.Length);
        to.AddRange(body);
    }

    static void Vector16(List<byte> to, List<byte> body)
    {
        U16(to, body.Count);
        to.AddRange(body);
    }

    static void U16(List<byte> to, int value)
    {
        to.Add((byte)(value >> 8));
        to.Add((byte)value);
    }

    static int Grease(Random random) => 0x0A0A + (0x1010 * random.Next(16));

    static void Noise(List<byte> to, int length, Random random)
    {
        byte[] bytes = new byte[length];
        random.NextBytes(bytes);
        to.AddRange(bytes);
    }
}
