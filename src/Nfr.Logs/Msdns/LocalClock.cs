namespace Nfr.Logs;

/// <summary>
/// From a server's local time to UTC. An hour that the clock goes through twice is taken for the first of the two, until the log steps back within it by
/// more than half an hour: from there on that day, for the second. A time that the clock skipped is read as if it had not been set forward yet.
/// </summary>
sealed class LocalClock(TimeZoneInfo zone)
{
    static readonly TimeSpan s_stepBack = TimeSpan.FromMinutes(30), s_aside = TimeSpan.FromHours(3);

    DateTime _last;
    DateTime _secondDay;

    /// <summary>Nanoseconds since 1970 UTC; years from 1678 to 2261.</summary>
    public long ToNanoseconds(DateTime local)
    {
        TimeSpan offset;
        if (zone.IsAmbiguousTime(local))
        {
            if (_last - local > s_stepBack && _last.Date == local.Date) _secondDay = local.Date;
            offset = zone.GetUtcOffset(_secondDay == local.Date ? local + s_aside : local - s_aside);
        }
        else offset = zone.GetUtcOffset(zone.IsInvalidTime(local) ? local - s_aside : local);
        _last = local;
        return Nanoseconds(local, offset);
    }

    /// <summary>The same of a time that says its offset itself.</summary>
    public static long Nanoseconds(DateTime local, TimeSpan offset) => (local.Ticks - DateTime.UnixEpoch.Ticks - offset.Ticks) * 100;
}
