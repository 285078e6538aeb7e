using Nfr.Native;

namespace Nfr.Panel;

/// <summary>How bytes come to a display: a command byte, then 1 to 32 bytes. 0 = done, else an errno.</summary>
delegate int I2cWrite(byte command, ReadOnlySpan<byte> data);

/// <summary>
/// An SSD1306 of 128 × 64 (Solomon Systech's data sheet, revision 1.1). Every transaction begins with a control byte: 0x00 = what follows is commands, 0x40 = what
/// follows goes to the picture. Only columns that have changed are sent, in page addressing mode. Every call gives 0 or the errno of the first transaction that failed; what
/// the display shows then is not known, so that <see cref="Begin"/> must come next.
/// </summary>
sealed class Ssd1306(I2cWrite write)
{
    const byte Commands = 0x00;
    const byte Data = 0x40;

    /// <summary>Between two runs of changed columns so many unchanged ones cost less than saying where the next run begins.</summary>
    const int Gap = 8;

    readonly byte[] _shown = new byte[ScreenBuffer.Length];
    bool _knows;

    /// <summary>From power-on to an empty and lit picture (section 3 of the application note, page addressing).</summary>
    /// <param name="contrast">0 to 255.</param>
    public int Begin(byte contrast)
    {
        // Dark while it is set up: its memory holds noise after power-on.
        if (Switch(on: false) is not 0 and var absent) return absent;
        if (Configure(contrast) is not 0 and var fault) return fault;
        _shown.AsSpan().Clear();
        for (int page = 0; page < ScreenBuffer.Pages; page++)
        {
            if (Send(page, 0, _shown.AsSpan(page * ScreenBuffer.Width, ScreenBuffer.Width)) is not 0 and var cleared) return cleared;
        }
        _knows = true;
        return Switch(on: true);
    }

    /// <summary>All settings once more, and the next <see cref="Show"/> sends everything: mends what a spark or a short loss of power has done, without a flicker.</summary>
    public int Configure(byte contrast)
    {
        _knows = false;
        ReadOnlySpan<byte> settings =
        [
            0xD5, 0x80,       // clock: as at reset
            0xA8, 0x3F,       // 64 rows
            0xD3, 0x00,       // no offset
            0x40,             // first row
            0x8D, 0x14,       // charge pump on: 3.3 V make the 7.5 V
            0x20, 0x02,       // page addressing
            0xA1,             // column 127 is left: mounted with its pins on top
            0xC8,             // rows from below
            0xDA, 0x12,       // how its 64 rows are wired
            0x81, contrast,
            0xD9, 0xF1,       // pre-charge for the charge pump
            0xDB, 0x40,       // VCOMH
            0x2E,             // no scrolling
            0xA4, 0xA6,       // picture from memory, lit where 1
        ];
        return write(Commands, settings);
    }

    /// <summary>Nothing, to see that it is still there.</summary>
    public int Ping() => write(Commands, [0xE3]);

    /// <summary>Lit, or dark with its picture kept: what spares it most.</summary>
    public int Switch(bool on) => write(Commands, [on ? (byte)0xAF : (byte)0xAE]);

    public int Contrast(byte contrast) => write(Commands, [0x81, contrast]);

    /// <summary>Sends what differs from what it shows.</summary>
    public int Show(ReadOnlySpan<byte> bits)
    {
        for (int page = 0; page < ScreenBuffer.Pages; page++)
        {
            ReadOnlySpan<byte> now = bits.Slice(page * ScreenBuffer.Width, ScreenBuffer.Width);
            Span<byte> then = _shown.AsSpan(page * ScreenBuffer.Width, ScreenBuffer.Width);
            for (int from = 0; (from = NextDifference(now, then, from)) < ScreenBuffer.Width;)
            {
                int end = EndOfRun(now, then, from);
                if (Send(page, from, now[from..end]) is not 0 and var fault)
                {
                    _knows = false;
                    return fault;
                }
                now[from..end].CopyTo(then[from..]);
                from = end;
            }
        }
        _knows = true;
        return 0;
    }

    int NextDifference(ReadOnlySpan<byte> now, ReadOnlySpan<byte> then, int from)
    {
        if (!_knows) return from;
        int same = now[from..].CommonPrefixLength(then[from..]);
        return from + same;
    }

    int EndOfRun(ReadOnlySpan<byte> now, ReadOnlySpan<byte> then, int from)
    {
        if (!_knows) return ScreenBuffer.Width;
        int end = from + 1;
        while (end < ScreenBuffer.Width)
        {
            int next = NextDifference(now, then, end);
            if (next >= ScreenBuffer.Width || next - end > Gap) break;
            end = next + 1;
        }
        return end;
    }

    int Send(int page, int column, ReadOnlySpan<byte> bytes)
    {
        if (write(Commands, [(byte)(0xB0 | page), (byte)(column & 0xF), (byte)(0x10 | (column >> 4))]) is not 0 and var placed) return placed;
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(I2cBus.MostBytes, bytes.Length)..])
        {
            if (write(Data, bytes[..Math.Min(I2cBus.MostBytes, bytes.Length)]) is not 0 and var fault) return fault;
        }
        return 0;
    }
}
