namespace Nfr.Panel.Screens;

/// <summary>Draws on a <see cref="ScreenBuffer"/>. Nothing throws and nothing is drawn outside; what does not fit is cut where it says so.</summary>
readonly ref struct Canvas(ScreenBuffer screen)
{
    /// <summary>The display moves its picture by a dot against burn-in: the last column and row stay free.</summary>
    public const int Width = ScreenBuffer.Width - 1;
    public const int Height = ScreenBuffer.Height - 1;
    /// <summary>From one line of small letters to the next.</summary>
    public const int Line = 9;

    static ReadOnlySpan<char> Ellipsis => "…";

    public void Rectangle(int x, int y, int width, int height, bool lit = true)
    {
        for (int row = Math.Max(0, y); row < Math.Min(y + height, ScreenBuffer.Height); row++)
        {
            for (int column = Math.Max(0, x); column < Math.Min(x + width, ScreenBuffer.Width); column++) screen[column, row] = lit;
        }
    }

    public void Frame(int x, int y, int width, int height)
    {
        Rectangle(x, y, width, 1);
        Rectangle(x, y + height - 1, width, 1);
        Rectangle(x, y, 1, height);
        Rectangle(x + width - 1, y, 1, height);
    }

    /// <summary>Lit becomes dark and dark lit.</summary>
    public void Invert(int x, int y, int width, int height)
    {
        for (int row = Math.Max(0, y); row < Math.Min(y + height, ScreenBuffer.Height); row++)
        {
            for (int column = Math.Max(0, x); column < Math.Min(x + width, ScreenBuffer.Width); column++) screen[column, row] = !screen[column, row];
        }
    }

    /// <summary>A frame, filled from the left.</summary>
    /// <remarks><paramref name="share"/>: 0 to 1; anything above nothing shows, and only all of it fills it.</remarks>
    public void Bar(int x, int y, int width, int height, double share)
    {
        Frame(x, y, width, height);
        int room = width - 4;
        int filled = share is > 0 and < 1 ? Math.Clamp((int)(share * room), 1, room - 1) : share >= 1 ? room : 0;
        Rectangle(x + 2, y + 2, filled, height - 4);
    }

    /// <summary>Columns, the newest at the right, the highest as high as there is room.</summary>
    public void Spark(int x, int y, int width, int height, IReadOnlyList<double> values)
    {
        Rectangle(x, y + height - 1, width, 1);
        double most = 0;
        int count = Math.Min(values.Count, width);
        for (int i = values.Count - count; i < values.Count; i++) most = values[i] > most && double.IsFinite(values[i]) ? values[i] : most;
        if (most <= 0) return;
        for (int i = 0; i < count; i++)
        {
            double value = values[values.Count - count + i];
            int high = value > 0 ? (int)Math.Ceiling(Math.Min(1, value / most) * (height - 1)) : 0;
            Rectangle(x + width - count + i, y + height - 1 - high, 1, high);
        }
    }

    /// <summary>A mark, or its double.</summary>
    public int Icon(string name, int x, int y, int times = 1)
    {
        Glyph glyph = BitmapFont.Icons.Named(name);
        Put(glyph, x, y, 0, ScreenBuffer.Width, times);
        return glyph.Width * times;
    }

    /// <summary>One line, cut at its end with "…" where it is wider than <paramref name="width"/>.</summary>
    /// <returns>Columns that it takes.</returns>
    public int Text(ReadOnlySpan<char> text, int x, int y, int width = Width, BitmapFont? font = null)
    {
        font ??= BitmapFont.Small;
        width = Math.Min(width, Width - x);
        if (width <= 0) return 0;
        int wide = font.Measure(text);
        if (wide <= width)
        {
            Run(text, x, y, x, x + width, font);
            return wide;
        }
        int room = width - font.Measure(Ellipsis) - font.Gap;
        int taken = Fitting(text, room, font);
        int at = Run(text[..taken].TrimEnd(), x, y, x, x + width, font);
        return Run(Ellipsis, at, y, x, x + width, font) - x;
    }

    public void Right(ReadOnlySpan<char> text, int right, int y, BitmapFont? font = null) => Text(text, Math.Max(0, right - (font ?? BitmapFont.Small).Measure(text)), y, right, font);

    public void Centre(ReadOnlySpan<char> text, int y, BitmapFont? font = null) => Text(text, Math.Max(0, (Width - (font ?? BitmapFont.Small).Measure(text)) / 2), y, Width, font);

    /// <summary>One line that moves on once a second where it is too long: it stands for three seconds, goes through, stands at its end, begins again.</summary>
    public void Moving(ReadOnlySpan<char> text, int x, int y, int width, int seconds, BitmapFont? font = null)
    {
        font ??= BitmapFont.Small;
        int over = font.Measure(text) - width;
        if (over <= 0)
        {
            Run(text, x, y, x, x + width, font);
            return;
        }
        int step = 3 * font.Height;
        int steps = (over + step - 1) / step;
        int now = Math.Clamp((seconds % (steps + 6)) - 2, 0, steps);
        Run(text, x - Math.Min(over, now * step), y, x, x + width, font);
    }

    /// <summary>Lines of small letters, broken between words (or inside one that is wider than a line), from <paramref name="skip"/> on.</summary>
    /// <remarks><paramref name="lines"/>: Lines there is room for; where more is left, the last ends with "…" unless <paramref name="goesOn"/>. <paramref name="skip"/>: Lines that were shown before. <paramref name="goesOn"/>: The rest is shown later.</remarks>
    /// <returns>Lines that were drawn.</returns>
    public int Paragraph(ReadOnlySpan<char> text, int x, int y, int width, int lines, int skip = 0, bool goesOn = false)
    {
        int drawn = 0;
        for (int line = 0; drawn < lines && NextLine(ref text, width, out ReadOnlySpan<char> whole, out ReadOnlySpan<char> row); line++)
        {
            if (line < skip) continue;
            bool last = drawn == lines - 1 && !goesOn && !text.IsEmpty;
            Text(last ? whole : row, x, y + (drawn * Line), width);
            drawn++;
        }
        return drawn;
    }

    /// <summary>Lines that a text takes at a width.</summary>
    public static int LinesOf(ReadOnlySpan<char> text, int width)
    {
        int lines = 0;
        while (NextLine(ref text, width, out _, out _)) lines++;
        return lines;
    }

    /// <summary>Takes a line off <paramref name="text"/>.</summary>
    /// <remarks><paramref name="whole"/>: From the line's begin to the text's end. <paramref name="row"/>: The line.</remarks>
    static bool NextLine(ref ReadOnlySpan<char> text, int width, out ReadOnlySpan<char> whole, out ReadOnlySpan<char> row)
    {
        text = text.TrimStart();
        whole = row = text;
        if (text.IsEmpty) return false;
        int fits = Math.Max(1, Fitting(text, width, BitmapFont.Small));
        if (fits < text.Length)
        {
            // After a space; else after what long addresses and paths are made of; else anywhere.
            int space = text[fits] == ' ' ? fits : text[..fits].LastIndexOf(' ');
            int joint = text[..fits].LastIndexOfAny(":/-.,") + 1;
            if (space > 0) fits = space;
            else if (joint > fits / 2) fits = joint;
        }
        row = text[..fits].TrimEnd();
        text = text[fits..].TrimStart();
        return true;
    }

    static int Fitting(ReadOnlySpan<char> text, int width, BitmapFont font)
    {
        int used = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (!font.TryGet(text[i], out Glyph glyph)) continue;
            used += glyph.Width + (used > 0 ? font.Gap : 0);
            if (used > width) return i;
        }
        return text.Length;
    }

    int Run(ReadOnlySpan<char> text, int x, int y, int from, int to, BitmapFont font)
    {
        foreach (char c in text)
        {
            if (x >= to) break;
            if (!font.TryGet(c, out Glyph glyph)) continue;
            Put(glyph, x, y, from, to, 1);
            x += glyph.Width + font.Gap;
        }
        return x;
    }

    void Put(Glyph glyph, int x, int y, int from, int to, int times)
    {
        for (int row = 0; row < glyph.Rows.Length * times; row++)
        {
            for (int column = 0; column < glyph.Width * times; column++)
            {
                int at = x + column;
                if ((glyph.Rows[row / times] & (1 << (column / times))) != 0 && at >= from && at < to) screen[at, y + row] = true;
            }
        }
    }

    /// <summary>A code, dark on a lit ground with its quiet edge, in a square of <paramref name="size"/> dots, each module as large as fits.</summary>
    public void Code(QrCode code, int x, int y, int size)
    {
        int dots = Math.Max(1, size / (code.Size + 2));
        int offset = (size - (code.Size * dots)) / 2;
        Rectangle(x, y, size, size);
        for (int row = 0; row < code.Size * dots; row++)
        {
            for (int column = 0; column < code.Size * dots; column++)
            {
                if (code[column / dots, row / dots]) screen[x + offset + column, y + offset + row] = false;
            }
        }
    }
}
