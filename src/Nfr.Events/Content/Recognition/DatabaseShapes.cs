using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Databases and brokers by their first message.</summary>
static class DatabaseShapes
{
    /// <summary>PostgreSQL's start-up (protocol 3.x), its request for TLS or GSSAPI, or a cancellation; the length is the message's own.</summary>
    public static bool IsPostgres(ReadOnlySpan<byte> b)
    {
        if (b.Length < 8 || ReadUInt16BigEndian(b) != 0) return false;
        int length = ReadUInt16BigEndian(b[2..]);
        uint code = ReadUInt32BigEndian(b[4..]);
        if (length == 8) return code is 80877103 or 80877104;
        if (code == 80877102) return length is >= 16 and <= 272;
        return code >> 16 == 3 && (code & 0xFFFF) <= 9 && length > 8 && ((length == b.Length && b[^1] == 0) || b[8..].StartsWith("user\0"u8));
    }

    /// <summary>MySQL's greeting: a three-byte length that is the packet's, number 0, protocol 10 and a version in text. Or an error in its place.</summary>
    public static bool IsMysqlGreeting(ReadOnlySpan<byte> b)
    {
        if (b.Length < 10 || (b[0] | (b[1] << 8) | (b[2] << 16)) != b.Length - 4 || b[3] != 0) return false;
        if (b[4] == 0xFF) return ReadUInt16LittleEndian(b[5..]) is >= 1000 and < 2000;
        return b[4] == 10 && b[5] is >= (byte)'3' and <= (byte)'9' && b[5..].IndexOf((byte)0) is > 3 and < 64;
    }

    /// <summary>MS-TDS 2.2.3.1: a pre-login, a log-in or an answer whose length is the segment's.</summary>
    public static bool IsTds(ReadOnlySpan<byte> b, int direction)
    {
        if (b.Length < 8 || b[1] > 1 || ReadUInt16BigEndian(b[2..]) != b.Length || b[7] != 0) return false;
        if (direction == 1) return b[0] == 4 && b[6] <= 1 && b.Length > 8 && b[8] is 0x00 or 0xE3 or 0xAB or 0xAD or 0xAA;
        // Before version 7 a log-in has one size.
        if (b[0] == 2) return b.Length >= 512 && ReadUInt16BigEndian(b[4..]) == 0;
        // A pre-login is a table of options whose first is the version.
        return b[0] == 0x12 ? b.Length > 13 && b[8] == 0 && b[9] == 0 : b[0] == 0x10 && b.Length > 44 && ReadUInt32LittleEndian(b[8..]) <= b.Length - 8;
    }

    /// <summary>MongoDB's header in little-endian: length, two identifiers, and a known operation.</summary>
    public static bool IsMongodb(ReadOnlySpan<byte> b)
    {
        if (b.Length < 21) return false;
        uint length = ReadUInt32LittleEndian(b);
        if (length < 21 || length > 48_000_000 || (length != b.Length && b.Length < 536)) return false;
        return ReadUInt32LittleEndian(b[12..]) is 1 or (>= 2001 and <= 2007) or (>= 2010 and <= 2013);
    }

    /// <summary>RESP: an array of bulk strings, as every client sends its commands.</summary>
    public static bool IsRedis(ReadOnlySpan<byte> b)
    {
        if (b.Length < 8 || b[0] != (byte)'*' || b[1] is < (byte)'1' or > (byte)'9') return false;
        int end = b[..Math.Min(b.Length, 10)].IndexOf("\r\n$"u8);
        return end > 1 && !b[1..end].ContainsAnyExceptInRange((byte)'0', (byte)'9') && b.Length > end + 3 && b[end + 3] is >= (byte)'0' and <= (byte)'9';
    }

    /// <summary>memcached's text commands on a line of their own, or its binary header with the length of its body.</summary>
    public static bool IsMemcached(ReadOnlySpan<byte> b)
    {
        if (b.Length < 7) return false;
        if (b[0] is 0x80 or 0x81)
            return b.Length >= 24 && b[1] <= 0x40 && b[5] == 0 && ReadUInt32BigEndian(b[8..]) == b.Length - 24 && ReadUInt16BigEndian(b[2..]) + b[4] <= b.Length - 24;
        int end = b[..Math.Min(b.Length, 300)].IndexOf("\r\n"u8);
        if (end < 5) return false;
        ReadOnlySpan<byte> line = b[..end];
        if (line.SequenceEqual("stats"u8) || line.SequenceEqual("version"u8) || line.StartsWith("stats "u8) || line.SequenceEqual("flush_all"u8)) return true;
        if (line.StartsWith("get "u8) || line.StartsWith("gets "u8)) return line.IndexOf("HTTP"u8) < 0;
        if (!line.StartsWith("set "u8) && !line.StartsWith("add "u8) && !line.StartsWith("replace "u8) && !line.StartsWith("append "u8)) return false;
        return line.Count((byte)' ') is 4 or 5 && line[^1] is >= (byte)'0' and <= (byte)'9' or (byte)'y';
    }

    /// <summary>The same over UDP: a request number, sequence, count and a zero before the text.</summary>
    public static bool IsMemcachedDatagram(ReadOnlySpan<byte> b)
    {
        if (b.Length < 15 || ReadUInt16BigEndian(b[6..]) != 0 || ReadUInt16BigEndian(b[4..]) == 0) return false;
        ReadOnlySpan<byte> text = b[8..];
        return text[0] is >= (byte)'a' and <= (byte)'z' ? IsMemcached(text)
            : text.StartsWith("VALUE "u8) || text.StartsWith("STAT "u8) || text.StartsWith("END\r\n"u8) || text.StartsWith("VERSION "u8);
    }

    /// <summary>Cassandra's native protocol: the first frame of a client is OPTIONS without a body or STARTUP with the version of its language.</summary>
    public static bool IsCassandra(ReadOnlySpan<byte> b)
    {
        if (b.Length < 8 || b[0] is 0 or > 6) return false;
        int at = b[0] <= 2 ? 3 : 4;
        if (b.Length < at + 5) return false;
        uint length = ReadUInt32BigEndian(b[(at + 1)..]);
        if (length != b.Length - at - 5) return false;
        return b[at] == 5 ? length == 0 : b[at] == 1 && b.IndexOf("CQL_VERSION"u8) > 0;
    }

    /// <summary>Elasticsearch's transport: "ES" and a length that is the rest of the segment, or more than one holds. Its other face is HTTP.</summary>
    public static bool IsElasticsearch(ReadOnlySpan<byte> b) =>
        b.Length >= 6 && b[0] == (byte)'E' && b[1] == (byte)'S' && (ReadUInt32BigEndian(b[2..]) == b.Length - 6 || (ReadUInt32BigEndian(b[2..]) < 1 << 24 && b.Length >= 536));

    /// <summary>AMQP 0-9-1 4.2.3, picked up in the middle: a frame of a known type that ends in 0xCE where its length says.</summary>
    public static bool IsAmqpFrame(ReadOnlySpan<byte> b)
    {
        if (b.Length < 8) return false;
        uint length = ReadUInt32BigEndian(b[3..]);
        return length is > 0 and < 1 << 17 && length <= b.Length - 8 && b[7 + (int)length] == 0xCE;
    }
}
