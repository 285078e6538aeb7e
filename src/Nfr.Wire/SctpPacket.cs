using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 9260 3: the common header. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct SctpPacket
{
    public const int HeaderLength = 12;

    readonly ReadOnlySpan<byte> _bytes;

    SctpPacket(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_bytes);
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);

    /// <summary>The first chunk asks for an association (INIT, which stands alone).</summary>
    public bool IsInit => _bytes.Length > HeaderLength && _bytes[HeaderLength] == 1;

    /// <summary>The first chunk grants one (INIT ACK).</summary>
    public bool IsInitAck => _bytes.Length > HeaderLength && _bytes[HeaderLength] == 2;

    /// <summary>Chunks.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out SctpPacket packet)
    {
        packet = default;
        if (bytes.Length < HeaderLength) return DecodeFault.SctpHeaderTooShort;
        packet = new SctpPacket(bytes);
        return DecodeFault.None;
    }
}
