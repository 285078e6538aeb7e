using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>inputs.elastic's cluster as the searches see it.</summary>
sealed class SearchCluster : ISearchCluster, IDisposable
{
    readonly ElasticQueries _queries;

    public SearchCluster(ElasticOptions cluster, string version, TimeProvider time, HttpMessageHandler? handler = null) =>
        _queries = new ElasticQueries(cluster, version, SearchAnswer.MaxBytes, time, handler);

    public string Target => _queries.Target;

    /// <summary>What the config says of the searches, as they take it.</summary>
    public static IReadOnlyList<SearchOptions> OptionsOf(ElasticConfig config) =>
    [
        .. config.Searches.SelectMany(s => (s.HasFlowsApart ? [FlowReports.Left, FlowReports.Alone] : new[] { FlowReports.Included }).Select(flows => new SearchOptions
        {
            Type = EventTypes.Uploaded.First(t => t.Name() == s.EventType),
            Indices = s.Indices,
            Schema = s.IndexSchema,
            FieldNames = s.FieldNames,
            MustHaveFields = s.MustHaveFields,
            SearchTerm = s.SearchTerm,
            TimestampFormat = s.TimestampFormat,
            PollInterval = s.PollInterval,
            BatchSize = s.BatchSize,
            KeepAlive = s.PitKeepAlive,
            LateWindow = s.LateWindow,
            Flows = flows,
        })),
    ];

    public async Task<SearchAnswer> SendAsync(SearchRequest request, CancellationToken cancel)
    {
        HttpReply reply = await _queries.SendAsync(new HttpMethod(request.Method), request.Path, request.Body, request.Once, cancel);
        return new SearchAnswer
        {
            Status = reply.Status,
            Body = reply.Body,
            Fault = reply.IsTaken ? null : reply.Message,
            RetryAfter = reply.RetryAfter,
            TimedOut = reply.TimedOut,
            TooLong = reply.Kind == HttpReplyKind.Endless,
        };
    }

    public void Dispose() => _queries.Dispose();
}
