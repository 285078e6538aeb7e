using Nfr.Panel;

namespace Nfr.Tests.Panel;

/// <summary>A display of the data sheet's: what it shows after the bytes it got.</summary>
sealed class FakeDisplay
{
    public readonly byte[] Memory = new byte[ScreenBuffer.Length];
    public bool IsOn;
    public byte Contrast;
    public bool HasPump;
    public int Transactions;
    public int DataBytes;
    /// <summary>Each transaction gives it; 0 = all is well.</summary>
    public int Fault;
    /// <summary>From this transaction on.</summary>
    public int FaultFrom;
    int _page;
    int _column;
    bool _isHorizontal = true;

    public FakeDisplay() => Unplug();

    /// <summary>Power off and on: noise, dark, nothing set.</summary>
    public void Unplug()
    {
        new Random(5).NextBytes(Memory);
        (IsOn, HasPump, Contrast, _isHorizontal, _page, _column) = (false, false, 0x7F, true, 0, 0);
    }

    public int Write(byte command, ReadOnlySpan<byte> data)
    {
        Assert.InRange(data.Length, 1, 32);
        if (++Transactions >= FaultFrom && Fault != 0) return Fault;
        if (command == 0x40)
        {
            Assert.False(_isHorizontal);
            DataBytes += data.Length;
            foreach (byte b in data)
            {
                Memory[(_page * 128) + _column] = b;
                _column = (_column + 1) & 127;
            }
            return 0;
        }
        Assert.Equal(0, command);
        for (int i = 0; i < data.Length; i++)
        {
            switch (data[i])
            {
                case 0xAE: IsOn = false; break;
                case 0xAF: IsOn = true; break;
                case 0x81: Contrast = data[++i]; break;
                case 0x8D: HasPump = data[++i] == 0x14; break;
                case 0x20: _isHorizontal = data[++i] != 2; break;
                case 0xD5 or 0xA8 or 0xD3 or 0xDA or 0xD9 or 0xDB: i++; break;
                case >= 0xB0 and <= 0xB7: _page = data[i] & 7; break;
                case <= 0x0F: _column = (_column & 0x70) | data[i]; break;
                case >= 0x10 and <= 0x17: _column = (_column & 0x0F) | ((data[i] & 7) << 4); break;
                case 0x40 or 0xA1 or 0xC8 or 0x2E or 0xA4 or 0xA6 or 0xE3: break;
                default: Assert.Fail($"no command of ours: {data[i]:X2}"); break;
            }
        }
        return 0;
    }
}

public class Ssd1306Tests
{
    readonly FakeDisplay _fake = new();
    readonly Ssd1306 _panel;

    public Ssd1306Tests() => _panel = new Ssd1306(_fake.Write);

    static ScreenBuffer Noise(int seed)
    {
        var screen = new ScreenBuffer();
        var random = new Random(seed);
        for (int i = 0; i < 2000; i++) screen[random.Next(128), random.Next(64)] = true;
        return screen;
    }

    [Fact]
    public void It_begins_empty_lit_and_with_its_own_voltage()
    {
        Assert.Equal(0, _panel.Begin(99));
        Assert.Equal((true, true, (byte)99), (_fake.IsOn, _fake.HasPump, _fake.Contrast));
        Assert.All(_fake.Memory, b => Assert.Equal(0, b));
    }

    [Fact]
    public void It_is_dark_until_its_noise_is_gone()
    {
        _fake.IsOn = true;
        (_fake.Fault, _fake.FaultFrom) = (121, 4);
        Assert.Equal(121, _panel.Begin(99));
        Assert.False(_fake.IsOn);
    }

    [Fact]
    public void It_shows_every_picture_that_follows_on_another()
    {
        _panel.Begin(99);
        for (int i = 0; i < 50; i++)
        {
            ScreenBuffer screen = Noise(i);
            Assert.Equal(0, _panel.Show(screen.Bits));
            Assert.Equal(screen.Bits.ToArray(), _fake.Memory);
        }
    }

    [Fact]
    public void Only_what_has_changed_is_sent()
    {
        _panel.Begin(99);
        ScreenBuffer screen = Noise(1);
        _panel.Show(screen.Bits);
        (_fake.DataBytes, _fake.Transactions) = (0, 0);
        _panel.Show(screen.Bits);
        Assert.Equal(0, _fake.Transactions);
        screen[64, 20] = !screen[64, 20];
        screen[100, 63] = !screen[100, 63];
        _panel.Show(screen.Bits);
        Assert.Equal((2, 4), (_fake.DataBytes, _fake.Transactions));
        Assert.Equal(screen.Bits.ToArray(), _fake.Memory);
    }

