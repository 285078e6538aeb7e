using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What a packet came in: the innermost tunnel around it. Kept on every event of the flow within.</summary>
public struct Tunnel : IEquatable<Tunnel>
{
    public TunnelKind Kind;
    /// <summary>How many tunnels there are around; 0 for none.</summary>
    public byte Depth;
    /// <summary>VXLAN or Geneve VNI, GRE key, GTP TEID, ERSPAN session, MPLS label (the innermost), PPPoE or PPTP session, I-SID of PBB; 0 when it has none.</summary>
    public uint Identifier;
    /// <summary>The outer packet's addresses; unset where the layer has none (MPLS, PPPoE, PBB).</summary>
    public Address Source;
    public Address Destination;

    /// <summary>
    /// A number for the network within, the same for both directions: addresses mean something within it only. 0 outside of tunnels. A VNI names a network
    /// whoever carries it; any other identifier only between its two ends.
    /// </summary>
    public readonly ulong Network
    {
        get
        {
            if (Kind == TunnelKind.None) return 0;
            ulong h = (((ulong)Kind << 32) | Identifier) * 0x9E3779B97F4A7C15UL;
            if (Kind is not (TunnelKind.Vxlan or TunnelKind.Geneve)) h += Mix(Source) + Mix(Destination);
            return (h ^ (h >> 32)) | 1;
        }
    }

    static ulong Mix(in Address end)
    {
        ulong h = (end.High ^ 0xD6E8FEB86659FD93UL) * 0xA0761D6478BD642FUL;
        h = (h ^ (h >> 31) ^ end.Low) * 0xD6E8FEB86659FD93UL;
        return h ^ (h >> 29);
    }

    public readonly bool Equals(Tunnel other) =>
        Kind == other.Kind && Depth == other.Depth && Identifier == other.Identifier && Source == other.Source && Destination == other.Destination;

    public override readonly bool Equals(object? obj) => obj is Tunnel other && Equals(other);
    public override readonly int GetHashCode() => HashCode.Combine(Kind, Depth, Identifier, Source, Destination);
    public static bool operator ==(Tunnel left, Tunnel right) => left.Equals(right);
    public static bool operator !=(Tunnel left, Tunnel right) => !left.Equals(right);
}

public enum TunnelKind : byte
{
    None,
    /// <summary>IPv4 in IPv4, or IPv6 in IPv6 (RFC 2003, RFC 2473).</summary>
    IpInIp,
    /// <summary>IPv6 in IPv4 (RFC 4213).</summary>
    SixInFour,
    /// <summary>IPv4 in IPv6 (RFC 2473).</summary>
    FourInSix,
    Gre,
    Erspan,
    Vxlan,
    Geneve,
    Gtp,
    Teredo,
    Mpls,
    Pppoe,
    Pptp,
    /// <summary>IPv6 in UDP of tunnel brokers (draft-massar-v6ops-ayiya-02).</summary>
    Ayiya,
    /// <summary>A customer's frame within a provider's (IEEE 802.1ah).</summary>
    Pbb,
}

public static class TunnelKinds
{
    /// <summary>The name in an event's <c>tunnel</c>; empty for none.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this TunnelKind kind) => kind switch
    {
        TunnelKind.IpInIp => "ipip"u8,
        TunnelKind.SixInFour => "6in4"u8,
        TunnelKind.FourInSix => "4in6"u8,
        TunnelKind.Gre => "gre"u8,
        TunnelKind.Erspan => "erspan"u8,
        TunnelKind.Vxlan => "vxlan"u8,
        TunnelKind.Geneve => "geneve"u8,
        TunnelKind.Gtp => "gtp"u8,
        TunnelKind.Teredo => "teredo"u8,
        TunnelKind.Mpls => "mpls"u8,
        TunnelKind.Pppoe => "pppoe"u8,
        TunnelKind.Pptp => "pptp"u8,
        TunnelKind.Ayiya => "ayiya"u8,
        TunnelKind.Pbb => "pbb"u8,
        _ => default,
    };
}
