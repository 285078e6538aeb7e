using System.Buffers;
using System.Text.Json;
using Nfr.Events;

namespace Nfr.Storage;

/// <summary>How an alert lies in the spool: JSON with every field of the record, so that each output renders it later in its own format.</summary>
static class AlertBlob
{
    public static byte[] Write(Alert alert)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartArray("threats");
            foreach (AlertThreat threat in alert.Threats)
            {
                json.WriteStartObject();
                json.WriteString("id", threat.Id);
                json.WriteString("title", threat.Title);
                json.WriteNumber("severity", threat.Severity);
                json.WriteBoolean("policy", threat.Policy);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteTexts(json, "flags", alert.Flags);
            WriteTexts(json, "labels", alert.Labels);
            json.WriteStartArray("groups");
            foreach (AlertGroup group in alert.Groups)
            {
                json.WriteStartObject();
                json.WriteString("label", group.Label);
                json.WriteString("description", group.Description);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            WriteEvent(json, alert.Event);
            if (alert.Evidence is not null) WriteEvidence(json, alert.Evidence);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>False when the bytes are not what <see cref="Write"/> wrote.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Alert? alert)
    {
        alert = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes.ToArray());
            JsonElement root = document.RootElement;
            alert = new Alert
            {
                Threats = Each(root, "threats", t => new AlertThreat(
                    Required(t, "id"), Required(t, "title"), t.GetProperty("severity").GetInt32(), t.GetProperty("policy").GetBoolean())),
                Flags = Each(root, "flags", Value),
                Labels = Each(root, "labels", Value),
                Groups = Each(root, "groups", g => new AlertGroup(Required(g, "label"), Required(g, "description"))),
                Event = ReadEvent(root.GetProperty("event")),
                Evidence = root.TryGetProperty("evidence", out JsonElement evidence) ? ReadEvidence(evidence) : null,
            };
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }

    static void WriteEvent(Utf8JsonWriter json, AlertEvent e)
    {
        json.WriteStartObject("event");
        json.WriteNumber("type", (int)e.Type);
        Text("ts", e.Ts);
        Text("srcIP", e.SrcIP);
        Number("srcPort", e.SrcPort);
        Text("srcHost", e.SrcHost);
        Text("srcMac", e.SrcMac);
        Text("srcUser", e.SrcUser);
        Text("srcID", e.SrcID);
        Text("connID", e.ConnID);
        Number("bytesIn", e.BytesIn);
        Number("bytesOut", e.BytesOut);
        Text("query", e.Query);
        Text("qtype", e.QType);
        Text("destIP", e.DestIP);
        Number("destPort", e.DestPort);
        Text("proto", e.Proto);
        Text("ja3", e.Ja3);
        Text("url", e.Url);
        Text("method", e.Method);
        Number("status", e.Status);
        Text("action", e.Action);
        Text("contentType", e.ContentType);
        Text("referrer", e.Referrer);
        Text("userAgent", e.UserAgent);
        Text("certHash", e.CertHash);
        Text("issuer", e.Issuer);
        Text("subject", e.Subject);
        Text("validFrom", e.ValidFrom);
        Text("validTo", e.ValidTo);
        Text("ja3s", e.Ja3s);
        json.WriteEndObject();

        void Text(string name, string? value)
        {
            if (value is not null) json.WriteString(name, value);
        }

        void Number(string name, long? value)
        {
            if (value is not null) json.WriteNumber(name, value.Value);
        }
    }

    static AlertEvent ReadEvent(JsonElement e) => new()
    {
        Type = (EventType)e.GetProperty("type").GetByte(),
        Ts = Required(e, "ts"),
        SrcIP = Text(e, "srcIP"),
        SrcPort = (int?)Number(e, "srcPort"),
        SrcHost = Text(e, "srcHost"),
        SrcMac = Text(e, "srcMac"),
        SrcUser = Text(e, "srcUser"),
        SrcID = Text(e, "srcID"),
        ConnID = Text(e, "connID"),
        BytesIn = Number(e, "bytesIn"),
        BytesOut = Number(e, "bytesOut"),
        Query = Text(e, "query"),
        QType = Text(e, "qtype"),
        DestIP = Text(e, "destIP"),
        DestPort = (int?)Number(e, "destPort"),
        Proto = Text(e, "proto"),
        Ja3 = Text(e, "ja3"),
        Url = Text(e, "url"),
        Method = Text(e, "method"),
        Status = (int?)Number(e, "status"),
        Action = Text(e, "action"),
        ContentType = Text(e, "contentType"),
        Referrer = Text(e, "referrer"),
        UserAgent = Text(e, "userAgent"),
        CertHash = Text(e, "certHash"),
        Issuer = Text(e, "issuer"),
        Subject = Text(e, "subject"),
        ValidFrom = Text(e, "validFrom"),
        ValidTo = Text(e, "validTo"),
        Ja3s = Text(e, "ja3s"),
    };

    static void WriteEvidence(Utf8JsonWriter json, AlertEvidence evidence)
    {
        json.WriteStartObject("evidence");
        json.WriteString("detector", evidence.Detector);
        json.WriteString("key", evidence.Key);
        json.WriteString("summary", evidence.Summary);
        WriteValues(json, "values", evidence.Values);
        WriteValues(json, "thresholds", evidence.Thresholds);
        WriteTexts(json, "samples", evidence.Samples);
        json.WriteNumber("count", evidence.Count);
        json.WriteEndObject();
    }

    static AlertEvidence ReadEvidence(JsonElement e) => new()
    {
        Detector = Required(e, "detector"),
        Key = Required(e, "key"),
        Summary = Required(e, "summary"),
        Values = Each(e, "values", ReadValue),
        Thresholds = Each(e, "thresholds", ReadValue),
        Samples = Each(e, "samples", Value),
        Count = e.GetProperty("count").GetInt64(),
    };

    static void WriteValues(Utf8JsonWriter json, string name, IReadOnlyList<EvidenceValue> values)
    {
        json.WriteStartArray(name);
        foreach (EvidenceValue value in values)
        {
            json.WriteStartObject();
            json.WriteString("name", value.Name);
            // JSON has no infinities; a measurement that is one says nothing anyway.
            json.WriteNumber("number", double.IsFinite(value.Number) ? value.Number : 0);
            if (value.Text is not null) json.WriteString("text", value.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static EvidenceValue ReadValue(JsonElement e) => new(Required(e, "name"), e.GetProperty("number").GetDouble(), Text(e, "text"));

    static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    static List<T> Each<T>(JsonElement parent, string name, Func<JsonElement, T> read)
    {
        var list = new List<T>();
        foreach (JsonElement item in parent.GetProperty(name).EnumerateArray()) list.Add(read(item));
        return list;
    }

    static string Value(JsonElement e) => e.GetString() ?? throw new FormatException("a text is null");

    static string Required(JsonElement e, string name) => Value(e.GetProperty(name));

    static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    static long? Number(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : null;
}
