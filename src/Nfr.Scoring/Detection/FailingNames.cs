using System.Runtime.CompilerServices;
using Nfr.Events;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Which failed queries say something about the client that asked: those for domains that anybody could have registered, asked of a name server for what it wants to
/// reach, where the name failed and not the resolver, the line or the mirror. Looks at each query once, before the detectors, which then ask for <see cref="Start"/>.
/// </summary>
sealed class FailingNames(Thresholds thresholds, Func<Address, bool> isHome, PublicSuffixList suffixes, Resolvers resolvers)
{
    /// <summary>32 KB of clients whose answers are seen. Full: of the one answered longest ago, what is not answered does not count until something is.</summary>
    const int MaxAnswered = 1 << 12;
    /// <summary>40 KB of client and what its search list may put behind names. Full: the one unused longest, with one name before it, is forgotten first.</summary>
    const int MaxSearched = 1 << 10;
    const ushort Pointer = 12;
    const short Unanswered = -1, ServerFailure = 2, NonExistentDomain = 3, Refused = 5;
    const long Hour = 3600L * 1_000_000_000;

    readonly LastSeen _answered = new(MaxAnswered);
    readonly LruTable<Distinct> _searched = new(MaxSearched);

    /// <summary>Where in the query at hand the domain starts that failed; -1 when it did not fail, or says nothing.</summary>
    public int Start { get; private set; } = -1;

    /// <summary>Multicast DNS, LLMNR and NetBIOS do not leave the link.</summary>
    public static bool IsLocal(scoped in DnsEvent e) => e.Service is not (App.Dns or App.Unknown) || e.Context.DestinationPort is 5353 or 5355 or 137;

    public void Look(scoped in DnsEvent e)
    {
        Start = -1;
        if (IsLocal(in e) || !isHome(e.Context.Source)) return;
        ulong client = Mix.Of(e.Context.Source);
        if (e.ResponseCode >= 0) _answered.Mark(client, e.Context.Tick);
        if (e.ResponseCode == 0) resolvers.Site.Trouble.Answered(e.Context.Tick);
        if (e.ResponseCode is not (Unanswered or ServerFailure or NonExistentDomain or Refused)) return;
        // What a resolver fails with its clients failed with.
        if (resolvers.SpeaksForMany(e.Context.Source)) return;
        // A mirror, or an event, may have no answers at all.
        if (e.ResponseCode == Unanswered && _answered.Age(client, e.Context.Tick) is < 0 or > Hour) return;
        int start = DomainOf(in e, client);
        if (start >= 0 && e.ResponseCode != NonExistentDomain && resolvers.Site.Trouble.IsAt(e.Context.Tick, thresholds.DnsTroubleSilence, (uint)(client >> 32))) return;
        Start = start;
    }

    /// <summary>-1 for what fails in every network: reverse names, names under no public top-level domain, machines' own service discovery, and whole names that a search list (RFC 1535) has put before the site's domain.</summary>
    int DomainOf(scoped in DnsEvent e, ulong client)
    {
        ReadOnlySpan<byte> name = e.Query;
        if (e.QueryType == Pointer || name.Length < 4 || name[0] == '_' || name.EndsWith(".arpa"u8)) return -1;
        if (name.StartsWith("wpad."u8) || name.StartsWith("isatap."u8)) return -1;
        int start = suffixes.RegisteredStart(name, out bool listed, out int suffix);
        if (!listed || suffix <= start || suffix >= name.Length) return -1;
        if (start == 0) return 0;
        ReadOnlySpan<byte> left = name[..(start - 1)];
        if (!left.Contains((byte)'.')) return start;
        suffixes.RegisteredStart(left, out bool isWhole, out _);
        return isWhole && IsSearched(client, left, name[start..]) ? -1 : start;
    }

    /// <summary>A search list puts the same domain behind whatever the client asks for; who makes up names puts new ones there.</summary>
    bool IsSearched(ulong client, ReadOnlySpan<byte> whole, ReadOnlySpan<byte> domain)
    {
        int index = _searched.GetOrAdd(Mix.Of(client, Mix.OfName(domain)), out _);
        ref Distinct before = ref _searched[index];
        before.Add(Mix.OfName(whole));
        if (before.Count < 2) return false;
        _searched.Protect(index);
        return true;
    }
}

/// <summary>Whether a network's resolver or line is what fails. 120 bytes each network.</summary>
struct DnsTrouble
{
    const int Recent = 8;

    [InlineArray(Recent)]
    struct Clients
    {
        uint _first;
    }

    [InlineArray(Recent)]
    struct Ticks
    {
        long _first;
    }

    /// <summary>Who failed lately by what may be the resolver's fault, and when.</summary>
    Clients _failed;
    Ticks _failedTick;
    int _next;
    long _answeredTick;
    bool _wasAnswered;

    public void Answered(long tick)
    {
        _answeredTick = _wasAnswered ? Math.Max(_answeredTick, tick) : tick;
        _wasAnswered = true;
    }

    /// <summary>Nobody is answered, or four clients failed at much the same time. Where sensors' events come hours apart nobody knows.</summary>
    public bool IsAt(long tick, long silence, uint client)
    {
        (_failed[_next], _failedTick[_next]) = (client, tick);
        _next = (_next + 1) % Recent;
        if (!_wasAnswered || Math.Abs(tick - _answeredTick) > silence) return true;
        int different = 0;
        for (int i = 0; i < Recent; i++)
        {
            bool first = _failed[i] != 0 && Math.Abs(tick - _failedTick[i]) <= silence;
            for (int k = 0; first && k < i; k++) first = _failed[k] != _failed[i] || Math.Abs(tick - _failedTick[k]) > silence;
            if (first) different++;
        }
        return different * 2 >= Recent;
    }
}
