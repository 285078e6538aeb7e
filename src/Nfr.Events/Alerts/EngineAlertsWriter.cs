using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// Writes what <see cref="EngineAlertsReader"/> reads: the reply to <c>GET alerts</c>, with "evidence" in each alert, a key that other clients
/// ignore. An alert is written once, when it is raised, and a page is put together from the texts.
/// </summary>
public static class EngineAlertsWriter
{
    static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>One item of the page's "alerts".</summary>
    public static byte[] Item(Alert alert)
    {
        ArgumentNullException.ThrowIfNull(alert);
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("eventType", alert.Event.Type.Utf8Name());
            json.WriteStartObject("event");
            AlertFields.Write(json, alert.Event);
            json.WriteEndObject();
            AlertJson.Strings(json, "threats", [.. alert.Threats.Select(t => t.Id)]);
            json.WriteStartObject("wisdom");
            AlertJson.Strings(json, "flags", alert.Flags);
            if (alert.Labels.Count > 0) AlertJson.Strings(json, "labels", alert.Labels);
            json.WriteEndObject();
            if (alert.Evidence is { } evidence) AlertJson.Write(json, evidence);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The members of the page's "threats" that an alert needs, without the braces: <c>"id":{"title",…},…</c>. Equal threats give equal texts.</summary>
    public static string Dictionary(IReadOnlyList<AlertThreat> threats)
    {
        ArgumentNullException.ThrowIfNull(threats);
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            foreach (AlertThreat threat in threats)
            {
                json.WriteStartObject(threat.Id);
                json.WriteString("title", threat.Title);
                json.WriteNumber("severity", threat.Severity);
                json.WriteBoolean("policy", threat.Policy);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan[1..^1]);
    }

    /// <summary>The whole reply.</summary>
    /// <param name="output">Gets one JSON object.</param>
    /// <param name="follow">The bookmark behind the last item; letters, digits and hyphens.</param>
    /// <param name="more">Another page waits.</param>
    /// <param name="items">Each of <see cref="Item"/>.</param>
    /// <param name="dictionary">Each of <see cref="Dictionary"/>, different ones.</param>
    public static void Page(IBufferWriter<byte> output, string follow, bool more, IReadOnlyList<byte[]> items, IEnumerable<string> dictionary)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(items);
        output.Write(Encoding.UTF8.GetBytes($"{{\"follow\":\"{follow}\",\"more\":{(more ? "true" : "false")},\"alerts\":["));
        for (int i = 0; i < items.Count; i++)
        {
            if (i > 0) output.Write(","u8);
            output.Write(items[i]);
        }
        output.Write(Encoding.UTF8.GetBytes($"],\"threats\":{{{string.Join(',', dictionary)}}}}}"));
    }
}
