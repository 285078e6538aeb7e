using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// Generic protocol extension for VXLAN (draft-ietf-nvo3-vxlan-gpe-12 3): VXLAN's header with the protocol that follows in its fourth byte. Every getter is
/// safe once <see cref="TryRead"/> has said true.
/// </summary>
public readonly ref struct VxlanGpeHeader
{
    public const ushort Port = 4790;
    public const int HeaderLength = 8;

    const int ShimLength = 4;

    /// <summary>Shim headers (3.2) before the packet; more than a few are none.</summary>
    const int MaximumShims = 4;

    VxlanGpeHeader(uint networkIdentifier, ushort payloadType, ReadOnlySpan<byte> payload)
    {
        NetworkIdentifier = networkIdentifier;
        PayloadType = payloadType;
        Payload = payload;
    }

    /// <summary>24 bits: the VNI; 0 when the I flag says that there is none.</summary>
    public uint NetworkIdentifier { get; }

    /// <summary>EtherType of the payload; <see cref="EtherType.None"/> for a protocol that is not IP, Ethernet, MPLS or a service header.</summary>
    public ushort PayloadType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False for another version, when reserved flags are set, or when a header is not whole.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out VxlanGpeHeader header)
    {
        const int reserved = 0xC0, version = 0x30, hasIdentifier = 0x08, hasProtocol = 0x04, ethernet = 3;
        header = default;
        if (bytes.Length < HeaderLength || (bytes[0] & (reserved | version)) != 0) return false;
        uint identifier = (bytes[0] & hasIdentifier) != 0 ? BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]) >> 8 : 0;
        // Without the P flag it is VXLAN.
        byte protocol = (bytes[0] & hasProtocol) != 0 ? bytes[3] : (byte)ethernet;
        ReadOnlySpan<byte> payload = bytes[HeaderLength..];
        for (int shims = 0; protocol >= 0x80; shims++)
        {
            // Type, length in words of four bytes, reserved, next protocol.
            if (shims == MaximumShims || payload.Length < ShimLength) return false;
            int length = payload[1] * 4;
            if (length < ShimLength || payload.Length < length) return false;
            protocol = payload[3];
            payload = payload[length..];
        }
        ushort type = protocol switch
        {
            1 => EtherType.IPv4,
            2 => EtherType.IPv6,
            ethernet => EtherType.Bridged,
            4 => EtherType.Nsh,
            5 => EtherType.Mpls,
            _ => EtherType.None,
        };
        header = new VxlanGpeHeader(identifier, type, payload);
        return true;
    }
}
