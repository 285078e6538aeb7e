using System.Net;

namespace Nfr.Simulate;

/// <summary>
/// Everything the modules may send to. One place, so that one check covers it: what a name resolves to never has a say in where a
/// connection goes.
/// </summary>
public sealed record SimulateDestinations
{
    public required IPEndPoint Resolver { get; init; }
    /// <summary>The server that <c>hijack</c> asks instead.</summary>
    public required IPEndPoint HijackResolver { get; init; }
    /// <summary>Hosts of the scan, ascending.</summary>
    public required IReadOnlyList<IPAddress> ScanHosts { get; init; }
    public required DestinationList C2 { get; init; }
    public required DestinationList Sinkholes { get; init; }
    public required DestinationList Irc { get; init; }
    public required DestinationList Pools { get; init; }
    public required DestinationList TorRelays { get; init; }
    public required IReadOnlyList<string> OastDomains { get; init; }
    public required IReadOnlyList<string> ImposterDomains { get; init; }
    public required IReadOnlyList<string> MailDomains { get; init; }
    /// <summary>Mail servers; the i-th domain's is the i-th, beginning anew when there are fewer.</summary>
    public required IReadOnlyList<IPAddress> MailServers { get; init; }
    public required IPAddress CleartextHost { get; init; }
    public required IPAddress SshHost { get; init; }
    public required IPAddress EchoHost { get; init; }
    /// <summary>Stands for api.telegram.org.</summary>
    public required IPEndPoint BotApi { get; init; }

    /// <summary>Where the mail of a domain of <see cref="MailDomains"/> goes.</summary>
    public IPAddress MailServerOf(string domain) => MailServers[Math.Max(0, MailDomains.ToList().IndexOf(domain)) % MailServers.Count];

    /// <summary>Every address above.</summary>
    public IEnumerable<IPAddress> Addresses =>
    [
        Resolver.Address, HijackResolver.Address, .. ScanHosts, .. new[] { C2, Sinkholes, Irc, Pools, TorRelays }.SelectMany(list => list.Servers()).Select(server => server.Address),
        .. MailServers, CleartextHost, SshHost, EchoHost, BotApi.Address,
    ];

    /// <summary>
    /// Chooses the destinations, or says in one line why not: without a target or a plain yes everything must stay on loopback, unless the
    /// caller is in a network of its own.
    /// </summary>
    public static SimulateDestinations? Choose(SimulateOptions options, Random random, out string refusal)
    {
        refusal = "";
        DestinationLists? lists = DestinationLists.Shipped;
        if (options.Feeds is { } feeds && (lists = DestinationLists.Read(feeds, out refusal)) is null) return null;
        SimulateDestinations chosen = options.Destinations
            ?? (options.Targets.Count == 0 && options.Consent ? AsListed(options, lists, random) : AtTargets(options, lists, random));
        if (options.PrivateNamespace || options.Targets.Count > 0 || options.Consent) return chosen;
        IPAddress? outside = chosen.Addresses.FirstOrDefault(address => !IPAddress.IsLoopback(address));
        if (outside is null) return chosen;
        refusal = $"refusing to send to {outside}: name the addresses you own with --target, or run 'nfr demo' for a network of its own";
        return null;
    }

    /// <summary>Every connection to the targets, with the lists' ports; to loopback when there are none.</summary>
    static SimulateDestinations AtTargets(SimulateOptions options, DestinationLists lists, Random random)
    {
        bool named = options.Targets.Count > 0;
        IReadOnlyList<IPAddress> targets = named ? options.Targets : [IPAddress.Loopback];
        IPAddress Nth(int i) => targets[i % targets.Count];
        return new SimulateDestinations
        {
            Resolver = options.Resolver ?? (named ? new IPEndPoint(SystemResolver(), 53) : LoopbackResolver.Usual),
            HijackResolver = named ? new IPEndPoint(Nth(0), 53) : LoopbackResolver.Other,
            ScanHosts = named ? [.. targets.Distinct()] : ScanModule.ChooseHosts(random, new IPAddress([127, 77, 0, 0]), options.Size ?? ScanModule.HostCount),
            C2 = lists.C2.At(Nth),
            Sinkholes = lists.Sinkholes.At(Nth),
            Irc = lists.Irc.At(Nth),
            Pools = lists.Pools.At(Nth),
            TorRelays = lists.TorRelays.At(Nth),
            OastDomains = lists.OastDomains,
            ImposterDomains = lists.ImposterDomains,
            MailDomains = lists.MailDomains,
            MailServers = targets,
            CleartextHost = Nth(0),
            SshHost = Nth(0),
            EchoHost = targets.FirstOrDefault(target => target.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork) ?? Nth(0),
            BotApi = new IPEndPoint(Nth(0), 443),
        };
    }

    /// <summary>
    /// The addresses that the lists name, and for all else documentation addresses (RFC 5737), where nobody is. Names are asked of the
    /// system's resolver, so they do leave the machine.
    /// </summary>
    static SimulateDestinations AsListed(SimulateOptions options, DestinationLists lists, Random random)
    {
        IPAddress[] networks = [new([192, 0, 2, 0]), new([198, 51, 100, 0]), new([203, 0, 113, 0])];
        random.Shuffle(networks);
        int size = options.Size ?? ScanModule.HostCount;
        int nets = Math.Min(networks.Length, (size / 20) + 1);
        static IPAddress Nobody(int host) => new([192, 0, 2, (byte)host]);
        return new SimulateDestinations
        {
            Resolver = options.Resolver ?? new IPEndPoint(SystemResolver(), 53),
            HijackResolver = new IPEndPoint(Nobody(53), 53),
            ScanHosts = [.. networks[..nets].OrderBy(network => network.ToString(), StringComparer.Ordinal).SelectMany(network => ScanModule.ChooseHosts(random, network, (size + nets - 1) / nets))],
            C2 = lists.C2,
            Sinkholes = lists.Sinkholes,
            Irc = lists.Irc,
            Pools = lists.Pools,
            TorRelays = lists.TorRelays,
            OastDomains = lists.OastDomains,
            ImposterDomains = lists.ImposterDomains,
            MailDomains = lists.MailDomains,
            MailServers = [.. Enumerable.Range(100, 40).Select(Nobody)],
            CleartextHost = Nobody(90),
            SshHost = Nobody(22),
            EchoHost = Nobody(8),
            BotApi = new IPEndPoint(Nobody(44), 443),
        };
    }

    /// <summary>First name server of resolv.conf; loopback when it names none.</summary>
    static IPAddress SystemResolver()
    {
        try
        {
            foreach (string line in File.ReadLines("/etc/resolv.conf"))
            {
                string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
                if (words is ["nameserver", var address, ..] && IPAddress.TryParse(address, out IPAddress? parsed)) return parsed;
            }
        }
        catch (IOException)
        {
            // No file: the default below.
        }
        return IPAddress.Loopback;
    }
}
