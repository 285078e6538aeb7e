using System.Globalization;

namespace Nfr.Logs;

/// <summary>
/// Date and time as a Windows server writes them, in the short form of whatever language it was set to: three numbers of a date (or one of eight digits, or
/// an English month's name among them), then two or three of a time, with any separators, and a word for the half of the day before or behind. A number of
/// four digits is the year, else the last of the three is (or the first, above 31). Years of the Thai, Persian and Umm al-Qura calendars are told by
/// their size.
/// </summary>
/// <remarks>
/// Where the year stands first, month and day follow in this order. Where it stands last, the day comes first, except that behind "/" nothing but the
/// numbers tells. What tells, for the lines behind as well: a number above 12; a date that in one reading would lie in the future; the number that grew by
/// one from a date to the next. As long as nothing did: month first where AM or PM is written and the month is not padded to two digits behind a day
/// that is not ("1/02/2026"), else day first.
/// </remarks>
sealed class MsdnsTime(TimeZoneInfo zone, TimeProvider time)
{
    enum Order : byte
    {
        Unknown,
        DayFirst,
        MonthFirst,
    }

    const int MaximumText = 64, MaximumWord = 24;

    static readonly PersianCalendar s_persian = new();
    static readonly UmAlQuraCalendar s_ummAlQura = new();

    readonly LocalClock _clock = new(zone);
    Order _order;
    (int A, int B, int Year) _lastDate;

    /// <summary>Whether the last text told the order of day and month.</summary>
    public bool HasLearned { get; private set; }

    /// <summary>
    /// The last text's local time in nanoseconds, by nothing but the text: where day and month may be either, the day is taken for the first. What compares lines
    /// must not depend on what was learned from lines that are not read again.
    /// </summary>
    public long PlainTime { get; private set; }

    public void Restart()
    {
        _order = Order.Unknown;
        _lastDate = default;
    }

    struct Numbers
    {
        public Seven Values;
        public Seven Lengths;
        /// <summary>The byte behind each.</summary>
        public Seven Behind;
        public int Count;

        [System.Runtime.CompilerServices.InlineArray(7)]
        public struct Seven
        {
            int _first;
        }
    }

    public bool TryRead(ReadOnlySpan<byte> text, out long nanoseconds)
    {
        nanoseconds = 0;
        HasLearned = false;
        Span<byte> between = stackalloc byte[MaximumWord], behind = stackalloc byte[MaximumWord];
        if (!Split(text, out Numbers n, ref between, ref behind, out int month, out bool dotted)) return false;

        int first = month > 0 ? 2 : 3;
        if (n.Count < first + 2 || n.Count > first + 4) return false;
        DayHalf half = behind.IsEmpty ? DayHalves.Of(between) : DayHalves.Of(behind);
        // "20.1.2026 г. 11:00:16": a date may end with a word of its own, and ISO 8601 has a T.
        if (behind.IsEmpty && half == DayHalf.Unknown && (dotted || between is [(byte)'t'])) half = DayHalf.None;
        int hour = DayHalves.Hour(n.Values[first], half), minute = n.Values[first + 1], second = n.Count > first + 2 ? n.Values[first + 2] : 0;
        if (hour < 0 || minute > 59 || second > 60) return false;
        bool plain = half != DayHalf.None && (behind.IsEmpty ? between : behind) is [(byte)'a' or (byte)'p', (byte)'m'];
        DateTime date, fixedDate;
        if (month > 0 ? !Named(n, month, out date) | !Named(n, month, out fixedDate) : !Date(n, plain, out date, out fixedDate)) return false;
        long fraction = n.Count == first + 4 ? Fraction(n.Values[first + 3], n.Lengths[first + 3]) : 0;
        var ofDay = new TimeSpan(hour, minute, second);
        nanoseconds = _clock.ToNanoseconds(date + ofDay) + fraction;
        PlainTime = LocalClock.Nanoseconds(fixedDate + ofDay, TimeSpan.Zero) + fraction;
        return true;
    }

    /// <summary>Numbers, and the letters between date and time and behind the time.</summary>
    static bool Split(ReadOnlySpan<byte> text, out Numbers n, ref Span<byte> between, ref Span<byte> behind, out int month, out bool dotted)
    {
        n = default;
        (month, dotted) = (0, false);
        int betweenLength = 0, behindLength = 0;
        if (text.Length > MaximumText) return false;
        for (int i = 0; i < text.Length;)
        {
            byte c = text[i];
            int dateNumbers = month > 0 ? 2 : 3;
            if (char.IsAsciiDigit((char)c))
            {
                int start = i, value = 0;
                for (; i < text.Length && char.IsAsciiDigit((char)text[i]); i++)
                {
                    if (i - start >= 9) return false;
                    value = (value * 10) + text[i] - '0';
                }
                int after = i < text.Length ? text[i] : 0;
                if (n.Count == 0 && i - start == 8)
                {
                    Add(ref n, value / 10_000, 4, '-');
                    Add(ref n, value / 100 % 100, 2, '-');
                    (value, start) = (value % 100, i - 2);
                }
                if (n.Count == 7) return false;
                Add(ref n, value, i - start, after);
                continue;
            }
            int skip = Spaces(text[i..], i > 0 && char.IsAsciiDigit((char)text[i - 1]));
            if (skip > 0)
            {
                if (c == '.' && betweenLength > 0 && n.Count == dateNumbers) dotted = true;
                i += skip;
                continue;
            }
            if (n.Count < dateNumbers)
            {
                if (month > 0 || text.Length - i < 3 || (month = GoNames.Month(text[i..], out int length)) == 0) return false;
                i += length;
                continue;
            }
            if (c is >= (byte)'A' and <= (byte)'Z') c |= 0x20;
            if (n.Count == dateNumbers)
            {
                if (betweenLength == between.Length) return false;
                between[betweenLength++] = c;
            }
            else
            {
                if (behindLength == behind.Length) return false;
                behind[behindLength++] = c;
            }
            i++;
        }
        between = between[..betweenLength];
        behind = behind[..behindLength];
        return true;
    }

