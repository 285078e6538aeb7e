namespace Nfr.Logs;

/// <summary>
/// Makes ticks of an input's stamps: detectors measure by a clock that never steps back. For what is read once (<c>nfr read</c>) it is the greatest
/// stamp so far. In a running sensor it is the tick of that moment on the machine's own clock, so that the events of a log and of a capture port
/// lie side by side; never later than now, never before the one before. What is older than <see cref="Late"/> is being caught up: its tick is its stamp,
/// which lies far behind any tick of the machine's (<see cref="Nfr.Events.EventContext.IsPast"/>), so that a day of old lines is never measured with the present.
/// </summary>
public sealed class LogClock
{
    /// <summary>A log that is written line by line is never so far behind.</summary>
    public static readonly TimeSpan Late = TimeSpan.FromMinutes(10);

    readonly TimeProvider? _time;
    readonly long _distance;
    long _last = long.MinValue;

    /// <param name="time">Of the running sensor; null = ticks are stamps.</param>
    public LogClock(TimeProvider? time)
    {
        _time = time;
        // Once: a clock that is set later must not move what was measured before.
        if (time is not null) _distance = Now(time) - ((time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100);
    }

    public long Tick(long stamp)
    {
        if (_time is null) return _last = Math.Max(_last, stamp);
        long now = Now(_time);
        // By stamps: a tick that was late once is compared with those that are not.
        _last = Math.Max(_last, Math.Min(stamp, now - _distance));
        return now - (_last + _distance) > Late.Ticks * 100 && _last >= Nfr.Events.EventContext.Past ? _last : Math.Max(0, _last + _distance);
    }

    /// <summary>Of what lasted, and is told at its end: the clock goes by the ends, as they come, and the tick is the beginning's.</summary>
    public long Tick(long stamp, long duration) => Math.Max(0, Tick(duration > long.MaxValue - stamp ? long.MaxValue : stamp + duration) - duration);

    /// <summary>What is read from now on may be older.</summary>
    public void Restart() => _last = long.MinValue;

    static long Now(TimeProvider time) => time.GetElapsedTime(0, time.GetTimestamp()).Ticks * 100;
}
