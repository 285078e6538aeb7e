using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Detection;

/// <summary>
/// Who asks the DNS for others: the one place that decides it. A resolver or forwarder inside the mirror repeats its clients' queries, and its upstream answer
/// comes before theirs. So what it asks waits (<see cref="HeldQueries"/>); a client that asks it for the same name within the window before or after takes
/// it away, and what nobody came for is the resolver's own, or that of clients who are not in the mirror.
/// </summary>
/// <remarks>
/// A query waits when it comes from a resolver: an address that has answered a home client's query within the last day or two, or asked many servers without recursion; one that did so
/// once, with a tool or to hide, is a client like others. A host <see cref="SpeaksForMany"/> when it has answered several clients, or asks many servers: detectors then take
/// limits that fit many clients, and say so.
/// A forwarder whose clients are all out of sight, and a router that translates addresses (NAT), look like one busy client and are judged as one; that is why limits
/// are shares, means, and sums of one registered domain wherever they can be.
/// </remarks>
sealed class Resolvers(Thresholds thresholds, Func<Address, bool> isHome)
{
    /// <summary>Hosts that answer, or ask without recursion, of all networks that an engine's scorer takes turns with: 0.26 MB. Full: the one silent longest is forgotten; one that does it again and again stays.</summary>
    const int MaxResolvers = 1 << 11;
    /// <summary>What nobody has shown for longer than one to two of these is over.</summary>
    const long Day = 86_400L * 1_000_000_000;
    /// <summary>Names that clients have asked resolvers for, 32 KB. Full: the one asked longest ago is forgotten.</summary>
    const int MaxAsked = 1 << 12;
    const ushort RecursionDesired = 0x0100, RecursionAvailable = 0x0080, Port = 53;

    struct Host
    {
        public RecentDistinct Clients;
        public RecentDistinct Servers;
        public int Seen;
    }

    readonly LruTable<Host> _hosts = new(MaxResolvers);
    readonly LastSeen _asked = new(MaxAsked);

    /// <summary>The network at hand: on board always the same one; an engine that takes turns with many puts another in its place.</summary>
    public DnsSite Site { get; set; } = new();

    /// <summary>Where what waits lies.</summary>
    public HeldPlaces Places { get; } = new();

    /// <summary>The greatest tick of the network at hand.</summary>
    public long Now { get; set; }

    /// <summary>Hosts that were forgotten, and queries that were never judged, because there was no room.</summary>
    public long Evicted => _hosts.Evicted + Places.Lost;

    /// <summary>
    /// Learns from a query who resolves, lets a client take what waits, and says whether the query itself is a resolver's, which no detector that counts names of a client
    /// should see now: it waits, or was a client's. The caller has made room (<see cref="HeldQueries.IsFull"/>).
    /// </summary>
    public bool Takes(scoped in DnsEvent e)
    {
        if (e.Context.DestinationPort != Port || e.Context.Destination == default || e.Service is not (App.Dns or App.Unknown)) return false;
        bool toHome = isHome(e.Context.Destination), answered = e.ResponseCode is 0 or 2 or 3;
        if (toHome && answered && (e.Flags == 0 || (e.Flags & RecursionAvailable) != 0) && isHome(e.Context.Source))
        {
            ref Host resolver = ref Of(e.Context.Destination);
            resolver.Clients.Add(Mix.Of(e.Context.Source), Now, Day);
        }
        if (!toHome && IsIterative(in e))
        {
            ref Host resolver = ref Of(e.Context.Source);
            resolver.Servers.Add(Mix.Of(e.Context.Destination), Now, Day);
        }
        if (_hosts.Count == 0) return false;

        ulong name = Mix.OfName(e.Query);
        if (toHome && (Site.Queries.Count > 0 || IsResolver(e.Context.Destination)))
        {
            ulong asked = Mix.Of(e.Context.Destination, name);
            _asked.Mark(asked, Now);
            Site.Queries.Drop(asked);
        }
        if (!IsResolver(e.Context.Source)) return false;
        ulong own = Mix.Of(e.Context.Source, name);
        long age = _asked.Age(own, Now);
        if (age < 0 || age > thresholds.ResolverWindow) Site.Queries.Hold(own, in e, Now, Places);
        return true;
    }

    ref Host Of(in Address address)
    {
        int index = _hosts.GetOrAdd(Mix.Of(address), out bool added);
        ref Host host = ref _hosts[index];
        if (!added && host.Seen++ == 0) _hosts.Protect(index);
        return ref host;
    }

    /// <summary>Answered, though it wanted no recursion: resolvers ask name servers so.</summary>
    public static bool IsIterative(scoped in DnsEvent e) => e.ResponseCode >= 0 && (e.Flags & RecursionDesired) == 0 && e.Flags != 0;

    /// <summary>It has answered a client of the home networks, or asks many servers without recursion.</summary>
    public bool IsResolver(in Address address)
    {
        if (_hosts.Count == 0) return false;
        int index = _hosts.Find(Mix.Of(address));
        return index >= 0 && (_hosts[index].Clients.Count(Now, Day) > 0 || _hosts[index].Servers.Count(Now, Day) >= thresholds.ResolverServers);
    }

    /// <summary>So many clients, seen or guessed from the many servers it asks, that limits of one client do not fit it.</summary>
    public bool SpeaksForMany(in Address address)
    {
        if (_hosts.Count == 0) return false;
        int index = _hosts.Find(Mix.Of(address));
        return index >= 0 && (_hosts[index].Clients.Count(Now, Day) >= thresholds.ResolverClients || _hosts[index].Servers.Count(Now, Day) >= thresholds.ResolverServers);
    }

    /// <summary>What an alert that names a resolver says of it.</summary>
    public EvidenceValue Fact(in Address address)
    {
        int index = _hosts.Find(Mix.Of(address));
        int clients = index < 0 ? 0 : _hosts[index].Clients.Count(Now, Day);
        return new EvidenceValue("resolverForClients", clients, $"a resolver, which asks for others: {clients} clients of it were seen, and none of them asked for these");
    }
}

/// <summary>One network's DNS: what of its resolvers waits for a client, whether they answer, how often names fail.</summary>
sealed class DnsSite
{
    DnsTrouble _trouble;
    DnsFailures.Usual _failures;

    public ref DnsTrouble Trouble => ref _trouble;
    public ref DnsFailures.Usual Failures => ref _failures;
    public HeldQueries Queries { get; } = new();
    public HeldMatters Matters { get; } = new();
    public bool IsEmpty => Queries.Count == 0 && Matters.Count == 0;
}
