namespace Nfr.Wire;

/// <summary>EtherType values (IEEE 802) that the decoder acts on.</summary>
public static class EtherType
{
    /// <summary>No packet that concerns us.</summary>
    public const ushort None = 0;
    public const ushort IPv4 = 0x0800;
    public const ushort Arp = 0x0806;
    public const ushort IPv6 = 0x86DD;
    /// <summary>An Ethernet frame within GRE or Geneve (RFC 1701: transparent Ethernet bridging).</summary>
    public const ushort Bridged = 0x6558;
    /// <summary>A PPP frame (RFC 2637 4.1: the payload of PPTP's GRE).</summary>
    public const ushort Ppp = 0x880B;
    /// <summary>MPLS; <see cref="MplsMulticast"/> is its other number (RFC 5332).</summary>
    public const ushort Mpls = 0x8847;
    public const ushort MplsMulticast = 0x8848;
    /// <summary>IEEE 802.1BR.</summary>
    public const ushort ETag = 0x893F;
    public const ushort VnTag = 0x8926;
    /// <summary>IEEE 802.1ah: a customer's frame within a provider's.</summary>
    public const ushort ServiceInstance = 0x88E7;
    /// <summary>RFC 8300.</summary>
    public const ushort Nsh = 0x894F;
    /// <summary>Smaller numbers are the length of an 802.3 frame, in which LLC follows.</summary>
    public const ushort Minimum = 0x0600;
    public const ushort PppoeSession = 0x8864;
    /// <summary>IEEE 802.1Q C-tag.</summary>
    public const ushort Vlan = 0x8100;
    /// <summary>IEEE 802.1ad S-tag.</summary>
    public const ushort ServiceVlan = 0x88A8;
    /// <summary>The pre-standard outer tag of QinQ.</summary>
    public const ushort QinQ = 0x9100;

    public static bool IsVlan(ushort etherType) => etherType is Vlan or ServiceVlan or QinQ;
}
