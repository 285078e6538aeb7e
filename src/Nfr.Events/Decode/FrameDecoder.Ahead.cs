using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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

    const int VlanTagLength = 4, DnsPort = 53;

    /// <summary>A frame that was told of.</summary>
    struct Glimpse
    {
        /// <summary>All but its times and its tag, which the frame brings.</summary>
        public Packet Packet;
        public uint Hash;
        /// <summary>Found in the table on the way, or <see cref="FlowTable.None"/>.</summary>
        public int Entry;
        public int PayloadAt;
        public int PayloadLength;
        /// <summary>The headers have been read; else only the hash means something.</summary>
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
        if (linkType == LinkType.Ethernet && bytes.Length >= PlainHeaders.Length)
        {
            ref readonly PlainHeaders headers = ref MemoryMarshal.AsRef<PlainHeaders>(bytes);
            if (headers.IsPlain)
            {
                if (headers.Protocol is IPProtocol.Tcp or IPProtocol.Udp) Read(ref glimpse, headers, bytes);
            }
            else if (TryHash(bytes, bytes[PlainHeaders.NetworkAt..], out uint hash))
            {
                glimpse.Hash = hash;
                _flows.AskForSlot(hash);
            }
        }
        ref Glimpse earlier = ref _glimpses[(place - SlotLead) & (IFrameSink.AheadPlaces - 1)];
        earlier.Entry = _flows.AskForEntry(earlier.Hash);
    }

    /// <summary>What is wrong with it, or odd, is found when the frame comes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Read(ref Glimpse glimpse, in PlainHeaders headers, scoped ReadOnlySpan<byte> bytes)
    {
        uint source = headers.Source, destination = headers.Destination;
        ushort sourcePort = headers.SourcePort, destinationPort = headers.DestinationPort;
        uint hash = _flows.Hash(source, sourcePort, destination, destinationPort, headers.Protocol);
        glimpse.Hash = hash;
        glimpse.Entry = FlowTable.None;
        _flows.AskForSlot(hash);
        int total = headers.TotalLength;
        int length = total - IPv4Packet.MinimumHeaderLength;
        // A frame to many is counted; one that is cut off says less than its headers.
        if (!headers.IsUnicast || headers.IsFragment || length > bytes.Length - PlainHeaders.TransportAt) return;
        ref Packet packet = ref glimpse.Packet;
        int header;
        if (headers.Protocol == IPProtocol.Tcp)
        {
            header = headers.TcpHeaderLength;
            if (header < TcpSegment.MinimumHeaderLength) return;
            packet.Sequence = headers.Sequence;
            packet.Acknowledgment = headers.Acknowledgment;
            packet.TcpFlags = headers.TcpFlags;
        }
        else
        {
            header = UdpDatagram.HeaderLength;
            if (headers.UdpLength != length) return;
            packet.Sequence = packet.Acknowledgment = 0;
            packet.TcpFlags = 0;
        }
        if (length < header) return;
        packet.Source = Address.FromV4(source);
        packet.Destination = Address.FromV4(destination);
        packet.SourcePort = sourcePort;
        packet.DestinationPort = destinationPort;
        packet.Protocol = headers.Protocol;
        packet.WireBytes = total;
        packet.Identification = headers.Identification;
        glimpse.PayloadAt = PlainHeaders.TransportAt + header;
        glimpse.PayloadLength = length - header;
        glimpse.IsRead = true;
        if (sourcePort == DnsPort && headers.Protocol == IPProtocol.Udp) _dns.AskFor(packet, bytes.Slice(glimpse.PayloadAt, glimpse.PayloadLength));
    }

    /// <summary>Of a frame with one tag, or of IPv6, or of IPv4 with options: only its flow is asked for.</summary>
    bool TryHash(scoped ReadOnlySpan<byte> bytes, scoped ReadOnlySpan<byte> ip, out uint hash)
    {
        hash = 0;
        uint scope = 0;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
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
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
        if (packet.Protocol == IPProtocol.Tcp) OnTcp(packet, payload, hash, glimpse.Entry);
        else OnUdp(packet, payload, hash, glimpse.Entry);
        if (_tunnels == 0) Counters.Parsed++;
        return true;
    }
}
