using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// What a host said of itself: its name, its hardware address, or both. Emitted when it is new or has changed, not each time it is said.
/// Spans are borrowed for the call.
/// </summary>
public ref struct HostEvent
{
    /// <summary>Nanoseconds since 1970 UTC.</summary>
    public long Timestamp;
    /// <summary>The same instant on a clock that never steps back.</summary>
    public long Tick;
    public Address Address;
    /// <summary>The 48 bits of the hardware address; 0 when none was said.</summary>
    public ulong HardwareAddress;
    /// <summary>UTF-8, without ".local" or padding; empty when none was said.</summary>
    public ReadOnlySpan<byte> Name;
    public HostSource Source;
    public ushort Vlan;
    /// <summary>What it was heard in: the address is one of that network.</summary>
    public Tunnel Tunnel;
}

/// <summary>Where a host's name or hardware address was read.</summary>
public enum HostSource : byte
{
    /// <summary>RFC 826.</summary>
    Arp,
    /// <summary>RFC 4861.</summary>
    Ndp,
    /// <summary>RFC 2132 option 12, RFC 4702 option 81.</summary>
    Dhcp,
    /// <summary>RFC 4704 option 39.</summary>
    DhcpV6,
    /// <summary>RFC 6762.</summary>
    Mdns,
    /// <summary>RFC 4795.</summary>
    Llmnr,
    /// <summary>RFC 1002.</summary>
    Nbns,
}

public static class HostSources
{
    /// <summary>The name in a host event's <c>source</c>.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this HostSource source) => source switch
    {
        HostSource.Arp => "arp"u8,
        HostSource.Ndp => "ndp"u8,
        HostSource.Dhcp => "dhcp"u8,
        HostSource.DhcpV6 => "dhcpv6"u8,
        HostSource.Mdns => "mdns"u8,
        HostSource.Llmnr => "llmnr"u8,
        _ => "nbns"u8,
    };
}
