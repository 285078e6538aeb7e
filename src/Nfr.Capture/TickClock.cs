namespace Nfr.Capture;

/// <summary>
/// Turns kernel stamps (wall clock) into ticks (a clock that never steps). Each <see cref="Sample"/> takes the distance between
/// the two clocks afresh. A step of the wall clock between a frame's stamp and the sample would throw that frame's tick off by the
/// step; it is held between the tick before and now, so it can be wrong by no more than the age of its block.
/// </summary>
struct TickClock
{
    long _distance;
    long _now;
    long _last;

    public TickClock() => _last = long.MinValue;

    /// <param name="monotonic">Nanoseconds on the clock that never steps, read at the same moment as:</param>
    /// <param name="wall">nanoseconds since 1970 UTC.</param>
    public void Sample(long monotonic, long wall)
    {
        _distance = monotonic - wall;
        _now = monotonic;
    }

    /// <summary>The tick of a frame that was stamped before the sample; never less than the one before.</summary>
    public long Tick(long stamp) => _last = Math.Max(_last, Math.Min(stamp + _distance, _now));
}
