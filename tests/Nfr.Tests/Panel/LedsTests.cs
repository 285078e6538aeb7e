using Nfr.Panel;

namespace Nfr.Tests.Panel;

/// <summary>Against a folder that behaves as /sys/class/leds does: a trigger that is chosen brings its own files a moment later.</summary>
public sealed class LedsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-leds-").FullName;
    readonly ManualTime _time = new();
    readonly List<string> _said = [];
    readonly Leds _leds;

    public LedsTests() => _leds = new Leds(_folder, "nfr:", _said.Add, _time);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>What is written covers the beginning of a file: where this still stands, nothing was.</summary>
    const string Untouched = "@ ";
    const string Triggers = "none timer heartbeat netdev default-on";

    void Plug(Light light, string triggers = Triggers)
    {
        string path = Directory.CreateDirectory(PathOf(light)).FullName;
        File.WriteAllText(Path.Combine(path, "trigger"), Untouched + triggers.Replace("none", "[none]", StringComparison.Ordinal));
        File.WriteAllText(Path.Combine(path, "brightness"), "0");
        File.WriteAllText(Path.Combine(path, "max_brightness"), "255\n");
    }

    string PathOf(Light light) => Path.Combine(_folder, "nfr:" + LightTable.NameOf(light));

    string Read(Light light, string file)
    {
        // A file here keeps what a shorter value did not cover; sysfs does not.
        string path = Path.Combine(PathOf(light), file);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "none";
    }

    /// <summary>What the kernel does when a trigger was written.</summary>
    void Kernel(string triggers = Triggers)
    {
        foreach (Light light in Enum.GetValues<Light>())
        {
            string path = PathOf(light);
            if (!File.Exists(Path.Combine(path, "trigger"))) continue;
            string text = File.ReadAllText(Path.Combine(path, "trigger"));
            if (text.StartsWith(Untouched, StringComparison.Ordinal)) continue;
            string chosen = triggers.Split(' ').Single(t => text.StartsWith(t, StringComparison.Ordinal));
            foreach (string own in new[] { "delay_on", "delay_off", "device_name", "link", "rx", "tx" }) File.Delete(Path.Combine(path, own));
            foreach (string own in chosen switch { "timer" => ["delay_on", "delay_off"], "netdev" => ["device_name", "link", "rx", "tx"], _ => Array.Empty<string>() }) File.WriteAllText(Path.Combine(path, own), "");
            File.WriteAllText(Path.Combine(path, "trigger"), Untouched + string.Join(' ', triggers.Split(' ').Select(t => t == chosen ? $"[{t}]" : t)));
        }
    }

    void Show(LightPlan plan)
    {
        for (int i = 0; i < 3; i++)
        {
            _leds.Show(plan);
            Kernel();
        }
        Assert.False(_leds.IsSettling);
    }

    static LightPlan Power(LightPattern pattern) => LightPlan.All(LightPattern.Off) with { Power = pattern, Interface = "eth1" };

    [Theory]
    [InlineData(LightPattern.Heartbeat, "[heartbeat]", "none")]
    [InlineData(LightPattern.Slow, "[timer]", "1000 1000")]
    [InlineData(LightPattern.Fast, "[timer]", "100 100")]
    [InlineData(LightPattern.Flash, "[timer]", "100 1900")]
    public void What_moves_is_moved_by_the_kernel(object pattern, string trigger, string delays)
    {
        Plug(Light.Power);
        Show(Power((LightPattern)pattern));
        Assert.Contains(trigger, Read(Light.Power, "trigger"));
        Assert.Equal(delays, delays == "none" ? Read(Light.Power, "delay_on") : $"{Read(Light.Power, "delay_on")} {Read(Light.Power, "delay_off")}");
    }

    [Fact]
    public void On_is_as_bright_as_it_can_be_and_off_is_off()
    {
        Plug(Light.Power);
        Show(Power(LightPattern.On));
        Assert.Equal("255", Read(Light.Power, "brightness"));
        File.WriteAllText(Path.Combine(PathOf(Light.Power), "brightness"), "");
        Show(Power(LightPattern.Off));
        Assert.Equal("0", Read(Light.Power, "brightness"));
    }

    [Theory]
    [InlineData(LightPattern.FollowsLink, "0")]
    [InlineData(LightPattern.FollowsPackets, "1")]
    public void Link_and_packets_are_the_kernels_own_word(object pattern, string receives)
    {
        Plug(Light.Power);
        Show(Power((LightPattern)pattern));
        Assert.Contains("[netdev]", Read(Light.Power, "trigger"));
        Assert.Equal(("eth1", "1", receives, "0"), (Read(Light.Power, "device_name"), Read(Light.Power, "link"), Read(Light.Power, "rx"), Read(Light.Power, "tx")));
    }

    [Fact]
    public void A_light_that_stays_as_it_is_is_not_written_again()
    {
        Plug(Light.Power);
        Show(Power(LightPattern.Slow));
        File.WriteAllText(Path.Combine(PathOf(Light.Power), "delay_on"), "mine");
        Show(Power(LightPattern.Slow));
        Assert.Equal("mine", Read(Light.Power, "delay_on"));
    }

    [Fact]
    public void A_light_that_somebody_else_has_set_is_set_back()
    {
        Plug(Light.Power);
        Show(Power(LightPattern.Slow));
        Plug(Light.Power);
        _time.Advance(Leds.Look);
        Show(Power(LightPattern.Slow));
        Assert.Contains("[timer]", Read(Light.Power, "trigger"));
    }

    [Fact]
    public void Without_lights_that_is_said_once_and_they_are_found_when_they_come()
    {
        for (int i = 0; i < 100; i++)
        {
            _leds.Show(Power(LightPattern.Heartbeat));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Contains("there are no lights", Assert.Single(_said));
        Plug(Light.Power);
        _time.Advance(Leds.Look);
        _leds.Show(Power(LightPattern.Heartbeat));
        Kernel();
        _leds.Show(Power(LightPattern.Heartbeat));
        Assert.Contains("[heartbeat]", Read(Light.Power, "trigger"));
    }

    [Fact]
    public void A_box_with_some_of_the_lights_uses_those()
    {
        Plug(Light.Alert);
        Show(LightPlan.All(LightPattern.Fast));
        Assert.Contains("[timer]", Read(Light.Alert, "trigger"));
        Assert.Equal(1, _leds.Found);
        Assert.Empty(_said);
    }

    [Theory]
    [InlineData(LightPattern.Heartbeat, "none timer", "[timer]")]
    [InlineData(LightPattern.Slow, "none", "[none]")]
    [InlineData(LightPattern.FollowsPackets, "none timer", "[none]")]
    public void A_kernel_without_a_trigger_gets_what_is_nearest(object pattern, string triggers, string chosen)
    {
        Plug(Light.Power, triggers);
        for (int i = 0; i < 3; i++)
        {
            _leds.Show(Power((LightPattern)pattern));
            Kernel(triggers);
        }
        Assert.Contains(chosen, Read(Light.Power, "trigger"));
        if (chosen == "[none]") Assert.Equal("255", Read(Light.Power, "brightness"));
    }

    [Fact]
    public void A_light_that_cannot_be_set_is_said_once_and_tried_again()
    {
        Plug(Light.Power);
        File.Delete(Path.Combine(PathOf(Light.Power), "brightness"));
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal(i > 60, _said.Count > 0);
            // One that is to show something else each time is no less broken.
            _leds.Show(Power(i % 20 < 10 ? LightPattern.On : LightPattern.Off));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.StartsWith("light power cannot be set: no such file", Assert.Single(_said));
        File.WriteAllText(Path.Combine(PathOf(Light.Power), "brightness"), "");
        _time.Advance(Leds.Look);
        _leds.Show(Power(LightPattern.On));
        Assert.Equal("255", Read(Light.Power, "brightness"));
        Assert.Equal("light power can be set again", _said[^1]);
    }

    [Fact]
    public void Lights_that_udev_gives_to_the_panel_late_are_set_then_and_nothing_is_said()
    {
        Plug(Light.Power);
        File.Delete(Path.Combine(PathOf(Light.Power), "brightness"));
        for (int i = 0; i < 40; i++)
        {
            _leds.Show(Power(LightPattern.On));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        File.WriteAllText(Path.Combine(PathOf(Light.Power), "brightness"), "");
        // Within a second, not at the next look.
        _leds.Show(Power(LightPattern.On));
        Assert.Equal("255", Read(Light.Power, "brightness"));
        for (int i = 0; i < 100; i++)
        {
            _leds.Show(Power(LightPattern.On));
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Empty(_said);
    }
}
