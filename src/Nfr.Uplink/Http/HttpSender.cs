using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Nfr.Uplink;

/// <summary>
/// Sends requests to the servers that outputs name. Each ends within <see cref="HttpSenderOptions.TotalTimeout"/> in an <see cref="HttpReply"/>; only the
/// caller's own cancellation throws. Redirects are told, not followed; an answer counts when it was read to its end. Thread-safe.
/// </summary>
public sealed class HttpSender : IDisposable
{
    /// <summary>The longest wait that a server may ask for.</summary>
    public static readonly TimeSpan RetryAfterCap = TimeSpan.FromHours(1);

    const int MaxSaid = 200;

    readonly HttpSenderOptions _options;
    readonly TimeProvider _time;
    readonly ClientTls _tls;
    readonly bool _ownHandler;
    readonly Lock _swap = new();
    HttpClient _http;
    HttpClient? _before;
    int _tlsVersion;

    /// <param name="options">Times, limits and trust.</param>
    /// <param name="time">Time-outs and the clock that certificates are held against.</param>
    /// <param name="handler">The seam of tests; null = real connections.</param>
    public HttpSender(HttpSenderOptions options, TimeProvider time, HttpMessageHandler? handler = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _time) = (options, time);
        _tls = new ClientTls(options.Tls, time);
        _tlsVersion = _tls.Version;
        _ownHandler = handler is null;
        _http = new HttpClient(handler ?? ConnectingHandler(), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>A handler over real sockets, with what this sender needs; tests put their own in front of it.</summary>
    public SocketsHttpHandler ConnectingHandler()
    {
        SocketsHttpHandler handler = Sockets();
        _options.Proxy.Apply(handler);
        return handler;
    }

    SocketsHttpHandler Sockets() => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
        ConnectTimeout = _options.ConnectTimeout,
        UseCookies = false,
        // The server's name may move to another address while we run.
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        // What we did not read is not worth waiting for.
        MaxResponseDrainSize = 0,
        MaxResponseHeadersLength = 64,
        SslOptions = _tls.Options(null),
    };

    /// <param name="request">With its absolute address, headers and body; stays the caller's.</param>
    /// <param name="cancel">The caller's wish to stop; the only thing that throws.</param>
    public async Task<HttpReply> SendAsync(HttpRequestMessage request, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        string host = request.RequestUri!.Host;
        string? proxy = _ownHandler ? _options.Proxy.Between(request.RequestUri) : null;
        if (_options.Tls.ServerName is { } name) request.Headers.Host = name;
        if (!request.Headers.Contains("User-Agent")) request.Headers.TryAddWithoutValidation("User-Agent", "AlphaSOC NFR/" + _options.Version);
        using CancellationTokenSource deadline = new(_options.TotalTimeout, _time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancel, deadline.Token);
        try
        {
            using HttpResponseMessage response = await Http().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            _tls.Forget();
            (ReadOnlyMemory<byte> body, bool whole) = await ReadCappedAsync(response.Content, either.Token);
            return Classify(response, body, whole, proxy, host);
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
            return Unreachable($"no connection{(proxy is null ? "" : $" through the proxy {proxy}")} within {_options.ConnectTimeout.TotalSeconds:0.#} s");
        }
        catch (HttpRequestException e)
        {
            return Unreachable(HttpFault.Describe(e, host, _tls.Fault, proxy)) with { ClockUnset = _tls.Fault?.ClockUnset == true };
        }
        catch (Exception e) when (e is IOException or InvalidDataException)
        {
            return Unreachable(e is InvalidDataException ? "the answer's compression is broken" : "the connection broke in the middle of the answer");
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _before?.Dispose();
    }

    /// <summary>A connection shows the certificate that it was opened with: a renewed one has connections of its own.</summary>
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

    HttpReply Classify(HttpResponseMessage response, ReadOnlyMemory<byte> body, bool whole, string? proxy, string host)
    {
        int status = (int)response.StatusCode;
        TimeSpan? wait = RetryAfter(response);
        HttpReply reply = new() { Kind = HttpReplyKind.ServerError, Status = status, Body = body, RetryAfter = wait, Message = Answered(status, response.StatusCode, body) };
        return status switch
        {
            >= 200 and < 300 when whole => new HttpReply { Kind = HttpReplyKind.Taken, Status = status, Body = body },
            >= 200 and < 300 => reply with { Kind = HttpReplyKind.Endless, Message = $"its answer is longer than {_options.MaxAnswerBytes:N0} bytes" },
            >= 300 and < 400 => reply with { Kind = HttpReplyKind.Moved, Message = $"it answered {status}, a redirect{Where(response)}; redirects are not followed, set the address it moved to" },
            400 or 422 => reply with { Kind = HttpReplyKind.Refused },
            401 or 403 => reply with { Kind = HttpReplyKind.Denied },
            // A request in the clear goes to the proxy itself; it is not the server that wants to know who we are.
            407 => reply with { Kind = HttpReplyKind.Denied, Message = ProxyFault.Describe(status, proxy ?? "before the server", host) },
            404 or 405 or 410 => reply with { Kind = HttpReplyKind.Absent },
            413 => reply with { Kind = HttpReplyKind.TooLarge },
            429 => reply with { Kind = HttpReplyKind.Throttled },
            503 when wait is not null => reply with { Kind = HttpReplyKind.Throttled },
            _ => reply,
        };
    }

    static string Where(HttpResponseMessage response) =>
        response.Headers.Location is { } to ? $" to {Clean((to.IsAbsoluteUri ? to.GetLeftPart(UriPartial.Path) : to.OriginalString.Split('?', 2)[0]).AsSpan())}" : "";

    /// <summary>The beginning of what a server said is worth more than the status alone.</summary>
    static string Answered(int status, HttpStatusCode code, ReadOnlyMemory<byte> body)
    {
        string name = Enum.IsDefined(code) ? $" {code}" : "";
        string said = Clean(Encoding.UTF8.GetString(body.Span[..Math.Min(body.Length, 4 * MaxSaid)]).AsSpan().Trim());
        // A page for browsers says nothing in its first line.
        return said.Length == 0 || said[0] == '<' ? $"it answered {status}{name}" : $"it answered {status}{name}: {said}";
    }

    /// <summary>Text of a stranger goes into our log on one line and not without end.</summary>
    static string Clean(ReadOnlySpan<char> text)
    {
        StringBuilder clean = new(Math.Min(text.Length, MaxSaid));
        foreach (char c in text[..Math.Min(text.Length, MaxSaid)]) clean.Append(char.IsControl(c) ? ' ' : c);
        return text.Length > MaxSaid ? clean.Append('…').ToString() : clean.ToString();
    }

    /// <summary>RFC 9110, 10.2.3: seconds or a date.</summary>
    TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        if (wait is not { } asked) return null;
        return asked < TimeSpan.Zero ? TimeSpan.Zero : asked > RetryAfterCap ? RetryAfterCap : asked;
    }

    static HttpReply Unreachable(string reason) => new() { Kind = HttpReplyKind.Unreachable, Message = reason };
}
