using System.Text;

namespace Nfr.Logs;

/// <summary>
/// A time written as the reference time "Mon Jan 2 15:04:05 -0700 MST 2006" of Go's package time would be: what "msdns_time_format" says. All its elements are
/// known; a run of spaces stands for any number of them. PM also takes the words of other languages. A fraction behind the seconds is taken even where the
/// layout has none. A zone's abbreviation counts only when it is UTC or GMT: else the time is the server's local one, as it is where no zone is said.
/// </summary>
public sealed class GoLayout
{
    enum Element : byte
    {
        Text,
        Year,
        Year2,
        Month,
        MonthName,
        Day,
        DayName,
        DayOfYear,
        Hour,
        Hour12,
        Minute,
        Second,
        Half,
        Fraction,
        /// <summary>Takes none at all too, as ".999" does.</summary>
        FractionMaybe,
        ZoneName,
        Offset,
    }

    // Least and Most are digits, of an offset 2, 4 or 6 of them; Zulu takes "Z" for UTC; Padded is by spaces.
    readonly record struct Part(Element Element, byte[]? Text = null, int Least = 1, int Most = 2, bool Zulu = false, bool Colons = false, bool Padded = false);

    // Longer ones before those that they begin with.
    static readonly (string Word, Part Part)[] s_elements =
    [
        ("January", new(Element.MonthName)), ("Jan", new(Element.MonthName)), ("Monday", new(Element.DayName)), ("Mon", new(Element.DayName)),
        ("MST", new(Element.ZoneName)), ("2006", new(Element.Year, Least: 4, Most: 4)), ("_2006", new(Element.Year, Least: 4, Most: 4)),
        ("__2", new(Element.DayOfYear, Most: 3, Padded: true)), ("_2", new(Element.Day, Padded: true)), ("002", new(Element.DayOfYear, Least: 3, Most: 3)),
        ("01", new(Element.Month, Least: 2)), ("02", new(Element.Day, Least: 2)), ("03", new(Element.Hour12, Least: 2)), ("04", new(Element.Minute, Least: 2)),
        ("05", new(Element.Second, Least: 2)), ("06", new(Element.Year2, Least: 2)), ("15", new(Element.Hour)),
        ("PM", new(Element.Half)), ("pm", new(Element.Half)),
        ("-07:00:00", new(Element.Offset, Least: 6, Colons: true)), ("-070000", new(Element.Offset, Least: 6)), ("-07:00", new(Element.Offset, Least: 4, Colons: true)),
        ("-0700", new(Element.Offset, Least: 4)), ("-07", new(Element.Offset, Least: 2)),
        ("Z07:00:00", new(Element.Offset, Least: 6, Colons: true, Zulu: true)), ("Z070000", new(Element.Offset, Least: 6, Zulu: true)),
        ("Z07:00", new(Element.Offset, Least: 4, Colons: true, Zulu: true)), ("Z0700", new(Element.Offset, Least: 4, Zulu: true)), ("Z07", new(Element.Offset, Least: 2, Zulu: true)),
        ("1", new(Element.Month)), ("2", new(Element.Day)), ("3", new(Element.Hour12)), ("4", new(Element.Minute)), ("5", new(Element.Second)),
    ];

    readonly Part[] _parts;
    readonly bool _hasYear;

    GoLayout(Part[] parts)
    {
        _parts = parts;
        _hasYear = parts.Any(p => p.Element is Element.Year or Element.Year2);
    }

    /// <summary>Null with a sentence for people when it is none that a moment can be read by.</summary>
    public static GoLayout? Make(string layout, out string fault)
    {
        ArgumentNullException.ThrowIfNull(layout);
        var parts = new List<Part>();
        var text = new StringBuilder();
        for (int at = 0; at < layout.Length;)
        {
            if (Next(layout, at, parts) is not ({ } part, int length))
            {
                text.Append(layout[at++]);
                continue;
            }
            if (layout[at] == '_' && layout[at..(at + length)] == "_2006") text.Append('_');
            if (text.Length > 0) parts.Add(new Part(Element.Text, Encoding.UTF8.GetBytes(text.ToString())));
            text.Clear();
            parts.Add(part);
            at += length;
        }
        if (text.Length > 0) parts.Add(new Part(Element.Text, Encoding.UTF8.GetBytes(text.ToString())));

        string[] missing =
        [
            .. !Has(Element.DayOfYear) && !Has(Element.Month, Element.MonthName) ? ["a month (1, 01 or Jan)"] : Array.Empty<string>(),
            .. !Has(Element.DayOfYear) && !Has(Element.Day) ? ["a day (2, 02 or _2)"] : Array.Empty<string>(),
            .. !Has(Element.Hour, Element.Hour12) ? ["an hour (15, 3 or 03)"] : Array.Empty<string>(),
            .. !Has(Element.Minute) ? ["a minute (4 or 04)"] : Array.Empty<string>(),
            .. Has(Element.Hour12) && !Has(Element.Hour) && !Has(Element.Half) ? ["PM behind the hour of a clock of twelve"] : Array.Empty<string>(),
        ];
        fault = missing.Length == 0 ? "" : $"\"{layout}\" lacks {string.Join(", ", missing)}; a layout is the moment 2006-01-02 15:04:05, written as the log would write it";
        return missing.Length == 0 ? new GoLayout([.. parts]) : null;

        bool Has(params Element[] elements) => parts.Any(p => elements.Contains(p.Element));
    }

