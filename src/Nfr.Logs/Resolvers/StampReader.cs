namespace Nfr.Logs;

/// <summary>
/// Reads the time that a line begins with, in the forms of syslog, its relays and the resolvers: "Jan  2 15:04:05" (RFC 3164, with or without a year,
/// a weekday or a fraction), "2024-01-02T15:04:05.123+01:00" (RFC 3339, also with a blank, without a zone, or with "+0100"), "02-Jan-2024 15:04:05.123" (BIND),
/// "2024/01/02 15:04:05" (Go), "1700000000.123" and "[1700000000]". One thread.
/// </summary>
/// <remarks>
/// A stamp without a zone is of <see cref="LineOptions.Zone"/>; of an hour that comes twice, the later one is taken. One without a year is of the latest
/// year in which it lies no more than a day in the future: a line of the 31st of December that is read in January is last year's, and one of the 1st of
/// January that comes some hours early, from a clock ahead of ours, is of the year to come.
/// </remarks>
sealed class StampReader(LineOptions options)
{
    const long NanosPerSecond = 1_000_000_000, SecondsPerDay = 86_400;
    /// <summary>A day and a month: "Feb 29" comes once in eight years at the least.</summary>
    const int YearsBack = 8;
    /// <summary>No zone has ever moved its clocks but at a quarter of an hour.</summary>
    const long Quarter = 900;

    readonly TimeZoneInfo _zone = options.Zone;
    readonly TimeProvider _time = options.Time;
    long _quarter = long.MinValue, _offset;

    /// <summary>Nanoseconds since 1970: when a line is read that says no time.</summary>
    public long Now => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;

    /// <summary>Takes a time and the blanks behind it off the front of <paramref name="text"/>; false, and nothing is taken, when it does not begin with one.</summary>
    public bool TryTake(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        if (text.Length < 9) return false;
        ReadOnlySpan<byte> rest = text;
        bool read = rest[0] == '[' ? TryEpochInBrackets(ref rest, out nanoseconds)
            : !char.IsAsciiDigit((char)rest[0]) ? TryMonthFirst(ref rest, out nanoseconds)
            : rest[4] is (byte)'-' or (byte)'/' ? TryYearFirst(ref rest, out nanoseconds)
            : rest[2] == '-' || rest[1] == '-' ? TryDayFirst(ref rest, out nanoseconds)
            : TryEpoch(ref rest, out nanoseconds);
        if (!read || (rest.Length > 0 && rest[0] != ' ')) return false;
        text = rest.TrimStart((byte)' ');
        return true;
    }

    static bool TryEpochInBrackets(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        text = text[1..];
        if (!TryEpoch(ref text, out nanoseconds) || text.IsEmpty || text[0] != ']') return false;
        text = text[1..];
        return true;
    }

    /// <summary>Nine to eleven digits: 1973 to 2262.</summary>
    static bool TryEpoch(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        int n = 0;
        long seconds = 0;
        for (; n < text.Length && n < 12 && char.IsAsciiDigit((char)text[n]); n++) seconds = (seconds * 10) + text[n] - '0';
        if (n is < 9 or > 11 || seconds > long.MaxValue / NanosPerSecond - 1) return false;
        text = text[n..];
        nanoseconds = (seconds * NanosPerSecond) + Fraction(ref text);
        return true;
    }

    bool TryYearFirst(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        if (text.Length < 19 || text[7] != text[4] || text[10] is not ((byte)'T' or (byte)'t' or (byte)' ')) return false;
        int year = (Two(text) * 100) + Two(text[2..]), month = Two(text[5..]), day = Two(text[8..]);
        text = text[11..];
        if (!TryClock(ref text, out long seconds, out long fraction) || !TryDays(year, month, day, out long days)) return false;
        seconds += days * SecondsPerDay;
        nanoseconds = ((TryZone(ref text, out int minutes) ? seconds - (minutes * 60) : Utc(seconds)) * NanosPerSecond) + fraction;
        return true;
    }

    bool TryDayFirst(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        int day = text[1] == '-' ? Two([(byte)'0', text[0]]) : Two(text);
        text = text[(text[1] == '-' ? 2 : 3)..];
        if (text.Length < 17 || text[3] != '-' || text[8] != ' ') return false;
        int month = Month(text), year = (Two(text[4..]) * 100) + Two(text[6..]);
        text = text[9..];
        if (!TryClock(ref text, out long seconds, out long fraction) || !TryDays(year, month, day, out long days)) return false;
        nanoseconds = (Utc((days * SecondsPerDay) + seconds) * NanosPerSecond) + fraction;
        return true;
    }

    bool TryMonthFirst(ref ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        bool weekday = Month(text) == 0 && IsWeekday(text);
        if (weekday) text = text[4..];
        int month = Month(text);
        if (month == 0 || text.Length < 14 || text[3] != ' ') return false;
        text = text[4..].TrimStart((byte)' ');
        if (!TryNumber(ref text, 2, out int day) || text.IsEmpty || text[0] != ' ') return false;
        text = text[1..];
        int year = 0;
        if (text.Length > 5 && text[4] == ' ' && TryNumber(ref text, 4, out year)) text = text[1..];
        if (!TryClock(ref text, out long seconds, out long fraction)) return false;
        // "Mon Jan  1 12:00:00 2024" (asctime): the year stands last.
        if (weekday && text.Length >= 5 && text[0] == ' ')
        {
            ReadOnlySpan<byte> behind = text[1..];
            if (TryNumber(ref behind, 4, out int last) && last >= 1970)
            {
                year = last;
                text = behind;
            }
        }
        if (year != 0)
        {
            if (!TryDays(year, month, day, out long days)) return false;
            nanoseconds = (Utc((days * SecondsPerDay) + seconds) * NanosPerSecond) + fraction;
            return true;
        }
        return TryYearless(month, day, seconds, fraction, out nanoseconds);
    }

