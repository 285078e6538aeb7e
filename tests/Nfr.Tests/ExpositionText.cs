using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Nfr.Tests;

/// <summary>
/// A strict reader of the Prometheus text format 0.0.4: what it takes, every scraper takes. Beyond the format: counters, and nothing else, end in
/// _total; one metric has one set of label names; there are no time stamps, comments and blank lines.
/// </summary>
static partial class ExpositionText
{
    public sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

    [GeneratedRegex("^[a-zA-Z_:][a-zA-Z0-9_:]*$")]
    private static partial Regex MetricName();

    [GeneratedRegex("^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$")]
    private static partial Regex LabelName();

    [GeneratedRegex("^(?:[^\\\\]|\\\\\\\\|\\\\n)+$")]
    private static partial Regex HelpText();

    public static IReadOnlyList<Sample> Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', text);
        List<Sample> samples = [];
        HashSet<string> metrics = [], series = [];
        Dictionary<string, string> labelNames = [];
        string? name = null, kind = null;
        foreach (string line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ', 4);
                (name, kind) = (parts[2], null);
                Assert.Matches(MetricName(), name);
                Assert.True(metrics.Add(name), $"a second group of {name}");
                Assert.Matches(HelpText(), parts[3]);
                continue;
            }
            if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
            {
                string[] parts = line.Split(' ');
                Assert.Equal(4, parts.Length);
                Assert.Equal(name, parts[2]);
                Assert.Null(kind);
                kind = parts[3];
                Assert.Contains(kind, new[] { "counter", "gauge" });
                Assert.True(kind == "counter" == name!.EndsWith("_total", StringComparison.Ordinal), line);
                continue;
            }
            Assert.True(kind is not null, $"before its TYPE: {line}");
            Sample sample = Read(line);
            Assert.Equal(name, sample.Name);
            Assert.True(kind == "gauge" || sample.Value >= 0, line);
            string names = string.Join(',', sample.Labels.Keys);
            Assert.Equal(labelNames.TryAdd(sample.Name, names) ? names : labelNames[sample.Name], names);
            Assert.True(series.Add(line[..line.LastIndexOf(' ')]), $"twice: {line}");
            samples.Add(sample);
        }
        return samples;
    }

    static Sample Read(string line)
    {
        int at = line.IndexOfAny(['{', ' ']);
        Assert.True(at > 0, line);
        string name = line[..at];
        var labels = new Dictionary<string, string>();
        if (line[at] == '{')
        {
            do
            {
                int equals = line.IndexOf('=', ++at);
                Assert.True(equals > 0 && line[equals + 1] == '"', line);
                string label = line[at..equals];
                Assert.Matches(LabelName(), label);
                var value = new StringBuilder();
                for (at = equals + 2; line[at] != '"'; at++)
                {
                    if (line[at] != '\\')
                    {
                        value.Append(line[at]);
                        continue;
                    }
                    value.Append(line[++at] switch { '\\' => '\\', '"' => '"', 'n' => '\n', _ => throw new FormatException("an escape that is none: " + line) });
                }
                labels.Add(label, value.ToString());
                at++;
            }
            while (line[at] == ',');
            Assert.Equal('}', line[at++]);
        }
        Assert.Equal(' ', line[at++]);
        Assert.True(double.TryParse(line.AsSpan(at), NumberStyles.Float, CultureInfo.InvariantCulture, out double number), line);
        return new Sample(name, labels, number);
    }
}
