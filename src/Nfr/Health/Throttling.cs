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

    /// <summary>Null where the box is no Raspberry Pi or its kernel does not tell.</summary>
    /// <param name="file">A seam of tests.</param>
    public static Throttling? Read(string file = File)
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
