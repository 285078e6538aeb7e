using System.Buffers.Text;
using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Services of a network: time, addresses, names, log lines, accounting, small files.</summary>
static class ServiceShapes
{
    /// <summary>
    /// RFC 5905 7.3: 48 bytes, or more with extensions or a digest, version 1 to 4. Elsewhere than at port 123 the transmit time must
    /// be of these decades. Control and private messages (modes 6 and 7) say too little and need the port.
    /// </summary>
    public static bool IsNtp(ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        bool port = sourcePort == 123 || destinationPort == 123;
        int version = (b[0] >> 3) & 7, mode = b[0] & 7;
        if (version is 0 or > 4) return false;
        if (port && (mode == 6 ? b.Length >= 12 : mode == 7 && b.Length >= 8)) return true;
        if (b.Length < 48 || mode is 0 or > 5 || b[1] > 16 || b.Length % 4 != 0) return false;
        return port || (b.Length <= 1024 && version >= 3 && b[2] <= 17 && (sbyte)b[3] is <= 0 and >= -32 && ReadUInt32BigEndian(b[40..]) is > 0xBC00_0000 or < 0x4000_0000
            && ReadUInt32BigEndian(b[40..]) != 0 && ReadUInt32BigEndian(b[4..]) < 1 << 20 && ReadUInt32BigEndian(b[8..]) < 1 << 20);
    }

    /// <summary>AMD's magic packet: six octets of ones, then the machine's address sixteen times. A password of four or six octets may follow; wherever it goes, mostly to port 7 or 9.</summary>
    public static bool IsWakeOnLan(ReadOnlySpan<byte> b)
    {
        const int Mark = 6, Mac = 6, Times = 16, Length = Mark + (Times * Mac);
        if (b.Length is not (Length or Length + 4 or Length + 6) || b[..Mark].ContainsAnyExcept((byte)0xFF)) return false;
        // Each is the one before it.
        return b[Mark..(Length - Mac)].SequenceEqual(b[(Mark + Mac)..Length]);
    }

    /// <summary>RFC 2131 3: the magic cookie behind BOOTP's fixed fields.</summary>
    public static bool IsDhcp(ReadOnlySpan<byte> b) => b.Length >= 240 && b[0] <= 2 && ReadUInt32BigEndian(b[236..]) == 0x63825363;

    /// <summary>RFC 8415 8: a type, a transaction, and options that end where the datagram does. Its ports are fixed, and one must be there.</summary>
    public static bool IsDhcpV6(ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        if (sourcePort is not (546 or 547) && destinationPort is not (546 or 547)) return false;
        if (b.Length < 8 || b[0] is 0 or > 36) return false;
        int at = b[0] is 12 or 13 ? 34 : 4;
        while (at + 4 <= b.Length) at += 4 + ReadUInt16BigEndian(b[(at + 2)..]);
        return at == b.Length;
    }

    /// <summary>RFC 1002 4.1: DNS's header and a name of 32 letters from A to P.</summary>
    public static bool IsNetbiosName(ReadOnlySpan<byte> b) =>
        b.Length >= 50 && b[12] == 0x20 && !b.Slice(13, 32).ContainsAnyExceptInRange((byte)'A', (byte)'P') && ReadUInt16BigEndian(b[4..]) <= 1;

    /// <summary>RFC 5424 6.2.1, RFC 3164 4.1.1: a priority of at most 191 in angle brackets, then text.</summary>
    public static bool IsSyslog(ReadOnlySpan<byte> b)
    {
        int end = b[..Math.Min(b.Length, 5)].IndexOf((byte)'>');
        return end is >= 2 and <= 4 && Utf8Parser.TryParse(b[1..end], out byte priority, out int used) && used == end - 1 && priority <= 191
            && b.Length > end + 1 && b[end + 1] is >= 0x20 and < 0x7F;
    }

    /// <summary>RFC 2865 3: a code, the datagram's own length, and attributes that fill it. At its ports the length is enough, and what lies behind it is padding.</summary>
    public static bool IsRadius(ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        if (b.Length < 20 || b[0] is not ((>= 1 and <= 5) or (>= 11 and <= 13) or (>= 40 and <= 45)) || ReadUInt16BigEndian(b[2..]) is var length && (length < 20 || length > b.Length)) return false;
        if (IsRadiusPort(sourcePort) || IsRadiusPort(destinationPort)) return true;
        if (b.Length == 20 || length != b.Length) return false;
        int at = 20;
        while (at + 2 <= b.Length && b[at] != 0 && b[at + 1] >= 2) at += b[at + 1];
        return at == b.Length;
    }

    static bool IsRadiusPort(ushort port) => port is 1812 or 1813 or 1645 or 1646 or 3799;

