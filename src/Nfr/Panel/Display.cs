using System.Globalization;
using Nfr.Native;

namespace Nfr.Panel;

/// <summary>A device on a bus.</summary>
/// <param name="Write">See <see cref="I2cWrite"/>.</param>
/// <param name="Probe">Whether somebody answers: 0 or an errno.</param>
/// <param name="Close">Ends it.</param>
sealed record I2cLink(I2cWrite Write, Func<int> Probe, Action Close);

/// <summary>Null and an errno when it cannot be opened.</summary>
delegate I2cLink? OpenI2c(string path, int address, out int errno);

/// <summary>What the config says of the display.</summary>
sealed record DisplayOptions
{
    /// <summary>Null = the first bus on which one answers.</summary>
    public string? Bus { get; init; }
    /// <summary>Null = 0x3c, then 0x3d.</summary>
    public int? Address { get; init; }
    public byte Contrast { get; init; } = 128;
}

/// <summary>
/// The display, there or not: looked for, set up, shown to, and looked for again when it is gone (an unplugged cable is an errno and no more), with growing waits. Its care:
/// dark after a while without use, dimmed before that and by night, and the picture moves by a dot once a minute, so that none shines for years.
/// One thread; no call waits for anything but the bus.
/// </summary>
sealed class Display(DisplayOptions options, Func<IReadOnlyList<string>> buses, OpenI2c open, Action<string> say, TimeProvider time) : IDisposable
{
    public static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan Refresh = TimeSpan.FromMinutes(1);

    /// <summary>0x3C with its SA0 pin low, which is how they are sold; 0x3D with it high.</summary>
    static readonly int[] s_addresses = [0x3C, 0x3D];

    static readonly (int X, int Y)[] s_shifts = [(0, 0), (1, 0), (1, 1), (0, 1)];

    readonly byte[] _bits = new byte[ScreenBuffer.Length];
    I2cLink? _link;
    Ssd1306? _panel;
    long _tried;
    TimeSpan _wait;
    long _refreshed;
    string? _said;
    bool _isLit;
    bool _isDim;

    /// <summary>Where it is: "/dev/i2c-1 0x3c"; null while there is none.</summary>
    public string? Place { get; private set; }

