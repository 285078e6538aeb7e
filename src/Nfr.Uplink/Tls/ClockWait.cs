namespace Nfr.Uplink;

/// <summary>A wait that ends early when the wall clock is set meanwhile: what failed only because of the clock need not wait for its back-off.</summary>
static class ClockWait
{
    static readonly TimeSpan s_look = TimeSpan.FromSeconds(1);
    /// <summary>A smaller correction makes no certificate valid.</summary>
    static readonly TimeSpan s_step = TimeSpan.FromMinutes(1);

    /// <param name="wait">At most so long.</param>
    /// <param name="time">Both clocks.</param>
    /// <param name="waitAsync">Waits so long, or shorter when there is another reason (then true).</param>
    public static async Task DelayAsync(TimeSpan wait, TimeProvider time, Func<TimeSpan, Task<bool>> waitAsync)
    {
        long began = time.GetTimestamp();
        DateTimeOffset wall = time.GetUtcNow();
        while (wait - time.GetElapsedTime(began) is { } left && left > TimeSpan.Zero)
        {
            if (await waitAsync(left < s_look ? left : s_look)) return;
            TimeSpan step = time.GetUtcNow() - wall - time.GetElapsedTime(began);
            if (step.Duration() >= s_step) return;
        }
    }

    public static Task DelayAsync(TimeSpan wait, TimeProvider time, CancellationToken cancel) => DelayAsync(wait, time, async span =>
    {
        await Task.Delay(span, time, cancel);
        return false;
    });
}
