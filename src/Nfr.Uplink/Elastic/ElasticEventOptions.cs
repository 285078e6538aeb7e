using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>Events that are shipped to a cluster.</summary>
public sealed record ElasticEventOptions
{
    /// <summary>The name of this consumer of the spool. It must last.</summary>
    public const string Consumer = "elastic";
    /// <summary>Stands for dns, flow, http, tls in the name of an index.</summary>
    public const string TypeMark = "{type}";
    /// <summary>Data streams by Elastic's naming scheme: type, dataset, namespace.</summary>
    public const string DefaultIndex = "logs-nfr." + TypeMark + "-default";

    public required ElasticOptions Cluster { get; init; }
    /// <summary>Data stream or index, with <see cref="TypeMark"/> where it has one for each type.</summary>
    public string Index { get; init; } = DefaultIndex;

    /// <summary>Types that are shipped: those that the spool's consumer takes.</summary>
    public IReadOnlyList<EventType> Types { get; init; } = EventTypes.Uploaded;

    public string IndexOf(EventType type) => Index.Replace(TypeMark, type == EventType.Ip ? "flow" : type.Name(), StringComparison.Ordinal);
}
