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
    /// <summary>Kept by the other side.</summary>
    public long Alerts { get; init; }
    /// <summary>Passed by, since the other side refuses them for ever.</summary>
    public long Refused { get; init; }
    /// <summary>Why it refused the last of them.</summary>
    public string? LastRefusal { get; init; }
    /// <summary>Of <see cref="Alerts"/>: a message was longer than the target's max_size even without evidence, and was cut there.</summary>
    public long Cut { get; init; }
    /// <summary>Passed by, since the filter does not want them.</summary>
    public long Filtered { get; init; }
    /// <summary>Stored and not looked at yet; an upper bound, since some may have been evicted.</summary>
    public long Waiting { get; init; }
    public long FailedWrites { get; init; }
    /// <summary>What stops or delays the output now; null when all is well.</summary>
    public string? Trouble { get; init; }
    /// <summary>Why alerts wait though all is well, such as "gathering until 14:05"; null when they do not.</summary>
    public string? Holding { get; init; }
    /// <summary>What should be known though alerts are taken; null when there is nothing.</summary>
    public string? Remark { get; init; }
}

/// <summary>
/// One loop per output: reads the spool's alerts after its own bookmark, writes a page of those that its filter wants, then moves the bookmark as far as the sink
/// vouches for. A failing output waits by itself and neither delays nor doubles another. A crash between the write and the bookmark repeats at
/// most that page (<see cref="PageSize"/> alerts); a failed write repeats what the sink did not vouch for. A new output begins with the oldest
/// alert that the spool still holds.
/// </summary>
public sealed class AlertOutput : IDisposable
{
    /// <summary>Alerts per write at most, and so the most that a crash can double.</summary>
    public const int PageSize = 100;

    static readonly TimeSpan s_backoffBase = TimeSpan.FromSeconds(1);
    static readonly TimeSpan s_backoffCap = TimeSpan.FromSeconds(60);
    /// <summary>Tries begin at least so far apart while they fail, whatever the jitter says: full jitter alone would press a server that is down ten times in its first second.</summary>
    static readonly TimeSpan s_spacing = TimeSpan.FromSeconds(1);
    /// <summary>Looks into the spool this often even when no commit was heard of.</summary>
    static readonly TimeSpan s_idle = TimeSpan.FromSeconds(30);
    /// <summary>How long a write in hand may go on after the wish to stop, so that an orderly stop doubles nothing.</summary>
    static readonly TimeSpan s_grace = TimeSpan.FromSeconds(2);

    readonly Spool _spool;
    readonly OutputOptions _options;
    readonly AlertSink _sink;
    readonly SensorIdentity _sensor;
    readonly string _bookmarkName;
    readonly TimeProvider _time;
    readonly ClockEpochs? _epochs;
    readonly Action<UplinkNotice> _notice;
    readonly TroubleReport _report;
    readonly Backoff _backoff;
    readonly Signal _stored = new();
    readonly SemaphoreSlim _writing = new(1, 1);
    long? _bookmark;
    /// <summary>The bookmark for other threads; below 0 = not read yet.</summary>
    long _passed = -1;
    bool _unnoted;
    Task<SinkAnswer>? _unfinished;
    AlertPage? _page;
    long _through;
    /// <summary>When the last try began.</summary>
    long _tried;
    /// <summary>Of the latest answer that did not take its whole page.</summary>
    TimeSpan? _after;
    bool _last;
    AlertOutputState _state;

    /// <param name="spool">Of this sensor.</param>
    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="sensor">For formats that name it.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="sink">Owned from now on; null = the one that the options name.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    /// <param name="epochs">Put stamps right; null = they are.</param>
    public AlertOutput(
        Spool spool, OutputOptions options, SensorIdentity sensor, TimeProvider time, Action<UplinkNotice> notice, AlertSink? sink = null, Random? random = null, ClockEpochs? epochs = null)
    {
        _spool = spool;
        _options = options;
        _sensor = sensor;
        _time = time;
        _epochs = epochs;
        _sink = sink ?? OutputSinks.Open(options, sensor, time);
        _bookmarkName = "output:" + options.Name;
        _notice = notice;
        _report = new TroubleReport(time, notice);
        _backoff = new Backoff(s_backoffBase, s_backoffCap, random ?? Random.Shared);
        _state = new AlertOutputState { Name = options.Name, Target = _sink.Target };
        _spool.AlertsStored += _stored.Set;
    }

