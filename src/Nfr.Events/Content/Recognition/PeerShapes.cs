using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Peer-to-peer: BitTorrent, Bitcoin.</summary>
static class PeerShapes
{
    const uint UtpMark = 0x5554_0000;

    /// <summary>BEP 5: a bencoded dictionary whose last key "y" says query, response or error.</summary>
    public static bool IsDht(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16 || b[^1] != (byte)'e' || b[1] is < (byte)'1' or > (byte)'9') return false;
        return b.IndexOf("1:y1:q"u8) > 0 || b.IndexOf("1:y1:r"u8) > 0 || b.IndexOf("1:y1:e"u8) > 0;
    }

    /// <summary>BEP 15: connect begins with a protocol identifier of eight fixed bytes.</summary>
    public static bool IsTracker(ReadOnlySpan<byte> b) =>
        b.Length >= 16 && ReadUInt64BigEndian(b) == 0x0000_0417_2710_1980 && ReadUInt32BigEndian(b[8..]) == 0;

    /// <summary>
    /// BEP 29 (uTP), version 1. A SYN has no peer's time to compare with, sequence 1 and nothing acknowledged; of acknowledgments it takes two with
    /// one connection identifier.
    /// </summary>
    public static bool IsUtp(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 20 || (b[0] & 0x0F) != 1 || b[0] >> 4 > 4 || b[1] > 2) return false;
        if (b[0] == 0x41)
            return b.Length <= 48 && ReadUInt32BigEndian(b[4..]) != 0 && ReadUInt32BigEndian(b[12..]) is > 0 and < 1 << 26 && ReadUInt32BigEndian(b[8..]) == 0 && ReadUInt16BigEndian(b[16..]) == 1 && ReadUInt16BigEndian(b[18..]) == 0;
        // Data says too little: acknowledgments are 20 bytes, or have a mask of some words behind them.
        if (b[0] != 0x21 || (b[1] == 0 ? b.Length != 20 : b.Length < 26 || b[20] != 0 || b[21] % 4 != 0 || b.Length != 22 + b[21])) return false;
        uint mark = UtpMark | ReadUInt16BigEndian(b[2..]);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        if (kept == mark) return true;
        kept = mark;
        return false;
    }

    /// <summary>Bitcoin and its kin: four bytes of the network, a command in lower case padded with zeros, a length. The command is a known first one.</summary>
    public static bool IsBitcoin(ReadOnlySpan<byte> b)
    {
        if (b.Length < 24 || ReadUInt32LittleEndian(b[16..]) > 4_000_000) return false;
        ReadOnlySpan<byte> command = b.Slice(4, 12);
        int end = command.IndexOf((byte)0);
        if (end < 3 || command[end..].ContainsAnyExcept((byte)0)) return false;
        ReadOnlySpan<byte> name = command[..end];
        return name.SequenceEqual("version"u8) || name.SequenceEqual("verack"u8) || name.SequenceEqual("ping"u8) || name.SequenceEqual("pong"u8)
            || name.SequenceEqual("addr"u8) || name.SequenceEqual("inv"u8) || name.SequenceEqual("getdata"u8) || name.SequenceEqual("getheaders"u8)
            || name.SequenceEqual("headers"u8) || name.SequenceEqual("getblocks"u8) || name.SequenceEqual("block"u8) || name.SequenceEqual("tx"u8)
            || name.SequenceEqual("sendheaders"u8) || name.SequenceEqual("feefilter"u8) || name.SequenceEqual("getaddr"u8);
    }
}
