using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace Nfr.Events;

/// <summary>
/// An alert as a Detection Finding of the Open Cybersecurity Schema Framework 1.2.0 (class 2004). What that version has no place for among a finding's
/// evidences (URL, TLS) is in their "data", our numbers are in "unmapped".
/// </summary>
public static class OcsfFormat
{
    const int HostName = 1, IpAddress = 2, MacAddress = 3, UserName = 4, UrlString = 6, Hash = 8;

    /// <summary>Writes the object without a line end.</summary>
    public static void Write(Alert alert, SensorIdentity sensor, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(alert);
        ArgumentNullException.ThrowIfNull(sensor);
        using JsonDocument line = EcsAlerts.EventLine(alert);
        using var json = new DocumentWriter();
        EventFields? e = EventFields.Of(alert.Event.Type, line.RootElement);
        long? time = e is null ? null : Milliseconds(e.Time);
        AlertThreat? first = alert.Threats.Count > 0 ? alert.Threats[0] : null;
        string id = EcsAlerts.IdOf(alert, sensor);
        json.Begin(output);
        json.Number("activity_id", 1);
        json.Text("activity_name", "Create");
        json.Number("category_uid", 2);
        json.Text("category_name", "Findings");
        json.Number("class_uid", 2004);
        json.Text("class_name", "Detection Finding");
        json.Number("type_uid", 200401);
        json.Text("type_name", "Detection Finding: Create");
        // An alert without a stamp that can be read is an engine's fault; the attribute is required.
        json.Number("time", time ?? 0);
        json.Number("severity_id", Math.Clamp(alert.Severity, 1, 5));
        json.Text("severity", Severity(alert.Severity));
        json.Number("status_id", 1);
        json.Text("status", "New");
        json.Text("message", alert.Evidence?.Summary ?? first?.Title);
        json.Number("count", alert.Evidence?.Count ?? 1);
        Metadata(json, sensor, id, time);
        json.Open("finding_info");
        json.Text("uid", id);
        json.Text("title", first?.Title ?? "Alert");
        json.Text("desc", alert.Evidence?.Summary);
        json.Texts("types", alert.Threats.Select(t => t.Id));
        json.Number("created_time", time);
        json.Texts("data_sources", [alert.Event.Type.Name()]);
        json.Open("analytic");
        json.Number("type_id", 1);
        json.Text("type", "Rule");
        json.Text("uid", first?.Id);
        json.Text("name", alert.Evidence?.Detector ?? first?.Title);
        json.Close();
        json.Close();
        if (e is not null)
        {
            json.Objects("evidences", [e], x => Evidence(json, x));
            json.Objects("observables", Observables(e), o =>
            {
                json.Text("name", o.Name);
                json.Number("type_id", o.Type);
                json.Text("type", TypeName(o.Type));
                json.Text("value", o.Value);
            });
        }
        Unmapped(json, alert);
        json.End();
    }

    static void Metadata(DocumentWriter json, SensorIdentity sensor, string id, long? time)
    {
        json.Open("metadata");
        json.Text("version", "1.2.0");
        json.Text("uid", id);
        json.Text("log_name", "alerts");
        json.Text("log_provider", "nfr");
        json.Number("logged_time", time);
        json.Open("product");
        json.Text("vendor_name", "AlphaSOC");
        json.Text("name", "NFR");
        json.Text("version", sensor.Version);
        json.Text("uid", sensor.Id);
        json.Close();
        json.Close();
    }

    static void Evidence(DocumentWriter json, EventFields e)
    {
        json.Open("src_endpoint");
        json.Text("ip", e.SrcIP);
        json.Number("port", e.Positive("srcPort"));
        json.Text("hostname", e.Text("srcHost"));
        json.Text("mac", e.Text("srcMac"));
        json.Close();
        json.Open("dst_endpoint");
        json.Text("ip", e.DestIP);
        json.Number("port", e.Positive("destPort"));
        json.Text("hostname", e.Type == EventType.Dns ? null : e.Name);
        json.Text("svc_name", e.Type == EventType.Ip ? e.Text("app") : e.Type.Name());
        json.Close();
        json.Open("connection_info");
        json.Number("direction_id", e.Direction switch { "inbound" => 1, "outbound" => 2, "internal" => 3, _ => 0 });
        json.Text("protocol_name", e.Proto);
        json.Number("protocol_num", e.Proto switch { "icmp" => 1, "tcp" => 6, "udp" => 17, "icmp6" => 58, _ => null });
        json.Number("protocol_ver_id", e.Family switch { "ipv4" => 4, "ipv6" => 6, _ => 0 });
        json.Text("uid", e.Text("communityId") ?? e.Text("connID"));
        json.Close();
        if (e.Type == EventType.Dns)
        {
            json.Open("query");
            json.Text("hostname", e.Text("query") ?? ".");
            json.Text("type", e.Text("qtype"));
            json.Text("class", "IN");
            json.Number("packet_uid", e.Positive("id"));
            json.Close();
        }
        json.Open("data");
        Url(json, e);
        Tls(json, e);
        json.Number("bytes_in", e.Number("bytesIn"));
        json.Number("bytes_out", e.Number("bytesOut"));
        json.Text("rcode", e.Text("rcode"));
        json.Close();
    }

