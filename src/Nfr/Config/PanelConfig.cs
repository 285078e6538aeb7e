using System.Globalization;

namespace Nfr.Config;

/// <summary>panel: lights, display and button, and the socket between them and the sensor.</summary>
public sealed record PanelConfig
{
    public const string Auto = "auto";
    public static string DefaultSocket => "/run/nfr/panel.sock";

    /// <summary>False: the sensor makes no socket, and "nfr panel" ends at once.</summary>
    public bool Enabled { get; init; } = true;
    /// <summary>Absolute path; the sensor makes it only where its folder is there.</summary>
    public string Socket { get; init; } = DefaultSocket;
    /// <summary>Nobody asked for another place, so that its absence is nothing to tell.</summary>
    public bool IsDefaultSocket => Socket == DefaultSocket;
    /// <summary>"auto" looks on every I2C bus; a device with an address after a blank; "off" = no display.</summary>
    public string Display { get; init; } = Auto;
    /// <summary>Of <see cref="Display"/>; null = auto or off.</summary>
    public string? DisplayBus { get; init; }
    /// <summary>Of <see cref="Display"/>; null = 0x3c, then 0x3d.</summary>
    public int? DisplayAddress { get; init; }
    /// <summary>Names of the lights begin so in /sys/class/leds; "off" = no lights.</summary>
    public string Leds { get; init; } = "nfr:";
    /// <summary>Name of the input device; "off" = no button.</summary>
    public string Button { get; init; } = "nfr-button";
    /// <summary>1 to 255.</summary>
    public int Contrast { get; init; } = 128;
    /// <summary>The display goes dark when nobody has used it for so long; zero = never.</summary>
    public TimeSpan Sleep { get; init; } = TimeSpan.FromMinutes(10);

    internal static PanelConfig Read(Section s)
    {
        string display = s.Text("display", Auto, "auto, off, or a bus with an address such as /dev/i2c-1 0x3c")!;
        (string? bus, int? address) = DisplayOf(s, display);
        var panel = new PanelConfig
        {
            Enabled = s.Flag("enabled", true),
            Socket = s.FilePath("socket", DefaultSocket)!,
            Display = display,
            DisplayBus = bus,
            DisplayAddress = address,
            Leds = Name(s, "leds", "nfr:", "off, or what the lights' names begin with, such as nfr:"),
            Button = Name(s, "button", "nfr-button", "off, or the name of an input device, such as nfr-button"),
            Contrast = s.Integer("contrast", 128, 1, 255),
            Sleep = s.Duration("sleep", TimeSpan.FromMinutes(10), TimeSpan.Zero, TimeSpan.FromDays(1)),
        };
        s.End();
        return panel;
    }

    /// <summary>A part of a path: nothing that leads elsewhere.</summary>
    static string Name(Section s, string key, string fallback, string expected)
    {
        string name = s.Text(key, fallback, expected)!;
        if (!name.Contains('/', StringComparison.Ordinal) && name.Length <= 64) return name;
        s.Fault(key, $"expected {expected}, found \"{name}\"");
        return fallback;
    }

    static (string? Bus, int? Address) DisplayOf(Section s, string display)
    {
        if (display is Auto or StatusConfig.Off) return (null, null);
        string[] words = display.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is [['/', ..] bus]) return (bus, null);
        if (words is [['/', ..] path, ['0', 'x' or 'X', .. var hex]] && int.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int address) && address is >= 0x08 and <= 0x77) return (path, address);
        s.Fault("display", $"expected auto, off, or a bus with an address from 0x08 to 0x77, such as /dev/i2c-1 0x3c, found \"{display}\"");
        return (null, null);
    }
}
