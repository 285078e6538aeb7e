using System.Globalization;
using System.Net;
using System.Text;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// Keeps a single bad line of a list from alerting for everything: a public suffix, a domain that everybody visits or the trusted lists name, an address
/// that is nobody's on the Internet. Lists of services (VPN, dynamic DNS and their like) may name popular domains and private suffixes: that is what they are for.
/// </summary>
sealed class Breadth(PublicSuffixList suffixes, IndicatorSet trusted)
{
    readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _popular =
        PopularDomains.Text.Split(' ').ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <returns>Why the line would match too much; null when it may stand.</returns>
    public string? Fault(IndicatorKind kind, ReadOnlySpan<byte> form, AlertThreat threat)
    {
        switch (kind)
        {
            case IndicatorKind.Domain or IndicatorKind.Host:
                bool service = Threats.IsService(threat);
                if (suffixes.IsPublicSuffix(form, out bool isPrivate) && !(service && isPrivate)) return $"too broad: {Text(form)} is a public suffix";
                if (service) return null;
                ReadOnlySpan<byte> name = form.StartsWith("www."u8) ? form[4..] : form;
                Span<char> chars = stackalloc char[name.Length];
                Encoding.ASCII.GetChars(name, chars);
                return _popular.Contains(chars) || trusted.Holds(IndicatorKind.Domain, name) ? $"too broad: {Text(form)} is a trusted domain" : null;
            case IndicatorKind.Address or IndicatorKind.AddressPort or IndicatorKind.Network:
                // Without the port's two bytes, or the prefix length's one.
                int extra = kind switch { IndicatorKind.AddressPort => 2, IndicatorKind.Network => 1, _ => 0 };
                Address address = form.Length - extra == 4 ? Address.ReadV4(form) : Address.ReadV6(form);
                if (IsReserved(address)) return $"too broad: {address} is private or reserved";
                if (kind == IndicatorKind.Network) return null;
                IndicatorHit hit = default;
                trusted.FindAddress(address, 0, ref hit);
                return hit.IsNone || Threats.IsService(threat) ? null : $"too broad: {address} is a trusted address";
            default:
                return null;
        }
    }

    /// <summary>What never stands for one host of the Internet. The networks for documents are left: no traffic has them, and examples do.</summary>
    static bool IsReserved(Address address) =>
        SpecialAddresses.IsPrivate(address) || SpecialAddresses.IsLoopback(address) || SpecialAddresses.IsLinkLocal(address) || SpecialAddresses.IsMulticast(address)
        || address.IsUnspecified || (address.IsV4 && (address.V4 >> 24 == 0 || address.V4 >> 28 == 15 || address.V4 >> 22 == 0x6440 >> 6));

    static string Text(ReadOnlySpan<byte> form) => Encoding.ASCII.GetString(form);
}
