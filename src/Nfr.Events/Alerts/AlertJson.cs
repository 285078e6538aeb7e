using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// An alert as one JSON object without a line end: the original's keys in the original's order, then the http and tls fields that it lacked,
/// then "clock" and "evidence". What is written reads back as the same alert.
/// </summary>
public static class AlertJson
{
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A number of the evidence that JSON cannot say (NaN, infinity) is written as null and reads back as NaN.</summary>
    public static void Write(Alert alert, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(alert);
        using var json = new Utf8JsonWriter(output, Options);
        json.WriteStartObject();
        json.WriteNumber("severity", alert.Severity);
        json.WriteStartObject("threats");
        foreach (AlertThreat threat in alert.Threats)
        {
            json.WriteStartObject(threat.Id);
            json.WriteNumber("severity", threat.Severity);
            json.WriteString("desc", threat.Title);
            if (threat.Policy) json.WriteBoolean("policy", true);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        Strings(json, "flags", alert.Flags);
        if (alert.Labels.Count > 0) Strings(json, "labels", alert.Labels);
        json.WriteStartArray("groups");
        foreach (AlertGroup group in alert.Groups)
        {
            json.WriteStartObject();
            json.WriteString("label", group.Label);
            json.WriteString("desc", group.Description);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("eventType", alert.Event.Type.Utf8Name());
        AlertFields.Write(json, alert.Event);
        if (alert.Clock is { } clock) json.WriteString("clock", clock);
        if (alert.Evidence is { } evidence) Write(json, evidence);
        json.WriteEndObject();
    }

    /// <summary>The same as an array of its own.</summary>
    public static byte[] ToBytes(Alert alert)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        Write(alert, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The key "evidence" and its object; an engine's reply has the same.</summary>
    internal static void Write(Utf8JsonWriter json, AlertEvidence evidence)
    {
        json.WriteStartObject("evidence");
        json.WriteString("id", evidence.Id);
        json.WriteString("detector", evidence.Detector);
        json.WriteString("key", evidence.Key);
        json.WriteString("summary", evidence.Summary);
        Number(json, "score", evidence.Score);
        Number(json, "scoreLimit", evidence.ScoreLimit);
        json.WriteStartArray("features");
        foreach (EvidenceFeature feature in evidence.Features)
        {
            json.WriteStartObject();
            json.WriteString("name", feature.Name);
            Number(json, "value", feature.Value);
            Number(json, "limit", feature.Limit);
            Number(json, "weight", feature.Weight);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Values(json, "facts", evidence.Facts);
        json.WriteNumber("count", evidence.Count);
        Strings(json, "communityIds", evidence.CommunityIds);
        json.WriteStartArray("samples");
        foreach (string sample in evidence.Samples)
        {
            // A sample is an object of ours. Were it anything else, a text keeps the alert whole and on one line.
            if (IsOneLineObject(sample)) json.WriteRawValue(sample, skipInputValidation: true);
            else json.WriteStringValue(sample);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Reads what <see cref="Write(Alert, IBufferWriter{byte})"/> wrote. Never throws: the error says what was wrong with the bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> utf8, out Alert? alert, out string? error)
    {
        alert = null;
        try
        {
            var reader = new Utf8JsonReader(utf8);
            using JsonDocument document = JsonDocument.ParseValue(ref reader);
            error = Read(document.RootElement, out alert);
            if (error is null && reader.BytesConsumed != utf8.Length && !utf8[(int)reader.BytesConsumed..].Trim(" \t\r\n"u8).IsEmpty)
            {
                error = "bytes after the alert's end";
                alert = null;
            }
        }
        catch (JsonException e)
        {
            error = e.Message;
        }
        catch (InvalidOperationException e)
        {
            // A text that is no valid UTF-8 or holds half a surrogate pair.
            error = e.Message;
        }
        return error is null;
    }

    static string? Read(JsonElement json, out Alert? alert)
    {
        alert = null;
        if (json.ValueKind != JsonValueKind.Object) return "an alert is an object";
        if (!AlertFields.TryReadType(AlertFields.String(json, "eventType"), out EventType type)) return "no known eventType";
        if (!AlertFields.TryRead(json, type, out AlertEvent? e)) return "no ts";
        if (!AlertFields.TryGet(json, "threats", JsonValueKind.Object, out JsonElement list)) return "no threats";
        var threats = new List<AlertThreat>();
        foreach (JsonProperty threat in list.EnumerateObject())
        {
            if (threat.Value.ValueKind != JsonValueKind.Object) return "a threat is an object";
            int severity = (int)Math.Clamp(AlertFields.Number(threat.Value, "severity") ?? 0, 0, int.MaxValue);
            threats.Add(new AlertThreat(
                threat.Name, AlertFields.String(threat.Value, "desc") ?? threat.Name, severity, AlertFields.Flag(threat.Value, "policy")));
        }
        if (threats.Count == 0) return "no threats";
        var groups = new List<AlertGroup>();
        if (AlertFields.TryGet(json, "groups", JsonValueKind.Array, out JsonElement array))
        {
            foreach (JsonElement group in array.EnumerateArray())
            {
                if (group.ValueKind != JsonValueKind.Object) return "a group is an object";
                groups.Add(new AlertGroup(AlertFields.String(group, "label") ?? "", AlertFields.String(group, "desc") ?? ""));
            }
        }
        alert = new Alert
        {
            Threats = threats,
            Flags = AlertFields.Strings(json, "flags"),
            Labels = AlertFields.Strings(json, "labels"),
            Groups = groups,
            Event = e!,
            Clock = AlertFields.String(json, "clock"),
            Evidence = ReadEvidence(json),
        };
        return null;
    }

    /// <summary>What <see cref="Write(Utf8JsonWriter, AlertEvidence)"/> wrote into the object; null when it has none.</summary>
    internal static AlertEvidence? ReadEvidence(JsonElement json) => !AlertFields.TryGet(json, "evidence", JsonValueKind.Object, out JsonElement proof)
        ? null
        : new AlertEvidence
        {
            Id = AlertFields.String(proof, "id") ?? "",
            Detector = AlertFields.String(proof, "detector") ?? "",
            Key = AlertFields.String(proof, "key") ?? "",
            Summary = AlertFields.String(proof, "summary") ?? "",
            Score = Real(proof, "score"),
            ScoreLimit = Real(proof, "scoreLimit"),
            Features = Features(proof),
            Facts = Values(proof, "facts"),
            CommunityIds = AlertFields.Strings(proof, "communityIds"),
            Count = AlertFields.Number(proof, "count") ?? 1,
            Samples = Samples(proof),
        };

    internal static void Strings(Utf8JsonWriter json, string key, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(key);
        foreach (string text in texts) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    static void Values(Utf8JsonWriter json, string key, IReadOnlyList<EvidenceValue> values)
    {
        json.WriteStartObject(key);
        foreach (EvidenceValue value in values)
        {
            if (value.Text is not null) json.WriteString(value.Name, value.Text);
            else Number(json, value.Name, value.Number);
        }
        json.WriteEndObject();
    }

    /// <summary>The shortest text that reads back as the same number.</summary>
    static void Number(Utf8JsonWriter json, string key, double value)
    {
        if (double.IsFinite(value)) json.WriteNumber(key, value);
        else json.WriteNull(key);
    }

    static double Real(JsonElement json, string key) => AlertFields.TryGet(json, key, JsonValueKind.Number, out JsonElement value) ? value.GetDouble() : double.NaN;

    static List<EvidenceFeature> Features(JsonElement json)
    {
        var features = new List<EvidenceFeature>();
        if (!AlertFields.TryGet(json, "features", JsonValueKind.Array, out JsonElement array)) return features;
        foreach (JsonElement feature in array.EnumerateArray())
        {
            if (feature.ValueKind != JsonValueKind.Object) continue;
            features.Add(new EvidenceFeature(AlertFields.String(feature, "name") ?? "", Real(feature, "value"), Real(feature, "limit"), Real(feature, "weight")));
        }
        return features;
    }

    static List<EvidenceValue> Values(JsonElement json, string key)
    {
        var values = new List<EvidenceValue>();
        if (!AlertFields.TryGet(json, key, JsonValueKind.Object, out JsonElement list)) return values;
        foreach (JsonProperty value in list.EnumerateObject())
        {
            switch (value.Value.ValueKind)
            {
                case JsonValueKind.Number: values.Add(new EvidenceValue(value.Name, value.Value.GetDouble())); break;
                case JsonValueKind.String: values.Add(new EvidenceValue(value.Name, 0, value.Value.GetString())); break;
                case JsonValueKind.Null: values.Add(new EvidenceValue(value.Name, double.NaN)); break;
            }
        }
        return values;
    }

    static List<string> Samples(JsonElement json)
    {
        var samples = new List<string>();
        if (!AlertFields.TryGet(json, "samples", JsonValueKind.Array, out JsonElement array)) return samples;
        foreach (JsonElement sample in array.EnumerateArray())
        {
            samples.Add(sample.ValueKind == JsonValueKind.String ? sample.GetString() ?? "" : sample.GetRawText());
        }
        return samples;
    }

    static bool IsOneLineObject(string sample)
    {
        if (!sample.StartsWith('{') || sample.AsSpan().ContainsAny('\r', '\n')) return false;
        try
        {
            using JsonDocument document = JsonDocument.Parse(sample);
            return true;
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return false;
        }
    }
}
