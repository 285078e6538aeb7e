using System.Buffers;
using System.Text;
using System.Text.Json;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>How a server wants to be asked: told by trying, from the newest form to the oldest.</summary>
enum SearchDialect : byte
{
    /// <summary>Elasticsearch 7.12 and later: a point in time, _shard_doc between equal stamps.</summary>
    PointInTime,
    /// <summary>OpenSearch's form of it, with _shard_doc (3.3 and later).</summary>
    OpenSearch,
    /// <summary>All others: a scroll, which keeps its own place.</summary>
    Scroll,
}

/// <summary>Where a page begins and ends.</summary>
/// <param name="From">The least stamp, nanoseconds; <see cref="long.MinValue"/> = five minutes ago by the server's clock.</param>
/// <param name="To">The greatest; <see cref="long.MaxValue"/> = the server's now. What lies in the future waits until it does not: the newest stamp taken is then never ahead of the server's clock.</param>
readonly record struct SearchRange(long From, long To);

/// <summary>Writes the bodies of a search's requests.</summary>
sealed class SearchQuery
{
    const string FlowFinal = "flow.final";
    /// <summary>Packetbeat's transactions, which say source and destination too: <see cref="DocumentParser"/> makes no flows of them.</summary>
    const string Transactions = """{"bool":{"filter":[{"term":{"agent.type":{"value":"packetbeat"}}},{"exists":{"field":"event.dataset"}}],"must_not":[{"term":{"event.dataset":{"value":"flow"}}},{"term":{"event.dataset":{"value":"network_traffic.flow"}}}]}}""";

    readonly SearchOptions _options;
    readonly string _timestamp, _ingested;
    readonly string[] _source;
    readonly string[] _mustHave;
    readonly string[]? _urls;
    readonly string? _format;

    public SearchQuery(SearchOptions options)
    {
        _options = options;
        _timestamp = options.Path(SearchField.Timestamp) ?? "@timestamp";
        _ingested = options.Path(SearchField.Ingested) ?? "@timestamp";
        _format = options.TimestampFormat ?? SearchSchema.TimestampFormat(options.Schema);
        _source = [.. SearchSchema.FieldsOf(options.Type).SelectMany(options.Paths).Distinct()];
        // Packetbeat says url.full and no url.original: one of the two is enough, unless the user said which.
        bool eitherUrl = options.Type == EventType.Http && options.Schema == "ecs" && options.MustHaveFields.Count == 0 && !options.FieldNames.ContainsKey("url");
        if (eitherUrl) _urls = [.. options.Paths(SearchField.Url), .. options.Paths(SearchField.FullUrl)];
        _mustHave = options.MustHaveFields.Count > 0 ? [.. options.MustHaveFields] : [.. Defaults(eitherUrl).Distinct()];
    }

    /// <summary>The path that pages are ordered by.</summary>
    public string Ingested => _ingested;

    /// <summary>What a document must have, for people.</summary>
    public IReadOnlyList<string> MustHave => _mustHave;

    IEnumerable<string> Defaults(bool eitherUrl)
    {
        yield return _timestamp;
        yield return _ingested;
        if (_options.Path(SearchField.SourceIp) is { } source) yield return source;
        if (!eitherUrl && SearchSchema.Essential(_options.Type) is { } essential && _options.Path(essential) is { } path) yield return path;
    }

