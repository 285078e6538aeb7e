using System.Globalization;

namespace Nfr.Fuzz;

/// <summary>
/// <code>
/// Nfr.Fuzz                                          every target, CI tier
/// Nfr.Fuzz TARGET [--runs N | --seconds N] [--seed N]  one target, as long as wanted
/// Nfr.Fuzz TARGET --input FILE                       one input once: to look at a finding
/// </code>
/// The program rewrites a copy of itself for coverage and runs that (<c>--instrumented</c>).
/// </summary>
static class Program
{
    static int Main(string[] arguments)
    {
        string? Value(string option) => Array.IndexOf(arguments, option) is >= 0 and var i && i + 1 < arguments.Length ? arguments[i + 1] : null;
        List<Target> targets = arguments is [{ } name, ..] && !name.StartsWith('-') ? [.. Catalog.All.Where(t => t.Name == name)] : [.. Catalog.All];
        if (targets.Count == 0)
        {
            Console.Error.WriteLine($"no target {arguments[0]}; there are: {string.Join(", ", Catalog.All.Select(t => t.Name))}");
            return 2;
        }
        if (Value("--input") is { } file)
        {
            targets[0].Run(File.ReadAllBytes(file));
            Console.WriteLine("returned");
            return 0;
        }
        if (!arguments.Contains("--instrumented")) return Child.Run(arguments, Console.WriteLine).ExitCode;
        string root = Value("--root") ?? Child.Root;
        var seeds = new Seeds(root);
        TimeSpan? time = Value("--seconds") is { } seconds ? TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)) : null;
        int findings = 0;
        foreach (Target target in targets)
        {
            var fuzzer = new Fuzzer(target, int.Parse(Value("--seed") ?? "1", CultureInfo.InvariantCulture), Path.Combine(root, "artifacts", "fuzz"));
            FuzzReport report = arguments.Contains("--prefixes")
                ? fuzzer.RunPrefixes(target.Seeds(seeds))
                : fuzzer.Run(seeds, long.Parse(Value("--runs") ?? target.Runs.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), time);
            Console.WriteLine(report);
            foreach (string finding in report.Findings) Console.WriteLine("finding: " + finding.ReplaceLineEndings(" | "));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"result {report.Target} {report.Runs} {report.Edges} {report.Findings.Count}"));
            findings += report.Findings.Count;
        }
        return findings == 0 ? 0 : 1;
    }
}
