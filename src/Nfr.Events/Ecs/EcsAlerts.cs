using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// An alert as one document of the Elastic Common Schema: rule.* says what was found, event.* how bad and when, the fields of its traffic lie where an event's own document has
/// them, nfr.evidence.* says why in keys that are always the same ones, so that mappings do not grow.
/// </summary>
public static class EcsAlerts
{
    /// <summary>event.dataset, and the data stream's middle part.</summary>
    public const string Dataset = "nfr.alert";

    /// <summary>Writes the document without a line end.</summary>
    public static void Write(Alert alert, SensorIdentity sensor, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(alert);
        ArgumentNullException.ThrowIfNull(sensor);
        using JsonDocument line = EventLine(alert);
        using var json = new DocumentWriter();
        EventFields? e = EventFields.Of(alert.Event.Type, line.RootElement);
        AlertThreat? first = alert.Threats.Count > 0 ? alert.Threats[0] : null;
        json.Begin(output);
        json.Text("@timestamp", e is null ? alert.Event.Ts : DocumentWriter.Stamp(e.Time));
        json.Text("message", first is null ? null : string.Join("; ", alert.Threats.Select(t => t.Title)));
        json.Open("event");
        json.Text("kind", "alert");
        json.Texts("category", ["network", .. alert.Threats.All(t => t.Policy) ? [] : new[] { "intrusion_detection" }]);
        json.Texts("type", ["info", "connection", .. e is null || alert.Event.Type == EventType.Ip ? [] : new[] { "protocol" }]);
        json.Text("module", "nfr");
        json.Text("dataset", Dataset);
        json.Text("id", IdOf(alert, sensor));
        json.Number("severity", alert.Severity);
        json.Text("reason", alert.Evidence?.Summary ?? first?.Title);
        json.Text("start", e is null ? null : DocumentWriter.Stamp(e.Time));
        json.Close();
        json.Open("rule");
        json.Text("id", first?.Id);
        json.Text("name", first?.Title);
        json.Text("category", first is null ? null : first.Policy ? "policy" : "threat");
        json.Text("ruleset", "nfr");
        json.Close();
        if (e is not null) EcsFields.Write(json, e);
        Observer(json, sensor);
        // Scope groups by name; the flags say what is odd about the destination.
        json.Texts("tags", [.. alert.Flags, .. alert.Labels]);
        json.Open("labels");
        json.Text("groups", string.Join(",", alert.Groups.Select(g => g.Label)));
        json.Close();
        Own(json, alert);
        json.End();
    }

    /// <summary>The alert's own id where it has one, else a digest of what it says: the same whenever it is written.</summary>
    public static string IdOf(Alert alert, SensorIdentity sensor)
    {
        ArgumentNullException.ThrowIfNull(alert);
        ArgumentNullException.ThrowIfNull(sensor);
        if (alert.Evidence is { Id.Length: > 0 } evidence) return sensor.Id.Length == 0 ? evidence.Id : $"{sensor.Id}-{evidence.Id}";
        byte[] said = [.. Encoding.UTF8.GetBytes(sensor.Id), .. AlertJson.ToBytes(alert)];
        return Convert.ToHexStringLower(SHA256.HashData(said).AsSpan(0, 16));
    }

    /// <summary>The sensor as the schema's observer.</summary>
    internal static void Observer(DocumentWriter json, SensorIdentity sensor)
    {
        json.Open("observer");
        json.Text("type", "sensor");
        json.Text("vendor", "AlphaSOC");
        json.Text("product", "NFR");
        json.Text("name", sensor.Host);
        json.Text("serial_number", sensor.Id);
        json.Text("version", sensor.Version);
        json.Close();
        json.Open("ecs");
        json.Text("version", EcsFields.Version);
        json.Close();
    }

    /// <summary>
    /// The alert's event as a line: the sample of the evidence that is this event, which knows more (answers, server's name, Community ID), with what the
    /// alert alone knows laid over it; else the alert's own fields.
    /// </summary>
    internal static JsonDocument EventLine(Alert alert)
    {
        var merged = new ArrayBufferWriter<byte>(1024);
        using var json = new Utf8JsonWriter(merged);
        json.WriteStartObject();
        AlertFields.Write(json, alert.Event);
        WriteRest(json, alert);
        json.WriteEndObject();
        json.Flush();
        return JsonDocument.Parse(merged.WrittenMemory);
    }

    static void WriteRest(Utf8JsonWriter json, Alert alert)
    {
        AlertEvent e = alert.Event;
        foreach (string sample in alert.Evidence?.Samples ?? [])
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(sample);
                JsonElement root = document.RootElement;
                if (root.ValueKind != JsonValueKind.Object || AlertFields.String(root, "type") != e.Type.Name() || AlertFields.String(root, "ts") != e.Ts
                    || AlertFields.String(root, "srcIP") != e.SrcIP || (e.Query is not null && AlertFields.String(root, "query") != e.Query)) continue;
                HashSet<string> written = Names(e);
                foreach (JsonProperty field in root.EnumerateObject())
                {
                    if (written.Add(field.Name)) field.WriteTo(json);
                }
                return;
            }
            catch (Exception fault) when (fault is JsonException or InvalidOperationException)
            {
                // A sample that an engine made up; the alert's own fields are enough.
            }
        }
        // A finding of one flow.
        if (alert.Evidence is { CommunityIds.Count: 1 } one) json.WriteString("communityId", one.CommunityIds[0]);
    }

    static HashSet<string> Names(AlertEvent e)
    {
        var fields = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(fields);
        json.WriteStartObject();
        AlertFields.Write(json, e);
        json.WriteEndObject();
        json.Flush();
        using JsonDocument document = JsonDocument.Parse(fields.WrittenMemory);
        return [.. document.RootElement.EnumerateObject().Select(p => p.Name)];
    }

    static void Own(DocumentWriter json, Alert alert)
    {
        json.Open("nfr");
        json.Objects("threats", alert.Threats, threat =>
        {
            json.Text("id", threat.Id);
            json.Text("title", threat.Title);
            json.Number("severity", threat.Severity);
            json.Flag("policy", threat.Policy);
        });
        json.Objects("groups", alert.Groups, group =>
        {
            json.Text("name", group.Label);
            json.Text("description", group.Description);
        });
        if (alert.Evidence is { } evidence)
        {
            json.Open("evidence");
            json.Text("id", evidence.Id);
            json.Text("detector", evidence.Detector);
            json.Text("key", evidence.Key);
            json.Text("summary", evidence.Summary);
            json.Real("score", evidence.Score);
            json.Real("score_limit", evidence.ScoreLimit);
            json.Number("count", evidence.Count);
            json.Objects("features", evidence.Features, feature =>
            {
                json.Text("name", feature.Name);
                json.Real("value", feature.Value);
                json.Real("limit", feature.Limit);
                json.Real("weight", feature.Weight);
            });
            // The names of facts are open-ended; as "name=value" they are one field.
            json.Texts("facts", evidence.Facts.Select(f => $"{f.Name}={f.Text ?? f.Number.ToString(CultureInfo.InvariantCulture)}"));
            json.Texts("community_ids", evidence.CommunityIds);
            json.Texts("samples", evidence.Samples);
            json.Close();
        }
        json.Close();
    }
}
