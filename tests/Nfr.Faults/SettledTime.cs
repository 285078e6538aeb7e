using System.Diagnostics;
using Nfr.Tests;

namespace Nfr.Faults;

/// <summary>
/// Virtual time that moves only while every loop of the code under test rests on a timer of its own. So a loop never misses a second because the machine
/// was busy, and three days pass in minutes. A loop at rest has exactly one timer; the deadline of a request in flight does not count as rest, and is
/// known by its odd length.
/// </summary>
sealed class SettledTime(int loops) : TimeProvider
{
    /// <summary>Give this to whatever guards a request: such a timer is nobody's rest.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromMilliseconds(30_001);

    /// <summary>Of real time; a loop that does not rest within it is stuck.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    readonly ManualTime _inner = new();
    int _resting;
    long _created, _expected;

    /// <summary>Since the start.</summary>
    public TimeSpan Elapsed => TimeSpan.FromTicks(_inner.GetTimestamp());

    /// <summary>The wall clock; setting it moves no interval.</summary>
    public DateTimeOffset Utc
    {
        get => _inner.Utc;
        set => _inner.Utc = value;
    }

    /// <summary>For whoever may be tempted to use it.</summary>
    public TimeZoneInfo Zone { get; set; } = TimeZoneInfo.Utc;

    public override TimeZoneInfo LocalTimeZone => Zone;
    public override long TimestampFrequency => _inner.TimestampFrequency;
    public override DateTimeOffset GetUtcNow() => _inner.GetUtcNow();
    public override long GetTimestamp() => _inner.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        dueTime == Deadline || dueTime == Timeout.InfiniteTimeSpan ? _inner.CreateTimer(callback, state, dueTime, period) : new Rest(this, callback, state, dueTime, period);

    /// <summary>Moves on from timer to timer; after each the loops come to rest again.</summary>
    public void Advance(TimeSpan by)
    {
        TimeSpan end = Elapsed + by;
        Settle();
        while (Elapsed < end)
        {
            TimeSpan left = end - Elapsed;
            TimeSpan step = _inner.UntilNextTimer() is { } next && next < left ? next : left;
            _inner.Advance(step < TimeSpan.Zero ? TimeSpan.Zero : step);
            Settle();
        }
    }

    /// <summary>
    /// A loop was woken by another and not by its timer, so that it still has the one that it rested on: the loops rest again when so many new timers were made.
    /// </summary>
    public void Expect(int timers) => Interlocked.Exchange(ref _expected, Interlocked.Read(ref _created) + timers);

    /// <summary>Waits, in real time, until every loop rests.</summary>
    public void Settle()
    {
        long begin = Stopwatch.GetTimestamp();
        var spin = new SpinWait();
        while (Volatile.Read(ref _resting) != loops || Interlocked.Read(ref _created) < Interlocked.Read(ref _expected))
        {
            spin.SpinOnce(sleep1Threshold: 50);
            if (Stopwatch.GetElapsedTime(begin) > s_limit) throw new TimeoutException($"{_resting} of {loops} loops rest after {s_limit.TotalSeconds:0} s");
        }
    }

    sealed class Rest : ITimer
    {
        readonly SettledTime _owner;
        readonly TimerCallback _callback;
        readonly ITimer _timer;
        int _counted;

        public Rest(SettledTime owner, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            (_owner, _callback, _counted) = (owner, callback, 1);
            _timer = owner._inner.CreateTimer(Fire, state, dueTime, period);
            // Counted when it is there: as soon as all are counted, time goes on.
            Interlocked.Increment(ref owner._resting);
            Interlocked.Increment(ref owner._created);
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            bool changed = _timer.Change(dueTime, period);
            if (dueTime == Timeout.InfiniteTimeSpan) Uncount();
            else if (Interlocked.Exchange(ref _counted, 1) == 0) Interlocked.Increment(ref _owner._resting);
            return changed;
        }

        void Fire(object? state)
        {
            Uncount();
            _callback(state);
        }

        void Uncount()
        {
            if (Interlocked.Exchange(ref _counted, 0) == 1) Interlocked.Decrement(ref _owner._resting);
        }

        public void Dispose()
        {
            Uncount();
            _timer.Dispose();
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
