using System.Text.Json;
using Nfr.Logs;
using Nfr.Uplink;

namespace Nfr.Config;

/// <summary>inputs.elastic: events that others stored in Elasticsearch.</summary>
public sealed record ElasticConfig
{
    public bool Enabled { get; init; }
    public string? CloudId { get; init; }
    public IReadOnlyList<string> Hosts { get; init; } = [];
    public SecretText? ApiKey { get; init; }
    public string? Username { get; init; }
    public SecretText? Password { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    /// <summary>The same as a client takes it; null unless it is enabled and without a fault.</summary>
    public ElasticOptions? Cluster { get; init; }
    public IReadOnlyList<ElasticSearchConfig> Searches { get; init; } = [];

    /// <summary>What runs for them.</summary>
    internal int SearchesRun => Searches.Sum(s => s.HasFlowsApart ? 2 : 1);

    internal static ElasticConfig Read(Section s)
    {
        // The shipped file of the original has half a search in it, switched off; so only what is switched on has to be complete.
        bool enabled = s.Flag("enabled", false);
        var elastic = new ElasticConfig
        {
            Enabled = enabled,
            CloudId = s.Text("cloud_id"),
            Hosts = s.Texts("hosts"),
            ApiKey = SecretKeys.Read(s, "api_key"),
            Username = s.Text("username"),
            Password = SecretKeys.Read(s, "password"),
            Tls = TlsSection.Read(s.Under("tls")),
            Searches = [.. s.Items("searches").Select(item => ElasticSearchConfig.Read(item, enabled))],
        };
        s.End();
        if (!enabled) return elastic;
        if (elastic.CloudId is null && elastic.Hosts.Count == 0) s.Fault("hosts", "name the servers in hosts, or a cloud_id");
        if (elastic.CloudId is not null && elastic.Hosts.Count > 0) s.Fault("hosts", "hosts and cloud_id exclude each other; keep one");
        if (elastic.ApiKey is not null && elastic.Username is not null) s.Fault("username", "api_key and username exclude each other; keep one");
        // 1.x started with half of the two.
        if (elastic.Username is not null && elastic.Password is null) s.Note("username", "there is no password beside it; it logs in with an empty one");
        if (elastic.Username is null && elastic.Password is not null) s.Note("password", "not used, because there is no username beside it");
        List<Uri> nodes = [];
        foreach ((string host, int line) in s.Entries("hosts"))
        {
            if (Host(host) is { } node) nodes.Add(node);
            else s.FaultAt(line, "hosts", $"\"{host}\" is no address; write host:port or https://host:port, without user and password");
        }
        if (elastic.CloudId is { } cloud)
        {
            if (ElasticOptions.OfCloudId(cloud) is { } node) nodes.Add(node);
            else s.Fault("cloud_id", "this is no cloud id; copy it from the deployment's page");
        }
        if ((elastic.ApiKey is not null || (elastic.Username is not null && elastic.Password is not null)) && nodes.FirstOrDefault(n => n.Scheme == "http" && !n.IsLoopback) is { } clear)
            s.Note("hosts", $"http sends the key or password readable over the network to {clear.Authority}; use https");
        if (elastic.Searches.Count == 0) s.Fault("searches", "at least one search is needed, such as {event_type: dns, indices: [filebeat-*], index_schema: ecs}");
        if (elastic.SearchesRun > ElasticSearches.MostSearches)
            s.Fault("searches", $"at most {ElasticSearches.MostSearches} searches can be run, where one for ip with index_schema ecs is two, since Packetbeat's flows are read apart; one may name several indices");
        return nodes.Count == 0 ? elastic
            : elastic with { Cluster = new ElasticOptions { Hosts = nodes, ApiKey = elastic.ApiKey, Username = elastic.Username, Password = elastic.Password, Tls = elastic.Tls } };
    }

    /// <summary>As the original took it: "https://es.example" is port 443, and "localhost" without a scheme is a node's own port.</summary>
    static Uri? Host(string text)
    {
        if (ElasticOptions.TryHost(text) is not { } host) return null;
        return text.Contains("://", StringComparison.Ordinal) && Uri.TryCreate(text, UriKind.Absolute, out Uri? said) ? new UriBuilder(host) { Port = said.Port }.Uri : host;
    }
}

/// <summary>One of inputs.elastic.searches.</summary>
public sealed record ElasticSearchConfig
{
    /// <summary>The server's own limit of a page (index.max_result_window).</summary>
    const int MaxBatch = 10_000;

