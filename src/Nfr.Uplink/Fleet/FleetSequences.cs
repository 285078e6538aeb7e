using System.Globalization;
using System.Text;
using Nfr.Native;

namespace Nfr.Uplink;

/// <summary>
/// The last sequence number of each key, in a file of lines "KEY NUMBER": written, flushed and renamed before a command is acted on, so that no power cut lets one be replayed. And
/// whether Home Assistant was told of this sensor, as "homeassistant PREFIX". One thread.
/// </summary>
sealed class FleetSequences
{
    const int MostBytes = 64 << 10;
    const string Told = "homeassistant";

    readonly string _path;
    readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);

    FleetSequences(string folder) => _path = Path.Combine(folder, "fleet.state");

    /// <summary>What was wrong with the file; null = nothing. It lies beside as fleet.state.bad then.</summary>
    public string? Fault { get; private set; }

    /// <summary>The prefix under which Home Assistant was told; null = it was not.</summary>
    public string? ToldPrefix { get; private set; }

    public static FleetSequences Open(string folder)
    {
        var sequences = new FleetSequences(folder);
        sequences.Load();
        return sequences;
    }

    void Load()
    {
        try
        {
            if (!File.Exists(_path)) return;
            if (new FileInfo(_path).Length > MostBytes || !Parse(File.ReadAllText(_path)))
            {
                File.Move(_path, _path + ".bad", overwrite: true);
                Fault = $"{_path} is damaged and was put aside as {Path.GetFileName(_path)}.bad: a command of the last five minutes could be repeated";
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Fault = $"{_path} cannot be read ({fault.Message})";
        }
    }

    bool Parse(string text)
    {
        if (text.Length > 0 && text[^1] != '\n') return false;
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ');
            if (parts.Length != 2) return false;
            if (parts[0] == Told) ToldPrefix = parts[1];
            else if (long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long last)) _last[parts[0]] = last;
            else return false;
        }
        return true;
    }

    public long LastOf(string key) => _last.GetValueOrDefault(key, -1);

    /// <summary>False when it is not on the disk.</summary>
    public bool TryAdvance(string key, long sequence)
    {
        long before = LastOf(key);
        _last[key] = sequence;
        if (Save()) return true;
        if (before < 0) _last.Remove(key);
        else _last[key] = before;
        return false;
    }

    public bool Tell(string? prefix)
    {
        if (ToldPrefix == prefix) return true;
        ToldPrefix = prefix;
        return Save();
    }

    bool Save()
    {
        var text = new StringBuilder();
        foreach ((string key, long last) in _last) text.Append(CultureInfo.InvariantCulture, $"{key} {last}\n");
        if (ToldPrefix is not null) text.Append(CultureInfo.InvariantCulture, $"{Told} {ToldPrefix}\n");
        try
        {
            string fresh = _path + ".new";
            using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.Write(Encoding.UTF8.GetBytes(text.ToString()));
                file.Flush(flushToDisk: true);
            }
            File.Move(fresh, _path, overwrite: true);
            return DirectorySync.Flush(Path.GetDirectoryName(_path)!);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
