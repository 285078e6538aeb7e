using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2: the pseudo header that captures of "any" carry instead of a link layer.</summary>
public readonly ref struct LinuxCooked
{
    public const int HeaderLength = 16;
    public const int HeaderLength2 = 20;

    /// <summary>EtherType of what follows.</summary>
    public ushort Type { get; }

    /// <summary>0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us.</summary>
    public int PacketType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    LinuxCooked(ushort type, int packetType, ReadOnlySpan<byte> payload)
    {
        Type = type;
        PacketType = packetType;
        Payload = payload;
    }

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out LinuxCooked header)
    {
        header = default;
        if (bytes.Length < HeaderLength) return DecodeFault.LinuxSllTooShort;
        header = new LinuxCooked(BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]), BinaryPrimitives.ReadUInt16BigEndian(bytes), bytes[HeaderLength..]);
        return DecodeFault.None;
    }

    public static DecodeFault TryRead2(ReadOnlySpan<byte> bytes, out LinuxCooked header)
    {
        header = default;
        if (bytes.Length < HeaderLength2) return DecodeFault.LinuxSllTooShort;
        header = new LinuxCooked(BinaryPrimitives.ReadUInt16BigEndian(bytes), bytes[10], bytes[HeaderLength2..]);
        return DecodeFault.None;
    }
}
