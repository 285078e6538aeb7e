using System.Globalization;

namespace Nfr.Storage;

/// <summary>
/// How long ring and card last if it goes on like the last day, or like this run while that is shorter.
/// <para>A card is taken to last until it was written over <see cref="CardOverwrites"/> times: 600 erasures of a cheap card's cells, four bytes erased
/// for one that is written. Written bytes are the database's pages as they were counted (<see cref="SpoolCounters.BytesWritten"/>); what the file system and
/// other programs write is not among them.</para>
/// </summary>
/// <param name="BytesPerDay">Written to the card by the spool.</param>
/// <param name="RingDays">So many days of events the ring holds while nothing is delivered; null while no events come.</param>
/// <param name="CardYears">Until the card is worn out by the spool alone.</param>
/// <param name="CardBytes">Of the card that this is about.</param>
public sealed record SpoolOutlook(long BytesPerDay, double? RingDays, double CardYears, long CardBytes)
{
    public const int CardOverwrites = 150;

    internal const string State = "outlook";

    internal static SpoolOutlook Of(double bytesPerDay, double? ringDays, long cardBytes) =>
        new((long)bytesPerDay, ringDays, (double)cardBytes * CardOverwrites / bytesPerDay / 365.25, cardBytes);

    internal string ToText() => string.Create(CultureInfo.InvariantCulture, $"{BytesPerDay} {RingDays ?? 0:R} {CardBytes}");

    internal static SpoolOutlook? FromText(string? text)
    {
        string[] parts = text?.Split(' ') ?? [];
        return parts.Length == 3 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long perDay) && perDay > 0
            && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double days) && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out long card)
            ? Of(perDay, days > 0 ? days : null, card) : null;
    }
}

/// <summary>What was written in the last day, by the hour; on the monotone clock. Under the tally lock.</summary>
sealed class WriteRate(TimeProvider time)
{
    const int Hours = 24;
    static readonly TimeSpan s_least = TimeSpan.FromMinutes(5);

    readonly long _start = time.GetTimestamp();
    readonly (long Written, long Intake)[] _atHour = new (long, long)[Hours + 1];
    long _hour;
    long _written, _intake, _used, _rows;

    /// <param name="written">Bytes written since the start.</param>
    /// <param name="intake">Bytes of rows that came since the start.</param>
    /// <param name="used">Bytes of pages in use now.</param>
    /// <param name="rows">Bytes of rows in them.</param>
    public void Note(long written, long intake, long used, long rows)
    {
        // What a total was when an hour began: for hours without a note, what it was before.
        for (long hour = (long)time.GetElapsedTime(_start).TotalHours; _hour < hour;)
        {
            _hour = Math.Max(_hour + 1, hour - Hours);
            _atHour[_hour % (Hours + 1)] = (_written, _intake);
        }
        (_written, _intake, _used, _rows) = (written, intake, used, rows);
    }

    public SpoolOutlook? Outlook(long ringBytes, long cardBytes)
    {
        TimeSpan run = time.GetElapsedTime(_start);
        if (run < s_least) return null;
        Note(_written, _intake, _used, _rows);
        long from = Math.Max(0, _hour - Hours + 1);
        (long written, long intake) = from == 0 ? default : _atHour[from % (Hours + 1)];
        double days = run.TotalDays - (from / 24.0);
        double perDay = (_written - written) / days;
        if (perDay < 1) return null;
        // Pages are not full of rows: as full as they are now, or, in an empty ring, three quarters.
        double fill = _rows > 1 << 20 ? Math.Clamp((double)_rows / Math.Max(1, _used), 0.1, 1) : 0.75;
        double taken = (_intake - intake) / days / fill;
        return SpoolOutlook.Of(perDay, taken < 1 ? null : ringBytes / taken, cardBytes);
    }
}
