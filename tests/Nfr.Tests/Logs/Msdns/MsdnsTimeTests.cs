using System.Globalization;
using System.Text;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>Dates and times in every language of Windows, and by Go's layouts.</summary>
public sealed class MsdnsTimeTests
{
    static MsdnsTime Time(TimeZoneInfo? zone = null) => new(zone ?? TimeZoneInfo.Utc, new ManualTime());

    static string? Read(MsdnsTime time, byte[] text) =>
        time.TryRead(text, out long ns) ? DateTime.UnixEpoch.AddTicks(ns / 100).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) : null;

    static string? Read(MsdnsTime time, string text) => Read(time, Encoding.UTF8.GetBytes(text));

    [Theory]
    [InlineData("1/20/2026 11:00:16 PM")]
    [InlineData("20.01.2026 23:00:16")]
    [InlineData("20.01.26 23:00:16")]
    [InlineData("20. 1. 2026 23:00:16")]
    [InlineData("20. 1. 2026. 23:00:16")]
    [InlineData("2026. 01. 20. 23:00:16")]
    [InlineData("2026-01-20 23:00:16")]
    [InlineData("2026/01/20 11:00:16 PM")]
    [InlineData("20260120 23:00:16")]
    [InlineData("20-01-2026 23:00:16")]
    [InlineData("20/01/2026 23:00:16")]
    [InlineData("20/1/2026 11:00:16 p.m.")]
    [InlineData("20/1/2026 11:00:16 p. m.")]
    [InlineData("20/1/2026 11:00:16\u202Fp.\u00A0m.")]
    [InlineData("20.1.2026 23.00.16")]
    [InlineData("20-Jan-26 23:00:16")]
    [InlineData("Jan 20 2026 23:00:16")]
    [InlineData("2026/1/20 下午 11:00:16")]
    [InlineData("2026/01/20 午後 11:00:16")]
    [InlineData("2026-01-20 오후 11:00:16")]
    [InlineData("20/1/2026 11:00:16 μμ")]
    [InlineData("20/01/2026 11:00:16 م")]
    [InlineData("20/01/2026 11:00:16 CH")]
    [InlineData("20.1.2026 11:00:16 ip.")]
    [InlineData("2026.01.20. 11:00:16 du.")]
    [InlineData("20.1.2026 г. 23:00:16")]
    [InlineData("20/1/2569 23:00:16")]
    [InlineData("1404/10/30 11:00:16 ب.ظ")]
    [InlineData("01/08/1447 11:00:16 م")]
    [InlineData("\u200F20/01/2026\u200E 11:00:16 PM")]
    [InlineData("2026-01-20T23:00:16")]
    public void Every_language_s_date_and_time_is_read(string text) => Assert.Equal("2026-01-20 23:00:16.", Read(Time(), text) + ".");

    [Theory]
    [InlineData("2026/1/20 ", "CFC2CEE7", " 11:00:16")]
    [InlineData("2026/1/20 ", "A455A4C8", " 11:00:16")]
    [InlineData("2026/01/20 ", "8CDF8CE3", " 11:00:16")]
    [InlineData("2026-01-20 ", "BFC0C8C4", " 11:00:16")]
    [InlineData("20/1/2026 11:00:16 ", "ECEC", "")]
    [InlineData("20/01/2026 11:00:16 ", "E3", "")]
    [InlineData("20.1.2026 ", "E3", ". 23:00:16")]
    [InlineData("20.1.2026 11:00:16 ", "D653", "")]
    public void The_code_pages_of_servers_are_known(string before, string hex, string behind) =>
        Assert.Equal("2026-01-20 23:00:16", Read(Time(), [.. Encoding.ASCII.GetBytes(before), .. Convert.FromHexString(hex), .. Encoding.ASCII.GetBytes(behind)]));

    [Theory]
    [InlineData("12:00:00 AM", "00:00:00")]
    [InlineData("12:30:00 PM", "12:30:00")]
    [InlineData("12:30:00 上午", "00:30:00")]
    [InlineData("0:30:00 PM", "12:30:00")]
    [InlineData("00:00:00", "00:00:00")]
    [InlineData("9:05", "09:05:00")]
    [InlineData("9:05:07.125", "09:05:07.125")]
    public void Hours_of_twelve_are_read(string text, string expected) => Assert.Equal("2026-01-20 " + expected, Read(Time(), "2026-01-20 " + text));

    [Theory]
    [InlineData("")]
    [InlineData("2026-01-20")]
    [InlineData("2026-02-30 10:00:00")]
    [InlineData("13/13/2026 10:00:00")]
    [InlineData("32/1/2026 10:00:00")]
    [InlineData("2026-01-20 24:00:00")]
    [InlineData("2026-01-20 10:60:00")]
    [InlineData("2026-01-20 13:00:00 AM")]
    [InlineData("2026-01-20 10:00:00 ??")]
    [InlineData("2026-01-20 10:00:00 1 2 3 4")]
    [InlineData("99999999999 10:00:00")]
    [InlineData("1/1448/2 10:00:00")]
    [InlineData("30/12/1499 10:00:00")]
    public void What_is_no_time_is_refused(string text)
    {
        // The last one: there is no 30th in that month of the calendar, or there is: never a fault of ours.
        string? read = Read(Time(), text);
        if (!text.StartsWith("30/12/1499", StringComparison.Ordinal)) Assert.Null(read);
    }

    [Theory]
    [InlineData("4/11/2026 3:29:17 PM", 4, 11)]
    [InlineData("4/11/2026 15:29:17", 11, 4)]
    [InlineData("4.11.2026 15:29:17", 11, 4)]
    [InlineData("4-11-2026 15:29:17", 11, 4)]
    [InlineData("4/02/2026 3:29:17 PM", 2, 4)]
    [InlineData("4/11/2026 3:29:17 μμ", 11, 4)]
    [InlineData("1/12/2026 15:29:17", 1, 12)]
    [InlineData("12/1/2026 3:29:17 PM", 1, 12)]
    [InlineData("2026/4/11 15:29:17", 4, 11)]
    public void While_nothing_tells_day_from_month_the_form_does(string text, int month, int day) =>
        Assert.Equal($"2026-{month:00}-{day:00} 15:29:17", Read(Time(), text));

    [Theory]
    [InlineData("13/2/2026 10:00:00 AM", "2026-04-03")]
    [InlineData("2/13/2026 10:00:00", "2026-03-04")]
    [InlineData("5/6/2026 10:00:00 AM|6/6/2026 10:00:00 AM", "2026-04-03")]
    [InlineData("5/6/2026 10:00:00|5/7/2026 10:00:00", "2026-03-04")]
    [InlineData("2/12/2026 10:00:00", "2026-03-04")]
    [InlineData("12/2/2026 10:00:00 AM", "2026-04-03")]
    public void What_a_line_tells_holds_for_those_behind(string before, string expected)
    {
        MsdnsTime time = Time();
        foreach (string text in before.Split('|')) Assert.NotNull(Read(time, text));
        Assert.StartsWith(expected, Read(time, "3/4/2026 11:00:00" + (before.EndsWith('M') ? " AM" : "")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_s_zone_is_heeded_also_where_its_clock_is_set()
    {
        TimeZoneInfo berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        MsdnsTime time = Time(berlin);
        Assert.Equal("2026-01-20 22:00:16", Read(time, "20.01.2026 23:00:16"));
        Assert.Equal("2026-07-20 21:00:16", Read(time, "20.07.2026 23:00:16"));
        // Skipped: as if it were still winter.
        Assert.Equal("2026-03-29 01:30:00", Read(time, "29.03.2026 02:30:00"));
        // Twice: summer first; when the log steps back, winter.
        Assert.Equal("2026-10-25 00:30:00", Read(time, "25.10.2026 02:30:00"));
        Assert.Equal("2026-10-25 00:59:59", Read(time, "25.10.2026 02:59:59"));
        Assert.Equal("2026-10-25 01:00:00", Read(time, "25.10.2026 02:00:00"));
        Assert.Equal("2026-10-25 01:59:59", Read(time, "25.10.2026 02:59:59"));
        Assert.Equal("2026-10-25 02:00:01", Read(time, "25.10.2026 03:00:01"));
        Assert.Equal("2026-10-25 01:59:58", Read(time, "25.10.2026 02:59:58"));
    }

    [Theory]
    [InlineData("2006-01-02 15:04:05", "2026-01-09 23:00:16", "2026-01-09 23:00:16")]
    [InlineData("1/2/2006 3:04:05 PM", "1/9/2026  11:00:16 PM", "2026-01-09 23:00:16")]
    [InlineData("02.01.06 15:04", "09.01.26 23:00", "2026-01-09 23:00:00")]
    [InlineData("Monday, January 2, 2006 3:4:5 pm", "Friday, January 9, 2026 11:0:16 pm", "2026-01-09 23:00:16")]
    [InlineData("Mon Jan _2 15:04:05 2006", "Fri Jan  9 23:00:16 2026", "2026-01-09 23:00:16")]
    [InlineData("2006-01-02T15:04:05.000Z07:00", "2026-01-09T23:00:16.125+01:00", "2026-01-09 22:00:16.125")]
    [InlineData("2006-01-02T15:04:05.999Z07:00", "2026-01-09T23:00:16Z", "2026-01-09 23:00:16")]
    [InlineData("2006-01-02 15:04:05,000 -0700", "2026-01-09 23:00:16,125 -0530", "2026-01-10 04:30:16.125")]
    [InlineData("2006-01-02 15:04:05 -07", "2026-01-09 23:00:16 +02", "2026-01-09 21:00:16")]
    [InlineData("2006-01-02 15:04:05 -07:00:00", "2026-01-09 23:00:16 +00:00:16", "2026-01-09 23:00:00")]
    [InlineData("2006-01-02 15:04:05 Z0700", "2026-01-09 23:00:16 Z", "2026-01-09 23:00:16")]
    [InlineData("2006-01-02 15:04:05 MST", "2026-01-09 23:00:16 GMT", "2026-01-09 23:00:16")]
    [InlineData("2006-01-02 15:04:05", "2026-01-09 23:00:16.5", "2026-01-09 23:00:16.5")]
    [InlineData("2006-002 15:04:05", "2026-009 23:00:16", "2026-01-09 23:00:16")]
    [InlineData("2006 __2 15:04:05", "2026   9 23:00:16", "2026-01-09 23:00:16")]
    [InlineData("Jan 2 15:04:05", "Jan 9 23:00:16", "2026-01-09 23:00:16")]
    [InlineData("Jan 2 15:04:05", "Dec 9 23:00:16", "2025-12-09 23:00:16")]
    [InlineData("20060102 150405", "20260109 230016", "2026-01-09 23:00:16")]
    [InlineData("02/01/2006 03:04:05 PM", "09/01/2026 11:00:16 μ.μ.", "2026-01-09 23:00:16")]
    [InlineData("Month: 01 Day: 02 Year: 2006 15:04", "Month: 01 Day: 09 Year: 2026 23:00", "2026-01-09 23:00:00")]
    public void Go_s_layouts_are_followed(string layout, string text, string expected)
    {
        GoLayout? made = GoLayout.Make(layout, out string fault);
        Assert.Equal("", fault);
        Assert.True(made!.TryRead(Encoding.UTF8.GetBytes(text), new DateTime(2026, 11, 22), out DateTime local, out int nanoseconds, out TimeSpan? offset));
        Assert.Equal(expected, (local - (offset ?? default)).AddTicks(nanoseconds / 100).ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("2006-01-02 15:04:05", "2026-1-09 23:00:16")]
    [InlineData("2006-01-02 15:04:05", "2026-01-09 23:00:16 more")]
    [InlineData("2006-01-02 15:04:05", "2026-01-09 24:00:16")]
    [InlineData("2006-01-02 15:04:05", "2026-02-29 23:00:16")]
    [InlineData("2006-01-02 15:04:05", "")]
    [InlineData("2006-01-02 3:04:05 PM", "2026-01-09 11:00:16")]
    [InlineData("2006-01-02 15:04:05.000", "2026-01-09 23:00:16.12")]
    [InlineData("2006-01-02 15:04:05 -0700", "2026-01-09 23:00:16 0100")]
    public void What_a_layout_does_not_say_is_refused(string layout, string text) =>
        Assert.False(GoLayout.Make(layout, out _)!.TryRead(Encoding.UTF8.GetBytes(text), new DateTime(2026, 11, 22), out _, out _, out _));

    [Theory]
    [InlineData("%Y-%m-%d %H:%M:%S", "a month")]
    [InlineData("2006-01-02", "an hour")]
    [InlineData("2006-01-02 3:04", "PM")]
    [InlineData("", "a day")]
    public void A_layout_that_tells_no_moment_is_a_fault_with_a_sentence(string layout, string lacking)
    {
        Assert.Null(GoLayout.Make(layout, out string fault));
        Assert.Contains(lacking, fault, StringComparison.Ordinal);
    }
}
