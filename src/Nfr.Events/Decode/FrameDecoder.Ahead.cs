using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Looking ahead: most of a packet's time was spent waiting for the memory of its flow. The headers of the commonest frames (Ethernet, IPv4 without options,
/// whole TCP or UDP) are read here once and for all, and their flow is asked for; <see cref="OnFrame"/> finds both. All other frames are read layer by layer when they come, and
/// what is found of them here is a hint only.
/// </summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Frames between asking for a flow's slot and asking for the entry that it names. A power of two, half of what readers look ahead.</summary>
    const int SlotLead = 8;

    const int VlanTagLength = 4, EthernetHeaderLength = 14;

    /// <summary>Hashes of the frames whose slots were asked for, in a circle.</summary>
    readonly uint[] _aheadHashes = new uint[SlotLead];
    uint _aheadCount;

    /// <summary>A frame whose headers have been read.</summary>
    struct Glimpse
    {
        /// <summary>All but its times and its tag, which the frame brings.</summary>
        public Packet Packet;
        public uint Hash;
        public int PayloadAt;
        public int PayloadLength;
        public bool IsRead;
    }

    readonly Glimpse[] _glimpses = NewGlimpses();

    static Glimpse[] NewGlimpses()
    {
        var glimpses = new Glimpse[IFrameSink.AheadPlaces];
        foreach (ref Glimpse glimpse in glimpses.AsSpan()) glimpse.Packet.Packets = 1;
        return glimpses;
    }

    /// <summary>As <see cref="IFrameSink.OnAhead"/>.</summary>
    public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
    {
        ref Glimpse glimpse = ref _glimpses[place];
        glimpse.IsRead = false;
        if (linkType != LinkType.Ethernet || bytes.Length < EthernetHeaderLength + IPv4Packet.MinimumHeaderLength + 4) return;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
        scoped ReadOnlySpan<byte> ip = bytes[EthernetHeaderLength..];
        uint hash;
        if (type == EtherType.IPv4 && ip[0] == 0x45)
        {
            byte protocol = ip[9];
            if (protocol is not (IPProtocol.Tcp or IPProtocol.Udp)) return;
            ref Packet packet = ref glimpse.Packet;
            packet.Source = Address.ReadV4(ip[12..]);
            packet.Destination = Address.ReadV4(ip[16..]);
            packet.Protocol = protocol;
            packet.WireBytes = BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
            packet.Identification = BinaryPrimitives.ReadUInt16BigEndian(ip[4..]);
            scoped ReadOnlySpan<byte> transport = ip[IPv4Packet.MinimumHeaderLength..];
            packet.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(transport);
            packet.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(transport[2..]);
            glimpse.Hash = hash = _flows.Hash(packet.Source, packet.SourcePort, packet.Destination, packet.DestinationPort, protocol, scope: 0);
            bool isFragment = (BinaryPrimitives.ReadUInt16BigEndian(ip[6..]) & 0x3FFF) != 0;
            int length = packet.WireBytes - IPv4Packet.MinimumHeaderLength;
            // A frame to many is counted; one that is cut off says less than its headers.
            if ((bytes[0] & 1) == 0 && !isFragment && length > 0 && length <= transport.Length) glimpse.IsRead = ReadTransport(ref glimpse, transport[..length]);
        }
        else if (!TryHash(bytes, ip, type, out hash))
        {
            return;
        }
        _flows.AskForSlot(hash);
        ref uint earlier = ref _aheadHashes[_aheadCount++ & (SlotLead - 1)];
        _flows.AskForEntry(earlier);
        earlier = hash;
    }

    /// <summary>False: what is wrong with it, or odd, is found when the frame comes.</summary>
    static bool ReadTransport(ref Glimpse glimpse, scoped ReadOnlySpan<byte> bytes)
    {
        ref Packet packet = ref glimpse.Packet;
        int header;
        if (packet.Protocol == IPProtocol.Tcp)
        {
            if (bytes.Length < TcpSegment.MinimumHeaderLength) return false;
            header = (bytes[12] >> 4) * 4;
            if (header < TcpSegment.MinimumHeaderLength || header > bytes.Length) return false;
            packet.Sequence = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
            packet.Acknowledgment = BinaryPrimitives.ReadUInt32BigEndian(bytes[8..]);
            packet.TcpFlags = bytes[13];
        }
        else
        {
            header = UdpDatagram.HeaderLength;
            if (bytes.Length < header || BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != bytes.Length) return false;
            packet.Sequence = packet.Acknowledgment = 0;
            packet.TcpFlags = 0;
        }
        glimpse.PayloadAt = EthernetHeaderLength + IPv4Packet.MinimumHeaderLength + header;
        glimpse.PayloadLength = bytes.Length - header;
        return true;
    }

    /// <summary>Of a frame with one tag, or of IPv6: only its flow is asked for.</summary>
    bool TryHash(scoped ReadOnlySpan<byte> bytes, scoped ReadOnlySpan<byte> ip, ushort type, out uint hash)
    {
        hash = 0;
        uint scope = 0;
        if (type == EtherType.Vlan)
        {
            if (_vlansApart) scope = FlowScope.Tagged(0, (ushort)(BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]) & 0x0FFF));
            type = BinaryPrimitives.ReadUInt16BigEndian(bytes[16..]);
            ip = ip[VlanTagLength..];
        }
        Address source, destination;
        byte protocol;
        scoped ReadOnlySpan<byte> ports;
        if (type == EtherType.IPv4)
        {
            if (ip.Length < IPv4Packet.MinimumHeaderLength + 4 || ip[0] != 0x45) return false;
            (protocol, source, destination) = (ip[9], Address.ReadV4(ip[12..]), Address.ReadV4(ip[16..]));
            ports = ip[IPv4Packet.MinimumHeaderLength..];
        }
        else if (type == EtherType.IPv6)
        {
            if (ip.Length < IPv6Packet.HeaderLength + 4) return false;
            (protocol, source, destination) = (ip[6], Address.ReadV6(ip[8..]), Address.ReadV6(ip[24..]));
            ports = ip[IPv6Packet.HeaderLength..];
        }
        else
        {
            return false;
        }
        if (protocol is not (IPProtocol.Tcp or IPProtocol.Udp)) return false;
        hash = _flows.Hash(source, BinaryPrimitives.ReadUInt16BigEndian(ports), destination, BinaryPrimitives.ReadUInt16BigEndian(ports[2..]), protocol, scope);
        return true;
    }

    /// <summary>A frame whose headers were read ahead; false for all others, which are read layer by layer.</summary>
    bool TryGlimpsed(scoped in Frame frame)
    {
        if (frame.Ahead == 0) return false;
        ref Glimpse glimpse = ref _glimpses[frame.Ahead - 1];
        if (!glimpse.IsRead) return false;
        ref Packet packet = ref glimpse.Packet;
        packet.Timestamp = frame.Timestamp;
        packet.Vlan = 0;
        uint hash = glimpse.Hash;
        packet.Scope = 0;
        if (frame.VlanTpid != 0)
        {
            Counters.VlanTagged++;
            packet.Vlan = (ushort)(frame.VlanTci & 0x0FFF);
            if (_vlansApart)
            {
                packet.Scope = _scope = FlowScope.Tagged(0, packet.Vlan);
                hash = HashOf(packet);
            }
        }
        ReadOnlySpan<byte> payload = frame.Bytes.Slice(glimpse.PayloadAt, glimpse.PayloadLength);
        if (packet.Protocol == IPProtocol.Tcp) OnTcp(packet, payload, hash);
        else OnUdp(packet, payload, hash);
        if (_tunnels == 0) Counters.Parsed++;
        return true;
    }
}
