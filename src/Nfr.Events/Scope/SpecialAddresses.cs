using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// IANA's special-purpose address registries (RFC 6890 with RFC 7723, 8190, 9602, 9637, 9780). The obsolete list of RFC 3330 took 14/8,
/// 24/8, 39/8 and others for special; they have long been ordinary Internet addresses.
/// </summary>
public static class SpecialAddresses
{
    const int Special = 0, Reachable = 1;
    // Reachable marks the islands of ordinary addresses within special prefixes; it wins.
    static readonly PrefixTable Kinds = new(Entries(), 2);

    /// <summary>An address of the public Internet: globally reachable unicast.</summary>
    public static bool IsGlobal(Address address)
    {
        ulong kinds = Kinds.Find(address)[0];
        if ((kinds & (1UL << Reachable)) != 0) return true;
        if ((kinds & (1UL << Special)) != 0) return false;
        // IPv6 outside 2000::/3 is not assigned (RFC 4291 2.4).
        return address.IsV4 || address.High >> 61 == 1;
    }

    /// <summary>RFC 1918 and unique local addresses (RFC 4193).</summary>
    public static bool IsPrivate(Address address) => address.IsV4
        ? address.V4 >> 24 == 10 || address.V4 >> 20 == 0xAC1 || address.V4 >> 16 == 0xC0A8
        : address.High >> 57 == 0xFC >> 1;

    /// <summary>224.0.0.0/4 and ff00::/8.</summary>
    public static bool IsMulticast(Address address) => address.IsV4 ? address.V4 >> 28 == 0xE : address.High >> 56 == 0xFF;

    /// <summary>Multicast or 255.255.255.255. A subnet's own broadcast address cannot be told without its mask.</summary>
    public static bool IsBroadcastOrMulticast(Address address) => address == Address.FromV4(uint.MaxValue) || IsMulticast(address);

    /// <summary>127.0.0.0/8 and ::1.</summary>
    public static bool IsLoopback(Address address) => address.IsV4 ? address.V4 >> 24 == 127 : address == new Address(0, 1);

    /// <summary>169.254.0.0/16 and fe80::/10.</summary>
    public static bool IsLinkLocal(Address address) => address.IsV4 ? address.V4 >> 16 == 0xA9FE : address.High >> 54 == 0xFE80 >> 6;

    static List<(IpPrefix, int)> Entries()
    {
        var entries = new List<(IpPrefix, int)>();
        Add(Special,
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
            "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8");
        Add(Reachable,
            "192.0.0.9/32", "192.0.0.10/32", "64:ff9b::/96", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32",
            "2001:4:112::/48", "2001:20::/28", "2001:30::/28");
        return entries;

        void Add(int kind, params string[] prefixes)
        {
            foreach (string prefix in prefixes) entries.Add((IpPrefix.Parse(prefix), kind));
        }
    }
}
