using System.Globalization;

namespace Nfr.Config;

/// <summary>Sizes for people: 512MB is 512 million bytes, 1GiB is 2³⁰, a bare number is bytes.</summary>
public static class ByteSize
{
    public static bool TryParse(ReadOnlySpan<char> text, out long bytes)
    {
        bytes = 0;
        int digits = 0;
        while (digits < text.Length && (char.IsAsciiDigit(text[digits]) || text[digits] == '.')) digits++;
        if (digits is 0 or > 20) return false;
        if (!decimal.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)) return false;
        ReadOnlySpan<char> unit = text[digits..].TrimStart(' ');
        long scale = 0;
        foreach ((string name, long value) in Units)
        {
            if (unit.Equals(name, StringComparison.OrdinalIgnoreCase)) scale = value;
        }
        if (unit.IsEmpty) scale = 1;
        if (scale == 0 || number > long.MaxValue / scale) return false;
        bytes = (long)(number * scale);
        return true;
    }

    /// <summary>In the largest binary unit that divides it, else in bytes.</summary>
    public static string Format(long bytes)
    {
        foreach ((string name, long value) in Units)
        {
            if (bytes >= value && bytes % value == 0) return string.Create(CultureInfo.InvariantCulture, $"{bytes / value}{name}");
        }
        return bytes.ToString(CultureInfo.InvariantCulture);
    }

    static readonly (string Name, long Value)[] Units =
    [
        ("TiB", 1L << 40), ("TB", 1_000_000_000_000), ("GiB", 1L << 30), ("GB", 1_000_000_000),
        ("MiB", 1L << 20), ("MB", 1_000_000), ("KiB", 1L << 10), ("KB", 1_000), ("B", 1),
    ];
}