    public AlertOutputState State
    {
        get
        {
            AlertOutputState state = Volatile.Read(ref _state);
            long passed = Interlocked.Read(ref _passed);
            return passed < 0 ? state : state with { Waiting = Math.Max(0, _spool.LastAlertSequence - passed) };
        }
    }

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

    /// <summary>Writes every alert that is stored now, as a command does at its end; false when the output failed or holds alerts back.</summary>
    /// <param name="cancel">Ends it.</param>
    /// <param name="last">Nobody comes back for what is held: sinks that gather shall not.</param>
    public async Task<bool> DrainAsync(CancellationToken cancel, bool last = false)
    {
        Volatile.Write(ref _last, last);
        try
        {
            return await WriteStoredAsync(cancel) is null;
        }
        finally
        {
            Volatile.Write(ref _last, false);
        }
    }

    /// <summary>Null when nothing is left to write, otherwise how long an output that failed or holds alerts back has to wait.</summary>
    async Task<TimeSpan?> WriteStoredAsync(CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel);
        using CancellationTokenSource writes = new(Timeout.InfiniteTimeSpan, _time);
        using CancellationTokenRegistration stop = cancel.Register(() => writes.CancelAfter(s_grace));
        _tried = _time.GetTimestamp();
        try
        {
            if (_bookmark is null)
            {
                if (!SureRead.TryBookmark(_spool, _bookmarkName, out long stored, out string unread)) return Failed(unread);
                Pass(stored);
            }
            while (true)
            {
                // Before the wish to stop is looked at: what was written is noted, so that an orderly stop doubles nothing.
                if (_unnoted && Note() is { } unnoted) return Failed(unnoted);
                cancel.ThrowIfCancellationRequested();
                (long last, long faults) = (_spool.LastAlertSequence, _spool.Counters.Faults);
                IReadOnlyList<StoredAlert> alerts = _unfinished is null ? _spool.ReadAlerts(_bookmark!.Value, _sink.PageSize) : [];
                if (alerts.Count == 0 && _unfinished is null)
                {
                    // After an unclean stop numbers go on far above the last alert's: they wait for nobody. Nothing read may also mean that nothing can be.
                    bool sure = _spool.Counters.Faults == faults;
                    if (sure && last > _bookmark!.Value) Interlocked.Exchange(ref _passed, last);
                    return await SettleAsync(sure, writes.Token);
                }
                if (_epochs is not null) alerts = [.. alerts.Select(_epochs.Corrected)];
                if (await WriteAsync(alerts, writes.Token) is { } fault)
                {
                    if (_unnoted) Note();
                    return Failed(fault, _after);
                }
                if (_state.Holding is not null && _after > TimeSpan.Zero)
                {
                    if (_unnoted && Note() is { } held) return Failed(held);
                    return _after;
                }
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

    /// <summary>Nothing waits: lets the sink make good what it has learnt of since.</summary>
    async Task<TimeSpan?> SettleAsync(bool sure, CancellationToken cancel)
    {
        if (await _sink.SettleAsync(cancel) is { } unsettled) return Failed(unsettled);
        if (sure) Recovered("nothing waits for {0} any more");
        return null;
    }

    /// <summary>What was wrong is over: alerts get through, or none is left that could not.</summary>
    /// <param name="how">{0} is the target.</param>
    void Recovered(string how)
    {
        _backoff.Reset();
        if (_state.Trouble is not null || _state.BackingOffUntil is not null) Update(_state with { Trouble = null, BackingOffUntil = null });
        _report.Succeeded("output", lasted => $"output {_options.Name}: {how.Replace("{0}", _sink.Target, StringComparison.Ordinal)} after {Spoken.Duration(lasted)}");
    }

    public void Dispose()
    {
        _spool.AlertsStored -= _stored.Set;
        _sink.Dispose();
        _writing.Dispose();
    }

    async Task<string?> WriteAsync(IReadOnlyList<StoredAlert> alerts, CancellationToken cancel)
    {
        if (_unfinished is null)
        {
            _through = alerts[^1].Sequence;
            List<StoredAlert> wanted = [.. alerts.Where(a => _options.Filter.Passes(a.Alert))];
            if (wanted.Count < alerts.Count) Update(_state with { Filtered = _state.Filtered + alerts.Count - wanted.Count });
            if (wanted.Count == 0)
            {
                Update(_state with { Holding = null });
                Pass(_through);
                _unnoted = true;
                Recovered("nothing waits for {0} any more");
                return null;
            }
            _page = new AlertPage(wanted, _options.Format, _sensor) { IsLast = Volatile.Read(ref _last) };
            _tried = _time.GetTimestamp();
            _unfinished = _sink.WriteAsync(_page, cancel);
        }
        Task<SinkAnswer> write = _unfinished;
        SinkAnswer answer;
        try
        {
            // A sink that hangs must not hold up a stop. Its page stays the one in hand, so a later call neither overtakes nor doubles it.
            answer = await write.WaitAsync(cancel);
        }
        finally
        {
            if (write.IsCompleted) _unfinished = null;
        }
        return Taken(_page!, answer);
    }

    string? Taken(AlertPage page, SinkAnswer answer)
    {
        int taken = Math.Clamp(answer.Taken, 0, page.Count);
        if (taken > 0)
        {
            Pass(taken == page.Count ? _through : page.Alerts[taken - 1].Sequence);
            _unnoted = true;
            _backoff.Reset();
            int refused = Math.Clamp(answer.Refused, 0, taken);
            Update(_state with
            {
                LastSuccess = refused < taken ? _time.GetUtcNow() : _state.LastSuccess,
                Alerts = _state.Alerts + taken - refused,
                Refused = _state.Refused + refused,
                Cut = _sink.Cut,
                LastRefusal = refused > 0 ? _sink.LastRefusal : _state.LastRefusal,
            });
            if (refused > 0) _notice(new UplinkNotice(NoticeLevel.Warning, $"output {_options.Name}: {_sink.Target} refuses {Spoken.Count(refused, "alert")} for good ({_sink.LastRefusal ?? "no reason given"}); passed by and counted"));
        }
        if (_sink.Remark != _state.Remark)
        {
            Update(_state with { Remark = _sink.Remark });
            if (_sink.Remark is { } remark) _notice(new UplinkNotice(NoticeLevel.Warning, $"output {_options.Name}: {_sink.Target}: {remark}"));
        }
        bool holds = taken < page.Count && answer is { Fault: null, After: not null };
        // A sink that takes nothing and asks for no time either must not spin.
        _after = holds && taken == 0 && answer.After <= TimeSpan.Zero ? s_backoffBase : answer.After;
        if (taken < page.Count && !holds) return answer.Fault ?? "the rest of the page was not taken";
        if (holds && taken == 0)
        {
            Update(_state with { BackingOffUntil = null, Holding = answer.Waits ?? "waiting" });
            return null;
        }
        Update(_state with { Holding = holds ? answer.Waits ?? "waiting" : null });
        Recovered("{0} takes alerts again");
        return null;
    }

    /// <summary>Moves the durable bookmark behind what was written. Until that is done nothing more is written, so a crash doubles one page at most.</summary>
    string? Note()
    {
        if (_spool.SetBookmark(_bookmarkName, _bookmark!.Value) is { } fault) return $"the bookmark cannot be stored: {fault.Message}";
        _unnoted = false;
        return null;
    }

    TimeSpan Failed(string fault, TimeSpan? asked = null)
    {
        TimeSpan wait = _backoff.Next();
        if (asked > wait) wait = asked.Value;
        TimeSpan spaced = s_spacing - _time.GetElapsedTime(_tried);
        if (spaced > wait) wait = TimeSpan.FromMilliseconds(Math.Ceiling(spaced.TotalMilliseconds));
        DateTimeOffset now = _time.GetUtcNow();
        string what = $"{_sink.Target} takes no alerts ({fault})";
        Update(_state with { LastError = fault, LastErrorAt = now, BackingOffUntil = now + wait, FailedWrites = _state.FailedWrites + 1, Trouble = what, Holding = null });
        _report.Failed("output", "failed", NoticeLevel.Warning, $"output {_options.Name}: {what}; next try in {Spoken.Duration(wait)}; other outputs go on", what);
        return wait;
    }

    void Pass(long sequence)
    {
        _bookmark = sequence;
        Interlocked.Exchange(ref _passed, sequence);
    }

    void Update(AlertOutputState state) => Volatile.Write(ref _state, state);
}
