using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Bench.Traffic;

/// <summary>Two hosts and what lies between them. An IPv6 path has both addresses of that family.</summary>
sealed record HostPair(Address Client, Address Server, ulong ClientHardware, ulong ServerHardware, ushort Vlan);

/// <summary>Lays one Ethernet frame at a time into one buffer, with lengths and checksums as a real stack writes them.</summary>
sealed class FrameBuilder
{
    readonly byte[] _bytes = new byte[2048];
    ushort _identification;
    int _length;

    public ReadOnlySpan<byte> Frame => _bytes.AsSpan(0, _length);

    /// <summary>The largest TCP payload that fits a frame of 1514 bytes.</summary>
    public static int SegmentSize(HostPair pair) => pair.Client.IsV4 ? 1448 : 1428;

    /// <summary>A segment; with timestamps (RFC 7323) as nearly all of today's have, or with the options of a SYN.</summary>
    public void Tcp(HostPair pair, bool fromClient, ushort sourcePort, ushort destinationPort, uint sequence, uint acknowledgment, byte flags, uint clock, ReadOnlySpan<byte> payload)
    {
        bool syn = (flags & TcpFlags.Syn) != 0, reset = (flags & TcpFlags.Rst) != 0;
        int headerLength = syn ? 40 : reset ? 20 : 32;
        Span<byte> tcp = Ip(pair, fromClient, IPProtocol.Tcp, headerLength + payload.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgment);
        tcp[12] = (byte)(headerLength / 4 << 4);
        tcp[13] = flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], (ushort)(reset ? 0 : 501));
        if (syn)
        {
            // MSS 1460, SACK permitted, timestamps, window scale 7.
            Convert.FromHexString("020405b40402080a").CopyTo(tcp[20..]);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[28..], clock);
            Convert.FromHexString("0000000001030307").CopyTo(tcp[32..]);
        }
        else if (!reset)
        {
            BinaryPrimitives.WriteUInt32BigEndian(tcp[20..], 0x0101080A);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[24..], clock);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[28..], clock - 17);
        }
        payload.CopyTo(tcp[headerLength..]);
        Checksum(pair, IPProtocol.Tcp, tcp, 16);
    }

    public void Udp(HostPair pair, bool fromClient, ushort sourcePort, ushort destinationPort, ReadOnlySpan<byte> payload)
    {
        Span<byte> udp = Ip(pair, fromClient, IPProtocol.Udp, UdpDatagram.HeaderLength + payload.Length);
        BinaryPrimitives.WriteUInt16BigEndian(udp, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], destinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)udp.Length);
        payload.CopyTo(udp[UdpDatagram.HeaderLength..]);
        Checksum(pair, IPProtocol.Udp, udp, 6);
    }

    public void Echo(HostPair pair, bool fromClient, ushort identifier, ushort number, ReadOnlySpan<byte> payload)
    {
        bool v4 = pair.Client.IsV4;
        Span<byte> icmp = Ip(pair, fromClient, v4 ? IPProtocol.Icmp : IPProtocol.IcmpV6, IcmpMessage.HeaderLength + payload.Length);
        icmp[0] = (byte)(v4 ? fromClient ? 8 : 0 : fromClient ? 128 : 129);
        icmp[1] = 0;
        BinaryPrimitives.WriteUInt16BigEndian(icmp[4..], identifier);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[6..], number);
        payload.CopyTo(icmp[8..]);
        Checksum(v4 ? null : pair, IPProtocol.IcmpV6, icmp, 2);
    }

    /// <summary>RFC 826: who has the server's address?</summary>
    public void Arp(HostPair pair)
    {
        _bytes.AsSpan(0, 60).Clear();
        _bytes.AsSpan(0, 6).Fill(0xFF);
        Hardware(_bytes.AsSpan(6), pair.ClientHardware);
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(12), 0x0806);
        Convert.FromHexString("0001080006040001").CopyTo(_bytes.AsSpan(14));
        Hardware(_bytes.AsSpan(22), pair.ClientHardware);
        pair.Client.WriteBytes(_bytes.AsSpan(28));
        pair.Server.WriteBytes(_bytes.AsSpan(38));
        _length = 60;
    }

    /// <summary>Everything up to the payload of IP; returns the room for that.</summary>
    Span<byte> Ip(HostPair pair, bool fromClient, byte protocol, int payloadLength)
    {
        Span<byte> bytes = _bytes;
        Hardware(bytes, fromClient ? pair.ServerHardware : pair.ClientHardware);
        Hardware(bytes[6..], fromClient ? pair.ClientHardware : pair.ServerHardware);
        int at = 12;
        if (pair.Vlan != 0)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 2)..], pair.Vlan);
            at += 4;
        }
        bool v4 = pair.Client.IsV4;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], v4 ? EtherType.IPv4 : EtherType.IPv6);
        Span<byte> ip = bytes[(at + 2)..];
        Address source = fromClient ? pair.Client : pair.Server, destination = fromClient ? pair.Server : pair.Client;
        int headerLength = v4 ? IPv4Packet.MinimumHeaderLength : IPv6Packet.HeaderLength;
        ip[..headerLength].Clear();
        if (v4)
        {
            ip[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(headerLength + payloadLength));
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], ++_identification);
            ip[6] = 0x40;
            ip[8] = (byte)(fromClient ? 64 : 57);
            ip[9] = protocol;
            source.WriteBytes(ip[12..]);
            destination.WriteBytes(ip[16..]);
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Fold(Sum(ip[..headerLength])));
        }
        else
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)payloadLength);
            ip[6] = protocol;
            ip[7] = (byte)(fromClient ? 64 : 57);
            source.WriteBytes(ip[8..]);
            destination.WriteBytes(ip[24..]);
        }
        int end = at + 2 + headerLength + payloadLength;
        _length = Math.Max(end, 60);
        bytes[end.._length].Clear();
        return ip.Slice(headerLength, payloadLength);
    }

    /// <summary>RFC 1071, over the pseudo header too where there is one.</summary>
    static void Checksum(HostPair? pair, byte protocol, Span<byte> bytes, int at)
    {
        bytes.Slice(at, 2).Clear();
        ulong sum = Sum(bytes);
        if (pair is not null)
        {
            Span<byte> pseudo = stackalloc byte[36];
            int n = pair.Client.WriteBytes(pseudo);
            n += pair.Server.WriteBytes(pseudo[n..]);
            sum += Sum(pseudo[..n]) + protocol + (ulong)bytes.Length;
        }
        ushort folded = (ushort)~Fold(sum);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], folded == 0 ? (ushort)0xFFFF : folded);
    }

    static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length >= 4; bytes = bytes[4..]) sum += BinaryPrimitives.ReadUInt32BigEndian(bytes);
        if (bytes.Length >= 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
            bytes = bytes[2..];
        }
        return bytes.IsEmpty ? sum : sum + ((ulong)bytes[0] << 8);
    }

    static uint Fold(ulong sum)
    {
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (uint)sum;
    }

    static void Hardware(Span<byte> to, ulong address)
    {
        for (int i = 0; i < 6; i++) to[i] = (byte)(address >> (40 - (8 * i)));
    }
}
