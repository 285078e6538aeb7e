using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// MPLS label stack, RFC 3032 2, and what lies below it by its first nibble (RFC 4928 3): IP, or an Ethernet pseudowire with or without the
/// control word of RFC 4385. Every getter is safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct MplsStack
{
    public const int EntryLength = 4;

    /// <summary>Stacks of providers have two to five labels; segment routing's seldom more than ten.</summary>
    public const int MaximumLabels = 16;

    const int ControlWordLength = 4;

    MplsStack(uint label, int count, ushort payloadType, ReadOnlySpan<byte> payload)
    {
        Label = label;
        Count = count;
        PayloadType = payloadType;
        Payload = payload;
    }

    /// <summary>The innermost label: 20 bits.</summary>
    public uint Label { get; }
    public int Count { get; }

    /// <summary>EtherType of the payload; <see cref="EtherType.None"/> for what is neither IP nor Ethernet (an associated channel).</summary>
    public ushort PayloadType { get; }
    public ReadOnlySpan<byte> Payload { get; }

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out MplsStack stack)
    {
        stack = default;
        for (int count = 1; count <= MaximumLabels; count++)
        {
            if (bytes.Length < EntryLength) return DecodeFault.MplsTooShort;
            uint entry = BinaryPrimitives.ReadUInt32BigEndian(bytes);
            bytes = bytes[EntryLength..];
            if ((entry & 0x100) == 0) continue;
            if (bytes.IsEmpty) return DecodeFault.MplsTooShort;
            ushort type = TypeOf(ref bytes);
            stack = new MplsStack(entry >> 12, count, type, bytes);
            return DecodeFault.None;
        }
        return DecodeFault.MplsTooDeep;
    }

    static ushort TypeOf(ref ReadOnlySpan<byte> payload)
    {
        switch (payload[0] >> 4)
        {
            case 4:
                return EtherType.IPv4;
            case 6:
                return EtherType.IPv6;
            // A control word begins with zeros, and so may a hardware address: the frame's own type decides.
            case 0 when IsFrame(payload, ControlWordLength):
                payload = payload[ControlWordLength..];
                return EtherType.Bridged;
            default:
                return IsFrame(payload, 0) ? EtherType.Bridged : EtherType.None;
        }
    }

    /// <summary>At this place lies an Ethernet header with a type that the decoder knows, or with a length.</summary>
    static bool IsFrame(ReadOnlySpan<byte> bytes, int start)
    {
        if (bytes.Length < start + EthernetFrame.HeaderLength) return false;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[(start + 12)..]);
        return type is EtherType.IPv4 or EtherType.IPv6 or EtherType.Arp or EtherType.PppoeSession or EtherType.Mpls || EtherType.IsVlan(type)
            || (type < EtherType.Minimum && bytes.Length >= start + EthernetFrame.HeaderLength + type);
    }
}
