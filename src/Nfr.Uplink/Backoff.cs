namespace Nfr.Uplink;

/// <summary>
/// Exponential back-off with full jitter: the n-th wait is uniform in (0, min(cap, base × 2ⁿ)], so that a thousand sensors that lost one
/// engine do not come back to it in one second.
/// </summary>
public sealed class Backoff(TimeSpan first, TimeSpan cap, Random random)
{
    int _failures;

    /// <summary>Failures in a row.</summary>
    public int Failures => _failures;

    public void Reset() => _failures = 0;

    /// <summary>Counts one more failure and gives the wait before the next try.</summary>
    public TimeSpan Next()
    {
        // 2^20 s is far above any cap; more would only overflow.
        double ceiling = Math.Min(cap.TotalSeconds, first.TotalSeconds * Math.Pow(2, Math.Min(_failures, 20)));
        _failures++;
        return TimeSpan.FromSeconds(ceiling * (1 - random.NextDouble()));
    }
}
