using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>What one output has done since the start.</summary>
public sealed record AlertOutputState
{
    public required string Name { get; init; }
    public required string Target { get; init; }
    public DateTimeOffset? LastSuccess { get; init; }
    public string? LastError { get; init; }
    public DateTimeOffset? LastErrorAt { get; init; }
    public DateTimeOffset? BackingOffUntil { get; init; }
    public long Alerts { get; init; }
    public long FailedWrites { get; init; }
    /// <summary>What stops or delays the output now; null when all is well.</summary>
    public string? Trouble { get; init; }
}

/// <summary>
/// One loop per output: reads the spool's alerts after its own bookmark, writes a page, then moves the bookmark. A failing output waits by
/// itself and neither delays nor doubles another. A crash between the write and the bookmark repeats at most that page
/// (<see cref="PageSize"/> alerts); a failed write repeats nothing, since a sink takes a page whole or not at all. A new output begins with
/// the oldest alert that the spool still holds.
/// </summary>
public sealed class AlertOutput : IDisposable
{
    /// <summary>Alerts per write at most, and so the most that a crash can double.</summary>
    public const int PageSize = 100;

    static readonly TimeSpan s_backoffBase = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_backoffCap = TimeSpan.FromSeconds(60);
    /// <summary>Looks into the spool this often even when no commit was heard of.</summary>
    static readonly TimeSpan s_idle = TimeSpan.FromSeconds(30);

    readonly Spool _spool;
    readonly OutputOptions _options;
    readonly AlertSink _sink;
    readonly string _version;
    readonly string _bookmarkName;
    readonly TimeProvider _time;
    readonly TroubleReport _report;
    readonly Backoff _backoff;
    readonly Signal _stored = new();
    readonly SemaphoreSlim _writing = new(1, 1);
    readonly ArrayBufferWriter<byte> _lines = new(16 << 10);
    long? _bookmark;
    bool _unnoted;
    Task<string?>? _unfinished;
    long _unfinishedThrough;
    int _unfinishedCount;
    AlertOutputState _state;

    /// <param name="spool">Of this sensor.</param>
    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="version">Of this sensor, for CEF's header.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="sink">Owned from now on; null = the one that the options name.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    public AlertOutput(
        Spool spool, OutputOptions options, string version, TimeProvider time, Action<UplinkNotice> notice, AlertSink? sink = null, Random? random = null)
    {
        _spool = spool;
        _options = options;
        _version = version;
        _time = time;
        _sink = sink ?? Open(options);
        _bookmarkName = "output:" + options.Name;
        _report = new TroubleReport(time, notice);
        _backoff = new Backoff(s_backoffBase, s_backoffCap, random ?? Random.Shared);
        _state = new AlertOutputState { Name = options.Name, Target = _sink.Target };
        _spool.AlertsStored += _stored.Set;
    }

    public AlertOutputState State => Volatile.Read(ref _state);

    /// <summary>Writes alerts as they are stored, until cancelled. Never throws.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                if (await WriteStoredAsync(cancel) is { } wait) await Task.Delay(wait, _time, cancel);
                else await _stored.WaitAsync(s_idle, _time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>Writes every alert that is stored now, as a command does at its end; false when the output failed.</summary>
    public async Task<bool> DrainAsync(CancellationToken cancel) => await WriteStoredAsync(cancel) is null;

    /// <summary>Null when nothing is left to write, otherwise how long a failed output has to wait.</summary>
    async Task<TimeSpan?> WriteStoredAsync(CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            if (_bookmark is null)
            {
                if (!SureRead.TryBookmark(_spool, _bookmarkName, out long stored, out string unread)) return Failed(unread);
                _bookmark = stored;
            }
            while (true)
            {
                cancel.ThrowIfCancellationRequested();
                if (_unnoted && Note() is { } unnoted) return Failed(unnoted);
                IReadOnlyList<StoredAlert> alerts = _unfinished is null ? _spool.ReadAlerts(_bookmark.Value, PageSize) : [];
                if (alerts.Count == 0 && _unfinished is null) return null;
                if (await WriteAsync(alerts, cancel) is { } fault) return Failed(fault);
            }
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            // The head of the stage: our own mistake costs this output a wait, nobody else anything.
            return Failed($"{e.GetType().Name}: {e.Message}");
        }
        finally
        {
            _writing.Release();
        }
    }

    public void Dispose()
    {
        _spool.AlertsStored -= _stored.Set;
        _sink.Dispose();
        _writing.Dispose();
    }

    static AlertSink Open(OutputOptions options) => options.Kind switch
    {
        OutputKind.File => new FileSink(options.Path, options.MaxBytes, options.Keep),
        OutputKind.Stdout => new StreamSink(Console.OpenStandardOutput(), "stdout"),
        _ => new StreamSink(Console.OpenStandardError(), "stderr"),
    };

    async Task<string?> WriteAsync(IReadOnlyList<StoredAlert> alerts, CancellationToken cancel)
    {
        if (_unfinished is null)
        {
            _lines.ResetWrittenCount();
            foreach (StoredAlert stored in alerts) Render(stored.Alert);
            _unfinishedThrough = alerts[^1].Sequence;
            _unfinishedCount = alerts.Count;
            _unfinished = _sink.WriteAsync(new AlertPage(alerts, _lines.WrittenMemory), cancel);
        }
        Task<string?> write = _unfinished;
        try
        {
            // A sink that hangs must not hold up a stop. Its page stays the one in hand, so a later call neither overtakes nor doubles it.
            if (await write.WaitAsync(cancel) is { } fault) return fault;
        }
        finally
        {
            if (write.IsCompleted) _unfinished = null;
        }
        _bookmark = _unfinishedThrough;
        _unnoted = true;
        _backoff.Reset();
        Update(_state with { LastSuccess = _time.GetUtcNow(), Alerts = _state.Alerts + _unfinishedCount, BackingOffUntil = null, Trouble = null });
        _report.Succeeded("output", lasted => $"output {_options.Name}: {_sink.Target} takes alerts again after {Spoken.Duration(lasted)}");
        return null;
    }

    /// <summary>Moves the durable bookmark behind what was written. Until that is done nothing more is written, so a crash doubles one page at most.</summary>
    string? Note()
    {
        if (_spool.SetBookmark(_bookmarkName, _bookmark!.Value) is { } fault) return $"the bookmark cannot be stored: {fault.Message}";
        _unnoted = false;
        return null;
    }

    void Render(Alert alert)
    {
        if (_options.Format == AlertFormat.Json)
        {
            AlertJson.Write(alert, _lines);
            _lines.Write("\n"u8);
            return;
        }
        foreach (string line in CefFormat.Lines(alert, _version))
        {
            int length = Encoding.UTF8.GetBytes(line, _lines.GetSpan(Encoding.UTF8.GetMaxByteCount(line.Length)));
            _lines.Advance(length);
            _lines.Write("\n"u8);
        }
    }

    TimeSpan Failed(string fault)
    {
        TimeSpan wait = _backoff.Next();
        DateTimeOffset now = _time.GetUtcNow();
        string what = $"{_sink.Target} takes no alerts ({fault})";
        Update(_state with { LastError = fault, LastErrorAt = now, BackingOffUntil = now + wait, FailedWrites = _state.FailedWrites + 1, Trouble = what });
        _report.Failed("output", "failed", NoticeLevel.Warning, $"output {_options.Name}: {what}; next try in {Spoken.Duration(wait)}; other outputs go on", what);
        return wait;
    }

    void Update(AlertOutputState state) => Volatile.Write(ref _state, state);
}
