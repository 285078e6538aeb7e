using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>Packs protocol layers around bytes. Checksums stay zero: the sensor does not judge them.</summary>
static class Frames
{
    public static byte[] Ethernet(byte[] ip, params ushort[] vlans)
    {
        var frame = new List<byte>(Convert.FromHexString("020000000002020000000001"));
        foreach (ushort vlan in vlans) frame.AddRange([0x81, 0x00, (byte)(vlan >> 8), (byte)vlan]);
        frame.AddRange(ip[0] >> 4 == 6 ? [0x86, 0xDD] : [0x08, 0x00]);
        frame.AddRange(ip);
        return [.. frame];
    }

    static Address Parse(string text) => Address.TryParse(text, out Address address) ? address : throw new FormatException(text);

    public static byte[] IPv4(string source, string destination, byte protocol, byte[] payload, int identification = 0, int offset = 0, bool more = false)
    {
        byte[] packet = new byte[20 + payload.Length];
        packet[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)identification);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), (ushort)((offset >> 3) | (more ? 0x2000 : 0)));
        packet[8] = 64;
        packet[9] = protocol;
        Parse(source).WriteBytes(packet.AsSpan(12));
        Parse(destination).WriteBytes(packet.AsSpan(16));
        payload.CopyTo(packet, 20);
        return packet;
    }

    public static byte[] IPv6(string source, string destination, byte next, byte[] payload)
    {
        byte[] packet = new byte[40 + payload.Length];
        packet[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), (ushort)payload.Length);
        packet[6] = next;
        packet[7] = 64;
        Parse(source).WriteBytes(packet.AsSpan(8));
        Parse(destination).WriteBytes(packet.AsSpan(24));
        payload.CopyTo(packet, 40);
        return packet;
    }

    public static byte[] Ip(string source, string destination, byte protocol, byte[] payload) =>
        source.Contains(':') ? IPv6(source, destination, protocol, payload) : IPv4(source, destination, protocol, payload);

    /// <summary>RFC 8200 4.5: the fragment header and its part of the datagram.</summary>
    public static byte[] IPv6Fragment(string source, string destination, byte next, byte[] part, uint identification, int offset, bool more)
    {
        byte[] payload = new byte[8 + part.Length];
        payload[0] = next;
        BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(2), (ushort)(offset | (more ? 1 : 0)));
        BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan(4), identification);
        part.CopyTo(payload, 8);
        return IPv6(source, destination, IPProtocol.Fragment, payload);
    }

    public static byte[] Tcp(int sourcePort, int destinationPort, uint sequence, uint acknowledgment, byte flags, byte[] payload)
    {
        byte[] segment = new byte[20 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(segment, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(segment.AsSpan(2), (ushort)destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgment);
        segment[12] = 0x50;
        segment[13] = flags;
        segment[14] = 0x40;
        payload.CopyTo(segment, 20);
        return segment;
    }

    public static byte[] Udp(int sourcePort, int destinationPort, byte[] payload)
    {
        byte[] datagram = new byte[8 + payload.Length];
        BinaryPrimitives.WriteUInt16BigEndian(datagram, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(2), (ushort)destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        payload.CopyTo(datagram, 8);
        return datagram;
    }

    public static byte[] Icmp(byte type, byte code, ushort identifier = 1, int payload = 32) =>
        [type, code, 0, 0, (byte)(identifier >> 8), (byte)identifier, 0, 1, .. new byte[payload]];
}
