namespace Nfr.Config;

/// <summary>One fault of a configuration file, or one remark about it, for people: what is wrong and what to do.</summary>
/// <param name="File">The file as its user named it.</param>
/// <param name="Line">1 is the first line; 0 when the fault is about the file as a whole.</param>
/// <param name="Message">One line.</param>
public sealed record ConfigFault(string File, int Line, string Message)
{
    public override string ToString() => Line > 0 ? $"{File}:{Line}: {Message}" : $"{File}: {Message}";
}

/// <summary>Collects the faults and remarks of one file, so that all of them are told at once.</summary>
sealed class FaultList(string file)
{
    /// <summary>A file with more faults than this is the wrong file; the rest is cut with a line that says so.</summary>
    const int Most = 100;

    readonly List<ConfigFault> _faults = [];
    readonly List<ConfigFault> _notes = [];

    public string File => file;
    public int Count => _faults.Count;

    public void Add(int line, string message) => _faults.Add(new ConfigFault(file, line, OneLine(message)));

    public void Note(int line, string message) => _notes.Add(new ConfigFault(file, line, OneLine(message)));

    public IReadOnlyList<ConfigFault> InOrder()
    {
        List<ConfigFault> faults = [.. _faults.OrderBy(f => f.Line)];
        if (faults.Count <= Most) return faults;
        int cut = faults.Count - Most;
        faults.RemoveRange(Most, cut);
        faults.Add(new ConfigFault(file, 0, $"and {cut} more faults; is this the right file?"));
        return faults;
    }

    public IReadOnlyList<ConfigFault> Notes() => [.. _notes.OrderBy(f => f.Line)];

    // What a file says may be repeated in a message; a message stays one line and a terminal stays as it was.
    static string OneLine(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;
}
