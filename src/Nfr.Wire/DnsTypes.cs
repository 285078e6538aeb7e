using System.Buffers.Text;
using System.Globalization;

namespace Nfr.Wire;

/// <summary>Names of resource record types, as IANA's registry "Resource Record (RR) TYPEs" has them; others by RFC 3597 as TYPE65280.</summary>
public static class DnsTypes
{
    public const ushort A = 1, NS = 2, CNAME = 5, SOA = 6, NULL = 10, PTR = 12, MX = 15, TXT = 16, AAAA = 28, SRV = 33, NAPTR = 35, DNAME = 39,
        OPT = 41, SVCB = 64, HTTPS = 65, SPF = 99, ANY = 255, CAA = 257;

    /// <summary>The longest name, in bytes: NSEC3PARAM, OPENPGPKEY. A scratch of this length is enough for <see cref="Name"/>.</summary>
    public const int MaxNameLength = 10;

    static ReadOnlySpan<ushort> Known =>
    [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36,
        37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 99, 100,
        101, 102, 103, 104, 105, 106, 107, 108, 109, 128, 249, 250, 251, 252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264,
        32768, 32769,
    ];

    /// <summary>IANA's mnemonic; empty for a type without one (then <see cref="Name"/> is TYPE and the number).</summary>
    public static ReadOnlySpan<byte> Utf8Name(ushort type) => type switch
    {
        1 => "A"u8, 2 => "NS"u8, 3 => "MD"u8, 4 => "MF"u8, 5 => "CNAME"u8, 6 => "SOA"u8, 7 => "MB"u8, 8 => "MG"u8, 9 => "MR"u8,
        10 => "NULL"u8, 11 => "WKS"u8, 12 => "PTR"u8, 13 => "HINFO"u8, 14 => "MINFO"u8, 15 => "MX"u8, 16 => "TXT"u8, 17 => "RP"u8,
        18 => "AFSDB"u8, 19 => "X25"u8, 20 => "ISDN"u8, 21 => "RT"u8, 22 => "NSAP"u8, 23 => "NSAP-PTR"u8, 24 => "SIG"u8, 25 => "KEY"u8,
        26 => "PX"u8, 27 => "GPOS"u8, 28 => "AAAA"u8, 29 => "LOC"u8, 30 => "NXT"u8, 31 => "EID"u8, 32 => "NIMLOC"u8, 33 => "SRV"u8,
        34 => "ATMA"u8, 35 => "NAPTR"u8, 36 => "KX"u8, 37 => "CERT"u8, 38 => "A6"u8, 39 => "DNAME"u8, 40 => "SINK"u8, 41 => "OPT"u8,
        42 => "APL"u8, 43 => "DS"u8, 44 => "SSHFP"u8, 45 => "IPSECKEY"u8, 46 => "RRSIG"u8, 47 => "NSEC"u8, 48 => "DNSKEY"u8,
        49 => "DHCID"u8, 50 => "NSEC3"u8, 51 => "NSEC3PARAM"u8, 52 => "TLSA"u8, 53 => "SMIMEA"u8, 55 => "HIP"u8, 56 => "NINFO"u8,
        57 => "RKEY"u8, 58 => "TALINK"u8, 59 => "CDS"u8, 60 => "CDNSKEY"u8, 61 => "OPENPGPKEY"u8, 62 => "CSYNC"u8, 63 => "ZONEMD"u8,
        64 => "SVCB"u8, 65 => "HTTPS"u8, 66 => "DSYNC"u8, 67 => "HHIT"u8, 68 => "BRID"u8, 99 => "SPF"u8, 100 => "UINFO"u8,
        101 => "UID"u8, 102 => "GID"u8, 103 => "UNSPEC"u8, 104 => "NID"u8, 105 => "L32"u8, 106 => "L64"u8, 107 => "LP"u8, 108 => "EUI48"u8, 109 => "EUI64"u8,
        128 => "NXNAME"u8, 249 => "TKEY"u8, 250 => "TSIG"u8, 251 => "IXFR"u8, 252 => "AXFR"u8, 253 => "MAILB"u8, 254 => "MAILA"u8,
        255 => "ANY"u8, 256 => "URI"u8, 257 => "CAA"u8, 258 => "AVC"u8, 259 => "DOA"u8, 260 => "AMTRELAY"u8, 261 => "RESINFO"u8,
        262 => "WALLET"u8, 263 => "CLA"u8, 264 => "IPN"u8, 32768 => "TA"u8, 32769 => "DLV"u8,
        _ => default,
    };

    /// <summary>IANA's mnemonic, or TYPE and the number (RFC 3597 5) written into <paramref name="scratch"/>.</summary>
    public static ReadOnlySpan<byte> Name(ushort type, Span<byte> scratch)
    {
        ReadOnlySpan<byte> name = Utf8Name(type);
        return name.IsEmpty ? Numbered("TYPE"u8, type, scratch) : name;
    }

    internal static ReadOnlySpan<byte> Numbered(ReadOnlySpan<byte> word, ushort number, Span<byte> scratch)
    {
        word.CopyTo(scratch);
        number.TryFormat(scratch[word.Length..], out int digits, default, CultureInfo.InvariantCulture);
        return scratch[..(word.Length + digits)];
    }

    /// <summary>Reads a mnemonic in either case, "*" for ANY, or TYPE and a number (RFC 3597 5).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out ushort type)
    {
        // Nearly all that are asked for, as they are nearly always written.
        type = text.Length switch
        {
            1 => text[0] == 'A' ? A : (ushort)0,
            2 => text.SequenceEqual("NS"u8) ? NS : text.SequenceEqual("MX"u8) ? MX : (ushort)0,
            3 => text.SequenceEqual("PTR"u8) ? PTR : text.SequenceEqual("TXT"u8) ? TXT : text.SequenceEqual("SRV"u8) ? SRV : text.SequenceEqual("SOA"u8) ? SOA : (ushort)0,
            4 => text.SequenceEqual("AAAA"u8) ? AAAA : (ushort)0,
            5 => text.SequenceEqual("HTTPS"u8) ? HTTPS : text.SequenceEqual("CNAME"u8) ? CNAME : (ushort)0,
            _ => (ushort)0,
        };
        if (type != 0) return true;
        foreach (ushort known in Known)
        {
            if (!System.Text.Ascii.EqualsIgnoreCase(text, Utf8Name(known))) continue;
            type = known;
            return true;
        }
        type = ANY;
        if (text.SequenceEqual("*"u8)) return true;
        type = 0;
        return text.Length > 4 && System.Text.Ascii.EqualsIgnoreCase(text[..4], "TYPE"u8)
            && Utf8Parser.TryParse(text[4..], out type, out int used) && used == text.Length - 4;
    }
}
