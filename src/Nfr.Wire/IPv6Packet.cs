using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 8200, with its chain of extension headers walked. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct IPv6Packet
{
    public const int HeaderLength = 40;

    /// <summary>A chain longer than this is a fault: real traffic has two or three.</summary>
    public const int MaximumExtensions = 8;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int _payloadOffset;
    readonly int _fragmentHeader;

    IPv6Packet(ReadOnlySpan<byte> bytes, int payloadOffset, int fragmentHeader, byte protocol, int totalLength)
    {
        _bytes = bytes;
        _payloadOffset = payloadOffset;
        _fragmentHeader = fragmentHeader;
        Protocol = protocol;
        TotalLength = totalLength;
    }

    /// <summary>Length of the datagram on the wire, header included. A payload length of zero (jumbogram, segmentation offload) is replaced by what was captured.</summary>
    public int TotalLength { get; }

    /// <summary>The upper-layer protocol after all extension headers.</summary>
    public byte Protocol { get; }
    public byte HopLimit => _bytes[7];
    public Address Source => Address.ReadV6(_bytes[8..]);
    public Address Destination => Address.ReadV6(_bytes[24..]);
    public bool IsFragment => _fragmentHeader != 0 && (FragmentOffset != 0 || MoreFragments);
    public int FragmentOffset => _fragmentHeader == 0 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(_bytes[(_fragmentHeader + 2)..]) & 0xFFF8;
    public bool MoreFragments => _fragmentHeader != 0 && (_bytes[_fragmentHeader + 3] & 1) != 0;
    public uint Identification => _fragmentHeader == 0 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(_bytes[(_fragmentHeader + 4)..]);
    public ReadOnlySpan<byte> Payload => _bytes[_payloadOffset..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out IPv6Packet packet)
    {
        packet = default;
        if (bytes.Length < HeaderLength) return DecodeFault.IPv6HeaderTooShort;
        if (bytes[0] >> 4 != 6) return DecodeFault.IPv6VersionWrong;
        int payloadLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        int totalLength = payloadLength == 0 ? bytes.Length : HeaderLength + payloadLength;
        if (bytes.Length > totalLength) bytes = bytes[..totalLength];
        byte next = bytes[6];
        int offset = HeaderLength;
        int fragmentHeader = 0;
        DecodeFault fault = Walk(bytes, ref next, ref offset, ref fragmentHeader);
        if (fault != DecodeFault.None) return fault;
        packet = new IPv6Packet(bytes, offset, fragmentHeader, next, totalLength);
        return DecodeFault.None;
    }

    /// <summary>Walks the extension headers that a datagram put together from fragments may begin with: they come after the fragment header.</summary>
    public static DecodeFault SkipExtensions(ref byte protocol, ref ReadOnlySpan<byte> datagram)
    {
        int offset = 0;
        int fragmentHeader = 0;
        DecodeFault fault = Walk(datagram, ref protocol, ref offset, ref fragmentHeader);
        if (fault == DecodeFault.None) datagram = datagram[offset..];
        return fault;
    }

    static DecodeFault Walk(ReadOnlySpan<byte> bytes, ref byte next, ref int offset, ref int fragmentHeader)
    {
        for (int i = 0; IsExtension(next); i++)
        {
            if (i == MaximumExtensions) return DecodeFault.IPv6ExtensionsTooMany;
            if (bytes.Length < offset + 8) return DecodeFault.IPv6ExtensionTooShort;
            int length = next switch
            {
                IPProtocol.Fragment => 8,
                IPProtocol.AuthenticationHeader => (bytes[offset + 1] + 2) * 4,
                _ => (bytes[offset + 1] + 1) * 8,
            };
            bool isFragmentHeader = next == IPProtocol.Fragment;
            next = bytes[offset];
            if (bytes.Length < offset + length) return DecodeFault.IPv6ExtensionTooShort;
            if (isFragmentHeader) fragmentHeader = offset;
            offset += length;
            // Behind the header of a fragment stands its part of the datagram, whatever the first bytes look like (RFC 8200, 4.5).
            if (isFragmentHeader && (BinaryPrimitives.ReadUInt16BigEndian(bytes[(fragmentHeader + 2)..]) & 0xFFF9) != 0) break;
        }
        return DecodeFault.None;
    }

    static bool IsExtension(byte header) => header is IPProtocol.HopByHop or IPProtocol.Routing or IPProtocol.Fragment
        or IPProtocol.AuthenticationHeader or IPProtocol.DestinationOptions or IPProtocol.Mobility or IPProtocol.Hip or IPProtocol.Shim6;
}
