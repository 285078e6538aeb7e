using System.Text;
using Nfr.Scoring;
using Nfr.Scoring.Detection;
using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Evaluation;

/// <summary>How many imitations of brands are found by kind, and how many popular domains are taken for one; without any memory of what the site has seen.</summary>
sealed class BrandEvaluation : IEvaluation
{
    const int Folds = 5;

    readonly Thresholds _thresholds = new();

    public string Name => "brand";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Brand impersonation");
        if (!o.TryData("brand/impersonation.tsv", out string imitations) || !o.TryData("brand/brands.txt", out string names) ||
            !o.TryData("ref/public_suffix_list.dat", out string suffixFile)) return;
        PublicSuffixList suffixes = PublicSuffixList.Load(suffixFile);
        (string Name, BrandMatcher Matcher)[] tables =
        [
            ("as shipped", new BrandMatcher(BrandTable.Load(suffixes))),
            ("names of the brands alone", new BrandMatcher(BrandTable.Of(suffixes, File.ReadLines(names)))),
        ];
        string[][] rows = [.. ScoringData.Rows(imitations)];
        foreach ((string name, BrandMatcher matcher) in tables)
        {
            o.Heading(3, $"Found, {name} ({matcher.Brands.Brands.Count} brands)");
            o.Line(name == "as shipped"
                ? "The table that ships, with the brands' other domains and good neighbours."
                : "A table of the brands' own domains and nothing else: what a brand gets that was not known when the limits were set. " +
                  $"No limit is fitted to a brand, so leaving one out changes nothing but who is counted: the last column is the worst of {Folds} fifths of the brands.");
            o.Table(["kind", ">found", ">of", ">share", ">worst fifth of brands"], rows.GroupBy(r => r[2]).OrderBy(g => g.Key, StringComparer.Ordinal).Select(kind =>
            {
                (string Brand, bool Found)[] results = [.. kind.Select(r => (r[1], IsTold(suffixes, matcher, r[0], out _)))];
                string[] brands = [.. results.Select(r => r.Brand).Distinct().Order(StringComparer.Ordinal)];
                double worst = Enumerable.Range(0, Folds).Min(fold => Share([.. results.Where(r => Array.IndexOf(brands, r.Brand) % Folds == fold)]));
                return new[] { kind.Key, $"{results.Count(r => r.Found)}", $"{results.Length}", $"{Share(results):0.000}", $"{worst:0.000}" };
            }));
        }
        if (!o.TryData("benign/domains.tsv", out string benign)) return;
        string[][] popular = [.. ScoringData.Rows(benign)];
        foreach ((string name, BrandMatcher matcher) in tables) Popular(o, suffixes, matcher, name, popular);
    }

    static double Share((string Brand, bool Found)[] results) => results.Length == 0 ? 1 : (double)results.Count(r => r.Found) / results.Length;

    void Popular(EvaluationOutput o, PublicSuffixList suffixes, BrandMatcher matcher, string name, string[][] popular)
    {
        var lists = new SortedDictionary<string, int[]>(StringComparer.Ordinal);
        var examples = new List<string>();
        foreach (string[] row in popular)
        {
            bool told = IsTold(suffixes, matcher, row[0], out BrandMatch match);
            foreach (string list in row[1].Split(',').Append("(all)"))
            {
                if (!lists.TryGetValue(list, out int[]? counts)) lists[list] = counts = new int[4];
                counts[0]++;
                if (told) counts[match.IsEdit ? 1 : match.Kind == BrandLikeness.Homoglyph ? 2 : 3]++;
            }
            if (told && match.IsEdit) examples.Add($"{row[0]} ({matcher.Brands.Brands[match.Brand].Domain})");
        }
        o.Heading(3, $"Popular domains told, {name}");
        o.Line("Many of them are imitations that became popular, or the brand's own; none was taken out.");
        o.Table(["list", ">domains", ">one letter", ">share", ">look the same", ">other forms"], lists.Select(l => new[]
        {
            l.Key, $"{l.Value[0]}", $"{l.Value[1]}", $"{(double)l.Value[1] / l.Value[0]:0.0e0}", $"{l.Value[2]}", $"{l.Value[3]}",
        }));
        o.Line("One letter: " + string.Join(", ", examples) + ".");
    }

    bool IsTold(PublicSuffixList suffixes, BrandMatcher matcher, string name, out BrandMatch match)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int start = suffixes.RegisteredStart(bytes, out bool listed, out int suffix);
        match = listed ? matcher.Match(bytes, start, suffix) : default;
        return !match.IsNone && Imposter.ScoreOf(_thresholds, in match, young: false) >= _thresholds.ImposterScore;
    }
}
