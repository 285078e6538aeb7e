using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Virtual private networks: WireGuard, OpenVPN, IKE with ESP, PPTP, L2TP.</summary>
static class VpnShapes
{
    /// <summary>Marks in a flow's sequence field: this side has sent OpenVPN's hard reset.</summary>
    const uint OpenVpnClient = 0x4F56_0007, OpenVpnServer = 0x4F56_0008;

    /// <summary>
    /// WireGuard's message types with their fixed lengths: the first handshake message is 148 bytes, the second 92, a cookie 64. Transport data
    /// alone proves nothing, but two of one receiver index with a counter in its first 2^32 do. Some servers (WARP) put a client's number into the three
    /// reserved bytes: then the answer must name the sender's index of the first message.
    /// </summary>
    public static bool IsWireGuard(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 32) return false;
        bool reserved = (b[1] | b[2] | b[3]) == 0;
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        switch (b[0])
        {
            case 1 when b.Length == 148:
                if (!reserved) kept = ReadUInt32LittleEndian(b[4..]);
                return reserved;
            case 2 when b.Length == 92:
                return reserved || ((direction == 0 ? flow.NextIn : flow.NextOut) is var sent and not 0 && ReadUInt32LittleEndian(b[8..]) == sent);
            case 3:
                return reserved && b.Length == 64;
            case 4 when reserved && b.Length % 16 == 0 && ReadUInt32LittleEndian(b[12..]) == 0:
                uint index = ReadUInt32LittleEndian(b[4..]);
                if (index != 0 && index == kept) return true;
                kept = index;
                return false;
            default:
                return false;
        }
    }

    /// <summary>
    /// OpenVPN's P_CONTROL_HARD_RESET of a client (opcode 7, 10) and of a server (8), key 0, with the session identifier. In the clear they end in numbers
    /// that are zero, and behind tls-auth or tls-crypt the first has number 1, which is enough; else both sides must have sent theirs. Without the
    /// resets, two data packets of one peer whose numbers follow each other.
    /// </summary>
    public static bool IsOpenVpn(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 14) return false;
        if (b[0] is 0x30 or 0x48) return IsOpenVpnData(ref flow, direction, b);
        if (b[0] == 0x28) return IsPlainAcknowledgment(b);
        if (b[0] is not (0x38 or 0x50 or 0x40) || ReadUInt64BigEndian(b[1..]) == 0) return false;
        if (IsPlainReset(b) || IsProvenReset(b)) return true;
        bool server = b[0] == 0x40;
        (uint own, uint other) = server ? (OpenVpnServer, OpenVpnClient) : (OpenVpnClient, OpenVpnServer);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        kept = own;
        return (direction == 0 ? flow.NextIn : flow.NextOut) == other;
    }

    /// <summary>P_DATA_V1 and, with three bytes of the peer's number, P_DATA_V2: a packet number that goes on by a few, then 16 bytes of tag at least.</summary>
    static bool IsOpenVpnData(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        int at = b[0] == 0x48 ? 4 : 1;
        if (b.Length < at + 4 + 16) return false;
        uint number = ReadUInt32BigEndian(b[at..]);
        // Opcode and peer as a mark that is never 0.
        ushort mark = (ushort)(b[0] == 0x48 ? 0x8000 | (b[2] << 8) | b[3] : 1);
        ushort before = SequenceMarks.Exchange(ref flow, direction, mark);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        bool follows = before == mark && number - kept is > 0 and <= 8 && number != 0;
        kept = number;
        return follows;
    }

    /// <summary>A client's ends behind two zeros, a server's acknowledges number 0 of the session that it names and has number 0 itself.</summary>
    static bool IsPlainReset(ReadOnlySpan<byte> b) => b[0] == 0x40
        ? b.Length == 26 && b[9] == 1 && ReadUInt32BigEndian(b[10..]) == 0 && ReadUInt64BigEndian(b[14..]) != 0 && ReadUInt32BigEndian(b[22..]) == 0
        : b.Length == 14 && b[0] == 0x38 && (b[9] | b[10] | b[11] | b[12] | b[13]) == 0;

    /// <summary>P_ACK_V1: up to eight small numbers, and the other's session.</summary>
    static bool IsPlainAcknowledgment(ReadOnlySpan<byte> b)
    {
        if (b[9] is 0 or > 8 || b.Length != 10 + (4 * b[9]) + 8 || ReadUInt64BigEndian(b[1..]) == 0) return false;
        for (int i = 0; i < b[9]; i++)
        {
            if (ReadUInt32BigEndian(b[(10 + (4 * i))..]) > ushort.MaxValue) return false;
        }
        return true;
    }

    /// <summary>
    /// tls-auth with SHA-1, SHA-256 or SHA-512, tls-crypt, and its second version, which has the client's key behind it. The packet identifier behind the
    /// HMAC (or before it) is 1.
    /// </summary>
    static bool IsProvenReset(ReadOnlySpan<byte> b) => b.Length switch
    {
        42 => ReadUInt32BigEndian(b[29..]) == 1,
        54 => ReadUInt32BigEndian(b[41..]) == 1 || ReadUInt32BigEndian(b[9..]) is 1 or 0x0F000001,
        86 => ReadUInt32BigEndian(b[73..]) == 1,
        // A server's also acknowledges: five words more.
        > 54 => b[0] != 0x38 && ReadUInt32BigEndian(b[9..]) is 1 or 0x0F000001 && IsTime(ReadUInt32BigEndian(b[13..])),
        _ => false,
    };

    /// <summary>Of 2001 to 2055.</summary>
    static bool IsTime(uint seconds) => seconds is > 0x3B00_0000 and < 0xA000_0000;

    /// <summary>OpenVPN over TCP: the same behind a two-byte length that ends where the segment does.</summary>
    public static bool IsOpenVpnStream(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16 || ReadUInt16BigEndian(b) != b.Length - 2 || ReadUInt64BigEndian(b[3..]) == 0) return false;
        return b[2] is 0x38 or 0x40 or 0x50 ? IsPlainReset(b[2..]) || IsProvenReset(b[2..]) : b[2] == 0x28 && IsPlainAcknowledgment(b[2..]);
    }

    /// <summary>The first bytes of a reset whose rest comes in other segments: a length that one can have, and the opcode of a client.</summary>
    public static bool MayBeOpenVpnStream(ReadOnlySpan<byte> b) =>
        b.Length >= 3 && ReadUInt16BigEndian(b) is 14 or 42 or 54 or 86 && b[2] == 0x38 && b.Length - 2 < ReadUInt16BigEndian(b);

    /// <summary>
    /// The header of IKE, RFC 2408 3.1 and RFC 7296 3.1, or the same behind RFC 3948's four zero bytes, or RFC 8229's word for TCP. Its length field must be the datagram's.
    /// </summary>
    public static bool IsIke(ReadOnlySpan<byte> b)
    {
        if (b.StartsWith("IKETCP"u8)) return true;
        if (b.Length >= 32 && ReadUInt32BigEndian(b) == 0) b = b[4..];
        if (b.Length < 28 || ReadUInt64BigEndian(b) == 0 || ReadUInt32BigEndian(b[24..]) != b.Length) return false;
        return b[17] switch
        {
            0x10 => b[18] is >= 1 and <= 6 or 32 or 33 && b[19] < 8 && b[16] is <= 24 or 130 or 132,
            0x20 => b[18] is >= 34 and <= 44 && (b[19] & 0xC7) == 0 && b[16] is 0 or (>= 33 and <= 54),
            _ => false,
        };
    }

    /// <summary>ESP in UDP (RFC 3948 2.1) is a number, a counter and cipher text: only its port sets it apart, so the port must say so.</summary>
    public static bool IsEspInUdp(ReadOnlySpan<byte> b, ushort sourcePort, ushort destinationPort) =>
        (sourcePort == 4500 || destinationPort == 4500) && b.Length >= 24 && ReadUInt32BigEndian(b) > 255 && b.Length % 4 == 0 && ReadUInt32BigEndian(b[4..]) < 1 << 28;

    /// <summary>RFC 2661 3.1: a control message of version 2 with length and sequence numbers.</summary>
    public static bool IsL2tp(ReadOnlySpan<byte> b) => b.Length >= 12 && b[0] == 0xC8 && b[1] == 2 && ReadUInt16BigEndian(b[2..]) == b.Length;

    /// <summary>RFC 2637 2.1: Start-Control-Connection has a fixed length and a magic cookie.</summary>
    public static bool IsPptp(ReadOnlySpan<byte> b) =>
        b.Length >= 12 && ReadUInt16BigEndian(b) == 156 && ReadUInt16BigEndian(b[2..]) == 1 && ReadUInt32BigEndian(b[4..]) == 0x1A2B3C4D;
}
