using System.Globalization;

namespace Nfr.Health;

/// <summary>Bytes as people read them.</summary>
static class Sizes
{
    static readonly string[] s_units = ["B", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Such as 1.5 MiB or 312 MiB: two or three digits.</summary>
    public static string Of(long bytes)
    {
        double value = bytes;
        int unit = 0;
        for (; Math.Abs(value) >= 1000 && unit < s_units.Length - 1; unit++) value /= 1024;
        return value.ToString(unit == 0 || Math.Abs(value) >= 99.95 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + s_units[unit];
    }
}
