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
            Button = new PanelButton("nfr-button", In("input"), In("dev"), _said.Add, _time),
            Requests = new PanelRequests(In("requests")),
            Notes = new BoxNotePlaces(In("notes"), In("boot"), In("update.json"), In("record.json")),
            Sleep = TimeSpan.FromMinutes(10),
        };
        _loop = new PanelLoop(_parts, _said.Add, _time);
    }

    I2cLink? Open(string path, int address, out int errno)
    {
        errno = 0;
        return new I2cLink(_fake.Write, () => 0, () => { });
    }

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
    public void Files_of_an_update_are_shown_without_any_sensor()
    {
        Seconds(1);
        File.WriteAllText(In("update.json"), """{"phase":"writing","version":"2.2.0","percent":41,"text":"x"}""");
        Seconds(2);
        var state = new PanelState { Update = new PanelUpdate(PanelUpdatePhase.Writing, 41, "2.2.0", "x") };
        Assert.Contains(Enumerable.Range(0, 4).Select(s => Picture(state, new PanelView(PanelPage.Updating, s))), p => p.AsSpan().SequenceEqual(_fake.Memory));
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
    public void Key_events_are_read_as_the_kernel_writes_them()
    {
        // struct input_event on 64 bits: seconds, microseconds, type, code, value.
        static byte[] Event(ushort type, ushort code, int value) => [.. new byte[2 * nint.Size], .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(code), .. BitConverter.GetBytes(value)];
        byte[] events = [.. Event(1, 148, 1), .. Event(0, 0, 0), .. Event(1, 148, 2), .. Event(1, 148, 0), .. Event(4, 4, 9)];
        var changes = new KeyChange[8];
        Assert.Equal(2, InputKeys.Parse(events, changes, out bool lost));
        Assert.Equal([new KeyChange(148, true), new KeyChange(148, false)], changes[..2]);
        Assert.False(lost);
        for (int length = 0; length < events.Length; length++) Assert.Equal(length < 24 ? 0 : length < 96 ? 1 : 2, InputKeys.Parse(events.AsSpan(0, length), changes, out _));
        Assert.Equal(0, InputKeys.Parse(Event(0, 3, 0), changes, out bool dropped));
        Assert.True(dropped);
        Assert.Equal(1, InputKeys.Parse(events, changes.AsSpan(0, 1), out _));
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
    }

    [Fact]
    public void A_button_that_is_found_is_read_and_one_that_ends_is_looked_for_again()
    {
        Directory.CreateDirectory(In("input/event3/device"));
        Directory.CreateDirectory(In("dev"));
        File.WriteAllText(In("input/event3/device/name"), "nfr-button\n");
        File.WriteAllBytes(In("dev/event3"), [.. new byte[2 * nint.Size], 1, 0, 148, 0, 1, 0, 0, 0]);
        using var button = new PanelButton("nfr-button", In("input"), In("dev"), _said.Add, _time);
        Assert.Equal([new KeyChange(148, true)], button.Read(out bool lost).ToArray());
        Assert.False(lost);
        Assert.Contains(_said, s => s.StartsWith("button at ", StringComparison.Ordinal));
    }
}
