using System.Buffers.Binary;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Looking ahead: most of a packet's time was spent waiting for the memory of its flow. What is found here is a hint only; a wrong one costs time
/// and nothing else.
/// </summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Frames between asking for a flow's slot and asking for the entry that it names. A power of two, half of what readers look ahead.</summary>
    const int SlotLead = 8;

    const int VlanTagLength = 4, EthernetHeaderLength = 14;

    /// <summary>Hashes of the frames whose slots were asked for, in a circle.</summary>
    readonly uint[] _aheadHashes = new uint[SlotLead];
    uint _aheadCount;

    /// <summary>As <see cref="IFrameSink.OnAhead"/>: the common shapes only, one tag at most, no options, no tunnels.</summary>
    public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType)
    {
        if (linkType != LinkType.Ethernet || bytes.Length < EthernetHeaderLength + IPv4Packet.MinimumHeaderLength + 4) return;
        ushort type = BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]);
        scoped ReadOnlySpan<byte> ip = bytes[EthernetHeaderLength..];
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
            if (ip.Length < IPv4Packet.MinimumHeaderLength + 4 || ip[0] != 0x45) return;
            (protocol, source, destination) = (ip[9], Address.ReadV4(ip[12..]), Address.ReadV4(ip[16..]));
            ports = ip[IPv4Packet.MinimumHeaderLength..];
        }
        else if (type == EtherType.IPv6)
        {
            if (ip.Length < IPv6Packet.HeaderLength + 4) return;
            (protocol, source, destination) = (ip[6], Address.ReadV6(ip[8..]), Address.ReadV6(ip[24..]));
            ports = ip[IPv6Packet.HeaderLength..];
        }
        else
        {
            return;
        }
        if (protocol is not (IPProtocol.Tcp or IPProtocol.Udp)) return;
        uint hash = _flows.Hash(source, BinaryPrimitives.ReadUInt16BigEndian(ports), destination, BinaryPrimitives.ReadUInt16BigEndian(ports[2..]), protocol, scope);
        _flows.AskForSlot(hash);
        ref uint earlier = ref _aheadHashes[_aheadCount++ & (SlotLead - 1)];
        _flows.AskForEntry(earlier);
        earlier = hash;
    }
}
