using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// The half of the loop that looks into tunnels: IP in IP, GRE (also in UDP), VXLAN, Geneve. The packet around is a packet of its flow like any
/// other; the packet within is put to its own flow besides, without being counted as a frame again.
/// </summary>
public sealed partial class FrameDecoder<TSink>
{
    /// <summary>Tunnels within tunnels are followed this far: each level is a call deeper.</summary>
    const int MaximumTunnels = 4;

    /// <summary>RFC 8086: GRE in UDP.</summary>
    const ushort GreInUdpPort = 4754;

    /// <summary>How many tunnels the packet being decoded is in.</summary>
    int _tunnels;

    static bool IsTunnelPort(ushort port) => port is VxlanHeader.Port or VxlanHeader.LinuxPort or GeneveHeader.Port or GreInUdpPort;

    void OnTunnel(in Packet outer, ReadOnlySpan<byte> payload)
    {
        if (!TryOpenTunnel(outer, ref payload, out ushort etherType))
        {
            // A port promises nothing: what is no tunnel there is no fault. A protocol number does.
            if (outer.Protocol != IPProtocol.Udp) _faults[(int)DecodeFault.TunnelInvalid]++;
            return;
        }
        if (_tunnels == MaximumTunnels)
        {
            _faults[(int)DecodeFault.TunnelTooDeep]++;
            return;
        }
        DecodeFault fault = DecodeFault.None;
        if (etherType == EtherType.Bridged)
        {
            fault = EthernetFrame.TryRead(payload, out EthernetFrame ethernet);
            if (fault == DecodeFault.None)
            {
                etherType = ethernet.Type;
                payload = ethernet.Payload;
            }
        }
        _tunnels++;
        if (fault == DecodeFault.None) fault = Network(etherType, payload, outer.Vlan, outer.Timestamp);
        _tunnels--;
        if (fault != DecodeFault.None) _faults[(int)DecodeFault.TunnelInvalid]++;
    }

    /// <summary>Takes the tunnel's own header off.</summary>
    static bool TryOpenTunnel(in Packet outer, ref ReadOnlySpan<byte> payload, out ushort etherType)
    {
        etherType = 0;
        ushort port = 0;
        switch (outer.Protocol)
        {
            case IPProtocol.IPv4:
                etherType = EtherType.IPv4;
                return true;
            case IPProtocol.IPv6:
                etherType = EtherType.IPv6;
                return true;
            case IPProtocol.Udp:
                port = IsTunnelPort(outer.DestinationPort) ? outer.DestinationPort : outer.SourcePort;
                break;
        }
        if (port is VxlanHeader.Port or VxlanHeader.LinuxPort)
        {
            if (!VxlanHeader.TryRead(payload, out VxlanHeader vxlan)) return false;
            etherType = EtherType.Bridged;
            payload = vxlan.Payload;
            return true;
        }
        if (port == GeneveHeader.Port)
        {
            if (!GeneveHeader.TryRead(payload, out GeneveHeader geneve)) return false;
            etherType = geneve.ProtocolType;
            payload = geneve.Payload;
            return true;
        }
        if (!GreHeader.TryRead(payload, out GreHeader gre)) return false;
        etherType = gre.ProtocolType;
        payload = gre.Payload;
        return true;
    }
}
