using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>PPP, RFC 1661 2: a protocol number, behind the address and control bytes of RFC 1662 where the link keeps them.</summary>
public static class PppFrame
{
    public const int ProtocolLength = 2;

    /// <summary>The EtherType that stands for the protocol; <see cref="EtherType.None"/> for what is no IP (link control, authentication).</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ushort etherType, out ReadOnlySpan<byte> payload)
    {
        etherType = 0;
        payload = default;
        if (bytes.Length >= 2 && bytes[0] == 0xFF && bytes[1] == 0x03) bytes = bytes[2..];
        // An address without its control is cut off: it would be a protocol number that RFC 1661 2 reserves.
        if (bytes.IsEmpty || bytes is [0xFF]) return DecodeFault.PppTooShort;
        // RFC 1661 6.5: a number may be sent as one byte, which is odd then.
        int length = (bytes[0] & 1) != 0 ? 1 : ProtocolLength;
        if (bytes.Length < length) return DecodeFault.PppTooShort;
        etherType = (length == 1 ? bytes[0] : BinaryPrimitives.ReadUInt16BigEndian(bytes)) switch
        {
            0x0021 => EtherType.IPv4,
            0x0057 => EtherType.IPv6,
            0x0281 => EtherType.Mpls,
            0x0283 => EtherType.MplsMulticast,
            _ => EtherType.None,
        };
        payload = bytes[length..];
        return DecodeFault.None;
    }
}
