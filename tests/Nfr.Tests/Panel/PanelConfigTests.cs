using System.Text;
using Nfr.Config;

namespace Nfr.Tests.Panel;

public class PanelConfigTests
{
    static NfrConfig? Parse(string panel, out IReadOnlyList<ConfigFault> faults) => NfrConfig.Parse("/etc/nfr/config.yml", Encoding.UTF8.GetBytes("inputs:\n  sniffer:\n    enabled: true\npanel:\n" + panel), out faults);

    static PanelConfig Good(string panel)
    {
        NfrConfig? config = Parse(panel, out IReadOnlyList<ConfigFault> faults);
        Assert.Empty(faults);
        return config!.Panel;
    }

    [Fact]
    public void Without_the_section_it_is_as_delivered()
    {
        Assert.Equal(new PanelConfig(), NfrConfig.Default("x").Panel);
        Assert.Equal(("/run/nfr/panel.sock", true), (new PanelConfig().Socket, new PanelConfig().IsDefaultSocket));
    }

    [Fact]
    public void The_shipped_file_says_what_holds_without_it() =>
        Assert.Equal(new PanelConfig(), Good("""
              enabled: true
              display: auto
              contrast: 128
              sleep: 10m
              leds: "nfr:"
              button: nfr-button

            """.Replace("\n  ", "\n  ", StringComparison.Ordinal)));

    [Theory]
    [InlineData("/dev/i2c-1 0x3d", "/dev/i2c-1", 0x3D)]
    [InlineData("/dev/i2c-1", "/dev/i2c-1", null)]
    [InlineData("auto", null, null)]
    [InlineData("off", null, null)]
    public void A_display_is_named_by_bus_and_address(string text, string? bus, int? address) => Assert.Equal((bus, address), (Good($"  display: {text}\n").DisplayBus, Good($"  display: {text}\n").DisplayAddress));

    [Theory]
    [InlineData("display: i2c-1", "expected auto, off, or a bus")]
    [InlineData("display: /dev/i2c-1 3c", "expected auto, off, or a bus")]
    [InlineData("display: /dev/i2c-1 0x80", "expected auto, off, or a bus")]
    [InlineData("contrast: 0", "a whole number from 1 to 255")]
    [InlineData("sleep: 25h", "a duration from")]
    [InlineData("leds: ../nfr", "expected off, or what the lights' names begin with")]
    [InlineData("button: a/b", "expected off, or the name of an input device")]
    [InlineData("dispaly: auto", "display")]
    public void A_mistake_is_told_with_its_line(string line, string words)
    {
        Assert.Null(Parse($"  {line}\n", out IReadOnlyList<ConfigFault> faults));
        ConfigFault fault = Assert.Single(faults);
        Assert.Equal(5, fault.Line);
        Assert.Contains(words, fault.ToString());
    }
}
