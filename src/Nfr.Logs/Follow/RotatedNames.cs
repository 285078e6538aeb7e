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
    const int MaximumWalks = 8;

    /// <summary>Files that may be older ones of this log, oldest first by their last write.</summary>
    public static List<(string Path, FileStatus Status)> Of(string path)
    {
        // While names are shifted by one, a walk may see a file twice, or not at all: two walks must have seen the same.
        // The folders of days do not move: they are looked for once.
        string[] days = Path.GetDirectoryName(Path.GetDirectoryName(path)) is { } above ? [.. Entries(above, Directory.EnumerateDirectories).Where(d => IsDay(Path.GetFileName(d)))] : [];
        List<(string Path, FileStatus Status)> found = Look(path, days);
        for (int i = 0; i < MaximumWalks; i++)
        {
            List<(string Path, FileStatus Status)> again = Look(path, days);
            bool same = again.Count == found.Count && again.Select(f => (f.Path, f.Status.Inode)).ToHashSet().SetEquals(found.Select(f => (f.Path, f.Status.Inode)));
            found = again;
            if (same) break;
        }
        return found;
    }

    static List<(string Path, FileStatus Status)> Look(string path, string[] days)
    {
        List<(string Path, FileStatus Status)> found = [];
        string? folder = Path.GetDirectoryName(path);
        if (folder is null) return found;
        string name = Path.GetFileName(path), extension = Path.GetExtension(name), stem = Path.GetFileNameWithoutExtension(name);
        int looked = 0;
        LookIn(folder, n => n != name && (IsBehind(n, name, "") || IsBehind(n, stem, extension)));
        foreach (string day in days) LookIn(day, n => IsBehind(n, stem, extension));
        found.Sort((a, b) => a.Status.Modified != b.Status.Modified ? a.Status.Modified.CompareTo(b.Status.Modified) : string.CompareOrdinal(b.Path, a.Path));
        return found;

        void LookIn(string place, Func<string, bool> isOne)
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