    /// <summary>The body of a page.</summary>
    /// <param name="dialect">How the server wants it.</param>
    /// <param name="plain">Sort values as the server has them: it did not take a format for them.</param>
    /// <param name="range">Stamps.</param>
    /// <param name="size">Documents.</param>
    /// <param name="pit">The point in time; null in a scroll.</param>
    /// <param name="after">Sort values of the last document before, a JSON array; empty = the first page.</param>
    public byte[] Page(SearchDialect dialect, bool plain, SearchRange range, int size, string? pit, ReadOnlySpan<byte> after)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        using Utf8JsonWriter json = new(buffer);
        json.WriteStartObject();
        json.WriteStartArray("docvalue_fields");
        foreach (string field in new[] { _timestamp, _ingested }.Distinct())
        {
            json.WriteStartObject();
            json.WriteString("field", field);
            json.WriteString("format", "strict_date_time");
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartObject("_source");
        json.WriteStartArray("includes");
        foreach (string path in _source) json.WriteStringValue(path);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNumber("size", size);
        // A scroll always counts, and refuses to be told otherwise.
        if (dialect != SearchDialect.Scroll) json.WriteBoolean("track_total_hits", false);
        Query(json, range, withIngested: true);
        Sort(json, dialect, plain);
        Pit(json, pit);
        if (!after.IsEmpty)
        {
            json.WritePropertyName("search_after");
            json.WriteRawValue(after);
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The body that counts.</summary>
    /// <param name="range">Stamps; null = all.</param>
    /// <param name="pit">The point in time; null = what is there now.</param>
    /// <param name="unstamped">Also those that have no stamp to be ordered by.</param>
    /// <param name="withFlows">Also those that are left to another search.</param>
    public byte[] Count(SearchRange? range, string? pit, bool unstamped = false, bool withFlows = false)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using Utf8JsonWriter json = new(buffer);
        json.WriteStartObject();
        json.WriteNumber("size", 0);
        json.WriteBoolean("track_total_hits", true);
        Query(json, range, withIngested: !unstamped, withFlows);
        Pit(json, pit);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    void Pit(Utf8JsonWriter json, string? pit)
    {
        if (pit is null) return;
        json.WriteStartObject("pit");
        json.WriteString("id", pit);
        json.WriteString("keep_alive", KeepAlive(_options.KeepAlive));
        json.WriteEndObject();
    }

    void Query(Utf8JsonWriter json, SearchRange? range, bool withIngested, bool withFlows = false)
    {
        json.WriteStartObject("query");
        json.WriteStartObject("bool");
        json.WriteStartArray("must");
        foreach (string field in _mustHave)
        {
            if (withIngested || field != _ingested) Exists(json, field);
        }
        json.WriteEndArray();
        if (_urls is not null)
        {
            json.WriteStartArray("should");
            foreach (string field in _urls) Exists(json, field);
            json.WriteEndArray();
            json.WriteNumber("minimum_should_match", 1);
        }
        if (_options.Flows == FlowReports.Left && !withFlows)
        {
            json.WriteStartArray("must_not");
            Exists(json, FlowFinal);
            json.WriteRawValue(Transactions);
            json.WriteEndArray();
        }
        json.WriteStartArray("filter");
        if (_options.Flows == FlowReports.Alone) json.WriteRawValue("""{"term":{"flow.final":{"value":true}}}""");
        if ((_options.SearchTerm ?? SearchSchema.Term(_options.Schema, _options.Type)) is { } term) json.WriteRawValue(term);
        if (range is { } r)
        {
            json.WriteStartObject();
            json.WriteStartObject("range");
            json.WriteStartObject(_ingested);
            json.WriteString("gte", r.From == long.MinValue ? "now-5m" : DocumentTime.ForQuery(r.From, _format));
            json.WriteString("lte", r.To == long.MaxValue ? "now" : DocumentTime.ForQuery(r.To, _format));
            if (_format is not null) json.WriteString("format", _format);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Exists(Utf8JsonWriter json, string field)
    {
        json.WriteStartObject();
        json.WriteStartObject("exists");
        json.WriteString("field", field);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    void Sort(Utf8JsonWriter json, SearchDialect dialect, bool plain)
    {
        json.WriteStartArray("sort");
        json.WriteStartObject();
        json.WriteStartObject(_ingested);
        json.WriteString("order", "asc");
        // An index that has not this field yet has no such documents, which is no fault.
        json.WriteString("unmapped_type", "date");
        if (!plain)
        {
            // Indices whose stamps are milliseconds and others whose are nanoseconds have one order.
            json.WriteString("format", "strict_date_optional_time_nanos");
            json.WriteString("numeric_type", "date_nanos");
        }
        json.WriteEndObject();
        json.WriteEndObject();
        if (dialect != SearchDialect.Scroll)
        {
            json.WriteStartObject();
            json.WriteString("_shard_doc", "asc");
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>Names and wildcards as a part of a path.</summary>
    public string Indices => string.Join(',', _options.Indices.Select(i => Uri.EscapeDataString(i).Replace("%2A", "*", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal)));

    /// <summary>A duration as the API writes it.</summary>
    public static string KeepAlive(TimeSpan time) => FormattableString.Invariant($"{Math.Max(1, (long)Math.Ceiling(time.TotalSeconds))}s");

    /// <summary>{"NAME":"VALUE"}, or with an array of it.</summary>
    public static byte[] Small(params (string Name, string Value, bool Array)[] pairs)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using Utf8JsonWriter json = new(buffer);
        json.WriteStartObject();
        foreach ((string name, string value, bool array) in pairs)
        {
            json.WritePropertyName(name);
            if (array) json.WriteStartArray();
            json.WriteStringValue(value);
            if (array) json.WriteEndArray();
        }
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The value of a key at the top of an answer, such as the id of a point in time; null when it is not there.</summary>
    public static string? Said(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name)
    {
        string? said = null;
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual(name) && value.Kind == JsonKind.String && !value.Bytes.IsEmpty) said = Encoding.UTF8.GetString(value.Bytes);
        }
        return reader.Failed ? null : said;
    }
}
