using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 768. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct UdpDatagram
{
    public const int HeaderLength = 8;

    readonly ReadOnlySpan<byte> _bytes;

    UdpDatagram(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_bytes);
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out UdpDatagram datagram)
    {
        datagram = default;
        if (bytes.Length < HeaderLength) return DecodeFault.UdpHeaderTooShort;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        // Zero: a jumbogram (RFC 2675) or segmentation offload; the IP length counts.
        if (length == 0) length = bytes.Length;
        if (length < HeaderLength) return DecodeFault.UdpLengthBelowHeader;
        datagram = new UdpDatagram(bytes[..Math.Min(length, bytes.Length)]);
        return DecodeFault.None;
    }
}
