using Nfr.Events;

namespace Nfr.Scoring.Indicators;

/// <summary>What a list is about, once it is read: from the config, else its header comments, else its file's name.</summary>
sealed record ListHeader(string Name, AlertThreat Threat, IReadOnlyList<string> Flags, string Path, string? Url, DateTimeOffset Date);

/// <summary>What the config says of a list; null = the list itself says it, or its file's name.</summary>
public sealed record ListAbout
{
    public static readonly ListAbout Nothing = new();

    public string? Name { get; init; }
    public AlertThreat? Threat { get; init; }
    public IReadOnlyList<string>? Flags { get; init; }
    /// <summary>Where it is fetched.</summary>
    public string? Url { get; init; }
    public ListFormat Format { get; init; }
    /// <summary>Domains stand for themselves alone, not for the names below them.</summary>
    public bool Exact { get; init; }
    /// <summary>Not a list of bad things but of things so common that a line of another list that holds them is a mistake.</summary>
    public bool Trusted { get; init; }
}

/// <summary>How the lines of a list are read.</summary>
public enum ListFormat : byte
{
    /// <summary>As each line looks.</summary>
    Auto,
    /// <summary>One indicator a line, whatever stands in it.</summary>
    Plain,
    /// <summary>An address, then names.</summary>
    Hosts,
    /// <summary>Columns, divided by commas or tabs.</summary>
    Csv,
    /// <summary>A MISP warning list, or an array of texts.</summary>
    Json,
}

/// <summary>A line of a list that could not be used.</summary>
public sealed record ListFault(string Path, int Line, string Message)
{
    public override string ToString() => $"{Path}:{Line}: {Message}";
}

/// <summary>What a file holds before it is taken for a list.</summary>
/// <remarks>Indicators = lines that could be used, repeats among them; Faults = lines that could not; First = the first of those.</remarks>
public readonly record struct ListCount(int Indicators, long Faults, ListFault? First);
