using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Nfr.Pipeline;
using Nfr.Uplink;
using Serilog;

namespace Nfr.Engine;

/// <summary>The engine with everything it is made of: store, keys, scorers, and Kestrel in front. The one place that starts ASP.NET.</summary>
sealed class EngineHost : IAsyncDisposable
{
    readonly HostedEngineOptions _options;
    readonly ScoringLane[] _lanes;
    readonly EngineDatabase _keysDb, _pagesDb, _writerDb;
    readonly KeyRing _keys;
    AlertPages? _pages;
    readonly AlertWriter _writer;
    readonly EngineCounts _counts = new();
    readonly FileStream _held;
    readonly ILogger _log;
    /// <summary>Requests wait for it: the address is had before the epoch begins.</summary>
    readonly TaskCompletionSource<EngineApi> _api = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly long _started;
    readonly CertificateFile? _certificate;
    readonly FeedFetcher? _fetcher;
    readonly CancellationTokenSource _stop = new();
    Task _fetching = Task.CompletedTask;
    readonly WebApplication _app;

    EngineHost(HostedEngineOptions options, ILogger log)
    {
        _options = options;
        _log = log;
        _started = options.Time.GetTimestamp();
        // First, since it can be refused.
        if (options.Certificate is { } certificate) _certificate = new CertificateFile(certificate, options.CertificateKey, options.Time, log);
        _keysDb = EngineDatabase.Open(options.Data);
        try
        {
            _held = Hold(options.Data);
        }
        catch
        {
            _keysDb.Dispose();
            throw;
        }
        _pagesDb = EngineDatabase.Open(options.Data);
        _writerDb = EngineDatabase.Open(options.Data);
        _lanes = new ScoringLane[options.Scorers];
        for (int i = 0; i < _lanes.Length; i++) _lanes[i] = new ScoringLane(options, i, i == 0 ? null : _lanes[0].Scorer);
        foreach (string fault in _lanes.SelectMany(l => l.Scorer.Faults).Distinct()) log.Warning("engine: {Fault}", fault);
        if (options.FeedCache is { } cache) _fetcher = SensorParts.FetcherOf(options.Feeds, cache, options.Time, n => Notices.Log(log, n));
        _keys = new KeyRing(_keysDb, _lanes, options, log);
        _writer = new AlertWriter(_writerDb, _keys, options, log);

        // Empty: no configuration files, no environment variables, no logging of its own.
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(5));
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        _app = builder.Build();
        _app.Run(async context => await (await _api.Task.ConfigureAwait(false)).HandleAsync(context).ConfigureAwait(false));
    }

    /// <summary>Two engines would each think of engine.db's alerts as their own. "nfr engine key" may be used meanwhile.</summary>
    static FileStream Hold(string folder)
    {
        string path = Path.Combine(folder, "engine.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new EngineStoreException($"{path} cannot be used ({Config.Reason.Of(fault)}); run as the user that owns it, or name another folder with --data");
        }
        catch (IOException)
        {
            throw new EngineStoreException($"another nfr engine runs with {folder} ({path} is held); stop it, or name another folder with --data");
        }
    }

    /// <summary>From here on bookmarks are given away.</summary>
    void Begin()
    {
        _pages = new AlertPages(_pagesDb);
        _api.SetResult(new EngineApi(_options, _keys, _writer, _pages, _counts, Metrics, _log));
    }

    /// <summary>Listens when it returns.</summary>
    /// <exception cref="CertificateFileException">The certificate cannot be used.</exception>
    /// <exception cref="EngineStoreException">The data cannot be used.</exception>
    /// <exception cref="IOException">The address cannot be had.</exception>
    public static async Task<EngineHost> StartAsync(HostedEngineOptions options, ILogger log)
    {
        var host = new EngineHost(options, log);
        try
        {
            await host._app.StartAsync().ConfigureAwait(false);
            host.Begin();
            if (host._fetcher is { } fetcher) host._fetching = Task.Run(() => fetcher.RunAsync(host._stop.Token));
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public int KeyCount => _keys.Count;

    public Scoring.Indicators.IndicatorStore Lists => _lanes[0].Scorer.Store;

    /// <summary>The address that it has, also when port 0 was asked for.</summary>
    public string Address => _app.Urls.First();

    /// <summary>Until told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // What is in hand is finished by DisposeAsync.
        }
    }

    void Configure(KestrelServerOptions kestrel)
    {
        KestrelServerLimits limits = kestrel.Limits;
        // A thousand sensors with a connection for each type of event.
        limits.MaxConcurrentConnections = 5_000;
        limits.MaxRequestBodySize = _options.MaxBody;
        limits.MaxRequestBufferSize = Math.Max(256 << 10, _options.MaxLine * 2L);
        limits.MaxRequestHeadersTotalSize = 16 << 10;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestLineSize = 4 << 10;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);
        // A body that comes slower than this is a slow one on purpose, or will never come.
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        kestrel.AddServerHeader = false;
        kestrel.Listen(_options.Listen, Secure);
        if (_options.Metrics is not { } metrics) return;
        kestrel.Listen(metrics, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection =>
            {
                connection.Features.Set(MetricsConnection.Mark);
                return next(connection);
            });
        });
    }

    void Secure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        if (_certificate is null) return;
        listen.UseHttps(new TlsHandshakeCallbackOptions
        {
            HandshakeTimeout = TimeSpan.FromSeconds(10),
            OnConnection = _ => ValueTask.FromResult(new SslServerAuthenticationOptions
            {
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13, ServerCertificateContext = _certificate.Current, ClientCertificateRequired = false,
            }),
        });
    }

    string Metrics()
    {
        var lines = new MetricLines();
        lines.One("nfr_engine_up_seconds", "Seconds since the engine started.", "gauge", (long)_options.Time.GetElapsedTime(_started).TotalSeconds);
        lines.One("nfr_engine_keys", "API keys, revoked ones among them.", "gauge", _keys.Count);
        lines.One("nfr_engine_sensors_active", "Keys used in the last five minutes.", "gauge", _keys.SeenSince(_options.Time.GetUtcNow().ToUnixTimeSeconds() - 300));
        _counts.Write(lines);
        Scoring.ScorerStats[] stats = [.. _lanes.Select(l => l.Stats)];
        (long Old, long Future)[] moved = [.. _lanes.Select(l => l.MovedStamps)];
        lines.Each("nfr_engine_stamps_moved_total", "Events whose stamp was too old or of the future, so that detectors took another time.", "counter", "reason",
            [("old", moved.Sum(m => m.Old)), ("future", moved.Sum(m => m.Future))]);
        lines.One("nfr_engine_clocks_put_back_total", "Times that a site's clock was ahead of the engine's, which had been wrong, and was put back.", "counter", _lanes.Sum(l => l.ClocksPutBack));
        lines.One("nfr_engine_alerts_raised_total", "Alerts raised.", "counter", stats.Sum(s => s.AlertsRaised));
        lines.One("nfr_engine_alerts_held_total", "Alerts held back because a site had too many of their threat.", "counter", stats.Sum(s => s.AlertsHeld));
        lines.One("nfr_engine_alerts_stored_total", "Alerts on the disk.", "counter", _writer.Stored);
        lines.One("nfr_engine_alerts_lost_total", "Alerts given up because the disk refused them for too long.", "counter", _writer.Lost);
        lines.One("nfr_engine_store_commits_total", "Commits.", "counter", _writer.Commits);
        lines.One("nfr_engine_store_faults_total", "Commits that the disk refused.", "counter", _writer.Faults);
        lines.One("nfr_engine_store_bytes", "Bytes of engine.db.", "gauge", _writerDb.Bytes);
        lines.One("nfr_engine_scorer_tracked", "Clients, pairs and the like that detectors keep.", "gauge", stats.Sum(s => (long)s.Tracked));
        lines.One("nfr_engine_scorer_evicted_total", "Those forgotten because a table was full: more scorers (--scorers) keep more.", "counter", stats.Sum(s => s.TrackedEvicted + s.FindingsEvicted));
        lines.One("nfr_engine_indicators", "Indicators of all lists.", "gauge", Lists.Count);
        DateTimeOffset now = _options.Time.GetUtcNow();
        IReadOnlyList<(string Label, ListReport List)> lists = ListReport.Labelled(ListReport.Of(Lists.Lists, _fetcher?.States ?? [], _options.FeedCache));
        lines.Each("nfr_engine_list_indicators", "Indicators of a list in use.", "gauge", "list", lists.Select(l => (l.Label, l.List.Indicators)));
        lines.Each("nfr_engine_list_faults", "Lines of a list that could not be used.", "gauge", "list", lists.Select(l => (l.Label, l.List.Faults)));
        lines.Each("nfr_engine_feed_age_seconds", "Seconds since the copy of a fetched list was known to be the newest.", "gauge", "list",
            lists.Where(l => l.List.Checked is not null).Select(l => (l.Label, (long)(now - l.List.Checked!.Value).TotalSeconds)));
        lines.Each("nfr_engine_feed_failed_total", "Fetches of a list that failed.", "counter", "list", lists.Where(l => l.List.Url is not null).Select(l => (l.Label, l.List.Failed)));
        return lines.ToString();
    }

    /// <summary>Finishes the requests in hand, writes everything down.</summary>
    public async ValueTask DisposeAsync()
    {
        _api.TrySetCanceled();
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await _app.StopAsync(soon.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Connections that hang.
        }
        await _app.DisposeAsync().ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _fetching.ConfigureAwait(false);
        _fetcher?.Dispose();
        _stop.Dispose();
        _keys.Dispose();
        _pages?.Close();
        _writer.Dispose();
        foreach (ScoringLane lane in _lanes.Reverse()) lane.Dispose();
        _keysDb.Dispose();
        _pagesDb.Dispose();
        _writerDb.Dispose();
        await _held.DisposeAsync().ConfigureAwait(false);
    }
}
