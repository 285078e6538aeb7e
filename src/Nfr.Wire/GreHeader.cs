using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>Generic routing encapsulation, RFC 2784 with the key and sequence number of RFC 2890. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct GreHeader
{
    public const int MinimumHeaderLength = 4;

    GreHeader(ushort protocolType, ReadOnlySpan<byte> payload)
    {
        ProtocolType = protocolType;
        Payload = payload;
    }

    /// <summary>EtherType of the payload.</summary>
    public ushort ProtocolType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False for a header that is not whole, has the source routes of RFC 1701, or is not of version 0 (PPTP has 1).</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out GreHeader header)
    {
        header = default;
        if (bytes.Length < MinimumHeaderLength) return false;
        int flags = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if ((flags & 0x4007) != 0) return false;
        int length = MinimumHeaderLength;
        // Checksum with Reserved1, key, sequence number: each four bytes.
        if ((flags & 0x8000) != 0) length += 4;
        if ((flags & 0x2000) != 0) length += 4;
        if ((flags & 0x1000) != 0) length += 4;
        if (bytes.Length < length) return false;
        header = new GreHeader(BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]), bytes[length..]);
        return true;
    }
}
