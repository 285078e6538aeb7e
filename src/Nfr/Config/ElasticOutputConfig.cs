using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.elastic: a cluster that alerts go to.</summary>
public sealed record ElasticOutputConfig
{
    /// <summary>Null = no cluster is named.</summary>
    public ElasticOptions? Cluster { get; init; }
    public bool Alerts { get; init; } = true;
    /// <summary>Data stream or index of alerts.</summary>
    public string Index { get; init; } = ElasticSinkOptions.DefaultIndex;

    internal static ElasticOutputConfig Read(Section s)
    {
        var elastic = new ElasticOutputConfig
        {
            Cluster = ElasticTarget.ReadCluster(s),
            Alerts = s.Flag("alerts", true),
            Index = ElasticTarget.Index(s, "index", ElasticSinkOptions.DefaultIndex),
        };
        s.End();
        return elastic;
    }
}
