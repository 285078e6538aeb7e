using System.Globalization;

namespace Nfr.Health;

/// <summary>One thermometer of the box.</summary>
/// <param name="Sensor">Its name, such as cpu-thermal; of two with the same name the second is "cpu-thermal 2".</param>
/// <param name="Celsius">Now.</param>
readonly record struct Temperature(string Sensor, double Celsius)
{
    /// <summary>So many are read; a box has one or two, a server dozens. Beyond it: the first ones.</summary>
    public const int Most = 8;

    /// <summary>
    /// Of /sys/class/thermal, and where that has none of /sys/class/hwmon; empty where the box has no thermometer, as a virtual machine. Each file is a number in thousandths.
    /// </summary>
    /// <param name="classes">/sys/class; a seam of tests.</param>
    public static IReadOnlyList<Temperature> Read(string classes = "/sys/class")
    {
        List<Temperature> found = [];
        HashSet<string> names = [];
        foreach (string zone in Folders(classes + "/thermal", "thermal_zone*")) Add(zone + "/temp", Text(zone + "/type"));
        if (found.Count > 0) return found;
        foreach (string chip in Folders(classes + "/hwmon", "hwmon*"))
        {
            foreach (string input in Files(chip, "temp*_input")) Add(input, Text(input.Replace("_input", "_label", StringComparison.Ordinal)) ?? Text(chip + "/name"));
        }
        return found;

        void Add(string file, string? name)
        {
            if (found.Count == Most || !long.TryParse(Text(file), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long thousandths)) return;
            // A thermometer that is off says something impossible.
            if (thousandths is < -60_000 or > 200_000 or 0) return;
            string base_ = string.IsNullOrWhiteSpace(name) ? "unnamed" : name, own = base_;
            for (int i = 2; !names.Add(own); i++) own = string.Create(CultureInfo.InvariantCulture, $"{base_} {i}");
            found.Add(new Temperature(own, thousandths / 1000.0));
        }
    }

    static string[] Folders(string folder, string pattern) => Sorted(() => Directory.GetDirectories(folder, pattern));

    static string[] Files(string folder, string pattern) => Sorted(() => Directory.GetFiles(folder, pattern));

    static string[] Sorted(Func<string[]> list)
    {
        try
        {
            string[] entries = list();
            Array.Sort(entries, StringComparer.Ordinal);
            return entries;
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    static string? Text(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception none) when (none is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
