using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 4861 4.1 to 4.4: router solicitation and advertisement, neighbor solicitation and advertisement; from the ICMPv6 header on. Every getter is
/// safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct NdpMessage
{
    public const byte RouterSolicitation = 133, RouterAdvertisement = 134, NeighborSolicitation = 135, NeighborAdvertisement = 136;

    /// <summary>6.1 and 7.1: a message whose IP header has another hop limit may come from elsewhere, and counts for nothing.</summary>
    public const byte HopLimit = 255;

    const byte SourceLinkLayer = 1, TargetLinkLayer = 2;

    readonly ReadOnlySpan<byte> _bytes;

    NdpMessage(ReadOnlySpan<byte> bytes, ulong hardware)
    {
        _bytes = bytes;
        Hardware = hardware;
    }

    public byte Type => _bytes[0];

    /// <summary>The address asked for, or advertised; unset in the router messages.</summary>
    public Address Target => Type is NeighborSolicitation or NeighborAdvertisement ? Address.ReadV6(_bytes[8..]) : default;

    /// <summary>Of the link-layer option: the sender's, in an advertisement of a neighbor the target's. 0 without one.</summary>
    public ulong Hardware { get; }

    /// <param name="bytes">An ICMPv6 message, whole.</param>
    /// <param name="message">Set when the type is one of the four and its options are whole.</param>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out NdpMessage message)
    {
        message = default;
        if (bytes.IsEmpty) return DecodeFault.NdpInvalid;
        int options = bytes[0] switch
        {
            RouterSolicitation => 8,
            RouterAdvertisement => 16,
            NeighborSolicitation or NeighborAdvertisement => 24,
            _ => -1,
        };
        if (options < 0 || bytes.Length < options) return DecodeFault.NdpInvalid;
        byte wanted = bytes[0] == NeighborAdvertisement ? TargetLinkLayer : SourceLinkLayer;
        ulong hardware = 0;
        for (ReadOnlySpan<byte> rest = bytes[options..]; !rest.IsEmpty;)
        {
            // 4.6: in units of eight bytes, and zero is not allowed.
            int length = rest.Length < 2 ? 0 : rest[1] * 8;
            if (length == 0 || length > rest.Length) return DecodeFault.NdpInvalid;
            if (rest[0] == wanted && length == 8 && hardware == 0) hardware = HardwareAddress.Read(rest[2..]);
            rest = rest[length..];
        }
        message = new NdpMessage(bytes, hardware);
        return DecodeFault.None;
    }
}
