using System.Text;

namespace Nfr.Logs;

/// <summary>English names of months and days, as Go's layouts have them; letters of either case.</summary>
static class GoNames
{
    static readonly byte[][] s_months = [.. "January February March April May June July August September October November December".Split(' ').Select(Encoding.ASCII.GetBytes)];
    static readonly byte[][] s_days = [.. "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".Split(' ').Select(Encoding.ASCII.GetBytes)];

    /// <summary>1 to 12, of a name or its first three letters; 0 when the text does not begin with one.</summary>
    public static int Month(ReadOnlySpan<byte> text, out int length) => Find(s_months, text, out length);

    /// <summary>1 to 7; 0 when the text does not begin with one.</summary>
    public static int Day(ReadOnlySpan<byte> text, out int length) => Find(s_days, text, out length);

    static int Find(byte[][] names, ReadOnlySpan<byte> text, out int length)
    {
        for (int i = 0; i < names.Length; i++)
        {
            byte[] name = names[i];
            length = text.Length >= name.Length && Ascii.EqualsIgnoreCase(text[..name.Length], name) ? name.Length
                : text.Length >= 3 && Ascii.EqualsIgnoreCase(text[..3], name.AsSpan(0, 3)) ? 3 : 0;
            if (length > 0) return i + 1;
        }
        length = 0;
        return 0;
    }
}
