using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>IEEE 802.1Q tag: what follows a VLAN EtherType.</summary>
public readonly ref struct VlanTag
{
    public const int HeaderLength = 4;

    readonly ReadOnlySpan<byte> _bytes;

    VlanTag(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort Identifier => (ushort)(BinaryPrimitives.ReadUInt16BigEndian(_bytes) & 0x0FFF);
    public ushort Type => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out VlanTag tag)
    {
        tag = default;
        if (bytes.Length < HeaderLength) return DecodeFault.VlanTooShort;
        tag = new VlanTag(bytes);
        return DecodeFault.None;
    }
}
