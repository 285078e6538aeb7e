using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>
/// One threat of an alert by GELF 1.1. The additional fields have the original's names where it had one, and stand in its order; what it did not know follows. The time is the event's
/// own, and the level follows the severity as in <see cref="SyslogMessage"/>, unless one is set for all.
/// </summary>
static class GelfMessage
{
    static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static byte[] Make(Alert alert, AlertThreat threat, SensorIdentity sensor, int? level)
    {
        AlertEvent e = alert.Event;
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, s_options))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.1");
            json.WriteString("host", sensor.Host.Length == 0 ? "nfr" : sensor.Host);
            // A message without these texts is refused.
            json.WriteString("short_message", threat.Title.Length > 0 ? threat.Title : threat.Id.Length > 0 ? threat.Id : "alert");
            json.WriteString("full_message", alert.Evidence?.Summary ?? "");
            if (EventTime.TryParse(e.Ts, out DateTime utc))
            {
                json.WritePropertyName("timestamp");
                // Seconds with milliseconds; a double would write them as it likes.
                long milliseconds = (utc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMillisecond;
                json.WriteNumberValue(milliseconds / 1000m);
            }
            json.WriteNumber("level", level ?? SyslogMessage.SeverityOf(threat.Severity));
            json.WriteNumber("_severity", threat.Severity);
            json.WriteString("_policy", threat.Policy ? "true" : "false");
            Text(json, "_flags", string.Join(',', alert.Flags));
            Text(json, "_threat", threat.Id);
            json.WriteString("_engine_agent", "AlphaSOC NFR/" + sensor.Version);
            Text(json, "_original_event", e.Ts);
            Text(json, "_src_ip", e.SrcIP);
            Text(json, "_query", e.Query);
            Text(json, "_record_type", e.QType);
            Text(json, "_protocol", e.Proto);
            Number(json, "_src_port", e.SrcPort);
            Text(json, "_dest_ip", e.DestIP);
            Number(json, "_dest_port", e.DestPort);
            Number(json, "_bytes_in", e.BytesIn);
            Number(json, "_bytes_out", e.BytesOut);
            Text(json, "_ja3", e.Ja3);
            json.WriteString("_event_type", e.Type.Name());
            Text(json, "_groups", string.Join(',', alert.Groups.Select(g => g.Label)));
            Text(json, "_labels", string.Join(',', alert.Labels));
            Text(json, "_src_host", e.SrcHost);
            Text(json, "_src_mac", e.SrcMac);
            Text(json, "_src_user", e.SrcUser);
            Text(json, "_url", e.Url);
            Text(json, "_method", e.Method);
            Number(json, "_status", e.Status);
            Text(json, "_action", e.Action);
            Text(json, "_content_type", e.ContentType);
            Text(json, "_referrer", e.Referrer);
            Text(json, "_user_agent", e.UserAgent);
            Text(json, "_cert_hash", e.CertHash);
            Text(json, "_issuer", e.Issuer);
            Text(json, "_subject", e.Subject);
            Text(json, "_valid_from", e.ValidFrom);
            Text(json, "_valid_to", e.ValidTo);
            Text(json, "_ja3s", e.Ja3s);
            Evidence(json, alert.Evidence);
            Text(json, "_sensor", sensor.Id);
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    static void Evidence(Utf8JsonWriter json, AlertEvidence? evidence)
    {
        if (evidence is null) return;
        Text(json, "_alert", evidence.Id);
        Text(json, "_detector", evidence.Detector);
        if (double.IsFinite(evidence.Score)) json.WriteNumber("_score", evidence.Score);
        Text(json, "_community_id", string.Join(',', evidence.CommunityIds));
    }

    static void Text(Utf8JsonWriter json, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value)) json.WriteString(key, value);
    }

    static void Number(Utf8JsonWriter json, string key, long? value)
    {
        if (value is { } number) json.WriteNumber(key, number);
    }
}
