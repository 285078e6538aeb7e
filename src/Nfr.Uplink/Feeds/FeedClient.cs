using System.Net;
using System.Net.Http.Headers;

namespace Nfr.Uplink;

enum FeedReplyKind : byte
{
    Fetched,
    Unchanged,
    Failed,
}

/// <summary>How a request for a list ended.</summary>
readonly record struct FeedReply(FeedReplyKind Kind, string Message, string? ETag = null, string? LastModified = null, TimeSpan? RetryAfter = null, bool ClockUnset = false);

/// <summary>Fetches one list to a file, a buffer at a time. Ends within the options' times, whatever the server does; only the caller's own cancellation throws.</summary>
sealed class FeedClient : IDisposable
{
    const int MaxRedirects = 5;
    static readonly TimeSpan s_longestRetryAfter = TimeSpan.FromDays(1);

    readonly FeedOptions _options;
    readonly TimeProvider _time;
    readonly HttpClient _http;
    readonly ClientTls _tls;

    public FeedClient(FeedOptions options, TimeProvider time, HttpMessageHandler? handler = null)
    {
        (_options, _time) = (options, time);
        _tls = new ClientTls(TlsSettings.Default, time);
        _http = new HttpClient(handler ?? ConnectingHandler(), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }

    SocketsHttpHandler ConnectingHandler() => new()
    {
        // Lists move; never from https to http, which the handler refuses by itself.
        AllowAutoRedirect = true,
        MaxAutomaticRedirections = MaxRedirects,
        AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate | DecompressionMethods.Brotli,
        ConnectTimeout = _options.ConnectTimeout,
        UseCookies = false,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
        MaxResponseDrainSize = 0,
        MaxResponseHeadersLength = 64,
        SslOptions = _tls.Options(null),
    };

    /// <param name="source">Where from, and how much at most.</param>
    /// <param name="mark">Of the copy that is there; null = none.</param>
    /// <param name="path">Written to, and flushed to the disk when the reply is <see cref="FeedReplyKind.Fetched"/>.</param>
    /// <param name="cancel">The caller's wish to stop; the only thing that throws.</param>
    public async Task<FeedReply> GetAsync(FeedSource source, FeedMark? mark, string path, CancellationToken cancel)
    {
        using CancellationTokenSource total = new(_options.TotalTimeout, _time);
        using CancellationTokenSource idle = new(_options.IdleTimeout, _time);
        using CancellationTokenSource any = CancellationTokenSource.CreateLinkedTokenSource(cancel, total.Token, idle.Token);
        _tls.Forget();
        try
        {
            using HttpRequestMessage request = new(HttpMethod.Get, source.Url);
            request.Headers.TryAddWithoutValidation("User-Agent", "AlphaSOC NFR/" + _options.Version);
            if (mark?.ETag is { } tag) request.Headers.TryAddWithoutValidation("If-None-Match", tag);
            if (mark?.LastModified is { } modified) request.Headers.TryAddWithoutValidation("If-Modified-Since", modified);
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, any.Token);
            // A list of this machine may be fetched in the clear; what it redirects to may not.
            if (response.RequestMessage?.RequestUri is { } at && at.Scheme != Uri.UriSchemeHttps && !at.IsLoopback) return Failed($"the server redirects to {at.Scheme}://{at.Host}, which anybody on the way could change", null);
            if (response.StatusCode == HttpStatusCode.NotModified && mark is not null) return new FeedReply(FeedReplyKind.Unchanged, "");
            if (response.StatusCode != HttpStatusCode.OK) return Failed($"the server answered {(int)response.StatusCode} {response.StatusCode}", RetryAfter(response));
            if (response.Content.Headers.ContentLength > source.MaxBytes) return TooLarge(source);
            return await SaveAsync(response, source, path, idle, any.Token);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException)
        {
            return Failed(total.IsCancellationRequested ? $"not whole within {Spoken.Duration(_options.TotalTimeout)}"
                : idle.IsCancellationRequested ? $"nothing came for {Spoken.Duration(_options.IdleTimeout)}" : $"no connection within {Spoken.Duration(_options.ConnectTimeout)}");
        }
        catch (HttpRequestException e)
        {
            return Failed(HttpFault.Describe(e, source.Url.Host, _tls.Fault, ProxySettings.Environment.Between(source.Url))) with { ClockUnset = _tls.Fault?.ClockUnset == true };
        }
        catch (InvalidDataException)
        {
            return Failed("its compression is broken");
        }
        catch (HttpIOException)
        {
            return Failed("the connection broke in the middle of the list");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Failed(e.Message);
        }
    }

    async Task<FeedReply> SaveAsync(HttpResponseMessage response, FeedSource source, string path, CancellationTokenSource idle, CancellationToken cancel)
    {
        await using Stream body = await response.Content.ReadAsStreamAsync(cancel);
        await using FileStream file = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] buffer = new byte[64 * 1024];
        long length = 0;
        while (true)
        {
            idle.CancelAfter(_options.IdleTimeout);
            int read = await body.ReadAsync(buffer, cancel);
            if (read == 0) break;
            length += read;
            // Counted as it is unpacked: a small answer can stand for a large file.
            if (length > source.MaxBytes) return TooLarge(source);
            await file.WriteAsync(buffer.AsMemory(0, read), cancel);
        }
        if (length == 0) return Failed("the server sent an empty file");
        // A power cut must not leave the new name with old or no bytes.
        file.Flush(flushToDisk: true);
        return new FeedReply(FeedReplyKind.Fetched, "", Header(response.Headers.ETag?.ToString()), Header(response.Content.Headers.LastModified?.ToString("R", System.Globalization.CultureInfo.InvariantCulture)));
    }

    static string? Header(string? value) => value is { Length: > 0 and <= 512 } ? value : null;

    static FeedReply TooLarge(FeedSource source) => Failed($"larger than {source.MaxBytes:N0} bytes; raise its max_size if it is meant to be");

    static FeedReply Failed(string message, TimeSpan? retryAfter = null) => new(FeedReplyKind.Failed, message, RetryAfter: retryAfter);

    TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        RetryConditionHeaderValue? header = response.Headers.RetryAfter;
        TimeSpan? wait = header?.Delta ?? (header?.Date is { } date ? date - _time.GetUtcNow() : null);
        return wait is not { } asked || asked <= TimeSpan.Zero ? null : asked > s_longestRetryAfter ? s_longestRetryAfter : asked;
    }

    public void Dispose() => _http.Dispose();
}
