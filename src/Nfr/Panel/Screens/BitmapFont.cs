using System.Globalization;

namespace Nfr.Panel.Screens;

/// <summary>One character or mark: row y is in <c>Rows[y]</c>, its column x in bit x.</summary>
readonly record struct Glyph(int Width, ushort[] Rows);

/// <summary>Letters that are read from the text art in <c>art/*.font</c>. Immutable once made; some 20 KiB, in the panel's process alone.</summary>
sealed class BitmapFont
{
    const char Box = '□';

    /// <summary>U+0100 to U+017F without their marks: names of central Europe stay readable.</summary>
    const string Plain =
        "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiJjJjKkkLlLlLlLlLl" +
        "NnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

    static readonly Lazy<BitmapFont> s_small = new(() => Load("small.font", 8));
    static readonly Lazy<BitmapFont> s_big = new(() => Load("big.font", 16));
    static readonly Lazy<BitmapFont> s_icons = new(() => Load("icons.font", 8));

    readonly Dictionary<string, Glyph> _named = new(StringComparer.Ordinal);
    readonly Dictionary<char, Glyph> _characters = [];

    /// <summary>Capitals of 7 rows.</summary>
    public static BitmapFont Small => s_small.Value;
    /// <summary>Capitals of 14 rows.</summary>
    public static BitmapFont Big => s_big.Value;
    public static BitmapFont Icons => s_icons.Value;

    BitmapFont(int height) => Height = height;

    /// <summary>Rows with the tails.</summary>
    public int Height { get; }
    /// <summary>Dark columns between two characters.</summary>
    public int Gap => Height / 8;
    public IReadOnlyCollection<char> Characters => _characters.Keys;

    /// <summary>A space is as wide as it was drawn; what no font has is a box; what has no width of its own (marks, controls) is not drawn.</summary>
    public bool TryGet(char c, out Glyph glyph)
    {
        if (_characters.TryGetValue(c, out glyph)) return true;
        if (c is >= '\u0100' and < '\u0180') c = Plain[c - '\u0100'];
        else if (c is '\u00A0' or '\u202F' or '\t' or '\n' or '\r') c = ' ';
        else if (c is '\u2010' or '\u2011' or '\u2212' or '\u00AD') c = '-';
        if (_characters.TryGetValue(c, out glyph)) return true;
        // The second half of a pair adds nothing to the first's box.
        if (char.IsControl(c) || char.IsLowSurrogate(c) || CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.Format or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark) return false;
        return _characters.TryGetValue(Box, out glyph);
    }

    public Glyph Named(string name) => _named[name];

    /// <summary>Columns that a text takes, without a gap at its end.</summary>
    public int Measure(ReadOnlySpan<char> text)
    {
        int width = 0;
        foreach (char c in text)
        {
            if (TryGet(c, out Glyph glyph)) width += glyph.Width + Gap;
        }
        return Math.Max(0, width - Gap);
    }

    static BitmapFont Load(string name, int height)
    {
        using Stream stream = typeof(BitmapFont).Assembly.GetManifestResourceStream("panel/" + name) ?? throw new InvalidOperationException($"{name} is not in the program");
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), height);
    }

    /// <summary>Reads the form that the head of small.font tells.</summary>
    /// <exception cref="FormatException">A block is not as wide or as high as its names say.</exception>
    internal static BitmapFont Parse(string text, int height)
    {
        var font = new BitmapFont(height);
        string[] names = [];
        List<string[]> rows = [];
        foreach (string line in text.Split('\n').Append(""))
        {
            if (line.StartsWith("; ", StringComparison.Ordinal)) continue;
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                font.Add(names, rows);
                (names, rows) = ([], []);
            }
            else if (names.Length == 0) names = words;
            else if (words.Length != names.Length || rows.Count == height) throw new FormatException($"the block of \"{names[0]}\" has a row that does not fit: {line}");
            else rows.Add(words);
        }
        return font;
    }

    void Add(string[] names, List<string[]> rows)
    {
        for (int i = 0; i < names.Length; i++)
        {
            int width = rows[0][i].Length;
            var bits = new ushort[Height];
            for (int y = 0; y < rows.Count; y++)
            {
                string row = rows[y][i];
                if (row.Length != width || width > 16) throw new FormatException($"row {y} of \"{names[i]}\" is {row.Length} wide, not {width}: {row}");
                for (int x = 0; x < width; x++) bits[y] |= (ushort)(row[x] == '#' ? 1 << x : 0);
            }
            var glyph = new Glyph(width, bits);
            if (names[i].Length == 1) _characters[names[i][0]] = glyph;
            else if (names[i] == "space") _characters[' '] = glyph;
            else if (names[i].StartsWith("U+", StringComparison.Ordinal)) _characters[(char)int.Parse(names[i].AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)] = glyph;
            else _named[names[i]] = glyph;
        }
    }
}
