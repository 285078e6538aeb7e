namespace Nfr.Panel.Screens;

/// <summary>Packets per second of the last two minutes, one value a second of a monotonic clock; a second without news repeats the last. One thread.</summary>
sealed class RateHistory
{
    public const int Seconds = 120;

    readonly double[] _ring = new double[Seconds];
    long _last = -1;
    int _count;

    /// <summary>Oldest first; a copy, for a state that stays as it is.</summary>
    public IReadOnlyList<double> Take(double rate, TimeSpan now)
    {
        long second = (long)now.TotalSeconds;
        if (_last < 0) _last = second - 1;
        double before = _count > 0 ? _ring[_last % Seconds] : rate;
        for (long s = Math.Max(_last + 1, second - Seconds + 1); s <= second; s++)
        {
            _ring[s % Seconds] = s == second ? rate : before;
            _count = Math.Min(Seconds, _count + 1);
        }
        if (second >= _last) _last = second;
        _ring[_last % Seconds] = rate;
        var rates = new double[_count];
        for (int i = 0; i < _count; i++) rates[i] = _ring[(_last - _count + 1 + i) % Seconds];
        return rates;
    }
}
