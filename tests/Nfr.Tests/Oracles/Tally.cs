using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Xunit.Abstractions;

namespace Nfr.Tests.Oracles;

/// <summary>
/// Counts where we agree with one source of expected values, and holds the result against that source's pass list
/// (<c>tests/Nfr.Tests/Oracles/SOURCE.pass.tsv</c>: a line per case and category with agreed, differing and left-out rows, and the reasons). A case that agrees
/// less than its line says fails the test; so does one that differs for no stated reason. Run with NFR_WRITE_PASS_LISTS=1 to write the list anew
/// after a gain, and read its diff before it is committed.
/// </summary>
/// <remarks>
/// Agreed: our event carries the expected value. Differs: it does not, and a rule (of the protocol, never of a file) says why that is right or what is missing.
/// Left out: the row asks for what we do not make by design. The share is agreed / (agreed + differs), so a reason does not buy a percentage.
/// </remarks>
sealed class Tally(string source, ITestOutputHelper output)
{
    sealed class Count
    {
        public int Agreed, Differs, LeftOut;
        public SortedDictionary<string, int> Reasons { get; } = new(StringComparer.Ordinal);

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Agreed}\t{Differs}\t{LeftOut}\t{string.Join("; ", Reasons.Select(r => $"{r.Value} {r.Key}"))}");
    }

    readonly SortedDictionary<(string Case, string Category), Count> _counts = [];
    readonly List<string> _unexplained = [];

    public void Agree(string name, string category) => Of(name, category).Agreed++;

    /// <param name="reason">null = nobody knows why: listed in full, and the test fails.</param>
    public void Differ(string name, string category, string row, string? reason)
    {
        Count count = Of(name, category);
        count.Differs++;
        if (reason is null) _unexplained.Add($"{name} {category}: {row}");
        else count.Reasons[reason] = count.Reasons.GetValueOrDefault(reason) + 1;
    }

    public void LeaveOut(string name, string category, string reason)
    {
        Count count = Of(name, category);
        count.LeftOut++;
        count.Reasons["left out: " + reason] = count.Reasons.GetValueOrDefault("left out: " + reason) + 1;
    }

    Count Of(string name, string category)
    {
        if (!_counts.TryGetValue((name, category), out Count? count)) _counts[(name, category)] = count = new Count();
        return count;
    }

    /// <summary>Prints the table, and asserts the share of every category and the pass list.</summary>
    /// <param name="demanded">Per cent, for each category that has rows.</param>
    public void Finish(double demanded, [CallerFilePath] string here = "")
    {
        foreach (IGrouping<string, KeyValuePair<(string Case, string Category), Count>> category in _counts.GroupBy(c => c.Key.Category))
        {
            (int agreed, int differs, int left) = (category.Sum(c => c.Value.Agreed), category.Sum(c => c.Value.Differs), category.Sum(c => c.Value.LeftOut));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{category.Key,-24} {agreed,5} of {agreed + differs,5} agreed {Share(agreed, differs),6:0.0} %, {left} left out"));
            foreach (IGrouping<string, KeyValuePair<string, int>> reason in category.SelectMany(c => c.Value.Reasons).GroupBy(r => r.Key))
                output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{"",-27}{reason.Sum(r => r.Value),5} {reason.Key}"));
        }
        string path = Path.Combine(ListFolder(here), source + ".pass.tsv");
        if (Environment.GetEnvironmentVariable("NFR_WRITE_PASS_LISTS") == "1") Write(path);
        foreach (string row in _unexplained.Take(int.TryParse(Environment.GetEnvironmentVariable("NFR_SHOW"), CultureInfo.InvariantCulture, out int show) ? show : 60)) output.WriteLine("unexplained: " + row);
        List<string> lost = Lost(path);
        Assert.True(lost.Count == 0, "agrees less than its pass list says:\n" + string.Join('\n', lost));
        Assert.True(_unexplained.Count == 0, $"{_unexplained.Count} differences without a reason, first: {_unexplained.FirstOrDefault()}");
        foreach (IGrouping<string, KeyValuePair<(string Case, string Category), Count>> category in _counts.GroupBy(c => c.Key.Category))
        {
            double share = Share(category.Sum(c => c.Value.Agreed), category.Sum(c => c.Value.Differs));
            Assert.True(share >= demanded, string.Create(CultureInfo.InvariantCulture, $"{source}, {category.Key}: {share:0.00} % agreed, {demanded} % wanted"));
        }
    }

    static double Share(int agreed, int differs) => agreed + differs == 0 ? 100 : 100.0 * agreed / (agreed + differs);

    List<string> Lost(string path)
    {
        if (!File.Exists(path)) return [$"{path} is missing: run once with NFR_WRITE_PASS_LISTS=1"];
        var lost = new List<string>();
        foreach (string line in File.ReadLines(path).Skip(1))
        {
            string[] fields = line.Split('\t');
            int agreed = _counts.TryGetValue((fields[0], fields[1]), out Count? count) ? count.Agreed : 0;
            if (agreed < int.Parse(fields[2], CultureInfo.InvariantCulture)) lost.Add($"{fields[0]} {fields[1]}: {agreed} rows agree, {fields[2]} did");
        }
        return lost;
    }

    void Write(string path)
    {
        var text = new StringBuilder("case\tcategory\tagreed\tdiffers\tleft out\treasons\n");
        foreach (((string name, string category), Count count) in _counts) text.Append(CultureInfo.InvariantCulture, $"{name}\t{category}\t{count}\n");
        File.WriteAllText(path, text.ToString());
    }

    /// <summary>Source paths are mapped in deterministic builds, so the folder is looked for from the test's own place.</summary>
    static string ListFolder(string here)
    {
        if (Directory.Exists(Path.GetDirectoryName(here))) return Path.GetDirectoryName(here)!;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Nfr.slnx"))) return Path.Combine(folder.FullName, "tests", "Nfr.Tests", "Oracles");
        }
        throw new DirectoryNotFoundException("the checkout that the tests were built from");
    }
}
