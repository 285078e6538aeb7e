using System.Diagnostics;
using System.Text.RegularExpressions;
using Nfr.Panel;
using Xunit.Abstractions;

namespace Nfr.Tests.House;

/// <summary>hardware/ promises nothing that the overlay and the code do not do.</summary>
public sealed partial class HardwareTests(ITestOutputHelper output)
{
    static readonly string s_folder = Path.Combine(Path.GetDirectoryName(global::Nfr.Tests.Nfr.ConfigTests.Shipped("config.yml"))!, "hardware");

    static string Text(string name) => File.ReadAllText(Path.Combine(s_folder, name));

    /// <summary>Light or button to GPIO, as the overlay has it.</summary>
    static Dictionary<string, int> Overlay() => OverlayPin().Matches(Text("nfr-panel-overlay.dts")).ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));

    [Fact]
    public void The_overlay_has_the_five_lights_and_the_button_that_the_panel_looks_for()
    {
        Assert.Equal(["alert", "button", "capture", "link", "power", "uplink"], Overlay().Keys.Order(StringComparer.Ordinal));
        string overlay = Text("nfr-panel-overlay.dts");
        foreach (string light in (string[])["power", "link", "capture", "uplink", "alert"]) Assert.Contains($"label = \"nfr:{light}\";", overlay, StringComparison.Ordinal);
        Assert.Equal(2, Regex.Count(overlay, "label = \"nfr-button\";"));
    }

    [Fact]
    public void Wiring_and_drawing_have_the_overlays_pins()
    {
        string wiring = Text("wiring.md"), drawing = Text("wiring.svg");
        Dictionary<string, string> pins = WiringRow().Matches(wiring).ToDictionary(m => m.Groups[1].Value, m => m.Groups[3].Value);
        Dictionary<string, int> gpios = WiringRow().Matches(wiring).ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(Overlay().OrderBy(p => p.Key, StringComparer.Ordinal), gpios.OrderBy(p => p.Key, StringComparer.Ordinal));
        // Where a GPIO is on the header is fixed for all boards.
        Dictionary<int, string> header = new() { [17] = "11", [27] = "13", [22] = "15", [23] = "16", [24] = "18", [5] = "29" };
        foreach ((string what, int gpio) in gpios)
        {
            Assert.Equal(header[gpio], pins[what]);
            Assert.Contains($">GPIO {gpio}<", drawing, StringComparison.Ordinal);
        }
        Assert.Equal(pins.Count, pins.Values.Distinct().Count());
    }

    [Fact]
    public void The_table_of_lights_is_the_panels_own()
    {
        string[] rows = [.. Text("README.md").Split('\n').Where(l => LightRow().IsMatch(l))];
        IEnumerable<string> expected = LightTable.Meanings.Select(m =>
            $"| {LightTable.NameOf(m.Light)} | {LightTable.ColourOf(m.Light)} | {LightTable.WordOf(m.Pattern)} | {m.Means} |{(m.Do.Length > 0 ? $" {m.Do} " : " ")}|");
        Assert.Equal(expected, rows);
        Assert.All(LightTable.Together, all => Assert.Contains($"| {all.Does} | {all.Means} |", Text("README.md"), StringComparison.Ordinal));
    }

    [Fact]
    public void Every_page_that_the_panel_has_is_told_and_no_other()
    {
        string text = Text("README.md");
        text = text[text.IndexOf("| page | shows |", StringComparison.Ordinal)..text.IndexOf("## Files here", StringComparison.Ordinal)];
        Assert.Equal(Enum.GetNames<PanelPage>(), PageRow().Matches(text).Select(m => m.Groups[1].Value));
    }

    [InstalledFact("fdtoverlay")]
    public void The_overlay_compiles_and_fits_a_board_with_the_two_labels_and_the_trees_at_hand()
    {
        string work = Directory.CreateTempSubdirectory("nfr-overlay-").FullName;
        try
        {
            string overlay = Path.Combine(work, "nfr-panel.dtbo"), board = Path.Combine(work, "board.dts"), tree = Path.Combine(work, "board.dtb"), merged = Path.Combine(work, "merged.dtb");
            File.WriteAllText(board, """
                /dts-v1/;
                / {
                    compatible = "brcm,bcm2711";
                    gpio: gpio@0 { #gpio-cells = <2>; gpio-controller; };
                    i2c1: i2c@1 { status = "disabled"; };
                };
                """);
            Tool("dtc", "-@", "-I", "dts", "-O", "dtb", "-o", overlay, Path.Combine(s_folder, "nfr-panel-overlay.dts"));
            Tool("dtc", "-q", "-@", "-I", "dts", "-O", "dtb", "-o", tree, board);
            Tool("fdtoverlay", "-i", tree, "-o", merged, overlay);
            Assert.Equal("okay", Tool("fdtget", merged, "/i2c@1", "status").Trim());
            Assert.Equal("nfr:alert", Tool("fdtget", merged, "/nfr-leds/nfr-alert", "label").Trim());
            // A clock with a battery needs nothing switched on.
            Assert.Equal("maxim,ds3231", Tool("fdtget", merged, "/i2c@1/rtc@68", "compatible").Trim());
            // GPIO 5, active low and pulled up.
            Assert.EndsWith(" 5 17", Tool("fdtget", merged, "/nfr-button/button", "gpios").Trim(), StringComparison.Ordinal);
            foreach (string kernel in Directory.Exists("/usr/lib") ? Directory.GetDirectories("/usr/lib", "linux-image-*") : [])
            {
                foreach (string real in Directory.Exists(Path.Combine(kernel, "broadcom")) ? Directory.GetFiles(Path.Combine(kernel, "broadcom"), "bcm2*-rpi-*.dtb") : [])
                {
                    if (Path.GetFileName(real).StartsWith("bcm2712", StringComparison.Ordinal)) continue;
                    Tool("fdtoverlay", "-i", real, "-o", merged, overlay);
                    output.WriteLine($"fits {real}");
                }
            }
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    static string Tool(string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string said = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)), $"{file} did not end");
        Assert.True(process.ExitCode == 0, $"{file}: {error.Result}");
        return said;
    }

    [GeneratedRegex(@"(?:nfr-)?\b(power|link|capture|uplink|alert|button) \{\s*label[^}]*?gpios = <&gpio (\d+) ", RegexOptions.Singleline)]
    private static partial Regex OverlayPin();

    [GeneratedRegex(@"^\| (?:LED )?(power|link|capture|uplink|alert|button)(?: \(\w+\))? \| (\d+) \| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex WiringRow();

    [GeneratedRegex(@"^\| (power|link|capture|uplink|alert) \| \w+ \|")]
    private static partial Regex LightRow();

    [GeneratedRegex(@"^\| ([A-Z]\w+) \|", RegexOptions.Multiline)]
    private static partial Regex PageRow();
}
