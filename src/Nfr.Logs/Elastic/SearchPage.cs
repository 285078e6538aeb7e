using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>A place in a page.</summary>
readonly record struct Place(int At, int Length)
{
    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> page) => page.Slice(At, Length);
}

/// <summary>A document of a page.</summary>
/// <param name="Ingested">Nanoseconds since 1970: its sort value.</param>
/// <param name="Identity">Digest of its index and id.</param>
/// <param name="Whole">Its hit.</param>
/// <param name="Source">Its _source, an object; empty without one.</param>
/// <param name="Fields">Its docvalue fields; empty without any.</param>
/// <param name="Sort">Its sort values, an array: what search_after goes on from.</param>
readonly record struct SearchHit(long Ingested, ulong Identity, Place Whole, Place Source, Place Fields, Place Sort);

/// <summary>The answer of a search, found in its bytes. What is not the answer of a search, or not a whole one, is a fault and no page.</summary>
sealed class SearchPage
{
    /// <summary>The fault of an answer that is not whole because of its time; a smaller page may be.</summary>
    public const string RanOut = "the search ran out of time on the server, so that a part of the documents is missing";

    readonly ReadOnlyMemory<byte> _json;

    SearchPage(ReadOnlyMemory<byte> json) => _json = json;

    public ReadOnlySpan<byte> Json => _json.Span;
    public List<SearchHit> Hits { get; } = [];
    /// <summary>To go on with: the point in time (which may change with each page) or the scroll; null = none was said.</summary>
    public string? Cursor { get; private set; }
    /// <summary>Documents that match; null = not counted.</summary>
    public long? Total { get; private set; }

    /// <summary>Reads an answer.</summary>
    /// <param name="json">A 2xx answer's body.</param>
    /// <param name="fault">Why it is no page, a part of a sentence; null = it is one.</param>
    public static SearchPage? TryRead(ReadOnlyMemory<byte> json, out string? fault)
    {
        var page = new SearchPage(json);
        fault = page.Read();
        return fault is null ? page : null;
    }

    string? Read()
    {
        ReadOnlySpan<byte> json = Json;
        bool hits = false;
        string? fault = null;
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("timed_out"u8) && value.Kind == JsonKind.True) fault = RanOut;
            else if (key.SequenceEqual("_shards"u8) && value.Kind == JsonKind.Object) fault ??= Shards(value.Bytes);
            else if (key.SequenceEqual("error"u8)) fault = $"it says 200 and an error: {ClusterError.Shown(json)}";
            else if ((key.SequenceEqual("pit_id"u8) || key.SequenceEqual("_scroll_id"u8)) && value.Kind == JsonKind.String) Cursor = Encoding.UTF8.GetString(value.Bytes);
            else if (key.SequenceEqual("hits"u8) && value.Kind == JsonKind.Object)
            {
                hits = true;
                if (!ReadHits(value.Bytes)) fault ??= "its hits cannot be read";
            }
        }
        if (reader.Failed) return json.IndexOfAnyExcept(" \r\n\t"u8) is >= 0 and var at && json[at] == '{'
            ? "its answer breaks off or is no JSON"
            : "its answer is no JSON; is this Elasticsearch or OpenSearch, or a proxy's page?";
        return fault ?? (hits ? null : "its answer is not that of a search; is this Elasticsearch or OpenSearch?");
    }

    static string? Shards(ReadOnlySpan<byte> json)
    {
        long failed = 0, total = 0;
        string said = "";
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("failed"u8)) _ = value.TryNumber(out failed);
            else if (key.SequenceEqual("total"u8)) _ = value.TryNumber(out total);
            else if (key.SequenceEqual("failures"u8) && value.Kind == JsonKind.Array && FieldTree.First(value.Bytes) is { Kind: JsonKind.Object } first) said = ClusterError.Shown(first.Bytes);
        }
        return failed > 0 ? $"{failed} of {total} shards failed{(said.Length > 0 ? ": " + said : "")}" : null;
    }

    bool ReadHits(ReadOnlySpan<byte> json)
    {
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("total"u8))
            {
                // A number before Elasticsearch 7, {"value":…,"relation":…} since.
                if (value.Kind == JsonKind.Number && value.TryNumber(out long total)) Total = total;
                else if (value.Kind == JsonKind.Object) Total = TotalOf(value.Bytes);
            }
            else if (key.SequenceEqual("hits"u8))
            {
                if (value.Kind != JsonKind.Array) return false;
                JsonLineReader list = JsonLineReader.Array(value.Bytes);
                while (list.Next(out JsonRaw hit))
                {
                    if (hit.Kind != JsonKind.Object || !ReadHit(hit.Bytes)) return false;
                }
                if (list.Failed) return false;
            }
        }
        return !reader.Failed;
    }

    static long? TotalOf(ReadOnlySpan<byte> json)
    {
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("value"u8) && value.TryNumber(out long total)) return total;
        }
        return null;
    }

    bool ReadHit(ReadOnlySpan<byte> json)
    {
        ReadOnlySpan<byte> index = default, id = default;
        Place source = default, fields = default, sort = default;
        long ingested = 0;
        bool stamped = false;
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("_index"u8)) index = value.Bytes;
            else if (key.SequenceEqual("_id"u8)) id = value.Bytes;
            else if (key.SequenceEqual("_source"u8) && value.Kind == JsonKind.Object) source = PlaceOf(value.Bytes);
            else if (key.SequenceEqual("fields"u8) && value.Kind == JsonKind.Object) fields = PlaceOf(value.Bytes);
            else if (key.SequenceEqual("sort"u8) && value.Kind == JsonKind.Array)
            {
                sort = PlaceOf(value.Bytes);
                stamped = DocumentTime.TryRead(FieldTree.First(value.Bytes), out ingested);
            }
        }
        // Without its place in the order nothing can go on behind it.
        if (reader.Failed || id.IsEmpty || !stamped) return false;
        Hits.Add(new SearchHit(ingested, TakenDocuments.Identity(index, id), PlaceOf(json), source, fields, sort));
        return true;
    }

    Place PlaceOf(ReadOnlySpan<byte> part)
    {
        Json.Overlaps(part, out int at);
        return new Place(at, part.Length);
    }

    /// <summary>"INDEX/ID" of a hit, for people.</summary>
    public string NameOf(SearchHit hit)
    {
        string index = "", id = "";
        JsonLineReader reader = JsonLineReader.Object(hit.Whole.In(Json));
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("_index"u8)) index = Utf8Text.ToString(value.Bytes);
            else if (key.SequenceEqual("_id"u8)) id = Utf8Text.ToString(value.Bytes);
        }
        return $"{index}/{id}";
    }
}
