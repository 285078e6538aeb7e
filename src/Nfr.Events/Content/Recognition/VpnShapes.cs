using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Virtual private networks: WireGuard, OpenVPN, IKE with ESP, PPTP, L2TP.</summary>
static class VpnShapes
{
    /// <summary>Marks in a flow's sequence field: this side has sent OpenVPN's hard reset.</summary>
    const uint OpenVpnClient = 0x4F56_0007, OpenVpnServer = 0x4F56_0008;

    /// <summary>
    /// WireGuard's message types with their fixed lengths: the first handshake message is 148 bytes, the second 92, a cookie 64. Transport data
    /// alone proves nothing, but two of one receiver index with a counter in its first 2^32 do.
    /// </summary>
    public static bool IsWireGuard(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b.Length < 32 || (b[1] | b[2] | b[3]) != 0) return false;
        switch (b[0])
        {
            case 1:
                return b.Length == 148;
            case 2:
                return b.Length == 92;
            case 3:
                return b.Length == 64;
            case 4 when b.Length % 16 == 0 && ReadUInt32LittleEndian(b[12..]) == 0:
                uint index = ReadUInt32LittleEndian(b[4..]);
                ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
                if (index != 0 && index == kept) return true;
                kept = index;
                return false;
            default:
                return false;
        }
    }

    /// <summary>
    /// OpenVPN's P_CONTROL_HARD_RESET of a client (opcode 7, 10) and of a server (8), key 0, with the session identifier. In the clear the client's
    /// is 14 bytes and ends in zeros, which is enough; behind tls-auth or tls-crypt both sides must have sent theirs.
    /// </summary>
    public static bool IsOpenVpn(ref Flow flow, int direction, ReadOnlySpan<byte> b)
    {
        if (b[0] is not (0x38 or 0x50 or 0x40) || b.Length < 14 || ReadUInt64BigEndian(b[1..]) == 0) return false;
        if (IsPlainReset(b)) return true;
        bool server = b[0] == 0x40;
        (uint own, uint other) = server ? (OpenVpnServer, OpenVpnClient) : (OpenVpnClient, OpenVpnServer);
        ref uint kept = ref direction == 0 ? ref flow.NextOut : ref flow.NextIn;
        kept = own;
        return (direction == 0 ? flow.NextIn : flow.NextOut) == other;
    }

    static bool IsPlainReset(ReadOnlySpan<byte> b) => b.Length == 14 && b[0] == 0x38 && (b[9] | b[10] | b[11] | b[12] | b[13]) == 0;

    /// <summary>OpenVPN over TCP: the same behind a two-byte length that ends where the segment does.</summary>
    public static bool IsOpenVpnStream(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16 || ReadUInt16BigEndian(b) != b.Length - 2 || ReadUInt64BigEndian(b[3..]) == 0) return false;
        if (b[2] is not (0x38 or 0x40)) return false;
        if (IsPlainReset(b[2..])) return true;
        // tls-auth with SHA-1, SHA-256, SHA-512; tls-crypt. The packet identifier behind the HMAC (or before it) is 1.
        return b.Length switch
        {
            2 + 42 => ReadUInt32BigEndian(b[31..]) == 1,
            2 + 54 => ReadUInt32BigEndian(b[43..]) == 1 || ReadUInt32BigEndian(b[11..]) is 1 or 0x0F000001,
            2 + 86 => ReadUInt32BigEndian(b[75..]) == 1,
            _ => false,
        };
    }

    /// <summary>
    /// The header of IKE, RFC 2408 3.1 and RFC 7296 3.1, or the same behind RFC 3948's four zero bytes. Its length field must be the datagram's.
    /// </summary>
    public static bool IsIke(ReadOnlySpan<byte> b)
    {
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
