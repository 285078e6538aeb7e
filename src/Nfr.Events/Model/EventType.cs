namespace Nfr.Events;

/// <summary>The four kinds of event, by the engine's end points: events/dns, events/ip, events/http, events/tls.</summary>
public enum EventType : byte
{
    Dns,
    Ip,
    Http,
    Tls,
}

public static class EventTypes
{
    public const int Count = 4;

    /// <summary>Every type, in the order that tables and ledgers list them.</summary>
    public static readonly EventType[] All = [EventType.Dns, EventType.Ip, EventType.Http, EventType.Tls];

    /// <summary>The name on the wire: "dns", "ip", "http", "tls".</summary>
    public static string Name(this EventType type) => type switch
    {
        EventType.Dns => "dns",
        EventType.Ip => "ip",
        EventType.Http => "http",
        _ => "tls",
    };

    public static ReadOnlySpan<byte> Utf8Name(this EventType type) => type switch
    {
        EventType.Dns => "dns"u8,
        EventType.Ip => "ip"u8,
        EventType.Http => "http"u8,
        _ => "tls"u8,
    };
}
