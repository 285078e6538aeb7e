using System.Net;

namespace Nfr.Simulate;

/// <summary>Command and control: five listed names are looked up, then five listed addresses are connected to; no data is sent.</summary>
public static class C2Module
{
    public const int HostCount = 5;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        string[] domains = [.. run.Destinations.C2Domains.Take(HostCount)];
        IPEndPoint[] servers = [.. run.Destinations.C2Endpoints.Take(HostCount)];
        StubResolver resolver = run.Resolver();
        await run.EachHostAsync(domains.Length, HostTime, last: false, (i, token) => resolver.LookupHostAsync(domains[i], HostTime, token), stop)
            .ConfigureAwait(false);
        await run.EachHostAsync(servers.Length, HostTime, run.Last, (i, token) => run.ConnectAsync(servers[i], talk: null, token), stop)
            .ConfigureAwait(false);
        return $"{domains.Length * 2} DNS queries for {domains.Length} listed domains, {servers.Length} TCP connects to listed addresses";
    }
}
