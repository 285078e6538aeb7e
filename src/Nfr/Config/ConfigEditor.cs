using System.Text;

namespace Nfr.Config;

/// <summary>Changes single keys in the text of a config file and leaves every other byte, comments among them, as it was.</summary>
static class ConfigEditor
{
    /// <summary>
    /// The text with engine.<paramref name="key"/> set to <paramref name="value"/>; null when the file is written in a way that cannot be edited
    /// line by line (a flow mapping, an alias, a text over several lines). What it returns has been read back and says what was asked for.
    /// </summary>
    public static string? SetEngine(string text, string key, string value)
    {
        string? edited = Edit(text, key, value);
        if (edited is null) return null;
        var faults = new FaultList("");
        return (YamlReader.Read(edited, faults)?.Find("engine", out _) as YamlMap)?.Find(key, out _) is YamlText set && set.Text == value && faults.Count == 0
            ? edited : null;
    }

    static string? Edit(string text, string key, string value)
    {
        var faults = new FaultList("");
        YamlMap? root = YamlReader.Read(text, faults);
        if (faults.Count > 0 || root is { Flow: true }) return null;
        string end = text.Contains("\r\n", StringComparison.Ordinal) ? "\r\n" : "\n";
        List<string> lines = [.. text.Split('\n')];
        YamlValue? engine = null;
        YamlText? engineKey = null;
        if (root is not null) engine = root.Find("engine", out engineKey);
        if (engine is null)
        {
            string gap = text.Length == 0 || text.EndsWith('\n') ? "" : end;
            return $"{text}{gap}engine:{end}  {key}: {Quote(value)}{end}";
        }
        if (engine is YamlText { IsNull: true })
        {
            lines.Insert(engineKey!.Line, $"  {key}: {Quote(value)}{(end == "\r\n" ? "\r" : "")}");
            return string.Join('\n', lines);
        }
        if (engine is not YamlMap { Flow: false } map || map.Line <= engineKey!.Line) return null;
        if (map.Find(key, out YamlText? found) is not { } old)
        {
            int indent = map.Entries.Count > 0 ? map.Entries[0].Key.Column - 1 : 2;
            lines.Insert(engineKey.Line, $"{new string(' ', indent)}{key}: {Quote(value)}{(end == "\r\n" ? "\r" : "")}");
            return string.Join('\n', lines);
        }
        if (old is not YamlText was || (!was.IsNull && (was.Line != found!.Line || was.EndLine != found.Line))) return null;
        // A lone carriage return ends a line for the reader and none here: the key is not where it says.
        if (found!.Line > lines.Count || found.EndColumn > lines[found.Line - 1].Length) return null;
        string line = lines[found.Line - 1];
        int colon = line.IndexOf(':', found.EndColumn - 1);
        if (colon < 0) return null;
        string rest = was.IsNull && was.Text.Length == 0 ? line[(colon + 1)..] : line[Math.Min(was.EndColumn - 1, line.Length)..];
        rest = rest.Trim(' ', '\t', '\r');
        lines[found.Line - 1] = line[..(colon + 1)] + " " + Quote(value) + (rest.Length > 0 ? "  " + rest : "") + (line.EndsWith('\r') ? "\r" : "");
        return string.Join('\n', lines);
    }

    // Plain when nothing in it could be YAML, else in double quotes.
    static string Quote(string value) =>
        value.Length > 0 && char.IsAsciiLetter(value[0]) && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':') && !value.EndsWith(':')
            ? value : "\"" + value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    /// <summary>
    /// Writes a file so that its name holds the old text or the whole new text, whatever happens; the folder is made (0755) when missing.
    /// The reason when it cannot be, else null.
    /// </summary>
    /// <param name="path">The file; a symbolic link is followed.</param>
    /// <param name="text">Its new text.</param>
    /// <param name="secret">Readable by its owner only (0600); else by all (0644).</param>
    public static string? Save(string path, string text, bool secret)
    {
        string? fresh = null;
        try
        {
            path = Path.GetFullPath(path);
            if (File.Exists(path)) path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            string temporary = $"{path}.{Guid.NewGuid():N}";
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
            UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            if (!secret) mode |= UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = mode;
            using (var file = new FileStream(temporary, options))
            {
                fresh = temporary;
                file.Write(Encoding.UTF8.GetBytes(text));
                file.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
            return null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            try
            {
                if (fresh is not null) File.Delete(fresh);
            }
            catch (Exception again) when (again is IOException or UnauthorizedAccessException)
            {
                // It stays beside the file, unread by anyone.
            }
            return Reason.Of(fault);
        }
    }
}
