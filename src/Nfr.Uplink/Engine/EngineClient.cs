using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>
/// The Analytics Engine's HTTP API. Every request ends within <see cref="EngineOptions.TotalTimeout"/> in an <see cref="EngineReply"/>;
/// only the caller's own cancellation throws. An upload counts as accepted when its 2xx answer was read to the end and is a JSON object.
/// </summary>
public sealed class EngineClient : IDisposable
{
    /// <summary>The longest wait that an engine may ask for.</summary>
    public static readonly TimeSpan RetryAfterCap = TimeSpan.FromHours(1);

    /// <summary>The header by which an engine says, with each answer to a key it knows, that it reads more of an event than the API's fields: "all".</summary>
    public const string FieldsHeader = "X-NFR-Fields";

    static readonly Tuple<bool>[] s_takes = [new(false), new(true)];

    readonly EngineOptions _options;
    readonly TimeProvider _time;
    HttpClient _http;
    HttpClient? _before;
    readonly Uri _base;
    readonly AuthenticationHeaderValue? _authorization;
    readonly ClientTls _tls;
    readonly bool _ownHandler;
    readonly string? _proxy;
    readonly Lock _swap = new();
    int _tlsVersion;
    readonly Action<bool>? _changed;
    volatile Tuple<bool>? _takesAllFields;

