using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Nfr.Uplink;

/// <summary>
/// The index template of our data streams, put once where the cluster has none of its name, which says for which streams it is: the schema's types for the fields that are no keywords, everything else a keyword. Both
/// Elasticsearch and OpenSearch know all of it. How long documents are kept is the cluster's affair.
/// </summary>
/// <param name="client">Of the cluster.</param>
/// <param name="kind">The name's beginning.</param>
/// <param name="patterns">Of data streams or indices.</param>
sealed class ElasticTemplate(ElasticClient client, string kind, IReadOnlyList<string> patterns)
{
    readonly string _name = NameOf(kind, patterns);

    static readonly string[] s_addresses = ["source.ip", "destination.ip", "client.ip", "server.ip", "dns.resolved_ip", "related.ip"];

    static readonly string[] s_dates = ["@timestamp", "event.start", "event.end", "tls.server.not_before", "tls.server.not_after"];

    static readonly string[] s_numbers =
    [
        "event.severity", "event.duration", "source.port", "source.bytes", "source.packets", "destination.port", "destination.bytes", "destination.packets", "client.port", "client.bytes",
        "server.port", "server.bytes", "network.bytes", "network.packets", "dns.answers_count", "dns.answers.ttl", "url.port", "http.request.body.bytes", "http.response.status_code",
        "http.response.body.bytes", "nfr.event.missed_bytes", "nfr.event.edns_payload_size", "nfr.event.login_failures", "nfr.event.login_successes", "nfr.event.tunnel.id",
        "nfr.event.tunnel.depth", "nfr.threats.severity", "nfr.evidence.count",
    ];

    static readonly string[] s_reals = ["nfr.evidence.score", "nfr.evidence.score_limit", "nfr.evidence.features.value", "nfr.evidence.features.limit", "nfr.evidence.features.weight"];

    volatile bool _there;

    /// <summary>Null when the template is there, by us or by somebody else; else why it is not, and nothing should be indexed: a field's type cannot be changed later.</summary>
    public async Task<string?> EnsureAsync(CancellationToken cancel)
    {
        if (_there) return null;
        (bool? exists, string? fault) = await client.ExistsAsync("_index_template/" + _name, cancel);
        if (exists is null) return $"whether there is an index template {_name} cannot be told ({fault}); a key needs the privilege manage_index_templates, or set template: false";
        if (exists == false && await client.PutAsync("_index_template/" + _name, Json(patterns), cancel) is { } refused)
            return $"the index template {_name} was not taken ({refused}); a key needs the privilege manage_index_templates, or set template: false";
        _there = true;
        return null;
    }

    /// <summary>The same for the same patterns: a second sink with another index has a template of its own.</summary>
    internal static string NameOf(string kind, IReadOnlyList<string> patterns) =>
        $"{kind}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', patterns.Order(StringComparer.Ordinal)))).AsSpan(0, 4))}";

    internal static byte[] Json(IReadOnlyList<string> patterns)
    {
        using MemoryStream output = new();
        using (Utf8JsonWriter json = new(output))
        {
            json.WriteStartObject();
            json.WriteStartArray("index_patterns");
            foreach (string pattern in patterns) json.WriteStringValue(pattern);
            json.WriteEndArray();
            // Above the cluster's own for logs-*-* (100) and those of its packages (200).
            json.WriteNumber("priority", 250);
            json.WriteStartObject("data_stream");
            json.WriteEndObject();
            json.WriteStartObject("template");
            json.WriteStartObject("mappings");
            json.WriteBoolean("date_detection", false);
            json.WritePropertyName("dynamic_templates");
            json.WriteRawValue("""[{"texts":{"match_mapping_type":"string","mapping":{"type":"keyword","ignore_above":8191}}}]""");
            json.WriteStartObject("properties");
            Write(json, Tree());
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WritePropertyName("_meta");
            json.WriteRawValue("""{"description":"Alerts and events of NFR sensors, in the Elastic Common Schema"}""");
            json.WriteEndObject();
        }
        return output.ToArray();
    }

    static SortedDictionary<string, object> Tree()
    {
        var root = new SortedDictionary<string, object>(StringComparer.Ordinal);
        Add(s_addresses, """{"type":"ip"}""");
        Add(s_dates, """{"type":"date"}""");
        Add(s_numbers, """{"type":"long"}""");
        Add(s_reals, """{"type":"double"}""");
        Add(["message"], """{"type":"text"}""");
        // Lines to be read by people, too long for keywords.
        Add(["nfr.evidence.samples"], """{"type":"keyword","index":false,"doc_values":false}""");
        return root;

        void Add(string[] paths, string mapping)
        {
            foreach (string path in paths)
            {
                SortedDictionary<string, object> at = root;
                string[] parts = path.Split('.');
                foreach (string part in parts[..^1])
                {
                    if (!at.TryGetValue(part, out object? below)) at[part] = below = new SortedDictionary<string, object>(StringComparer.Ordinal);
                    at = (SortedDictionary<string, object>)below;
                }
                at[parts[^1]] = mapping;
            }
        }
    }

    static void Write(Utf8JsonWriter json, SortedDictionary<string, object> level)
    {
        foreach ((string name, object below) in level)
        {
            json.WritePropertyName(name);
            if (below is string mapping)
            {
                json.WriteRawValue(mapping);
                continue;
            }
            json.WriteStartObject();
            json.WriteStartObject("properties");
            Write(json, (SortedDictionary<string, object>)below);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }
}
