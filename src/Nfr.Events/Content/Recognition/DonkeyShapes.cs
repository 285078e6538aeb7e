using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>
/// The eDonkey network as its clients speak it (Kulbak and Bickson, "The eMule Protocol Specification", 2005): between peers, with servers, and eMule's Kademlia. What
/// eMule obfuscates looks like nothing from its first byte, and cannot be known.
/// </summary>
static class DonkeyShapes
{
    const byte Plain = 0xE3, Extended = 0xC5, Kademlia = 0xE4, PackedKademlia = 0xE5;
    /// <summary>Header of a message in a stream: protocol, length behind it (little endian), opcode.</summary>
    const int Header = 6;
    const int Hash = 16;
    /// <summary>Address and ports of a peer in Kademlia, with its identifier and version.</summary>
    const int Contact = 25;

    /// <summary>The message that a side begins with, or one that carries a file's part.</summary>
    public static bool IsStream(ReadOnlySpan<byte> b)
    {
        if (b.Length < Header || b[0] is not (Plain or Extended)) return false;
        uint length = ReadUInt32LittleEndian(b[1..]);
        ReadOnlySpan<byte> body = b[Header..];
        if (length < 2) return false;
        return (b[0], b[5]) switch
        {
            // Hello of a peer, which says how long its hash is, or log-in at a server, which does not.
            (Plain, 0x01) => length < 4096 && (body.Length > 0 && body[0] == Hash && IsPeer(body[1..], length - 2) || IsPeer(body, length - 1)),
            // Its answer ends in the server's address and port.
            (Plain, 0x4C) => length < 4096 && IsPeer(body, length - 1),
            // A server's greeting in text.
            (Plain, 0x38) => length is > 3 and < 4096 && body.Length > 2 && ReadUInt16LittleEndian(body) == length - 3 && !body[2..(int)Math.Min(body.Length, length - 1)].ContainsAnyInRange((byte)0, (byte)8),
            // Three ranges of a file that are wanted; a part of one of them.
            (Plain, 0x47) => length == 1 + Hash + 24 && body.Length >= Hash + 24 && IsRange(body, Hash, Hash + 12) && IsRange(body, Hash + 4, Hash + 16) && IsRange(body, Hash + 8, Hash + 20),
            (Plain, 0x46) => body.Length >= Hash + 8 && length is > 1 + Hash + 8 and < 1 << 20 && ReadUInt32LittleEndian(body[(Hash + 4)..]) - ReadUInt32LittleEndian(body[Hash..]) == length - 1 - Hash - 8,
            // eMule's own: version, version of the protocol, tags.
            (Extended, 0x01 or 0x02) => length is > 7 and < 1024 && body.Length >= 9 && body[1] == 1 && IsTags(body[2..], length - 3),
            _ => false,
        };
    }

    /// <summary>A datagram of a server or a peer (0xE3), or of Kademlia (0xE4): opcode, and a length that follows from it.</summary>
    public static bool IsDatagram(ReadOnlySpan<byte> b)
    {
        if (b.Length < 6) return false;
        ReadOnlySpan<byte> body = b[2..];
        switch (b[0])
        {
            case Plain:
                return b[1] switch
                {
                    // A server is asked how it is with a number that ends so, and says it again.
                    0x96 => b.Length == 6 && body[2] == 0xAA && body[3] == 0x55,
                    0x97 => b.Length is >= 14 and <= 64 && body[2] == 0xAA && body[3] == 0x55,
                    // Sources of a file: address and port each.
                    0x9B => body.Length > Hash && body[Hash] > 0 && body.Length == Hash + 1 + (6 * body[Hash]),
                    _ => false,
                };
            case Kademlia:
                return b[1] switch
                {
                    // Who is nearest to an identifier: how many are wanted, the identifier, the receiver's.
                    0x20 or 0x21 => body.Length == 1 + Hash + Hash && body[0] is 2 or 4 or 11,
                    0x28 or 0x29 => body.Length > Hash && body[Hash] is > 0 and <= 32 && body.Length == Hash + 1 + (Contact * body[Hash]),
                    0x09 => body.Length > Hash + 5 && ReadUInt16LittleEndian(body[(Hash + 3)..]) is > 0 and <= 32 and var count && body.Length == Hash + 5 + (Contact * count),
                    0x08 => ReadUInt16LittleEndian(body) is > 0 and <= 32 and var count && body.Length == 2 + (Contact * count),
                    // Identifier, TCP port, version, tags: none, or few with their one-letter names.
                    0x11 or 0x19 => body.Length >= Hash + 4 && body[Hash + 2] is > 0 and <= 16 && (body[Hash + 3] == 0 ? body.Length == Hash + 4 : body[Hash + 3] <= 4 && IsTag(body[(Hash + 4)..])),
                    // The first version: a whole contact.
                    0x00 or 0x10 or 0x18 => body.Length == Contact && body[Contact - 1] <= 5,
                    // Sources of a file: identifier, where to begin, its size.
                    0x34 => body.Length == Hash + 10 && body[Hash + 9] == 0 && body[Hash + 8] == 0,
                    _ => false,
                };
            // RFC 1950 2.2: method and flags of zlib.
            case PackedKademlia:
                return b.Length > 16 && b[1] is 0x09 or 0x08 or 0x28 or 0x29 or 0x3B or 0x43 && body[0] == 0x78 && ((body[0] << 8) | body[1]) % 31 == 0;
            default:
                return false;
        }
    }

    /// <summary>User hash, identifier, port and tags.</summary>
    static bool IsPeer(ReadOnlySpan<byte> body, uint length) => body.Length >= Hash + 6 + 4 && length >= Hash + 6 + 4 && IsTags(body[(Hash + 6)..], length - Hash - 6);

    /// <summary>A count of tags, and the first one.</summary>
    static bool IsTags(ReadOnlySpan<byte> body, uint length) =>
        body.Length >= 8 && ReadUInt32LittleEndian(body) is > 0 and <= 32 and var count && length >= 4 + (count * 3) && IsTag(body[4..]);

    /// <summary>Text or number with a name of one letter, which newer clients write shorter: the type's highest bit says so.</summary>
    static bool IsTag(ReadOnlySpan<byte> b) => b.Length >= 4 && (b[0] is 0x02 or 0x03 or 0x08 or 0x09 or 0x0B ? b[1] == 1 && b[2] == 0 : b[0] is 0x82 or 0x83 or 0x88 or 0x89 or (>= 0x91 and <= 0xA0));

    static bool IsRange(ReadOnlySpan<byte> body, int from, int to) => ReadUInt32LittleEndian(body[from..]) <= ReadUInt32LittleEndian(body[to..]);
}
