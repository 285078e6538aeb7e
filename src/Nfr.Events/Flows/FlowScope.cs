namespace Nfr.Events;

/// <summary>What may tell two flows of the same addresses and ports apart (decisions/005). The Community ID knows none of it.</summary>
public enum FlowSeparation
{
    /// <summary>Nothing: addresses, ports and protocol are the flow, as in Zeek.</summary>
    None,
    /// <summary>The virtual network that a tunnel names with the same number both ways: VXLAN and Geneve VNI, GRE key, PPPoE session.</summary>
    Networks,
    /// <summary>That, and the identifiers of all VLAN tags: only where both directions of a connection carry the same.</summary>
    Vlans,
}

/// <summary>
/// A packet's scope: the numbers of the networks around it in 32 bits, 0 for none. It is part of the hash and compared with the flow's, so that
/// tenants with the same addresses have flows, DNS queries and fragments of their own.
/// </summary>
static class FlowScope
{
    const uint VlanMark = 0xC2B2AE3D;

    /// <summary>Within a network that a tunnel of this kind names; 0 names none. In one place, each number gives another scope.</summary>
    public static uint Within(uint around, TunnelKind kind, uint network) =>
        network == 0 ? around : Step(around, network ^ ((uint)kind * 0x9E3779B9));

    /// <summary>Behind a VLAN tag. Identifier 0 is a priority and no network (802.1Q 9.6).</summary>
    public static uint Tagged(uint around, ushort vlan) => vlan == 0 ? around : Step(around, vlan ^ VlanMark);

    static uint Step(uint around, uint own) => (uint.RotateLeft(around, 13) ^ own) * 0x85EBCA6B;
}
