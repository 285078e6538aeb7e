namespace Nfr.Logs;

/// <summary>
/// Makes ticks of an input's stamps: detectors measure by a clock that never steps back. For what is read once (<c>nfr read</c>) it is the greatest
/// stamp so far. In a running sensor it is the tick of that moment on the machine's own clock, so that the events of a log and of a capture port
/// lie side by side; never later than now, never before the one before.
/// </summary>
public sealed class LogClock
{
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
        long tick = _time is null ? stamp : Math.Min(stamp + _distance, Now(_time));
        return _last = Math.Max(_last, tick);
    }

    static long Now(TimeProvider time) => time.GetElapsedTime(0, time.GetTimestamp()).Ticks * 100;
}
