namespace Nfr.Uplink;

/// <summary>
/// Wakes one waiter. A <see cref="Set"/> before or during the wait ends it; a Set after the waiter woke is kept unless it comes before the
/// waiter has begun the work that the Set asks for, so "at least one pass after each Set" holds.
/// </summary>
sealed class Signal
{
    TaskCompletionSource _set = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Set() => Volatile.Read(ref _set).TrySetResult();

    /// <summary>True when it was set, false when the time was over.</summary>
    public async Task<bool> WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancel)
    {
        try
        {
            await Volatile.Read(ref _set).Task.WaitAsync(atMost, time, cancel);
        }
        catch (TimeoutException)
        {
            return false;
        }
        Volatile.Write(ref _set, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return true;
    }
}
