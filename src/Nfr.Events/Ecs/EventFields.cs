using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// An event's line, or the event of an alert, with the fields by name: what documents for other stores are written from. Lines of both forms are read (all fields, or the
/// engine API's alone); what is not there is null or empty.
/// </summary>
sealed class EventFields
{
    readonly JsonElement _line;

    EventFields(EventType type, JsonElement line, DateTime time)
    {
        Type = type;
        _line = line;
        Time = time;
        SrcIP = Text("srcIP");
        DestIP = Text("destIP");
        Proto = Text("proto") ?? Text("transport") ?? (type == EventType.Http ? "tcp" : type == EventType.Tls ? HelloTransport(Text("ja4")) : null);
    }

    public EventType Type { get; }
    /// <summary>UTC, of the event itself.</summary>
    public DateTime Time { get; }
    public string Ts => Text("ts")!;
    public string? SrcIP { get; }
    public string? DestIP { get; }
    /// <summary>"tcp", "udp", …; null where nothing says it.</summary>
    public string? Proto { get; }

    /// <summary>Null when the line has no stamp that can be read: no store could file it.</summary>
    public static EventFields? Of(EventType type, JsonElement line) =>
        line.ValueKind == JsonValueKind.Object && EventTime.TryParse(AlertFields.String(line, "ts"), out DateTime time) ? new EventFields(type, line, time) : null;

    /// <summary>JA4 begins with what carried the hello: t TCP, q QUIC, d DTLS.</summary>
    static string? HelloTransport(string? ja4) => ja4?[0] switch { 't' => "tcp", 'q' or 'd' => "udp", _ => null };

    /// <summary>A text that is not empty, or null.</summary>
    public string? Text(string key) => AlertFields.String(_line, key) is { Length: > 0 } text ? text : null;

    public long? Number(string key) => AlertFields.Number(_line, key);

    /// <summary>A number above 0, or null.</summary>
    public long? Positive(string key) => Number(key) is > 0 and { } number ? number : null;

    public double? Real(string key) => AlertFields.TryGet(_line, key, JsonValueKind.Number, out JsonElement value) && value.TryGetDouble(out double real) ? real : null;

    public IReadOnlyList<string> Texts(string key) => AlertFields.Strings(_line, key);

    public JsonElement? Object(string key) => AlertFields.TryGet(_line, key, JsonValueKind.Object, out JsonElement value) ? value : null;

    public IEnumerable<JsonElement> Objects(string key) =>
        AlertFields.TryGet(_line, key, JsonValueKind.Array, out JsonElement list) ? list.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.Object) : [];

    /// <summary>"ipv4" or "ipv6"; null without an address.</summary>
    public string? Family => Address.TryParse(SrcIP, out Address source) ? source.IsV4 ? "ipv4" : "ipv6" : null;

    /// <summary>
    /// internal, inbound, outbound or external, by whether each end is an address of the public Internet; null where one is not known. The scope is
    /// not asked: a document says the same whoever reads it.
    /// </summary>
    public string? Direction
    {
        get
        {
            if (!Address.TryParse(SrcIP, out Address source) || !Address.TryParse(DestIP, out Address destination)) return null;
            return (SpecialAddresses.IsGlobal(source), SpecialAddresses.IsGlobal(destination)) switch
            {
                (false, false) => "internal",
                (false, true) => "outbound",
                (true, false) => "inbound",
                _ => "external",
            };
        }
    }

    /// <summary>Who was asked for, by name: of DNS the question, of HTTP the host, of TLS the server's name.</summary>
    public string? Name => Type switch
    {
        EventType.Dns => Text("query") is "." ? null : Text("query"),
        EventType.Http => UrlParts?.DnsSafeHost ?? Text("host"),
        EventType.Tls => Text("sni"),
        _ => null,
    };

    /// <summary>What stands behind the question mark, as it was sent; null when nothing does.</summary>
    public string? UrlQuery => Text("url") is { } url && url.IndexOf('?', StringComparison.Ordinal) is >= 0 and { } at && url[(at + 1)..].Split('#', 2)[0] is { Length: > 0 } query ? query : null;

    /// <summary>The line has all fields, so that what it does not say was not there.</summary>
    public bool IsWhole => Text("type") is not null || Text("communityId") is not null;

    /// <summary>The parts of an absolute URL; null when it is none.</summary>
    public Uri? UrlParts => Text("url") is { } url && Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 ? uri : null;
}
