namespace Nfr.Logs;

/// <summary>
/// Makes ticks of an input's stamps: detectors measure by a clock that never steps back. For what is read once (<c>nfr read</c>) it is the greatest
/// stamp so far. In a running sensor it is the tick of that moment on the machine's own clock, so that the events of a log and of a capture port
/// lie side by side; never later than now, never before the one before.
/// </summary>
public sealed class LogClock
{
    /// <summary>73 years.</summary>
    public const long LongestDuration = long.MaxValue / 4;
    /// <summary>A log tells of a connection up to an hour after its last packet: when it was silent for so long, or when the log is turned.</summary>
    const long Lateness = 3_600_000_000_000;

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

    /// <summary>
    /// Of something that took so long and is told of at its end: when it began. It lies before what began later and was told of earlier, as a flow of a capture
    /// port does, and its end never later than now. One that ended long before what was told of before it is of a clock that was set back.
    /// </summary>
    /// <param name="stamp">Of its beginning.</param>
    /// <param name="duration">Nanoseconds, not negative; what is longer than <see cref="LongestDuration"/> counts as that.</param>
    public long Tick(long stamp, long duration)
    {
        duration = Math.Clamp(duration, 0, LongestDuration);
        long end = Math.Clamp(stamp, -LongestDuration * 2, LongestDuration * 2) + _distance + duration;
        if (_time is not null) end = Math.Min(end, Now(_time));
        if (end + Lateness < _last) end = _last;
        _last = Math.Max(_last, end - duration);
        return end - duration;
    }

    static long Now(TimeProvider time) => time.GetElapsedTime(0, time.GetTimestamp()).Ticks * 100;
}
