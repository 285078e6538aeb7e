using System.Diagnostics;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Service;
using Nfr.Storage;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>
/// The one thread between the capture and log workers and the spool: empties their rings in turn and flushes when that is due. It ends when it was
/// told to finish and every ring is empty; the last flush comes after that.
/// </summary>
sealed class PipelineThread
{
    /// <summary>Events taken from one ring before the next has its turn.</summary>
    const int Turn = 256;

    /// <summary>
    /// The same for a log: a commit takes some 20 ms on a slow disk, so 50,000 lines/s want more of them than 500 in one. A power cut loses none of them,
    /// since their file has them still.
    /// </summary>
    const int LogTurn = 2048;

    /// <summary>The same for a log while a capture ring is more than a quarter full: frames do not wait, lines do.</summary>
    const int SmallTurn = 8;

    /// <summary>A sleeping pipeline wakes this often: the delay it adds to an event, and the wake-ups of an idle box (100 a second cost 0.1 % CPU).</summary>
    static readonly TimeSpan s_nap = TimeSpan.FromMilliseconds(10);

    /// <summary>Places behind lines that made no events are kept so often.</summary>
    static readonly TimeSpan s_keep = TimeSpan.FromSeconds(1);

    /// <summary>Those of captures first.</summary>
    readonly EventRing[] _rings;
    readonly EventStage _stage;
    readonly Spool? _spool;
    readonly ILogger _log;
    readonly Thread _thread;
    volatile bool _finish;
    readonly Action<EventType, int>? _spooled;
    readonly IReadOnlyList<IMarkedInput> _inputs;
    readonly long[] _told = new long[EventTypes.UploadedCount];
    string? _spoolTrouble;
    volatile PipelineShot? _asked;
    readonly HashSet<string> _placed = new(StringComparer.Ordinal);
    long _kept;

    /// <param name="rings">One for each capture worker and each log worker.</param>
    /// <param name="stage">What happens to an event.</param>
    /// <param name="spool">Flushed when due; null = nothing is kept.</param>
    /// <param name="log">For the few sentences of a failing spool.</param>
    /// <param name="spooled">Told after each flush how many events of a type are newly there; must be quick.</param>
    /// <param name="inputs">Whose marks come in grouped rings, by their numbers; their positions go with each flush.</param>
    public PipelineThread(IReadOnlyList<EventRing> rings, EventStage stage, Spool? spool, ILogger log, Action<EventType, int>? spooled = null, IReadOnlyList<IMarkedInput>? inputs = null)
    {
        _inputs = inputs ?? [];
        _spooled = spooled;
        _rings = [.. rings.OrderBy(r => r.IsGrouped)];
        _stage = stage;
        _spool = spool;
        _log = log;
        _thread = new Thread(Run) { Name = "pipeline", IsBackground = true };
    }

    /// <summary>Goes with each round over the rings, at least every few milliseconds; a commit is part of one.</summary>
    public Pulse Pulse { get; } = new("pipeline");

    /// <summary>Our own mistakes, counted; capture goes on (promise 6).</summary>
    public long Mistakes { get; private set; }

    /// <summary>Wants the counts of a moment at which no event is in hand: filled by the pipeline thread between two events.</summary>
    public void Ask(PipelineShot shot) => _asked = shot;

    public void Start() => _thread.Start();

    /// <summary>No more events will come: empty the rings, flush, end. False when that took longer than <paramref name="limit"/>.</summary>
    public bool Finish(TimeSpan limit)
    {
        _finish = true;
        return _thread.Join(limit);
    }

