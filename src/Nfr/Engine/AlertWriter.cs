using Serilog;

namespace Nfr.Engine;

/// <summary>
/// The one who writes engine.db while the engine runs. Whatever waits is written in one commit, so many small uploads cost one sync. What cannot
/// be written waits for the next commit, up to <see cref="MaxWaiting"/>; whoever brought it is told, and so brings its events again.
/// </summary>
sealed class AlertWriter : IDisposable
{
    /// <summary>Alerts that wait while the disk refuses; beyond it they are lost and counted.</summary>
    const int MaxWaiting = 10_000;
    static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    readonly TimeSpan _tick;
    readonly EngineDatabase _db;
    readonly KeyRing _keys;
    readonly HostedEngineOptions _options;
    readonly ILogger _log;
    readonly Lock _lock = new();
    readonly SemaphoreSlim _work = new(0);
    readonly Thread _thread;
    List<AlertRow> _alerts = [];
    TaskCompletionSource<string?> _done = New();
    string? _trouble;
    long _stored, _lost, _faults, _commits;
    long _lastStates;
    bool _asked;
    volatile bool _stop;

    /// <param name="db">Of this writer alone.</param>
    /// <param name="keys">Whose states are written down too.</param>
    /// <param name="options">Of the engine.</param>
    /// <param name="log">Told when the disk refuses, and when it takes again.</param>
    /// <param name="tick">How often it looks when nobody asks; null = each five seconds.</param>
    public AlertWriter(EngineDatabase db, KeyRing keys, HostedEngineOptions options, ILogger log, TimeSpan? tick = null)
    {
        _tick = tick ?? s_interval;
        _db = db;
        _keys = keys;
        _options = options;
        _log = log;
        _thread = new Thread(Run) { IsBackground = true, Name = "store" };
        _thread.Start();
    }

    public long Stored => Volatile.Read(ref _stored);
    public long Lost => Volatile.Read(ref _lost);
    public long Faults => Volatile.Read(ref _faults);
    public long Commits => Volatile.Read(ref _commits);

    /// <summary>Null when the last commit went well.</summary>
    public string? Trouble => Volatile.Read(ref _trouble);

    /// <summary>Puts alerts to the next commit; the task is done when they are on the disk (null) or are not (why).</summary>
    public Task<string?> Append(List<AlertRow> alerts)
    {
        Task<string?> done;
        bool overflows;
        lock (_lock)
        {
            int room = Math.Max(0, MaxWaiting - _alerts.Count);
            overflows = room < alerts.Count;
            if (overflows) Interlocked.Add(ref _lost, alerts.Count - room);
            _alerts.AddRange(room < alerts.Count ? alerts.Take(room) : alerts);
            done = _done.Task;
            _asked = true;
        }
        _work.Release();
        return overflows ? Task.FromResult<string?>("too many alerts wait for the disk") : done;
    }

    /// <summary>Whether the disk takes a commit now.</summary>
    public Task<string?> Check() => Append([]);

    void Run()
    {
        while (!_stop)
        {
            _work.Wait(_tick);
            while (_work.Wait(0))
            {
            }
            Commit();
        }
        Commit();
    }

    void Commit()
    {
        bool due = _stop || _options.Time.GetElapsedTime(_lastStates) >= s_interval;
        List<SensorKey> changed = due ? _keys.TakeChanged() : [];
        if (due) _lastStates = _options.Time.GetTimestamp();
        List<AlertRow> alerts;
        TaskCompletionSource<string?> done;
        lock (_lock)
        {
            // Nothing to do is no commit that went well: what was wrong with the disk is wrong still.
            if (!_asked && _alerts.Count == 0 && changed.Count == 0) return;
            _asked = false;
            (alerts, _alerts) = (_alerts, []);
            (done, _done) = (_done, New());
        }
        string? trouble;
        try
        {
            trouble = _db.Write(alerts, changed, _options.KeptAlerts);
        }
        catch (Exception mistake)
        {
            trouble = mistake.Message;
        }
        if (trouble is null)
        {
            Interlocked.Add(ref _stored, alerts.Count);
            Interlocked.Increment(ref _commits);
            if (Trouble is not null) _log.Information("store: alerts are written again");
        }
        else
        {
            Interlocked.Increment(ref _faults);
            if (Trouble is null) _log.Error("store: alerts cannot be written ({Reason}); uploads that raise any are refused until they can", trouble);
            lock (_lock) _alerts.InsertRange(0, alerts);
            foreach (SensorKey key in changed) key.State.Changed = true;
        }
        Volatile.Write(ref _trouble, trouble);
        done.SetResult(trouble);
    }

    static TaskCompletionSource<string?> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose()
    {
        _stop = true;
        _work.Release();
        _thread.Join();
        _work.Dispose();
    }
}
