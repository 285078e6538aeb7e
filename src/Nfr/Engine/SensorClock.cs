namespace Nfr.Engine;

/// <summary>
/// One sensor's stamps as the clock of its site's detectors. What is uploaded late keeps its intervals, and no stamp moves the site's clock ahead of the engine's: so it
/// runs no further than time itself does and <see cref="MaxBacklog"/> besides. By how much a sensor's clock is wrong is known by what it says of it (<see cref="Begin"/>), else by the
/// first stamp of the future; all its stamps are then moved by the same, so that their intervals and order stay. Used under the turn of its site's lane.
/// </summary>
sealed class SensorClock
{
    /// <summary>So far behind the engine's clock may a site's be: longer outages have their beginning moved.</summary>
    public const long MaxBacklog = 7 * Day;
    const long Day = 86_400 * Second, Second = 1_000_000_000;
    /// <summary>Less is how clocks are; more, and stamps are moved.</summary>
    public const long MaxError = 5 * Second;
    /// <summary>A request may be so long on its way, which looks as if its clock were behind.</summary>
    const long MaxDelay = 30 * Second;
    /// <summary>A Date is whole seconds, cut: its clock may be ahead of it by so much.</summary>
    const long DateUnit = Second;
    /// <summary>The year 2116: sums of two such are numbers still.</summary>
    const long MaxStamp = 1L << 62;

    /// <summary>Is added to each stamp.</summary>
    long _offset;
    /// <summary>Besides, to those older than any backlog: of before its clock was set.</summary>
    long _past;
    bool _said;

    /// <summary>A body comes.</summary>
    /// <param name="sent">The sensor's own clock; null when it does not say.</param>
    /// <param name="at">The engine's then.</param>
    public void Begin(DateTimeOffset? sent, DateTimeOffset at)
    {
        _said = sent is not null;
        if (sent is not { } date) return;
        long behind = Nanoseconds(at) - Nanoseconds(date) - DateUnit;
        // As it was, unless it was set since: what is measured each time anew would make the intervals tremble.
        if (behind - _offset is >= -MaxError and <= MaxDelay) return;
        _offset = behind is >= -MaxError and <= MaxDelay ? 0 : behind;
    }

    static long Nanoseconds(DateTimeOffset time) => Math.Clamp((time - DateTimeOffset.UnixEpoch).Ticks, 0, MaxStamp / 100) * 100;

    /// <summary>The tick of an event, nanoseconds since 1970, between the earliest that may be and now.</summary>
    /// <param name="stamp">The event's own.</param>
    /// <param name="now">The engine's clock.</param>
    /// <param name="moved">-1: the stamp is too old to be used, 1: it is of the future, both by more than <see cref="MaxError"/>; else 0.</param>
    public long TickOf(long stamp, long now, out int moved)
    {
        long floor = now - MaxBacklog;
        // Before 1970 is as good as 1970, and sums stay sums.
        stamp = Math.Clamp(stamp, 0, MaxStamp);
        long tick = InRange(stamp, floor, now);
        moved = tick - stamp > MaxError ? -1 : stamp - tick > MaxError ? 1 : 0;
        return tick;
    }

    long InRange(long stamp, long floor, long now)
    {
        long tick = stamp + _offset;
        if (tick > now)
        {
            // Of one that has said how late it is, the stamp is wrong and not the clock.
            if (!_said) _offset = now - stamp;
            return now;
        }
        if (tick >= floor) return tick;
        if (!_said && stamp >= floor && stamp <= now)
        {
            // It is right again.
            _offset = 0;
            return stamp;
        }
        long back = Math.Clamp(tick + _past, floor, now);
        _past = back - tick;
        return back;
    }
}

/// <summary>The clocks of a key's sensors, by their names (X-NFR-Sensor); those that say none share one. Any thread.</summary>
sealed class SensorClocks
{
    /// <summary>Sensors of one key; of more, the one longest unheard of is forgotten. About 200 bytes each.</summary>
    const int Kept = 8;
    const int MaxName = 64;

    readonly Lock _lock = new();
    readonly List<(string Sensor, SensorClock Clock)> _clocks = new(0);

    public SensorClock Of(string sensor)
    {
        if (sensor.Length > MaxName) sensor = "";
        lock (_lock)
        {
            int at = _clocks.FindIndex(c => c.Sensor == sensor);
            (string, SensorClock Clock) found = at < 0 ? (sensor, new SensorClock()) : _clocks[at];
            if (at >= 0) _clocks.RemoveAt(at);
            else if (_clocks.Count == Kept) _clocks.RemoveAt(0);
            _clocks.Add(found);
            return found.Clock;
        }
    }
}