    /// <summary>
    /// RFC 1350: a request names a file and a mode. Its data comes from another port: block 1 of one side and its acknowledgment of the other.
    /// </summary>
    public static bool IsTftp(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        const uint data = 0x5446_0003, acknowledgment = 0x5446_0004;
        if (b.Length < 4 || b[0] != 0) return false;
        if (b[1] is 1 or 2)
        {
            int end = b[2..].IndexOf((byte)0);
            if (end < 1) return false;
            ReadOnlySpan<byte> mode = b[(3 + end)..];
            return Recognizer.StartsWithIgnoreCase(mode, "octet\0"u8) || Recognizer.StartsWithIgnoreCase(mode, "netascii\0"u8);
        }
        // RFC 2347: the options that a server agrees to.
        if (b[1] == 6) return b[^1] == 0 && (b[2..].StartsWith("blksize\0"u8) || b[2..].StartsWith("tsize\0"u8) || b[2..].StartsWith("timeout\0"u8));
        if (b[1] == 5) return b.Length > 5 && b[2] == 0 && b[3] <= 8 && b[^1] == 0 && !b[4..^1].ContainsAnyExceptInRange((byte)0x20, (byte)0x7E);
        if (b[1] is not (3 or 4) || b[2] != 0 || b[3] > 4 || (b[1] == 4 && b.Length != 4)) return false;
        (uint own, uint other) = b[1] == 3 ? (data, acknowledgment) : (acknowledgment, data);
        (direction == 0 ? ref flow.NextOut : ref flow.NextIn) = own;
        return (direction == 0 ? flow.NextIn : flow.NextOut) == other;
    }

    /// <summary>
    /// RFC 7252 3: version 1, a token, and options that walk to the end or to content. Elsewhere than at its ports a confirmable or plain request with a path,
    /// a host or a query.
    /// </summary>
    public static bool IsCoap(ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        if (b.Length < 4) return false;
        int token = b[0] & 15, codeClass = b[1] >> 5, detail = b[1] & 31;
        bool port = sourcePort is >= 5683 and <= 5684 || destinationPort is >= 5683 and <= 5684;
        if (token > 8 || b.Length < 4 + token || codeClass is 1 or 3 or > 5) return false;
        if (b[1] == 0) return port && b.Length == 4;
        if (codeClass == 0 ? detail > 7 : detail > 31) return false;
        int option = 0;
        bool path = false;
        ReadOnlySpan<byte> rest = b[(4 + token)..];
        while (!rest.IsEmpty && rest[0] != 0xFF)
        {
            int delta = rest[0] >> 4, length = rest[0] & 15;
            rest = rest[1..];
            if (!TryExtend(ref delta, ref rest) || !TryExtend(ref length, ref rest) || length > rest.Length) return false;
            option += delta;
            if (!port && !IsKnownOption(option, rest[..length])) return false;
            path |= option is 3 or 11 or 15;
            rest = rest[length..];
        }
        // A marker without content is an error (3).
        return rest.Length != 1 && (port || (codeClass == 0 && path && b[0] < 0x60));
    }

    /// <summary>RFC 7252 12.2 and later ones of IANA's registry; host, path and query are text.</summary>
    static bool IsKnownOption(int option, ReadOnlySpan<byte> value) => option switch
    {
        3 or 11 or 15 => !value.IsEmpty && !value.ContainsAnyExceptInRange((byte)0x20, (byte)0x7E),
        1 or 4 or 5 or 6 or 7 or 8 or 9 or 12 or 13 or 14 or 16 or 17 or 19 or 20 or 23 or 27 or 28 or 35 or 39 or 60 or 252 or 258 or 292 => value.Length <= 255,
        _ => false,
    };

    static bool TryExtend(ref int value, ref ReadOnlySpan<byte> rest)
    {
        int bytes = value == 13 ? 1 : value == 14 ? 2 : 0;
        if (value == 15 || rest.Length < bytes) return false;
        if (bytes == 1) value = 13 + rest[0];
        else if (bytes == 2) value = 269 + ReadUInt16BigEndian(rest);
        rest = rest[bytes..];
        return true;
    }

    /// <summary>Flow export: versions 1, 5 and 7 have records of one size, version 9 (RFC 3954) and IPFIX (RFC 7011) sets that fill the datagram.</summary>
    public static bool IsNetflow(ReadOnlySpan<byte> b)
    {
        if (b.Length < 20 || b[0] != 0) return false;
        int count = ReadUInt16BigEndian(b[2..]);
        switch (b[1])
        {
            case 1:
                return count is > 0 and <= 24 && b.Length == 16 + (52 * count);
            case 5:
                return count is > 0 and <= 30 && b.Length == 24 + (48 * count);
            case 7:
                return count is > 0 and <= 28 && b.Length == 24 + (52 * count);
            case 9:
                return count > 0 && AreSets(b[20..], 2);
            case 10:
                return count == b.Length && AreSets(b[16..], 4);
            default:
                return false;
        }
    }

    static bool AreSets(ReadOnlySpan<byte> b, int firstReserved)
    {
        int sets = 0;
        while (b.Length >= 4)
        {
            int id = ReadUInt16BigEndian(b), length = ReadUInt16BigEndian(b[2..]);
            if (length < 4 || length > b.Length || (id < 256 && (firstReserved == 2 ? id > 1 : id is not (2 or 3)))) return false;
            b = b[length..];
            sets++;
        }
        return sets > 0 && b.IsEmpty;
    }
}
