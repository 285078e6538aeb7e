namespace Nfr.Events;

/// <summary>
/// An alert as it leaves the sensor, the same whether it was raised on board or came from an engine. Its JSON is the original's mapped
/// alert (key order kept) with <see cref="Evidence"/> after its keys.
/// </summary>
public sealed record Alert
{
    /// <summary>Threats by descending severity; at least one.</summary>
    public required IReadOnlyList<AlertThreat> Threats { get; init; }
    public IReadOnlyList<string> Flags { get; init; } = [];
    public IReadOnlyList<string> Labels { get; init; } = [];
    /// <summary>Every scope group that holds the event's source: label = group name, description = group label.</summary>
    public IReadOnlyList<AlertGroup> Groups { get; init; } = [];
    public required AlertEvent Event { get; init; }
    /// <summary>"unset" or "free" on alerts raised on board while no time service had set the clock: how far their stamps can be trusted. null = fully.</summary>
    public string? Clock { get; init; }
    /// <summary>Why: present on alerts raised on board.</summary>
    public AlertEvidence? Evidence { get; init; }

    /// <summary>The greatest of the threats' severities: 5 critical, 4 high, 3 medium, 2 low, 1 informational.</summary>
    public int Severity
    {
        get
        {
            int severity = 0;
            foreach (AlertThreat threat in Threats) severity = Math.Max(severity, threat.Severity);
            return severity;
        }
    }
}

/// <param name="Id">Threat id, such as c2_communication.</param>
/// <param name="Title">One line for people.</param>
/// <param name="Severity">1 to 5.</param>
/// <param name="Policy">A breach of policy rather than a sign of infection.</param>
public sealed record AlertThreat(string Id, string Title, int Severity, bool Policy = false);

public sealed record AlertGroup(string Label, string Description);

/// <summary>The event that raised the alert, with the API's own fields; null = absent from the JSON. <see cref="Type"/> says which apply.</summary>
public sealed record AlertEvent
{
    public required EventType Type { get; init; }
    /// <summary>RFC 3339 with fraction, as in the engine's API.</summary>
    public required string Ts { get; init; }
    public string? SrcIP { get; init; }
    public int? SrcPort { get; init; }
    public string? SrcHost { get; init; }
    public string? SrcMac { get; init; }
    public string? SrcUser { get; init; }
    public string? SrcID { get; init; }
    public string? ConnID { get; init; }
    public long? BytesIn { get; init; }
    public long? BytesOut { get; init; }
    public string? Query { get; init; }
    public string? QType { get; init; }
    public string? DestIP { get; init; }
    public int? DestPort { get; init; }
    public string? Proto { get; init; }
    public string? Ja3 { get; init; }
    public string? Url { get; init; }
    public string? Method { get; init; }
    public int? Status { get; init; }
    public string? Action { get; init; }
    public string? ContentType { get; init; }
    public string? Referrer { get; init; }
    public string? UserAgent { get; init; }
    public string? CertHash { get; init; }
    public string? Issuer { get; init; }
    public string? Subject { get; init; }
    public string? ValidFrom { get; init; }
    public string? ValidTo { get; init; }
    public string? Ja3s { get; init; }
}

/// <summary>Why an alert was raised, in numbers that can be checked.</summary>
public sealed record AlertEvidence
{
    /// <summary>16 hex digits that tell this alert from all others of the sensor; "nfr explain" takes them, or their beginning.</summary>
    public string Id { get; init; } = "";
    /// <summary>Name of the detector, such as "port_scan".</summary>
    public required string Detector { get; init; }
    /// <summary>What it is about: a client, a client and a domain, … ; repeats of one key are one finding.</summary>
    public required string Key { get; init; }
    /// <summary>One sentence for people.</summary>
    public required string Summary { get; init; }
    /// <summary>What the score is made of, in the order in which it is summed.</summary>
    public required IReadOnlyList<EvidenceFeature> Features { get; init; }
    /// <summary>What else was seen and is no part of the score, in the order it is shown; a fact is a number or a text.</summary>
    public IReadOnlyList<EvidenceValue> Facts { get; init; } = [];
    /// <summary>As <see cref="EvidenceScore.Of"/> the features.</summary>
    public required double Score { get; init; }
    /// <summary>The alert is raised where the score is not below this.</summary>
    public double ScoreLimit { get; init; } = 1;
    /// <summary>Up to five of the events that led here, as event JSON objects (one line each, without line end).</summary>
    public required IReadOnlyList<string> Samples { get; init; }
    /// <summary>Community IDs (version 1, seed 0) of the samples' flows, each once, in their order; none of events without ports.</summary>
    public IReadOnlyList<string> CommunityIds { get; init; } = [];
    /// <summary>How many events this finding covers so far.</summary>
    public long Count { get; init; } = 1;
}

/// <summary>One part of a score: a measured value held against its limit. It gives its whole weight where the value has reached the limit, and a share of it before.</summary>
/// <param name="Name">In camelCase, with its unit where it has one: newBytes, seconds.</param>
/// <param name="Value">Measured; more is worse.</param>
/// <param name="Limit">Above 0.</param>
/// <param name="Weight">The weights of one finding sum to 1.</param>
public readonly record struct EvidenceFeature(string Name, double Value, double Limit, double Weight = 1);

/// <summary>How a score follows from its features: the one formula of all detectors, so that anyone can recompute it.</summary>
public static class EvidenceScore
{
    /// <summary>weight × value / limit of one feature, where the quotient is held between 0 and 1. A value or limit that is no number gives 0.</summary>
    public static double Part(in EvidenceFeature feature)
    {
        double share = feature.Value / feature.Limit;
        if (!(share > 0) || !(feature.Limit > 0)) return 0;
        return feature.Weight * Math.Min(share, 1);
    }

    /// <summary>The sum of the parts, in their order: equal to the bit wherever it is computed again.</summary>
    public static double Of(IReadOnlyList<EvidenceFeature> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        double score = 0;
        for (int i = 0; i < features.Count; i++) score += Part(features[i]);
        return score;
    }
}

/// <summary>A named number or text of the evidence.</summary>
public readonly record struct EvidenceValue(string Name, double Number, string? Text = null);
