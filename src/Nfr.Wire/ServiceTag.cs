using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// Provider backbone bridging, IEEE 802.1Q 9.7 (once 802.1ah): the I-tag, behind which a customer's whole frame follows. Every getter is safe once
/// <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct ServiceTag
{
    public const int Length = 4;

    readonly ReadOnlySpan<byte> _bytes;

    ServiceTag(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>24 bits: the I-SID.</summary>
    public uint ServiceIdentifier => BinaryPrimitives.ReadUInt32BigEndian(_bytes) & 0xFF_FFFF;

    /// <summary>The customer's Ethernet frame, from its addresses on.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[Length..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ServiceTag tag)
    {
        tag = default;
        if (bytes.Length < Length) return DecodeFault.VlanTooShort;
        tag = new ServiceTag(bytes);
        return DecodeFault.None;
    }
}
