using System.Globalization;
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
            bool isHeld = name != "as shipped";
            var figures = new Dictionary<string, double>(StringComparer.Ordinal);
            o.Table(["kind", ">found", ">of", ">share", ">worst fifth of brands"], rows.GroupBy(r => r[2]).OrderBy(g => g.Key, StringComparer.Ordinal).Select(kind =>
            {
                (string Brand, bool Found)[] results = [.. kind.Select(r => (r[1], IsTold(suffixes, matcher, r[0], out _)))];
                string[] brands = [.. results.Select(r => r.Brand).Distinct().Order(StringComparer.Ordinal)];
                double worst = Enumerable.Range(0, Folds).Min(fold => Share([.. results.Where(r => Array.IndexOf(brands, r.Brand) % Folds == fold)]));
                figures[kind.Key] = Share(results);
                return new[] { kind.Key, $"{results.Count(r => r.Found)}", $"{results.Length}", $"{Share(results):0.000}", $"{worst:0.000}" };
            }));
            if (!isHeld) continue;
            Goal(o, figures, 0.97, "homoglyph", "cyrillic");
            Goal(o, figures, 0.95, "transposition", "omission", "repetition", "vowel-swap");
            Goal(o, figures, 0.93, "insertion", "replacement");
            Goal(o, figures, 0.90, "subdomain", "various");
        }
        if (!o.TryData("benign/domains.tsv", out string benign)) return;
        string[][] popular = [.. ScoringData.Rows(benign)];
        Popular(o, suffixes, tables[0].Matcher, "as shipped", popular);
        // The good neighbours in the shipped file were found on popular domains: without them no row has helped to tune the table that it is measured on.
        var bare = new BrandMatcher(BrandTable.Of(suffixes, ShippedBrands()));
        double share = Popular(o, suffixes, bare, $"all {bare.Brands.Brands.Count} brands, without good neighbours", popular);
        o.Goal("brand", "edit-distance alarms ≤ 3e-4 of popular domains", string.Create(CultureInfo.InvariantCulture, $"{share:0.0e0} with no row used for tuning"), share <= 3e-4, "benign/domains.tsv, the shipped brands without the good neighbours that were found there");
        Countries(o, suffixes, tables[0].Matcher);
    }

    static void Goal(EvaluationOutput o, Dictionary<string, double> figures, double least, params string[] kinds) => o.Goal(
        "brand", string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", kinds)} ≥ {least:0.00}"), string.Join(", ", kinds.Select(k => figures[k].ToString("0.000", CultureInfo.InvariantCulture))),
        kinds.All(k => figures[k] >= least), "brand/impersonation.tsv, with the names of the brands alone");

    static double Share((string Brand, bool Found)[] results) => results.Length == 0 ? 1 : (double)results.Count(r => r.Found) / results.Length;

    /// <summary>The lines of the table that ships, but for those that name strangers.</summary>
    static IEnumerable<string> ShippedBrands()
    {
        using var text = new StreamReader(typeof(BrandTable).Assembly.GetManifestResourceStream("Nfr.Scoring.Models.brands.txt")!);
        while (text.ReadLine() is { } line)
        {
            if (line.Length > 0 && line[0] is not ('#' or '=')) yield return line;
        }
    }

    /// <summary>Each brand's label under each top-level domain of a country, and the two-part suffixes of some.</summary>
    void Countries(EvaluationOutput o, PublicSuffixList suffixes, BrandMatcher matcher)
    {
        string[] tops = [.. Enumerable.Range('a', 26).SelectMany(a => Enumerable.Range('a', 26).Select(b => $"{(char)a}{(char)b}")), "co.uk", "com.au", "co.jp", "com.br", "co.nz", "co.za", "com.tr", "com.mx"];
        int asked = 0, told = 0;
        foreach (BrandTable.Brand brand in matcher.Brands.Brands)
        {
            foreach (string top in tops)
            {
                asked++;
                if (IsTold(suffixes, matcher, $"www.{Encoding.ASCII.GetString(brand.Label)}.{top}", out _)) told++;
            }
        }
        o.Line($"Brands under the top-level domains of countries: {told} of {asked} told.");
        o.Goal("brand", "a brand's own ccTLDs never alert", $"{told} of {asked}", told == 0, "every shipped brand under every two-letter top-level domain and 8 of two parts");
    }

    double Popular(EvaluationOutput o, PublicSuffixList suffixes, BrandMatcher matcher, string name, string[][] popular)
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
        return (double)lists["(all)"][1] / lists["(all)"][0];
    }

    bool IsTold(PublicSuffixList suffixes, BrandMatcher matcher, string name, out BrandMatch match)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        int start = suffixes.RegisteredStart(bytes, out bool listed, out int suffix);
        match = listed ? matcher.Match(bytes, start, suffix) : default;
        return !match.IsNone && Imposter.ScoreOf(_thresholds, in match, young: false) >= _thresholds.ImposterScore;
    }
}
