using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

public sealed record AlertPollerOptions
{
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>The engine's name, and whose mark it is in the spool.</summary>
    public string Engine { get; init; } = "engine";
    public string FollowState => StateOf(Engine);

    /// <summary>The spool's name for an engine's mark.</summary>
    public static string StateOf(string engine) => engine == "engine" ? AlertPoller.FollowState : AlertPoller.FollowState + ":" + engine;
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(1);
    public TimeSpan BackoffCap { get; init; } = TimeSpan.FromSeconds(300);
    /// <summary>After 401 or 403 the key is tried again this often, without a restart.</summary>
    public TimeSpan KeyRecheck { get; init; } = TimeSpan.FromHours(1);
}

/// <summary>What the poller has done since the start.</summary>
public sealed record AlertPollerState
{
    public DateTimeOffset? LastSuccess { get; init; }
    public string? LastError { get; init; }
    public DateTimeOffset? LastErrorAt { get; init; }
    public DateTimeOffset? BackingOffUntil { get; init; }
    public bool KeyRefused { get; init; }
    public long Pages { get; init; }
    public long Alerts { get; init; }
    /// <summary>Of them, those that said no more than an alert of our own on the same event: not stored again.</summary>
    public long MergedAlerts { get; init; }
    /// <summary>Alerts of good pages that could not be read.</summary>
    public long SkippedAlerts { get; init; }
    public long BadPages { get; init; }
    public long FailedRequests { get; init; }
    /// <summary>What stops or delays the polling now; null when all is well.</summary>
    public string? Trouble { get; init; }
}

/// <summary>
/// Fetches the engine's alerts: at once after the start, then every interval, page after page while the engine says there is more. A page
/// and its "follow" mark enter the spool in one transaction, so a page is stored once, whatever dies when; a page that cannot be read
/// leaves the mark where it was.
/// </summary>
public sealed class AlertPoller
{
    /// <summary>The spool's name for the mark of the engine that the original has too; <see cref="Spool.StoreEngineAlerts(IReadOnlyList{Alert}, string, string)"/> writes it.</summary>
    public const string FollowState = "follow";

    readonly EngineClient _client;
    readonly Spool _spool;
    readonly AlertPollerOptions _options;
    readonly Func<string, IReadOnlyList<AlertGroup>> _groupsOf;
    readonly RequestPacer _pacer;
    readonly TimeProvider _time;
    readonly Action<UplinkNotice> _notice;
    readonly TroubleReport _report;
    readonly Backoff _backoff;
    readonly AlertMerger _merger;
    readonly Signal _retry = new();
    bool _failing;
    bool _clockUnset;
    readonly ClockWait _clock;
    string? _follow;
    AlertPollerState _state = new();

    /// <param name="client">Of one engine.</param>
    /// <param name="spool">Of this sensor.</param>
    /// <param name="options">Checked when the configuration was read.</param>
    /// <param name="groupsOf">The scope's groups of a source address.</param>
    /// <param name="pacer">Shared with everything else that speaks to this engine.</param>
    /// <param name="time">Intervals and stamps.</param>
    /// <param name="notice">Gets few sentences; must not block.</param>
    /// <param name="random">Jitter; a seam of tests.</param>
    /// <param name="merger">Shared by the pollers of several engines; null = one of its own.</param>
    public AlertPoller(
        EngineClient client, Spool spool, AlertPollerOptions options, Func<string, IReadOnlyList<AlertGroup>> groupsOf, RequestPacer pacer,
        TimeProvider time, Action<UplinkNotice> notice, Random? random = null, AlertMerger? merger = null)
    {
        _client = client;
        _spool = spool;
        _options = options;
        _groupsOf = groupsOf;
        _pacer = pacer;
        _time = time;
        _notice = notice;
        _clock = new ClockWait(time);
        _report = new TroubleReport(time, notice);
        _merger = merger ?? new AlertMerger(spool);
        _backoff = new Backoff(options.BackoffBase, options.BackoffCap, random ?? Random.Shared);
    }

    public AlertPollerState State => Volatile.Read(ref _state);

    /// <summary>Ends a wait and polls now.</summary>
    public void TryNow() => _retry.Set();

    /// <summary>Runs until cancelled. Never throws.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                TimeSpan wait = await PollOrFailAsync(cancel);
                if (_clockUnset) await _clock.DelayAsync(wait, span => _retry.WaitAsync(span, _time, cancel));
                else if (wait > TimeSpan.Zero) await _retry.WaitAsync(wait, _time, cancel);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    /// <summary>The head of the loop: our own mistake must not end the polling.</summary>
    async Task<TimeSpan> PollOrFailAsync(CancellationToken cancel)
    {
        try
        {
            return await PollAsync(cancel);
        }
        catch (Exception e) when (!cancel.IsCancellationRequested)
        {
            return Failed("mistake", NoticeLevel.Error, $"the alert poll failed inside ({e.GetType().Name}: {e.Message})", _backoff.Next());
        }
    }

