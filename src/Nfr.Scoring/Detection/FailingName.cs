using Nfr.Events;
using Nfr.Scoring.Names;

namespace Nfr.Scoring.Detection;

/// <summary>Which failed queries say something about the client: those for domains that anybody could have registered, asked of a name server for what it wants to reach.</summary>
static class FailingName
{
    const ushort Pointer = 12;
    const short ServerFailure = 2, NonExistentDomain = 3, Refused = 5;

    /// <summary>A failure, of whatever kind; a query that was not answered is one too.</summary>
    public static bool IsFailure(short responseCode) => responseCode is -1 or ServerFailure or NonExistentDomain or Refused;

    /// <summary>A failure that may be the resolver's or the line's instead of the name's.</summary>
    public static bool IsSoft(short responseCode) => responseCode != NonExistentDomain;

    /// <summary>Multicast DNS, LLMNR and NetBIOS do not leave the link.</summary>
    public static bool IsLocal(scoped in DnsEvent e) => e.Service is not (App.Dns or App.Unknown) || e.Context.DestinationPort is 5353 or 5355 or 137;

    /// <summary>Where the registered domain starts; -1 for what fails in every network: reverse names, names under no public top-level domain, machines' own service discovery, and whole names that a search list (RFC 1535) has put before the site's domain.</summary>
    public static int DomainOf(scoped in DnsEvent e, PublicSuffixList suffixes)
    {
        ReadOnlySpan<byte> name = e.Query;
        if (e.QueryType == Pointer || name.Length < 4 || name[0] == '_' || name.EndsWith(".arpa"u8)) return -1;
        if (name.StartsWith("wpad."u8) || name.StartsWith("isatap."u8)) return -1;
        int start = suffixes.RegisteredStart(name, out bool listed, out int suffix);
        if (!listed || suffix <= start || suffix >= name.Length) return -1;
        if (start == 0) return 0;
        ReadOnlySpan<byte> left = name[..(start - 1)];
        if (left.Contains((byte)'.'))
        {
            suffixes.RegisteredStart(left, out bool isWhole, out _);
            if (isWhole) return -1;
        }
        return start;
    }
}
