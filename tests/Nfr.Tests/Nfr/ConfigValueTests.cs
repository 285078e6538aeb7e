using Nfr.Config;

namespace Nfr.Tests.Nfr;

public sealed class ConfigValueTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("0s", 0)]
    [InlineData("5m", 300_000)]
    [InlineData("30s", 30_000)]
    [InlineData("1h30m", 5_400_000)]
    [InlineData("300ms", 300)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData(".5s", 500)]
    [InlineData("5.s", 5_000)]
    [InlineData("1h2m3s4ms", 3_723_004)]
    [InlineData("1000000ns", 1)]
    [InlineData("1000us", 1)]
    [InlineData("1000µs", 1)]
    [InlineData("1000μs", 1)]
    [InlineData("-5m", -300_000)]
    [InlineData("+5m", 300_000)]
    [InlineData("48h", 172_800_000)]
    public void A_duration_reads_as_in_Go(string text, double milliseconds)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("5 m")]
    [InlineData("5M")]
    [InlineData("5d")]
    [InlineData(".s")]
    [InlineData("1..5s")]
    [InlineData("1.2.3s")]
    [InlineData("5m ")]
    [InlineData("--5m")]
    [InlineData("-")]
    [InlineData("3000000h")]
    [InlineData("99999999999999999999999999999999s")]
    public void What_Go_refuses_as_a_duration_is_refused(string text) => Assert.False(GoDuration.TryParse(text, out _));

    [Theory]
    [InlineData("5m")]
    [InlineData("1h30m")]
    [InlineData("24h")]
    [InlineData("300ms")]
    [InlineData("1m1.5s")]
    [InlineData("0s")]
    public void A_duration_is_written_as_it_reads(string text)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan duration));
        Assert.Equal(text, GoDuration.Format(duration));
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1024", 1024)]
    [InlineData("512MB", 512_000_000)]
    [InlineData("512 MB", 512_000_000)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("1.5gib", 3L << 29)]
    [InlineData("64KiB", 65536)]
    [InlineData("2TB", 2_000_000_000_000)]
    [InlineData("7B", 7)]
    public void A_size_reads(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
        Assert.True(ByteSize.TryParse(ByteSize.Format(read), out long again));
        Assert.Equal(read, again);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GB")]
    [InlineData("-1")]
    [InlineData("1G")]
    [InlineData("1 apple")]
    [InlineData("1..5MB")]
    [InlineData("99999999999999999999")]
    public void What_is_no_size_is_refused(string text) => Assert.False(ByteSize.TryParse(text, out _));

    [Theory]
    [InlineData("intrface", "interface")]
    [InlineData("buffersize", "buffer_size")]
    [InlineData("Level", "level")]
    [InlineData("lelve", "level")]
    [InlineData("colour", null)]
    [InlineData("x", null)]
    public void The_nearest_word_is_found_when_it_is_near(string word, string? nearest) =>
        Assert.Equal(nearest, Nearest.To(word, ["interface", "buffer_size", "level"]));
}
