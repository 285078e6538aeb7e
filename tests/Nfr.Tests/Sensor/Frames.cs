using System.Buffers.Binary;
using System.Net;
using Nfr.Simulate;

namespace Nfr.Tests.Sensor;

/// <summary>Frames as a mirror port carries them: none of the stations is ours.</summary>
static class Frames
{
    public const byte Fin = 1, Syn = 2, Ack = 16, Push = 8;

    static readonly byte[] s_addresses = Convert.FromHexString("02AA00000001" + "02BB00000002");

    public static byte[] Udp(string source, int sourcePort, string destination, int destinationPort, ReadOnlySpan<byte> payload)
    {
        byte[] frame = Ip(source, destination, 17, 8 + payload.Length);
        Span<byte> udp = frame.AsSpan(34);
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], (ushort)destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(8 + payload.Length));
        payload.CopyTo(udp[8..]);
        return frame;
    }

    public static byte[] Tcp(string source, int sourcePort, string destination, int destinationPort, byte flags, uint sequence = 1, ReadOnlySpan<byte> payload = default)
    {
        byte[] frame = Ip(source, destination, 6, 20 + payload.Length);
        Span<byte> tcp = frame.AsSpan(34);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], (ushort)destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        tcp[12] = 0x50;                                                // data offset 5
        tcp[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 64_000);
        payload.CopyTo(tcp[20..]);
        return frame;
    }

    public static byte[] Query(string client, int port, string name, ushort id = 7) => Udp(client, port, "192.0.2.53", 53, DnsWire.Query(id, name, DnsWire.TypeA));

    /// <summary>NOERROR without an answer.</summary>
    public static byte[] Reply(string client, int port, string name, ushort id = 7)
    {
        byte[] message = DnsWire.Query(id, name, DnsWire.TypeA);
        message[2] = 0x81;                                             // QR, RD
        message[3] = 0x80;                                             // RA
        return Udp("192.0.2.53", 53, client, port, message);
    }

    static byte[] Ip(string source, string destination, byte protocol, int length)
    {
        byte[] frame = new byte[Math.Max(60, 34 + length)];
        s_addresses.CopyTo(frame, 0);
        frame[12] = 8;                                                 // 0x0800
        Span<byte> ip = frame.AsSpan(14);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + length));
        ip[8] = 64;                                                    // TTL
        ip[9] = protocol;
        IPAddress.Parse(source).TryWriteBytes(ip[12..], out _);
        IPAddress.Parse(destination).TryWriteBytes(ip[16..], out _);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(ip[i..]);
        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~(sum + (sum >> 16)));
        return frame;
    }
}
