using System.Globalization;

namespace Nfr.Health;

/// <summary>The file system that a folder lies on.</summary>
/// <param name="MountPoint">Where it is mounted.</param>
/// <param name="FileSystem">Its kind, such as ext4 or tmpfs.</param>
/// <param name="IsReadOnly">Mounted so, or made so by the kernel after a fault of the card.</param>
/// <param name="Free">Bytes that this user may still write.</param>
/// <param name="Size">Bytes in all.</param>
sealed record DiskFacts(string MountPoint, string FileSystem, bool IsReadOnly, long Free, long Size)
{
    public double FreeShare => Size > 0 ? (double)Free / Size : 0;

    /// <summary>Null where the system does not tell.</summary>
    public static DiskFacts? Read(string folder)
    {
        try
        {
            if (Mount(Path.GetFullPath(folder), File.ReadLines("/proc/self/mountinfo")) is not { } mount) return null;
            var drive = new DriveInfo(mount.Point);
            return new DiskFacts(mount.Point, mount.Kind, mount.ReadOnly, drive.AvailableFreeSpace, drive.TotalSize);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>
    /// The mount of a path by proc(5)'s mountinfo: "36 35 98:0 /root /mnt rw,noatime shared:1 - ext4 /dev/sda1 rw,errors=continue". The longest mount point that the path begins
    /// with, and of two the later, which covers the earlier. The options before the dash are the mount's, those at the end the file system's: a card that failed is ro in the latter.
    /// </summary>
    internal static (string Point, string Kind, bool ReadOnly)? Mount(string path, IEnumerable<string> lines)
    {
        (string Point, string Kind, bool ReadOnly)? best = null;
        foreach (string line in lines)
        {
            string[] words = line.Split(' ');
            int dash = Array.IndexOf(words, "-", Math.Min(6, words.Length));
            if (dash < 0 || dash + 3 >= words.Length) continue;
            string point = Unescape(words[4]);
            bool holds = point == "/" || path == point || path.StartsWith(point + "/", StringComparison.Ordinal);
            if (!holds || (best is { } other && point.Length < other.Point.Length)) continue;
            best = (point, words[dash + 1], IsReadOnlyIn(words[5]) || IsReadOnlyIn(words[dash + 3]));
        }
        return best;
    }

    /// <summary>Or failed: from Linux 6.12 on, ext4 with errors=remount-ro is not "ro" after an error but, by version, "shutdown", "emergency_ro" or nothing of the kind.</summary>
    static bool IsReadOnlyIn(string options) => options.Split(',').Any(o => o is "ro" or "emergency_ro" or "shutdown");

    /// <summary>Blanks and the like are written as \040.</summary>
    static string Unescape(string text)
    {
        for (int at = text.IndexOf('\\', StringComparison.Ordinal); at >= 0 && at + 3 < text.Length; at = text.IndexOf('\\', at + 1))
        {
            string octal = text.Substring(at + 1, 3);
            if (octal.All(c => c is >= '0' and <= '7')) text = text[..at] + ((char)Convert.ToInt32(octal, 8)).ToString(CultureInfo.InvariantCulture) + text[(at + 4)..];
        }
        return text;
    }
}
