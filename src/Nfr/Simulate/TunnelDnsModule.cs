namespace Nfr.Simulate;

/// <summary>A DNS tunnel: TXT questions whose names carry 30 random letters, five a second for ten seconds.</summary>
public static class TunnelDnsModule
{
    public const string Zone = "sandbox.alphasoc.xyz";
    public const int LabelLength = 30;
    public static readonly TimeSpan Length = TimeSpan.FromSeconds(10);
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    public static string Name(Random random) => $"{ModuleRun.Letters(random, LabelLength)}.{Zone}";

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        int queries = 0, answered = 0;
        await run.EachHostAsync([$"ask for the TXT of <{LabelLength} letters>.{Zone}, 5 a second for {Length.TotalSeconds:0} s"], Length, async (_, token) =>
        {
            StubResolver resolver = run.Resolver();
            await ModuleRun.SlotsAsync((int)(Length / Interval), Interval, async (_, slot) =>
            {
                queries++;
                if (await resolver.QueryAsync(Name(run.Random), DnsWire.TypeTxt, Interval, slot).ConfigureAwait(false) is { Texts: > 0 }) answered++;
            }, token).ConfigureAwait(false);
        }, stop).ConfigureAwait(false);
        return $"{queries} TXT queries under {Zone}, {answered} answered";
    }
}
