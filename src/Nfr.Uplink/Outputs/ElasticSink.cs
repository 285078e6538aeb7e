using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>
/// Alerts as documents of the Elastic Common Schema, a _bulk request a page. A document's id follows from its alert, so that what comes again after a crash or a lost
/// answer is a conflict that counts as taken; what does not fit the index's mapping is passed by.
/// </summary>
sealed class ElasticSink : AlertSink
{
    /// <summary>The index template's name begins so.</summary>
    const string TemplateName = "nfr-alert";

    /// <summary>So many alerts refused one after the other with none taken between: then it may not be the alerts. From there on one is given up after each <see cref="Patience"/>.</summary>
    internal const int RefusedInRow = 16;
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    readonly ElasticSinkOptions _options;
    readonly TimeProvider _time;
    readonly SensorIdentity _sensor;
    readonly ElasticClient _client;
    readonly BulkSender _bulk;
    readonly ElasticTemplate? _template;
    string? _lastRefusal;
    int _refusedInRow;
    long? _doubtedAt;

    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="sensor">Part of ids and documents.</param>
    /// <param name="time">Time-outs, and how long a node is left alone.</param>
    /// <param name="handler">The seam of tests.</param>
    public ElasticSink(ElasticSinkOptions options, SensorIdentity sensor, TimeProvider time, HttpMessageHandler? handler = null)
    {
        _options = options;
        _sensor = sensor;
        _time = time;
        _client = new ElasticClient(options.Cluster, sensor.Version, time, handler);
        _bulk = new BulkSender(_client);
        _template = options.Cluster.Template ? new ElasticTemplate(_client, TemplateName, [options.Index]) : null;
    }

    public override string Target => _client.Target;

    public override string? LastRefusal => _lastRefusal;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (_template is not null && await _template.EnsureAsync(cancel) is { } fault) return SinkAnswer.None(fault);
        var body = new BulkBody();
        foreach (StoredAlert stored in page.Alerts)
        {
            string id = ElasticIds.Of(_sensor.Id, "alert", stored.Sequence, AlertJson.ToBytes(stored.Original));
            body.Add(id, output => EcsAlerts.Write(stored.Alert, _sensor, output));
        }
        BulkOutcome outcome = await _bulk.SendAsync(_options.Index, body, cancel);
        int refused = outcome.Refused.Count(r => r.Index < outcome.Settled);
        // None is taken: all that is settled is refused.
        int believed = outcome.Any ? refused : Believed(refused);
        if (believed > 0) _lastRefusal = outcome.Refused[believed - 1].Reason;
        if (outcome.Any) (_refusedInRow, _doubtedAt) = (0, null);
        if (believed < refused) return new SinkAnswer(believed, believed, $"it refuses every alert ({outcome.Refused[believed].Reason}); they wait until it takes one", Patience);
        return new SinkAnswer(outcome.Settled, refused, outcome.Stop is { } stop ? ElasticWords.Advice(stop) : null, outcome.Stop?.RetryAfter);
    }

    /// <summary>How many of the refusals of a page of which nothing was taken are for the alerts' own sake.</summary>
    int Believed(int refused)
    {
        int free = Math.Max(0, RefusedInRow - _refusedInRow);
        int believed = Math.Min(refused, free);
        if (refused > free && (_doubtedAt is null || _time.GetElapsedTime(_doubtedAt.Value) >= Patience))
        {
            if (_doubtedAt is not null) believed = 1;
            _doubtedAt = _time.GetTimestamp();
        }
        _refusedInRow = Math.Min(RefusedInRow, _refusedInRow + believed);
        return believed;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _client.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>What a person can do about a cluster's answer.</summary>
static class ElasticWords
{
    public static string Advice(HttpReply reply) => reply.Kind switch
    {
        HttpReplyKind.Denied when reply.Status is 401 or 403 => $"{reply.Message}; check api_key, or username and password: they need the privileges create_doc and auto_configure for the index",
        HttpReplyKind.Absent => $"{reply.Message}; is this Elasticsearch or OpenSearch, and may the index be made by itself (action.auto_create_index)?",
        _ => reply.Message,
    };
}
