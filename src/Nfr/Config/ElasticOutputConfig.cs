using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>outputs.elastic: a cluster that alerts and events go to.</summary>
public sealed record ElasticOutputConfig
{
    /// <summary>Null = no cluster is named.</summary>
    public ElasticOptions? Cluster { get; init; }
    public bool Alerts { get; init; } = true;
    /// <summary>Data stream or index of alerts.</summary>
    public string Index { get; init; } = ElasticSinkOptions.DefaultIndex;

    /// <summary>Types of events that are shipped.</summary>
    public IReadOnlyList<EventType> Events { get; init; } = [];
    /// <summary>Data stream or index of events, with "{type}" for dns, flow, http, tls.</summary>
    public string EventsIndex { get; init; } = ElasticEventOptions.DefaultIndex;

    /// <summary>Events leave the spool this way.</summary>
    public bool ShipsEvents => Cluster is not null && Events.Count > 0;

    internal static ElasticOutputConfig Read(Section s)
    {
        List<EventType> events = [];
        foreach ((string word, int line) in s.Entries("events"))
        {
            EventType[] known = [.. EventTypes.Uploaded.Where(t => t.Name() == word)];
            if (known.Length == 0) s.FaultAt(line, "events", $"expected any of dns, ip, http, tls, found \"{word}\"");
            else if (!events.Contains(known[0])) events.Add(known[0]);
        }
        var elastic = new ElasticOutputConfig
        {
            Cluster = ElasticTarget.ReadCluster(s),
            Alerts = s.Flag("alerts", true),
            Index = ElasticTarget.Index(s, "index", ElasticSinkOptions.DefaultIndex),
            Events = events,
            EventsIndex = ElasticTarget.Index(s, "events_index", ElasticEventOptions.DefaultIndex),
        };
        s.End();
        if (events.Count > 0 && !s.Has("hosts") && !s.Has("cloud_id")) s.Fault("hosts", "missing; events cannot go to a cluster that is not named");
        return elastic;
    }
}
