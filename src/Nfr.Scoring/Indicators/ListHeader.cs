using Nfr.Events;

namespace Nfr.Scoring.Indicators;

/// <summary>What a list is about: from its header comments, else from its file's name.</summary>
sealed record ListHeader(string Name, AlertThreat Threat, IReadOnlyList<string> Flags);

/// <summary>A line of a list that could not be used.</summary>
public sealed record ListFault(string Path, int Line, string Message)
{
    public override string ToString() => $"{Path}:{Line}: {Message}";
}
