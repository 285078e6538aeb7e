using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>A listed name that a resolver asked for, until it is known for whom.</summary>
readonly record struct HeldMatter(
    ulong Finding, ulong Indicator, Address Resolver, long Tick, int Severity, AlertEvent Event, EventContext Context, string Line, Finding What)
{
    /// <summary>Whose events were scored: another network's must not take it.</summary>
    public ulong Partition { get; } = Tables.Partition.Current;
}

/// <summary>
/// Keeps a resolver inside the mirror from doubling its clients' findings. The rule: a query is a resolver's when it asks without "recursion desired", or
/// comes from an address that has answered queries inside the home networks. What a resolver asks for is the matter of the client that asked it for the same
/// indicator within the window before or after; only when there is none does the alert name the resolver itself, when the window is over.
/// </summary>
sealed class ResolverMatters(long window)
{
    /// <summary>Addresses that answer DNS, 12 KB. Full: the one silent longest is forgotten; one that answers again and again stays.</summary>
    const int MaxResolvers = 256;
    /// <summary>Pairs of indicator and resolver that clients have asked for, 24 KB.</summary>
    const int MaxAsked = 512;
    /// <summary>Matters that wait, about 100 KB. Full: a further one is the resolver's own at once.</summary>
    const int MaxHeld = 64;

    readonly LruTable<int> _resolvers = new(MaxResolvers);
    readonly LruTable<long> _asked = new(MaxAsked);
    readonly List<HeldMatter> _held = [];

    /// <summary>An address of the home networks answered a query.</summary>
    public void Answered(in Address resolver)
    {
        int index = _resolvers.GetOrAdd(Mix.Of(resolver), out bool added);
        if (added || _resolvers[index]++ == 0) return;
        _resolvers.Protect(index);
    }

    public bool IsResolver(in Address address) => _resolvers.Count > 0 && _resolvers.Find(Mix.Of(address)) >= 0;

    /// <summary>Whether a client has asked this resolver for the indicator within the window.</summary>
    public bool WasAskedFor(ulong indicator, in Address resolver, long now)
    {
        int index = _asked.Find(Mix.Of(resolver, indicator));
        return index >= 0 && now - _asked[index] <= window;
    }

    /// <summary>A client has asked the resolver: what waits of it was the client's.</summary>
    public void Claim(ulong indicator, Address resolver, long now)
    {
        _asked[_asked.GetOrAdd(Mix.Of(resolver, indicator), out _)] = now;
        ulong partition = Partition.Current;
        if (_held.Count > 0) _held.RemoveAll(h => h.Indicator == indicator && h.Resolver == resolver && h.Partition == partition);
    }

    public bool IsHeld(ulong finding)
    {
        foreach (HeldMatter held in _held)
        {
            if (held.Finding == finding && held.Partition == Partition.Current) return true;
        }
        return false;
    }

    /// <returns>False when as many wait as may.</returns>
    public bool Hold(in HeldMatter matter)
    {
        if (_held.Count == MaxHeld) return false;
        _held.Add(matter);
        return true;
    }

    /// <summary>The first that has waited for the whole window.</summary>
    public bool TryTakeOld(long now, out HeldMatter matter)
    {
        for (int i = 0; i < _held.Count; i++)
        {
            matter = _held[i];
            if (matter.Partition != Partition.Current || now - matter.Tick <= window) continue;
            _held.RemoveAt(i);
            return true;
        }
        matter = default;
        return false;
    }
}
