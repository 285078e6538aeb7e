using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What a tunnel's own header said, and what lies behind it.</summary>
ref struct OpenedTunnel
{
    /// <summary>RFC 8086: GRE in UDP.</summary>
    public const ushort GreInUdpPort = 4754;

    public TunnelKind Kind;
    public uint Identifier;
    /// <summary>The network within, by a number that both directions carry; 0 when there is none. TEIDs, PPTP's calls and ERSPAN's sessions are a direction's own.</summary>
    public uint Network;
    /// <summary>What the flow around speaks.</summary>
    public App App;
    /// <summary>Of the payload; <see cref="EtherType.None"/> when nothing in it concerns us.</summary>
    public ushort EtherType;
    public ReadOnlySpan<byte> Payload;

    /// <summary>
    /// A datagram is worth a look. VXLAN, Geneve, GRE and AYIYA have no mark of their own, so there the port decides; GTP must have its port and its
    /// length right; Teredo says itself what it is, on any port.
    /// </summary>
    public static bool MayBe(App app, in Packet packet, ReadOnlySpan<byte> payload) =>
        IsPort(packet.DestinationPort) || IsPort(packet.SourcePort) || app == App.Teredo || (app == App.Unknown && TeredoPacket.MayBe(payload));

    /// <summary>A flow of one of these was recognised by an earlier packet's content: what follows is a tunnel's too, or no good.</summary>
    public static bool IsKnown(App app) => app is App.Vxlan or App.Geneve or App.Gre or App.Gtp or App.Teredo;

    static bool IsPort(ushort port) => port is VxlanHeader.Port or VxlanHeader.LinuxPort or VxlanGpeHeader.Port or GeneveHeader.Port or GreInUdpPort or GtpHeader.Port or AyiyaPacket.Port;

    /// <summary>False when what should be a tunnel's header is none.</summary>
    public static bool TryOpen(in Packet outer, ReadOnlySpan<byte> payload, out OpenedTunnel opened)
    {
        opened = default;
        opened.Payload = payload;
        switch (outer.Protocol)
        {
            case IPProtocol.IPv4:
                opened.Kind = outer.Source.IsV4 ? TunnelKind.IpInIp : TunnelKind.FourInSix;
                opened.App = App.IpInIp;
                opened.EtherType = Wire.EtherType.IPv4;
                return true;
            case IPProtocol.IPv6:
                opened.Kind = outer.Source.IsV4 ? TunnelKind.SixInFour : TunnelKind.IpInIp;
                opened.App = App.IpInIp;
                opened.EtherType = Wire.EtherType.IPv6;
                return true;
            case IPProtocol.Gre:
                return TryGre(ref opened);
            default:
                return TryPort(ref opened, IsPort(outer.DestinationPort) ? outer.DestinationPort : outer.SourcePort, outer.CutOff)
                    || TryTeredo(ref opened, outer.CutOff);
        }
    }

    static bool TryPort(ref OpenedTunnel opened, ushort port, int cutOff)
    {
        switch (port)
        {
            case VxlanHeader.Port or VxlanHeader.LinuxPort:
                if (!VxlanHeader.TryRead(opened.Payload, out VxlanHeader vxlan)) return false;
                opened.Kind = TunnelKind.Vxlan;
                opened.Identifier = opened.Network = vxlan.NetworkIdentifier;
                opened.App = App.Vxlan;
                opened.EtherType = Wire.EtherType.Bridged;
                opened.Payload = vxlan.Payload;
                return true;
            case VxlanGpeHeader.Port:
                if (!VxlanGpeHeader.TryRead(opened.Payload, out VxlanGpeHeader generic)) return false;
                opened.Kind = TunnelKind.Vxlan;
                opened.Identifier = generic.NetworkIdentifier;
                opened.App = App.Vxlan;
                opened.EtherType = generic.PayloadType;
                opened.Payload = generic.Payload;
                return true;
            case GeneveHeader.Port:
                if (!GeneveHeader.TryRead(opened.Payload, out GeneveHeader geneve)) return false;
                opened.Kind = TunnelKind.Geneve;
                opened.Identifier = opened.Network = geneve.NetworkIdentifier;
                opened.App = App.Geneve;
                opened.EtherType = geneve.ProtocolType;
                opened.Payload = geneve.Payload;
                return true;
            case GreInUdpPort:
                return TryGre(ref opened);
            case GtpHeader.Port:
                if (!GtpHeader.TryRead(opened.Payload, cutOff, out GtpHeader gtp)) return false;
                opened.Kind = TunnelKind.Gtp;
                opened.Identifier = gtp.TunnelEndpoint;
                opened.App = App.Gtp;
                opened.EtherType = gtp.Payload.IsEmpty ? Wire.EtherType.None : gtp.Payload[0] >> 4 == 6 ? Wire.EtherType.IPv6 : Wire.EtherType.IPv4;
                opened.Payload = gtp.Payload;
                return true;
            case AyiyaPacket.Port:
                if (!AyiyaPacket.TryRead(opened.Payload, out AyiyaPacket ayiya)) return false;
                opened.Kind = TunnelKind.Ayiya;
                opened.App = App.Ayiya;
                opened.EtherType = ayiya.PayloadType;
                opened.Payload = ayiya.Payload;
                return true;
            default:
                return false;
        }
    }

    static bool TryTeredo(ref OpenedTunnel opened, int cutOff)
    {
        if (!TeredoPacket.TryRead(opened.Payload, cutOff, out TeredoPacket teredo)) return false;
        opened.Kind = TunnelKind.Teredo;
        opened.App = App.Teredo;
        opened.EtherType = Wire.EtherType.IPv6;
        opened.Payload = teredo.Payload;
        return true;
    }

    static bool TryGre(ref OpenedTunnel opened)
    {
        if (!GreHeader.TryRead(opened.Payload, out GreHeader gre)) return false;
        opened.App = App.Gre;
        if (gre.ProtocolType is ErspanHeader.ProtocolType or ErspanHeader.ProtocolType3)
        {
            if (!ErspanHeader.TryRead(gre, out ErspanHeader erspan)) return false;
            opened.Kind = TunnelKind.Erspan;
            opened.Identifier = erspan.SessionId;
            opened.EtherType = erspan.PayloadType;
            opened.Payload = erspan.Payload;
            return true;
        }
        opened.Kind = gre.Version == 1 ? TunnelKind.Pptp : TunnelKind.Gre;
        opened.Identifier = gre.Key;
        // NVGRE (RFC 7637 3.2): the key's last byte is the flow's entropy, another for each direction.
        if (gre.Version == 0) opened.Network = gre.ProtocolType == Wire.EtherType.Bridged ? gre.Key >> 8 : gre.Key;
        if (gre.Payload.IsEmpty) return true;
        opened.EtherType = gre.ProtocolType;
        opened.Payload = gre.Payload;
        return true;
    }
}