    void Run()
    {
        var sink = new StageSink(_stage, _inputs);
        while (true)
        {
            Pulse.Beat();
            // Read before looking at the rings: what was written before the sign is then seen.
            bool finish = _finish;
            if (_asked is { } asked) Answer(asked);
            int taken = 0;
            foreach (EventRing ring in _rings)
            {
                // A log's lines can wait where they are until the disk takes events again; frames cannot.
                if (!ring.IsGrouped) taken += Take(ring, ref sink, Turn);
                else if (finish || ring.IsHalfRead || _spool is null or { HasRoom: true }) taken += Take(ring, ref sink, IsPressed() ? SmallTurn : LogTurn);
            }
            if (_spool is not null && IsBetween()) Save(_spool, taken);
            if (taken > 0) continue;
            if (finish) break;
            Thread.Sleep(s_nap);
        }
        Finish();
        if (_spool is null) return;
        Keep(_spool);
        Flush();
    }

    /// <summary>No ring's group is half taken.</summary>
    bool IsBetween()
    {
        foreach (EventRing ring in _rings)
        {
            if (ring.IsHalfRead) return false;
        }
        return true;
    }

    /// <summary>Positions are asked for with each flush, so that a commit holds the events and the places behind them; else seldom, since each is a text.</summary>
    void Save(Spool spool, int taken)
    {
        bool due = spool.FlushDue;
        if (due || taken == 0 || Stopwatch.GetElapsedTime(_kept) >= s_keep)
        {
            _kept = Stopwatch.GetTimestamp();
            due |= Keep(spool);
        }
        if (due) Flush();
    }

    /// <summary>
    /// Between two groups: a position and the events before it go into one commit. True when an input has its first one: it is not waited with, since a
    /// file of which nothing is written down could be moved away and not be found again.
    /// </summary>
    bool Keep(Spool spool)
    {
        bool first = false;
        foreach (IMarkedInput input in _inputs)
        {
            try
            {
                if (input.Position() is not { } position) continue;
                spool.SetPosition(input.Key, position);
                first |= _placed.Add(input.Key);
            }
            catch (Exception mistake)
            {
                Report(mistake);
            }
        }
        return first;
    }

    void Finish()
    {
        try
        {
            _stage.Finish();
        }
        catch (Exception mistake)
        {
            Report(mistake);
            _stage.Abandon();
        }
    }

    void Answer(PipelineShot shot)
    {
        _asked = null;
        try
        {
            shot.Fill(_stage.Counters, _spool?.Counters, Mistakes);
        }
        catch (Exception mistake)
        {
            Report(mistake);
        }
    }

    bool IsPressed()
    {
        foreach (EventRing ring in _rings)
        {
            if (!ring.IsGrouped && ring.Waiting > ring.Capacity / 4) return true;
        }
        return false;
    }

    int Take(EventRing ring, ref StageSink sink, int turn)
    {
        try
        {
            return ring.Read(ref sink, turn);
        }
        catch (Exception mistake)
        {
            Report(mistake);
            _stage.Abandon();
            ring.SkipOne();
            return 1;
        }
    }

    void Report(Exception mistake)
    {
        Mistakes++;
        if (Mistakes is 1 or 10 or 100 or 1000)
            _log.Error(mistake, "pipeline: a mistake in nfr itself ({Count} so far); what met it is left out and the sensor goes on", Mistakes);
    }

    void Flush()
    {
        try
        {
            FlushSpool();
        }
        catch (Exception mistake)
        {
            Report(mistake);
        }
    }

    void FlushSpool()
    {
        SpoolFault? fault = _spool!.Flush();
        if (fault is null && _spooled is not null) TellSpooled();
        if (fault?.Message == _spoolTrouble) return;
        if (fault is not null) _log.Error("spool: {Fault}; events wait in memory and are tried again every second", fault.Message.TrimEnd('.'));
        else _log.Information("spool: writing again");
        _spoolTrouble = fault?.Message;
    }

    void TellSpooled()
    {
        foreach (EventType type in EventTypes.Uploaded)
        {
            long now = _stage.Counters.InScope[(int)type];
            if (now > _told[(int)type]) _spooled!(type, (int)Math.Min(int.MaxValue, now - _told[(int)type]));
            _told[(int)type] = now;
        }
    }
}
