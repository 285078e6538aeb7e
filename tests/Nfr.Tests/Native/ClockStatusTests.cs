using Nfr.Native;

namespace Nfr.Tests.Native;

public class ClockStatusTests
{
    [Fact]
    public void The_kernel_answers_and_its_errors_are_in_order()
    {
        ClockStatus? clock = ClockStatus.Read();
        // A sandbox may forbid the call.
        if (clock is null) return;
        Assert.InRange(clock.Value.MaximumError!.Value, TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.InRange(clock.Value.EstimatedError!.Value, TimeSpan.Zero, TimeSpan.FromHours(1));
        Assert.InRange(clock.Value.Offset!.Value, -TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        Assert.True(clock.Value.IsSynchronised || clock.Value.MaximumError >= TimeSpan.FromSeconds(16));
    }

    [Fact]
    public void A_clock_that_nobody_keeps_is_not_synchronised() => Assert.False(ClockStatus.Of(0x40, 16_000_000, 16_000_000, 0).IsSynchronised);

    [Fact]
    public void A_kept_clock_is_synchronised_though_the_kernel_is_not_to_write_the_hardware_clock() => Assert.True(ClockStatus.Of(0x2040, 900, 31_000, 0).IsSynchronised);

    [Fact]
    public void The_offset_is_in_the_unit_that_the_status_says()
    {
        Assert.Equal(TimeSpan.FromMicroseconds(250), ClockStatus.Of(0x2001, 900, 31_000, 250_000).Offset);
        Assert.Equal(TimeSpan.FromMilliseconds(250), ClockStatus.Of(0x0001, 900, 31_000, 250_000).Offset);
        Assert.Equal(TimeSpan.FromMicroseconds(900), ClockStatus.Of(0x0001, 900, 31_000, 0).EstimatedError);
    }
}
