namespace Nfr.Simulate;

/// <summary>Out-of-band testing: for three seconds, names of 33 random letters under a domain of such a service, two to ten a second.</summary>
public static class OastModule
{
    public const int LabelLength = 33;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(3);
    static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(200);

    public static string Name(Random random, string domain) => $"{ModuleRun.Letters(random, LabelLength)}.{domain}";

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        string[] domains = run.Choose(run.Destinations.OastDomains, run.Hosts(1));
        int names = 0;
        await run.EachHostAsync([.. domains.Select(domain => $"look up <{LabelLength} letters>.{domain} (A, AAAA) for {HostTime.TotalSeconds:0} s")], HostTime, async (i, token) =>
        {
            StubResolver resolver = run.Resolver();
            while (true)
            {
                await Task.Delay(run.Random.Next(100, 500), token).ConfigureAwait(false);
                names++;
                await resolver.LookupHostAsync(Name(run.Random, domains[i]), s_patience, token).ConfigureAwait(false);
            }
        }, stop).ConfigureAwait(false);
        return $"{names * 2} DNS queries for {names} names under {string.Join(", ", domains)}";
    }
}
