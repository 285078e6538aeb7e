using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// The half of the loop that looks into tunnels: IP in IP, GRE (also in UDP), ERSPAN, PPTP, VXLAN (also GPE), Geneve, GTP, Teredo, AYIYA. The packet around is a
/// packet of its flow like any other; the packet within is put to its own flow besides, without being counted as a frame again.
/// </summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Tunnels within tunnels are followed this far, those of the link layer (MPLS, PPPoE, PBB) included: each level is a call deeper.</summary>
    const int MaximumTunnels = 4;

    /// <summary>How many tunnels the packet being decoded is in that have a packet around them: its frame has been counted.</summary>
    int _tunnels;

    /// <summary>How many tunnels of any kind it is in.</summary>
    int _depth;

    /// <summary>The innermost of them, of the <see cref="TunnelTable"/>; 0 for none.</summary>
    ushort _tunnel;

    /// <summary>Of the packet being decoded: see <see cref="FlowScope"/>.</summary>
    uint _scope;

    void OnTunnel(ref Flow flow, in Packet outer, ReadOnlySpan<byte> payload)
    {
        if (!OpenedTunnel.TryOpen(outer, payload, out OpenedTunnel opened))
        {
            // A port promises nothing: what is no tunnel there is no fault. A protocol number does, and so do tunnel packets that the flow had before.
            // An empty datagram only keeps a translator's way open.
            bool empty = payload.IsEmpty && outer.CutOff == 0;
            if (outer.Protocol != IPProtocol.Udp || (OpenedTunnel.IsKnown(flow.App) && !empty)) _faults[(int)DecodeFault.TunnelInvalid]++;
            return;
        }
        // Before the packet within is decoded: that may take this flow's place in the table.
        if (flow.App == App.Unknown) flow.App = opened.App;
        if (opened.EtherType == EtherType.None) return;
        if (!TryEnter(opened.Kind, opened.Identifier, outer.Source, outer.Destination, out ushort around))
        {
            _faults[(int)DecodeFault.TunnelTooDeep]++;
            return;
        }
        DecodeFault fault;
        uint scope = _scope;
        if (_networksApart) _scope = FlowScope.Within(scope, opened.Kind, opened.Network);
        _tunnels++;
        try
        {
            fault = Network(opened.EtherType, opened.Payload, outer.Vlan, outer.Timestamp);
        }
        finally
        {
            _tunnels--;
            _scope = scope;
            Leave(around);
        }
        if (fault == DecodeFault.EncapsulationTooDeep) _faults[(int)DecodeFault.TunnelTooDeep]++;
        else if (fault != DecodeFault.None) _faults[(int)DecodeFault.TunnelInvalid]++;
    }

    /// <summary>From here on packets are in this tunnel, until <see cref="Leave"/> goes back to the one around; false when that is one too many.</summary>
    bool TryEnter(TunnelKind kind, uint identifier, in Address source, in Address destination, out ushort around)
    {
        around = _tunnel;
        if (_depth == MaximumTunnels) return false;
        _depth++;
        _tunnel = _tunnelTable.Take(new Tunnel { Kind = kind, Depth = (byte)_depth, Identifier = identifier, Source = source, Destination = destination });
        return true;
    }

    void Leave(ushort around)
    {
        _tunnelTable.Return(_tunnel);
        _tunnel = around;
        _depth--;
    }
}
