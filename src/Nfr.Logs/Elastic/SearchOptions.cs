using System.Security.Cryptography;
using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// What a search does with Packetbeat's flows. Each report of a flow has the flow's start, which event.ingested is a copy of: the last one, which alone is an
/// event, has the stamp of long ago, where nobody looks any more. So they are read by a search of their own, by the time of the report.
/// </summary>
public enum FlowReports : byte
{
    /// <summary>As any document.</summary>
    Included,
    /// <summary>Leaves them to another search, and what else Packetbeat writes that is none.</summary>
    Left,
    /// <summary>Reads their last reports and nothing else, in the order of "@timestamp".</summary>
    Alone,
}

/// <summary>One search: what is looked for, where, and how often.</summary>
public sealed record SearchOptions
{
    public required EventType Type { get; init; }
    /// <summary>Names and wildcards.</summary>
    public required IReadOnlyList<string> Indices { get; init; }
    /// <summary>ecs, graylog, corelight, or "" for none.</summary>
    public string Schema { get; init; } = "";
    /// <summary>Paths that the user set, by the keys of field_names; they go before the schema's, one by one.</summary>
    public IReadOnlyDictionary<string, string> FieldNames { get; init; } = new Dictionary<string, string>();
    /// <summary>Empty = the schema's own.</summary>
    public IReadOnlyList<string> MustHaveFields { get; init; } = [];
    /// <summary>JSON of one query clause; null = the schema's own.</summary>
    public string? SearchTerm { get; init; }
    /// <summary>The format of <see cref="SearchField.Ingested"/> in queries; null = the mapping's own.</summary>
    public string? TimestampFormat { get; init; }
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Documents per page, 1 to 10,000.</summary>
    public int BatchSize { get; init; } = 10_000;
    /// <summary>How long the server keeps a point in time (or scroll) that nobody asks.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(180);
    /// <summary>How far behind the newest document taken others may still appear with an older stamp; zero = not looked for.</summary>
    public TimeSpan LateWindow { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Reports of flows as Packetbeat writes them ("flow.final").</summary>
    public FlowReports Flows { get; init; }

    /// <summary>Tells searches apart that have type and indices in common.</summary>
    public int Number { get; init; } = 1;

    /// <summary>What people call it: "dns packetbeat-*"; the second of that name is "dns packetbeat-* (2)".</summary>
    public string Name => Number > 1 ? FormattableString.Invariant($"{Asked} ({Number})") : Asked;

    string Asked => $"{(Flows == FlowReports.Alone ? "flow" : Type.Name())} {string.Join(',', Indices)}";

    /// <summary>
    /// The name of its state: what it asks, and not whom. A cluster that is reached by another address, or whose nodes are named one more, is the same;
    /// a search that asks something else begins anew.
    /// </summary>
    public string Key
    {
        get
        {
            string words = string.Join('\n', [Type.Name(), .. Indices, Schema, SearchTerm ?? "", .. MustHaveFields, Path(SearchField.Ingested) ?? ""]);
            if (Flows == FlowReports.Alone) words += "\nflows";
            return "elastic." + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(words)).AsSpan(0, 6));
        }
    }

    /// <summary>All paths of a field, the one that counts first: the user's alone, or the schema's.</summary>
    internal string[] Paths(SearchField field) =>
        field == SearchField.Ingested && Flows == FlowReports.Alone ? ["@timestamp"]
        : field.Key() is { } key && FieldNames.TryGetValue(key, out string? named) ? [named] : SearchSchema.Paths(Schema, field);

    /// <summary>The path that queries ask by; null = none is known.</summary>
    internal string? Path(SearchField field) => Paths(field) is [var first, ..] ? first : null;
}
