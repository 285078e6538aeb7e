using System.Numerics;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Which events go on: any group that holds the source can refuse an event, and at least one must hold it. Immutable; a changed scope
/// file makes a new one. No decision allocates.
/// </summary>
public sealed class Scope
{
    readonly AlertGroup[] _alertGroups;
    readonly int _words;
    /// <summary>Groups by source, three parts of equal size: in_scope, out_scope, and one bit that says "home".</summary>
    readonly PrefixTable _sources;
    readonly PrefixTable _trustedIps;
    readonly DomainTable _trustedDomains;
    /// <summary>Groups with an empty in_scope: they hold every source.</summary>
    readonly ulong[] _everyone;
    readonly bool _homeIsPrivate;
    readonly bool _watchesInside;

    /// <param name="groups">In the file's order; none = everything goes on.</param>
    /// <param name="watchesInside">Whether what home machines say to each other is watched although its destination is trusted: where nobody wrote that they are.</param>
    public Scope(IReadOnlyList<ScopeGroup> groups, bool watchesInside = false)
    {
        ArgumentNullException.ThrowIfNull(groups);
        _watchesInside = watchesInside;
        Groups = [.. groups];
        _alertGroups = [.. groups.Select(g => new AlertGroup(g.Name, g.Label))];
        _words = Math.Max(1, (groups.Count + 63) / 64);
        _everyone = new ulong[_words];
        _homeIsPrivate = groups.Count == 0;
        int home = HomeBit;
        var sources = new List<(IpPrefix, int)>();
        var trustedIps = new List<(IpPrefix, int)>();
        var trustedDomains = new List<(DomainPattern, int)>();
        for (int g = 0; g < groups.Count; g++)
        {
            ScopeGroup group = groups[g];
            if (group.InScope.Count == 0)
            {
                _everyone[g >> 6] |= 1UL << (g & 63);
                _homeIsPrivate = true;
            }
            foreach (IpPrefix prefix in group.InScope)
            {
                sources.Add((prefix, g));
                // "Everyone" tells no client from a server, so it is not a home.
                if (prefix.IsEverything) _homeIsPrivate = true;
                else sources.Add((prefix, home));
            }
            foreach (IpPrefix prefix in group.OutScope) sources.Add((prefix, (_words * 64) + g));
            foreach (IpPrefix prefix in group.TrustedIps) trustedIps.Add((prefix, g));
            foreach (DomainPattern domain in group.TrustedDomains) trustedDomains.Add((domain, g));
        }
        _sources = new PrefixTable(sources, home + 1);
        _trustedIps = new PrefixTable(trustedIps, _words * 64);
        _trustedDomains = new DomainTable(trustedDomains, _words * 64);
    }

    public IReadOnlyList<ScopeGroup> Groups { get; }

    /// <summary>The scope of a sensor without a scope file.</summary>
    public static Scope Default { get; } = new([ScopeGroup.Default], watchesInside: true);

    int HomeBit => _words * 128;

    /// <summary>By source and query; the resolver's address is never considered.</summary>
    public ScopeVerdict Decide(scoped in DnsEvent e)
    {
        if (Groups.Count == 0) return new ScopeVerdict(ScopeReason.Accepted, -1);
        if (e.Query.IsEmpty) return new ScopeVerdict(ScopeReason.NoName, -1);
        return Decide(e.Context.Source, _trustedDomains.Find(e.Query), ScopeReason.TrustedDomain);
    }

    /// <summary>By source and destination.</summary>
    public ScopeVerdict Decide(scoped in IpEvent e) => Decide(e.Context);

    /// <summary>By source and the URL's host; the server's address is never considered.</summary>
    public ScopeVerdict Decide(scoped in HttpEvent e)
    {
        if (Groups.Count == 0) return new ScopeVerdict(ScopeReason.Accepted, -1);
        if (e.Url.IsEmpty) return new ScopeVerdict(ScopeReason.NoName, -1);
        return Decide(e.Context.Source, _trustedDomains.Find(UrlHost.Of(e.Url)), ScopeReason.TrustedDomain);
    }

    /// <summary>By source and destination, as an ip event.</summary>
    public ScopeVerdict Decide(scoped in TlsEvent e) => Decide(e.Context);

