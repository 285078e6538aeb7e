using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Calls and streams: STUN, RTP, SIP, RTSP, RTMP.</summary>
static class MediaShapes
{
    /// <summary>
    /// RFC 8489 5: two zero bits, the magic cookie, and a length in whole words. RFC 3489, before it, had no cookie: then it must be a binding (or
    /// its shared secret) with attributes that fill the datagram.
    /// </summary>
    public static bool IsStun(ReadOnlySpan<byte> b)
    {
        if (b.Length < 20 || b[0] > 0x3F) return false;
        int length = ReadUInt16BigEndian(b[2..]);
        if (ReadUInt32BigEndian(b[4..]) != 0x2112A442)
        {
            if (ReadUInt16BigEndian(b) is not (0x0001 or 0x0101 or 0x0111 or 0x0002 or 0x0102 or 0x0112) || length == 0 || length != b.Length - 20) return false;
            int at = 20;
            while (at + 4 <= b.Length) at += 4 + ((ReadUInt16BigEndian(b[(at + 2)..]) + 3) & ~3);
            return at == b.Length;
        }
        return (length & 3) == 0 && length <= b.Length - 20;
    }

    /// <summary>
    /// RFC 3550 5.1 has no magic: two datagrams of one direction with the same source and payload type, and neighbouring sequence numbers, are RTP.
    /// Its control packets (6.1) fill their datagram exactly, and one is enough.
    /// </summary>
    public static bool IsRtp(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 8 || b[0] >> 6 != 2) return false;
        if (b[1] is >= 200 and <= 204) return IsRtcp(b);
        int type = b[1] & 0x7F;
        if (b.Length < 13 || type is (> 34 and < 96)) return false;
        uint source = ReadUInt32BigEndian(b[8..]);
        ushort sequence = ReadUInt16BigEndian(b[2..]);
        ushort before = SequenceMarks.Exchange(ref flow, direction, sequence);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        bool follows = source != 0 && kept == source && (ushort)(sequence - before) is > 0 and <= 8;
        kept = source;
        return follows;
    }

    static bool IsRtcp(ReadOnlySpan<byte> b)
    {
        int packets = 0;
        while (b.Length >= 4)
        {
            int length = (ReadUInt16BigEndian(b[2..]) + 1) * 4;
            if (b[0] >> 6 != 2 || b[1] is < 200 or > 207 || length > b.Length) return false;
            b = b[length..];
            packets++;
        }
        return b.IsEmpty && packets > 0;
    }

    /// <summary>RFC 3261 7: a status line, or a method with a SIP or telephone URI.</summary>
    public static bool IsSip(ReadOnlySpan<byte> b)
    {
        // 7.5: empty lines before it are passed over.
        b = b.TrimStart("\r\n"u8);
        if (b.StartsWith("SIP/2.0 "u8)) return true;
        int space = b[..Math.Min(b.Length, 12)].IndexOf((byte)' ');
        if (space < 3 || b[..space].ContainsAnyExceptInRange((byte)'A', (byte)'Z')) return false;
        ReadOnlySpan<byte> target = b[(space + 1)..];
        return target.StartsWith("sip:"u8) || target.StartsWith("sips:"u8) || target.StartsWith("tel:"u8) || target.StartsWith("urn:service:"u8);
    }

    /// <summary>RFC 7826 20.1: a status line, or a method with an RTSP URI.</summary>
    public static bool IsRtsp(ReadOnlySpan<byte> b)
    {
        if (b.StartsWith("RTSP/1.0 "u8) || b.StartsWith("RTSP/2.0 "u8)) return true;
        int space = b[..Math.Min(b.Length, 16)].IndexOf((byte)' ');
        if (space < 3) return false;
        ReadOnlySpan<byte> target = b[(space + 1)..];
        if (target.StartsWith("rtsp://"u8) || target.StartsWith("rtspu://"u8) || target.StartsWith("rtsps://"u8)) return true;
        return target.StartsWith("* RTSP/"u8);
    }

    /// <summary>
    /// RTMP begins with its version 3 and 1536 bytes: a time, four zero bytes (or the version of the player), then noise. The rest of
    /// the handshake goes on at once, so only the side that opens is judged, and only when all of it came in one piece or with the zeros.
    /// </summary>
    public static bool IsRtmp(ReadOnlySpan<byte> b) => 
        b.Length == 1537 || (b.Length >= 1024 && b[1] == 0 && (ReadUInt32BigEndian(b[5..]) == 0 || (b[5] is (>= 9 and <= 32) or 0x80 && b[6] == 0)) && ReadUInt16BigEndian(b[2..]) != b.Length);
}
