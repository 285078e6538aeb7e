namespace Nfr.Simulate;

/// <summary>
/// Listed names are looked up, then listed addresses are connected to; no data is sent. Command and control, and sinkholes, are visited
/// the same way; the scope is a family that the list names behind its indicators.
/// </summary>
public static class ListedModule
{
    public const int HostCount = 5;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    public static Task<string> RunC2Async(ModuleRun run, CancellationToken stop) => RunAsync(run, run.Destinations.C2, stop);

    public static Task<string> RunSinkAsync(ModuleRun run, CancellationToken stop) => RunAsync(run, run.Destinations.Sinkholes, stop);

    static async Task<string> RunAsync(ModuleRun run, DestinationList list, CancellationToken stop)
    {
        int hosts = run.Hosts(HostCount);
        var domains = run.Choose(list.Domains(run.Scope), hosts);
        var servers = run.Choose(list.Servers(run.Scope), hosts);
        if (domains.Length + servers.Length == 0) throw new InvalidOperationException($"the lists name nothing of the family '{run.Scope}'");
        await run.EachHostAsync(LookUps(domains), HostTime, (i, token) => run.Resolver().LookupHostAsync(domains[i], HostTime, token), stop, follows: servers.Length > 0)
            .ConfigureAwait(false);
        await run.EachHostAsync([.. servers.Select(server => $"connect to {server}, send nothing")], HostTime, (i, token) => run.ConnectAsync(servers[i], talk: null, token), stop)
            .ConfigureAwait(false);
        return $"{domains.Length * 2} DNS queries for {domains.Length} listed domains, {servers.Length} TCP connects to listed addresses";
    }

    /// <summary>The lines of a dry run for host lookups.</summary>
    internal static string[] LookUps(IEnumerable<string> names) => [.. names.Select(name => $"look up {name} (A, AAAA)")];
}
