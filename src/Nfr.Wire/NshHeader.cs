namespace Nfr.Wire;

/// <summary>Network service header, RFC 8300 2: what leads a packet through a chain of firewalls and the like. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct NshHeader
{
    public const int MinimumHeaderLength = 8;

    NshHeader(ushort payloadType, ReadOnlySpan<byte> payload)
    {
        PayloadType = payloadType;
        Payload = payload;
    }

    /// <summary>EtherType of the payload; <see cref="EtherType.None"/> for one that is not IP, Ethernet, MPLS or another such header.</summary>
    public ushort PayloadType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out NshHeader header)
    {
        header = default;
        if (bytes.Length < MinimumHeaderLength) return DecodeFault.NshTooShort;
        int length = (bytes[1] & 0x3F) * 4;
        if (length < MinimumHeaderLength || bytes.Length < length) return DecodeFault.NshTooShort;
        ushort type = bytes[3] switch
        {
            1 => EtherType.IPv4,
            2 => EtherType.IPv6,
            3 => EtherType.Bridged,
            4 => EtherType.Nsh,
            5 => EtherType.Mpls,
            _ => EtherType.None,
        };
        header = new NshHeader(type, bytes[length..]);
        return DecodeFault.None;
    }
}
