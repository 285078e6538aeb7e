using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Elastic;

/// <summary>
/// A small Elasticsearch over real sockets: stores what _bulk creates and says so item by item, a conflict for an id that it has, an error for a field of another kind than
/// the index has; puts off, refuses, fails and asks for keys as the test says. Every request is held against <see cref="ElasticApi"/>.
/// </summary>
sealed class ElasticServer : IAsyncDisposable
{
    readonly EngineServer _http;
    readonly Lock _lock = new();
    readonly Dictionary<string, Dictionary<string, JsonObject>> _indices = [];
    readonly Dictionary<string, JsonObject> _templates = [];
    readonly List<string> _objections = [];
    ulong _sequence;

    ElasticServer(EngineServer http)
    {
        _http = http;
        http.Answer = AnswerAsync;
    }

    public static async Task<ElasticServer> StartAsync(X509Certificate2? certificate = null, int port = 0) => new(await EngineServer.StartAsync(certificate, port: port));

    public string Host => _http.Host;
    public IReadOnlyList<Recorded> Requests => _http.Requests;
    public int Bulks => Requests.Count(r => r.Path.EndsWith("/_bulk", StringComparison.Ordinal));

    /// <summary>The Authorization header that is let in; null = everybody.</summary>
    public string? Authorization { get; set; }
    /// <summary>Answers a request before the store sees it; null = the store answers.</summary>
    public Func<Recorded, HttpContext, Task<bool>>? Before { get; set; }
    /// <summary>The store takes the request, and this is answered in place of its answer.</summary>
    public Func<Recorded, HttpContext, Task<bool>>? After { get; set; }
    /// <summary>What an item ends in other than stored: status, type of error, reason.</summary>
    public Func<JsonObject, (int Status, string Type, string Reason)?>? Item { get; set; }
    /// <summary>Bytes of a body as sent; longer ones are answered 413.</summary>
    public int MaxBody { get; set; } = int.MaxValue;

    /// <summary>What the API's schema has against the requests so far.</summary>
    public IReadOnlyList<string> Objections
    {
        get
        {
            lock (_lock) return [.. _objections];
        }
    }

    public IReadOnlyDictionary<string, JsonObject> Templates
    {
        get
        {
            lock (_lock) return new Dictionary<string, JsonObject>(_templates);
        }
    }

    /// <summary>Documents of an index in the order in which they came.</summary>
    public IReadOnlyList<JsonObject> Documents(string index)
    {
        lock (_lock) return _indices.TryGetValue(index, out Dictionary<string, JsonObject>? documents) ? [.. documents.Values] : [];
    }

    public IReadOnlyList<string> Ids(string index)
    {
        lock (_lock) return _indices.TryGetValue(index, out Dictionary<string, JsonObject>? documents) ? [.. documents.Keys] : [];
    }

    async Task AnswerAsync(HttpContext context, Recorded request)
    {
        lock (_lock) _objections.AddRange(ElasticApi.Objections(request));
        if (Before is { } before && await before(request, context)) return;
        if (Authorization is { } wanted && request.Headers.GetValueOrDefault("Authorization") != wanted)
        {
            await EngineServer.Json(context, 401, """{"error":{"type":"security_exception","reason":"missing authentication credentials for REST request"},"status":401}""");
            return;
        }
        if (request.Body.Length > MaxBody)
        {
            await EngineServer.Json(context, 413, "");
            return;
        }
        string[] path = request.Path.Trim('/').Split('/');
        if (path is ["_index_template", var name]) await TemplateAsync(context, request, name);
        else if (path is [var index, "_bulk"] && request.Method is "POST" or "PUT")
        {
            JsonObject answer = Bulk(path[0], request);
            if (After is { } after && await after(request, context)) return;
            await EngineServer.Json(context, 200, Filtered(answer, request).ToJsonString());
        }
        else await EngineServer.Json(context, 404, """{"error":"no handler found","status":404}""");
    }

    async Task TemplateAsync(HttpContext context, Recorded request, string name)
    {
        bool known;
        lock (_lock)
        {
            known = _templates.ContainsKey(name);
            if (request.Method == "PUT") _templates[name] = JsonNode.Parse(request.Text)!.AsObject();
        }
        if (request.Method == "HEAD") context.Response.StatusCode = known ? 200 : 404;
        else await EngineServer.Json(context, 200, """{"acknowledged":true}""");
    }

    JsonObject Bulk(string index, Recorded request)
    {
        JsonArray items = [];
        bool errors = false;
        string[] lines = request.Lines;
        lock (_lock)
        {
            if (!_indices.TryGetValue(index, out Dictionary<string, JsonObject>? documents)) _indices[index] = documents = [];
            for (int i = 0; i + 1 < lines.Length; i += 2)
            {
                string id = JsonNode.Parse(lines[i])!["create"]!["_id"]!.GetValue<string>();
                JsonObject document = JsonNode.Parse(lines[i + 1])!.AsObject();
                (int Status, string Type, string Reason)? fault = documents.ContainsKey(id)
                    ? (409, "version_conflict_engine_exception", $"[{id}]: version conflict, document already exists (current version [1])")
                    : Item?.Invoke(document);
                if (fault is null) documents[id] = document;
                errors |= fault is not null;
                JsonObject result = new() { ["_index"] = ".ds-" + index + "-2026.11.21-000001", ["_id"] = id, ["status"] = fault?.Status ?? 201 };
                if (fault is { } f) result["error"] = new JsonObject { ["type"] = f.Type, ["reason"] = f.Reason, ["index_uuid"] = "x", ["shard"] = "0" };
                else
                {
                    result["_version"] = 1;
                    result["result"] = "created";
                    result["_seq_no"] = _sequence++;
                    result["_primary_term"] = 1;
                    result["_shards"] = new JsonObject { ["total"] = 2, ["successful"] = 1, ["failed"] = 0 };
                }
                items.Add(new JsonObject { ["create"] = result });
            }
        }
        return new JsonObject { ["took"] = 3, ["errors"] = errors, ["items"] = items };
    }

