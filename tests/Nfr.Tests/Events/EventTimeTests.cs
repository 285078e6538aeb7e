using System.Text;
using Nfr.Events;

namespace Nfr.Tests.Events;

public sealed class EventTimeTests
{
    [Theory]
    [InlineData(1_535_967_587_000_000_000, "2018-09-03T09:39:47Z")]
    [InlineData(1_535_967_587_123_456_000, "2018-09-03T09:39:47.123456Z")]
    [InlineData(1_535_967_587_100_000_000, "2018-09-03T09:39:47.1Z")]
    [InlineData(1_535_967_587_000_000_001, "2018-09-03T09:39:47.000000001Z")]
    [InlineData(1_700_000_001_000_007_919, "2023-11-14T22:13:21.000007919Z")]
    [InlineData(0, "1970-01-01T00:00:00Z")]
    [InlineData(-1, "1969-12-31T23:59:59.999999999Z")]
    [InlineData(long.MinValue, "1677-09-21T00:12:43.145224192Z")]
    [InlineData(long.MaxValue, "2262-04-11T23:47:16.854775807Z")]
    public void A_stamp_is_written_as_the_api_has_it(long nanoseconds, string expected)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        Assert.Equal(expected, Encoding.ASCII.GetString(text[..EventTime.Format(nanoseconds, text)]));
    }

    [Theory]
    [InlineData(1_535_967_587, "2018-09-03T09:39:47Z")]
    [InlineData(253_402_300_799, "9999-12-31T23:59:59Z")]
    [InlineData(253_402_300_800, "")]
    [InlineData(-62_135_596_799, "0001-01-01T00:00:01Z")]
    [InlineData(-62_135_596_800, "")]
    [InlineData(TlsEvent.NoTime, "")]
    public void A_date_that_means_none_is_not_written(long seconds, string expected)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        Assert.Equal(expected, Encoding.ASCII.GetString(text[..EventTime.FormatSeconds(seconds, text)]));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(1, "0.000000001")]
    [InlineData(12_500_000_000, "12.5")]
    [InlineData(3_000_000_000, "3")]
    [InlineData(-5, "0")]
    public void A_duration_is_decimal_seconds(long nanoseconds, string expected)
    {
        Span<byte> text = stackalloc byte[EventTime.MaxLength];
        Assert.Equal(expected, Encoding.ASCII.GetString(text[..EventTime.FormatDuration(nanoseconds, text)]));
    }
}
