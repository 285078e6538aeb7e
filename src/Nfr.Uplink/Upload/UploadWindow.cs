using System.Globalization;

namespace Nfr.Uplink;

/// <summary>
/// Times of the week at which events are uploaded, in local time: "22:00-06:00", "mon-fri 22:00-06:00", "sat,sun". A range over midnight belongs to the day on which it
/// begins. Without any, always.
/// </summary>
public sealed class UploadWindow
{
    const int Day = 24 * 60, Week = 7 * Day;
    /// <summary>More is no schedule any more.</summary>
    public const int MaxRanges = 32;

    static readonly string[] s_days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    readonly record struct Range(int From, int Length);

    readonly Range[] _ranges;

    UploadWindow(Range[] ranges, IReadOnlyList<string> texts) => (_ranges, Texts) = (ranges, texts);

    public static UploadWindow Always { get; } = new([], []);

    /// <summary>As they were written.</summary>
    public IReadOnlyList<string> Texts { get; }

    public bool IsAlways => _ranges.Length == 0;

    /// <summary>Whether events may go at a local time.</summary>
    public bool IsOpen(DateTime local)
    {
        if (IsAlways) return true;
        int minute = ((int)local.DayOfWeek * Day) + (int)local.TimeOfDay.TotalMinutes;
        foreach (Range range in _ranges)
        {
            if ((minute - range.From + Week) % Week < range.Length) return true;
        }
        return false;
    }

    /// <summary>Null and what is wrong, when one of them is none.</summary>
    public static UploadWindow? TryParse(IReadOnlyList<string> texts, out int wrong)
    {
        List<Range> ranges = [];
        for (wrong = 0; wrong < texts.Count; wrong++)
        {
            if (ranges.Count >= MaxRanges * 7 || !TryParse(texts[wrong], ranges)) return null;
        }
        wrong = -1;
        return ranges.Count == 0 ? Always : new UploadWindow([.. ranges], texts);
    }

    static bool TryParse(string text, List<Range> ranges)
    {
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length is 0 or > 2) return false;
        bool timed = char.IsAsciiDigit(parts[^1][0]);
        if (parts.Length == 2 && !timed) return false;
        var days = new bool[7];
        if (timed && parts.Length == 1) Array.Fill(days, true);
        else if (!TryDays(parts[0], days)) return false;
        (int from, int to) = (0, Day);
        if (timed && !TryTimes(parts[^1], out from, out to)) return false;
        // Up to midnight, or over it.
        int length = to > from ? to - from : to - from + Day;
        for (int day = 0; day < 7; day++)
        {
            if (days[day]) ranges.Add(new Range((day * Day) + from, length));
        }
        return true;
    }

    static bool TryDays(string text, bool[] days)
    {
        foreach (string item in text.Split(','))
        {
            string[] ends = item.Split('-');
            int first = Array.IndexOf(s_days, ends[0].ToLowerInvariant()), last = Array.IndexOf(s_days, ends[^1].ToLowerInvariant());
            if (ends.Length > 2 || first < 0 || last < 0) return false;
            for (int day = first; ; day = (day + 1) % 7)
            {
                days[day] = true;
                if (day == last) break;
            }
        }
        return true;
    }

    static bool TryTimes(string text, out int from, out int to)
    {
        (from, to) = (0, 0);
        string[] ends = text.Split('-');
        return ends.Length == 2 && TryTime(ends[0], out from) && TryTime(ends[1], out to) && from < Day && from != to;
    }

    static bool TryTime(string text, out int minutes)
    {
        minutes = 0;
        string[] parts = text.Split(':');
        if (parts.Length != 2 || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int hour) || parts[1].Length != 2
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int minute) || minute > 59) return false;
        minutes = (hour * 60) + minute;
        return minutes <= Day;
    }
}
