namespace Nfr.Simulate;

/// <summary>Names that pose as well-known brands are looked up; nothing is connected to.</summary>
public static class ImposterModule
{
    public const int HostCount = 5;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        string[] names = run.Choose(run.Destinations.ImposterDomains, run.Hosts(HostCount));
        await run.EachHostAsync(ListedModule.LookUps(names), HostTime, (i, token) => run.Resolver().LookupHostAsync(names[i], HostTime, token), stop).ConfigureAwait(false);
        return $"{names.Length * 2} DNS queries for {names.Length} names that pose as brands";
    }
}
