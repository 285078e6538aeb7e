namespace Nfr.Events;

/// <summary>Protocols written in BER (X.690): SNMP, LDAP, Kerberos. Their first tags are fixed.</summary>
static class BerShapes
{
    /// <summary>
    /// RFC 1157, 3416, 3412: a sequence of version 0, 1 or 3 and a community, or a header sequence. A message that is cut, or lies about its length, says as much.
    /// </summary>
    public static bool IsSnmp(ReadOnlySpan<byte> b)
    {
        if (!TryEnter(ref b, 0x30, exact: false) || b.Length < 6 || b[0] != 2 || b[1] != 1) return false;
        byte version = b[2];
        b = b[3..];
        if (version == 3) return b[0] == 0x30;
        if (version > 1 || b[0] != 4 || b[1] > 0x7F || b.Length < 3 + b[1]) return false;
        return b[2 + b[1]] is >= 0xA0 and <= 0xA8;
    }

    /// <summary>RFC 4511 4.1.1: a sequence of a message number and an operation with an application tag.</summary>
    public static bool IsLdap(ReadOnlySpan<byte> b)
    {
        if (!TryEnter(ref b, 0x30, exact: false) || b.Length < 5 || b[0] != 2 || b[1] is 0 or > 4 || b.Length < 4 + b[1]) return false;
        byte operation = b[2 + b[1]];
        byte length = b[3 + b[1]];
        return operation switch
        {
            0x42 => length == 0,
            // A bind names version 2 or 3.
            0x60 => b[(4 + b[1])..].IndexOf([(byte)0x02, (byte)0x01]) is >= 0 and < 4,
            0x61 or 0x63 or 0x64 or 0x65 or 0x66 or 0x67 or 0x68 or 0x69 or 0x6B or 0x6D or 0x6F or 0x77 or 0x78 => length > 0,
            _ => false,
        };
    }

    /// <summary>RFC 4120 5.10: an application tag, a sequence, and within it the protocol's version 5.</summary>
    public static bool IsKerberos(ReadOnlySpan<byte> b)
    {
        if (b.Length < 12 || b[0] is not ((>= 0x6A and <= 0x6F) or (>= 0x74 and <= 0x76) or 0x7E)) return false;
        if (!TryEnter(ref b, b[0], exact: false) || !TryEnter(ref b, 0x30, exact: false) || b.Length < 5) return false;
        return b[0] is 0xA0 or 0xA1 && b[1] == 3 && b[2] == 2 && b[3] == 1 && b[4] == 5;
    }

    /// <summary>RFC 4120 7.2.2: over TCP a length stands before it.</summary>
    public static bool IsKerberosStream(ReadOnlySpan<byte> b) => b.Length >= 16 && b[0] == 0 && b[1] < 4 && IsKerberos(b[4..]);

    /// <summary>Steps into a value of one tag. <paramref name="exact"/>: it must end where the bytes do; else it may go on beyond them.</summary>
    static bool TryEnter(ref ReadOnlySpan<byte> b, byte tag, bool exact)
    {
        if (b.Length < 2 || b[0] != tag) return false;
        int header = 2;
        long length = b[1];
        if (length >= 0x80)
        {
            int bytes = (int)length & 0x7F;
            if (bytes is 0 or > 4 || b.Length < 2 + bytes) return false;
            length = 0;
            for (int i = 0; i < bytes; i++) length = (length << 8) | b[2 + i];
            header += bytes;
        }
        if (exact && length != b.Length - header) return false;
        b = b[header..];
        return true;
    }
}
