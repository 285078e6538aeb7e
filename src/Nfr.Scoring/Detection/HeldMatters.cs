using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>A listed name that a resolver asked for, until it is known for whom.</summary>
readonly record struct HeldMatter(
    ulong Finding, ulong Indicator, Address Resolver, long Tick, int Severity, AlertEvent Event, EventContext Context, string Line, Finding What);

/// <summary>
/// Listed names that resolvers of one network asked for, which wait for the client as all their queries do (<see cref="Resolvers"/>); apart from those, because a client
/// takes them away that asked for the same indicator under another name. A network that falls silent is told of them with its next event, by its own clock.
/// </summary>
sealed class HeldMatters
{
    /// <summary>About 100 KB where there are so many. Full: a further one is the resolver's own at once.</summary>
    const int Max = 64;
    /// <summary>What a network may hold when all of them together hold <see cref="HeldPlaces.MaxMatters"/>.</summary>
    internal const int Own = 4;

    readonly List<HeldMatter> _held = [];
    HeldPlaces? _places;

    public int Count => _held.Count;

    /// <summary>A client has asked the resolver: what waits of it was the client's.</summary>
    public void Claim(ulong indicator, Address resolver)
    {
        if (_held.Count > 0) GiveBack(_held.RemoveAll(h => h.Indicator == indicator && h.Resolver == resolver));
    }

    public bool IsHeld(ulong finding)
    {
        foreach (HeldMatter held in _held)
        {
            if (held.Finding == finding) return true;
        }
        return false;
    }

    /// <returns>False when as many wait as may.</returns>
    public bool Hold(in HeldMatter matter, HeldPlaces places)
    {
        if (_held.Count == Max || (_held.Count >= Own && places.Matters >= HeldPlaces.MaxMatters)) return false;
        _places = places;
        places.Matters++;
        _held.Add(matter);
        return true;
    }

    /// <summary>The first that has waited for longer than the window.</summary>
    public bool TryTake(long now, long window, out HeldMatter matter)
    {
        matter = default;
        // In the order of their ticks.
        if (_held.Count == 0 || (window > 0 && now - _held[0].Tick <= window)) return false;
        matter = _held[0];
        _held.RemoveAt(0);
        GiveBack(1);
        return true;
    }

    void GiveBack(int matters)
    {
        if (_places is not null) _places.Matters -= matters;
        if (_held.Count == 0) _held.TrimExcess();
    }
}
