using System.Globalization;

namespace Nfr.Events;

/// <summary>
/// RFC 3339 in UTC with a fraction of up to nine digits whose trailing zeros are left out, as the engine's API has it:
/// "2018-09-03T09:39:47Z", "2018-09-03T09:39:47.123456Z".
/// </summary>
public static class EventTime
{
    /// <summary>The longest text in bytes: "2018-09-03T09:39:47.123456789Z".</summary>
    public const int MaxLength = 30;

    const long NanosPerSecond = 1_000_000_000;
    // Seconds since 1970 of 0001-01-01 and of the last second of 9999: what the format can say.
    internal const long FirstSecond = -62_135_596_800;
    const long LastSecond = 253_402_300_799;

    /// <summary>Of "2018-09-03T09:39:47".</summary>
    const int LengthToSeconds = 19;

    /// <summary>Any nanosecond stamp can be written: 64 bits reach from 1677 to 2262.</summary>
    public static int Format(long nanoseconds, Span<byte> destination)
    {
        (long seconds, int rest) = Split(nanoseconds);
        return Format(seconds, rest, destination);
    }

    static (long Seconds, int Nanoseconds) Split(long nanoseconds)
    {
        long seconds = Math.DivRem(nanoseconds, NanosPerSecond, out long rest);
        return rest < 0 ? (seconds - 1, (int)(rest + NanosPerSecond)) : (seconds, (int)rest);
    }

    /// <summary>Remembers the text of the latest second: events come thousands in each. One thread.</summary>
    internal sealed class Memory
    {
        readonly byte[] _text = new byte[MaxLength];
        long _second = long.MinValue;

        /// <summary>As <see cref="EventTime.Format(long, Span{byte})"/>.</summary>
        public int Format(long nanoseconds, Span<byte> destination)
        {
            (long second, int rest) = Split(nanoseconds);
            if (second != _second)
            {
                EventTime.Format(second, 0, _text);
                _second = second;
            }
            _text.AsSpan(0, LengthToSeconds).CopyTo(destination);
            return LengthToSeconds + FormatEnd(rest, destination[LengthToSeconds..]);
        }
    }

    /// <summary>Whole seconds since 1970; 0 bytes when the year is not within 1 to 9999 or the instant is 0001-01-01T00:00:00Z.</summary>
    public static int FormatSeconds(long seconds, Span<byte> destination) =>
        seconds is <= FirstSecond or > LastSecond ? 0 : Format(seconds, 0, destination);

    static int Format(long seconds, int nanoseconds, Span<byte> destination)
    {
        DateTime time = DateTime.UnixEpoch.AddTicks(seconds * TimeSpan.TicksPerSecond);
        time.TryFormat(destination, out int n, "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture);
        return n + FormatEnd(nanoseconds, destination[n..]);
    }

    /// <summary>What follows the second.</summary>
    static int FormatEnd(int nanoseconds, Span<byte> destination)
    {
        int n = 0;
        if (nanoseconds != 0)
        {
            destination[n++] = (byte)'.';
            n += FormatFraction(nanoseconds, destination[n..]);
        }
        destination[n++] = (byte)'Z';
        return n;
    }

    /// <summary>Nanoseconds as decimal seconds without an exponent: "0", "0.000001", "12.5".</summary>
    internal static int FormatDuration(long nanoseconds, Span<byte> destination)
    {
        int n = 0;
        if (nanoseconds < 0) nanoseconds = 0;
        (nanoseconds / NanosPerSecond).TryFormat(destination, out n, default, CultureInfo.InvariantCulture);
        int rest = (int)(nanoseconds % NanosPerSecond);
        if (rest == 0) return n;
        destination[n++] = (byte)'.';
        return n + FormatFraction(rest, destination[n..]);
    }

    static int FormatFraction(int nanoseconds, Span<byte> destination)
    {
        int digits = 9;
        // Most clocks tell micro- or milliseconds.
        while (nanoseconds % 1000 == 0)
        {
            nanoseconds /= 1000;
            digits -= 3;
        }
        while (nanoseconds % 10 == 0)
        {
            nanoseconds /= 10;
            digits--;
        }
        for (int i = digits - 1; i >= 0; i--)
        {
            (nanoseconds, int digit) = Math.DivRem(nanoseconds, 10);
            destination[i] = (byte)('0' + digit);
        }
        return digits;
    }

    /// <summary>
    /// An RFC 3339 stamp with any offset, to nanoseconds since 1970; digits beyond the ninth are cut, a leap second is the next minute's first.
    /// False when it is none, or lies outside of what 64 bits can say (1678 to 2261).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        if (!TryParse(text, out int year, out long seconds, out long fraction) || year is < 1678 or > 2261) return false;
        nanoseconds = (seconds * NanosPerSecond) + fraction;
        return true;
    }

    /// <summary>The same to whole seconds since 1970, of the years 1 to 9999: certificates may be valid until then.</summary>
    public static bool TryParseSeconds(ReadOnlySpan<byte> text, out long seconds) => TryParse(text, out _, out seconds, out _);

    static bool TryParse(ReadOnlySpan<byte> text, out int year, out long seconds, out long fraction)
    {
        (year, seconds, fraction) = (0, 0, 0);
        if (text.Length <= LengthToSeconds || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')
            || text[13] != ':' || text[16] != ':') return false;
        year = (Two(text) * 100) + Two(text[2..]);
        int month = Two(text[5..]), day = Two(text[8..]);
        int hour = Two(text[11..]), minute = Two(text[14..]), second = Two(text[17..]);
        if (year is < 1 or > 9999 || month is < 1 or > 12 || day < 1 || hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60
            || day > DateTime.DaysInMonth(year, month)) return false;
        text = text[LengthToSeconds..];
        if (text[0] == '.')
        {
            int digits = 1;
            long unit = NanosPerSecond;
            for (; digits < text.Length && char.IsAsciiDigit((char)text[digits]); digits++) fraction += (text[digits] - '0') * (unit /= 10);
            if (digits == 1) return false;
            text = text[digits..];
        }
        if (!TryOffset(text, out int offset)) return false;
        long days = (new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Days;
        seconds = ((((((days * 24) + hour) * 60) + minute - offset) * 60) + second);
        return true;
    }

    /// <summary>"Z" or "+hh:mm", in minutes.</summary>
    static bool TryOffset(ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.Length == 1) return text[0] is (byte)'Z' or (byte)'z';
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':') return false;
        int hour = Two(text[1..]), minute = Two(text[4..]);
        minutes = ((hour * 60) + minute) * (text[0] == '-' ? -1 : 1);
        return hour is >= 0 and <= 23 && minute is >= 0 and <= 59;
    }

    /// <summary>Two digits; far below zero when they are none.</summary>
    static int Two(ReadOnlySpan<byte> text)
    {
        int high = text[0] - '0', low = text[1] - '0';
        return (uint)high > 9 || (uint)low > 9 ? -100_000 : (high * 10) + low;
    }

    /// <summary>An RFC 3339 stamp with any offset, to UTC; fractions beyond 100 ns are cut.</summary>
    public static bool TryParse(string? text, out DateTime utc) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out utc);
}