    static (Part Part, int Length)? Next(string layout, int at, List<Part> parts)
    {
        if (layout[at] is '.' or ',' && at + 1 < layout.Length && layout[at + 1] is '0' or '9')
        {
            int end = at + 1;
            while (end < layout.Length && layout[end] == layout[at + 1]) end++;
            // ".0" of "2.01.2006" is a point before a month.
            if (end == layout.Length || !char.IsAsciiDigit(layout[end]))
                return (layout[at + 1] == '0' ? new(Element.Fraction, Least: end - at - 1, Most: end - at - 1) : new(Element.FractionMaybe), end - at);
        }
        foreach ((string word, Part part) in s_elements)
        {
            if (!layout.AsSpan(at).StartsWith(word, StringComparison.Ordinal)) continue;
            // "Month" is no day, and "Janet" no month.
            if (word is "Jan" or "Mon" && at + 3 < layout.Length && char.IsAsciiLetterLower(layout[at + 3])) continue;
            return (part, word.Length);
        }
        return null;
    }

    /// <summary>A moment as text.</summary>
    /// <param name="text">All of it is read.</param>
    /// <param name="now">Gives the year where the layout has none: the latest in which the moment is not in the future.</param>
    /// <param name="local">Local time, or that of <paramref name="offset"/>.</param>
    /// <param name="nanoseconds">Within the second.</param>
    /// <param name="offset">From UTC; null when the text does not say.</param>
    public bool TryRead(ReadOnlySpan<byte> text, DateTime now, out DateTime local, out int nanoseconds, out TimeSpan? offset)
    {
        (local, nanoseconds, offset) = (default, 0, null);
        int year = -1, month = 0, day = 0, dayOfYear = 0, hour = 0, minute = 0, second = 0;
        bool twelve = false;
        DayHalf half = DayHalf.None;
        for (int i = 0; i < _parts.Length; i++)
        {
            Part part = _parts[i];
            switch (part.Element)
            {
                case Element.Text:
                    if (!Literal(ref text, part.Text)) return false;
                    continue;
                case Element.Year:
                case Element.Year2:
                    if (!Number(ref text, part, out year)) return false;
                    if (part.Element == Element.Year2) year += year >= 69 ? 1900 : 2000;
                    break;
                case Element.Month:
                    if (!Number(ref text, part, out month)) return false;
                    break;
                case Element.MonthName:
                    if ((month = GoNames.Month(text, out int used)) == 0) return false;
                    text = text[used..];
                    break;
                case Element.DayName:
                    if (GoNames.Day(text, out used) == 0) return false;
                    text = text[used..];
                    break;
                case Element.Day:
                    if (!Number(ref text, part, out day)) return false;
                    break;
                case Element.DayOfYear:
                    if (!Number(ref text, part, out dayOfYear) || dayOfYear == 0) return false;
                    break;
                case Element.Hour:
                case Element.Hour12:
                    if (!Number(ref text, part, out hour)) return false;
                    twelve = part.Element == Element.Hour12;
                    break;
                case Element.Minute:
                    if (!Number(ref text, part, out minute)) return false;
                    break;
                case Element.Second:
                    if (!Number(ref text, part, out second)) return false;
                    bool own = i + 1 < _parts.Length && _parts[i + 1].Element is Element.Fraction or Element.FractionMaybe;
                    if (!own && !Fraction(ref text, 0, ref nanoseconds)) return false;
                    break;
                case Element.Half:
                    half = Half(ref text);
                    if (half is DayHalf.None or DayHalf.Unknown) return false;
                    break;
                case Element.Fraction:
                    if (!Fraction(ref text, part.Least, ref nanoseconds)) return false;
                    break;
                case Element.FractionMaybe:
                    if (!Fraction(ref text, 0, ref nanoseconds)) return false;
                    break;
                case Element.ZoneName:
                    if (!Zone(ref text, ref offset)) return false;
                    break;
                case Element.Offset:
                    if (!Offset(ref text, part, ref offset)) return false;
                    break;
            }
        }
        if (!text.IsEmpty) return false;
        hour = twelve || half != DayHalf.None ? DayHalves.Hour(hour, half) : hour;
        if (hour is < 0 or > 23 || minute > 59 || second > 59) return false;
        if (_hasYear) return Moment(year, out local);
        // A day for zones.
        for (year = now.Year; year > now.Year - 8; year--)
        {
            if (Moment(year, out local) && local <= now.AddDays(1)) return true;
        }
        return false;

        bool Moment(int y, out DateTime moment)
        {
            moment = default;
            if (y is < 1678 or > 2261) return false;
            int m = month, d = day;
            if (dayOfYear > 0 && m == 0)
            {
                if (dayOfYear > (DateTime.IsLeapYear(y) ? 366 : 365)) return false;
                moment = new DateTime(y, 1, 1).AddDays(dayOfYear - 1) + new TimeSpan(hour, minute, second);
                return true;
            }
            if (m is < 1 or > 12 || d < 1 || d > DateTime.DaysInMonth(y, m)) return false;
            moment = new DateTime(y, m, d, hour, minute, second);
            return true;
        }
    }

