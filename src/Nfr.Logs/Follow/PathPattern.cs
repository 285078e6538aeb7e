using System.IO.Enumeration;
using Nfr.Native;

namespace Nfr.Logs;

/// <summary>The files that a path of inputs.monitor means: one, those of a folder, or those of a pattern with *, ? and **.</summary>
sealed class PathPattern
{
    /// <summary>Folders below ** that are looked into.</summary>
    const int MaximumDepth = 16;
    /// <summary>Names looked at in one walk; what lies beyond is not seen.</summary>
    const int MaximumNames = 65_536;

    readonly string[] _parts;
    readonly string _root;
    readonly string _path;
    int _names;

    public PathPattern(string path)
    {
        _path = Path.GetFullPath(path);
        string[] parts = _path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        int plain = Array.FindIndex(parts, IsPattern);
        if (plain < 0) plain = parts.Length;
        _root = "/" + string.Join('/', parts[..plain]);
        _parts = parts[plain..];
    }

    /// <summary>It may mean several files.</summary>
    public bool IsMany => _parts.Length > 0 || Directory.Exists(_path);

    /// <summary>The folders that matched names lie in, of the last <see cref="Expand"/>, and those in which further ones would appear.</summary>
    public HashSet<string> Folders { get; } = new(StringComparer.Ordinal);

    /// <summary>Regular files, links followed, without hidden ones where a name is not given in full.</summary>
    public List<(string Path, FileStatus Status)> Expand()
    {
        List<(string, FileStatus)> files = [];
        Folders.Clear();
        _names = 0;
        if (_parts.Length > 0) Walk(_root, 0, 0, files);
        else if (FileStatus.Of(_path, out _) is { IsFile: true } status) Add(_path, status, files);
        else if (Directory.Exists(_path)) Walk(_path, ["*"], 0, 0, files);
        else if (Path.GetDirectoryName(_path) is { } folder) Folders.Add(folder);
        return files;
    }

    void Walk(string folder, int part, int depth, List<(string, FileStatus)> files) => Walk(folder, _parts, part, depth, files);

    void Walk(string folder, string[] parts, int part, int depth, List<(string, FileStatus)> files)
    {
        string pattern = parts[part];
        bool last = part == parts.Length - 1;
        if (pattern == "**")
        {
            // No folder, then one more each.
            if (last) Walk(folder, [.. parts, "*"], part, depth, files);
            else Walk(folder, parts, part + 1, depth, files);
            if (depth >= MaximumDepth || last) return;
            foreach (string below in Names(folder, folders: true)) Walk(below, parts, part, depth + 1, files);
            return;
        }
        Folders.Add(folder);
        if (!IsPattern(pattern))
        {
            string path = Path.Combine(folder, pattern);
            if (!last)
            {
                if (Directory.Exists(path)) Walk(path, parts, part + 1, depth, files);
            }
            else if (FileStatus.Of(path, out _) is { IsFile: true } status)
            {
                Add(path, status, files);
            }
            return;
        }
        foreach (string path in Names(folder, folders: !last))
        {
            string name = Path.GetFileName(path);
            if ((name[0] == '.' && pattern[0] != '.') || !FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false)) continue;
            if (!last) Walk(path, parts, part + 1, depth, files);
            else if (FileStatus.Of(path, out _) is { IsFile: true } status) Add(path, status, files);
        }
    }

    void Add(string path, FileStatus status, List<(string, FileStatus)> files)
    {
        if (Path.GetDirectoryName(path) is { } folder) Folders.Add(folder);
        files.Add((path, status));
    }

    // A folder's links are not followed below **: they may lead back.
    IEnumerable<string> Names(string folder, bool folders)
    {
        IEnumerator<string>? names = null;
        try
        {
            names = (folders ? Directory.EnumerateDirectories(folder) : Directory.EnumerateFiles(folder)).GetEnumerator();
        }
        catch (Exception e) when (LogSource.IsFault(e))
        {
            // What cannot be entered holds nothing for us; the item says when it finds no file at all.
        }
        if (names is null) yield break;
        using (names)
        {
            while (_names++ < MaximumNames)
            {
                try
                {
                    if (!names.MoveNext()) yield break;
                }
                catch (Exception e) when (LogSource.IsFault(e))
                {
                    yield break;
                }
                if (folders && new DirectoryInfo(names.Current).LinkTarget is not null && _parts.Contains("**")) continue;
                yield return names.Current;
            }
        }
    }

    static bool IsPattern(string part) => part.AsSpan().IndexOfAny('*', '?') >= 0;
}
