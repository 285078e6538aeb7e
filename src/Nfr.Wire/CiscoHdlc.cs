using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>Cisco's HDLC as RFC 1547 4.3.1 has it: an address byte (unicast or broadcast), a zero, an EtherType.</summary>
public static class CiscoHdlc
{
    public const int HeaderLength = 4;
    public const byte Unicast = 0x0F, Broadcast = 0x8F;

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ushort etherType, out ReadOnlySpan<byte> payload)
    {
        etherType = EtherType.None;
        payload = default;
        if (bytes.Length < HeaderLength) return DecodeFault.FrameTooShort;
        etherType = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        payload = bytes[HeaderLength..];
        return DecodeFault.None;
    }
}
