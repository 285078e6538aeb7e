namespace Nfr.Wire;

/// <summary>Anything in anything (draft-massar-v6ops-ayiya-02 3): IPv6 to those behind address translators, in UDP. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct AyiyaPacket
{
    public const ushort Port = 5072;
    public const int FixedHeaderLength = 8;

    AyiyaPacket(ushort payloadType, ReadOnlySpan<byte> payload)
    {
        PayloadType = payloadType;
        Payload = payload;
    }

    /// <summary>EtherType of the payload; <see cref="EtherType.None"/> for the protocol's own messages.</summary>
    public ushort PayloadType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False when identity and signature are not whole, or the operation is unknown.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out AyiyaPacket packet)
    {
        packet = default;
        if (bytes.Length < FixedHeaderLength) return false;
        // Identity: two to the power of its length; signature: words.
        int length = FixedHeaderLength + (1 << (bytes[0] >> 4)) + ((bytes[1] >> 4) * 4), operation = bytes[2] & 15;
        if (operation > 6 || bytes.Length < length) return false;
        ReadOnlySpan<byte> payload = bytes[length..];
        // Operation 1 forwards.
        ushort type = operation != 1 ? EtherType.None : bytes[3] switch
        {
            IPProtocol.IPv4 => EtherType.IPv4,
            IPProtocol.IPv6 => EtherType.IPv6,
            _ => EtherType.None,
        };
        packet = new AyiyaPacket(type, payload);
        return true;
    }
}
