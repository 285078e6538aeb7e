using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Nfr.Native;
using Nfr.Wire;

namespace Nfr.Capture;

/// <summary>A network interface of this host.</summary>
public sealed record CaptureInterface
{
    public required string Name { get; init; }
    public required int Index { get; init; }
    public bool IsUp { get; init; }
    /// <summary>The link has a carrier.</summary>
    public bool IsRunning { get; init; }
    public bool IsLoopback { get; init; }
    /// <summary>Has an address that others reach it by. Link-local ones do not count: every port gets them without being in use.</summary>
    public bool HasAddress { get; init; }
    /// <summary>ARPHRD_ value of net/if_arp.h.</summary>
    public int HardwareType { get; init; } = CaptureInterfaces.HardwareEthernet;
    /// <summary>Six bytes on Ethernet, empty where there is none.</summary>
    public IReadOnlyList<byte> Mac { get; init; } = [];

    /// <summary>How its frames begin; null when the sensor cannot decode what this hardware carries.</summary>
    public LinkType? LinkType => HardwareType switch
    {
        CaptureInterfaces.HardwareEthernet or CaptureInterfaces.HardwareLoopback => Wire.LinkType.Ethernet,
        CaptureInterfaces.HardwareNone or CaptureInterfaces.HardwareRawIp => Wire.LinkType.Raw,
        _ => null,
    };
}

/// <summary>The interfaces of this host, and which of them to listen on.</summary>
public static class CaptureInterfaces
{
    internal const int HardwareEthernet = 1;
    internal const int HardwareRawIp = 519;
    internal const int HardwareLoopback = 772;
    /// <summary>ARPHRD_NONE: tun devices, WireGuard.</summary>
    internal const int HardwareNone = 65534;

    /// <summary>IFNAMSIZ less its NUL.</summary>
    const int MaximumNameLength = 15;

    /// <summary>The interfaces in the order of their index, in the network namespace of the calling thread.</summary>
    public static IReadOnlyList<CaptureInterface> List() =>
    [
        .. InterfaceEntry.List().Select(entry => new CaptureInterface
        {
            Name = entry.Name,
            Index = entry.Index,
            IsUp = entry.IsUp,
            IsRunning = entry.IsRunning,
            IsLoopback = entry.IsLoopback,
            HasAddress = entry.Addresses.Any(IsUsable),
            HardwareType = entry.HardwareType,
            Mac = entry.Mac,
        }),
    ];

    /// <summary>
    /// The names to listen on: those of <paramref name="configured"/>, or if there is none, the first up interface without an address
    /// (a mirror port has none), or else the first up one; never loopback by itself. False and a sentence when that cannot be.
    /// </summary>
    public static bool Choose(
        IReadOnlyList<CaptureInterface> present,
        IReadOnlyList<string> configured,
        out IReadOnlyList<string> chosen,
        [NotNullWhen(false)] out string? error)
    {
        chosen = [];
        error = null;
        if (configured.Count == 0)
        {
            CaptureInterface[] usable = [.. present.Where(i => i.IsUp && !i.IsLoopback && i.LinkType is not null)];
            CaptureInterface? best = usable.FirstOrDefault(i => !i.HasAddress) ?? usable.FirstOrDefault();
            if (best is null) error = $"capture: no interface is up to listen on; interfaces here: {Names(present)}";
            else chosen = [best.Name];
            return error is null;
        }
        var names = new List<string>(configured.Count);
        foreach (string name in configured)
        {
            if (!IsName(name)) error = $"capture: \"{name}\" cannot be an interface name; interfaces here: {Names(present)}";
            else if (present.All(i => i.Name != name)) error = Missing(name, present);
            if (error is not null) return false;
            if (!names.Contains(name)) names.Add(name);
        }
        chosen = names;
        return true;
    }

    internal static string Missing(string name, IReadOnlyList<CaptureInterface> present) =>
        $"capture: interface {name} does not exist; interfaces here: {Names(present)}";

    static string Names(IReadOnlyList<CaptureInterface> present) =>
        present.Count == 0 ? "none" : string.Join(", ", present.Select(i => i.Name).Order(StringComparer.Ordinal));

    /// <summary>The kernel's dev_valid_name: short, no slash, colon or space, not a dot folder.</summary>
    internal static bool IsName(string name) =>
        name.Length is > 0 and <= MaximumNameLength && name is not ("." or "..") && !name.Any(c => c is '/' or ':' || char.IsWhiteSpace(c));

    internal static bool IsUsable(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetwork) return !address.IsIPv6LinkLocal;
        // 169.254/16 (RFC 3927): DHCP clients put it on every port that nobody answers on, a mirror port above all.
        byte[] bytes = address.GetAddressBytes();
        return bytes[0] != 169 || bytes[1] != 254;
    }
}