    /// <summary>One page; gives the wait before the next.</summary>
    async Task<TimeSpan> PollAsync(CancellationToken cancel)
    {
        if (_follow is null)
        {
            if (!SureRead.TryState(_spool, _options.FollowState, out string? stored, out string fault)) return Failed("spool", NoticeLevel.Error, fault, _backoff.Next());
            _follow = stored ?? "";
        }
        string follow = _follow;
        await _pacer.EnterAsync(_failing, cancel);
        _clock.Mark();
        EngineReply reply = await _client.GetAlertsAsync(follow, cancel);
        (_failing, _clockUnset) = (!reply.IsAccepted, reply.ClockUnset);
        _pacer.Leave(_failing);
        if (reply.IsAccepted) return Take(reply, follow);

        Update(_state with { FailedRequests = _state.FailedRequests + 1 });
        return reply.Kind switch
        {
            EngineReplyKind.Unauthorized => Failed(
                "key", NoticeLevel.Error, $"the engine refuses the API key ({reply.Message}); run nfr account status, then restart or change the key",
                _options.KeyRecheck, keyRefused: true),
            EngineReplyKind.Garbled => BadPage(reply.Message),
            EngineReplyKind.Throttled => Failed(
                "throttled", NoticeLevel.Warning, $"engine {_client.Host} asks to poll later ({reply.Message})", reply.RetryAfter ?? _backoff.Next()),
            EngineReplyKind.Unreachable => Failed("unreachable", NoticeLevel.Warning, $"engine {_client.Host} unreachable ({reply.Message})", _backoff.Next()),
            _ => Failed("error", NoticeLevel.Warning, $"engine {_client.Host} fails ({reply.Message})", reply.RetryAfter ?? _backoff.Next()),
        };
    }

    TimeSpan Take(EngineReply reply, string follow)
    {
        if (!EngineAlertsReader.TryRead(reply.Body.Span, out EngineAlertPage? page, out string? error) || page is null)
            return BadPage($"the page of alerts cannot be read: {error}");
        // Without a mark the same alerts would come again with every poll.
        if (page.Follow.Length == 0 && page.Alerts.Count > 0) return BadPage("the page of alerts has no \"follow\" mark");

        int merged = 0;
        if (page.Follow.Length > 0 && (page.Follow != follow || page.Alerts.Count > 0))
        {
            List<Alert> alerts = [.. page.Alerts.Select(alert => alert with { Groups = alert.Event.SrcIP is { } source ? _groupsOf(source) : [] })];
            if (_merger.Store(alerts, _options.Engine, news => _spool.StoreEngineAlerts(news, page.Follow, _options.FollowState), out merged) is { } fault)
                return Failed("spool", NoticeLevel.Error, $"the spool cannot store {alerts.Count:N0} alerts of the engine ({fault.Message})", _backoff.Next());
            _follow = page.Follow;
        }
        _backoff.Reset();
        if (page.Skipped > 0)
            _notice(new UplinkNotice(NoticeLevel.Warning, $"alerts: {page.Skipped:N0} of {page.Skipped + page.Alerts.Count:N0} alerts of the engine could not be read and were skipped"));
        AlertPollerState state = _state;
        Update(state with
        {
            LastSuccess = _time.GetUtcNow(), BackingOffUntil = null, KeyRefused = false, Trouble = null,
            Pages = state.Pages + 1, Alerts = state.Alerts + page.Alerts.Count, MergedAlerts = state.MergedAlerts + merged, SkippedAlerts = state.SkippedAlerts + page.Skipped,
        });
        _report.Succeeded("alerts", lasted => $"alerts: engine {_client.Host} gives alerts again after {Spoken.Duration(lasted)}");
        // "More" behind the same mark would be an endless loop without a pause.
        return page.More && page.Follow.Length > 0 && page.Follow != follow ? TimeSpan.Zero : _options.PollInterval;
    }

    TimeSpan BadPage(string message)
    {
        _failing = true;
        Update(_state with { BadPages = _state.BadPages + 1 });
        return Failed("page", NoticeLevel.Warning, message, _backoff.Next());
    }

    TimeSpan Failed(string kind, NoticeLevel level, string what, TimeSpan wait, bool keyRefused = false)
    {
        DateTimeOffset now = _time.GetUtcNow();
        Update(_state with { LastError = what, LastErrorAt = now, BackingOffUntil = now + wait, KeyRefused = keyRefused, Trouble = what });
        _report.Failed("alerts", kind, level, $"alerts: {what}; next try in {Spoken.Duration(wait)}", what);
        // A zero wait means "the next page" to the loop; the pacer keeps failing requests apart.
        return wait > TimeSpan.Zero ? wait : TimeSpan.FromMilliseconds(1);
    }

    void Update(AlertPollerState state) => Volatile.Write(ref _state, state);
}
