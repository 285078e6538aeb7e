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
                if (offered == 1 || offered >> 8 == 0xFF0000 || IsReserved(offered) || IsGoogleVersion(offered)) return true;
            }
            return false;
        }
        // A version of the pattern that forces negotiation (RFC 9000 15), in a datagram of a first packet's size.
        return IsReserved(version) && (b[0] & 0x40) != 0 && b.Length >= 1200 && destination >= 8;
    }

    static bool IsReserved(uint version) => (version & 0x0F0F0F0F) == 0x0A0A0A0A;

    /// <summary>"Q" or "T" and a number below 100.</summary>
    static bool IsGoogleVersion(uint version) =>
        version >> 24 is 'Q' or 'T' && ((version >> 16) & 0xFF) == '0' && ((version >> 8) & 0xFF) is >= '0' and <= '9' && (version & 0xFF) is >= '0' and <= '9';

    /// <summary>Up to Q043: public flags with the version bit, eight bytes of connection, the version in text.</summary>
    static bool IsGoogle(ReadOnlySpan<byte> b) => (b[0] & 0x09) == 0x09 && (b[0] & 0xC2) == 0 && IsGoogleVersion(ReadUInt32BigEndian(b[9..]));
}
