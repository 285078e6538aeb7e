using Nfr.Events;
using Nfr.Scoring;
using Nfr.Scoring.Names;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Scoring;

/// <summary>Impersonations found and popular domains taken for them, on the data sets; the figures are written to the test's output.</summary>
public sealed class ImposterMeasuredTests(ITestOutputHelper output)
{
    uint _client;

    /// <summary>Each name from a client of its own, so that no finding hides another.</summary>
    bool IsFound(Simulated run, string name)
    {
        int before = run.Alerts.Count;
        run.Dns(name, client: Address.FromV4(0x0A00_0000 + ++_client));
        return run.Alerts.Count > before;
    }

    [Fact]
    public void Impersonations_by_kind()
    {
        if (!ScoringCorpus.TryPath("brand/impersonation.tsv", output, out string path)) return;
        using var run = new Simulated(new Thresholds { AlertStock = 1 << 20 }, Detectors.Imposter);
        var kinds = new SortedDictionary<string, (int Found, int All, List<string> Missed)>();
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            (int found, int all, List<string> missed) = kinds.GetValueOrDefault(row[2], (0, 0, []));
            bool hit = IsFound(run, row[0]);
            if (!hit) missed.Add(row[0]);
            kinds[row[2]] = (found + (hit ? 1 : 0), all + 1, missed);
        }
        foreach ((string kind, (int found, int all, List<string> missed)) in kinds)
        {
            output.WriteLine($"{kind,-14} {found,4}/{all,4} {(double)found / all:0.000}  missed {string.Join(' ', missed.Take(40))}");
        }
        foreach ((string kind, double floor) in new[]
        {
            ("homoglyph", 0.97), ("cyrillic", 0.97), ("transposition", 0.95), ("omission", 0.95), ("repetition", 0.95), ("vowel-swap", 0.95), ("hyphenation", 0.95),
            ("insertion", 0.93), ("replacement", 0.93), ("addition", 0.93), ("bitsquatting", 0.93), ("subdomain", 0.90), ("various", 0.90),
        })
        {
            Assert.True((double)kinds[kind].Found / kinds[kind].All >= floor, kind);
        }
    }

    [Fact]
    public void Popular_domains()
    {
        if (!ScoringCorpus.TryPath("benign/domains.tsv", output, out string path)) return;
        using var run = new Simulated(new Thresholds { AlertStock = 1 << 20 }, Detectors.Imposter);
        var kinds = new SortedDictionary<string, List<string>>();
        int rows = 0;
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            rows++;
            if (!IsFound(run, row[0])) continue;
            AlertEvidence evidence = run.Alerts[^1].Evidence!;
            string kind = evidence.Facts.Single(f => f.Name == "kind").Text!;
            if (!kinds.TryGetValue(kind, out List<string>? names)) kinds[kind] = names = [];
            names.Add($"{row[0]}~{evidence.Facts.Single(f => f.Name == "brand").Text}");
        }
        foreach ((string kind, List<string> names) in kinds) output.WriteLine($"{kind}: {names.Count} = {(double)names.Count / rows:0.0e0}: {string.Join(' ', names)}");
        int edits = kinds.Where(k => k.Key != "characters that look the same" && !k.Key.StartsWith("the brand", StringComparison.Ordinal)).Sum(k => k.Value.Count);
        output.WriteLine($"one letter of difference: {edits} of {rows} = {(double)edits / rows:0.00e0}; all {kinds.Sum(k => k.Value.Count)}");
        Assert.InRange((double)edits / rows, 0, 3e-4);
        Assert.InRange((double)kinds.Sum(k => k.Value.Count) / rows, 0, 4e-4);
    }

    [Fact]
    public void Popular_hosts()
    {
        if (!ScoringCorpus.TryPath("benign/umbrella_fqdn.tsv", output, out string path)) return;
        using var run = new Simulated(new Thresholds { AlertStock = 1 << 20 }, Detectors.Imposter);
        int rows = 0;
        foreach (string[] row in ScoringCorpus.Rows(path))
        {
            rows++;
            if (IsFound(run, row[0])) output.WriteLine(run.Alerts[^1].Evidence!.Summary);
        }
        output.WriteLine($"{run.Alerts.Count} of {rows}");
        Assert.InRange(run.Alerts.Count, 0, rows / 2000);
    }
}