    /// <param name="options">Host must have passed <see cref="EngineOptions.CheckHost"/>.</param>
    /// <param name="time">Time-outs and the clock that certificates are held against.</param>
    /// <param name="handler">The seam of tests; null = a real connection with the system's trusted roots.</param>
    /// <param name="takesAllFields">Told when <see cref="TakesAllFields"/> changes, on the thread of the request.</param>
    public EngineClient(EngineOptions options, TimeProvider time, HttpMessageHandler? handler = null, Action<bool>? takesAllFields = null)
    {
        _changed = takesAllFields;
        if (EngineOptions.CheckHost(options.Host) is { } fault) throw new ArgumentException(fault, nameof(options));
        _options = options;
        _time = time;
        _base = new Uri(options.Host.TrimEnd('/') + "/v1/", UriKind.Absolute);
        if (options.ApiKey.Length > 0)
            _authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(options.ApiKey + ":")));
        _tls = new ClientTls(options.Tls, time);
        _tlsVersion = _tls.Version;
        _ownHandler = handler is null;
        _proxy = _ownHandler ? options.Proxy.Between(_base) : null;
        _http = new HttpClient(handler ?? ConnectingHandler(), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>The engine as people know it: scheme, name and port.</summary>
    public string Host => _options.Host.TrimEnd('/');

    /// <summary>Whether the engine reads all that a sensor knows of an event, by its latest answer; null before the first.</summary>
    public bool? TakesAllFields => _takesAllFields?.Item1;

    /// <summary>A handler over real sockets, with what this client needs; tests put their own in front of it.</summary>
    public SocketsHttpHandler ConnectingHandler()
    {
        SocketsHttpHandler handler = Sockets();
        _options.Proxy.Apply(handler);
        return handler;
    }

    SocketsHttpHandler Sockets() => new()
    {
        // A redirect would carry the key to a stranger, and a POST does not survive it.
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        ConnectTimeout = _options.ConnectTimeout,
        UseCookies = false,
        // The engine's name may move to another address while we run.
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        // What we did not read is not worth waiting for.
        MaxResponseDrainSize = 0,
        MaxResponseHeadersLength = 64,
        SslOptions = _tls.Options(null),
    };

    /// <summary>POST events/TYPE with a body of gzip members that hold one JSON object per line.</summary>
    /// <param name="type">Chooses the end point.</param>
    /// <param name="gzipLines">Sent as it is.</param>
    /// <param name="firstSequence">Sent in X-NFR-Sequence, so that a receiver can tell a repeat.</param>
    /// <param name="lastSequence">As above.</param>
    /// <param name="cancel">The caller's wish to stop; the only thing that throws.</param>
    public async Task<EngineReply> SendEventsAsync(EventType type, ReadOnlyMemory<byte> gzipLines, long firstSequence, long lastSequence, CancellationToken cancel)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, "events/" + type.Name());
        using BandwidthCap.Turn? turn = _options.Bandwidth is { } cap ? await cap.EnterAsync(cancel) : null;
        HttpContent content = _options.Bandwidth?.Content(gzipLines) ?? new ReadOnlyMemoryContent(gzipLines);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        content.Headers.ContentEncoding.Add("gzip");
        request.Content = content;
        if (_options.SensorId.Length > 0) request.Headers.TryAddWithoutValidation("X-NFR-Sensor", _options.SensorId);
        request.Headers.TryAddWithoutValidation("X-NFR-Sequence", string.Create(CultureInfo.InvariantCulture, $"{firstSequence}-{lastSequence}"));
        // Our clock, that of the events' stamps (RFC 9110, 6.6.1): a receiver can tell by how much it is wrong.
        request.Headers.Date = _time.GetUtcNow();
        EngineReply reply = await SendAsync(request, cancel);
        return reply.IsAccepted ? EngineJson.WithCounts(reply) : reply;
    }

    /// <summary>GET alerts after a bookmark; an empty one means from the beginning. The page is in <see cref="EngineReply.Body"/>.</summary>
    public Task<EngineReply> GetAlertsAsync(string follow, CancellationToken cancel) =>
        GetAsync(follow.Length == 0 ? "alerts" : "alerts?follow=" + Uri.EscapeDataString(follow), cancel);

    public async Task<EngineAnswer<AccountStatus>> GetAccountStatusAsync(CancellationToken cancel) =>
        Read(await GetAsync("account/status", cancel), EngineJson.AccountStatus);

    public Task<EngineReply> RegisterAccountAsync(string name, string email, CancellationToken cancel) =>
        PostAsync("account/register", EngineJson.Register(name, email), cancel);

    /// <param name="platform">Such as "nfr-linux-arm64".</param>
    /// <param name="cancel">The caller's wish to stop.</param>
    public async Task<EngineAnswer<IssuedKey>> RequestKeyAsync(string platform, CancellationToken cancel) =>
        Read(await PostAsync("key/request", EngineJson.RequestKey(platform), cancel), EngineJson.IssuedKey);

    public Task<EngineReply> ResetKeyAsync(string email, CancellationToken cancel) =>
        PostAsync("key/reset", EngineJson.ResetKey(email), cancel);

    /// <summary>A connection shows the certificate that it was opened with, and the system may hold it open for long: a renewed one has connections of its own.</summary>
    HttpClient Http()
    {
        if (!_ownHandler || _tls.Version == Volatile.Read(ref _tlsVersion)) return _http;
        lock (_swap)
        {
            if (_tls.Version == _tlsVersion) return _http;
            // Files are looked at once a minute, so no request of the one before the last is under way.
            _before?.Dispose();
            _before = _http;
            _http = new HttpClient(ConnectingHandler(), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
            Volatile.Write(ref _tlsVersion, _tls.Version);
            return _http;
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _before?.Dispose();
    }

    static EngineAnswer<T> Read<T>(EngineReply reply, Func<ReadOnlyMemory<byte>, T?> read) where T : class
    {
        if (!reply.IsAccepted) return new EngineAnswer<T>(reply, null);
        T? value = read(reply.Body);
        return value is null
            ? new EngineAnswer<T>(reply with { Kind = EngineReplyKind.Garbled, Message = "the answer is not what the API gives" }, null)
            : new EngineAnswer<T>(reply, value);
    }

    async Task<EngineReply> GetAsync(string path, CancellationToken cancel)
    {
        using HttpRequestMessage request = Request(HttpMethod.Get, path);
        return await SendAsync(request, cancel);
    }

    async Task<EngineReply> PostAsync(string path, byte[] json, CancellationToken cancel)
    {
        using HttpRequestMessage request = Request(HttpMethod.Post, path);
        ByteArrayContent content = new(json);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Content = content;
        return await SendAsync(request, cancel);
    }

    HttpRequestMessage Request(HttpMethod method, string path)
    {
        HttpRequestMessage request = new(method, new Uri(_base, path));
        request.Headers.Authorization = _authorization;
        if (_options.Tls.ServerName is { } name) request.Headers.Host = name;
        request.Headers.TryAddWithoutValidation("User-Agent", "AlphaSOC NFR/" + _options.Version);
        return request;
    }

    async Task<EngineReply> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        using CancellationTokenSource deadline = new(_options.TotalTimeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        try
        {
            using HttpResponseMessage response = await Http().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            _tls.Forget();
            (ReadOnlyMemory<byte> body, bool whole) = await ReadCappedAsync(response.Content, either.Token);
            EngineReply reply = Classify(response, body, whole);
            if (reply.IsAccepted)
            {
                bool all = response.Headers.TryGetValues(FieldsHeader, out IEnumerable<string>? said) && said.Contains("all");
                if (Interlocked.Exchange(ref _takesAllFields, s_takes[all ? 1 : 0]) != s_takes[all ? 1 : 0]) _changed?.Invoke(all);
            }
            return reply;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return Unreachable($"no whole answer within {_options.TotalTimeout.TotalSeconds:0.#} s") with { TimedOut = true };
        }
        catch (OperationCanceledException)
        {
            return Unreachable($"no connection{(_proxy is null ? "" : $" through the proxy {_proxy}")} within {_options.ConnectTimeout.TotalSeconds:0.#} s");
        }
        catch (HttpRequestException e)
        {
            return Unreachable(HttpFault.Describe(e, _base.Host, _tls.Fault, _proxy)) with { ClockUnset = _tls.Fault?.ClockUnset == true };
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Unreachable(e is InvalidDataException ? "the answer's compression is broken" : "the connection broke in the middle of the answer");
        }
    }

    async Task<(ReadOnlyMemory<byte> Body, bool Whole)> ReadCappedAsync(HttpContent content, CancellationToken cancel)
    {
        await using Stream stream = await content.ReadAsStreamAsync(cancel);
        byte[] buffer = new byte[Math.Min(4096, _options.MaxAnswerBytes)];
        int length = 0;
        while (true)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(length), cancel);
            if (read == 0) return (buffer.AsMemory(0, length), true);
            length += read;
            if (length < buffer.Length) continue;
            if (length >= _options.MaxAnswerBytes)
            {
                int more = await stream.ReadAsync(new byte[1].AsMemory(), cancel);
                return (buffer.AsMemory(0, length), more == 0);
            }
            Array.Resize(ref buffer, Math.Min(buffer.Length * 4, _options.MaxAnswerBytes));
        }
    }

    EngineReply Classify(HttpResponseMessage response, ReadOnlyMemory<byte> body, bool whole)
    {
        int status = (int)response.StatusCode;
        if (status is >= 200 and < 300) return ClassifySuccess(status, body, whole);
        // Unencrypted requests go to the proxy itself; it is not the engine that wants to know who we are.
        if (status == 407) return Unreachable(ProxyFault.Describe(status, _proxy ?? "before the engine", _base.Host));
        string said = EngineJson.Message(body);
        string answered = said.Length > 0 ? $"{status}: {said}" : $"{status} {(HttpStatusCode)status}";
        EngineReply reply = new() { Kind = EngineReplyKind.ServerError, Status = status, Message = $"the engine answered {answered}", RetryAfter = RetryAfter(response) };
        return status switch
        {
            400 or 422 => reply with { Kind = EngineReplyKind.Refused },
            401 or 403 => reply with { Kind = EngineReplyKind.Unauthorized },
            413 => reply with { Kind = EngineReplyKind.TooLarge },
            429 => reply with { Kind = EngineReplyKind.Throttled },
            >= 300 and < 400 => reply with { Message = $"the engine answered {answered}, a redirect; set engine.host to the address it moved to" },
            _ => reply,
        };
    }

    EngineReply ClassifySuccess(int status, ReadOnlyMemory<byte> body, bool whole)
    {
        if (!whole)
        {
            return new EngineReply
            {
                Kind = EngineReplyKind.Garbled, Status = status, Message = $"the engine's answer is longer than {_options.MaxAnswerBytes:N0} bytes",
            };
        }
        // 204 has no body by definition; everything else of this API is one JSON object.
        if (status != 204)
        {
            using System.Text.Json.JsonDocument? document = EngineJson.TryObject(body);
            if (document is null)
            {
                return new EngineReply
                {
                    Kind = EngineReplyKind.Garbled, Status = status, Message = $"the answer ({status}) is not JSON: is this the engine, or a proxy's or portal's page?",
                };
            }
        }
        return new EngineReply { Kind = EngineReplyKind.Accepted, Status = status, Body = body };
    }

    /// <summary>RFC 9110, 10.2.3: seconds or a date.</summary>
    TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        if (wait is not { } asked) return null;
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > RetryAfterCap ? RetryAfterCap : asked;
    }

    static EngineReply Unreachable(string reason) => new() { Kind = EngineReplyKind.Unreachable, Message = reason };
}