    bool TryYearless(int month, int day, long seconds, long fraction, out long nanoseconds)
    {
        DateTimeOffset now = _time.GetUtcNow();
        long latest = now.ToUnixTimeSeconds() + SecondsPerDay;
        for (int year = now.Year + 1; year >= now.Year - YearsBack; year--)
        {
            if (!TryDays(year, month, day, out long days)) continue;
            long utc = Utc((days * SecondsPerDay) + seconds);
            if (utc > latest) continue;
            nanoseconds = (utc * NanosPerSecond) + fraction;
            return true;
        }
        nanoseconds = 0;
        return false;
    }

    /// <summary>"15:04:05" with a fraction, or none, to seconds of the day; a leap second is the next minute's first.</summary>
    static bool TryClock(ref ReadOnlySpan<byte> text, out long seconds, out long fraction)
    {
        (seconds, fraction) = (0, 0);
        if (text.Length < 8 || text[2] != ':' || text[5] != ':') return false;
        int hour = Two(text), minute = Two(text[3..]), second = Two(text[6..]);
        if (hour is < 0 or > 23 || minute is < 0 or > 59 || second is < 0 or > 60) return false;
        seconds = (((hour * 60) + minute) * 60) + second;
        text = text[8..];
        fraction = Fraction(ref text);
        return true;
    }

    /// <summary>".123" or ",123" in nanoseconds; 0 for none.</summary>
    static long Fraction(ref ReadOnlySpan<byte> text)
    {
        if (text.Length < 2 || text[0] is not ((byte)'.' or (byte)',') || !char.IsAsciiDigit((char)text[1])) return 0;
        long fraction = 0, unit = NanosPerSecond;
        int n = 1;
        for (; n < text.Length && char.IsAsciiDigit((char)text[n]); n++) fraction += (text[n] - '0') * (unit /= 10);
        text = text[n..];
        return fraction;
    }

    /// <summary>"Z", "+01:00" or "+0100", to minutes; false for none.</summary>
    static bool TryZone(ref ReadOnlySpan<byte> text, out int minutes)
    {
        minutes = 0;
        if (text.IsEmpty) return false;
        if (text[0] is (byte)'Z' or (byte)'z')
        {
            text = text[1..];
            return true;
        }
        if (text[0] is not ((byte)'+' or (byte)'-') || text.Length < 5) return false;
        int length = text[3] == ':' ? 6 : 5;
        if (text.Length < length) return false;
        int hour = Two(text[1..]), minute = Two(text[(length - 2)..]);
        if (hour is < 0 or > 23 || minute is < 0 or > 59) return false;
        minutes = ((hour * 60) + minute) * (text[0] == '-' ? -1 : 1);
        text = text[length..];
        return true;
    }

    /// <summary>Seconds since 1970 of what the clocks of the zone show.</summary>
    long Utc(long local)
    {
        long quarter = Math.DivRem(local, Quarter, out _);
        if (quarter == _quarter) return local - _offset;
        _offset = (long)_zone.GetUtcOffset(new DateTime(DateTime.UnixEpoch.Ticks + (local * TimeSpan.TicksPerSecond))).TotalSeconds;
        _quarter = quarter;
        return local - _offset;
    }

    static bool TryDays(int year, int month, int day, out long days)
    {
        days = 0;
        if (year is < 1970 or > 2261 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        days = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Utc).Subtract(DateTime.UnixEpoch).Days;
        return true;
    }

    static bool TryNumber(ref ReadOnlySpan<byte> text, int digits, out int number)
    {
        number = 0;
        int n = 0;
        for (; n < text.Length && n < digits && char.IsAsciiDigit((char)text[n]); n++) number = (number * 10) + text[n] - '0';
        if (n == 0 || (digits == 4 && n != 4)) return false;
        text = text[n..];
        return true;
    }

    /// <summary>Two digits; far below zero when they are none.</summary>
    static int Two(ReadOnlySpan<byte> text)
    {
        int high = text[0] - '0', low = text[1] - '0';
        return (uint)high > 9 || (uint)low > 9 ? -100_000 : (high * 10) + low;
    }

    /// <summary>1 to 12 of "Jan" to "Dec"; 0 for none.</summary>
    static int Month(ReadOnlySpan<byte> text)
    {
        if (text.Length < 3) return 0;
        int at = "JanFebMarAprMayJunJulAugSepOctNovDec"u8.IndexOf(text[..3]);
        return at >= 0 && at % 3 == 0 ? (at / 3) + 1 : 0;
    }

    static bool IsWeekday(ReadOnlySpan<byte> text)
    {
        if (text.Length < 4 || text[3] != ' ') return false;
        int at = "SunMonTueWedThuFriSat"u8.IndexOf(text[..3]);
        return at >= 0 && at % 3 == 0;
    }
}
