using System.Globalization;
using Serilog;

namespace Nfr.Service;

/// <summary>
/// What the sensor says to the systemd that started it: that it is ready, each few seconds how it is, that it lives (only while every loop goes round), and that
/// it drains. A thread of its own speaks, so that a pool without a free thread does not look like a stuck capture. There is none where nobody started it.
/// </summary>
sealed class UnitLink : IDisposable
{
    /// <summary>A sentence a person may be waiting for.</summary>
    static readonly TimeSpan s_telling = TimeSpan.FromSeconds(5);

    /// <summary>A stop takes five seconds at most; what it asks for is asked again each second, and no longer than this: a stop that hangs is ended.</summary>
    static readonly TimeSpan s_drain = TimeSpan.FromSeconds(30);

    static readonly TimeSpan s_extension = TimeSpan.FromSeconds(10);

    /// <summary>From the sign to reload until the new start is ready: the drain, then a spool that is checked and lists that are read.</summary>
    static readonly TimeSpan s_reload = TimeSpan.FromMinutes(2);

    readonly Notifier _notifier;
    readonly ILogger _log;
    readonly TimeProvider _time;
    readonly TimeSpan _telling;
    readonly Lock _saying = new();
    readonly ManualResetEventSlim _end = new();
    Thread? _thread;
    Watchdog? _watchdog;
    Func<string>? _sentence;
    Timer? _teller;
    volatile string _stuck = "";
    int _told;
    bool _isLeaving;

    internal UnitLink(Notifier notifier, ILogger log, TimeProvider time, TimeSpan? telling = null)
    {
        _notifier = notifier;
        _log = log;
        _time = time;
        _telling = telling ?? s_telling;
    }

    /// <summary>Null when this process was not started by systemd.</summary>
    public static UnitLink? OfEnvironment(ILogger log)
    {
        Notifier? notifier = Notifier.Of(Environment.GetEnvironmentVariable, Environment.ProcessId, TimeProvider.System, out string? trouble);
        if (trouble is not null) log.Warning("service: {Trouble}", trouble);
        return notifier is null ? null : new UnitLink(notifier, log, TimeProvider.System);
    }

    public void Starting() => _notifier.Status("Starting: opening the spool, the lists and the interfaces");

    /// <summary>The sensor works: says so, and goes on saying how it is.</summary>
    /// <param name="pulses">Of the loops that must go round.</param>
    /// <param name="sentence">How it is now; called on a thread of the pool, may take a second.</param>
    public void Running(IReadOnlyList<Pulse> pulses, Func<string> sentence)
    {
        // Half the period for a round, so that a stuck loop is named in the log before systemd acts; what it acts on is the silence that follows.
        if (_notifier.WatchdogPeriod is { } period) _watchdog = new Watchdog(pulses, period / 2, _time);
        _sentence = sentence;
        _teller = new Timer(_ => Tell(), null, TimeSpan.Zero, _telling);
        _thread = new Thread(Speak) { Name = "service", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The same process begins anew. No sentence follows this one.</summary>
    public void Reloading() => Leave(() => _notifier.Reloading(s_reload, "Reloading: draining, then starting anew with the changed config"), again: null);

    /// <summary>It drains; systemd is asked for time until this is disposed of.</summary>
    public void Stopping() => Leave(Stop, again: Stop);

    bool Stop() => _notifier.Stopping(s_extension, "Stopping: what was captured is written to the spool");

    /// <summary>One line into systemctl's status at once, as after a config that was refused.</summary>
    public void Say(string sentence) => _notifier.Status(sentence);

    void Leave(Func<bool> word, Func<bool>? again)
    {
        End();
        lock (_saying)
        {
            _isLeaving = true;
            word();
        }
        if (again is null) return;
        _end.Reset();
        _thread = new Thread(() =>
        {
            long begin = _time.GetTimestamp();
            while (!_end.Wait(TimeSpan.FromSeconds(1)) && _time.GetElapsedTime(begin) < s_drain) again();
        }) { Name = "service", IsBackground = true };
        _thread.Start();
    }

    void Speak()
    {
        TimeSpan tick = _notifier.WatchdogPeriod / 6 ?? s_telling;
        bool isReady = false;
        do
        {
            // Until it was heard: without it the start counts as failed.
            isReady = isReady || _notifier.Ready();
            if (_watchdog is not null) Feed(_watchdog);
        }
        while (!_end.Wait(isReady ? tick : TimeSpan.FromSeconds(1)));
    }

    void Feed(Watchdog watchdog)
    {
        Pulse? stuck = watchdog.Stuck(out TimeSpan still);
        if (stuck is null)
        {
            if (_stuck.Length > 0) _log.Information("service: the {Loop} goes on", _stuck);
            _stuck = "";
            _notifier.Alive();
            return;
        }
        string seconds = still.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        bool isKnown;
        lock (_saying)
        {
            // First, so that no other sentence comes behind this one.
            isKnown = _stuck == stuck.Name;
            _stuck = stuck.Name;
            _notifier.Status($"The {stuck.Name} has been stuck for {seconds} s; unless it goes on, systemd starts the sensor anew");
        }
        if (isKnown) return;
        _log.Error("service: the {Loop} has been stuck for {Seconds} s; unless it goes on, systemd starts the sensor anew", stuck.Name, seconds);
    }

    void Tell()
    {
        // The one before is still at it; a stuck loop is the better word.
        if (Interlocked.Exchange(ref _told, 1) != 0) return;
        try
        {
            string sentence = _sentence!();
            lock (_saying)
            {
                if (!_isLeaving && _stuck.Length == 0) _notifier.Status(sentence);
            }
        }
        catch (Exception mistake)
        {
            _log.Error(mistake, "service: a mistake in nfr itself; the sensor goes on");
        }
        finally
        {
            Volatile.Write(ref _told, 0);
        }
    }

    void End()
    {
        _teller?.Change(Timeout.Infinite, Timeout.Infinite);
        _end.Set();
        _thread?.Join();
        _thread = null;
    }

    public void Dispose()
    {
        End();
        _teller?.Dispose();
        _notifier.Dispose();
        _end.Dispose();
    }
}
