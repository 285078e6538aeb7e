using System.Net;
using Nfr.Demo;

namespace Nfr.Simulate;

/// <summary>Everything the modules may send to. One place, so that one check covers it.</summary>
public sealed record SimulateDestinations
{
    public required IPEndPoint Resolver { get; init; }
    /// <summary>Hosts of the scan, ascending.</summary>
    public required IReadOnlyList<IPAddress> ScanHosts { get; init; }
    public required IReadOnlyList<string> C2Domains { get; init; }
    public required IReadOnlyList<IPEndPoint> C2Endpoints { get; init; }
    public required IReadOnlyList<IPEndPoint> Pools { get; init; }
    public required IPAddress CleartextHost { get; init; }

    /// <summary>Every address above.</summary>
    public IEnumerable<IPAddress> Addresses =>
        [Resolver.Address, .. ScanHosts, .. C2Endpoints.Select(e => e.Address), .. Pools.Select(e => e.Address), CleartextHost];

    /// <summary>
    /// Chooses the destinations, or says in one line why not: without a target everything must stay on loopback, unless the caller is in a
    /// network of its own.
    /// </summary>
    public static SimulateDestinations? Choose(SimulateOptions options, Random random, out string refusal)
    {
        refusal = "";
        SimulateDestinations chosen = options.Destinations ?? FromTargets(options, random);
        if (options.PrivateNamespace || options.Targets.Count > 0) return chosen;
        IPAddress? outside = chosen.Addresses.FirstOrDefault(address => !IPAddress.IsLoopback(address));
        if (outside is null) return chosen;
        refusal = $"refusing to send to {outside}: name the addresses you own with --target, or run 'nfr demo' for a network of its own";
        return null;
    }

    static SimulateDestinations FromTargets(SimulateOptions options, Random random)
    {
        IReadOnlyList<IPAddress> targets = options.Targets.Count > 0 ? options.Targets : [IPAddress.Loopback];
        IPAddress Nth(int i) => targets[i % targets.Count];
        return new SimulateDestinations
        {
            Resolver = options.Resolver ?? new IPEndPoint(options.Targets.Count > 0 ? SystemResolver() : IPAddress.Loopback, 53),
            ScanHosts = options.Targets.Count > 0 ? [.. targets.Distinct()] : ScanModule.ChooseHosts(random, new IPAddress([127, 77, 0, 0]), ScanModule.HostCount),
            C2Domains = SampleFeeds.C2Domains,
            C2Endpoints = [.. SampleFeeds.C2Endpoints.Select((listed, i) => new IPEndPoint(Nth(i), listed.Port))],
            Pools = [.. Enumerable.Range(0, MinerModule.PoolCount).Select(i => new IPEndPoint(Nth(i), MinerModule.PoolPort))],
            CleartextHost = Nth(0),
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
