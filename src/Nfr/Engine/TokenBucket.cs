namespace Nfr.Engine;

/// <summary>
/// A rate with a burst of ten seconds' worth. It is asked before the price is known and may run into debt, which is waited for: a batch is
/// never cut, and the average holds. Any thread.
/// </summary>
sealed class TokenBucket(double perSecond, TimeProvider time)
{
    const double BurstSeconds = 10;

    readonly Lock _lock = new();
    double _tokens = perSecond * BurstSeconds;
    long _last = time.GetTimestamp();

    /// <summary>Zero when it may go on; else how long to wait.</summary>
    public TimeSpan Wait()
    {
        lock (_lock)
        {
            long now = time.GetTimestamp();
            _tokens = Math.Min(perSecond * BurstSeconds, _tokens + (time.GetElapsedTime(_last, now).TotalSeconds * perSecond));
            _last = now;
            return _tokens > 0 ? TimeSpan.Zero : TimeSpan.FromSeconds((1 - _tokens) / perSecond);
        }
    }

    public void Take(long tokens)
    {
        lock (_lock) _tokens -= tokens;
    }
}
