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
    const long FirstSecond = -62_135_596_800, LastSecond = 253_402_300_799;

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

    /// <summary>An RFC 3339 stamp with any offset, to UTC; fractions beyond 100 ns are cut.</summary>
    public static bool TryParse(string? text, out DateTime utc) =>
        DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out utc);
}
