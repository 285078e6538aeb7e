using System.Diagnostics;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Where a log input's thread puts events: a grouped ring. Parsers write a line's events, then whoever reads the file says <see cref="Commit"/>; until
/// then nothing of the line is anywhere. A full ring is waited for, since a file does not run away. One thread; only <see cref="Ask"/> is for others.
/// </summary>
public sealed class LogOutlet : IEventSink
{
    readonly EventRing _ring;
    readonly CancellationToken _stop;
    readonly TimeSpan _drain;
    readonly int[] _group = new int[EventTypes.Count];
    /// <summary>Of the group, what the pipeline has already: it cannot be taken back.</summary>
    readonly int[] _spilled = new int[EventTypes.Count];
    bool _hasSpilled;
    readonly List<LogCounters> _all = [];
    volatile LogShot? _asked;
    long _stopSeen;

    /// <param name="ring">Grouped; this is its producer.</param>
    /// <param name="drain">So long a full ring is waited for after the stop; what is not written by then is taken back, and read again at the next start.</param>
    /// <param name="stop">When to end.</param>
    public LogOutlet(EventRing ring, TimeSpan drain, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(ring);
        if (!ring.IsGrouped) throw new ArgumentException("A grouped ring is needed.", nameof(ring));
        (_ring, _stop, _drain) = (ring, stop, drain);
    }

    /// <summary>The ring took nothing for too long at a stop: the line in hand and all behind it are not taken any more.</summary>
    public bool GaveUp { get; private set; }

    /// <summary>The counters of an input, made at its first call. All are made before the first line.</summary>
    public LogCounters Open(string name)
    {
        var counters = new LogCounters(name);
        _all.Add(counters);
        return counters;
    }

    /// <summary>
    /// The line is done: its events and the place behind it go to the pipeline together, and it is counted.
    /// </summary>
    /// <param name="counters">Of its input.</param>
    /// <param name="mark">The place; <see cref="InputMark.None"/> for an input that keeps none.</param>
    /// <param name="verdict">What became of it; null = no line, what was held back went out.</param>
    /// <param name="bytes">Of the line with its end.</param>
    /// <returns>False when it was taken back, see <see cref="GaveUp"/>.</returns>
    public bool Commit(LogCounters counters, in InputMark mark, LineVerdict? verdict, int bytes)
    {
        ArgumentNullException.ThrowIfNull(counters);
        while (!GaveUp && !_ring.TryWriteMark(mark)) Wait();
        if (GaveUp) Rollback();
        for (int i = 0; i < _group.Length; i++)
        {
            counters.Events[i] += _group[i];
            _group[i] = _spilled[i] = 0;
        }
        _hasSpilled = false;
        if (GaveUp) return false;
        counters.Bytes += bytes;
        if (verdict is { } v) counters.Verdicts[(int)v]++;
        if (_asked is not null) Answer();
        return true;
    }

    /// <summary>Takes back what the line in hand has written so far.</summary>
    public void Rollback()
    {
        _ring.Rollback();
        _spilled.CopyTo(_group, 0);
    }

    /// <summary>Between two lines, also while none come: answers who asked. To be called ten times a second at least.</summary>
    public void Between()
    {
        if (_asked is not null && !_hasSpilled) Answer();
    }

    /// <summary>Wants the counts of a moment in which no line is in hand.</summary>
    public void Ask(LogShot shot) => _asked = shot;

    void Answer()
    {
        LogShot? shot = _asked;
        _asked = null;
        shot?.Fill(_all);
    }

    public void OnDns(scoped in DnsEvent e)
    {
        while (!GaveUp && !_ring.TryWriteDns(e)) Wait();
        _group[(int)EventType.Dns]++;
    }

    public void OnIp(scoped in IpEvent e)
    {
        while (!GaveUp && !_ring.TryWriteIp(e)) Wait();
        _group[(int)EventType.Ip]++;
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        while (!GaveUp && !_ring.TryWriteHttp(e)) Wait();
        _group[(int)EventType.Http]++;
    }

    public void OnTls(scoped in TlsEvent e)
    {
        while (!GaveUp && !_ring.TryWriteTls(e)) Wait();
        _group[(int)EventType.Tls]++;
    }

    public void OnHost(scoped in HostEvent e)
    {
        while (!GaveUp && !_ring.TryWriteHost(e)) Wait();
        _group[(int)EventType.Host]++;
    }

    public void OnAnomaly(scoped in AnomalyEvent e)
    {
        while (!GaveUp && !_ring.TryWriteAnomaly(e)) Wait();
        _group[(int)EventType.Anomaly]++;
    }

    public void OnSignature(scoped in SignatureEvent e)
    {
        while (!GaveUp && !_ring.TryWriteSignature(e)) Wait();
        _group[(int)EventType.Signature]++;
    }

    void Wait()
    {
        // What was written of this line is not counted yet, nor seen by the pipeline: who asks may be answered.
        if (_asked is not null && !_hasSpilled) Answer();
        // Nothing else is in the ring, and still there is no room: what many senders held back is more than it holds.
        if (_ring.IsEmpty && _ring.IsWithin)
        {
            _group.CopyTo(_spilled, 0);
            _hasSpilled = true;
            _ring.Spill();
            return;
        }
        if (_stop.IsCancellationRequested)
        {
            if (_stopSeen == 0) _stopSeen = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(_stopSeen) > _drain) GaveUp = true;
        }
        Thread.Sleep(1);
    }
}

/// <summary>The counts of a worker's inputs at a moment in which no line is in hand. Made by who asks, filled by the worker.</summary>
public sealed class LogShot
{
    volatile IReadOnlyList<LogCounters>? _counters;

    public bool IsFilled => _counters is not null;

    /// <summary>Empty until it is filled.</summary>
    public IReadOnlyList<LogCounters> Counters => _counters ?? [];

    internal void Fill(IReadOnlyList<LogCounters> counters) => _counters = [.. counters.Select(c => c.Copy())];
}
