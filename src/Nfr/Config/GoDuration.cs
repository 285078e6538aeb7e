using System.Globalization;

namespace Nfr.Config;

/// <summary>Durations as Go's time.ParseDuration reads them: decimal numbers with a unit, such as 300ms, 1.5h or 1h30m.</summary>
public static class GoDuration
{
    /// <summary>Go keeps nanoseconds in 63 bits; so 292 years is the most it can say.</summary>
    const decimal MaxNanoseconds = long.MaxValue;

    /// <summary>Reads to the 100 ns of <see cref="TimeSpan"/>; finer digits are dropped.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out TimeSpan duration)
    {
        duration = default;
        bool negative = false;
        if (text.Length > 0 && text[0] is '-' or '+')
        {
            negative = text[0] == '-';
            text = text[1..];
        }
        if (text is "0") return true;
        if (text.IsEmpty) return false;
        decimal nanoseconds = 0;
        while (!text.IsEmpty)
        {
            int digits = 0, points = 0;
            while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || (text[digits] == '.' && points++ == 0))) digits++;
            if (digits - Math.Min(points, 1) <= 0 || digits > 25) return false;
            if (!decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)) return false;
            text = text[digits..];
            int unit = 0;
            while (unit < text.Length && text[unit] != '.' && !char.IsAsciiDigit(text[unit])) unit++;
            decimal scale = text[..unit] switch
            {
                "ns" => 1,
                // U+00B5 micro sign and U+03BC Greek mu.
                "us" or "\u00B5s" or "\u03BCs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60_000_000_000,
                "h" => 3_600_000_000_000,
                _ => 0,
            };
            if (scale == 0 || number > MaxNanoseconds / scale) return false;
            nanoseconds += number * scale;
            if (nanoseconds > MaxNanoseconds) return false;
            text = text[unit..];
        }
        long ticks = (long)(nanoseconds / 100);
        duration = new TimeSpan(negative ? -ticks : ticks);
        return true;
    }

    /// <summary>The shortest text that reads back: 5m, 1h30m, 300ms.</summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero) return "0s";
        if (duration < TimeSpan.Zero) return "-" + Format(-duration);
        if (duration < TimeSpan.FromSeconds(1)) return (duration.Ticks / 10_000m).ToString("0.####", CultureInfo.InvariantCulture) + "ms";
        string text = "";
        if (duration.TotalHours >= 1) text += $"{(long)duration.TotalHours}h";
        if (duration.Minutes > 0) text += $"{duration.Minutes}m";
        decimal seconds = duration.Ticks % TimeSpan.TicksPerMinute / (decimal)TimeSpan.TicksPerSecond;
        if (seconds > 0) text += seconds.ToString("0.#######", CultureInfo.InvariantCulture) + "s";
        return text;
    }
}
