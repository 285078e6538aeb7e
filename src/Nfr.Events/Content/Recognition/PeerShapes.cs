using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Peer-to-peer: BitTorrent, crypto-currencies, I2P's clients.</summary>
static class PeerShapes
{
    const uint UtpMark = 0x5554_0000;

    /// <summary>BEP 5: a bencoded dictionary whose last key "y" says query, response or error.</summary>
    public static bool IsDht(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16 || b[^1] != (byte)'e' || b[1] is < (byte)'1' or > (byte)'9') return false;
        return b.IndexOf("1:y1:q"u8) > 0 || b.IndexOf("1:y1:r"u8) > 0 || b.IndexOf("1:y1:e"u8) > 0;
    }

    /// <summary>
    /// BEP 15: connect begins with a protocol identifier of eight fixed bytes. An announce has a length of its own, action 1, and a peer identifier that
    /// names its program between dashes (BEP 20).
    /// </summary>
    public static bool IsTracker(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16) return false;
        if (ReadUInt64BigEndian(b) == 0x0000_0417_2710_1980) return ReadUInt32BigEndian(b[8..]) == 0;
        return b.Length is >= 98 and < 512 && ReadUInt32BigEndian(b[8..]) == 1 && ReadUInt32BigEndian(b[80..]) <= 3 && b[36] == (byte)'-' && b[43] == (byte)'-';
    }

    /// <summary>
    /// BEP 29 (uTP), version 1. A SYN has no peer's time to compare with, sequence 1 and nothing acknowledged. Anything else takes two: acknowledgments
    /// with one connection identifier, data of one identifier whose sequence goes on, or both directions, whose identifiers are neighbours.
    /// </summary>
    public static bool IsUtp(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 20 || (b[0] & 0x0F) != 1 || b[0] >> 4 > 4 || b[1] > 2) return false;
        if (b[0] == 0x41)
            return b.Length <= 48 && ReadUInt32BigEndian(b[4..]) != 0 && ReadUInt32BigEndian(b[12..]) is > 0 and < 1 << 26 && ReadUInt32BigEndian(b[8..]) == 0 && ReadUInt16BigEndian(b[16..]) == 1 && ReadUInt16BigEndian(b[18..]) == 0;
        // Acknowledgments are 20 bytes, or have a mask of some words behind them.
        bool isAcknowledgment = b[0] == 0x21;
        if (isAcknowledgment && (b[1] == 0 ? b.Length != 20 : b.Length < 26 || b[20] != 0 || b[21] % 4 != 0 || b.Length != 22 + b[21])) return false;
        if (!isAcknowledgment && (b[0] != 0x01 || ReadUInt32BigEndian(b[4..]) == 0 || ReadUInt32BigEndian(b[12..]) is 0 or >= 1 << 26)) return false;
        ushort identifier = ReadUInt16BigEndian(b[2..]), sequence = ReadUInt16BigEndian(b[16..]);
        uint mark = UtpMark | identifier;
        (uint kept, uint other) = direction == 0 ? (flow.NextOut, flow.NextIn) : (flow.NextIn, flow.NextOut);
        ushort before = SequenceMarks.Exchange(ref flow, direction, sequence);
        (direction == 0 ? ref flow.NextOut : ref flow.NextIn) = mark;
        if (other >> 16 == UtpMark >> 16 && (ushort)(identifier - (ushort)other) is 1 or 0xFFFF) return true;
        return kept == mark && (isAcknowledgment || (ushort)(sequence - before) is > 0 and <= 8);
    }

    /// <summary>
    /// BEP 3: messages of peers behind their handshake, which are a length, a number and fields of fixed meaning. A request or a piece is of a block of
    /// 16 KiB that begins at a multiple of it; what stands before them must be messages without such fields.
    /// </summary>
    public static bool IsPeerMessages(ReadOnlySpan<byte> b)
    {
        while (b.Length >= 5 && b[0] == 0)
        {
            uint length = ReadUInt32BigEndian(b);
            if (length == 13 && b[4] is 6 or 8) return b.Length >= 17 && ReadUInt32BigEndian(b[13..]) == 0x4000 && (ReadUInt32BigEndian(b[9..]) & 0x3FFF) == 0 && ReadUInt32BigEndian(b[5..]) < 1 << 20;
            if (length == 0x4009 && b[4] == 7) return b.Length >= 13 && (ReadUInt32BigEndian(b[9..]) & 0x3FFF) == 0 && ReadUInt32BigEndian(b[5..]) < 1 << 20;
            // BEP 10: an extended handshake is a dictionary of what is understood.
            if (b[4] == 20) return b.Length >= 12 && b[5] == 0 && b[6..].StartsWith("d1:"u8);
            // Choke and interest have no fields, have has one.
            if ((!(length == 1 && b[4] <= 3) && !(length == 5 && b[4] == 4)) || b.Length < 4 + length) return false;
            b = b[(4 + (int)length)..];
        }
        return false;
    }

    /// <summary>
    /// I2CP, how a program speaks with its I2P router: protocol byte 0x2A, then a length and GetDate (32) with a version in text. What routers speak with each other
    /// (NTCP2, SSU2) is made to look like nothing from its first byte, and cannot be known.
    /// </summary>
    public static bool IsI2pClient(ReadOnlySpan<byte> b) =>
        b.Length >= 9 && b[0] == 0x2A && b[5] == 32 && ReadUInt32BigEndian(b[1..]) == b.Length - 6 && b[6] > 2 && b.Length >= 7 + b[6] && !b.Slice(7, b[6]).ContainsAnyExceptInRange((byte)'.', (byte)'z');

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

    /// <summary>Monero and its kin (the Levin protocol): eight fixed bytes, a length, whether an answer is wanted, and version 1 behind command, code and flags.</summary>
    public static bool IsMonero(ReadOnlySpan<byte> b) =>
        b.Length >= 24 && ReadUInt64LittleEndian(b) == 0x0101_0101_0101_2101 && ReadUInt64LittleEndian(b[8..]) < 1 << 28 && b[16] <= 1
        && ReadUInt32LittleEndian(b[17..]) is > 1000 and < 3000;

    /// <summary>
    /// Ethereum's discovery (devp2p, Discovery v4): a hash and a signature, whose last byte is 0 or 1, then one of six types and an RLP list that ends with the datagram.
    /// Version 5 is made to look like nothing.
    /// </summary>
    public static bool IsEthereumDiscovery(ReadOnlySpan<byte> b)
    {
        if (b.Length is < 99 or > 1280 || b[96] > 1 || b[97] is 0 or > 6 || b[98] < 0xC0) return false;
        int left = b.Length - 99;
        return b[98] switch
        {
            <= 0xF7 => left > 0 && left == b[98] - 0xC0,
            0xF8 => left > 56 && left - 1 == b[99],
            0xF9 => left > 257 && left - 2 == ReadUInt16BigEndian(b[99..]),
            _ => false,
        };
    }

    /// <summary>
    /// Ethereum's handshake (RLPx with EIP-8): a length of all that follows, then a public key (4 and 64 bytes) that something of random length is sealed with. A key's bytes are
    /// random: about 57 of the 64 differ from each other.
    /// </summary>
    public static bool IsEthereumHandshake(ReadOnlySpan<byte> b)
    {
        if (b.Length is < 300 or >= 1200 || ReadUInt16BigEndian(b) != b.Length - 2 || b[2] != 4) return false;
        UInt128 low = 0, high = 0;
        foreach (byte one in b.Slice(3, 64))
        {
            if (one < 128) low |= UInt128.One << one;
            else high |= UInt128.One << (one - 128);
        }
        return UInt128.PopCount(low) + UInt128.PopCount(high) >= 45;
    }
}
