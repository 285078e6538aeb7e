namespace Nfr.Scoring.Tables;

/// <summary>Roughly how many different things were seen within the last period and the one before: what is counted is never all forgotten at once. 48 bytes.</summary>
struct RecentDistinct
{
    Distinct _now;
    Distinct _before;
    long _start;
    bool _isBegun;

    /// <param name="hash">A mixed key.</param>
    /// <param name="tick">When it was seen; one that is earlier than others counts with them.</param>
    /// <param name="period">Nanoseconds, the same each time.</param>
    public void Add(ulong hash, long tick, long period)
    {
        long passed = tick - _start;
        if (!_isBegun || passed >= 2 * period) this = new RecentDistinct { _start = tick, _isBegun = true };
        else if (passed >= period) (_before, _now, _start) = (_now, default, _start + period);
        _now.Add(hash);
    }

    /// <summary>Those of the last one to two periods.</summary>
    public readonly int Count(long tick, long period)
    {
        long passed = tick - _start;
        if (!_isBegun || passed >= 2 * period) return 0;
        return passed >= period ? _now.Count : _now.With(in _before).Count;
    }
}
