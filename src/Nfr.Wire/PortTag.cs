using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// Tags by which a switch names a port of an extender or of a virtual machine: IEEE 802.1BR's E-tag and the VN-tag before it. Every getter is safe
/// once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct PortTag
{
    public const int ETagLength = 8;
    public const int VnTagLength = 6;

    PortTag(ushort type, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Payload = payload;
    }

    public ushort Type { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <param name="bytes">What follows the tag's EtherType.</param>
    /// <param name="length"><see cref="ETagLength"/> or <see cref="VnTagLength"/>.</param>
    /// <param name="tag">The EtherType behind the tag, and what it announces.</param>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, int length, out PortTag tag)
    {
        tag = default;
        if (bytes.Length < length) return DecodeFault.VlanTooShort;
        tag = new PortTag(BinaryPrimitives.ReadUInt16BigEndian(bytes[(length - 2)..]), bytes[length..]);
        return DecodeFault.None;
    }
}
