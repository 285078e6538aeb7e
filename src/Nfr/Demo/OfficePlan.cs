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

    public static readonly IPAddress Resolver = IPAddress.Parse("198.51.100.53");
    public static readonly IPAddress ResolverV6 = IPAddress.Parse("2001:db8:53::53");
    public static readonly IPAddress OtherResolver = IPAddress.Parse("198.51.100.54");
    public static readonly IPAddress Ftp = IPAddress.Parse("192.0.2.21");
    public static readonly IPAddress Mail = IPAddress.Parse("192.0.2.25");
    public static readonly IPAddress Clock = IPAddress.Parse("192.0.2.123");
    public static readonly IPAddress CleartextSink = IPAddress.Parse("198.51.100.90");
    public static readonly IPAddress SshSink = IPAddress.Parse("198.51.100.140");
    public static readonly IPAddress EchoHost = IPAddress.Parse("198.51.100.141");
    public static readonly IPAddress BotApi = IPAddress.Parse("198.51.100.142");
    /// <summary>Where names lead that nobody connects to.</summary>
    public static readonly IPAddress Parked = IPAddress.Parse("198.51.100.143");
    /// <summary>The i-th takes the mail of the i-th of the mail domains.</summary>
    public static readonly IPAddress[] MailServers = [.. Enumerable.Range(0, SampleFeeds.MailDomains.All.Count).Select(i => new IPAddress([198, 51, 100, (byte)(120 + i)]))];

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

    /// <summary>Every name that the demo's DNS server knows; "*." stands for anything below.</summary>
    public static IReadOnlyDictionary<string, IPAddress[]> Names { get; } = MakeNames();

    static Dictionary<string, IPAddress[]> MakeNames()
    {
        var names = new Dictionary<string, IPAddress[]>(StringComparer.OrdinalIgnoreCase)
        {
            ["mail.office.example"] = [Mail],
            ["ftp.suppliers.example"] = [Ftp],
            ["time.town.example"] = [Clock],
            [LargeName] = [.. Enumerable.Range(1, 90).Select(host => new IPAddress([192, 0, 2, (byte)(host + 130)]))],
            [SshModule.Host] = [SshSink],
            [TunnelIcmpModule.Host] = [EchoHost],
            [TelegramBotModule.Host] = [BotApi],
            [HijackModule.Name] = [Parked],
        };
        foreach (Site site in Sites) names[site.Name] = site.AddressV6 is null ? [site.Address] : [site.Address, site.AddressV6];
        foreach (DestinationList list in (DestinationList[])[SampleFeeds.C2, SampleFeeds.Sinkholes, SampleFeeds.Irc])
        {
            IPEndPoint[] servers = list.Servers();
            foreach ((int i, string domain) in list.Domains().Index()) names[domain] = [servers[i].Address];
        }
        foreach ((int i, string domain) in SampleFeeds.MailDomains.Domains().Index()) names[domain] = names["mx." + domain] = [MailServers[i]];
        foreach (string domain in SampleFeeds.Imposters.Domains()) names[domain] = [Parked];
        foreach (string domain in SampleFeeds.Oast.Domains()) names["*." + domain] = [Parked];
        return names;
    }

    /// <summary>Addresses that the internet's end of the cable answers to.</summary>
    public static IEnumerable<IPAddress> ServerAddresses => new IPAddress[]
    {
        Resolver, ResolverV6, OtherResolver, Ftp, Mail, Clock, CleartextSink, SshSink, EchoHost, BotApi, Parked,
    }
        .Concat(MailServers)
        .Concat(Lists.SelectMany(list => list.Servers()).Select(server => server.Address))
        .Concat(Sites.Select(site => site.Address))
        .Concat(Sites.Where(site => site.AddressV6 is not null).Select(site => site.AddressV6!))
        .Distinct();

    /// <summary>Lists whose servers exist in the demo.</summary>
    static DestinationList[] Lists => [SampleFeeds.C2, SampleFeeds.Sinkholes, SampleFeeds.Irc, SampleFeeds.TorRelays, DestinationLists.Shipped.Pools];

    /// <summary>Where the simulated modules send.</summary>
    public static SimulateDestinations Destinations(Random random) => new()
    {
        Resolver = new IPEndPoint(Resolver, 53),
        HijackResolver = new IPEndPoint(OtherResolver, 53),
        ScanHosts = ScanModule.ChooseHosts(random, DarkNetwork, ScanModule.HostCount),
        C2 = SampleFeeds.C2,
        Sinkholes = SampleFeeds.Sinkholes,
        Irc = SampleFeeds.Irc,
        Pools = DestinationLists.Shipped.Pools,
        TorRelays = SampleFeeds.TorRelays,
        OastDomains = SampleFeeds.Oast.Domains(),
        ImposterDomains = SampleFeeds.Imposters.Domains(),
        MailDomains = SampleFeeds.MailDomains.Domains(),
        MailServers = MailServers,
        CleartextHost = CleartextSink,
        SshHost = SshSink,
        EchoHost = EchoHost,
        BotApi = new IPEndPoint(BotApi, 443),
    };
}

/// <param name="Name">Its name in the DNS, in HTTP's Host and in TLS's SNI.</param>
/// <param name="Address">IPv4.</param>
/// <param name="AddressV6">IPv6, where it has one.</param>
/// <param name="OnlyTls12">Speaks TLS 1.2 and no newer, so that its certificate crosses the wire readable.</param>
public sealed record Site(string Name, IPAddress Address, IPAddress? AddressV6, bool OnlyTls12);
