namespace Nfr.Uplink;

/// <summary>A wait that ends early when the wall clock was set since <see cref="Mark"/>: what failed only because of the clock need not wait for its back-off. One thread.</summary>
sealed class ClockWait(TimeProvider time)
{
    static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    /// <summary>A smaller correction makes no certificate valid.</summary>
    static readonly TimeSpan s_step = TimeSpan.FromMinutes(1);

    long _began = time.GetTimestamp();
    DateTimeOffset _wall = time.GetUtcNow();

    /// <summary>Before what may fail: the clock may be set while it does.</summary>
    public void Mark() => (_began, _wall) = (time.GetTimestamp(), time.GetUtcNow());

    /// <param name="wait">At most so long.</param>
    /// <param name="waitAsync">Waits so long, or shorter when there is another reason (then true).</param>
    public async Task DelayAsync(TimeSpan wait, Func<TimeSpan, Task<bool>> waitAsync)
    {
        long from = time.GetTimestamp();
        while (wait - time.GetElapsedTime(from) is { } left && left > TimeSpan.Zero)
        {
            TimeSpan step = time.GetUtcNow() - _wall - time.GetElapsedTime(_began);
            if (step.Duration() >= s_step || await waitAsync(left < s_look ? left : s_look)) return;
        }
    }

    public Task DelayAsync(TimeSpan wait, CancellationToken cancel) => DelayAsync(wait, async span =>
    {
        await Task.Delay(span, time, cancel);
        return false;
    });
}
