namespace Nfr.Uplink;

/// <summary>Requests of one's own to a cluster: its nodes in turn, those that failed left alone for a while, as for what is sent to it. Thread-safe.</summary>
public sealed class ElasticQueries : IDisposable
{
    readonly ElasticClient _client;

    /// <param name="options">The cluster, and who we are to it.</param>
    /// <param name="version">Of this sensor.</param>
    /// <param name="maxAnswerBytes">Of an answer, uncompressed; a longer one is <see cref="HttpReplyKind.Endless"/>.</param>
    /// <param name="time">Of time-outs, 30 s a node, and of rests.</param>
    /// <param name="handler">The seam of tests; null = real connections.</param>
    public ElasticQueries(ElasticOptions options, string version, int maxAnswerBytes, TimeProvider time, HttpMessageHandler? handler = null) =>
        _client = new ElasticClient(options, version, time, handler, maxAnswerBytes);

    /// <summary>The cluster as people know it.</summary>
    public string Target => _client.Target;

    /// <summary>One request; nothing but the caller's own cancellation throws.</summary>
    /// <param name="method">GET, POST or DELETE.</param>
    /// <param name="path">With its query, escaped.</param>
    /// <param name="json">The body; empty = none.</param>
    /// <param name="once">Asked of one node alone: what changes something by being asked is not asked twice.</param>
    /// <param name="cancel">The caller's wish to stop.</param>
    public Task<HttpReply> SendAsync(HttpMethod method, string path, ReadOnlyMemory<byte> json, bool once, CancellationToken cancel) =>
        _client.RequestAsync(method, path, json, once, cancel);

    public void Dispose() => _client.Dispose();
}
