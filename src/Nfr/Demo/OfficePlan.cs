using System.Net;
using Nfr.Simulate;

namespace Nfr.Demo;

/// <summary>
/// Who is who in the demo. The office has private addresses; what is outside has documentation addresses (RFC 5737, RFC 3849), which
/// exist nowhere.
/// <code>
///  sensor's namespace        the office                                 "the internet"
///  mirror0 ◄──────────────── span0 ◄─ copy of every frame ─ office0 ◄──────► inet0, servers on lo; 203.0.113.0/24 is dark
/// </code>
/// </summary>
public static class OfficePlan
{
    public const string MirrorInterface = "mirror0";
    public const string SpanInterface = "span0";
    public const string OfficeInterface = "office0";
    public const string InternetInterface = "inet0";

    public static readonly IPAddress Gateway = IPAddress.Parse("10.77.0.1");
    public static readonly IPAddress GatewayV6 = IPAddress.Parse("fd00:77::1");

    /// <summary>People who just work.</summary>
    public static readonly IPAddress[] Clients = [.. Enumerable.Range(11, 6).Select(host => new IPAddress([10, 77, 0, (byte)host]))];
    public static readonly IPAddress[] ClientsV6 = [IPAddress.Parse("fd00:77::11"), IPAddress.Parse("fd00:77::12")];

    /// <summary>Which host misbehaves, and what threat ids the sensor may call it by.</summary>
    public static readonly Suspect[] Suspects =
    [
        new("scan", IPAddress.Parse("10.77.0.21"), ["outbound_port_scan"]),
        new("dga", IPAddress.Parse("10.77.0.22"), ["dga_volume"]),
        new("tunnel-dns", IPAddress.Parse("10.77.0.23"), ["multiple_long_hostnames"]),
        new("c2", IPAddress.Parse("10.77.0.24"), ["c2_communication"]),
        new("miner", IPAddress.Parse("10.77.0.25"), ["cryptomining"]),
        new("cleartext", IPAddress.Parse("10.77.0.26"), ["cleartext_credentials", "cleartext_protocol"]),
    ];

    public static readonly IPAddress Resolver = IPAddress.Parse("198.51.100.53");
    public static readonly IPAddress ResolverV6 = IPAddress.Parse("2001:db8:53::53");
    public static readonly IPAddress Ftp = IPAddress.Parse("192.0.2.21");
    public static readonly IPAddress Mail = IPAddress.Parse("192.0.2.25");
    public static readonly IPAddress Clock = IPAddress.Parse("192.0.2.123");
    public static readonly IPAddress CleartextSink = IPAddress.Parse("198.51.100.90");
    public static readonly IPEndPoint[] Pools =
        [.. Enumerable.Range(80, MinerModule.PoolCount).Select(host => new IPEndPoint(new IPAddress([198, 51, 100, (byte)host]), MinerModule.PoolPort))];

    public static readonly IPAddress DarkNetwork = IPAddress.Parse("203.0.113.0");

    /// <summary>Web sites that answer on ports 80 and 443.</summary>
    public static readonly Site[] Sites =
    [
        new("www.bakery.example", IPAddress.Parse("192.0.2.10"), IPAddress.Parse("2001:db8:80::10"), OnlyTls12: false),
        new("intranet.suppliers.example", IPAddress.Parse("192.0.2.11"), null, OnlyTls12: true),
        new("news.daily.example", IPAddress.Parse("192.0.2.12"), IPAddress.Parse("2001:db8:80::12"), OnlyTls12: false),
        new("maps.town.example", IPAddress.Parse("192.0.2.13"), null, OnlyTls12: false),
        new("api.weather.example", IPAddress.Parse("192.0.2.14"), null, OnlyTls12: true),
        new("static.assets.example", IPAddress.Parse("192.0.2.15"), IPAddress.Parse("2001:db8:80::15"), OnlyTls12: false),
    ];

    /// <summary>A name whose answer does not fit into a datagram, so that it comes by TCP.</summary>
    public const string LargeName = "pool.mirrors.example";

    /// <summary>Every name that the demo's DNS server knows.</summary>
    public static IReadOnlyDictionary<string, IPAddress[]> Names { get; } = MakeNames();

    static Dictionary<string, IPAddress[]> MakeNames()
    {
        var names = new Dictionary<string, IPAddress[]>(StringComparer.OrdinalIgnoreCase)
        {
            ["mail.office.example"] = [Mail],
            ["ftp.suppliers.example"] = [Ftp],
            ["time.town.example"] = [Clock],
            [LargeName] = [.. Enumerable.Range(1, 90).Select(host => new IPAddress([192, 0, 2, (byte)(host + 130)]))],
        };
        foreach (Site site in Sites) names[site.Name] = site.AddressV6 is null ? [site.Address] : [site.Address, site.AddressV6];
        for (int i = 0; i < SampleFeeds.C2Domains.Count; i++) names[SampleFeeds.C2Domains[i]] = [SampleFeeds.C2Endpoints[i].Address];
        return names;
    }

    /// <summary>Addresses that the internet's end of the cable answers to.</summary>
    public static IEnumerable<IPAddress> ServerAddresses =>
    [
        Resolver, ResolverV6, Ftp, Mail, Clock, CleartextSink, .. Pools.Select(pool => pool.Address),
        .. SampleFeeds.C2Endpoints.Select(server => server.Address), .. Sites.Select(site => site.Address),
        .. Sites.Where(site => site.AddressV6 is not null).Select(site => site.AddressV6!),
    ];

    /// <summary>Where the simulated modules send.</summary>
    public static SimulateDestinations Destinations(Random random) => new()
    {
        Resolver = new IPEndPoint(Resolver, 53),
        ScanHosts = ScanModule.ChooseHosts(random, DarkNetwork, ScanModule.HostCount),
        C2Domains = SampleFeeds.C2Domains,
        C2Endpoints = SampleFeeds.C2Endpoints,
        Pools = Pools,
        CleartextHost = CleartextSink,
    };
}

/// <param name="Module">Name of the simulate module.</param>
/// <param name="Address">The one host that runs it.</param>
/// <param name="ThreatIds">Any one of them, about that host, counts as found.</param>
public sealed record Suspect(string Module, IPAddress Address, IReadOnlyList<string> ThreatIds);

/// <param name="Name">Its name in the DNS, in HTTP's Host and in TLS's SNI.</param>
/// <param name="Address">IPv4.</param>
/// <param name="AddressV6">IPv6, where it has one.</param>
/// <param name="OnlyTls12">Speaks TLS 1.2 and no newer, so that its certificate crosses the wire readable.</param>
public sealed record Site(string Name, IPAddress Address, IPAddress? AddressV6, bool OnlyTls12);
