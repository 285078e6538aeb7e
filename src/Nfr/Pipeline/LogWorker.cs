using Nfr.Events;
using Nfr.Logs;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// One thread for one input of logs, with a ring of its own. The input tells its faults itself and tries again; what ends its loop is a mistake of ours:
/// counted, told, and the loop begun anew.
/// </summary>
sealed class LogWorker : IDisposable
{
    /// <summary>A log waits in its file, so its ring has to last for one nap of the pipeline alone: 10 ms at 300,000 lines a second are 1 MiB.</summary>
    const int RingCapacity = 2 << 20;

    /// <summary>After a mistake of ours; longer than any log is worth reading in circles.</summary>
    static readonly TimeSpan s_restart = TimeSpan.FromSeconds(1);

    /// <summary>What the ring does not take by then is taken back and read again at the next start.</summary>
    static readonly TimeSpan s_drain = TimeSpan.FromSeconds(1);

    readonly ILogInput _input;
    readonly ILogger _log;
    readonly Thread _thread;
    readonly CancellationTokenSource _stop = new();
    readonly LogOutlet _outlet;
    volatile IReadOnlyList<LogCounters> _known;
    bool _disposed;

    public LogWorker(ILogInput input, ILogger log)
    {
        _input = input;
        _log = log;
        Ring = new EventRing(RingCapacity, grouped: true);
        _outlet = new LogOutlet(Ring, s_drain, _stop.Token);
        input.Open(_outlet);
        var first = new LogShot();
        _outlet.Ask(first);
        _outlet.Between();
        _known = first.Counters;
        _thread = new Thread(Run) { Name = "input " + input.Name, IsBackground = true };
    }

    public string Name => _input.Name;
    public EventRing Ring { get; }

    /// <summary>Our own mistakes, counted.</summary>
    public long Mistakes { get; private set; }

    /// <summary>How each source is; any thread.</summary>
    public IReadOnlyList<InputReport> Reports => _input.Reports;

    public void Start() => _thread.Start();

    public void RequestStop() => _stop.Cancel();

    public bool Join(TimeSpan limit) => _thread.Join(limit);

    /// <summary>Wants the counts of a moment at which no line is in hand: filled within a tenth of a second.</summary>
    public void Ask(LogShot shot)
    {
        _outlet.Ask(shot);
        // Its thread is done with everything: nobody else would answer.
        if (!_thread.IsAlive) _outlet.Between();
    }

    /// <summary>The shot's counts, or those of the last one that was filled.</summary>
    public IReadOnlyList<LogCounters> Known(LogShot shot) => shot.IsFilled ? _known = shot.Counters : _known;

    public void Dispose()
    {
        if (_disposed) return;
        _stop.Cancel();
        // An input that still runs must not lose what it stands on.
        if (_thread.IsAlive) return;
        _disposed = true;
        _input.Dispose();
        _stop.Dispose();
    }

    void Run()
    {
        while (!_stop.IsCancellationRequested && !_outlet.GaveUp)
        {
            try
            {
                _input.Run(_stop.Token);
                if (_stop.IsCancellationRequested) return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception mistake)
            {
                Report(mistake);
            }
            _outlet.Rollback();
            Pause();
        }
    }

    void Pause()
    {
        for (TimeSpan waited = TimeSpan.Zero; waited < s_restart && !_stop.IsCancellationRequested; waited += TimeSpan.FromMilliseconds(50))
        {
            _outlet.Between();
            _stop.Token.WaitHandle.WaitOne(50);
        }
    }

    void Report(Exception mistake)
    {
        Mistakes++;
        if (Mistakes is 1 or 10 or 100 or 1000)
            _log.Error(mistake, "input {Name}: a mistake in nfr itself ({Count} so far); it is begun anew where it stood, and the sensor goes on", Name, Mistakes);
    }
}
