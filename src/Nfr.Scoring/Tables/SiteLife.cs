namespace Nfr.Scoring.Tables;

/// <summary>How long one network has been watched, and how many clients it has: 600 bytes.</summary>
sealed class SiteLife
{
    const int ClientWords = 64;

    long _start = long.MinValue;
    int _lastHour;

    /// <summary>The greatest tick of this run.</summary>
    public long Now { get; private set; }

    /// <summary>Nanoseconds before this run.</summary>
    public long AgeBefore { get; set; }

    /// <summary>Hours in which something was recorded.</summary>
    public long ActiveHours { get; set; }

    /// <summary>Linear counting of clients.</summary>
    public ulong[] Clients { get; } = new ulong[ClientWords];

    public long Age => AgeBefore + (_start == long.MinValue ? 0 : Math.Max(0, Now - _start));

    public void Tell(long tick)
    {
        if (_start == long.MinValue) (_start, Now) = (tick, tick);
        Now = Math.Max(Now, tick);
    }

    public void Visit(int hour)
    {
        if (hour == _lastHour) return;
        _lastHour = hour;
        ActiveHours++;
    }
}
