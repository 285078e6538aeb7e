namespace Nfr.Simulate;

/// <summary>Names as a domain generation algorithm makes them: 15, one a second, nearly all of them not registered.</summary>
public static class DgaModule
{
    public const int NameCount = 15;
    public static readonly TimeSpan HostTime = TimeSpan.FromSeconds(1);

    static readonly string[] s_topLevels = [".com", ".net", ".biz", ".top", ".info", ".xyz", ".space"];

    /// <summary>One length of 7 to 10 and three top levels for all; each label is letters with exactly one digit.</summary>
    public static IReadOnlyList<string> Names(Random random, int count)
    {
        string[] topLevels = [.. s_topLevels];
        random.Shuffle(topLevels);
        int length = random.Next(7, 11);
        var names = new List<string>(count);
        for (int i = 0; i < count; i++)
        {
            char[] label = ModuleRun.Letters(random, length).ToCharArray();
            label[random.Next(length)] = (char)('0' + random.Next(10));
            names.Add(new string(label) + topLevels[random.Next(3)]);
        }
        return names;
    }

    public static async Task<string> RunAsync(ModuleRun run, CancellationToken stop)
    {
        IReadOnlyList<string> names = Names(run.Random, run.Hosts(NameCount));
        await run.EachHostAsync(ListedModule.LookUps(names), HostTime, (i, token) => run.Resolver().LookupHostAsync(names[i], HostTime, token), stop).ConfigureAwait(false);
        return $"{names.Count * 2} DNS queries for {names.Count} generated names";
    }
}
