using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>Which server is played.</summary>
enum Played
{
    /// <summary>Elasticsearch 8: point in time, _shard_doc, sort values in a format.</summary>
    Elastic,
    /// <summary>Elasticsearch 7.10: a point in time without _shard_doc.</summary>
    Elastic710,
    /// <summary>Before points in time and sort formats; totals are numbers.</summary>
    Elastic6,
    /// <summary>OpenSearch 3: its own path, _shard_doc.</summary>
    OpenSearch,
    /// <summary>OpenSearch 2: its own path, no _shard_doc.</summary>
    OpenSearch2,
}

/// <summary>
/// A small cluster: indices of several shards whose documents become visible at a refresh; searches with exists, term and range, sorted, in pages; points in
/// time and scrolls that see what was visible when they were opened, and expire. It answers in the process itself, or over HTTP by <see cref="ListenAsync"/>.
/// </summary>
sealed class SearchServer(TimeProvider time) : ISearchCluster, IAsyncDisposable
{
    const int Shards = 3;

    readonly Lock _lock = new();
    readonly List<Doc> _documents = [];
    readonly Dictionary<string, Context> _contexts = [];
    readonly List<string> _objections = [];
    EngineServer? _http;
    int _ids;

    sealed record Doc(string Index, string Id, JsonObject Source, long ShardDoc)
    {
        public bool Visible { get; set; }
    }

    sealed class Context
    {
        public required Doc[] Documents { get; init; }
        public long Expires { get; set; }
        public long KeepAlive { get; set; }
        /// <summary>Of a scroll.</summary>
        public JsonObject? Body { get; init; }
        public int Position { get; set; }
    }

    public string Target => "the test's cluster";
    public Played Played { get; init; }
    /// <summary>Stamps of more than milliseconds.</summary>
    public bool Nanoseconds { get; init; }
    /// <summary>The stamp that searches are ordered by.</summary>
    public string Ingested { get; init; } = "event.ingested";
    /// <summary>Holds each request against the published schema, which takes longer than answering it.</summary>
    public bool ChecksApi { get; init; } = true;
    /// <summary>Answers in place of the store, null = the store answers.</summary>
    public Func<SearchRequest, SearchAnswer?>? Before { get; set; }
    /// <summary>May change what the store says.</summary>
    public Func<SearchRequest, string, string>? After { get; set; }
    /// <summary>All that was asked.</summary>
    public List<SearchRequest> Requests { get; } = [];
    public int OpenContexts => _contexts.Count;
    public string Host => _http!.Host;
    public EngineServer Http => _http!;

    /// <summary>What the API's schema has against the requests so far.</summary>
    public IReadOnlyList<string> Objections
    {
        get
        {
            lock (_lock) return [.. _objections];
        }
    }

    /// <param name="certificate">Null = plain HTTP.</param>
    /// <param name="listener">A bound socket, such as one of another network namespace; null = any port of loopback.</param>
    public async Task<SearchServer> ListenAsync(X509Certificate2? certificate = null, Socket? listener = null)
    {
        _http = await EngineServer.StartAsync(certificate, listener: listener);
        _http.Answer = async (context, recorded) =>
        {
            SearchAnswer answer = Answer(new SearchRequest(recorded.Method, recorded.Path.TrimStart('/') + recorded.Query, recorded.Body));
            if (answer.RetryAfter is { } wait) context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            await EngineServer.Json(context, answer.Status, Encoding.UTF8.GetString(answer.Body.Span));
        };
        return this;
    }

    public void Add(string index, string id, string json, bool visible = true)
    {
        lock (_lock)
        {
            int shard = (int)((uint)string.GetHashCode(id, StringComparison.Ordinal) % Shards);
            _documents.Add(new Doc(index, id, JsonNode.Parse(json)!.AsObject(), ((long)shard << 32) + _documents.Count) { Visible = visible });
        }
    }

    public void Refresh()
    {
        lock (_lock) _documents.ForEach(d => d.Visible = true);
    }

    public void ForgetContexts()
    {
        lock (_lock) _contexts.Clear();
    }

    public Task<SearchAnswer> SendAsync(SearchRequest request, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return Task.FromResult(Answer(request));
    }

    public static SearchAnswer Said(int status, string json, TimeSpan? retryAfter = null) =>
        new() { Status = status, Body = Encoding.UTF8.GetBytes(json), Fault = status is >= 200 and < 300 ? null : $"it answered {status}", RetryAfter = retryAfter };

