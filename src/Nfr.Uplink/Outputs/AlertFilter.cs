using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>Which alerts an output gets: all conditions that are set hold.</summary>
public sealed record AlertFilter
{
    public static AlertFilter All { get; } = new();

    /// <summary>Least severity, 1 to 5.</summary>
    public int Severity { get; init; } = 1;
    /// <summary>Scope groups, by name, one of which holds the source; empty = any or none.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
    /// <summary>Threat ids, one of which the alert has; empty = any.</summary>
    public IReadOnlyList<string> Threats { get; init; } = [];

    public bool Passes(Alert alert)
    {
        ArgumentNullException.ThrowIfNull(alert);
        return alert.Severity >= Severity
            && (Groups.Count == 0 || alert.Groups.Any(g => Groups.Contains(g.Label, StringComparer.OrdinalIgnoreCase)))
            && (Threats.Count == 0 || alert.Threats.Any(t => Threats.Contains(t.Id, StringComparer.OrdinalIgnoreCase)));
    }
}
