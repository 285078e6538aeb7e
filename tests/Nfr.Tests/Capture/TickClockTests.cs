using Nfr.Capture;

namespace Nfr.Tests.Capture;

public sealed class TickClockTests
{
    const long Second = 1_000_000_000;

    [Fact]
    public void Intervals_between_stamps_are_kept()
    {
        var clock = new TickClock();
        clock.Sample(monotonic: 100 * Second, wall: 5000 * Second);
        Assert.Equal(99 * Second, clock.Tick(4999 * Second));
        Assert.Equal(99 * Second + 7, clock.Tick(4999 * Second + 7));
        clock.Sample(monotonic: 101 * Second, wall: 5001 * Second);
        Assert.Equal(100 * Second + 7, clock.Tick(5000 * Second + 7));
    }

    [Theory]
    [InlineData(-86400)]
    [InlineData(86400)]
    public void A_step_of_the_wall_clock_does_not_show(long step)
    {
        var clock = new TickClock();
        clock.Sample(100 * Second, 5000 * Second);
        long before = clock.Tick(5000 * Second);
        clock.Sample(110 * Second, (5010 + step) * Second);
        Assert.Equal(10 * Second, clock.Tick((5010 + step) * Second) - before);
    }

    [Theory]
    [InlineData(-86400)]
    [InlineData(86400)]
    public void A_step_inside_a_block_costs_no_more_than_the_age_of_the_block(long step)
    {
        var clock = new TickClock();
        clock.Sample(100 * Second, 5000 * Second);
        long before = clock.Tick(5000 * Second);
        // Stamped before the step, sampled after it, 10 ms later.
        clock.Sample(100 * Second + 10_000_000, (5000 + step) * Second + 10_000_000);
        Assert.InRange(clock.Tick(5000 * Second + 5_000_000) - before, 0, 10_000_000);
    }

    [Fact]
    public void A_tick_never_steps_back_and_never_lies_ahead()
    {
        var clock = new TickClock();
        var random = new Random(3);
        long last = long.MinValue;
        for (long now = 0; now < 1000 * Second; now += Second)
        {
            clock.Sample(now, random.NextInt64(2000) * Second);
            for (int i = 0; i < 10; i++)
            {
                long tick = clock.Tick(random.NextInt64(2000) * Second);
                Assert.InRange(tick, last, now);
                last = tick;
            }
        }
    }
}
