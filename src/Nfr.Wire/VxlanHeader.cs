using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>VXLAN, RFC 7348 5. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct VxlanHeader
{
    public const ushort Port = 4789;

    /// <summary>What Linux used before IANA had assigned <see cref="Port"/>, and still does when not told.</summary>
    public const ushort LinuxPort = 8472;
    public const int HeaderLength = 8;

    readonly ReadOnlySpan<byte> _bytes;

    VxlanHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>24 bits: the VNI.</summary>
    public uint NetworkIdentifier => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]) >> 8;

    /// <summary>An Ethernet frame.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    /// <summary>False when the header is not whole or its I flag (a valid network identifier) is missing.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out VxlanHeader header)
    {
        header = default;
        if (bytes.Length < HeaderLength || (bytes[0] & 0x08) == 0) return false;
        header = new VxlanHeader(bytes);
        return true;
    }
}
