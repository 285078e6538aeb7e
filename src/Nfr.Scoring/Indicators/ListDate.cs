using System.Globalization;
using System.Text;

namespace Nfr.Scoring.Indicators;

/// <summary>Dates as lists write them: 2024-04-04, 2024/04/04, with or without a time behind a blank or a T, UTC.</summary>
static class ListDate
{
    const int DateLength = 10;

    public static bool TryParse(ReadOnlySpan<byte> text, out DateOnly date)
    {
        date = default;
        if (text.Length < DateLength || text[4] is not ((byte)'-' or (byte)'/') || text[7] != text[4]) return false;
        if (text.Length > DateLength && text[DateLength] is not ((byte)' ' or (byte)'T')) return false;
        if (!Number(text[..4], out int year) || !Number(text[5..7], out int month) || !Number(text[8..10], out int day)) return false;
        if (year is < 1990 or > 2150 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        date = new DateOnly(year, month, day);
        return true;
    }

    /// <summary>With its time of day where there is one.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset moment)
    {
        moment = default;
        if (!TryParse(text, out DateOnly date)) return false;
        TimeOnly time = default;
        if (text.Length >= DateLength + 9 && TimeOnly.TryParseExact(Encoding.ASCII.GetString(text.Slice(DateLength + 1, 8)), "HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out TimeOnly read)) time = read;
        moment = new DateTimeOffset(date, time, TimeSpan.Zero);
        return true;
    }

    static bool Number(ReadOnlySpan<byte> digits, out int number) => int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