    static void Add(ref Numbers n, int value, int length, int behind)
    {
        (n.Values[n.Count], n.Lengths[n.Count], n.Behind[n.Count]) = (value, length, behind);
        n.Count++;
    }

    /// <summary>Bytes of a separator, a space of any width or a mark of direction; 0 for anything else.</summary>
    static int Spaces(ReadOnlySpan<byte> text, bool behindDigit) => text switch
    {
        [(byte)' ' or (byte)'\t' or (byte)'.' or (byte)',' or (byte)'/' or (byte)':' or (byte)'-' or (byte)'\'', ..] => 1,
        [0xC2, 0xA0, ..] => 2,
        [0xE2, 0x80, 0xAF or 0x8E or 0x8F or 0x89, ..] => 3,
        // A space that does not break in the code pages of Europe; marks of direction in the Arabic one.
        [0xA0, ..] when behindDigit => 1,
        [0xFD or 0xFE, ..] => 1,
        _ => 0,
    };

    static bool Named(in Numbers n, int month, out DateTime date)
    {
        bool yearFirst = n.Lengths[0] == 4;
        return TryDate(Year(n.Values[yearFirst ? 0 : 1], n.Lengths[yearFirst ? 0 : 1]), month, n.Values[yearFirst ? 1 : 0], out date);
    }

    bool Date(in Numbers n, bool plain, out DateTime date, out DateTime fixedDate)
    {
        date = fixedDate = default;
        int a = n.Values[0], b = n.Values[1], c = n.Values[2];
        if (n.Lengths[1] > 2) return false;
        if (n.Lengths[0] == 4 || (n.Lengths[2] <= 2 && a > 31))
        {
            bool known = b > 12 ? TryDate(Year(a, n.Lengths[0]), c, b, out date) : TryDate(Year(a, n.Lengths[0]), b, c, out date);
            fixedDate = date;
            return known;
        }
        if (a > 31 || b > 31 || (a > 12 && b > 12)) return false;
        int year = Year(c, n.Lengths[2]);
        if (a > 12) Learn(Order.DayFirst);
        else if (b > 12) Learn(Order.MonthFirst);
        else if (_order == Order.Unknown)
        {
            if (_lastDate.Year == year && _lastDate.B == b && _lastDate.A + 1 == a) Learn(Order.DayFirst);
            else if (_lastDate.Year == year && _lastDate.A == a && _lastDate.B + 1 == b) Learn(Order.MonthFirst);
            else LearnByNow(year, a, b);
        }
        _lastDate = (a, b, year);
        if (!TryDate(year, b, a, out fixedDate) && !TryDate(year, a, b, out fixedDate)) return false;
        Order order = _order != Order.Unknown ? _order
            : n.Behind[0] != '/' || !plain || (n.Lengths[0] == 1 && n.Lengths[1] == 2 && b < 10) ? Order.DayFirst : Order.MonthFirst;
        return order == Order.DayFirst ? TryDate(year, b, a, out date) : TryDate(year, a, b, out date);
    }

    void Learn(Order order)
    {
        if (_order == order) return;
        _order = order;
        HasLearned = true;
    }

    void LearnByNow(int year, int a, int b)
    {
        // A day for clocks that differ and for zones.
        DateTime latest = time.GetUtcNow().UtcDateTime.AddDays(1.5);
        if (!TryDate(year, b, a, out DateTime dayFirst) || !TryDate(year, a, b, out DateTime monthFirst)) return;
        if (dayFirst > latest && monthFirst <= latest) Learn(Order.MonthFirst);
        else if (monthFirst > latest && dayFirst <= latest) Learn(Order.DayFirst);
    }

    static int Year(int number, int length) => length > 2 ? number : number < 70 ? 2000 + number : 1900 + number;

    static bool TryDate(int year, int month, int day, out DateTime date)
    {
        date = default;
        if (month is < 1 or > 12 || day is < 1 or > 31) return false;
        Calendar? calendar = year is >= 1300 and < 1425 ? s_persian : year is >= 1425 and < 1500 ? s_ummAlQura : null;
        if (year is >= 2443 and <= 2800) year -= 543;
        if (calendar is null && year is < 1900 or > 2261) return false;
        if (day > (calendar?.GetDaysInMonth(year, month) ?? DateTime.DaysInMonth(year, month))) return false;
        date = calendar?.ToDateTime(year, month, day, 0, 0, 0, 0) ?? new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Unspecified);
        return true;
    }

    /// <summary>Nanoseconds of the digits behind a point.</summary>
    static long Fraction(int value, int digits)
    {
        long fraction = value;
        for (; digits < 9; digits++) fraction *= 10;
        return fraction;
    }
}
