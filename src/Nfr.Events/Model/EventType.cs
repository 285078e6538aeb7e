namespace Nfr.Events;

/// <summary>
/// The kinds of event. The first four are the engine's own (events/dns, events/ip, events/http, events/tls) and are spooled and uploaded; the
/// others stay on board: a host's name or hardware address, an anomaly of a stream, and what a rule of another sensor has matched.
/// </summary>
public enum EventType : byte
{
    Dns,
    Ip,
    Http,
    Tls,
    Host,
    Anomaly,
    Signature,
}

public static class EventTypes
{
    /// <summary>How many types are spooled and uploaded: those below this number.</summary>
    public const int UploadedCount = 4;

    public const int Count = 7;

    /// <summary>The engine's types, in the order that tables and ledgers list them.</summary>
    public static readonly EventType[] Uploaded = [EventType.Dns, EventType.Ip, EventType.Http, EventType.Tls];

    /// <summary>Every type that a decoder or a log makes.</summary>
    public static readonly EventType[] All = [.. Uploaded, EventType.Host, EventType.Anomaly, EventType.Signature];

    /// <summary>The name on the wire: "dns", "ip", "http", "tls", "host", "anomaly", "signature".</summary>
    public static string Name(this EventType type) => type switch
    {
        EventType.Dns => "dns",
        EventType.Ip => "ip",
        EventType.Http => "http",
        EventType.Tls => "tls",
        EventType.Host => "host",
        EventType.Anomaly => "anomaly",
        _ => "signature",
    };

    public static ReadOnlySpan<byte> Utf8Name(this EventType type) => type switch
    {
        EventType.Dns => "dns"u8,
        EventType.Ip => "ip"u8,
        EventType.Http => "http"u8,
        EventType.Tls => "tls"u8,
        EventType.Host => "host"u8,
        EventType.Anomaly => "anomaly"u8,
        _ => "signature"u8,
    };
}