    /// <summary>As an ip event, by either side: a rule tells of a home machine whether it asks or is asked, also among themselves.</summary>
    public ScopeVerdict Decide(scoped in SignatureEvent e)
    {
        ScopeVerdict verdict = Decide(e.Context);
        return verdict.IsAccepted || Watches(verdict, e.Context) == ScopeWatch.None ? verdict : new ScopeVerdict(ScopeReason.Accepted, -1);
    }

    ScopeVerdict Decide(in EventContext context)
    {
        if (Groups.Count == 0) return new ScopeVerdict(ScopeReason.Accepted, -1);
        if (IsUnset(context.Destination)) return new ScopeVerdict(ScopeReason.NoDestination, -1);
        return Decide(context.Source, _trustedIps.Find(context.Destination), ScopeReason.TrustedIp);
    }

    ScopeVerdict Decide(Address source, ReadOnlySpan<ulong> trusted, ScopeReason trustedReason)
    {
        if (IsUnset(source)) return new ScopeVerdict(ScopeReason.NoSource, -1);
        ReadOnlySpan<ulong> set = _sources.Find(source);
        int accepted = -1;
        for (int w = 0; w < _words; w++)
        {
            ulong inScope = set[w] | _everyone[w];
            ulong outScope = set[_words + w];
            ulong veto = inScope & (outScope | trusted[w]);
            if (veto != 0)
            {
                int bit = BitOperations.TrailingZeroCount(veto);
                return new ScopeVerdict((outScope >> bit & 1) != 0 ? ScopeReason.OutScoped : trustedReason, (w * 64) + bit);
            }
            if (accepted < 0 && inScope != 0) accepted = (w * 64) + BitOperations.TrailingZeroCount(inScope);
        }
        return new ScopeVerdict(accepted < 0 ? ScopeReason.OutOfScope : ScopeReason.Accepted, accepted);
    }

    /// <summary>Whether an event that is refused is scored on board all the same; it goes nowhere else.</summary>
    /// <param name="verdict">What the scope said of the event.</param>
    /// <param name="context">Its ends.</param>
    public ScopeWatch Watches(ScopeVerdict verdict, in EventContext context) => verdict.Reason switch
    {
        ScopeReason.OutOfScope => IsInbound(in context) ? ScopeWatch.Inbound : ScopeWatch.None,
        ScopeReason.TrustedIp => _watchesInside && IsHome(context.Source) && IsHome(context.Destination) ? ScopeWatch.Inside : ScopeWatch.None,
        _ => ScopeWatch.None,
    };

    bool IsInbound(in EventContext context)
    {
        ReadOnlySpan<ulong> set = _sources.Find(context.Destination), trusted = _trustedIps.Find(context.Source);
        for (int w = 0; w < _words; w++)
        {
            if ((set[w] & ~(set[_words + w] | trusted[w])) != 0) return true;
        }
        return false;
    }

    /// <summary>
    /// In a group's in_scope, or, where a group takes everyone (empty in_scope, 0.0.0.0/0, ::/0, or no groups at all), in private,
    /// link-local or loopback space.
    /// </summary>
    public bool IsHome(Address address) =>
        _sources.Contains(address, HomeBit) || (_homeIsPrivate && (SpecialAddresses.IsPrivate(address) || SpecialAddresses.IsLinkLocal(address) || SpecialAddresses.IsLoopback(address)));

    /// <summary>Every group whose in_scope holds the source and whose out_scope does not, in the file's order.</summary>
    public IReadOnlyList<AlertGroup> GroupsOf(Address source)
    {
        ReadOnlySpan<ulong> set = _sources.Find(source);
        List<AlertGroup>? groups = null;
        for (int w = 0; w < _words; w++)
        {
            for (ulong left = (set[w] | _everyone[w]) & ~set[_words + w]; left != 0; left &= left - 1)
            {
                (groups ??= []).Add(_alertGroups[(w * 64) + BitOperations.TrailingZeroCount(left)]);
            }
        }
        return groups is null ? [] : groups;
    }

    /// <summary>The alert with the groups of its source; unchanged when its event has no readable source.</summary>
    public Alert WithGroups(Alert alert)
    {
        ArgumentNullException.ThrowIfNull(alert);
        return Address.TryParse(alert.Event.SrcIP, out Address source) ? alert with { Groups = GroupsOf(source) } : alert;
    }

    /// <summary>No address was given: neither 0.0.0.0, which DHCP clients send from, nor any other.</summary>
    static bool IsUnset(Address address) => address.High == 0 && address.Low == 0;
}
