using System.Diagnostics;

namespace Nfr.Faults.Servers;

/// <summary>
/// A time of which so many seconds pass in a real one: time-outs and back-offs of a minute are over in some seconds while sockets stay real. Timers never fire early, so whoever
/// must keep a distance is measured fairly on a busy machine too.
/// </summary>
sealed class FastTime(int times) : TimeProvider
{
    public override long TimestampFrequency => Stopwatch.Frequency / times;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Scaled(base.CreateTimer(callback, state, Real(dueTime), Real(period)), this);

    TimeSpan Real(TimeSpan time) => time <= TimeSpan.Zero ? time : TimeSpan.FromMilliseconds(Math.Ceiling(time.TotalMilliseconds / times));

    sealed class Scaled(ITimer timer, FastTime time) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(time.Real(dueTime), time.Real(period));

        public void Dispose() => timer.Dispose();

        public ValueTask DisposeAsync() => timer.DisposeAsync();
    }
}
