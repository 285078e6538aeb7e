using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>
/// Streams picked up in the middle: what shows a protocol where its greeting was missed. Asked only of connections without their SYN, and only of the
/// first few segments, so it may search where the others compare.
/// </summary>
static class StreamShapes
{
    public static App InTheMiddle(ReadOnlySpan<byte> b)
    {
        if (HoldsTlsRecords(b)) return App.Tls;
        return PeerShapes.IsPeerMessages(b) ? App.BitTorrent : App.Unknown;
    }

    /// <summary>
    /// RFC 8446 5.1: a segment seldom begins with a record, but one that ends where the segment does, or is followed by the next record's header, is no
    /// coincidence.
    /// </summary>
    static bool HoldsTlsRecords(ReadOnlySpan<byte> b)
    {
        // The last header may be followed by its length's bytes exactly, so five bytes and one of content are the least.
        for (int at = 0; at + 6 <= b.Length; at++)
        {
            // The version's first byte is the rarer sight in cipher text than a search for four types.
            int found = b[(at + 1)..].IndexOf((byte)3);
            if (found < 0) return false;
            at += found;
            if (!IsRecordHeader(b, at)) continue;
            int next = at + 5 + ReadUInt16BigEndian(b[(at + 3)..]);
            if (next == b.Length || IsRecordHeader(b, next)) return true;
        }
        return false;
    }

    static bool IsRecordHeader(ReadOnlySpan<byte> b, int at) =>
        at + 5 <= b.Length && b[at] is >= 0x14 and <= 0x17 && b[at + 1] == 3 && b[at + 2] <= 4 && ReadUInt16BigEndian(b[(at + 3)..]) is > 0 and <= 16_640;
}
