using Nfr.Native;

namespace Nfr.Logs;

/// <summary>
/// The usual places of a log that was moved away: NAME.1, NAME-DATE, NAME.DATE, STEM-DATE.EXT, each also with .gz, in the log's folder;
/// and Zeek's ../YYYY-MM-DD/STEM.HH:MM:SS-HH:MM:SS.EXT[.gz].
/// </summary>
static class RotatedNames
{
    /// <summary>Names looked at, and found, at most.</summary>
    const int MaximumNames = 16_384;

    /// <summary>Files that may be older ones of this log, oldest first by their last write.</summary>
    public static List<(string Path, FileStatus Status)> Of(string path)
    {
        List<(string Path, FileStatus Status)> found = [];
        string? folder = Path.GetDirectoryName(path);
        if (folder is null) return found;
        string name = Path.GetFileName(path), extension = Path.GetExtension(name), stem = Path.GetFileNameWithoutExtension(name);
        int looked = 0;
        Look(folder, n => n != name && (IsBehind(n, name, "") || IsBehind(n, stem, extension)));
        if (Path.GetDirectoryName(folder) is { } above)
        {
            foreach (string day in Entries(above, Directory.EnumerateDirectories))
            {
                if (IsDay(Path.GetFileName(day))) Look(day, n => IsBehind(n, stem, extension));
            }
        }
        found.Sort((a, b) => a.Status.Modified != b.Status.Modified ? a.Status.Modified.CompareTo(b.Status.Modified) : string.CompareOrdinal(b.Path, a.Path));
        return found;

        void Look(string place, Func<string, bool> isOne)
        {
            foreach (string file in Entries(place, Directory.EnumerateFiles))
            {
                if (++looked > MaximumNames) return;
                if (isOne(Path.GetFileName(file)) && FileStatus.Of(file, out _) is { IsFile: true } status) found.Add((file, status));
            }
        }
    }

    // BEGIN, a mark, a digit (or "old"), anything, END, perhaps .gz.
    static bool IsBehind(string name, string begin, string end)
    {
        ReadOnlySpan<char> rest = name;
        if (rest.EndsWith(".gz")) rest = rest[..^3];
        if (!rest.StartsWith(begin) || !rest[begin.Length..].EndsWith(end)) return false;
        rest = rest[begin.Length..^end.Length];
        return rest.Length > 1 && rest[0] is '.' or '-' or '_' && (char.IsAsciiDigit(rest[1]) || rest[1..].StartsWith("old"));
    }

    static bool IsDay(string name) => name.Length == 10 && name[4] == '-' && name[7] == '-' && char.IsAsciiDigit(name[0]) && char.IsAsciiDigit(name[9]);

    static string[] Entries(string folder, Func<string, IEnumerable<string>> of)
    {
        try
        {
            return [.. of(folder).Take(MaximumNames)];
        }
        catch (Exception e) when (LogSource.IsFault(e))
        {
            return [];
        }
    }
}
