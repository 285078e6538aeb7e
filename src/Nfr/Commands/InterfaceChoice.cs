using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Nfr.Commands;

/// <summary>A network interface as far as choosing one goes.</summary>
/// <param name="Name">Such as eth0.</param>
/// <param name="Up">It has a link.</param>
/// <param name="Loopback">It reaches this machine only.</param>
/// <param name="Addressed">It has an address beyond link-local ones: it belongs to somebody who speaks on it.</param>
readonly record struct InterfaceFacts(string Name, bool Up, bool Loopback, bool Addressed);

/// <summary>Which interface an empty inputs.sniffer.interface means.</summary>
static class InterfaceChoice
{
    /// <summary>The first up one without an address, as a mirror port is; else the first up one that is not loopback; null when there is none.</summary>
    public static string? Automatic(IReadOnlyList<InterfaceFacts> interfaces)
    {
        foreach (InterfaceFacts one in interfaces)
        {
            if (one is { Up: true, Loopback: false, Addressed: false }) return one.Name;
        }
        foreach (InterfaceFacts one in interfaces)
        {
            if (one is { Up: true, Loopback: false }) return one.Name;
        }
        return null;
    }

    public static IReadOnlyList<InterfaceFacts> OfThisMachine()
    {
        List<InterfaceFacts> facts = [];
        foreach (NetworkInterface one in NetworkInterface.GetAllNetworkInterfaces())
        {
            bool addressed = one.GetIPProperties().UnicastAddresses.Any(a =>
                a.Address.AddressFamily == AddressFamily.InterNetwork ? !a.Address.ToString().StartsWith("169.254.", StringComparison.Ordinal) : !a.Address.IsIPv6LinkLocal);
            facts.Add(new InterfaceFacts(
                one.Name, one.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown, one.NetworkInterfaceType == NetworkInterfaceType.Loopback, addressed));
        }
        return facts;
    }
}
