using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// Zeek's times and intervals: decimal seconds, in JSON also with an exponent, as whole milliseconds (JSON::TS_MILLIS) or by ISO 8601. The digits are taken
/// as they stand, never through a double, which is not good to a microsecond in our days.
/// </summary>
static class ZeekNumber
{
    /// <summary>Whole numbers from here on are no seconds (the year 5138) but milliseconds; a thousand times more, microseconds.</summary>
    const ulong FirstMillisecond = 100_000_000_000;
    /// <summary>Of the year 9999, until which certificates may be valid; a whole number beyond it is of milliseconds.</summary>
    const ulong LastSecond = 253_402_300_799;

    /// <summary>A stamp to nanoseconds since 1970.</summary>
    public static bool TryTime(ReadOnlySpan<byte> text, out long nanoseconds)
    {
        if (!TryDecimal(text, out bool negative, out ulong mantissa, out int exponent)) return TryIso(text, out nanoseconds);
        for (ulong unit = FirstMillisecond; exponent > -9 && exponent <= 0 && mantissa >= unit && IsWhole(text); unit *= 1000)
        {
            exponent -= 3;
            if (unit > ulong.MaxValue / 1000) break;
        }
        return TryScale(mantissa, exponent + 9, negative, out nanoseconds);
    }

    /// <summary>An interval to nanoseconds; 0 for none and for less than none.</summary>
    /// <param name="text">Decimal seconds.</param>
    /// <param name="isDouble">Written as a double's digits (JSON): a difference of two stamps, of which all behind the microsecond is noise.</param>
    public static long Interval(ReadOnlySpan<byte> text, bool isDouble)
    {
        if (!TryDecimal(text, out bool negative, out ulong mantissa, out int exponent) || negative) return 0;
        if (!isDouble || exponent >= -6) return TryScale(mantissa, exponent + 9, false, out long exact) ? exact : 0;
        return TryScale(mantissa, exponent + 6, false, out long micros) && micros < long.MaxValue / 1000 ? micros * 1000 : 0;
    }

    /// <summary>A stamp to whole seconds since 1970, of the years 1 to 9999; false when it is none.</summary>
    public static bool TrySeconds(ReadOnlySpan<byte> text, out long seconds)
    {
        if (!TryDecimal(text, out bool negative, out ulong mantissa, out int exponent)) return EventTime.TryParseSeconds(text, out seconds);
        seconds = 0;
        if (mantissa > LastSecond && exponent == 0 && IsWhole(text)) exponent = -3;
        for (; exponent < 0 && mantissa != 0; exponent++) mantissa /= 10;
        return TryScale(mantissa, mantissa == 0 ? 0 : exponent, negative, out seconds);
    }

    static bool IsWhole(ReadOnlySpan<byte> text) => !text.ContainsAny((byte)'.', (byte)'e', (byte)'E');

    static bool TryIso(ReadOnlySpan<byte> text, out long nanoseconds)
    {
        if (EventTime.TryParse(text, out nanoseconds)) return true;
        // JSON::TS_ISO8601 in local time writes the zone without a colon.
        if (text.Length is < 24 or > 40 || text[^5] is not ((byte)'+' or (byte)'-')) return false;
        Span<byte> full = stackalloc byte[text.Length + 1];
        text[..^2].CopyTo(full);
        full[text.Length - 2] = (byte)':';
        text[^2..].CopyTo(full[(text.Length - 1)..]);
        return EventTime.TryParse(full, out nanoseconds);
    }

    /// <summary>The digits as a whole number and a power of ten; digits beyond the nineteenth are cut.</summary>
    static bool TryDecimal(ReadOnlySpan<byte> text, out bool negative, out ulong mantissa, out int exponent)
    {
        (mantissa, exponent) = (0, 0);
        int i = 0;
        negative = text.Length > 0 && text[0] == '-';
        if (negative) i++;
        int first = i;
        bool point = false;
        for (; i < text.Length; i++)
        {
            uint digit = (uint)(text[i] - '0');
            if (digit > 9)
            {
                if (text[i] != '.' || point || i == first) break;
                point = true;
                continue;
            }
            bool fits = mantissa < ulong.MaxValue / 10;
            if (fits) mantissa = (mantissa * 10) + digit;
            if (point && fits) exponent--;
            else if (!point && !fits && exponent < 100) exponent++;
        }
        if (i == first) return false;
        if (i == text.Length) return true;
        if (text[i] is not ((byte)'e' or (byte)'E')) return false;
        i++;
        bool down = i < text.Length && text[i] == '-';
        if (i < text.Length && text[i] is (byte)'-' or (byte)'+') i++;
        if (text.Length - i is < 1 or > 3) return false;
        int power = 0;
        for (; i < text.Length; i++)
        {
            uint digit = (uint)(text[i] - '0');
            if (digit > 9) return false;
            power = (power * 10) + (int)digit;
        }
        exponent += down ? -power : power;
        return true;
    }

    /// <summary>Times a power of ten, rounded half up.</summary>
    static bool TryScale(ulong mantissa, int power, bool negative, out long value)
    {
        value = 0;
        if (mantissa == 0) return true;
        for (; power < 0; power++)
        {
            // Only the last digit cut decides: those before it are below.
            ulong rest = mantissa % 10;
            mantissa /= 10;
            if (power == -1 && rest >= 5) mantissa++;
        }
        for (; power > 0; power--)
        {
            if (mantissa > long.MaxValue / 10) return false;
            mantissa *= 10;
        }
        if (mantissa > long.MaxValue) return false;
        value = negative ? -(long)mantissa : (long)mantissa;
        return true;
    }
}
