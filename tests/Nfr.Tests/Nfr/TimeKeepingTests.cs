using Nfr.Health;
using Nfr.Native;

namespace Nfr.Tests.Nfr;

public sealed class TimeKeepingTests : IDisposable
{
    // Of chronyc 4.3, -c -n tracking.
    const string Kept = "C0000209,192.0.2.9,2,1795358141.212006320,-0.000005399,0.000000120,0.000000120,0.222,0.000,24.039,0.000014662,0.000148884,2.0,Normal\n";
    const string Free = "00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n";

    readonly string _folder = Directory.CreateTempSubdirectory("nfr-time-").FullName;
    readonly TimeKeepingPlaces _places;

    public TimeKeepingTests() => _places = new TimeKeepingPlaces(Path.Combine(_folder, "tracking"), Path.Combine(_folder, "timesync"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>In a unit that may not ask the kernel.</summary>
    ClockStatus? Fenced() => TimeKeeping.Read(_places, TimeProvider.System, () => null);

    [Fact]
    public void The_guess_of_the_start_holds_until_somebody_sets_the_clock_and_a_sensor_started_anew_says_the_same()
    {
        var time = new ManualTime();
        string file = Path.Combine(_folder, "clock");
        bool IsGuess() => TimeKeeping.IsGuess(file, time);
        Assert.False(IsGuess());
        time.Advance(TimeSpan.FromSeconds(4));
        File.WriteAllText(file, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{time.Utc.ToUnixTimeSeconds()} {time.GetElapsedTime(0).TotalSeconds - (time.Utc.ToUnixTimeMilliseconds() % 1000 / 1000.0):0.00}\n"));
        Assert.True(IsGuess());
        time.Advance(TimeSpan.FromDays(40));
        Assert.True(IsGuess());
        Assert.True(new ClockWatch(time, () => null, _places with { Guess = file }).Look().IsUnset(time.Utc));
        Assert.False(new ClockWatch(time, () => new ClockStatus(true, null, null, null), _places with { Guess = file }).Look().IsUnset(time.Utc));
        time.Utc += TimeSpan.FromSeconds(20);
        Assert.False(IsGuess());
        Assert.False(new ClockWatch(time, () => new ClockStatus(false, null, null, null), _places with { Guess = file }).Look().IsUnset(time.Utc));
        foreach (string rubbish in new[] { "", "1795358141", "a b", "1795358141 1e99", "1 2 3" })
        {
            File.WriteAllText(file, rubbish);
            Assert.False(IsGuess());
        }
    }

    [Fact]
    public void The_kernels_word_goes_first()
    {
        File.WriteAllText(_places.Chrony, Free);
        var kernel = new ClockStatus(true, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
        Assert.Equal(kernel, TimeKeeping.Read(_places, TimeProvider.System, () => kernel));
    }

    [Fact]
    public void Where_nobody_says_anything_it_is_not_known() => Assert.Null(Fenced());

    [Fact]
    public void Chronys_own_word_counts_behind_a_fence_while_it_is_fresh()
    {
        File.WriteAllText(_places.Chrony, Kept);
        ClockStatus clock = Assert.NotNull(Fenced());
        Assert.True(clock.IsSynchronised);
        Assert.InRange(clock.MaximumError!.Value.TotalMicroseconds, 161, 162);
        Assert.Equal((0.1, -5.3), (Math.Round(clock.EstimatedError!.Value.TotalMicroseconds, 1), Math.Round(clock.Offset!.Value.TotalMicroseconds, 1)));
        File.SetLastWriteTimeUtc(_places.Chrony, DateTime.UtcNow.AddMinutes(-4));
        Assert.Null(Fenced());
        File.SetLastWriteTimeUtc(_places.Chrony, DateTime.UtcNow.AddYears(1));
        Assert.Null(Fenced());
        File.WriteAllText(_places.Chrony, Free);
        Assert.False(Fenced()!.Value.IsSynchronised);
    }

    [Theory]
    // As chrony itself tells the kernel: further off than 16 s is unknown.
    [InlineData("C0000209,192.0.2.9,2,1.0,0.0,0.0,0.0,0,0,0,1.0,15.6,2.0,Normal", false)]
    [InlineData("C0000209,192.0.2.9,2,1.0,0.0,0.0,0.0,0,0,0,1.0,15.4,2.0,Normal", true)]
    [InlineData("C0000209,192.0.2.9,2,1.0,0.0,0.0,0.0,0,0,0,1.0,1.0,2.0,Insert second", true)]
    public void What_it_says_is_judged_as_the_kernel_would(string line, bool isKept) => Assert.Equal(isKept, TimeKeeping.OfTracking(line)!.Value.IsSynchronised);

    [Theory]
    [InlineData("")]
    [InlineData("506 Cannot talk to daemon")]
    [InlineData("a,b,c,d,e,f,g,h,i,j,k,l,m,n")]
    [InlineData("C0000209,192.0.2.9,2,1.0,NaN,0.0,0.0,0,0,0,1.0,1.0,2.0,Normal")]
    [InlineData("C0000209,192.0.2.9,2,1.0,1e300,0.0,0.0,0,0,0,1.0,1.0,2.0,Normal")]
    public void Rubbish_says_nothing(string line) => Assert.Null(TimeKeeping.OfTracking(line));

    [Fact]
    public void Timesyncds_last_answer_counts_and_how_far_off_the_clock_is_it_does_not_say()
    {
        Directory.CreateDirectory(_places.Timesync);
        Assert.False(Fenced()!.Value.IsSynchronised);
        string file = Path.Combine(_places.Timesync, "synchronized");
        File.WriteAllText(file, "");
        Assert.Equal(new ClockStatus(true, null, null, null), Fenced());
        File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-2));
        Assert.False(Fenced()!.Value.IsSynchronised);
    }
}
