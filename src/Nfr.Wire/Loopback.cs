using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>LINKTYPE_NULL and LINKTYPE_LOOP: four bytes of address family, in the byte order of whoever wrote them.</summary>
public static class Loopback
{
    public const int HeaderLength = 4;

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out ushort etherType, out ReadOnlySpan<byte> payload)
    {
        etherType = 0;
        payload = default;
        if (bytes.Length < HeaderLength) return DecodeFault.LoopbackTooShort;
        uint family = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        // A family is a small number; read the other way round it is a huge one.
        if (family > 0xFFFF) family = BinaryPrimitives.ReverseEndianness(family);
        switch (family)
        {
            case 2:
                etherType = EtherType.IPv4;
                break;
            // AF_INET6 of NetBSD and OpenBSD, FreeBSD, macOS, Linux.
            case 24 or 28 or 30 or 10:
                etherType = EtherType.IPv6;
                break;
            default:
                return DecodeFault.LoopbackFamilyUnknown;
        }
        payload = bytes[HeaderLength..];
        return DecodeFault.None;
    }
}
