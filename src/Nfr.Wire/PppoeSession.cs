using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>The session stage of PPP over Ethernet, RFC 2516 4, with the PPP protocol number (RFC 1661 2) behind it.</summary>
public readonly ref struct PppoeSession
{
    public const int HeaderLength = 8;

    PppoeSession(ushort type, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Payload = payload;
    }

    /// <summary>EtherType of the payload; 0 for what is no IP (link control, authentication).</summary>
    public ushort Type { get; }
    public ReadOnlySpan<byte> Payload { get; }

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out PppoeSession session)
    {
        session = default;
        if (bytes.Length < HeaderLength) return DecodeFault.PppoeTooShort;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) switch
        {
            0x0021 => EtherType.IPv4,
            0x0057 => EtherType.IPv6,
            _ => 0,
        };
        session = new PppoeSession(type, bytes[HeaderLength..]);
        return DecodeFault.None;
    }
}
