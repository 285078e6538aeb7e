using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What a tunnel's own header said, and what lies behind it.</summary>
ref struct OpenedTunnel
{
    /// <summary>RFC 8086: GRE in UDP.</summary>
    public const ushort GreInUdpPort = 4754;

    public TunnelKind Kind;
    public uint Identifier;
    /// <summary>What the flow around speaks.</summary>
    public App App;
    /// <summary>Of the payload; <see cref="EtherType.None"/> when nothing in it concerns us.</summary>
    public ushort EtherType;
    public ReadOnlySpan<byte> Payload;

    /// <summary>Ports decide where a header has no mark of its own.</summary>
    public static bool IsPort(ushort port) => port is VxlanHeader.Port or VxlanHeader.LinuxPort or GeneveHeader.Port or GreInUdpPort;

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
                return TryPort(ref opened, IsPort(outer.DestinationPort) ? outer.DestinationPort : outer.SourcePort);
        }
    }

    static bool TryPort(ref OpenedTunnel opened, ushort port)
    {
        switch (port)
        {
            case VxlanHeader.Port or VxlanHeader.LinuxPort:
                if (!VxlanHeader.TryRead(opened.Payload, out VxlanHeader vxlan)) return false;
                opened.Kind = TunnelKind.Vxlan;
                opened.Identifier = vxlan.NetworkIdentifier;
                opened.App = App.Vxlan;
                opened.EtherType = Wire.EtherType.Bridged;
                opened.Payload = vxlan.Payload;
                return true;
            case GeneveHeader.Port:
                if (!GeneveHeader.TryRead(opened.Payload, out GeneveHeader geneve)) return false;
                opened.Kind = TunnelKind.Geneve;
                opened.Identifier = geneve.NetworkIdentifier;
                opened.App = App.Geneve;
                opened.EtherType = geneve.ProtocolType;
                opened.Payload = geneve.Payload;
                return true;
            case GreInUdpPort:
                return TryGre(ref opened);
            default:
                return false;
        }
    }

    static bool TryGre(ref OpenedTunnel opened)
    {
        if (!GreHeader.TryRead(opened.Payload, out GreHeader gre)) return false;
        opened.Kind = TunnelKind.Gre;
        opened.Identifier = gre.Key;
        opened.App = App.Gre;
        opened.EtherType = gre.ProtocolType;
        opened.Payload = gre.Payload;
        return true;
    }
}
