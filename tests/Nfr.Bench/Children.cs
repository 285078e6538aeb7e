using System.Globalization;

namespace Nfr.Bench;

static class Children
{
    /// <summary>Linux counts the CPU time of children in hundredths of a second (USER_HZ).</summary>
    const double TicksPerSecond = 100;

    /// <summary>proc(5): fields 16 and 17 of stat, user and system seconds of the children that have been waited for.</summary>
    public static double Cpu()
    {
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[13], CultureInfo.InvariantCulture) + long.Parse(fields[14], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
