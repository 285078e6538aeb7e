namespace Nfr.Service;

/// <summary>
/// Somebody wants the sensor to begin anew: a signal's thread or the fleet's rings, the main thread waits. Neither of the two can be taken back for sure once it has begun
/// (PosixSignalRegistration.Dispose does not wait for its callback), so a ring after the end is heard by nobody, and is no mistake.
/// </summary>
sealed class ReloadBell : IDisposable
{
    readonly Lock _lock = new();
    readonly AutoResetEvent _event = new(false);
    bool _isGone;

    /// <summary>To wait on, while this is not disposed.</summary>
    public WaitHandle Rung => _event;

    /// <summary>False when nobody waits any more. Any thread, also after the end.</summary>
    public bool Ring()
    {
        lock (_lock) return !_isGone && _event.Set();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _isGone = true;
            _event.Dispose();
        }
    }
}