    /// <summary>The real buses: /dev/i2c-*, that of the pins first.</summary>
    public static IReadOnlyList<string> Buses()
    {
        try
        {
            return [.. Directory.GetFiles("/dev", "i2c-*").OrderBy(p => p != "/dev/i2c-1").ThenBy(p => int.TryParse(p.AsSpan(p.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : int.MaxValue)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public static I2cLink? Open(string path, int address, out int errno) =>
        I2cBus.Open(path, address, out errno) is { } bus ? new I2cLink(bus.Write, bus.Probe, bus.Dispose) : null;

    /// <summary>Shows a picture, or nothing.</summary>
    /// <param name="screen">What.</param>
    /// <param name="isLit">False: dark, to spare it.</param>
    /// <param name="isDim">Nobody looks at it now, or it is night.</param>
    /// <returns>It is shown.</returns>
    public bool Show(ScreenBuffer screen, bool isLit, bool isDim)
    {
        if (_panel is null && !TryFind()) return false;
        Ssd1306 panel = _panel!;
        int fault = 0;
        if (time.GetElapsedTime(_refreshed) >= Refresh)
        {
            _refreshed = time.GetTimestamp();
            fault = panel.Configure(Contrast(isDim));
            _isDim = isDim;
        }
        if (fault == 0 && isDim != _isDim) fault = panel.Contrast(Contrast(_isDim = isDim));
        if (fault == 0)
        {
            Shift(screen.Bits, s_shifts[(int)(time.GetElapsedTime(0).TotalMinutes % s_shifts.Length)], _bits);
            // What is dark is kept up to date: it is right from the first moment when it is lit.
            fault = panel.Show(_bits);
        }
        // Also while nothing changes: whoever pulls the cable out and puts it in again has a display that knows nothing.
        if (fault == 0) fault = isLit == _isLit ? panel.Ping() : panel.Switch(_isLit = isLit);
        if (fault == 0) return true;
        Lost(fault);
        return false;
    }

    byte Contrast(bool isDim) => isDim ? (byte)(options.Contrast / 8) : options.Contrast;

    /// <summary>Right and down; what leaves at the edge is left out.</summary>
    internal static void Shift(ReadOnlySpan<byte> from, (int X, int Y) by, Span<byte> to)
    {
        for (int page = 0; page < ScreenBuffer.Pages; page++)
        {
            for (int x = 0; x < ScreenBuffer.Width; x++)
            {
                int at = x - by.X;
                int here = at < 0 ? 0 : from[(page * ScreenBuffer.Width) + at];
                int above = at < 0 || page == 0 ? 0 : from[((page - 1) * ScreenBuffer.Width) + at];
                to[(page * ScreenBuffer.Width) + x] = by.Y == 0 ? (byte)here : (byte)((here << 1) | (above >> 7));
            }
        }
    }

    bool TryFind()
    {
        if (_wait > TimeSpan.Zero && time.GetElapsedTime(_tried) < _wait) return false;
        _tried = time.GetTimestamp();
        var silent = new List<(string Bus, int Why)>();
        foreach (string bus in options.Bus is { } named ? [named] : buses())
        {
            int why = 0;
            foreach (int address in options.Address is { } at ? [at] : s_addresses)
            {
                I2cLink? link = open(bus, address, out int errno);
                if (link is not null)
                {
                    // Where nobody said where it is only reading is safe: something else may answer there.
                    if (options.Bus is null) errno = link.Probe();
                    if (errno == 0 && Begin(link, bus, address) is 0) return true;
                    else if (errno == 0) errno = NoAnswer;
                    link.Close();
                }
                // Of two addresses the one at which more is wrong than that nobody is there.
                if (why is 0 or 6 or NoAnswer) why = errno;
                // On the next address it would say the same.
                if (link is null) break;
            }
            silent.Add((bus, why));
        }
        _wait = _wait == TimeSpan.Zero ? TimeSpan.FromSeconds(1) : _wait * 2 > LongestWait ? LongestWait : _wait * 2;
        Say(silent.Count == 0 ? $"there is no display: no I2C bus ({options.Bus ?? "/dev/i2c-*"})" : NotFound(silent));
        return false;
    }

    /// <summary>A right that is missing is told before all; else what is wrong on the first bus, that of the pins, since a board has others (a Pi those of its screens).</summary>
    static string NotFound(List<(string Bus, int Why)> silent)
    {
        int told = Math.Max(silent.FindIndex(bus => bus.Why is 13 or 1), 0);
        string others = string.Join(", ", silent.Where((_, i) => i != told).Select(bus => bus.Bus));
        return $"there is no display on {silent[told].Bus}: {Words(silent[told].Why)}{(others.Length == 0 ? "" : $" (nor is one on {others})")}";
    }

    const int NoAnswer = 121;

    int Begin(I2cLink link, string bus, int address)
    {
        var panel = new Ssd1306(link.Write);
        if (panel.Begin(options.Contrast) is not 0 and var fault) return fault;
        (_link, _panel, _wait, _isLit, _isDim, _refreshed) = (link, panel, TimeSpan.Zero, true, false, time.GetTimestamp());
        Place = string.Create(CultureInfo.InvariantCulture, $"{bus} 0x{address:x2}");
        _said = null;
        say($"display at {Place}");
        return 0;
    }

    void Lost(int errno)
    {
        string place = Place!;
        Close();
        Say($"the display at {place} is gone: {Words(errno)}");
    }

    /// <summary>Once for each reason.</summary>
    void Say(string sentence)
    {
        if (sentence == _said) return;
        _said = sentence;
        say($"{sentence}; looked for again, {LongestWait.TotalSeconds:0} s apart at most");
    }

    internal static string Words(int errno) => errno switch
    {
        2 => "there is no such bus; is I2C switched on (dtparam=i2c_arm=on)?",
        6 or 121 => "nobody answers; look at its four wires",
        13 or 1 => "no permission; the panel's user needs the right to the bus (udev rule 60-nfr-panel.rules)",
        16 => "a driver of the kernel has it",
        95 => "this bus cannot do SMBus blocks",
        110 => "the bus hangs; look at its wires",
        _ => string.Create(CultureInfo.InvariantCulture, $"error {errno}"),
    };

    void Close()
    {
        _link?.Close();
        (_link, _panel, Place) = (null, null, null);
        _wait = TimeSpan.Zero;
        // At once only once: then with growing waits.
        _tried = time.GetTimestamp();
        _wait = TimeSpan.FromSeconds(1);
    }

    /// <summary>Dark: what it shows would be said by nobody any more.</summary>
    public void Blank() => _panel?.Switch(on: false);

    public void Dispose()
    {
        _link?.Close();
        (_link, _panel) = (null, null);
    }
}
