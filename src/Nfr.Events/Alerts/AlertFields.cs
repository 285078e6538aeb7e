using System.Globalization;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>The event's fields as they lie flat in an alert, and under "event" in the engine's reply.</summary>
static class AlertFields
{
    /// <summary>The original's order; what it did not know (http and tls fields) after it, in the API's order.</summary>
    public static void Write(Utf8JsonWriter json, AlertEvent e)
    {
        json.WriteString(JsonNames.Ts, e.Ts);
        Text(json, JsonNames.SrcIP, e.SrcIP);
        Number(json, JsonNames.SrcPort, e.SrcPort);
        Text(json, "srcHost", e.SrcHost);
        Text(json, "srcMac", e.SrcMac);
        Text(json, "srcUser", e.SrcUser);
        Text(json, "srcID", e.SrcID);
        Text(json, "connID", e.ConnID);
        Number(json, JsonNames.BytesIn, e.BytesIn);
        Number(json, JsonNames.BytesOut, e.BytesOut);
        Text(json, JsonNames.Query, e.Query);
        Text(json, JsonNames.QType, e.QType);
        Text(json, JsonNames.DestIP, e.DestIP);
        Number(json, JsonNames.DestPort, e.DestPort);
        Text(json, JsonNames.Proto, e.Proto);
        Text(json, JsonNames.Ja3, e.Ja3);
        Text(json, JsonNames.Url, e.Url);
        Text(json, JsonNames.Method, e.Method);
        Number(json, JsonNames.Status, e.Status);
        Text(json, JsonNames.Action, e.Action);
        Text(json, JsonNames.ContentType, e.ContentType);
        Text(json, JsonNames.Referrer, e.Referrer);
        Text(json, JsonNames.UserAgent, e.UserAgent);
        Text(json, JsonNames.CertHash, e.CertHash);
        Text(json, JsonNames.Issuer, e.Issuer);
        Text(json, JsonNames.Subject, e.Subject);
        Text(json, JsonNames.ValidFrom, e.ValidFrom);
        Text(json, JsonNames.ValidTo, e.ValidTo);
        Text(json, JsonNames.Ja3s, e.Ja3s);
    }

    /// <summary>Reads what is there; a field of the wrong kind counts as absent. False without a stamp.</summary>
    public static bool TryRead(JsonElement json, EventType type, out AlertEvent? e)
    {
        e = null;
        if (String(json, "ts") is not { Length: > 0 } ts) return false;
        e = new AlertEvent
        {
            Type = type,
            Ts = ts,
            SrcIP = String(json, "srcIP"),
            SrcPort = Port(json, "srcPort"),
            SrcHost = String(json, "srcHost"),
            SrcMac = String(json, "srcMac"),
            SrcUser = String(json, "srcUser"),
            SrcID = String(json, "srcID"),
            ConnID = String(json, "connID"),
            BytesIn = Number(json, "bytesIn"),
            BytesOut = Number(json, "bytesOut"),
            Query = String(json, "query"),
            QType = String(json, "qtype"),
            DestIP = String(json, "destIP"),
            DestPort = Port(json, "destPort"),
            Proto = String(json, "proto"),
            Ja3 = String(json, "ja3"),
            Url = String(json, "url"),
            Method = String(json, "method"),
            Status = Port(json, "status"),
            Action = String(json, "action"),
            ContentType = String(json, "contentType"),
            Referrer = String(json, "referrer"),
            UserAgent = String(json, "userAgent"),
            CertHash = String(json, "certHash"),
            Issuer = String(json, "issuer"),
            Subject = String(json, "subject"),
            ValidFrom = String(json, "validFrom"),
            ValidTo = String(json, "validTo"),
            Ja3s = String(json, "ja3s"),
        };
        return true;
    }

    public static bool TryReadType(string? name, out EventType type)
    {
        foreach (EventType candidate in EventTypes.Uploaded)
        {
            if (candidate.Name() != name) continue;
            type = candidate;
            return true;
        }
        type = default;
        return false;
    }

    public static bool TryGet(JsonElement json, string key, JsonValueKind kind, out JsonElement value) =>
        json.TryGetProperty(key, out value) && value.ValueKind == kind;

    public static string? String(JsonElement json, string key) =>
        TryGet(json, key, JsonValueKind.String, out JsonElement value) ? value.GetString() : null;

    /// <summary>The texts of an array; anything else in it is left out.</summary>
    public static List<string> Strings(JsonElement json, string key)
    {
        var texts = new List<string>();
        if (!TryGet(json, key, JsonValueKind.Array, out JsonElement array)) return texts;
        foreach (JsonElement item in array.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String && item.GetString() is { } text) texts.Add(text);
        }
        return texts;
    }

    public static bool Flag(JsonElement json, string key) => json.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    /// <summary>A whole number, also one that is written as a text.</summary>
    public static long? Number(JsonElement json, string key)
    {
        if (!json.TryGetProperty(key, out JsonElement value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)) return number;
        if (value.ValueKind == JsonValueKind.String && long.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out number)) return number;
        return null;
    }

    static int? Port(JsonElement json, string key) => Number(json, key) is { } number and >= 0 and <= int.MaxValue ? (int)number : null;

    static void Text(Utf8JsonWriter json, JsonEncodedText key, string? value)
    {
        if (value is not null) json.WriteString(key, value);
    }

    static void Text(Utf8JsonWriter json, string key, string? value)
    {
        if (value is not null) json.WriteString(key, value);
    }

    static void Number(Utf8JsonWriter json, JsonEncodedText key, long? value)
    {
        if (value is { } number) json.WriteNumber(key, number);
    }
}
