using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// The decode loop: frame to packet to flow to events. One instance belongs to one capture worker, live or file, and everything it needs is
/// allocated when it is made: no packet costs an allocation. Bad traffic is a counted fault and never an exception.
/// </summary>
public sealed partial class FrameDecoder<TSink> : IFrameDecoder
    where TSink : struct, IEventSink
{
    /// <summary>Deeper tags than a provider's two and a customer's two are a fault.</summary>
    const int MaximumVlanTags = 4;

    /// <summary>Time-outs are looked for at most this often (nanoseconds of tick).</summary>
    const long SweepInterval = 100_000_000;

    readonly DecoderOptions _options;
    readonly Emitter<TSink> _emitter;
    readonly BufferPool _buffers = new();
    readonly FlowTable _flows;
    readonly Fragments _fragments;
    readonly DnsTransactions<TSink> _dns;
    readonly Conversations<TSink> _conversations;
    readonly QuicConversations<TSink> _quic;
    readonly HostWatch<TSink> _hosts;
    readonly DtlsConversations<TSink> _dtls;
    readonly Duplicates _duplicates;
    readonly FlowDetails _details = new();
    readonly TunnelTable _tunnelTable = new();
    readonly long[] _faults;
    readonly bool _networksApart;
    readonly bool _vlansApart;
    long _tick;
    long _nextSweep;
    bool _reassembled;

    public FrameDecoder(DecoderOptions options, TSink sink)
    {
        FirstUse.Make();
        _options = options;
        _networksApart = options.Separation >= FlowSeparation.Networks;
        _vlansApart = options.Separation >= FlowSeparation.Vlans;
        _emitter = new Emitter<TSink>(sink);
        Counters = new DecodeCounters();
        _faults = Counters.Faults;
        _duplicates = new Duplicates(Counters);
        _flows = new FlowTable(options.MaximumFlows);
        _fragments = new Fragments(_buffers, _faults);
        _dns = new DnsTransactions<TSink>(_emitter, _buffers, Counters);
        _hosts = new HostWatch<TSink>(_emitter, _faults);
        var tls = new TlsConversation<TSink>(_emitter, _buffers, _faults);
        _conversations = new Conversations<TSink>(_emitter, _buffers, _faults, _dns, tls, _tunnelTable, _details);
        _quic = new QuicConversations<TSink>(tls, _buffers, _faults, _tunnelTable);
        _dtls = new DtlsConversations<TSink>(tls, _buffers, _faults);
    }

    public DecodeCounters Counters { get; }
    public Emitter<TSink> Emitter => _emitter;
    public long[] Events => _emitter.Events;
    public int ActiveFlows => _flows.Count;

    /// <summary>Buffers held by windows, fragments and waiting requests: zero after <see cref="Drain"/>.</summary>
    internal int BuffersInUse => _buffers.InUse;

    /// <summary>Entries looked at for DNS messages so far: see <see cref="WaitingQueries.Steps"/>.</summary>
    internal long DnsSteps => _dns.Steps;

    /// <summary>Rented by flows: zero after <see cref="Drain"/>.</summary>
    internal int DetailsInUse => _details.InUse + _tunnelTable.InUse;

    /// <summary>Connections that a parser reads: zero after <see cref="Drain"/>.</summary>
    internal int ConversationsInUse => _conversations.InUse + _quic.InUse + _dtls.InUse;

    public void OnFrame(scoped in Frame frame)
    {
        DecodeCounters counters = Counters;
        // Still set only if a mistake of ours ended the frame before in the middle.
        _tunnels = _depth = _encapsulations = _tunnel = 0;
        _scope = 0;
        _reassembled = false;
        counters.Frames++;
        counters.Bytes += frame.OriginalLength;
        if (frame.Tick > _tick) _tick = frame.Tick;
        if (frame.OriginalLength > frame.Bytes.Length) counters.Truncated++;
        if (!TryGlimpsed(frame))
        {
            DecodeFault fault = Link(frame);
            if (fault != DecodeFault.None) _faults[(int)fault]++;
        }
        if (_tick >= _nextSweep) Advance(_tick);
    }

    /// <summary>Exports what has timed out. Also called when no frames come, so that quiet flows end.</summary>
    public void Advance(long tick)
    {
        if (tick > _tick) _tick = tick;
        _nextSweep = _tick + SweepInterval;
        Expire(FlowClass.Closed, _options.TcpCloseTimeout);
        Expire(FlowClass.Attempt, _options.TcpAttemptTimeout);
        Expire(FlowClass.Datagram, _options.DatagramIdleTimeout);
        Expire(FlowClass.Established, _options.TcpIdleTimeout);
        _dns.Expire(_tick);
        _fragments.Expire(_tick);
        CountGiveUps();
    }

    void CountGiveUps()
    {
        Counters.DetailsRefused = _details.Refused;
        Counters.TunnelsShared = _tunnelTable.Shared;
    }

    /// <summary>Exports every flow and everything that waits: the end of a file, or of the sensor's run.</summary>
    public void Drain()
    {
        for (int oldest; (oldest = _flows.LeastRecentlySeen()) != FlowTable.None;) Export(oldest);
        _dns.Drain();
        _fragments.Expire(long.MaxValue);
        CountGiveUps();
    }

    DecodeFault Link(scoped in Frame frame)
    {
        ReadOnlySpan<byte> payload;
        ushort etherType;
        DecodeFault fault;
        switch (frame.LinkType)
        {
            case LinkType.Ethernet:
                fault = EthernetFrame.TryRead(frame.Bytes, out EthernetFrame ethernet);
                if (fault != DecodeFault.None) return fault;
                if (ethernet.IsGroupAddressed) Counters.GroupAddressed++;
                etherType = ethernet.Type;
                payload = ethernet.Payload;
                break;
            case LinkType.LinuxSll or LinkType.LinuxSll2:
                fault = frame.LinkType == LinkType.LinuxSll
                    ? LinuxCooked.TryRead(frame.Bytes, out LinuxCooked cooked)
                    : LinuxCooked.TryRead2(frame.Bytes, out cooked);
                if (fault != DecodeFault.None) return fault;
                if (cooked.PacketType is 1 or 2) Counters.GroupAddressed++;
                etherType = cooked.Type;
                payload = cooked.Payload;
                break;
            case LinkType.Null or LinkType.Loop:
                fault = Loopback.TryRead(frame.Bytes, out etherType, out payload);
                if (fault != DecodeFault.None) return fault;
                break;
            case LinkType.CiscoHdlc:
            // Routers' captures call it PPP; its address bytes are no protocol of that.
            case LinkType.Ppp when frame.Bytes.Length > 0 && frame.Bytes[0] is CiscoHdlc.Unicast or CiscoHdlc.Broadcast:
                fault = CiscoHdlc.TryRead(frame.Bytes, out etherType, out payload);
                if (fault != DecodeFault.None) return fault;
                break;
            case LinkType.Ieee80211 or LinkType.Radiotap:
                payload = frame.Bytes;
                fault = frame.LinkType == LinkType.Radiotap ? WirelessFrame.TrySkipRadiotap(ref payload) : DecodeFault.None;
                if (fault == DecodeFault.None) fault = WirelessFrame.TryRead(payload, out payload);
                if (fault == DecodeFault.None && !payload.IsEmpty) fault = LlcSnap.TryRead(payload, out etherType, out payload);
                else etherType = EtherType.None;
                if (fault != DecodeFault.None) return fault;
                break;
            case LinkType.Nflog:
                fault = NflogMessage.TryRead(frame.Bytes, out etherType, out payload);
                if (fault != DecodeFault.None) return fault;
                break;
            case LinkType.Ppp:
                fault = PppFrame.TryRead(frame.Bytes, out etherType, out payload);
                if (fault != DecodeFault.None) return fault;
                break;
            case LinkType.Raw or LinkType.RawBsd or LinkType.RawOpenBsd or LinkType.IPv4 or LinkType.IPv6:
                payload = frame.Bytes;
                if (payload.IsEmpty) return DecodeFault.FrameTooShort;
                etherType = payload[0] >> 4 == 6 ? EtherType.IPv6 : EtherType.IPv4;
                break;
            default:
                return DecodeFault.LinkTypeUnknown;
        }
        ushort vlan = 0;
        if (frame.VlanTpid != 0)
        {
            vlan = (ushort)(frame.VlanTci & 0x0FFF);
            if (_vlansApart) _scope = FlowScope.Tagged(0, vlan);
            Counters.VlanTagged++;
        }
        if (frame.VlanTpid == 0 && EtherType.IsVlan(etherType)) Counters.VlanTagged++;
        return Network(etherType, payload, vlan, frame.Timestamp);
    }

    /// <summary>From an EtherType on: tags, IP, or what else is around it.</summary>
    DecodeFault Network(ushort etherType, ReadOnlySpan<byte> payload, ushort vlan, long timestamp)
    {
        DecodeFault fault;
        for (int depth = 0; EtherType.IsVlan(etherType); depth++)
        {
            if (depth == MaximumVlanTags) return DecodeFault.VlanTooDeep;
            fault = VlanTag.TryRead(payload, out VlanTag tag);
            if (fault != DecodeFault.None) return fault;
            if (vlan == 0) vlan = tag.Identifier;
            if (_vlansApart) _scope = FlowScope.Tagged(_scope, tag.Identifier);
            etherType = tag.Type;
            payload = tag.Payload;
        }
        if (etherType == EtherType.IPv4) return IPv4(payload, vlan, timestamp);
        if (etherType == EtherType.IPv6) return IPv6(payload, vlan, timestamp);
        return Encapsulation(etherType, payload, vlan, timestamp);
    }

    DecodeFault IPv4(ReadOnlySpan<byte> bytes, ushort vlan, long timestamp)
    {
        DecodeFault fault = IPv4Packet.TryRead(bytes, out IPv4Packet ip);
        if (fault != DecodeFault.None) return fault;
        Address source = ip.Source, destination = ip.Destination;
        if (ip.IsFragment) return Fragment(source, destination, ip.Identification, ip.Protocol, ip.FragmentOffset, ip.MoreFragments, ip.Payload, ip.TotalLength, vlan, timestamp);
        var packet = new Packet
        {
            Source = source,
            Destination = destination,
            Protocol = ip.Protocol,
            Vlan = vlan,
            Tunnel = _tunnel,
            Scope = _scope,
            Timestamp = timestamp,
            WireBytes = ip.TotalLength,
            CutOff = Math.Max(0, ip.TotalLength - bytes.Length),
            Packets = 1,
            Identification = ip.Identification,
        };
        fault = Transport(ref packet, ip.Payload);
        if (fault == DecodeFault.None && _tunnels == 0) Counters.Parsed++;
        return fault;
    }

    DecodeFault IPv6(ReadOnlySpan<byte> bytes, ushort vlan, long timestamp)
    {
        DecodeFault fault = IPv6Packet.TryRead(bytes, out IPv6Packet ip);
        if (fault != DecodeFault.None) return fault;
        Address source = ip.Source, destination = ip.Destination;
        if (ip.IsFragment) return Fragment(source, destination, ip.Identification, ip.Protocol, ip.FragmentOffset, ip.MoreFragments, ip.Payload, ip.TotalLength, vlan, timestamp);
        var packet = new Packet
        {
            Source = source,
            Destination = destination,
            Protocol = ip.Protocol,
            Vlan = vlan,
            Tunnel = _tunnel,
            Scope = _scope,
            Timestamp = timestamp,
            WireBytes = ip.TotalLength,
            CutOff = Math.Max(0, ip.TotalLength - bytes.Length),
            Packets = 1,
            HopLimit = ip.HopLimit,
        };
        fault = Transport(ref packet, ip.Payload);
        if (fault == DecodeFault.None && _tunnels == 0) Counters.Parsed++;
        return fault;
    }

    DecodeFault Fragment(in Address source, in Address destination, uint identification, byte protocol, int offset, bool more,
        ReadOnlySpan<byte> payload, int totalLength, ushort vlan, long timestamp)
    {
        // One datagram is read in place at a time; fragments within one that came in fragments are not worth a second place.
        if (_reassembled) return DecodeFault.DatagramInvalid;
        FragmentResult result = _fragments.Add(source, destination, _scope, identification, protocol, offset, more, payload, totalLength, _tick);
        if (_fragments.IsNews) OnFragmentsBad(result == FragmentResult.Beyond ? DecodeFault.FragmentBeyondDatagram : DecodeFault.FragmentOverlapDiffers, source, destination, protocol, vlan, timestamp);
        if (result == FragmentResult.Beyond) return DecodeFault.FragmentBeyondDatagram;
        if (_tunnels == 0) Counters.FragmentsHeld++;
        if (result != FragmentResult.Complete) return DecodeFault.None;
        ReadOnlySpan<byte> datagram = _fragments.Datagram;
        // The frames are accounted for as fragments; a fault of the whole is not another frame's.
        DecodeFault fault = source.IsV4 ? DecodeFault.None : IPv6Packet.SkipExtensions(ref protocol, ref datagram);
        var packet = new Packet
        {
            Source = source,
            Destination = destination,
            Protocol = protocol,
            Vlan = vlan,
            Tunnel = _tunnel,
            Scope = _scope,
            Timestamp = timestamp,
            WireBytes = _fragments.WireBytes,
            Packets = _fragments.Packets,
        };
        _reassembled = true;
        if (fault == DecodeFault.None) fault = Transport(ref packet, datagram);
        _reassembled = false;
        NoteFragments(packet, _fragments.IsAmbiguous);
        _fragments.Release();
        if (fault != DecodeFault.None) _faults[(int)DecodeFault.DatagramInvalid]++;
        return DecodeFault.None;
    }

    /// <summary>Told at once, with no ports: the datagram may never become whole.</summary>
    void OnFragmentsBad(DecodeFault fault, in Address source, in Address destination, byte protocol, ushort vlan, long timestamp) => _emitter.Anomaly(new AnomalyEvent
    {
        Context = new EventContext { Timestamp = timestamp, Tick = _tick, Source = source, Destination = destination, Protocol = protocol, Vlan = vlan, Tunnel = _tunnelTable[_tunnel] },
        Fault = fault,
    });

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    DecodeFault Transport(ref Packet packet, ReadOnlySpan<byte> bytes)
    {
        switch (packet.Protocol)
        {
            case IPProtocol.Tcp:
            {
                DecodeFault fault = TcpSegment.TryRead(bytes, out TcpSegment tcp);
                if (fault != DecodeFault.None) return fault;
                packet.SourcePort = tcp.SourcePort;
                packet.DestinationPort = tcp.DestinationPort;
                packet.TcpFlags = tcp.Flags;
                packet.Sequence = tcp.SequenceNumber;
                packet.Acknowledgment = tcp.AcknowledgmentNumber;
                OnTcp(packet, tcp.Payload, HashOf(packet), FlowTable.None);
                return DecodeFault.None;
            }
            case IPProtocol.Udp:
            {
                DecodeFault fault = UdpDatagram.TryRead(bytes, out UdpDatagram udp);
                if (fault != DecodeFault.None) return fault;
                packet.SourcePort = udp.SourcePort;
                packet.DestinationPort = udp.DestinationPort;
                OnUdp(packet, udp.Payload, HashOf(packet), FlowTable.None);
                return DecodeFault.None;
            }
            case IPProtocol.Sctp:
            {
                DecodeFault fault = SctpPacket.TryRead(bytes, out SctpPacket sctp);
                if (fault != DecodeFault.None) return fault;
                packet.SourcePort = sctp.SourcePort;
                packet.DestinationPort = sctp.DestinationPort;
                // The two chunks that TCP's flags are named for: they say who is client.
                packet.TcpFlags = sctp.IsInit ? TcpFlags.Syn : sctp.IsInitAck ? (byte)(TcpFlags.Syn | TcpFlags.Ack) : (byte)0;
                OnDatagram(packet, sctp.Payload.Length, HashOf(packet), FlowTable.None, out _);
                return DecodeFault.None;
            }
            case IPProtocol.Icmp or IPProtocol.IcmpV6:
            {
                DecodeFault fault = IcmpMessage.TryRead(bytes, out IcmpMessage icmp);
                if (fault != DecodeFault.None) return fault;
                int counter = IcmpMessage.CounterType(icmp.Type, packet.Protocol == IPProtocol.IcmpV6);
                packet.SourcePort = icmp.Type;
                packet.DestinationPort = counter >= 0 ? (ushort)counter : icmp.Code;
                packet.OneWay = counter < 0;
                int index = OnDatagram(packet, icmp.Payload.Length, HashOf(packet), FlowTable.None, out _);
                OnIcmp(ref _flows[index], packet, icmp, bytes);
                return DecodeFault.None;
            }
            default:
            {
                int index = OnDatagram(packet, bytes.Length, HashOf(packet), FlowTable.None, out _);
                if (packet.Protocol is IPProtocol.Gre or IPProtocol.IPv4 or IPProtocol.IPv6) OnTunnel(ref _flows[index], packet, bytes);
                return DecodeFault.None;
            }
        }
    }
}
