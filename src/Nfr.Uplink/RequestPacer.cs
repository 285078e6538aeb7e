namespace Nfr.Uplink;

/// <summary>
/// Holds every request of one sensor to one engine: while the last one failed, or the caller's own last one did, requests start at least
/// <paramref name="spacing"/> apart, whoever makes them. While all is well nobody waits.
/// </summary>
public sealed class RequestPacer(TimeProvider time, TimeSpan spacing)
{
    readonly Lock _lock = new();
    bool _failing;
    bool _started;
    long _lastStart;

    public RequestPacer(TimeProvider time) : this(time, TimeSpan.FromSeconds(1))
    {
    }

    /// <summary>Waits for this caller's turn.</summary>
    public async Task EnterAsync(bool callerFailing, CancellationToken cancel)
    {
        while (true)
        {
            TimeSpan wait;
            lock (_lock)
            {
                wait = _started && (callerFailing || _failing) ? spacing - time.GetElapsedTime(_lastStart) : TimeSpan.Zero;
                if (wait <= TimeSpan.Zero)
                {
                    _started = true;
                    _lastStart = time.GetTimestamp();
                    return;
                }
            }
            // Several may wait for the same turn: the first to wake takes it, the others wait again.
            await Task.Delay(RoundedUp(wait), time, cancel);
        }
    }

    /// <summary>Says how the request went.</summary>
    public void Leave(bool failed)
    {
        lock (_lock) _failing = failed;
    }

    /// <summary>Timers count whole milliseconds and cut the rest, which would wake us a little early.</summary>
    static TimeSpan RoundedUp(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Ceiling(wait.TotalMilliseconds));
}
