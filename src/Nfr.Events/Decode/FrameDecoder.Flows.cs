using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>The half of the loop that keeps flows.</summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Two directions of a mirrored port come out of step by less than this (nanoseconds).</summary>
    const long MirrorReordering = 10_000_000;

    /// <summary>Datagrams of one flow on DNS's port that are no DNS messages, before it is noted and reported.</summary>
    const int TellingDatagrams = 16;

    /// <summary>The last slice by what was sent is so many doublings long: 64 GiB as it comes.</summary>
    const int MaximumSteps = 14;

    uint HashOf(in Packet packet) =>
        _flows.Hash(packet.Source, packet.SourcePort, packet.Destination, packet.DestinationPort, packet.Protocol, packet.Scope);

    /// <param name="packet">What its headers said.</param>
    /// <param name="payload">What was captured of it behind them.</param>
    /// <param name="hash">Of its flow.</param>
    /// <param name="likely">The flow's entry if it was found ahead, or <see cref="FlowTable.None"/>.</param>
    void OnTcp(in Packet packet, ReadOnlySpan<byte> payload, uint hash, int likely)
    {
        int index = _flows.Find(likely, hash, packet, out int direction);
        _duplicates.Look(hash, packet, _tick);
        bool opens = (packet.TcpFlags & (TcpFlags.Syn | TcpFlags.Ack)) == TcpFlags.Syn;
        if (index != FlowTable.None && opens && IsAnotherConnection(_flows[index], packet, direction))
        {
            Export(index);
            index = FlowTable.None;
        }
        if (index == FlowTable.None) index = Open(packet, hash, out direction);
        ref Flow flow = ref _flows[index];
        int length = PayloadLength(packet, payload.Length);
        Count(ref flow, index, packet, direction, length);
        byte flags = packet.TcpFlags;
        flow.TcpFlags |= flags;
        if ((flags & TcpFlags.Ack) != 0)
        {
            if (!TcpStates.HasCome(flow, 1 - direction)) Counters.SegmentsAlone++;
            else Counters.SegmentsPaired++;
        }
        if ((flags & TcpFlags.Syn) != 0) OnSyn(ref flow, packet, direction);
        if (length > 0 || (flags & TcpFlags.Fin) != 0) OnBytes(ref flow, packet, direction, length);
        if ((direction == 0 ? flow.SeenIn.HasGap : flow.SeenOut.HasGap) && (flags & TcpFlags.Ack) != 0) OnAcknowledged(ref flow, packet, direction);
        // Most segments of a living connection change nothing about its state.
        if ((flags & (TcpFlags.Syn | TcpFlags.Fin | TcpFlags.Rst)) != 0 || flow.ClientState != EndpointState.Established || flow.ServerState != EndpointState.Established)
        {
            TcpStates.Advance(ref flow, direction, flags);
            FlowClass flowClass = ClassOf(flow);
            if (flowClass != flow.Class) _flows.Relist(index, ref flow, flowClass, _tick);
        }
        if ((flow.Content & ContentState.Done) != 0) return;
        // First what the other side has had before it sent this: a response is read after its request, though bytes before that were missed.
        // Where nothing is held, a segment that brings nothing changes nothing.
        if (flow.Conversation != FlowTable.None && (flags & TcpFlags.Ack) != 0 && (flow.WantsAcknowledgments || !payload.IsEmpty || (flags & (TcpFlags.Fin | TcpFlags.Rst)) != 0))
        {
            _conversations.OnAcknowledgment(ref flow, direction, packet.Acknowledgment, packet.Timestamp, _tick);
            if ((flow.Content & ContentState.Done) != 0) return;
        }
        if (!payload.IsEmpty)
        {
            uint sequence = packet.Sequence + ((flags & TcpFlags.Syn) != 0 ? 1u : 0u);
            _conversations.OnSegment(ref flow, direction, sequence, payload, packet.Timestamp, _tick);
            // Miners keep their connections for days; the first line says it all.
            if (flow.App == App.Stratum) SliceEarly(ref flow, packet.Timestamp);
        }
        // Both sides have ended: what the parser holds is all it will get. What comes behind a reset shows that the host did not take it (RFC 5961 3, a time stamp
        // out of range); such a conversation ends with its flow.
        if (flow.Class == FlowClass.Closed && ((flags & (TcpFlags.Fin | TcpFlags.Rst)) != 0 || !TcpStates.IsReset(flow)) && flow.Conversation != FlowTable.None && !_conversations.IsWaiting(flow)) _conversations.Close(ref flow);
    }

    /// <inheritdoc cref="OnTcp"/>
    void OnUdp(in Packet packet, ReadOnlySpan<byte> payload, uint hash, int likely)
    {
        int index = OnDatagram(packet, payload.Length, hash, likely, out int direction);
        ref Flow flow = ref _flows[index];
        if (IsDns(packet, flow, payload))
        {
            if (payload.IsEmpty) return;
            App service = Recognizer.DnsService(packet.SourcePort, packet.DestinationPort);
            EventContext context = ContextOf(packet);
            DecodeFault fault = _dns.OnMessage(context, packet.Scope, payload, service);
            if (fault == DecodeFault.None)
            {
                flow.App = service;
                if (service != App.Dns) _hosts.OnLocalNames(context, payload, service == App.Mdns ? HostSource.Mdns : HostSource.Llmnr);
                return;
            }
            _faults[(int)fault]++;
            // A port promises nothing: tunnels like DNS's for the ways it is let through.
            if (flow.Looks < byte.MaxValue && ++flow.Looks == TellingDatagrams && Recognizer.DnsService(packet.SourcePort, packet.DestinationPort) == App.Dns)
            {
                flow.Notes |= FlowNotes.NotDns;
                SliceEarly(ref flow, packet.Timestamp);
            }
            if (flow.App == App.Unknown && (direction == 0 ? flow.PacketsOut : flow.PacketsIn) <= Datagrams.MaximumLooks)
                flow.App = Datagrams.Recognize(ref flow, direction, payload, packet.SourcePort, packet.DestinationPort);
            return;
        }
        if (flow.App == App.Unknown && (direction == 0 ? flow.PacketsOut : flow.PacketsIn) <= Datagrams.MaximumLooks)
            flow.App = Datagrams.Recognize(ref flow, direction, payload, packet.SourcePort, packet.DestinationPort);
        if (flow.App == App.Dhcp) _hosts.OnDhcp(ContextOf(packet), payload);
        else if (flow.App == App.DhcpV6) _hosts.OnDhcpV6(ContextOf(packet), payload);
        else if (flow.App == App.Nbns || IsNbns(packet)) OnNbns(ref flow, packet, payload);
        if (flow.App == App.Quic && (flow.Content & ContentState.Done) == 0) _quic.OnDatagram(ref flow, packet, direction, payload, _tick);
        else if ((flow.Content & ContentState.Done) == 0 && !payload.IsEmpty && ((flow.Content & ContentState.Dtls) != 0 || DtlsRecord.LooksLikeHandshake(payload)))
            OnDtls(ref flow, packet, direction, payload);
        // Last: the packet within may take this flow's place in the table.
        if (OpenedTunnel.MayBe(flow.App, packet, payload)) OnTunnel(ref flow, packet, payload);
    }

    /// <summary>DTLS may begin later than its flow: behind STUN on the same ports (RFC 7983).</summary>
    void OnDtls(ref Flow flow, in Packet packet, int direction, ReadOnlySpan<byte> payload)
    {
        flow.Content |= ContentState.Dtls;
        if (flow.App is App.Unknown or App.Stun) flow.App = App.Dtls;
        _dtls.OnDatagram(ref flow, ContextOf(packet), direction, payload);
    }

    /// <summary>NetBIOS names (RFC 1002): DNS's messages with names of their own, as dns events and as what they say of hosts.</summary>
    void OnNbns(ref Flow flow, in Packet packet, ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty) return;
        EventContext context = ContextOf(packet);
        DecodeFault fault = _dns.OnMessage(context, packet.Scope, payload, App.Nbns);
        if (fault != DecodeFault.None)
        {
            _faults[(int)fault]++;
            return;
        }
        if (flow.App == App.Unknown) flow.App = App.Nbns;
        _hosts.OnNbns(context, payload);
    }

    /// <summary>Of an event that this packet alone gives: from its sender to its receiver.</summary>
    EventContext ContextOf(in Packet packet) => new()
    {
        Timestamp = packet.Timestamp,
        Tick = _tick,
        Source = packet.Source,
        Destination = packet.Destination,
        SourcePort = packet.SourcePort,
        DestinationPort = packet.DestinationPort,
        Protocol = packet.Protocol,
        Vlan = packet.Vlan,
        Tunnel = _tunnelTable[packet.Tunnel],
    };

    /// <summary>By its port, or because a flow's first datagrams are DNS messages to the last byte. NetBIOS (RFC 1002) has the same shape and other names.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool IsDns(in Packet packet, in Flow flow, ReadOnlySpan<byte> payload) =>
        Recognizer.IsDnsPort(packet.SourcePort) || Recognizer.IsDnsPort(packet.DestinationPort) || flow.App == App.Dns
        || (flow.App == App.Unknown && flow.PacketsOut + flow.PacketsIn <= 2 && !IsNbns(packet) && !ServiceShapes.IsNetbiosName(payload) && DnsMessage.LooksLikeDns(payload));

    static bool IsNbns(in Packet packet) => packet.DestinationPort == NbnsMessage.Port || packet.SourcePort == NbnsMessage.Port;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int OnDatagram(in Packet packet, int captured, uint hash, int likely, out int direction)
    {
        int index = _flows.Find(likely, hash, packet, out direction);
        _duplicates.Look(hash, packet, _tick);
        if (index == FlowTable.None) index = Open(packet, hash, out direction);
        ref Flow flow = ref _flows[index];
        Count(ref flow, index, packet, direction, PayloadLength(packet, captured));
        return index;
    }

    void OnIcmp(ref Flow flow, in Packet packet, in IcmpMessage icmp, ReadOnlySpan<byte> bytes)
    {
        bool six = packet.Protocol == IPProtocol.IcmpV6;
        if (icmp.IsEcho(six, out bool isReply))
        {
            // A sweep over a network must not take the place of log-ins: echoes have half of the details.
            if (flow.Details == FlowDetails.None && _details.InUse >= FlowDetails.Capacity / 2) return;
            if (!_details.TryRent(ref flow)) return;
            ref FlowEcho echo = ref _details.EchoOf(flow.Details);
            EchoPayloads.Add(ref echo, isReply, icmp.Payload, packet.CutOff);
            if (echo.Counts.CarriesData) SliceEarly(ref flow, packet.Timestamp);
        }
        else if (six && icmp.Type is >= NdpMessage.RouterSolicitation and <= NdpMessage.NeighborAdvertisement && icmp.Code == 0 && packet.HopLimit == NdpMessage.HopLimit)
        {
            _hosts.OnNdp(ContextOf(packet), bytes);
        }
    }

    /// <summary>The packet, already put to its flow, was made of fragments; perhaps of such as contradicted each other.</summary>
    void NoteFragments(in Packet packet, bool isAmbiguous)
    {
        uint hash = HashOf(packet);
        int index = _flows.Find(FlowTable.None, hash, packet, out _);
        if (index != FlowTable.None) _flows[index].Notes |= isAmbiguous ? FlowNotes.Fragmented | FlowNotes.Ambiguous : FlowNotes.Fragmented;
    }

    /// <summary>Application bytes on the wire: what was captured, and of a cut-off frame what its headers say was there.</summary>
    static int PayloadLength(in Packet packet, int captured) => captured + packet.CutOff;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Count(ref Flow flow, int index, in Packet packet, int direction, int payload)
    {
        if (FlowTable.IsDue(flow, _tick)) OnTurn(ref flow, index, packet.Timestamp);
        flow.LastTick = _tick;
        if (direction == 0)
        {
            flow.PacketsOut += (uint)packet.Packets;
            flow.BytesOut += packet.WireBytes;
            flow.PayloadOut += payload;
        }
        else
        {
            flow.PacketsIn += (uint)packet.Packets;
            flow.BytesIn += packet.WireBytes;
            flow.PayloadIn += payload;
        }
    }

    /// <summary>
    /// Twice a second at most: a flow that lives long is reported in slices, and so is one whose packets no longer fit their counters. A client that sends much is not waited for
    /// either: whoever scores it hears of it after the first step, and then each time that twice as much has gone.
    /// </summary>
    void OnTurn(ref Flow flow, int index, long timestamp)
    {
        bool full = flow.PacketsOut > int.MaxValue || flow.PacketsIn > int.MaxValue;
        if (flow.PayloadOut >= _options.SentStep << flow.Steps)
        {
            full = true;
            if (flow.Steps < MaximumSteps) flow.Steps++;
        }
        if ((full || _tick - flow.FirstTick >= _options.ActiveTimeout) && (flow.PacketsOut | flow.PacketsIn) != 0) Slice(ref flow, timestamp);
        _flows.Relist(index, ref flow, flow.Class, _tick);
    }

    int Open(in Packet packet, uint hash, out int direction)
    {
        if (_flows.IsFull)
        {
            int oldest = _flows.LeastRecentlySeen();
            _flows[oldest].Notes |= FlowNotes.Evicted;
            Counters.FlowsEvicted++;
            Export(oldest);
        }
        bool tcp = packet.Protocol == IPProtocol.Tcp;
        // Asked before there is a flow, since what it asks is not ours: whatever it does, no flow lies in the table that was not counted.
        bool senderIsClient = packet.OneWay || FlowOrientation.SenderIsClient(
            packet.Source, packet.SourcePort, packet.Destination, packet.DestinationPort, packet.Protocol, packet.TcpFlags, _options.IsHome);
        int index = _flows.Add(hash, tcp ? FlowClass.Established : FlowClass.Datagram, _tick);
        Counters.FlowsOpened++;
        ref Flow flow = ref _flows[index];
        direction = senderIsClient ? 0 : 1;
        (flow.Client, flow.Server) = senderIsClient ? (packet.Source, packet.Destination) : (packet.Destination, packet.Source);
        (flow.ClientPort, flow.ServerPort) = senderIsClient ? (packet.SourcePort, packet.DestinationPort) : (packet.DestinationPort, packet.SourcePort);
        flow.Protocol = packet.Protocol;
        // Protocols of the network layer say their name by number.
        if (!tcp && packet.Protocol != IPProtocol.Udp)
        {
            flow.App = packet.Protocol switch
            {
                IPProtocol.Icmp or IPProtocol.IcmpV6 => App.Icmp,
                IPProtocol.Igmp => App.Igmp,
                IPProtocol.Esp or IPProtocol.AuthenticationHeader => App.Esp,
                _ => App.Unknown,
            };
        }
        flow.Scope = packet.Scope;
        flow.Vlan = packet.Vlan;
        flow.Tunnel = packet.Tunnel == 0 ? (ushort)0 : _tunnelTable.Take(_tunnelTable[packet.Tunnel]);
        flow.FirstTick = _tick;
        flow.LastTick = _tick;
        flow.FirstTimestamp = packet.Timestamp;
        if (tcp && (packet.TcpFlags & TcpFlags.Syn) == 0) flow.Notes |= FlowNotes.Midstream;
        if (tcp && TcpStates.IsProbe(packet.TcpFlags)) flow.Notes |= FlowNotes.Probe;
        return index;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void OnBytes(ref Flow flow, in Packet packet, int direction, int length)
    {
        ref SeenBytes seen = ref direction == 0 ? ref flow.SeenOut : ref flow.SeenIn;
        ContentState counted = direction == 0 ? ContentState.OutCounted : ContentState.InCounted;
        uint sequence = packet.Sequence + ((packet.TcpFlags & TcpFlags.Syn) != 0 ? 1u : 0u);
        if ((flow.Content & counted) == 0)
        {
            seen.Start(sequence);
            flow.Content |= counted;
        }
        // A reset's number may be anything the other side takes (RFC 9293 3.10.7).
        if ((packet.TcpFlags & TcpFlags.Rst) == 0) seen.Add(sequence, (uint)length);
    }

    static void OnAcknowledged(ref Flow flow, in Packet packet, int direction)
    {
        if (direction == 0) flow.MissedIn += flow.SeenIn.Acknowledge(packet.Acknowledgment);
        else flow.MissedOut += flow.SeenOut.Acknowledge(packet.Acknowledgment);
        if ((flow.MissedIn | flow.MissedOut) != 0) flow.Notes |= FlowNotes.MissedBytes;
    }

    void OnSyn(ref Flow flow, in Packet packet, int direction)
    {
        uint first = packet.Sequence + 1;
        if (direction == 0)
        {
            // An attempt that nobody answered may be made again with another number; then the later one counts.
            bool isFirst = (flow.Content & ContentState.OutStarted) == 0;
            if (!isFirst && (packet.Sequence == flow.InitialSequence || flow.ServerState != EndpointState.Inactive || flow.Conversation != FlowTable.None)) return;
            flow.InitialSequence = packet.Sequence;
            flow.NextOut = first;
            flow.SeenOut.Start(first);
            flow.Content |= ContentState.OutStarted | ContentState.OutCounted;
        }
        else
        {
            if ((flow.Content & ContentState.InStarted) != 0) return;
            flow.NextIn = first;
            flow.SeenIn.Start(first);
            flow.Content |= ContentState.InStarted | ContentState.InCounted;
        }
    }

    /// <summary>The ports are used again: the old connection has ended, or this SYN is not a repeat of its own.</summary>
    bool IsAnotherConnection(in Flow flow, in Packet packet, int direction)
    {
        if (direction == 1) return flow.Class == FlowClass.Closed;
        // A mirror may show the refusal before the SYN that it answers.
        if (flow.ClientState is EndpointState.Inactive) return flow.Class == FlowClass.Closed && _tick - flow.LastTick > MirrorReordering;
        return packet.Sequence != flow.InitialSequence && (flow.Class == FlowClass.Closed || (flow.Notes & FlowNotes.Midstream) != 0);
    }

    static FlowClass ClassOf(in Flow flow)
    {
        if (TcpStates.IsOver(flow)) return FlowClass.Closed;
        return flow.ServerState == EndpointState.Inactive && (flow.ClientState == EndpointState.SynSent || (flow.Notes & FlowNotes.Probe) != 0)
            ? FlowClass.Attempt : FlowClass.Established;
    }

    void Expire(FlowClass flowClass, long timeout)
    {
        for (int index; (index = _flows.Oldest(flowClass)) != FlowTable.None;)
        {
            ref Flow flow = ref _flows[index];
            // The list is in order to within its granularity, so what lies behind this one may stay that much too long.
            if (_tick - flow.LastTick < timeout) return;
            Export(index);
        }
    }

    void Export(int index)
    {
        ref Flow flow = ref _flows[index];
        try
        {
            if ((flow.Content & ContentState.Dtls) != 0) _dtls.Close(ref flow);
            else if (flow.Protocol == IPProtocol.Udp) _quic.Close(ref flow);
            else _conversations.Close(ref flow);
            Emit(flow);
        }
        finally
        {
            // A mistake of ours must not leave the flow in front, where every later time-out would meet it again.
            Counters.FlowsClosed++;
            _details.Return(ref flow);
            _tunnelTable.Return(flow.Tunnel);
            _flows.Remove(index);
        }
    }

    void Slice(ref Flow flow, long timestamp)
    {
        FlowNotes notes = flow.Notes;
        flow.Notes |= FlowNotes.ActiveTimeout;
        Emit(flow);
        Counters.FlowSlices++;
        flow.Notes = notes & ~(FlowNotes.MissedBytes | FlowNotes.CleartextCredentials | FlowNotes.LoginFailed | FlowNotes.LoginSucceeded);
        if (flow.Details != FlowDetails.None) _details[flow.Details].LoginFailures = _details[flow.Details].LoginSuccesses = 0;
        if (flow.PacketsOut > 0) flow.Earlier |= EarlierSlices.PacketsOut;
        if (flow.PacketsIn > 0) flow.Earlier |= EarlierSlices.PacketsIn;
        if (flow.PayloadOut + flow.PayloadIn > 0) flow.Earlier |= EarlierSlices.Payload;
        _details.EchoOf(flow.Details).Counts = default;
        flow.PacketsOut = flow.PacketsIn = flow.MissedOut = flow.MissedIn = 0;
        flow.BytesOut = flow.BytesIn = flow.PayloadOut = flow.PayloadIn = 0;
        flow.FirstTick = _tick;
        flow.FirstTimestamp = timestamp;
    }

    /// <summary>
    /// A flow without connections is reported when it has been silent for a minute. What its content says already is worth an event now, so that whoever
    /// scores it hears of it while it goes on; once a flow.
    /// </summary>
    void SliceEarly(ref Flow flow, long timestamp)
    {
        if ((flow.Earlier & EarlierSlices.Early) != 0) return;
        flow.Earlier |= EarlierSlices.Early;
        Slice(ref flow, timestamp);
    }

    void Emit(in Flow flow)
    {
        Span<byte> ja3 = stackalloc byte[32], hassh = stackalloc byte[32], hasshServer = stackalloc byte[32];
        if (flow.Protocol == IPProtocol.Tcp)
        {
            Counters.TcpPayloadBytes += flow.PayloadOut + flow.PayloadIn;
            Counters.TcpMissedBytes += (long)flow.MissedOut + flow.MissedIn;
        }
        // Index 0 is an empty detail.
        ref FlowDetail detail = ref _details[flow.Details];
        _emitter.Ip(new IpEvent
        {
            Context = new EventContext
            {
                Timestamp = flow.FirstTimestamp,
                Tick = flow.FirstTick,
                Source = flow.Client,
                Destination = flow.Server,
                SourcePort = flow.ClientPort,
                DestinationPort = flow.ServerPort,
                Protocol = flow.Protocol,
                Vlan = flow.Vlan,
                Tunnel = _tunnelTable[flow.Tunnel],
            },
            BytesIn = flow.BytesIn,
            BytesOut = flow.BytesOut,
            PacketsIn = flow.PacketsIn,
            PacketsOut = flow.PacketsOut,
            PayloadIn = flow.PayloadIn,
            PayloadOut = flow.PayloadOut,
            MissedIn = flow.MissedIn,
            MissedOut = flow.MissedOut,
            Duration = flow.LastTick - flow.FirstTick,
            TcpFlags = flow.TcpFlags,
            State = TcpStates.StateOf(flow),
            App = flow.App,
            Notes = flow.Notes,
            Ja3 = Hex(flow.HasJa3, flow.Ja3, ja3),
            User = detail.User,
            ClientSoftware = detail.ClientSoftware,
            ServerSoftware = detail.ServerSoftware,
            Hassh = Hex(detail.HasHassh, detail.Hassh, hassh),
            HasshServer = Hex(detail.HasHasshServer, detail.HasshServer, hasshServer),
            LoginFailures = detail.LoginFailures,
            LoginSuccesses = detail.LoginSuccesses,
            Echo = _details.EchoOf(flow.Details).Counts,
        });
    }

    static ReadOnlySpan<byte> Hex(bool has, in Hash128 value, Span<byte> text)
    {
        if (!has) return default;
        value.Write(text);
        return text;
    }
}
