using System.Globalization;
using Nfr.Native;

namespace Nfr.Logs;

/// <summary>
/// The usual places of a log that was moved away: NAME.1, NAME-DATE, NAME.DATE, STEM-DATE.EXT, each also with .gz, in the log's folder;
/// and Zeek's ../YYYY-MM-DD/STEM.HH:MM:SS-HH:MM:SS.EXT[.gz].
/// </summary>
static class RotatedNames
{
    /// <summary>Of a folder: names that fit, and names looked at for them.</summary>
    const int MaximumNames = 16_384;
    const int MaximumLooked = 1 << 20;
    /// <summary>Folders of days that are looked into, the newest.</summary>
    const int MaximumDays = 1_024;
    const int MaximumWalks = 8;
    /// <summary>Nanoseconds: days are local time, and a file lies in that of its beginning.</summary>
    const long DaySlack = 2 * 86_400L * 1_000_000_000;

    /// <summary>Files that may be older ones of this log, oldest first by their last write.</summary>
    /// <param name="path">The log.</param>
    /// <param name="since">Nanoseconds since 1970: nothing whose last write is older is asked for. Folders of days clearly before it, to which nothing was added since, are not listed.</param>
    public static List<(string Path, FileStatus Status)> Of(string path, long since = 0)
    {
        // While names are shifted by one, a walk may see a file twice, or not at all: two walks must have seen the same.
        // The folders of days do not move: they are looked for once.
        string[] days = Path.GetDirectoryName(Path.GetDirectoryName(path)) is { } above ? Days(above, since - DaySlack) : [];
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

    // Newest first: what was missed lies there.
    static string[] Days(string above, long from)
    {
        string first = from <= 0 ? "" : DateTime.UnixEpoch.AddTicks(from / 100).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        List<string> days = Entries(above, Directory.EnumerateDirectories, IsDay);
        days.Sort((a, b) => string.CompareOrdinal(b, a));
        return [.. days.Where(d => string.CompareOrdinal(Path.GetFileName(d), first) >= 0 || FileStatus.Of(d, out _) is { } status && status.Modified >= from).Take(MaximumDays)];
    }

    static List<(string Path, FileStatus Status)> Look(string path, string[] days)
    {
        List<(string Path, FileStatus Status)> found = [];
        string? folder = Path.GetDirectoryName(path);
        if (folder is null) return found;
        string name = Path.GetFileName(path), extension = Path.GetExtension(name), stem = Path.GetFileNameWithoutExtension(name);
        LookIn(folder, n => n != name && (IsBehind(n, name, "") || IsBehind(n, stem, extension)));
        foreach (string day in days) LookIn(day, n => IsBehind(n, stem, extension));
        found.Sort((a, b) => a.Status.Modified != b.Status.Modified ? a.Status.Modified.CompareTo(b.Status.Modified) : string.CompareOrdinal(b.Path, a.Path));
        return found;

        void LookIn(string place, Func<string, bool> isOne)
        {
            foreach (string file in Entries(place, Directory.EnumerateFiles, isOne))
            {
                if (FileStatus.Of(file, out _) is { IsFile: true } status) found.Add((file, status));
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

    static List<string> Entries(string folder, Func<string, IEnumerable<string>> of, Func<string, bool> isOne)
    {
        List<string> found = [];
        try
        {
            found.AddRange(of(folder).Take(MaximumLooked).Where(f => isOne(Path.GetFileName(f))).Take(MaximumNames));
        }
        catch (Exception e) when (LogSource.IsFault(e))
        {
            // A folder that cannot be looked into, or is gone: it has what was seen of it until then.
        }
        return found;
    }
}
