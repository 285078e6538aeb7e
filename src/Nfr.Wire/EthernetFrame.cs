using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>IEEE 802.3 / Ethernet II. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct EthernetFrame
{
    public const int HeaderLength = 14;

    readonly ReadOnlySpan<byte> _bytes;

    EthernetFrame(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public ReadOnlySpan<byte> Destination => _bytes[..6];
    public ReadOnlySpan<byte> Source => _bytes.Slice(6, 6);

    /// <summary>EtherType, or a length when below 0x0600 (then an LLC header follows).</summary>
    public ushort Type => BinaryPrimitives.ReadUInt16BigEndian(_bytes[12..]);
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    /// <summary>The I/G bit: broadcast or multicast.</summary>
    public bool IsGroupAddressed => (_bytes[0] & 1) != 0;

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out EthernetFrame frame)
    {
        frame = default;
        if (bytes.Length < HeaderLength) return DecodeFault.FrameTooShort;
        frame = new EthernetFrame(bytes);
        return DecodeFault.None;
    }
}
