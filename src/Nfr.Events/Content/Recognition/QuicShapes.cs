using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>QUIC by its long header (RFC 8999), whatever its version, and Google's own QUIC before it.</summary>
static class QuicShapes
{
    public static bool IsQuic(ReadOnlySpan<byte> b)
    {
        if (b.Length < 13) return false;
        if ((b[0] & 0x80) == 0) return IsGoogle(b);
        uint version = ReadUInt32BigEndian(b[1..]);
        // Versions by which the header's form is the same: RFC 9000, 9369 and drafts, Google's Q046 to Q050 and T05x, Facebook's.
        bool known = version is 1 or 0x6B3343CF or 0x709A50C4 || version >> 8 is 0xFF0000 or 0xFACEB0 || IsGoogleVersion(version);
        if (known) return (b[0] & 0x40) != 0 || IsGoogleVersion(version);
        int destination = b[5];
        if (destination > 20 || b.Length < 7 + destination) return false;
        int source = b[6 + destination];
        if (source > 20 || b.Length < 7 + destination + source) return false;
        // Version negotiation: version 0, and a list of versions, of which one is known or reserved.
        if (version == 0)
        {
            ReadOnlySpan<byte> list = b[(7 + destination + source)..];
            if (list.IsEmpty || list.Length % 4 != 0 || list.Length > 128) return false;
            for (; !list.IsEmpty; list = list[4..])
            {
                uint offered = ReadUInt32BigEndian(list);
                if (offered is 1 or 0x6B3343CF || offered >> 8 is 0xFF0000 or 0xFACEB0 || IsReserved(offered) || IsGoogleVersion(offered)) return true;
            }
            return false;
        }
        // A version of the pattern that forces negotiation (RFC 9000 15), in a datagram of a first packet's size.
        return IsReserved(version) && (b[0] & 0x40) != 0 && b.Length >= 1200 && destination >= 8;
    }

    /// <summary>
    /// Packets behind a handshake that was missed, two of one direction. RFC 9000 17.3.1: the first byte has the fixed bit and five that are hidden, then
    /// comes the connection identifier, which stays; but its length is not said, and eight equal bytes of two datagrams are common elsewhere, so the port must be
    /// QUIC's. Google's own, up to Q043, says that its identifier has eight bytes, and its number goes on.
    /// </summary>
    public static bool IsMidway(ref Flow flow, int direction, ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort)
    {
        if (b.Length < 21 || (sourcePort != 443 && destinationPort != 443)) return false;
        bool google = b[0] is 0x08 or 0x0C;
        // OpenVPN's data keeps its own marks.
        if (!google && ((b[0] & 0xC0) != 0x40 || b[0] == 0x48)) return false;
        uint mark = (uint)HashOf(ReadUInt64BigEndian(b[1..]));
        // What changes: the first byte, of which some bits are hidden by the header's protection, or the number.
        ushort changing = google ? b[9] : (ushort)(0x100 | b[0]);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        ushort before = SequenceMarks.Exchange(ref flow, direction, changing);
        bool isSame = kept == mark;
        kept = mark;
        return isSame && (google ? (byte)(changing - before) is > 0 and <= 8 : before > 0x100 && before != changing);
    }

    /// <summary>Spreads eight bytes over four; the product of an odd constant (2^64 over the golden ratio) does.</summary>
    static ulong HashOf(ulong identifier) => (identifier * 0x9E37_79B9_7F4A_7C15) >> 32;

    static bool IsReserved(uint version) => (version & 0x0F0F0F0F) == 0x0A0A0A0A;

    /// <summary>"Q" or "T" and a number below 100.</summary>
    static bool IsGoogleVersion(uint version) =>
        version >> 24 is 'Q' or 'T' && ((version >> 16) & 0xFF) == '0' && ((version >> 8) & 0xFF) is >= '0' and <= '9' && (version & 0xFF) is >= '0' and <= '9';

    /// <summary>Up to Q043: public flags with the version bit, eight bytes of connection, the version in text.</summary>
    static bool IsGoogle(ReadOnlySpan<byte> b) => (b[0] & 0x09) == 0x09 && (b[0] & 0xC2) == 0 && IsGoogleVersion(ReadUInt32BigEndian(b[9..]));
}
