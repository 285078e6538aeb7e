using System.Buffers.Binary;

namespace Nfr.Simulate;

/// <summary>RFC 792, echo: enough to ask by a raw socket and to know the answer.</summary>
public static class IcmpEcho
{
    public const int HeaderLength = 8;
    const byte TypeReply = 0, TypeRequest = 8;

    /// <summary>An echo request with its checksum.</summary>
    public static byte[] Request(ushort identifier, ushort sequence, ReadOnlySpan<byte> payload)
    {
        byte[] message = new byte[HeaderLength + payload.Length];
        message[0] = TypeRequest;
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(4), identifier);
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(6), sequence);
        payload.CopyTo(message.AsSpan(HeaderLength));
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(2), Checksum(message));
        return message;
    }

    /// <summary>Whether an IPv4 packet, as a raw socket hands it over, is the reply to that request.</summary>
    public static bool IsReply(ReadOnlySpan<byte> packet, ushort identifier, ushort sequence)
    {
        if (packet.IsEmpty) return false;
        int header = (packet[0] & 0x0f) * 4;
        if (packet.Length < header + HeaderLength) return false;
        ReadOnlySpan<byte> message = packet[header..];
        return message[0] == TypeReply && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == identifier && BinaryPrimitives.ReadUInt16BigEndian(message[6..]) == sequence;
    }

    /// <summary>RFC 1071; over a message whose checksum is right it is 0.</summary>
    public static ushort Checksum(ReadOnlySpan<byte> message)
    {
        uint sum = 0;
        for (int i = 0; i < message.Length; i += 2) sum += (uint)((message[i] << 8) | (i + 1 < message.Length ? message[i + 1] : 0));
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
