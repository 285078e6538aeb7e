using Nfr.Config;
using Nfr.Health;
using Nfr.Native;
using Nfr.Panel;
using Serilog.Core;

namespace Nfr.Tests.Panel;

/// <summary>The whole panel but its devices, which are files and a display made here.</summary>
public sealed class PanelLoopTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-loop-").FullName;
    readonly ManualTime _time = new();
    readonly FakeDisplay _fake = new();
    readonly List<string> _said = [];
    /// <summary>What the kernel has for who reads the button.</summary>
    readonly Queue<KeyChange> _keys = [];
    bool _keysLost;
    int _keysFault;
    readonly PanelParts _parts;
    readonly PanelLoop _loop;

    public PanelLoopTests()
    {
        Directory.CreateDirectory(In("requests"));
        _parts = new PanelParts
        {
            Client = new PanelClient(In("panel.sock"), _said.Add, _time),
            Leds = new Leds(In("leds"), "nfr:", _said.Add, _time),
            Display = new Display(new DisplayOptions { Bus = "/dev/i2c-1" }, () => [], Open, _said.Add, _time),
            Button = new PanelButton("nfr-button", In("input"), In("dev"), OpenKeys, _said.Add, _time),
            Requests = new PanelRequests(In("requests")),
            Notes = new BoxNotePlaces(In("boot"), In("update.json"), In("record.json")),
            Sleep = TimeSpan.FromMinutes(10),
        };
        _loop = new PanelLoop(_parts, _said.Add, _time);
    }

    I2cLink? Open(string path, int address, out int errno)
    {
        errno = 0;
        return new I2cLink(_fake.Write, () => 0, () => { });
    }

    KeyLink? OpenKeys(string path, out int errno)
    {
        errno = 0;
        return new KeyLink(ReadKeys, null, () => { });
    }

    int ReadKeys(Span<KeyChange> changes, out int errno, out bool lost)
    {
        (errno, lost, _keysLost) = (_keysFault, _keysLost, false);
        int count = 0;
        while (_keys.TryDequeue(out KeyChange change)) changes[count++] = change;
        return lost || errno != 0 ? 0 : count;
    }

    void PlugButton()
    {
        Directory.CreateDirectory(In("input/event3/device"));
        File.WriteAllText(In("input/event3/device/name"), "nfr-button\n");
    }

    /// <summary>The kernel stamps it; that somebody reads it may be much later.</summary>
    void Key(bool isDown, double seconds) => _keys.Enqueue(new KeyChange(148, isDown, (long)((_time.GetTimestamp() * 100) + (seconds * 1e9))));

    string[] Requests => [.. Directory.GetFiles(In("requests")).Select(f => Path.GetFileName(f)).Order()];

    bool IsShown(PanelPage page, int countdown = 0) => Enumerable.Range(0, 10).Any(s => Picture(PanelState.Nothing, new PanelView(page, s, countdown)).AsSpan().SequenceEqual(_fake.Memory));

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        _parts.Client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    void Seconds(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _loop.Turn();
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        _loop.Turn();
    }

    byte[] Picture(PanelState state, PanelView view)
    {
        var screen = new ScreenBuffer();
        Pages.Draw(state, view, screen);
        return screen.Bits.ToArray();
    }

    [Fact]
    public void With_nothing_at_all_it_runs_and_says_each_thing_once()
    {
        _fake.Fault = 121;
        Seconds(200);
        Assert.Equal(3, _said.Count);
        Assert.Contains(_said, s => s.StartsWith("there are no lights", StringComparison.Ordinal));
        Assert.Contains(_said, s => s.StartsWith("there is no display on /dev/i2c-1: nobody answers", StringComparison.Ordinal));
        Assert.Contains(_said, s => s.StartsWith("there is no button", StringComparison.Ordinal));
    }

    [Fact]
    public void A_sensor_that_comes_is_shown()
    {
        Seconds(3);
        byte[] starting = [.. _fake.Memory];
        using PanelSocket sensor = PanelSocket.Open(new PanelConfig { Socket = In("panel.sock") }, PanelBed.Well, _ => { }, Logger.None, _time)!;
        Seconds(3);
        Assert.True(_fake.IsOn);
        Assert.NotEqual(starting, _fake.Memory);
    }

    [Fact]
    public void Without_light_and_display_the_sensor_has_no_panel_until_one_of_them_comes()
    {
        using PanelSocket sensor = PanelSocket.Open(new PanelConfig { Socket = In("panel.sock") }, PanelBed.Well, _ => { }, Logger.None, _time)!;
        _fake.Fault = 121;
        PlugButton();
        Seconds(10);
        Assert.Equal(0, sensor.Panels);
        Directory.CreateDirectory(In("leds/nfr:power"));
        Seconds(10);
        Assert.Equal(1, sensor.Panels);
        Directory.Delete(In("leds"), recursive: true);
        Seconds(10);
        Assert.Equal(0, sensor.Panels);
        _fake.Fault = 0;
        Seconds(40);
        Assert.Equal(1, sensor.Panels);
        Assert.DoesNotContain(_said, s => s.Contains("does not answer", StringComparison.Ordinal));
    }

    [Fact]
    public void Files_of_an_update_are_shown_without_any_sensor()
    {
        Seconds(1);
        File.WriteAllText(In("update.json"), """{"phase":"writing","version":"2.2.0","percent":41,"text":"x","at":0}""");
        Seconds(2);
        var state = new PanelState { Update = new PanelUpdate(PanelUpdatePhase.Writing, 41, "2.2.0", "x") };
        Assert.Contains(Enumerable.Range(0, 4).Select(s => Picture(state, new PanelView(PanelPage.Updating, s))), p => p.AsSpan().SequenceEqual(_fake.Memory));
    }

    [Fact]
    public void What_first_boot_could_not_do_is_shown_without_any_sensor()
    {
        Directory.CreateDirectory(In("boot"));
        File.WriteAllText(In("boot/data-lost"), "the data partition cannot be used\n");
        File.WriteAllText(In("boot/faults"), "nfr.txt line 2: no such time zone\n");
        var state = new PanelState { SetupFaults = ["the data partition cannot be used", "nfr.txt line 2: no such time zone"] };
        bool shown = false;
        for (int i = 0; i < 20 && !shown; i++)
        {
            Seconds(1);
            shown = Enumerable.Range(0, 10).Any(s => Picture(state, new PanelView(PanelPage.SetupFaults, s)).AsSpan().SequenceEqual(_fake.Memory));
        }
        Assert.True(shown);
    }

    [Fact]
    public void Its_end_leaves_a_dark_display_and_power()
    {
        Directory.CreateDirectory(In("leds/nfr:power"));
        Directory.CreateDirectory(In("leds/nfr:alert"));
        foreach (string light in new[] { "power", "alert" })
        {
            File.WriteAllText(In($"leds/nfr:{light}/trigger"), "[none] timer heartbeat");
            File.WriteAllText(In($"leds/nfr:{light}/brightness"), light == "power" ? "0" : "1");
            File.WriteAllText(In($"leds/nfr:{light}/max_brightness"), "1");
        }
        Seconds(1);
        Assert.True(_fake.IsOn);
        Assert.Equal("1", File.ReadAllText(In("leds/nfr:alert/brightness")));
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        _loop.Run(stop.Token);
        Assert.False(_fake.IsOn);
        Assert.Equal(("1", "0"), (File.ReadAllText(In("leds/nfr:power/brightness")), File.ReadAllText(In("leds/nfr:alert/brightness"))));
    }

    [Fact]
    public void A_wish_is_an_empty_file_and_its_failure_has_a_reason()
    {
        Assert.Null(_parts.Requests.Put(PanelAsk.Shutdown));
        Assert.Null(_parts.Requests.Put(PanelAsk.FactoryReset));
        Assert.Equal(["factory-reset", "shutdown"], Directory.GetFiles(In("requests")).Select(f => Path.GetFileName(f)).Order());
        Assert.All(Directory.GetFiles(In("requests")), f => Assert.Equal(0, new FileInfo(f).Length));
        Directory.Delete(In("requests"), recursive: true);
        Assert.Contains("no such folder", _parts.Requests.Put(PanelAsk.Shutdown));
    }

    [Fact]
    public void A_press_stays_a_press_though_the_loop_stood_still_while_it_was_down()
    {
        PlugButton();
        Seconds(5);
        Key(isDown: true, 0);
        _loop.Turn();
        Key(isDown: false, 0.2);
        // The display's bus hangs, say.
        _time.Advance(TimeSpan.FromSeconds(6));
        _loop.Turn();
        Seconds(2);
        Assert.Empty(Requests);
        Assert.DoesNotContain(_said, s => s.StartsWith("button: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Six_seconds_are_six_seconds_though_press_and_release_are_read_at_once()
    {
        PlugButton();
        Seconds(5);
        Key(isDown: true, 0);
        Key(isDown: false, 6);
        _time.Advance(TimeSpan.FromSeconds(20));
        _loop.Turn();
        Assert.Equal(["shutdown"], Requests);
        Assert.True(IsShown(PanelPage.ShuttingDown));
    }

    [Fact]
    public void What_is_still_held_counts_from_the_kernels_stamp()
    {
        PlugButton();
        Seconds(5);
        Key(isDown: true, 0);
        _time.Advance(TimeSpan.FromSeconds(7));
        _loop.Turn();
        Assert.True(IsShown(PanelPage.ShutdownReady, 8));
    }

    [Fact]
    public void A_question_that_was_never_shown_erases_nothing()
    {
        PlugButton();
        Seconds(5);
        Key(isDown: true, 0);
        Key(isDown: false, 20);
        Key(isDown: true, 22);
        Key(isDown: false, 22.2);
        _time.Advance(TimeSpan.FromSeconds(23));
        _loop.Turn();
        Seconds(3);
        Assert.Empty(Requests);
        // Shown, it may be answered.
        Key(isDown: true, 0);
        Key(isDown: false, 20);
        _time.Advance(TimeSpan.FromSeconds(21));
        _loop.Turn();
        Assert.True(IsShown(PanelPage.ResetConfirm, 9));
        Key(isDown: true, 0.1);
        Key(isDown: false, 0.3);
        _time.Advance(TimeSpan.FromSeconds(1));
        _loop.Turn();
        Assert.Equal(["factory-reset"], Requests);
    }

    [Fact]
    public void Where_the_kernel_lost_events_nothing_that_was_begun_counts()
    {
        PlugButton();
        Seconds(5);
        Key(isDown: true, 0);
        _loop.Turn();
        _time.Advance(TimeSpan.FromSeconds(6));
        _loop.Turn();
        Assert.True(IsShown(PanelPage.ShutdownReady, 9));
        _keysLost = true;
        _loop.Turn();
        Assert.False(IsShown(PanelPage.ShutdownReady, 9));
        // The release of what nobody knows how long it was held.
        Key(isDown: false, 0);
        _loop.Turn();
        Seconds(2);
        Assert.Empty(Requests);
        // A device that went is as good.
        Key(isDown: true, 0);
        _loop.Turn();
        _keysFault = 19;
        _loop.Turn();
        _keysFault = 0;
        Seconds(12);
        Key(isDown: false, 0);
        _loop.Turn();
        Assert.Empty(Requests);
        Key(isDown: true, 0);
        Key(isDown: false, 6);
        _time.Advance(TimeSpan.FromSeconds(6));
        _loop.Turn();
        Assert.Equal(["shutdown"], Requests);
    }

    /// <summary>struct input_event: seconds and microseconds in two words, type, code, value.</summary>
    static byte[] Event(ushort type, ushort code, int value, int seconds = 0, int microseconds = 0) =>
        [.. Word(seconds), .. Word(microseconds), .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(code), .. BitConverter.GetBytes(value)];

    static byte[] Word(int value) => nint.Size == 8 ? BitConverter.GetBytes((long)value) : BitConverter.GetBytes(value);

    [Fact]
    public void Key_events_are_read_as_the_kernel_writes_them()
    {
        byte[] events = [.. Event(1, 148, 1, 100, 250_000), .. Event(0, 0, 0), .. Event(1, 148, 2), .. Event(1, 148, 0, 101, 1), .. Event(4, 4, 9)];
        var changes = new KeyChange[8];
        Assert.Equal(2, InputKeys.Parse(events, changes, out bool lost));
        Assert.Equal([new KeyChange(148, true, 100_250_000_000), new KeyChange(148, false, 101_000_001_000)], changes[..2]);
        Assert.False(lost);
        int one = Event(0, 0, 0).Length;
        for (int length = 0; length < events.Length; length++) Assert.Equal(length < one ? 0 : length < 4 * one ? 1 : 2, InputKeys.Parse(events.AsSpan(0, length), changes, out _));
        InputKeys.Parse([.. events, .. Event(0, 3, 0)], changes, out bool dropped);
        Assert.True(dropped);
        Assert.Equal(1, InputKeys.Parse(events, changes.AsSpan(0, 1), out _));
    }

    [Fact]
    public void The_kernels_stamps_and_our_intervals_are_of_one_clock()
    {
        // CLOCK_MONOTONIC as the kernel prints it, for root alone.
        string[] lines;
        try
        {
            lines = [.. File.ReadLines("/proc/timer_list").Take(10)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return;
        }
        long kernel = long.Parse(lines.First(l => l.StartsWith("now at ", StringComparison.Ordinal)).Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
        long ours = TimeProvider.System.GetTimestamp();
        Assert.Equal(1_000_000_000, TimeProvider.System.TimestampFrequency);
        Assert.InRange(ours - kernel, 0, 60_000_000_000);
    }

    [Fact]
    public void A_bus_and_an_input_that_are_not_there_are_an_errno()
    {
        Assert.Null(I2cBus.Open("/dev/i2c-none", 0x3C, out int errno));
        Assert.Equal(2, errno);
        Assert.Null(InputKeys.Open("/dev/input/none", out errno));
        Assert.Equal(2, errno);
        // Something else that answers to the name.
        Assert.Null(I2cBus.Open("/dev/null", 0x3C, out errno));
        Assert.Equal(25, errno);
        Assert.Null(InputKeys.Open("/dev/null", out errno));
        Assert.Equal(25, errno);
    }

    [Fact]
    public void A_button_that_is_found_is_read_and_one_that_ends_is_looked_for_again()
    {
        PlugButton();
        Key(isDown: true, 0);
        using var button = new PanelButton("nfr-button", In("input"), In("dev"), OpenKeys, _said.Add, _time);
        Assert.Equal([new KeyChange(148, true, 0)], button.Read(out bool lost).ToArray());
        Assert.False(lost);
        Assert.Contains(_said, s => s.StartsWith("button at ", StringComparison.Ordinal));
        _keysFault = 19;
        Assert.True(button.Read(out lost).IsEmpty && lost);
        Assert.EndsWith("is gone; looked for again every 10 s", _said[^1]);
        _keysFault = 0;
        Assert.True(button.Read(out lost).IsEmpty && !lost);
        _time.Advance(PanelButton.Look);
        Key(isDown: false, 0);
        Assert.Equal(1, button.Read(out _).Length);
    }
}
