using System.Net;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Nfr.Native;

/// <summary>getifaddrs(3): it asks the kernel over netlink, so it sees the calling thread's network namespace (sysfs may not).</summary>
static unsafe partial class Libc
{
    internal const uint IFF_UP = 0x1;
    internal const uint IFF_LOOPBACK = 0x8;
    internal const uint IFF_RUNNING = 0x40;

    internal const int SOCK_DGRAM = 2;
    internal const nuint SIOCGIFHWADDR = 0x8927;

    /// <summary>Variadic in C; with one pointer argument the call is the same on x64 and arm.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(SafeFileHandle file, nuint request, ifreq* argument);

    /// <summary>The same with whatever a device's request points at, or takes by value.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(SafeFileHandle file, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getifaddrs(ifaddrs** list);

    [LibraryImport("libc")]
    internal static partial void freeifaddrs(ifaddrs* list);
}

#pragma warning disable CS8981 // Lower-case type names: they are C's own.

unsafe struct ifaddrs
{
    internal ifaddrs* ifa_next;
    internal byte* ifa_name;
    internal uint ifa_flags;
    internal byte* ifa_addr;
    internal byte* ifa_netmask;
    internal byte* ifa_dstaddr;
    internal void* ifa_data;
}

/// <summary>The name and, of the union behind it, the address family: for SIOCGIFHWADDR the ARPHRD_ value.</summary>
unsafe struct ifreq
{
    internal const int IFNAMSIZ = 16;
    internal fixed byte ifr_name[IFNAMSIZ];
    internal ushort sa_family;
    internal fixed byte ifr_rest[22];
}

/// <summary>One network interface as the kernel lists it; the hardware type is an ARPHRD_ value of net/if_arp.h.</summary>
public sealed record InterfaceEntry(
    string Name, int Index, bool IsUp, bool IsRunning, bool IsLoopback, int HardwareType, byte[] Mac, IReadOnlyList<IPAddress> Addresses)
{
    /// <summary>The interfaces of the calling thread's network namespace in the order of their index; empty when the kernel refuses.</summary>
    public static unsafe IReadOnlyList<InterfaceEntry> List()
    {
        ifaddrs* first;
        if (Libc.getifaddrs(&first) != 0) return [];
        try
        {
            var addresses = new Dictionary<string, List<IPAddress>>(StringComparer.Ordinal);
            var entries = new List<InterfaceEntry>();
            // SAFETY: a NULL-terminated list that lives until freeifaddrs; each sockaddr is as long as its family says.
            for (ifaddrs* at = first; at != null; at = at->ifa_next)
            {
                string name = Marshal.PtrToStringUTF8((nint)at->ifa_name) ?? "";
                // An IPv4 address may carry a label such as eth0:1; no interface name holds a colon.
                if (name.IndexOf(':', StringComparison.Ordinal) is > 0 and int colon) name = name[..colon];
                if (!addresses.TryGetValue(name, out List<IPAddress>? own)) addresses[name] = own = [];
                if (at->ifa_addr == null)
                {
                    // A device without a hardware address, as tun is: the list leaves its type out.
                    if (Bare(name, at->ifa_flags, own) is InterfaceEntry bare) entries.Add(bare);
                    continue;
                }
                switch (*(ushort*)at->ifa_addr)
                {
                    case Libc.AF_INET: // sockaddr_in: family, port, 4 bytes of address
                        own.Add(new IPAddress(new ReadOnlySpan<byte>(at->ifa_addr + 4, 4)));
                        break;
                    case Libc.AF_INET6: // sockaddr_in6: family, port, flow information, 16 bytes of address
                        own.Add(new IPAddress(new ReadOnlySpan<byte>(at->ifa_addr + 8, 16)));
                        break;
                    case Libc.AF_PACKET:
                        sockaddr_ll* link = (sockaddr_ll*)at->ifa_addr;
                        byte[] mac = new ReadOnlySpan<byte>(&link->sll_addr, Math.Min((int)link->sll_halen, 8)).ToArray();
                        entries.Add(Entry(name, link->sll_ifindex, at->ifa_flags, link->sll_hatype, mac, own));
                        break;
                }
            }
            entries.Sort((a, b) => a.Index.CompareTo(b.Index));
            return entries;
        }
        finally
        {
            Libc.freeifaddrs(first);
        }
    }

    static InterfaceEntry Entry(string name, int index, uint flags, int hardwareType, byte[] mac, IReadOnlyList<IPAddress> addresses) =>
        new(name, index, (flags & Libc.IFF_UP) != 0, (flags & Libc.IFF_RUNNING) != 0, (flags & Libc.IFF_LOOPBACK) != 0, hardwareType, mac, addresses);

    static unsafe InterfaceEntry? Bare(string name, uint flags, IReadOnlyList<IPAddress> addresses)
    {
        uint index = Libc.if_nametoindex(name);
        using var socket = new SafeFileHandle(Libc.socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0), ownsHandle: true);
        if (index == 0 || socket.IsInvalid || name.Length >= ifreq.IFNAMSIZ) return null;
        ifreq request = default;
        for (int i = 0; i < name.Length; i++) request.ifr_name[i] = (byte)name[i];
        // SAFETY: the kernel reads and writes sizeof(struct ifreq), which the local has.
        return Libc.ioctl(socket, Libc.SIOCGIFHWADDR, &request) == 0 ? Entry(name, (int)index, flags, request.sa_family, [], addresses) : null;
    }
}
