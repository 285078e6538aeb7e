using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

public sealed class LogClockTests
{
    const long Second = 1_000_000_000;

    static long Stamp(TimeProvider time) => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    static long Now(TimeProvider time) => time.GetElapsedTime(0, time.GetTimestamp()).Ticks * 100;

    [Fact]
    public void A_line_of_this_moment_lies_beside_a_frame_of_it_and_one_of_the_future_is_of_now()
    {
        var time = new ManualTime();
        time.Advance(TimeSpan.FromHours(1));
        var clock = new LogClock(time);
        Assert.Equal(Now(time) - Second, clock.Tick(Stamp(time) - Second));
        Assert.Equal(Now(time), clock.Tick(Stamp(time) + (3600 * Second)));
        Assert.Equal(Now(time), clock.Tick(Stamp(time) - Second));
    }

    [Fact]
    public void What_is_caught_up_has_its_own_intervals_and_is_marked_as_past_until_it_is_of_now()
    {
        var time = new ManualTime();
        var clock = new LogClock(time);
        long day = Stamp(time) - (86_400 * Second);
        // Older than the machine runs: no tick is below nothing.
        for (int i = 0; i < 100; i++)
        {
            var context = new EventContext { Tick = clock.Tick(day + (i * 60 * Second)) };
            Assert.Equal((true, day + (i * 60 * Second)), (context.IsPast, context.Tick));
        }
        var live = new EventContext { Tick = clock.Tick(Stamp(time)) };
        Assert.Equal((false, Now(time)), (live.IsPast, live.Tick));
        // One old stamp among those of now is no step back.
        Assert.Equal(live.Tick, clock.Tick(day));
    }

    [Fact]
    public void A_connection_that_is_told_when_it_ends_began_when_it_did()
    {
        var time = new ManualTime();
        time.Advance(TimeSpan.FromHours(12));
        var clock = new LogClock(time);
        long now = Stamp(time);
        Assert.Equal(Now(time) - Second, clock.Tick(now - Second));
        // Ten hours long and over now: neither ends in ten hours nor began now.
        Assert.Equal(Now(time) - (36_000 * Second), clock.Tick(now - (36_000 * Second), 36_000 * Second));
        Assert.Equal(Now(time), clock.Tick(now));
        Assert.InRange(clock.Tick(now, long.MaxValue), 0, Now(time));
        var read = new LogClock(null);
        Assert.Equal(100, read.Tick(100, 50));
        Assert.Equal(110, read.Tick(110, 40));
        Assert.Equal(120, read.Tick(100, 30));
    }

    [Fact]
    public void Another_file_may_begin_earlier()
    {
        var clock = new LogClock(null);
        Assert.Equal(1000, clock.Tick(1000));
        Assert.Equal(1000, clock.Tick(10));
        clock.Restart();
        Assert.Equal(10, clock.Tick(10));
    }
}
