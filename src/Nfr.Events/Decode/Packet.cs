using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What the layers of one packet said, gathered on the stack for the flow table.</summary>
struct Packet
{
    public Address Source;
    public Address Destination;
    public long Timestamp;
    /// <summary>Bytes of the IP layer on the wire; of all fragments together for a datagram that came in pieces.</summary>
    public int WireBytes;
    public int Packets;
    public uint Sequence;
    public uint Acknowledgment;
    /// <summary>Bytes that the IP header announces and the capture does not hold.</summary>
    public int CutOff;
    public ushort SourcePort;
    public ushort DestinationPort;
    public ushort Vlan;
    /// <summary>Of the <see cref="TunnelTable"/>, held by the decoder while the packet within is decoded; 0 for none.</summary>
    public ushort Tunnel;
    /// <summary>See <see cref="FlowScope"/>.</summary>
    public uint Scope;
    public ushort Identification;
    public byte Protocol;
    public byte TcpFlags;
    /// <summary>Of IPv6; 0 for IPv4 and for datagrams that came in pieces.</summary>
    public byte HopLimit;
    /// <summary>An ICMP type that nothing answers: its two ends are not interchangeable.</summary>
    public bool OneWay;
}
