using System.Globalization;

namespace Nfr.Panel.Screens;

/// <summary>What pages have in common.</summary>
static class PageParts
{
    /// <summary>Seconds that each part of a page stands, where it has more than fits.</summary>
    public const int Turn = 4;
    /// <summary>Where the first line under the title lies; there are six.</summary>
    public const int Top = 10;
    public const int Lines = 6;

    /// <summary>The y of a line under the title, 0 to 5.</summary>
    public static int At(int line) => Top + (line * Canvas.Line);

    /// <summary>A mark, the page's name, a word at the right and a line under it.</summary>
    public static void Title(Canvas canvas, string? icon, ReadOnlySpan<char> title, ReadOnlySpan<char> right = default)
    {
        int x = icon is null ? 0 : canvas.Icon(icon, 0, 0) + 3;
        // The word at the right says less than the page's name.
        int wide = canvas.Text(title, x, 0);
        int room = Canvas.Width - x - wide - 6;
        int width = Math.Min(room, BitmapFont.Small.Measure(right));
        if (width > 12) canvas.Text(right, Canvas.Width - width, 0, width);
        canvas.Rectangle(0, 8, Canvas.Width, 1);
    }

    /// <summary>Words in big letters over one or two lines.</summary>
    /// <returns>The y below.</returns>
    public static int Headline(Canvas canvas, ReadOnlySpan<char> words, int y)
    {
        if (BitmapFont.Big.Measure(words) <= Canvas.Width)
        {
            canvas.Text(words, 0, y, Canvas.Width, BitmapFont.Big);
            return y + 17;
        }
        int cut = words.Length;
        for (int i = 0; i < words.Length; i++)
        {
            if (words[i] == ' ' && BitmapFont.Big.Measure(words[..i]) <= Canvas.Width) cut = i;
        }
        canvas.Text(words[..cut], 0, y, Canvas.Width, BitmapFont.Big);
        if (cut == words.Length) return y + 17;
        canvas.Text(words[(cut + 1)..], 0, y + 16, Canvas.Width, BitmapFont.Big);
        return y + 33;
    }

    /// <summary>Turns that a text needs in so many lines.</summary>
    public static int TurnsOf(ReadOnlySpan<char> text, int lines) => Math.Max(1, (Canvas.LinesOf(text, Canvas.Width) + lines - 1) / lines);

    /// <summary>That part of a text which is shown in a turn.</summary>
    public static void Part(Canvas canvas, ReadOnlySpan<char> text, int y, int lines, int turn)
    {
        int turns = TurnsOf(text, lines);
        canvas.Paragraph(text, 0, y, Canvas.Width, lines, turn % turns * lines, goesOn: true);
    }

    public static string Count(long number) => number < 10_000_000 ? number.ToString("N0", CultureInfo.InvariantCulture) : Short(number, out string unit) + unit switch { "k" => " thousand", "M" => " million", "G" => " billion", "T" => " trillion", _ => "" };

    /// <summary>Three digits, and the letter for the thousands: 94.2 and "M".</summary>
    public static string Short(double value, out string unit)
    {
        unit = "";
        if (!(value > 0)) return "0";
        foreach (string next in (ReadOnlySpan<string>)["k", "M", "G", "T"])
        {
            if (value < 999.5) break;
            value /= 1000;
            unit = next;
        }
        // More than any wire carries.
        if (value >= 999.5) return "999";
        return value.ToString(value >= 99.95 ? "0" : value >= 9.995 || unit.Length == 0 ? value == Math.Floor(value) && unit.Length == 0 ? "0" : "0.0" : "0.00", CultureInfo.InvariantCulture);
    }

    /// <summary>A sentence begins with a capital.</summary>
    public static string Sentence(string text) => text.Length > 0 && char.IsAsciiLetterLower(text[0]) && !text.AsSpan(0, Math.Min(text.Length, 4)).ContainsAnyInRange('0', '9') ? char.ToUpperInvariant(text[0]) + text[1..] : text;
}
