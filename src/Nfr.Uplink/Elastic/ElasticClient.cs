using System.Net.Http.Headers;
using System.Text;

namespace Nfr.Uplink;

/// <summary>What became of one _bulk request.</summary>
/// <param name="Reply">Taken = the cluster answered for each document.</param>
/// <param name="Answer">Set when taken.</param>
/// <param name="Host">Of the node that was asked last, for people.</param>
sealed record BulkReply(HttpReply Reply, BulkAnswer? Answer, string Host);

/// <summary>
/// The few requests that a cluster is sent. A request ends within 30 s a node, 10 s of them to connect, and is tried at each node once when one cannot be reached or is broken; answers are bounded.
/// Whether it is Elasticsearch or OpenSearch is not asked: these requests are the same. Thread-safe.
/// </summary>
sealed class ElasticClient : IDisposable
{
    /// <summary>Of an answer: a thousand items that are all refused, with reasons, have half of it.</summary>
    public const int MaxAnswerBytes = 4 << 20;

    readonly ElasticOptions _options;
    readonly ElasticNodes _nodes;
    readonly HttpSender _sender;

    public ElasticClient(ElasticOptions options, string version, TimeProvider time, HttpMessageHandler? handler = null, int maxAnswerBytes = MaxAnswerBytes)
    {
        _options = options;
        _nodes = new ElasticNodes(options.Hosts, time);
        _sender = new HttpSender(new HttpSenderOptions { Version = version, Tls = options.Tls, MaxAnswerBytes = maxAnswerBytes }, time, handler);
        Target = options.Hosts.Count == 1 ? Show(options.Hosts[0]) : $"{Show(options.Hosts[0])} and {options.Hosts.Count - 1} more";
    }

    /// <summary>The cluster as people know it.</summary>
    public string Target { get; }

    /// <summary>POST INDEX/_bulk of some documents.</summary>
    public async Task<BulkReply> BulkAsync(string index, ReadOnlyMemory<byte> gzip, int count, CancellationToken cancel)
    {
        (HttpReply reply, string host) = await SendAsync(HttpMethod.Post, $"{index}/_bulk?filter_path={BulkAnswer.FilterPath}", gzip, "application/x-ndjson", isGzip: true, cancel);
        if (!reply.IsTaken) return new BulkReply(reply, null, host);
        BulkAnswer? answer = BulkAnswer.TryRead(reply.Body, count);
        return answer is null
            ? new BulkReply(reply with { Kind = HttpReplyKind.ServerError, Message = $"its answer ({reply.Status}) is not that of _bulk for {count:N0} documents: is this Elasticsearch or OpenSearch, or a proxy's page?" }, null, host)
            : new BulkReply(reply, answer, host);
    }

    /// <summary>HEAD of a path: true, false, or null and why nobody can tell.</summary>
    public async Task<(bool? Exists, string? Fault)> ExistsAsync(string path, CancellationToken cancel)
    {
        (HttpReply reply, _) = await SendAsync(HttpMethod.Head, path, default, null, isGzip: false, cancel);
        return reply.IsTaken ? (true, null) : reply.Status == 404 ? (false, null) : (null, reply.Message);
    }

    /// <summary>PUT of JSON; null when it was taken.</summary>
    public async Task<string?> PutAsync(string path, ReadOnlyMemory<byte> json, CancellationToken cancel)
    {
        (HttpReply reply, _) = await SendAsync(HttpMethod.Put, path, json, "application/json", isGzip: false, cancel);
        return reply.IsTaken ? null : reply.Message;
    }

    /// <summary>Any request of JSON and its answer. One that is longer than this client takes is a page's own fault and no node's.</summary>
    public async Task<HttpReply> RequestAsync(HttpMethod method, string path, ReadOnlyMemory<byte> json, bool once, CancellationToken cancel)
    {
        (HttpReply reply, _) = await SendAsync(method, path, json, json.IsEmpty ? null : "application/json", isGzip: false, cancel, once, mayBeLong: true);
        return reply;
    }

    public void Dispose() => _sender.Dispose();

    async Task<(HttpReply Reply, string Host)> SendAsync(
        HttpMethod method, string path, ReadOnlyMemory<byte> body, string? type, bool isGzip, CancellationToken cancel, bool once = false, bool mayBeLong = false)
    {
        if (!TryAuthorization(out AuthenticationHeaderValue? authorization, out string unread))
            return (new HttpReply { Kind = HttpReplyKind.Denied, Message = unread }, Target);
        HttpReply reply = null!;
        string host = "";
        for (int tries = 0; tries < _nodes.Count; tries++)
        {
            (int index, Uri node) = _nodes.Next();
            host = Show(node);
            using HttpRequestMessage request = new(method, new Uri(node, path));
            request.Headers.Authorization = authorization;
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            if (type is not null)
            {
                request.Content = new ReadOnlyMemoryContent(body);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
                if (isGzip) request.Content.Headers.ContentEncoding.Add("gzip");
            }
            reply = await _sender.SendAsync(request, cancel);
            // What is no answer of a node's own may be better at another one; its word counts for all of the cluster.
            if (reply.Kind is not (HttpReplyKind.Unreachable or HttpReplyKind.ServerError or HttpReplyKind.Endless) || (mayBeLong && reply.Kind is HttpReplyKind.Endless))
            {
                _nodes.Answered(index);
                break;
            }
            _nodes.Failed(index);
            if (reply.TimedOut || reply.ClockUnset || once) break;
        }
        return (reply, host);
    }

    bool TryAuthorization(out AuthenticationHeaderValue? authorization, out string fault)
    {
        (authorization, fault) = (null, "");
        if (_options.ApiKey is { } key)
        {
            if (!key.TryRead(out string text, out string unread))
            {
                fault = "api_key_file: " + unread;
                return false;
            }
            // As Kibana shows it ("id:key"), or encoded as the header wants it: base64 has no colon.
            authorization = new AuthenticationHeaderValue("ApiKey", text.Contains(':', StringComparison.Ordinal) ? Convert.ToBase64String(Encoding.UTF8.GetBytes(text)) : text);
        }
        else if (_options.Username is { } user)
        {
            string password = "";
            if (_options.Password is { } secret && !secret.TryRead(out password, out string unread))
            {
                fault = "password_file: " + unread;
                return false;
            }
            authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));
        }
        return true;
    }

    static string Show(Uri host) => host.GetLeftPart(UriPartial.Path).TrimEnd('/');
}
