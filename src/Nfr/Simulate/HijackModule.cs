using System.Net;

namespace Nfr.Simulate;

/// <summary>A name is looked up at another server than the system's, as when malware has changed the resolver. Experimental.</summary>
public static class HijackModule
{
    public const string Name = "alphasoc.com";
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IPEndPoint server = run.Destinations.HijackResolver;
        int answers = 0;
        await run.EachHostAsync([$"look up {Name} (A, AAAA) at {server}"], HostTime,
            async (_, token) => answers = (await run.ResolverAt(server).LookupHostAsync(Name, HostTime, token).ConfigureAwait(false)).Count, stop).ConfigureAwait(false);
        return $"2 DNS queries for {Name} to {server}, {answers} addresses";
    }
}
