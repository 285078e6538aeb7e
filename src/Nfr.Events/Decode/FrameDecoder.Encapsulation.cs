using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What may lie between the link's header and IP besides VLAN tags. Few frames have any of it.</summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Headers within headers are followed this far in one frame, tunnels' included: each is a call deeper.</summary>
    const int MaximumEncapsulations = 8;

    int _encapsulations;

    DecodeFault Encapsulation(ushort etherType, ReadOnlySpan<byte> payload, ushort vlan, long timestamp)
    {
        if (_encapsulations == MaximumEncapsulations) return DecodeFault.EncapsulationTooDeep;
        _encapsulations++;
        try
        {
            return Unwrap(etherType, payload, vlan, timestamp);
        }
        finally
        {
            _encapsulations--;
        }
    }

    DecodeFault Unwrap(ushort etherType, ReadOnlySpan<byte> payload, ushort vlan, long timestamp)
    {
        DecodeFault fault;
        switch (etherType)
        {
            case EtherType.Bridged:
                fault = EthernetFrame.TryRead(payload, out EthernetFrame ethernet);
                return fault != DecodeFault.None ? fault : Network(ethernet.Type, ethernet.Payload, vlan, timestamp);
            case EtherType.ServiceInstance:
                fault = ServiceTag.TryRead(payload, out ServiceTag instance);
                return fault != DecodeFault.None ? fault : Within(TunnelKind.Pbb, instance.ServiceIdentifier, EtherType.Bridged, instance.Payload, vlan, timestamp);
            case EtherType.PppoeSession:
                fault = PppoeSession.TryRead(payload, out PppoeSession session);
                if (fault != DecodeFault.None) return fault;
                return Within(TunnelKind.Pppoe, session.SessionId, EtherType.Ppp, session.Payload, vlan, timestamp);
            case EtherType.Ppp:
                fault = PppFrame.TryRead(payload, out etherType, out payload);
                return fault != DecodeFault.None ? fault : Network(etherType, payload, vlan, timestamp);
            case EtherType.Mpls or EtherType.MplsMulticast:
                fault = MplsStack.TryRead(payload, out MplsStack stack);
                return fault != DecodeFault.None ? fault : Within(TunnelKind.Mpls, stack.Label, stack.PayloadType, stack.Payload, vlan, timestamp);
            case EtherType.Nsh:
                fault = NshHeader.TryRead(payload, out NshHeader service);
                return fault != DecodeFault.None ? fault : Network(service.PayloadType, service.Payload, vlan, timestamp);
            case EtherType.ETag or EtherType.VnTag:
                fault = PortTag.TryRead(payload, etherType == EtherType.ETag ? PortTag.ETagLength : PortTag.VnTagLength, out PortTag tag);
                return fault != DecodeFault.None ? fault : Network(tag.Type, tag.Payload, vlan, timestamp);
            case > EtherType.None and < EtherType.Minimum:
                fault = LlcSnap.TryRead(payload, out etherType, out payload);
                return fault != DecodeFault.None ? fault : Network(etherType, payload, vlan, timestamp);
            default:
                // Within a tunnel the frame is the outer packet's, which has been counted.
                if (_tunnels == 0) Counters.NonIp++;
                if (etherType == EtherType.Arp) _hosts.OnArp(new EventContext { Timestamp = timestamp, Tick = _tick, Vlan = vlan, Tunnel = _tunnelTable[_tunnel] }, payload);
                return DecodeFault.None;
        }
    }

    /// <summary>A tunnel of the link layer: no addresses, and no packet around.</summary>
    DecodeFault Within(TunnelKind kind, uint identifier, ushort etherType, ReadOnlySpan<byte> payload, ushort vlan, long timestamp)
    {
        if (!TryEnter(kind, identifier, default, default, out ushort around)) return DecodeFault.EncapsulationTooDeep;
        uint scope = _scope;
        // Labels of MPLS are each direction's own.
        if (_networksApart && kind == TunnelKind.Pppoe) _scope = FlowScope.Within(scope, kind, identifier);
        try
        {
            return Network(etherType, payload, vlan, timestamp);
        }
        finally
        {
            _scope = scope;
            Leave(around);
        }
    }
}
