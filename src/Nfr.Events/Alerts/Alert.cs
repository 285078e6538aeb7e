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
    /// <summary>Name of the detector, such as "port_scan".</summary>
    public required string Detector { get; init; }
    /// <summary>What it is about: a client, a client and a domain, … ; repeats of one key are one finding.</summary>
    public required string Key { get; init; }
    /// <summary>One sentence for people.</summary>
    public required string Summary { get; init; }
    /// <summary>Measured values, in the order they are shown; a value is a number or a text.</summary>
    public required IReadOnlyList<EvidenceValue> Values { get; init; }
    /// <summary>The limits they were held against, same names where they correspond.</summary>
    public required IReadOnlyList<EvidenceValue> Thresholds { get; init; }
    /// <summary>Up to five of the events that led here, as event JSON objects (one line each, without line end).</summary>
    public required IReadOnlyList<string> Samples { get; init; }
    /// <summary>How many events this finding covers so far.</summary>
    public long Count { get; init; } = 1;
}

/// <summary>A named number or text of the evidence.</summary>
public readonly record struct EvidenceValue(string Name, double Number, string? Text = null);
