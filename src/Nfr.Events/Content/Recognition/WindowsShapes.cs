using static System.Buffers.Binary.BinaryPrimitives;

namespace Nfr.Events;

/// <summary>Files, names and calls of a local network: SMB, NetBIOS, DCE/RPC, remote desktop, NFS.</summary>
static class WindowsShapes
{
    /// <summary>MS-SMB2 2.1: the four bytes of a NetBIOS session, then FF, FE, FD or FC and "SMB".</summary>
    public static bool IsSmb(ReadOnlySpan<byte> b) => b.Length >= 8 && b[0] == 0 && b[4] >= 0xFC && b[5..8].SequenceEqual("SMB"u8);

    /// <summary>RFC 1002 4.3.2: a session request with two names in half-bytes.</summary>
    public static bool IsNetbiosSession(ReadOnlySpan<byte> b) =>
        b.Length >= 38 && b[0] == 0x81 && b[1] == 0 && b[4] == 0x20 && !b.Slice(5, 32).ContainsAnyExceptInRange((byte)'A', (byte)'P');

    /// <summary>RFC 1002 4.3.3, 4.3.7: a session is granted, or kept alive; four bytes without more.</summary>
    public static bool IsNetbiosAnswer(ReadOnlySpan<byte> b) => b.Length >= 4 && b[0] is 0x82 or 0x85 && (b[1] | b[2] | b[3]) == 0 && (b.Length == 4 || IsSmb(b[4..]));

    /// <summary>RFC 1002 4.4: a datagram with its length, then a source name in half-bytes.</summary>
    public static bool IsNetbiosDatagram(ReadOnlySpan<byte> b) =>
        b.Length >= 48 && b[1] <= 0x0F && b[14] == 0x20 && !b.Slice(15, 32).ContainsAnyExceptInRange((byte)'A', (byte)'P');

    /// <summary>C706 12.6: version 5.0 or 5.1, a packet type, and a fragment length that begins and ends where the segment does.</summary>
    public static bool IsDcerpc(ReadOnlySpan<byte> b)
    {
        if (b.Length < 16 || b[0] != 5 || b[1] > 1 || b[2] > 19 || b[4] is not (0x10 or 0x00) || b[5] != 0) return false;
        int length = b[4] == 0x10 ? ReadUInt16LittleEndian(b[8..]) : ReadUInt16BigEndian(b[8..]);
        return length >= 16 && (length <= b.Length || b.Length >= 536);
    }

    /// <summary>C706 12.5: version 4 over datagrams, with a body length that the datagram holds.</summary>
    public static bool IsDcerpcDatagram(ReadOnlySpan<byte> b)
    {
        if (b.Length < 80 || b[0] != 4 || b[1] > 10 || b[4] is not (0x10 or 0x00) || b[5] != 0) return false;
        int length = b[4] == 0x10 ? ReadUInt16LittleEndian(b[74..]) : ReadUInt16BigEndian(b[74..]);
        return length == b.Length - 80;
    }

    /// <summary>
    /// X.224 13.3, 13.4 in TPKT (RFC 1006): a connection request or confirm. MS-RDPBCGR 2.2.1.1 puts a cookie or a negotiation behind it, or nothing.
    /// </summary>
    public static bool IsRdp(ReadOnlySpan<byte> b)
    {
        if (!IsTransportOpening(b)) return false;
        ReadOnlySpan<byte> rest = b[11..];
        return rest.IsEmpty || rest[0] is 1 or 2 or 3 || rest.StartsWith("Cookie: ms"u8);
    }

    /// <summary>T.125 in X.224 data (MS-RDPBCGR 2.2.1.3, 2.2.8): RDP without TLS, picked up in the middle. The packet's length is the segment's, or the segment is full.</summary>
    public static bool IsRdpData(ReadOnlySpan<byte> b) =>
        b.Length >= 12 && b[0] == 3 && b[1] == 0 && ReadUInt16BigEndian(b[2..]) is var length and >= 12 && (length == b.Length || (length > b.Length && b.Length >= 536) || (length < b.Length && b[length] is 0 or 3))
        && b[4] == 2 && b[5] == 0xF0 && b[6] == 0x80 && b[7] is 0x04 or 0x28 or 0x2E or 0x38 or 0x3E or 0x64 or 0x68 or 0x7F;

    /// <summary>
    /// MS-RDPEUDP 2.2.2.1, 2.2.2.9: the SYN that opens RDP over UDP acknowledges nothing (all ones), names two transfer units of 1132 to 1232 bytes, and is filled
    /// up to their size. The other side's acknowledges the first; there the filling is asked for too.
    /// </summary>
    public static bool IsRdpDatagram(ReadOnlySpan<byte> b)
    {
        if (b.Length is < 1132 or > 1232 || ReadUInt16BigEndian(b[12..]) is < 1132 or > 1232 || ReadUInt16BigEndian(b[14..]) is < 1132 or > 1232) return false;
        return (b[7] & 5) switch
        {
            1 => ReadUInt32BigEndian(b) == uint.MaxValue,
            5 => ReadUInt32BigEndian(b) != uint.MaxValue && !b[^256..].ContainsAnyExcept((byte)0),
            _ => false,
        };
    }

    public static bool IsTransportOpening(ReadOnlySpan<byte> b) => b.Length >= 11 && b[0] == 3 && b[1] == 0 && b[5] is 0xE0 or 0xD0;

    /// <summary>RFC 5531 9: a call of version 2 to the programs of NFS, of its mount or its lock service; over TCP a record mark stands before it.</summary>
    public static bool IsNfs(ReadOnlySpan<byte> b) =>
        b.Length >= 24 && ReadUInt32BigEndian(b[4..]) == 0 && ReadUInt32BigEndian(b[8..]) == 2 && ReadUInt32BigEndian(b[12..]) is 100003 or 100005 or 100021 or 100227;
}
