using System.Text;

namespace Nfr.Train.Evaluation;

/// <summary>Where a section goes: Markdown text, and plots as SVG files beside it.</summary>
/// <param name="data">The folder of the data sets (<c>../shared/scoring</c>).</param>
/// <param name="folder">Plots are written here; made when the first one is.</param>
/// <param name="link">How the report names that folder, relative to itself.</param>
/// <param name="section">Whose section this is.</param>
sealed class EvaluationOutput(string data, string folder, string link, string section)
{
    readonly StringBuilder _text = new();
    readonly List<Goal> _goals = [];

    /// <summary>What this section adds to the summary.</summary>
    public IReadOnlyList<Goal> Goals => _goals;

    /// <summary>A line of the summary at the top of the report.</summary>
    public void Goal(string detector, string wanted, string figure, bool? met, string measuredOn) => _goals.Add(new Goal(section, detector, wanted, figure, met, measuredOn));

    public string Markdown => _text.ToString();

    /// <summary>A data set by its name below the folder, such as <c>dga/dga.tsv</c>; when it is absent the section says so.</summary>
    public bool TryData(string name, out string path)
    {
        path = Path.Combine(data, name);
        if (File.Exists(path) || Directory.Exists(path)) return true;
        Line($"Left out: the data set `{name}` is not there.");
        return false;
    }

    public void Heading(int level, string text) => _text.Append('#', level).Append(' ').Append(text).Append("\n\n");

    /// <summary>A paragraph.</summary>
    public void Line(string text) => _text.Append(text).Append("\n\n");

    /// <param name="head">The columns; those that start with <c>&gt;</c> are set to the right.</param>
    /// <param name="rows">One array of cells a row.</param>
    public void Table(string[] head, IEnumerable<string[]> rows)
    {
        _text.Append("| ").AppendJoin(" | ", head.Select(h => h.TrimStart('>'))).Append(" |\n|");
        foreach (string h in head) _text.Append(h.StartsWith('>') ? "---:|" : "---|");
        _text.Append('\n');
        foreach (string[] row in rows) _text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        _text.Append('\n');
    }

    /// <summary>Writes the plot as <c>NAME.svg</c> and shows it in the text.</summary>
    public void Plot(string name, LinePlot plot)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".svg"), plot.Svg());
        _text.Append("![").Append(plot.Title).Append("](").Append(link).Append('/').Append(name).Append(".svg)\n\n");
    }
}
