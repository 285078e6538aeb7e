using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// A switch's mirror sent over GRE (draft-foschiano-erspan-03 4): type I has no header of its own, type II has eight bytes, type III twelve and perhaps a
/// platform's eight. Every getter is safe once <see cref="TryRead"/> has said true.
/// </summary>
public readonly ref struct ErspanHeader
{
    /// <summary>GRE protocol type of types I and II; the sequence number tells them apart.</summary>
    public const ushort ProtocolType = 0x88BE;

    /// <summary>GRE protocol type of type III.</summary>
    public const ushort ProtocolType3 = 0x22EB;

    public const int HeaderLength = 8;
    public const int HeaderLength3 = 12;
    const int PlatformLength = 8;

    ErspanHeader(uint sessionId, ushort payloadType, ReadOnlySpan<byte> payload)
    {
        SessionId = sessionId;
        PayloadType = payloadType;
        Payload = payload;
    }

    /// <summary>10 bits; 0 in type I.</summary>
    public uint SessionId { get; }

    /// <summary>EtherType of the payload: a frame, or in type III perhaps a bare IP packet.</summary>
    public ushort PayloadType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False when the header is not whole or is of another version than its GRE header says.</summary>
    public static bool TryRead(scoped in GreHeader gre, out ErspanHeader header)
    {
        header = default;
        ReadOnlySpan<byte> bytes = gre.Payload;
        if (gre.ProtocolType == ProtocolType3) return TryRead3(bytes, out header);
        if (!gre.HasSequenceNumber)
        {
            header = new ErspanHeader(0, EtherType.Bridged, bytes);
            return true;
        }
        if (bytes.Length < HeaderLength || bytes[0] >> 4 != 1) return false;
        header = new ErspanHeader(Session(bytes), EtherType.Bridged, bytes[HeaderLength..]);
        return true;
    }

    static bool TryRead3(ReadOnlySpan<byte> bytes, out ErspanHeader header)
    {
        header = default;
        if (bytes.Length < HeaderLength3 || bytes[0] >> 4 != 2) return false;
        int length = HeaderLength3 + ((bytes[11] & 1) != 0 ? PlatformLength : 0);
        if (bytes.Length < length) return false;
        ReadOnlySpan<byte> payload = bytes[length..];
        // Frame type 0 is Ethernet, 2 is IP; others are not in use.
        ushort type = ((bytes[10] >> 2) & 0x1F) switch
        {
            0 => EtherType.Bridged,
            2 when !payload.IsEmpty => payload[0] >> 4 == 6 ? EtherType.IPv6 : EtherType.IPv4,
            _ => EtherType.None,
        };
        header = new ErspanHeader(Session(bytes), type, payload);
        return true;
    }

    static uint Session(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32BigEndian(bytes) & 0x3FF;
}
