using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// Generic routing encapsulation, RFC 2784 with the key and sequence number of RFC 2890 and the source routes of RFC 1701; version 1 is
/// PPTP's (RFC 2637 4.1). Every getter is safe once <see cref="TryRead"/> has said true.
/// </summary>
public readonly ref struct GreHeader
{
    public const int MinimumHeaderLength = 4;

    /// <summary>RFC 2637 4.1: key field present, flags and the one protocol type.</summary>
    const int EnhancedHeaderLength = 8;

    GreHeader(int flags, ushort protocolType, uint key, ReadOnlySpan<byte> payload)
    {
        Version = flags & 7;
        HasSequenceNumber = (flags & 0x1000) != 0;
        ProtocolType = protocolType;
        Key = key;
        Payload = payload;
    }

    /// <summary>0, or 1 for PPTP.</summary>
    public int Version { get; }
    public bool HasSequenceNumber { get; }

    /// <summary>EtherType of the payload; <see cref="EtherType.Ppp"/> in version 1.</summary>
    public ushort ProtocolType { get; }

    /// <summary>The key, or version 1's call identifier; 0 when there is none.</summary>
    public uint Key { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False for a header that is not whole, or is of a version above 1.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out GreHeader header)
    {
        header = default;
        if (bytes.Length < MinimumHeaderLength) return false;
        int flags = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        ushort protocolType = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if ((flags & 7) == 1) return TryReadEnhanced(bytes, flags, protocolType, out header);
        if ((flags & 7) != 0) return false;
        int length = MinimumHeaderLength;
        uint key = 0;
        // Checksum with offset (present for either flag), key, sequence number: each four bytes.
        if ((flags & 0xC000) != 0) length += 4;
        if ((flags & 0x2000) != 0)
        {
            if (bytes.Length < length + 4) return false;
            key = BinaryPrimitives.ReadUInt32BigEndian(bytes[length..]);
            length += 4;
        }
        if ((flags & 0x1000) != 0) length += 4;
        if (bytes.Length < length) return false;
        ReadOnlySpan<byte> payload = bytes[length..];
        if ((flags & 0x4000) != 0 && !TrySkipRoutes(ref payload)) return false;
        header = new GreHeader(flags, protocolType, key, payload);
        return true;
    }

    /// <summary>Each route has a family, an offset, a length and that many bytes; one of family and length zero ends them.</summary>
    static bool TrySkipRoutes(ref ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= 4)
        {
            int family = BinaryPrimitives.ReadUInt16BigEndian(bytes), length = bytes[3];
            bytes = bytes[4..];
            if (family == 0 && length == 0) return true;
            if (bytes.Length < length) return false;
            bytes = bytes[length..];
        }
        return false;
    }

    static bool TryReadEnhanced(ReadOnlySpan<byte> bytes, int flags, ushort protocolType, out GreHeader header)
    {
        header = default;
        // No checksum, no routes, always a key.
        if ((flags & 0xE000) != 0x2000 || protocolType != EtherType.Ppp || bytes.Length < EnhancedHeaderLength) return false;
        int length = EnhancedHeaderLength;
        if ((flags & 0x1000) != 0) length += 4;
        if ((flags & 0x0080) != 0) length += 4;
        if (bytes.Length < length) return false;
        ReadOnlySpan<byte> payload = bytes[length..];
        int payloadLength = (flags & 0x1000) != 0 ? BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) : 0;
        header = new GreHeader(flags, protocolType, BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]), payload[..Math.Min(payloadLength, payload.Length)]);
        return true;
    }
}