    [Fact]
    public void Columns_that_lie_close_together_go_at_once()
    {
        _panel.Begin(99);
        var screen = new ScreenBuffer();
        screen[10, 0] = screen[15, 0] = screen[120, 0] = true;
        (_fake.DataBytes, _fake.Transactions) = (0, 0);
        _panel.Show(screen.Bits);
        Assert.Equal((7, 4), (_fake.DataBytes, _fake.Transactions));
    }

    [Fact]
    public void After_a_fault_in_the_middle_all_of_it_is_sent_again()
    {
        _panel.Begin(99);
        ScreenBuffer screen = Noise(1);
        (_fake.Fault, _fake.FaultFrom) = (110, _fake.Transactions + 9);
        Assert.Equal(110, _panel.Show(screen.Bits));
        _fake.Fault = 0;
        new Random(9).NextBytes(_fake.Memory);
        Assert.Equal(0, _panel.Show(screen.Bits));
        Assert.Equal(screen.Bits.ToArray(), _fake.Memory);
    }
}

public class DisplayTests
{
    readonly ManualTime _time = new();
    readonly List<string> _said = [];
    readonly FakeDisplay _fake = new();
    /// <summary>Where it hangs; null = nowhere.</summary>
    (string Bus, int Address)? _at = ("/dev/i2c-1", 0x3C);
    int _opened;
    int _closed;
    int _openFault;
    readonly ScreenBuffer _screen = new();

    Display Make(DisplayOptions? options = null, params string[] buses) => new(options ?? new DisplayOptions { Contrast = 160 }, () => buses.Length == 0 ? ["/dev/i2c-1", "/dev/i2c-20"] : buses, Open, _said.Add, _time);

    I2cLink? Open(string path, int address, out int errno)
    {
        errno = _openFault;
        if (errno != 0) return null;
        _opened++;
        int Answer(Func<int> then) => _at == (path, address) ? then() : 121;
        return new I2cLink(
            (command, data) =>
            {
                if (_at != (path, address)) return 121;
                return _fake.Write(command, data);
            },
            () => Answer(() => 0), () => _closed++);
    }

    bool Show(Display display, bool lit = true, bool dim = false)
    {
        _time.Advance(TimeSpan.FromSeconds(1));
        return display.Show(_screen, lit, dim);
    }

    [Fact]
    public void It_is_found_on_whichever_bus_and_address_it_is()
    {
        _at = ("/dev/i2c-20", 0x3D);
        using Display display = Make();
        Assert.True(Show(display));
        Assert.Equal("/dev/i2c-20 0x3d", display.Place);
        Assert.Equal(3, _closed);
        Assert.Equal("display at /dev/i2c-20 0x3d", Assert.Single(_said));
    }

    [Fact]
    public void Where_the_config_names_it_no_other_place_is_touched()
    {
        using Display display = Make(new DisplayOptions { Bus = "/dev/i2c-5", Address = 0x3C });
        Assert.False(Show(display));
        Assert.Equal(1, _opened);
    }

    [Fact]
    public void None_is_said_once_and_looked_for_with_growing_waits()
    {
        _at = null;
        using Display display = Make();
        for (int i = 0; i < 600; i++) Assert.False(Show(display));
        // The bus of the pins is told: on a Pi the others are those of its screens.
        Assert.Equal("there is no display on /dev/i2c-1: nobody answers; look at its four wires (nor is one on /dev/i2c-20); looked for again, 30 s apart at most", Assert.Single(_said));
        // Two buses with two addresses each: 1, 2, 4, 8, 16 s, then every 30.
        Assert.InRange(_opened / 4, 20, 26);
        Assert.Equal(_opened, _closed);
    }

    [Theory]
    [InlineData(2, "there is no such bus")]
    [InlineData(13, "no permission")]
    [InlineData(16, "a driver of the kernel has it")]
    public void Why_there_is_none_is_said_in_words(int errno, string words)
    {
        _openFault = errno;
        using Display display = Make(new DisplayOptions { Bus = "/dev/i2c-1" });
        Assert.False(Show(display));
        Assert.Contains(words, Assert.Single(_said));
    }