    /// <summary>dns, ip, http or tls.</summary>
    public string EventType { get; init; } = "";
    public IReadOnlyList<string> Indices { get; init; } = [];
    /// <summary>ecs, graylog, corelight, or "" for none.</summary>
    public string IndexSchema { get; init; } = "";
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(30);
    public int BatchSize { get; init; } = MaxBatch;
    public TimeSpan PitKeepAlive { get; init; } = TimeSpan.FromSeconds(180);
    /// <summary>How far behind the newest document others may still come with an older stamp.</summary>
    public TimeSpan LateWindow { get; init; } = TimeSpan.FromMinutes(5);
    public IReadOnlyList<string> MustHaveFields { get; init; } = [];
    /// <summary>JSON of one query clause; null = none.</summary>
    public string? SearchTerm { get; init; }
    public string? TimestampFormat { get; init; }
    /// <summary>Dotted paths that the user set, by our name of the field; the schema's apply to all others.</summary>
    public IReadOnlyDictionary<string, string> FieldNames { get; init; } = new Dictionary<string, string>();

    /// <summary>Packetbeat's flows are read by the time of their reports, by a search of their own; unless the user said which time counts.</summary>
    internal bool HasFlowsApart => EventType == "ip" && IndexSchema == "ecs" && !FieldNames.ContainsKey("event_ingested");

    static readonly string[] FieldKeys =
    [
        "timestamp", "event_ingested", "src_ip", "src_port", "query", "qtype", "dest_ip", "dest_port", "proto", "bytes_in", "bytes_out", "url",
        "method", "status_code", "user_agent", "content_type", "referrer", "cert_hash", "issuer", "subject", "valid_from", "valid_to", "ja3", "ja3s",
    ];

    internal static ElasticSearchConfig Read(Section s, bool enabled)
    {
        string type = s.Choice("event_type", "", "dns", "ip", "http", "tls");
        string schema = s.Choice("index_schema", "", "ecs", "graylog", "corelight", "custom");
        // "search_terms" and "status" are the names in older sample files of the original.
        string? olderTerm = s.Text("search_terms", expected: "JSON");
        string? term = s.Text("search_term", olderTerm, expected: "JSON");
        Section names = s.Under("field_names");
        var fields = new Dictionary<string, string>();
        foreach (string key in FieldKeys)
        {
            if (names.Text(key, expected: "a dotted path such as source.ip") is { } field) fields[key] = field;
        }
        if (names.Text("status") is { } status) fields.TryAdd("status_code", status);
        names.End();
        var search = new ElasticSearchConfig
        {
            EventType = type,
            Indices = s.Texts("indices"),
            IndexSchema = schema == "custom" ? "" : schema,
            PollInterval = Time(s, "poll_interval", TimeSpan.FromSeconds(30)),
            BatchSize = Batch(s),
            PitKeepAlive = Time(s, "pit_keep_alive", TimeSpan.FromSeconds(180)),
            LateWindow = s.Duration("late_window", TimeSpan.FromMinutes(5), TimeSpan.Zero, TimeSpan.FromHours(24), bareSeconds: true),
            MustHaveFields = s.Texts("must_have_fields"),
            SearchTerm = term,
            TimestampFormat = s.Text("timestamp_format"),
            FieldNames = fields,
        };
        s.End();
        if (enabled) search.Check(s);
        return search;
    }

    // 1.x took zero for the default, and any number of documents for the most that a server gives.
    static TimeSpan Time(Section s, string key, TimeSpan fallback)
    {
        TimeSpan time = s.Duration(key, fallback, TimeSpan.Zero, TimeSpan.FromDays(1), bareSeconds: true), least = TimeSpan.FromSeconds(1);
        if (time >= least) return time;
        TimeSpan taken = time == TimeSpan.Zero ? fallback : least;
        s.Note(key, $"{(time == TimeSpan.Zero ? "0 is taken for the default" : "that is taken for the least")}, {GoDuration.Format(taken)}");
        return taken;
    }

    static int Batch(Section s)
    {
        int size = s.Integer("batch_size", MaxBatch, 0, int.MaxValue);
        if (size is > 0 and <= MaxBatch) return size;
        s.Note("batch_size", $"{size} is taken for {(size == 0 ? "the default" : "the most that a server gives")}, {MaxBatch}");
        return MaxBatch;
    }

    void Check(Section s)
    {
        if (!s.Has("event_type")) s.Fault("event_type", "missing; one of dns, ip, http, tls");
        if (Indices.Count == 0) s.Fault("indices", "name at least one index, such as filebeat-*");
        if (SearchTerm is not null && !IsJsonObject(SearchTerm)) s.Fault("search_term", "expected a query clause as JSON, such as '{\"term\": {\"tags\": \"zeek.dns\"}}'");
        if (IndexSchema.Length == 0 && SearchTerm is null && MustHaveFields.Count == 0)
            s.Fault("search_term", "set index_schema, search_term or must_have_fields; else every document would be read");
        if (IndexSchema is "ecs" or "graylog" or "corelight") return;
        string? perType = EventType switch { "dns" => "query", "ip" => "dest_ip", "http" => "url", _ => null };
        foreach (string? key in new[] { "timestamp", "event_ingested", "src_ip", perType })
        {
            if (key is not null && !FieldNames.ContainsKey(key)) s.Fault("field_names", $"{key} is missing; no schema names it");
        }
    }

    static bool IsJsonObject(string text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
