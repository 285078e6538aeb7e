using System.Globalization;
using System.Text;

namespace Nfr.Commands;

/// <summary>Texts that came from the network, fit for a terminal: what would move its cursor, change its colours or turn its writing around is shown as \uXXXX.</summary>
static class Printable
{
    public static string Of(string text)
    {
        if (!text.Any(IsUnfit)) return text;
        var fit = new StringBuilder(text.Length + 16);
        foreach (char c in text)
        {
            if (IsUnfit(c)) fit.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}");
            else fit.Append(c);
        }
        return fit.ToString();
    }

    static bool IsUnfit(char c) => char.IsControl(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