    static bool Literal(ref ReadOnlySpan<byte> text, ReadOnlySpan<byte> literal)
    {
        while (!literal.IsEmpty)
        {
            if (literal[0] == ' ')
            {
                if (!text.IsEmpty && text[0] != ' ') return false;
                literal = literal.TrimStart((byte)' ');
                text = text.TrimStart((byte)' ');
                continue;
            }
            if (text.IsEmpty || text[0] != literal[0]) return false;
            literal = literal[1..];
            text = text[1..];
        }
        return true;
    }

    static bool Number(ref ReadOnlySpan<byte> text, in Part part, out int number)
    {
        number = 0;
        if (part.Padded) text = text.TrimStart((byte)' ');
        int n = 0;
        for (; n < part.Most && n < text.Length && char.IsAsciiDigit((char)text[n]); n++) number = (number * 10) + text[n] - '0';
        text = text[n..];
        return n >= part.Least;
    }

    /// <summary>A point or comma and digits: so many, or with 0 any number and none at all.</summary>
    static bool Fraction(ref ReadOnlySpan<byte> text, int digits, ref int nanoseconds)
    {
        bool there = text.Length > 1 && text[0] is (byte)'.' or (byte)',' && char.IsAsciiDigit((char)text[1]);
        if (!there) return digits == 0;
        int n = 1, unit = 1_000_000_000;
        nanoseconds = 0;
        for (; n < text.Length && (digits == 0 || n <= digits) && char.IsAsciiDigit((char)text[n]); n++) nanoseconds += (text[n] - '0') * (unit /= 10);
        text = text[n..];
        return digits == 0 || n == digits + 1;
    }

    /// <summary>The word up to a digit or what stands behind a space, with its dots.</summary>
    static DayHalf Half(ref ReadOnlySpan<byte> text)
    {
        Span<byte> word = stackalloc byte[24];
        int length = 0, i = 0;
        var half = DayHalf.None;
        for (; i < text.Length && length < word.Length && !char.IsAsciiDigit((char)text[i]); i++)
        {
            byte c = text[i];
            if (c is (byte)'.' or (byte)' ')
            {
                // "PM -0700" ends here, "p. m." does not.
                if (c == ' ' && DayHalves.Of(word[..length]) is (DayHalf.Morning or DayHalf.Afternoon) and var found && length > 1)
                {
                    half = found;
                    break;
                }
                continue;
            }
            word[length++] = c is >= (byte)'A' and <= (byte)'Z' ? (byte)(c | 0x20) : c;
        }
        if (half == DayHalf.None) half = DayHalves.Of(word[..length]);
        text = text[i..];
        return half;
    }

    static bool Zone(ref ReadOnlySpan<byte> text, ref TimeSpan? offset)
    {
        int n = 0;
        while (n < text.Length && n < 5 && text[n] is >= (byte)'A' and <= (byte)'Z') n++;
        if (n < 3) return false;
        if (offset is null && (text[..n].SequenceEqual("UTC"u8) || text[..n].SequenceEqual("GMT"u8))) offset = TimeSpan.Zero;
        text = text[n..];
        return true;
    }

    static bool Offset(ref ReadOnlySpan<byte> text, in Part part, ref TimeSpan? offset)
    {
        if (part.Zulu && text is [(byte)'Z', ..])
        {
            text = text[1..];
            offset = TimeSpan.Zero;
            return true;
        }
        if (text.IsEmpty || text[0] is not ((byte)'+' or (byte)'-')) return false;
        int sign = text[0] == '-' ? -1 : 1, seconds = 0, unit = 3600;
        text = text[1..];
        for (int digits = 0; digits < part.Least; digits += 2, unit /= 60)
        {
            if (digits > 0 && part.Colons)
            {
                if (text is not [(byte)':', ..]) return false;
                text = text[1..];
            }
            if (!Number(ref text, new Part(Element.Offset, Least: 2), out int number) || number > (digits == 0 ? 24 : 59)) return false;
            seconds += number * unit;
        }
        offset = TimeSpan.FromSeconds(sign * seconds);
        return true;
    }
}
