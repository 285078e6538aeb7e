namespace Nfr.Tests;

/// <summary>
/// Time that moves only when told; timers fire inside <see cref="Advance"/>, in order. The wall clock can be set by itself, as NTP does: no
/// interval and no timer moves with it.
/// </summary>
public sealed class ManualTime : TimeProvider
{
    static readonly DateTimeOffset s_begin = new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);

    readonly Lock _lock = new();
    readonly List<ManualTimer> _timers = [];
    TimeSpan _now;
    TimeSpan _jump;

    /// <summary>The wall clock.</summary>
    public DateTimeOffset Utc
    {
        get
        {
            lock (_lock) return s_begin + _jump + _now;
        }
        set
        {
            lock (_lock) _jump = value - s_begin - _now;
        }
    }

    public override DateTimeOffset GetUtcNow() => Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (_lock) return _now.Ticks;
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ManualTimer timer = new(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Time until the next timer; null = none is running.</summary>
    public TimeSpan? UntilNextTimer()
    {
        lock (_lock) return _timers.Count == 0 ? null : _timers.Min(timer => timer.Due) - _now;
    }

    public void Advance(TimeSpan by)
    {
        TimeSpan target;
        lock (_lock) target = _now + by;
        while (true)
        {
            ManualTimer? due;
            lock (_lock)
            {
                due = _timers.Where(timer => timer.Due <= target).MinBy(timer => timer.Due);
                if (due is null)
                {
                    _now = target;
                    return;
                }
                if (due.Due > _now) _now = due.Due;
                _timers.Remove(due);
            }
            due.Fire();
        }
    }

    sealed class ManualTimer(ManualTime owner, TimerCallback callback, object? state) : ITimer
    {
        TimeSpan _period = Timeout.InfiniteTimeSpan;

        public TimeSpan Due { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                owner._timers.Remove(this);
                _period = period;
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = owner._now + dueTime;
                owner._timers.Add(this);
            }
            return true;
        }

        public void Fire()
        {
            if (_period > TimeSpan.Zero) Change(_period, _period);
            callback(state);
        }

        public void Dispose()
        {
            lock (owner._lock) owner._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
