using System.Net;
using System.Net.Http.Headers;

namespace Nfr.Uplink;

/// <summary>How long a download may take, and whom it trusts.</summary>
public sealed record DownloadOptions
{
    /// <summary>Of this sensor, without a "v"; goes into User-Agent.</summary>
    public required string Version { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;
    /// <summary>Name, TCP and TLS together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(15);
    /// <summary>Between two pieces.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>The whole of it, waits included.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromHours(6);
    /// <summary>Failures in a row, without a byte between them, before it is given up.</summary>
    public int MostFailures { get; init; } = 8;
    /// <summary>Jittered waits between them.</summary>
    public TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan LongestWait { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>
/// A file of a web server as one stream that is read once: where the connection breaks, the rest is asked for by a range (RFC 9110, 14) of the same version of the file (If-Range), so that nothing is stored and nothing
/// doubled. What cannot be mended comes out of <see cref="Read(Span{byte})"/> as an <see cref="IOException"/> with a sentence.
/// </summary>
public sealed class ResumedDownload : Stream
{
    const int MaxRedirects = 5;

    readonly Uri _from;
    readonly DownloadOptions _options;
    readonly TimeProvider _time;
    readonly CancellationToken _stop;
    readonly HttpClient _http;
    readonly ClientTls _tls;
    readonly Backoff _backoff;
    readonly long _began;
    HttpResponseMessage? _response;
    Stream? _body;
    string? _version;
    long _at;
    long _length = -1;
    bool _ended;

    /// <param name="from">http or https.</param>
    /// <param name="options">Times and trust.</param>
    /// <param name="time">Intervals.</param>
    /// <param name="stop">The caller's wish to stop: reads throw <see cref="OperationCanceledException"/>.</param>
    /// <param name="handler">The seam of tests; null = real connections.</param>
    public ResumedDownload(Uri from, DownloadOptions options, TimeProvider time, CancellationToken stop, HttpMessageHandler? handler = null)
    {
        (_from, _options, _time, _stop) = (from, options, time, stop);
        _tls = new ClientTls(options.Tls, time);
        _http = new HttpClient(handler ?? Sockets(), disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
        _backoff = new Backoff(options.FirstWait, options.LongestWait, Random.Shared);
        _began = time.GetTimestamp();
    }

    SocketsHttpHandler Sockets()
    {
        SocketsHttpHandler handler = new()
        {
            // Releases lie behind redirects; never from https to http, which the handler refuses by itself.
            AllowAutoRedirect = true,
            MaxAutomaticRedirections = MaxRedirects,
            // A range is one of the bytes as they are stored.
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = _options.ConnectTimeout,
            UseCookies = false,
            MaxResponseDrainSize = 0,
            MaxResponseHeadersLength = 64,
            SslOptions = _tls.Options(null),
        };
        _options.Proxy.Apply(handler);
        return handler;
    }

    /// <summary>Times that the connection broke and was taken up again.</summary>
    public int Resumed { get; private set; }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override int Read(Span<byte> buffer)
    {
        if (_ended || buffer.IsEmpty) return 0;
        byte[] piece = System.Buffers.ArrayPool<byte>.Shared.Rent(Math.Min(buffer.Length, 64 << 10));
        try
        {
            int read = ReadAsync(piece.AsMemory(0, Math.Min(piece.Length, buffer.Length))).AsTask().GetAwaiter().GetResult();
            piece.AsSpan(0, read).CopyTo(buffer);
            return read;
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(piece);
        }
    }

    async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        while (true)
        {
            string fault;
            using CancellationTokenSource idle = new(_options.IdleTimeout, _time);
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(_stop, idle.Token);
            try
            {
                if (_body is null) await ConnectAsync(either.Token);
                int read = await _body!.ReadAsync(buffer, either.Token);
                _at += read;
                if (read > 0)
                {
                    _backoff.Reset();
                    return read;
                }
                if (_length < 0 || _at >= _length)
                {
                    _ended = true;
                    return 0;
                }
                fault = "the connection broke in the middle of the file";
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                throw;
            }
            catch (OperationCanceledException)
            {
                fault = idle.IsCancellationRequested ? $"nothing came for {Spoken.Duration(_options.IdleTimeout)}" : $"no connection within {Spoken.Duration(_options.ConnectTimeout)}";
            }
            catch (HttpRequestException e)
            {
                fault = HttpFault.Describe(e, _from.Host, _tls.Fault, _options.Proxy.Between(_from));
            }
            catch (IOException e) when (e is not DownloadException)
            {
                fault = "the connection broke in the middle of the file";
            }
            await WaitAsync(fault);
        }
    }

    /// <summary>Opens the file where we are in it.</summary>
    async Task ConnectAsync(CancellationToken cancel)
    {
        _tls.Forget();
        using HttpRequestMessage request = new(HttpMethod.Get, _from);
        request.Headers.TryAddWithoutValidation("User-Agent", "AlphaSOC NFR/" + _options.Version);
        if (_at > 0)
        {
            request.Headers.Range = new RangeHeaderValue(_at, null);
            // Another version of the file answers with 200 then, and its beginning.
            if (_version is not null) request.Headers.TryAddWithoutValidation("If-Range", _version);
        }
        HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
        try
        {
            int status = (int)response.StatusCode;
            if (status >= 500 || status is 408 or 429) throw new HttpRequestException($"it answered {status} {response.StatusCode}");
            if (_at == 0 && status != 200) throw new DownloadException($"{_from.Host} answered {status} {response.StatusCode}");
            if (_at > 0 && (status != 206 || response.Content.Headers.ContentRange is not { From: { } first } || first != _at))
            {
                throw new DownloadException(status is 200 or 416 ? $"{_from.Host} has another file there now, or cannot continue one in its middle ({status}); begin again"
                    : $"{_from.Host} answered {status} {response.StatusCode} when asked for the rest");
            }
            if (_at == 0)
            {
                _length = response.Content.Headers.ContentLength ?? -1;
                // A weak mark says nothing of bytes (RFC 9110, 13.1.5).
                _version = response.Headers.ETag is { IsWeak: false } tag ? tag.ToString() : response.Content.Headers.LastModified?.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
            }
            _body = await response.Content.ReadAsStreamAsync(cancel);
            _response = response;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    async Task WaitAsync(string fault)
    {
        if (_body is not null) Resumed++;
        _body?.Dispose();
        _response?.Dispose();
        (_body, _response) = (null, null);
        if (_backoff.Failures + 1 >= _options.MostFailures) throw new DownloadException($"{_from.Host}: {fault}; tried {_options.MostFailures} times, given up at byte {_at:N0}");
        if (_time.GetElapsedTime(_began) > _options.TotalTimeout) throw new DownloadException($"{_from.Host}: not whole within {Spoken.Duration(_options.TotalTimeout)}");
        await Task.Delay(_backoff.Next(), _time, _stop);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    /// <summary>As the server says; throws while that is not known.</summary>
    public override long Length => _length >= 0 ? _length : throw new NotSupportedException();
    public override long Position { get => _at; set => throw new NotSupportedException(); }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _body?.Dispose();
            _response?.Dispose();
            _http.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Trying again does not help.</summary>
    sealed class DownloadException(string message) : IOException(message);
}