    static void Url(DocumentWriter json, EventFields e)
    {
        if (e.Type != EventType.Http) return;
        Uri? url = e.UrlParts;
        json.Open("url");
        json.Text("url_string", e.Text("url"));
        json.Text("hostname", e.Name);
        json.Text("scheme", url?.Scheme);
        json.Text("path", url?.AbsolutePath);
        json.Text("query_string", url is null ? null : e.UrlQuery);
        json.Number("port", url is { Port: > 0 } ? url.Port : null);
        json.Close();
        json.Open("http_request");
        json.Text("http_method", e.Text("method"));
        json.Text("user_agent", e.Text("userAgent"));
        json.Text("referrer", e.Text("referrer"));
        json.Close();
        json.Open("http_response");
        json.Number("code", e.Positive("status"));
        json.Text("content_type", e.Text("contentType"));
        json.Close();
    }

    static void Tls(DocumentWriter json, EventFields e)
    {
        if (e.Type != EventType.Tls && e.Text("ja3") is null) return;
        json.Open("tls");
        json.Text("version", e.Text("version"));
        json.Text("sni", e.Text("sni"));
        Fingerprint(json, "ja3_hash", e.Text("ja3"), 1, "MD5");
        Fingerprint(json, "ja3s_hash", e.Text("ja3s"), 1, "MD5");
        json.Open("certificate");
        json.Text("issuer", e.Text("issuer"));
        json.Text("subject", e.Text("subject"));
        json.Number("created_time", Time(e.Text("validFrom")));
        json.Number("expiration_time", Time(e.Text("validTo")));
        if (e.Text("certHash") is { } hash) json.Objects("fingerprints", [hash], h => FingerprintOf(json, h, 2, "SHA-1"));
        json.Close();
        json.Close();
    }

    static void Fingerprint(DocumentWriter json, string name, string? value, int algorithm, string algorithmName)
    {
        if (value is null) return;
        json.Open(name);
        FingerprintOf(json, value, algorithm, algorithmName);
        json.Close();
    }

    static void FingerprintOf(DocumentWriter json, string value, int algorithm, string algorithmName)
    {
        json.Number("algorithm_id", algorithm);
        json.Text("algorithm", algorithmName);
        json.Text("value", value);
    }

    static IEnumerable<(string Name, int Type, string Value)> Observables(EventFields e)
    {
        if (e.SrcIP is { } source) yield return ("evidences[0].src_endpoint.ip", IpAddress, source);
        if (e.Text("srcHost") is { } host) yield return ("evidences[0].src_endpoint.hostname", HostName, host);
        if (e.Text("srcMac") is { } mac) yield return ("evidences[0].src_endpoint.mac", MacAddress, mac);
        if (e.Text("srcUser") is { } user) yield return ("unmapped.user", UserName, user);
        if (e.DestIP is { } destination) yield return ("evidences[0].dst_endpoint.ip", IpAddress, destination);
        if (e.Name is { } name) yield return (e.Type == EventType.Dns ? "evidences[0].query.hostname" : "evidences[0].dst_endpoint.hostname", HostName, name);
        if (e.Text("url") is { } url) yield return ("evidences[0].data.url.url_string", UrlString, url);
        if (e.Text("certHash") is { } hash) yield return ("evidences[0].data.tls.certificate.fingerprints[0].value", Hash, hash);
        if (e.Text("ja3") is { } ja3) yield return ("evidences[0].data.tls.ja3_hash.value", Hash, ja3);
    }

    /// <summary>Numbers and words that the schema has no attribute for.</summary>
    static void Unmapped(DocumentWriter json, Alert alert)
    {
        json.Open("unmapped");
        json.Texts("flags", alert.Flags);
        json.Texts("labels", alert.Labels);
        json.Texts("groups", alert.Groups.Select(g => g.Label));
        json.Text("user", alert.Event.SrcUser);
        json.Objects("threats", alert.Threats, t =>
        {
            json.Text("id", t.Id);
            json.Text("title", t.Title);
            json.Number("severity", t.Severity);
            json.Flag("policy", t.Policy);
        });
        if (alert.Evidence is { } evidence)
        {
            json.Real("score", evidence.Score);
            json.Real("score_limit", evidence.ScoreLimit);
            json.Objects("features", evidence.Features, f =>
            {
                json.Text("name", f.Name);
                json.Real("value", f.Value);
                json.Real("limit", f.Limit);
                json.Real("weight", f.Weight);
            });
            json.Texts("facts", evidence.Facts.Select(f => $"{f.Name}={f.Text ?? f.Number.ToString(CultureInfo.InvariantCulture)}"));
            json.Texts("samples", evidence.Samples);
        }
        json.Close();
    }

    static string Severity(int severity) => severity switch { >= 5 => "Critical", 4 => "High", 3 => "Medium", 2 => "Low", _ => "Informational" };

    static string TypeName(int type) => type switch
    {
        HostName => "Hostname",
        IpAddress => "IP Address",
        MacAddress => "MAC Address",
        UserName => "User Name",
        UrlString => "URL String",
        _ => "Hash",
    };

    static long Milliseconds(DateTime utc) => new DateTimeOffset(utc, TimeSpan.Zero).ToUnixTimeMilliseconds();

    static long? Time(string? stamp) => EventTime.TryParse(stamp, out DateTime utc) ? Milliseconds(utc) : null;
}