    /// <summary>filter_path: dotted paths with "*" for any key; arrays are gone through.</summary>
    static JsonNode Filtered(JsonObject answer, Recorded request)
    {
        string query = Uri.UnescapeDataString(request.Query);
        int at = query.IndexOf("filter_path=", StringComparison.Ordinal);
        if (at < 0) return answer;
        string[][] paths = [.. query[(at + 12)..].Split('&')[0].Split(',').Select(p => p.Split('.'))];
        return Keep(answer, paths) ?? new JsonObject();
    }

    static JsonNode? Keep(JsonNode? node, string[][] paths)
    {
        if (paths.Any(p => p.Length == 0)) return node?.DeepClone();
        if (node is JsonArray array)
        {
            JsonNode[] kept = [.. array.Select(item => Keep(item, paths)).OfType<JsonNode>()];
            return kept.Length == 0 ? null : new JsonArray(kept);
        }
        if (node is not JsonObject o) return null;
        JsonObject result = [];
        foreach ((string key, JsonNode? value) in o)
        {
            string[][] below = [.. paths.Where(p => p[0] == "*" || p[0] == key).Select(p => p[1..])];
            if (below.Length > 0 && Keep(value, below) is { } kept) result[key] = kept;
        }
        return result.Count == 0 ? null : result;
    }

    public ValueTask DisposeAsync() => _http.DisposeAsync();
}

/// <summary>The published schema of the API's requests (corpus, topic 9): what it has against one. Where the corpus is absent only the shape of _bulk is looked at.</summary>
static class ElasticApi
{
    static readonly JsonObject? s_schema = Load();

    /// <summary>Of every end point, in the reference's "common options".</summary>
    static readonly string[] s_common = ["filter_path", "pretty", "human", "error_trace"];

    public static bool IsThere => s_schema is not null;

    static JsonObject? Load()
    {
        return Corpus.TryFind("9-elasticsearch-api/elasticsearch-search-pit-bulk.openapi.json", out string file) ? JsonNode.Parse(File.ReadAllText(file))!.AsObject() : null;
    }

    public static IEnumerable<string> Objections(Recorded request)
    {
        if (!request.Path.EndsWith("/_bulk", StringComparison.Ordinal)) yield break;
        if (request.Headers.GetValueOrDefault("Content-Type") is not ("application/x-ndjson" or "application/json")) yield return "the content type of _bulk is application/x-ndjson";
        if (!request.Text.EndsWith('\n')) yield return "the last line of _bulk has to end with a newline";
        string[] lines = request.Lines;
        if (lines.Length % 2 != 0) yield return "each create has a document";
        for (int i = 0; i + 1 < lines.Length; i += 2)
        {
            JsonObject action = JsonNode.Parse(lines[i])!.AsObject();
            if (action.Count != 1 || !action.ContainsKey("create")) yield return $"a data stream takes create alone: {lines[i]}";
            if (System.Text.Encoding.UTF8.GetByteCount(action["create"]?["_id"]?.GetValue<string>() ?? "") is 0 or > 512) yield return $"an _id has 1 to 512 bytes: {lines[i]}";
            foreach (string fault in OfAction(action)) yield return fault;
            if (JsonNode.Parse(lines[i + 1]) is not JsonObject document) yield return "a document is an object";
            else if (document["@timestamp"] is null) yield return "a document of a data stream has @timestamp";
        }
        foreach (string fault in OfParameters(request)) yield return fault;
    }

    static IEnumerable<string> OfParameters(Recorded request)
    {
        if (s_schema is null) yield break;
        JsonNode operation = s_schema["paths"]!["/{index}/_bulk"]![request.Method.ToLowerInvariant()]!;
        if (operation is null)
        {
            yield return $"no {request.Method} of _bulk";
            yield break;
        }
        HashSet<string> known = [.. s_common];
        foreach (JsonNode? parameter in operation["parameters"]!.AsArray())
        {
            JsonNode p = Resolve(parameter!);
            known.Add(p["name"]!.GetValue<string>());
        }
        foreach (string pair in request.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!known.Contains(pair.Split('=')[0])) yield return $"_bulk has no parameter {pair}";
        }
    }

    static IEnumerable<string> OfAction(JsonObject action)
    {
        if (s_schema is null) yield break;
        JsonObject container = s_schema["components"]!["schemas"]!["_global.bulk.OperationContainer"]!["properties"]!.AsObject();
        foreach ((string name, JsonNode? body) in action)
        {
            if (!container.ContainsKey(name))
            {
                yield return $"no operation {name}";
                continue;
            }
            HashSet<string> properties = [];
            Collect(container[name]!, properties);
            foreach ((string key, _) in body!.AsObject())
            {
                if (!properties.Contains(key)) yield return $"{name} has no {key}";
            }
        }
    }

    static void Collect(JsonNode schema, HashSet<string> properties)
    {
        JsonNode resolved = Resolve(schema);
        foreach ((string key, _) in resolved["properties"]?.AsObject() ?? []) properties.Add(key);
        foreach (JsonNode? part in resolved["allOf"]?.AsArray() ?? []) Collect(part!, properties);
    }

    static JsonNode Resolve(JsonNode node)
    {
        while (node["$ref"] is { } reference)
        {
            JsonNode at = s_schema!;
            foreach (string part in reference.GetValue<string>().TrimStart('#', '/').Split('/')) at = at[part]!;
            node = at;
        }
        return node;
    }
}
