using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>LINKTYPE_NFLOG (www.tcpdump.org/linktypes): a family, then attributes of Linux's firewall log, one of them the packet.</summary>
public static class NflogMessage
{
    public const int HeaderLength = 4;

    /// <summary>NFULA_PAYLOAD of Linux's nfnetlink_log.h.</summary>
    const int PayloadAttribute = 9;

    /// <summary>The payload is empty when no attribute holds a packet.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ushort etherType, out ReadOnlySpan<byte> payload)
    {
        etherType = EtherType.None;
        payload = default;
        if (bytes.Length < HeaderLength) return DecodeFault.NflogTooShort;
        ushort family = bytes[0] switch
        {
            2 => EtherType.IPv4,
            10 => EtherType.IPv6,
            _ => EtherType.None,
        };
        bytes = bytes[HeaderLength..];
        while (bytes.Length >= 4)
        {
            // Attributes are in the byte order of the machine that wrote them: little, but for few.
            int length = BinaryPrimitives.ReadUInt16LittleEndian(bytes), type = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]) & 0x7FFF;
            if (length < 4 || length > bytes.Length) return DecodeFault.NflogTooShort;
            if (type == PayloadAttribute)
            {
                etherType = family;
                payload = bytes[4..length];
                return DecodeFault.None;
            }
            bytes = bytes[Math.Min((length + 3) & ~3, bytes.Length)..];
        }
        return DecodeFault.None;
    }
}