    static SearchAnswer Wrong(int status, string type, string reason) =>
        Said(status, new JsonObject { ["error"] = new JsonObject { ["root_cause"] = new JsonArray(new JsonObject { ["type"] = type, ["reason"] = reason }), ["type"] = type, ["reason"] = reason }, ["status"] = status }.ToJsonString());

    SearchAnswer Answer(SearchRequest request)
    {
        lock (_lock)
        {
            Requests.Add(request);
            if (Played is Played.Elastic && ChecksApi) _objections.AddRange(SearchApi.Objections(request));
            if (Before?.Invoke(request) is { } other) return other;
            SearchAnswer answer = Store(request);
            return answer.Fault is null && After is { } after ? Said(answer.Status, after(request, Encoding.UTF8.GetString(answer.Body.Span))) : answer;
        }
    }

    SearchAnswer Store(SearchRequest request)
    {
        foreach ((string id, Context context) in _contexts.Where(c => c.Value.Expires < time.GetTimestamp()).ToArray()) _contexts.Remove(id);
        string path = request.Path.Split('?')[0];
        Dictionary<string, string> query = request.Path.Split('?') is [_, var q] ? q.Split('&').Select(p => p.Split('=')).ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1])) : [];
        JsonObject body = request.Body.IsEmpty ? [] : JsonNode.Parse(request.Body.Span)!.AsObject();
        bool elasticPit = Played is Played.Elastic or Played.Elastic710, openPit = Played is Played.OpenSearch or Played.OpenSearch2;
        switch (request.Method, path.Split('/'))
        {
            case ("POST", [var indices, "_pit"]) when elasticPit: return OpenPit(indices, query, "id");
            case ("POST", [var indices, "_search", "point_in_time"]) when openPit: return OpenPit(indices, query, "pit_id");
            case ("POST", [_, "_pit"]) or ("POST", [_, "_search", "point_in_time"]): return Wrong(Played == Played.Elastic6 ? 400 : 405, "illegal_argument_exception", $"request [/{path}] contains unrecognized parameter: [keep_alive]");
            case ("DELETE", ["_pit"]) when elasticPit: return Said(200, $$"""{"succeeded":true,"num_freed":{{(_contexts.Remove(body["id"]!.GetValue<string>()) ? 1 : 0)}}}""");
            case ("DELETE", ["_search", "point_in_time"]) when openPit:
                _contexts.Remove(body["pit_id"]!.AsArray()[0]!.GetValue<string>());
                return Said(200, """{"pits":[]}""");
            case ("DELETE", ["_search", "scroll"]):
                _contexts.Remove(body["scroll_id"]!.AsArray()[0]!.GetValue<string>());
                return Said(200, """{"succeeded":true,"num_freed":1}""");
            case ("POST", ["_search", "scroll"]): return Scroll(body);
            case ("POST", ["_search"]): return SearchPit(body);
            case ("POST", [var indices, "_search"]): return SearchIndices(indices, query, body);
            default: return Wrong(405, "method_not_allowed", $"Incorrect HTTP method for uri [/{path}] and method [{request.Method}]");
        }
    }

    Doc[] Visible(string indices) =>
        [.. _documents.Where(d => d.Visible && indices.Split(',').Any(i => i.EndsWith('*') ? d.Index.StartsWith(i[..^1], StringComparison.Ordinal) : d.Index == i))];

    long Seconds(string keep) => (long)(double.Parse(keep.TrimEnd('s'), CultureInfo.InvariantCulture) * time.TimestampFrequency);

    string Keep(Context context, string keepAlive)
    {
        string id = $"ctx{++_ids}==";
        context.KeepAlive = Seconds(keepAlive);
        context.Expires = time.GetTimestamp() + context.KeepAlive;
        _contexts[id] = context;
        return id;
    }

    SearchAnswer OpenPit(string indices, Dictionary<string, string> query, string name)
    {
        if (!indices.Contains('*', StringComparison.Ordinal) && Visible(indices).Length == 0) return Wrong(404, "index_not_found_exception", $"no such index [{indices}]");
        string id = Keep(new Context { Documents = Visible(indices) }, query["keep_alive"]);
        return Said(200, $$$"""{"{{{name}}}":"{{{id}}}","_shards":{"total":3,"successful":3,"skipped":0,"failed":0}}""");
    }

    SearchAnswer SearchPit(JsonObject body)
    {
        string id = body["pit"]!["id"]!.GetValue<string>();
        if (!_contexts.TryGetValue(id, out Context? context)) return Wrong(404, "search_context_missing_exception", $"No search context found for id [{id}]");
        if (Refused(body) is { } refused) return refused;
        context.KeepAlive = Seconds(body["pit"]!["keep_alive"]!.GetValue<string>());
        context.Expires = time.GetTimestamp() + context.KeepAlive;
        // A point in time is a new name after each search, and the old one may go on.
        string now = $"ctx{++_ids}==";
        _contexts.Remove(id);
        _contexts[now] = context;
        JsonObject answer = Search(context.Documents, body, out _);
        answer["pit_id"] = now;
        return Said(200, answer.ToJsonString());
    }

    SearchAnswer SearchIndices(string indices, Dictionary<string, string> query, JsonObject body)
    {
        if (Refused(body) is { } refused) return refused;
        if (query.ContainsKey("scroll") && body["track_total_hits"]?.GetValue<bool>() == false)
            return Wrong(400, "action_request_validation_exception", "Validation Failed: 1: disabling [track_total_hits] is not allowed in a scroll context;");
        Doc[] documents = Visible(indices);
        JsonObject answer = Search(documents, body, out Doc[] all);
        if (query.TryGetValue("scroll", out string? keep)) answer["_scroll_id"] = Keep(new Context { Documents = all, Body = body, Position = body["size"]!.GetValue<int>() }, keep);
        return Said(200, answer.ToJsonString());
    }

    SearchAnswer Scroll(JsonObject body)
    {
        string id = body["scroll_id"]!.GetValue<string>();
        if (!_contexts.TryGetValue(id, out Context? context)) return Wrong(404, "search_context_missing_exception", $"No search context found for id [{id}]");
        context.Expires = time.GetTimestamp() + context.KeepAlive;
        int size = context.Body!["size"]!.GetValue<int>();
        JsonObject answer = Answered([.. context.Documents.Skip(context.Position).Take(size)], context.Documents.Length, context.Body);
        context.Position += size;
        answer["_scroll_id"] = id;
        return Said(200, answer.ToJsonString());
    }

    /// <summary>What this server does not know yet.</summary>
    SearchAnswer? Refused(JsonObject body)
    {
        foreach (JsonNode? sort in body["sort"]?.AsArray() ?? [])
        {
            foreach ((string field, JsonNode? how) in sort!.AsObject())
            {
                if (field == "_shard_doc" && Played is not (Played.Elastic or Played.OpenSearch)) return Wrong(400, "query_shard_exception", "No mapping found for [_shard_doc] in order to sort on");
                if (how is JsonObject o && o.ContainsKey("format") && Played is not (Played.Elastic or Played.Elastic710)) return Wrong(400, "x_content_parse_exception", "[field_sort] unknown field [format]");
            }
        }
        if ((body["size"]?.GetValue<int>() ?? 10) > 10_000) return Wrong(400, "illegal_argument_exception", "Result window is too large, from + size must be less than or equal to: [10000]");
        return null;
    }

    JsonObject Search(Doc[] documents, JsonObject body, out Doc[] all)
    {
        all = [.. documents.Where(d => Matches(d.Source, body["query"]!.AsObject())).OrderBy(d => StampOf(d, body) ?? long.MaxValue).ThenBy(d => d.ShardDoc)];
        IEnumerable<Doc> page = all;
        if (body["search_after"] is JsonArray after)
        {
            (long stamp, long shardDoc) = (Parse(after[0]!), after[1]!.GetValue<long>());
            page = page.Where(d => StampOf(d, body) > stamp || (StampOf(d, body) == stamp && d.ShardDoc > shardDoc));
        }
        return Answered([.. page.Take(body["size"]?.GetValue<int>() ?? 10)], all.Length, body);
    }

    JsonObject Answered(Doc[] page, int total, JsonObject body)
    {
        JsonArray hits = [.. page.Select(d => Hit(d, body))];
        JsonObject found = new() { ["max_score"] = null, ["hits"] = hits };
        if (body["track_total_hits"]?.GetValue<bool>() == true) found["total"] = Played == Played.Elastic6 ? total : new JsonObject { ["value"] = total, ["relation"] = "eq" };
        return new JsonObject { ["took"] = 2, ["timed_out"] = false, ["_shards"] = new JsonObject { ["total"] = Shards, ["successful"] = Shards, ["skipped"] = 0, ["failed"] = 0 }, ["hits"] = found };
    }

    JsonNode Hit(Doc d, JsonObject body)
    {
        JsonObject hit = new() { ["_index"] = d.Index, ["_id"] = d.Id, ["_score"] = null, ["_source"] = Included(d.Source, "", [.. body["_source"]?["includes"]?.AsArray().Select(i => i!.GetValue<string>()) ?? []]) };
        JsonObject fields = [];
        foreach (JsonNode? field in body["docvalue_fields"]?.AsArray() ?? [])
        {
            string name = field!["field"]!.GetValue<string>();
            if (At(d.Source, name) is { } value) fields[name] = new JsonArray(Format(Parse(value)));
        }
        hit["fields"] = fields;
        if (body["sort"] is JsonArray sort)
        {
            bool formatted = sort[0]!.AsObject().First().Value!["format"] is not null;
            JsonArray values = [formatted ? Format(StampOf(d, body)!.Value) : Nanoseconds ? StampOf(d, body)!.Value : StampOf(d, body)!.Value / 1_000_000];
            if (sort.Count > 1) values.Add(d.ShardDoc);
            hit["sort"] = values;
        }
        return hit;
    }

    static JsonObject Included(JsonObject source, string prefix, string[] includes)
    {
        JsonObject kept = [];
        foreach ((string key, JsonNode? value) in source)
        {
            string path = prefix + key;
            if (includes.Any(i => path == i || path.StartsWith(i + ".", StringComparison.Ordinal))) kept[key] = value?.DeepClone();
            else if (value is JsonObject o && includes.Any(i => i.StartsWith(path + ".", StringComparison.Ordinal))) kept[key] = Included(o, path + ".", includes);
        }
        return kept;
    }

    bool Matches(JsonObject source, JsonObject query)
    {
        (string kind, JsonNode? inner) = query.First();
        switch (kind)
        {
            case "bool":
                bool should = inner!["should"] is not JsonArray either || either.Any(q => Matches(source, q!.AsObject()));
                if (inner["must_not"] is JsonArray not && not.Any(q => Matches(source, q!.AsObject()))) return false;
                return should && (inner["must"]?.AsArray() ?? []).Concat(inner["filter"]?.AsArray() ?? []).All(q => Matches(source, q!.AsObject()));
            case "exists": return At(source, inner!["field"]!.GetValue<string>()) is not null;
            case "term":
                (string termField, JsonNode? wanted) = inner!.AsObject().First();
                if (wanted is JsonObject longer) wanted = longer["value"];
                return At(source, termField) is { } has && (has is JsonArray list ? list.Any(v => v!.ToString() == wanted!.ToString()) : has.ToString() == wanted!.ToString());
            case "range":
                (string rangeField, JsonNode? limits) = inner!.AsObject().First();
                if (At(source, rangeField) is not { } at) return false;
                long stamp = Parse(at);
                return (limits!["gte"] is not { } gte || stamp >= Parse(gte)) && (limits["lte"] is not { } lte || stamp <= Parse(lte));
            default: throw new InvalidOperationException(kind);
        }
    }

    /// <summary>What the first field of the order says.</summary>
    long? StampOf(Doc d, JsonObject body) => At(d.Source, body["sort"] is JsonArray sort ? sort[0]!.AsObject().First().Key : Ingested) is { } value ? Parse(value) : null;

    /// <summary>As the field's mapping keeps it: milliseconds, unless it is one of nanoseconds.</summary>
    long Parse(JsonNode value)
    {
        long now = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        string text = value.ToString();
        long nanos = text == "now" ? now : text == "now-5m" ? now - 300_000_000_000
            : long.TryParse(text, CultureInfo.InvariantCulture, out long number) ? number > 100_000_000_000_000_000 ? number : number * 1_000_000
            : EventTime.TryParse(Encoding.ASCII.GetBytes(text), out long parsed) ? parsed : throw new FormatException(text);
        return Nanoseconds ? nanos : nanos / 1_000_000 * 1_000_000;
    }

    static string Format(long nanoseconds) => DocumentTime.ForQuery(nanoseconds, null);

    /// <summary>Nested, dotted, or anything between.</summary>
    static JsonNode? At(JsonObject source, string path)
    {
        if (source.TryGetPropertyValue(path, out JsonNode? whole)) return whole;
        for (int dot = path.IndexOf('.', StringComparison.Ordinal); dot > 0; dot = path.IndexOf('.', dot + 1))
        {
            if (source.TryGetPropertyValue(path[..dot], out JsonNode? below) && below is JsonObject o && At(o, path[(dot + 1)..]) is { } found) return found;
        }
        return null;
    }

    public ValueTask DisposeAsync() => _http?.DisposeAsync() ?? ValueTask.CompletedTask;
}
