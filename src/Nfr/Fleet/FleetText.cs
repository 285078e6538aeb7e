using System.Globalization;
using System.Text;
using Nfr.Health;
using Spectre.Console;

namespace Nfr.Fleet;

/// <summary>Texts and numbers that fit a cell of the screen.</summary>
static class FleetText
{
    /// <summary>Exactly <paramref name="width"/> cells: cut with an ellipsis, or filled up.</summary>
    public static string Fit(string text, int width, bool right = false)
    {
        if (width <= 0) return "";
        var fit = new StringBuilder(width);
        int cells = 0;
        foreach (char c in text)
        {
            // What lies beyond the first plane is as wide as each terminal likes.
            char shown = char.IsSurrogate(c) ? '·' : c;
            int wide = Math.Max(0, shown.GetCellWidth());
            if (cells + wide > width)
            {
                while (cells > width - 1)
                {
                    cells -= Math.Max(0, fit[^1].GetCellWidth());
                    fit.Length--;
                }
                fit.Append('…');
                cells++;
                break;
            }
            fit.Append(shown);
            cells += wide;
        }
        return right ? fit.Insert(0, " ", width - cells).ToString() : fit.Append(' ', width - cells).ToString();
    }

    /// <summary>Such as 5s, 12m, 3h, 9d: three characters, four at most.</summary>
    public static string Age(TimeSpan? age) => age switch
    {
        null => "-",
        { TotalSeconds: < 100 } a => string.Create(CultureInfo.InvariantCulture, $"{Math.Floor(a.TotalSeconds):0}s"),
        { TotalMinutes: < 100 } a => string.Create(CultureInfo.InvariantCulture, $"{a.TotalMinutes:0}m"),
        { TotalHours: < 48 } a => string.Create(CultureInfo.InvariantCulture, $"{a.TotalHours:0}h"),
        { TotalDays: < 1000 } a => string.Create(CultureInfo.InvariantCulture, $"{a.TotalDays:0}d"),
        { } a => string.Create(CultureInfo.InvariantCulture, $"{a.TotalDays / 365.25:0}y"),
    };

    /// <summary>Such as 0, 812, 12.3k, 4.5M: five characters at most below 10¹⁴.</summary>
    public static string Number(double? number) => number switch
    {
        null => "-",
        < 1_000 and var n => n.ToString("0", CultureInfo.InvariantCulture),
        < 99_950 and var n => (n / 1e3).ToString("0.0", CultureInfo.InvariantCulture) + "k",
        < 999_500 and var n => (n / 1e3).ToString("0", CultureInfo.InvariantCulture) + "k",
        < 99_950_000 and var n => (n / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + "M",
        < 999_500_000 and var n => (n / 1e6).ToString("0", CultureInfo.InvariantCulture) + "M",
        < 99_950_000_000 and var n => (n / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + "G",
        < 99_950_000_000_000 and var n => (n / 1e12).ToString("0.0", CultureInfo.InvariantCulture) + "T",
        _ => "huge",
    };

    /// <summary>A share of 0 to 1: 0, &lt;.1%, 2.5%, 31%.</summary>
    public static string Share(double? share) => share switch
    {
        null => "-",
        0 => "0",
        < 0.001 => "<.1%",
        < 0.0995 and var s => (s * 100).ToString("0.0", CultureInfo.InvariantCulture) + "%",
        var s => (s!.Value * 100).ToString("0", CultureInfo.InvariantCulture) + "%",
    };

    /// <summary>How far a clock is off; what a heartbeat may take on its way is no skew.</summary>
    public static string Skew(TimeSpan? skew) => skew switch
    {
        null => "-",
        { } s when s.Duration() < TimeSpan.FromSeconds(2) => "0",
        { } s => (s < TimeSpan.Zero ? "-" : "+") + Age(s.Duration()),
    };

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>"1 sensor", "1,000 sensors".</summary>
    public static string Many(long number, string one) => Count(number) + " " + one + (number == 1 ? "" : "s");

    public static string Ago(TimeSpan? age) => age is { } a ? Ages.Of(a) + " ago" : "never";

    /// <summary>Words at most <paramref name="width"/> cells a line; a word that is longer has a line of its own and is cut there.</summary>
    public static IEnumerable<string> Wrap(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line;
                line = "";
            }
            line += line.Length == 0 ? word : " " + word;
        }
        if (line.Length > 0) yield return line;
    }
}