    [Fact]
    public void Without_any_bus_that_is_said()
    {
        using var display = new Display(new DisplayOptions(), () => [], Open, _said.Add, _time);
        Assert.False(Show(display));
        Assert.Contains("no I2C bus", Assert.Single(_said));
    }

    [Fact]
    public void Unplugged_and_plugged_in_again_it_shows_what_it_should()
    {
        using Display display = Make();
        _screen[3, 3] = true;
        Assert.True(Show(display));
        _fake.Unplug();
        _fake.Fault = 121;
        Assert.False(Show(display));
        for (int i = 0; i < 5; i++) Show(display);
        _fake.Fault = 0;
        _screen[5, 5] = true;
        for (int i = 0; i < 31 && display.Place is null; i++) Show(display);
        Assert.True(Show(display));
        Assert.True(_fake.IsOn);
        Assert.Equal(_screen.Bits.ToArray(), _fake.Memory);
        Assert.Equal(["display at /dev/i2c-1 0x3c", "the display at /dev/i2c-1 0x3c is gone: nobody answers; look at its four wires; looked for again, 30 s apart at most"], _said.Take(2));
        Assert.Equal("display at /dev/i2c-1 0x3c", _said[^1]);
        Assert.Equal(_opened, _closed + 1);
    }

    [Fact]
    public void That_it_is_gone_is_seen_while_the_picture_stands_still()
    {
        using Display display = Make();
        Show(display);
        Assert.True(Show(display));
        _fake.Fault = 5;
        Assert.False(Show(display));
        Assert.Contains("error 5", _said[^1]);
    }

    [Fact]
    public void What_a_spark_has_done_is_mended_within_a_minute()
    {
        using Display display = Make();
        _screen[3, 3] = true;
        Show(display);
        new Random(1).NextBytes(_fake.Memory);
        _fake.Contrast = 1;
        _fake.HasPump = false;
        for (int i = 0; i < 60; i++) Show(display);
        var expected = new byte[ScreenBuffer.Length];
        Display.Shift(_screen.Bits, (1, 0), expected);
        Assert.Equal((true, (byte)160, true), (_fake.IsOn, _fake.Contrast, _fake.HasPump));
        Assert.Equal(expected, _fake.Memory);
    }

    [Fact]
    public void It_is_dimmed_and_dark_and_lit_again_as_it_is_told()
    {
        using Display display = Make();
        Show(display);
        Assert.Equal((true, (byte)160), (_fake.IsOn, _fake.Contrast));
        Show(display, dim: true);
        Assert.Equal((byte)20, _fake.Contrast);
        Show(display, lit: false, dim: true);
        Assert.False(_fake.IsOn);
        _screen[9, 9] = true;
        Show(display, lit: false, dim: true);
        Assert.Equal(_screen.Bits.ToArray(), _fake.Memory);
        Show(display);
        Assert.Equal((true, (byte)160), (_fake.IsOn, _fake.Contrast));
    }

    [Fact]
    public void The_picture_moves_by_a_dot_each_minute_and_comes_back()
    {
        _screen[64, 31] = true;
        using Display display = Make();
        Show(display);
        HashSet<(int, int)> places = [];
        for (int minute = 0; minute < 5; minute++)
        {
            for (int i = 0; i < 60; i++) Show(display);
            int at = Array.FindIndex(_fake.Memory, b => b != 0);
            places.Add((at % 128, (at / 128 * 8) + System.Numerics.BitOperations.TrailingZeroCount(_fake.Memory[at])));
            Assert.Equal(1, _fake.Memory.Sum(b => System.Numerics.BitOperations.PopCount(b)));
        }
        Assert.Equal([(64, 31), (64, 32), (65, 31), (65, 32)], places.Order());
    }

    [Fact]
    public void Nothing_of_one_page_of_rows_spills_into_a_wrong_one_when_it_moves()
    {
        var from = new ScreenBuffer();
        var random = new Random(2);
        for (int i = 0; i < 3000; i++) from[random.Next(128), random.Next(64)] = true;
        var to = new byte[ScreenBuffer.Length];
        Display.Shift(from.Bits, (1, 1), to);
        for (int x = 0; x < 128; x++)
        {
            for (int y = 0; y < 64; y++) Assert.Equal(from[x - 1, y - 1], (to[(y / 8 * 128) + x] & (1 << (y % 8))) != 0);
        }
    }
}
