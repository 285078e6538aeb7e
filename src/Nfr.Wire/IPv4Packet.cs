using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 791. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct IPv4Packet
{
    public const int MinimumHeaderLength = 20;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int _headerLength;

    IPv4Packet(ReadOnlySpan<byte> bytes, int headerLength, int totalLength)
    {
        _bytes = bytes;
        _headerLength = headerLength;
        TotalLength = totalLength;
    }

    /// <summary>Length of the datagram on the wire. A zero in the header (segmentation offload) is replaced by what was captured.</summary>
    public int TotalLength { get; }
    public int HeaderLength => _headerLength;
    public ushort Identification => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);
    public bool MoreFragments => (_bytes[6] & 0x20) != 0;

    /// <summary>In bytes.</summary>
    public int FragmentOffset => (BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]) & 0x1FFF) << 3;
    public bool IsFragment => (BinaryPrimitives.ReadUInt16BigEndian(_bytes[6..]) & 0x3FFF) != 0;
    public byte TimeToLive => _bytes[8];
    public byte Protocol => _bytes[9];
    public Address Source => Address.ReadV4(_bytes[12..]);
    public Address Destination => Address.ReadV4(_bytes[16..]);

    /// <summary>What was captured of the payload: link-layer padding is gone, a cut-off frame gives what is there.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[_headerLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out IPv4Packet packet)
    {
        packet = default;
        if (bytes.Length < MinimumHeaderLength) return DecodeFault.IPv4HeaderTooShort;
        if (bytes[0] >> 4 != 4) return DecodeFault.IPv4VersionWrong;
        int headerLength = (bytes[0] & 0x0F) * 4;
        if (headerLength < MinimumHeaderLength) return DecodeFault.IPv4HeaderLengthBelowMinimum;
        if (bytes.Length < headerLength) return DecodeFault.IPv4HeaderTooShort;
        int totalLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (totalLength == 0) totalLength = bytes.Length;
        if (totalLength < headerLength) return DecodeFault.IPv4TotalLengthBelowHeader;
        packet = new IPv4Packet(bytes.Length > totalLength ? bytes[..totalLength] : bytes, headerLength, totalLength);
        return DecodeFault.None;
    }
}
