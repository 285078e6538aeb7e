namespace Nfr.Engine;

/// <summary>
/// One key's stamps as the clock of its site's detectors. What is uploaded late keeps its intervals, and no stamp moves the site's clock ahead of the engine's: so it
/// runs no further than time itself does and <see cref="MaxBacklog"/> besides. Stamps that are older than that or of the future (a sensor without a clock, a forger) are
/// moved by as much as brings the first of them to the edge, so that theirs keep their intervals too. Used under the turn of its site's lane.
/// </summary>
sealed class SensorClock
{
    /// <summary>So far behind the engine's clock may a site's be: longer outages have their beginning moved.</summary>
    public const long MaxBacklog = 7 * Day;
    /// <summary>So far behind its site's latest event may an event be: detectors need not look further back.</summary>
    public const long MaxLag = Day;
    const long Day = 86_400L * 1_000_000_000;
    /// <summary>Less is how clocks are.</summary>
    const long WorthCounting = 60L * 1_000_000_000;

    long _offset;

    /// <summary>The tick of an event, nanoseconds since 1970, between the earliest that may be and now.</summary>
    /// <param name="stamp">The event's own.</param>
    /// <param name="siteNow">The greatest tick of its site.</param>
    /// <param name="now">The engine's clock.</param>
    /// <param name="moved">-1: the stamp is too old to be used, 1: it is of the future, both by more than a minute; else 0.</param>
    public long TickOf(long stamp, long siteNow, long now, out int moved)
    {
        moved = 0;
        // The engine's clock may have been put back.
        long floor = Math.Min(Math.Max(now - MaxBacklog, siteNow - MaxLag), now);
        if (stamp >= floor && stamp <= now) return stamp;
        // Before 1970 is as good as 1970, and sums stay sums.
        stamp = Math.Max(stamp, 0);
        if (stamp < floor - WorthCounting) moved = -1;
        else if (stamp > now && stamp - now > WorthCounting) moved = 1;
        long tick = unchecked(stamp + _offset);
        if (tick >= floor && tick <= now) return tick;
        tick = stamp > now ? now : floor;
        _offset = tick - stamp;
        return tick;
    }
}
