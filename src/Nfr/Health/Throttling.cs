using System.Globalization;

namespace Nfr.Health;

/// <summary>What a Raspberry Pi's firmware does to itself; the bits of its get_throttled.</summary>
[Flags]
enum Throttling
{
    None = 0,
    UnderVoltage = 1 << 0,
    FrequencyCapped = 1 << 1,
    Throttled = 1 << 2,
    SoftTemperatureLimit = 1 << 3,
    UnderVoltageSinceBoot = 1 << 16,
    FrequencyCappedSinceBoot = 1 << 17,
    ThrottledSinceBoot = 1 << 18,
    SoftTemperatureLimitSinceBoot = 1 << 19,
}

static class ThrottlingFile
{
    const string File = "/sys/devices/platform/soc/soc:firmware/get_throttled";

    /// <summary>The driver raspberrypi-hwmon's name of its chip.</summary>
    const string Chip = "rpi_volt";
    /// <summary>A machine has a few; a server two dozen.</summary>
    const int MostChips = 64;

    /// <summary>Drivers are there before the sensor: looked for once.</summary>
    static readonly Lazy<string?> s_alarm = new(() => Alarm("/sys/class/hwmon"));

    /// <summary>
    /// The Raspberry Pi kernel's own file says all of it; of the upstream kernel's driver there is the supply alone. Null where the box is no Raspberry Pi or its kernel does not tell, as Debian's does not:
    /// it is built without that driver.
    /// </summary>
    public static Throttling? Read() => Read(File) ?? (s_alarm.Value is { } alarm ? OfAlarm(alarm) : null);

    /// <summary>"in0_lcrit_alarm" of the chip that watches the supply; null where there is none.</summary>
    internal static string? Alarm(string chips)
    {
        for (int i = 0; i < MostChips; i++)
        {
            string chip = Path.Combine(chips, string.Create(CultureInfo.InvariantCulture, $"hwmon{i}")), alarm = Path.Combine(chip, "in0_lcrit_alarm");
            if (System.IO.File.Exists(alarm) && Text(Path.Combine(chip, "name")) == Chip) return alarm;
        }
        return null;
    }

    internal static Throttling? OfAlarm(string file) => Text(file) switch { "0" => Throttling.None, "1" => Throttling.UnderVoltage, _ => null };

    static string? Text(string file)
    {
        try
        {
            return System.IO.File.Exists(file) ? System.IO.File.ReadAllText(file).Trim() : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <param name="file">The Raspberry Pi kernel's.</param>
    public static Throttling? Read(string file)
    {
        try
        {
            if (!System.IO.File.Exists(file)) return null;
            string text = System.IO.File.ReadAllText(file).Trim();
            if (text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)) text = text[2..];
            return int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int bits) ? (Throttling)bits : null;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
