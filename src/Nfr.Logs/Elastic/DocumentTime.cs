using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>Times as documents and sort values have them: RFC 3339 and its neighbours, or numbers since 1970 in a unit that their size tells.</summary>
static class DocumentTime
{
    /// <summary>Of a text without a fraction and zone.</summary>
    const int LengthToSeconds = 19;

    public static bool TryRead(JsonRaw value, out long nanoseconds)
    {
        if (value.Kind == JsonKind.Number) return TryNumber(value, out nanoseconds);
        nanoseconds = 0;
        if (value.Kind != JsonKind.String || value.Escaped) return false;
        return TryText(value.Bytes, out nanoseconds) || TryNumber(value, out nanoseconds);
    }

    /// <summary>"2021-03-05T13:28:49.254Z", "…+0100", "2021-03-05 13:28:49.254" (UTC, as the server takes it).</summary>
    public static bool TryText(ReadOnlySpan<byte> text, out long nanoseconds)
    {
        if (EventTime.TryParse(text, out nanoseconds)) return true;
        if (text.Length is < LengthToSeconds or > 40) return false;
        Span<byte> room = stackalloc byte[48];
        text.CopyTo(room);
        int sign = text[LengthToSeconds..].LastIndexOfAny((byte)'+', (byte)'-');
        if (sign < 0)
        {
            room[text.Length] = (byte)'Z';
            return EventTime.TryParse(room[..(text.Length + 1)], out nanoseconds);
        }
        sign += LengthToSeconds;
        if (text.Length - sign == 3) ":00"u8.CopyTo(room[text.Length..]);
        else if (text.Length - sign == 5)
        {
            text[^2..].CopyTo(room[(text.Length - 1)..]);
            room[text.Length - 2] = (byte)':';
            return EventTime.TryParse(room[..(text.Length + 1)], out nanoseconds);
        }
        return EventTime.TryParse(room[..(text.Length + 3)], out nanoseconds);
    }

    /// <summary>Seconds (with a fraction) up to the year 5138, milliseconds, microseconds or nanoseconds.</summary>
    static bool TryNumber(JsonRaw value, out long nanoseconds)
    {
        nanoseconds = 0;
        if (Utf8Parser.TryParse(value.Bytes, out long whole, out int used) && used == value.Bytes.Length)
        {
            // It has no opposite, and is no time.
            if (whole == long.MinValue) return false;
            nanoseconds = Math.Abs(whole) switch
            {
                < 100_000_000_000 => Scaled(whole, 1_000_000_000),
                < 100_000_000_000_000 => Scaled(whole, 1_000_000),
                < 100_000_000_000_000_000 => Scaled(whole, 1_000),
                _ => whole,
            };
            return nanoseconds != long.MinValue;
        }
        // A double has not the digits of nanoseconds.
        if (!Utf8Parser.TryParse(value.Bytes, out decimal real, out used) || used != value.Bytes.Length) return false;
        decimal nanos = Math.Abs(real) switch
        {
            < 100_000_000_000m => real * 1_000_000_000m,
            < 100_000_000_000_000m => real * 1_000_000m,
            _ => decimal.MaxValue,
        };
        if (Math.Abs(nanos) > long.MaxValue) return false;
        nanoseconds = (long)nanos;
        return true;
    }

    static long Scaled(long value, long unit) => Math.Abs(value) > long.MaxValue / unit ? long.MinValue : value * unit;

    /// <summary>
    /// For a query: three digits of a fraction at the least, since strict_date_time wants some; nine where milliseconds do not say it. The formats that
    /// are numbers get numbers.
    /// </summary>
    public static string ForQuery(long nanoseconds, string? format)
    {
        switch (format)
        {
            case "epoch_millis": return (nanoseconds / 1_000_000).ToString(CultureInfo.InvariantCulture);
            case "epoch_second": return (nanoseconds / 1_000_000_000).ToString(CultureInfo.InvariantCulture);
        }
        Span<byte> text = stackalloc byte[EventTime.MaxLength + 4];
        int length = EventTime.Format(nanoseconds, text) - 1;
        int digits = length - LengthToSeconds - 1;
        int wanted = digits <= 3 ? 3 : 9;
        if (digits < 0)
        {
            text[length++] = (byte)'.';
            digits = 0;
        }
        for (; digits < wanted; digits++) text[length++] = (byte)'0';
        text[length++] = (byte)'Z';
        return Encoding.ASCII.GetString(text[..length]);
    }
}
