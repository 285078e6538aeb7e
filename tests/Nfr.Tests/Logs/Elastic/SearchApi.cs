using System.Text.Json;
using System.Text.Json.Nodes;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>The published schema of the search and point in time requests (corpus, topic 9): what it has against one. Without the corpus nothing.</summary>
static class SearchApi
{
    public const string Schema = "9-elasticsearch-api/elasticsearch-search-pit-bulk.openapi.json";

    static readonly JsonObject? s_schema = Corpus.TryFind(Schema, out string file)
        ? JsonNode.Parse(File.ReadAllText(file))!.AsObject() : null;

    /// <summary>Not in the slice: the reference's scroll pages have them.</summary>
    static readonly string[] s_beside = ["_search/scroll", "_search/point_in_time"];

    /// <summary>The slice leaves out that a sort is also {FIELD: {…}}; these are what the reference says of it.</summary>
    static readonly string[] s_sort = ["missing", "mode", "nested", "order", "unmapped_type", "numeric_type", "format"];

    public static IEnumerable<string> Objections(SearchRequest request)
    {
        if (s_schema is null) yield break;
        string path = request.Path.Split('?')[0];
        if (s_beside.Any(b => path.EndsWith(b, StringComparison.Ordinal))) yield break;
        string[] parts = path.Split('/');
        string template = "/" + (parts.Length == 1 ? path : "{index}/" + string.Join('/', parts[1..]));
        if (s_schema["paths"]![template]?[request.Method.ToLowerInvariant()] is not JsonObject operation)
        {
            yield return $"there is no {request.Method} {template}";
            yield break;
        }
        HashSet<string> known = [.. operation["parameters"]?.AsArray().Select(p => Resolve(p!)["name"]!.GetValue<string>()) ?? []];
        foreach (string pair in request.Path.Split('?').Skip(1).SelectMany(q => q.Split('&')))
        {
            if (!known.Contains(pair.Split('=')[0])) yield return $"{template} has no parameter {pair}";
        }
        if (operation["requestBody"] is not { } body) yield break;
        body = Resolve(body);
        if (request.Body.IsEmpty)
        {
            if (body["required"]?.GetValue<bool>() == true) yield return $"{template} needs a body";
            yield break;
        }
        foreach (string fault in Check(JsonNode.Parse(request.Body.Span), body["content"]!["application/json"]!["schema"]!, template)) yield return fault;
    }

    static List<string> Check(JsonNode? value, JsonNode schema, string at)
    {
        schema = Resolve(schema);
        List<string> faults = [];
        if ((schema["oneOf"] ?? schema["anyOf"]) is JsonArray variants)
        {
            List<string>[] each = [.. variants.Select(v => Check(value, v!, at))];
            if (each.All(e => e.Count > 0)) faults.Add($"{at}: no variant fits; the nearest says {each.MinBy(e => e.Count)![0]}");
            return faults;
        }
        if (schema["enum"] is JsonArray words && !words.Any(w => w!.ToJsonString() == value?.ToJsonString())) faults.Add($"{at}: {value?.ToJsonString()} is none of {words.ToJsonString()}");
        Dictionary<string, JsonNode> properties = [];
        HashSet<string> required = [];
        JsonNode? further = null;
        string? type = null;
        JsonNode? items = null;
        Collect(schema);
        if (type is not null && !IsOf(value, type)) return [.. faults, $"{at}: {value?.ToJsonString() ?? "null"} is no {type}"];
        if (value is JsonArray array && items is not null)
        {
            for (int i = 0; i < array.Count; i++) faults.AddRange(Check(array[i], items, $"{at}[{i}]"));
        }
        if (value is not JsonObject o || type != "object") return faults;
        foreach (string name in required.Where(r => !o.ContainsKey(r))) faults.Add($"{at}: {name} is missing");
        bool isSort = properties.ContainsKey("_geo_distance");
        foreach ((string name, JsonNode? child) in o)
        {
            if (properties.TryGetValue(name, out JsonNode? known)) faults.AddRange(Check(child, known, $"{at}.{name}"));
            else if (further is JsonObject) faults.AddRange(Check(child, further, $"{at}.{name}"));
            else if (isSort)
            {
                if (child is JsonObject how) faults.AddRange(how.Where(h => !s_sort.Contains(h.Key)).Select(h => $"{at}.{name}: a sort has no {h.Key}"));
                else if (child?.GetValue<string>() is not ("asc" or "desc")) faults.Add($"{at}.{name}: asc or desc");
            }
            else if (properties.Count > 0) faults.Add($"{at}: there is no {name}");
        }
        return faults;

        void Collect(JsonNode part)
        {
            part = Resolve(part);
            type ??= part["type"]?.GetValue<string>();
            items ??= part["items"];
            further ??= part["additionalProperties"];
            foreach ((string name, JsonNode? child) in part["properties"]?.AsObject() ?? []) properties[name] = child!;
            foreach (JsonNode? name in part["required"] as JsonArray ?? []) required.Add(name!.GetValue<string>());
            foreach (JsonNode? inner in part["allOf"]?.AsArray() ?? [])
            {
                JsonNode resolved = Resolve(inner!);
                // A choice within a whole: judged for itself.
                if (resolved["oneOf"] is not null || resolved["anyOf"] is not null || resolved["enum"] is not null) faults.AddRange(Check(value, resolved, at));
                else Collect(resolved);
            }
        }
    }

    static bool IsOf(JsonNode? value, string type) => (type, value?.GetValueKind() ?? JsonValueKind.Null) switch
    {
        ("object", JsonValueKind.Object) or ("array", JsonValueKind.Array) or ("string", JsonValueKind.String) or ("number" or "integer", JsonValueKind.Number)
            or ("boolean", JsonValueKind.True or JsonValueKind.False) => true,
        _ => false,
    };

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
