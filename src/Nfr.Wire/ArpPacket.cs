using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 826, of Ethernet hardware and IPv4. Every getter is safe once <see cref="TryRead"/> has said None and <see cref="IsEthernetIPv4"/>.</summary>
public readonly ref struct ArpPacket
{
    public const int Length = 28;

    const int HeaderLength = 8;

    readonly ReadOnlySpan<byte> _bytes;

    ArpPacket(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Hardware type 1 with six bytes, protocol IPv4 with four; others are no business of ours.</summary>
    public bool IsEthernetIPv4 => !_bytes.IsEmpty;

    /// <summary>1 request, 2 reply (RFC 5494 for the others).</summary>
    public ushort Operation => BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]);
    public ulong SenderHardware => HardwareAddress.Read(_bytes[8..]);
    /// <summary>0.0.0.0 in a probe (RFC 5227 2.1.1): the sender does not have an address yet.</summary>
    public Address SenderAddress => Address.ReadV4(_bytes[14..]);
    public Address TargetAddress => Address.ReadV4(_bytes[24..]);

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ArpPacket packet)
    {
        packet = default;
        if (bytes.Length < HeaderLength) return DecodeFault.ArpTooShort;
        if (BinaryPrimitives.ReadUInt16BigEndian(bytes) != 1 || BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) != EtherType.IPv4 || bytes[4] != 6 || bytes[5] != 4) return DecodeFault.None;
        if (bytes.Length < Length) return DecodeFault.ArpTooShort;
        packet = new ArpPacket(bytes[..Length]);
        return DecodeFault.None;
    }
}
