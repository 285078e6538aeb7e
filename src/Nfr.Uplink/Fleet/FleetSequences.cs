using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Nfr.Native;

namespace Nfr.Uplink;

/// <summary>
/// The last sequence number of each key, and the topics under which Home Assistant was told of this sensor: written, flushed and renamed before a command is acted on, so that no power
/// cut lets one be replayed. What cannot be read, or is not what was written, is left as it is, and no command is obeyed until a person has looked at it. One thread.
/// <code>
/// nfr-fleet-state 5f2b9c01     the first 8 hex digits of the SHA-256 of all that follows
/// KEY NUMBER
/// homeassistant TOPIC
/// </code>
/// </summary>
sealed class FleetSequences
{
    const int MostBytes = 64 << 10;
    /// <summary>Prefixes and names that a sensor had before; further ones are not taken back.</summary>
    const int MostTold = 16;
    const string Head = "nfr-fleet-state ", Told = "homeassistant";

    readonly string _path;
    readonly Dictionary<string, long> _last = new(StringComparer.Ordinal);
    readonly List<string> _told = [];

    FleetSequences(string folder) => _path = Path.Combine(folder, "fleet.state");

    /// <summary>What is wrong with the file, and what to do; null = nothing. While it stands no number is believed and none written.</summary>
    public string? Fault { get; private set; }

    /// <summary>Topics of Home Assistant's that hold something of ours.</summary>
    public IReadOnlyList<string> ToldTopics => _told;

    public static FleetSequences Open(string folder)
    {
        var sequences = new FleetSequences(folder);
        sequences.Load();
        return sequences;
    }

    /// <summary>Looks again, where something was wrong: a person may have mended or removed the file. True = all is well now.</summary>
    public bool TryMend()
    {
        if (Fault is not null) Load();
        return Fault is null;
    }

    void Load()
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            byte[] bytes = new byte[(int)Math.Min(file.Length, MostBytes + 1)];
            int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            Fault = length <= MostBytes && Parse(Encoding.UTF8.GetString(bytes, 0, length)) ? null
                : $"{_path} is not what was written there, so that nobody knows which commands came before: none is obeyed. Look at the disk, then remove the file (a command of the five minutes before could be repeated then)";
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            Fault = null;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Fault = $"{_path} cannot be read ({fault.Message}), so that nobody knows which commands came before: none is obeyed. Give it back to the sensor's user, or look at the disk";
        }
    }

    bool Parse(string text)
    {
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0 || !text.StartsWith(Head, StringComparison.Ordinal) || text[Head.Length..end] != Sum(text[(end + 1)..])) return false;
        var last = new Dictionary<string, long>(StringComparer.Ordinal);
        var told = new List<string>();
        foreach (string line in text[(end + 1)..].Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(' ');
            if (parts.Length != 2) return false;
            if (parts[0] == Told) told.Add(parts[1]);
            else if (long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long number)) last[parts[0]] = number;
            else return false;
        }
        // What this run has seen is never forgotten for the file's sake.
        foreach ((string key, long number) in last) _last[key] = Math.Max(number, LastOf(key));
        _told.AddRange(told.Except(_told));
        return true;
    }

    static string Sum(string rest) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(rest)).AsSpan(0, 4));

    public long LastOf(string key) => _last.GetValueOrDefault(key, -1);

    /// <summary>Null when it is on the disk, otherwise why it is not.</summary>
    public string? Advance(string key, long sequence)
    {
        long before = LastOf(key);
        _last[key] = sequence;
        if (Save() is not { } fault) return null;
        if (before < 0) _last.Remove(key);
        else _last[key] = before;
        return fault;
    }

    /// <summary>Before Home Assistant is told under a topic: what is told is never forgotten.</summary>
    public void Tell(string topic)
    {
        if (_told.Contains(topic) || _told.Count >= MostTold) return;
        _told.Add(topic);
        _ = Save();
    }

    /// <summary>After the broker has acknowledged that the topic is empty.</summary>
    public void TakenBack(string topic)
    {
        if (_told.Remove(topic)) _ = Save();
    }

    /// <summary>Null when all of it is on the disk.</summary>
    string? Save()
    {
        if (Fault is not null) return Fault;
        var text = new StringBuilder();
        foreach ((string key, long last) in _last) text.Append(CultureInfo.InvariantCulture, $"{key} {last}\n");
        foreach (string topic in _told) text.Append(CultureInfo.InvariantCulture, $"{Told} {topic}\n");
        string rest = text.ToString();
        try
        {
            string fresh = _path + ".new";
            using (var file = new FileStream(fresh, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                file.Write(Encoding.UTF8.GetBytes($"{Head}{Sum(rest)}\n{rest}"));
                file.Flush(flushToDisk: true);
            }
            File.Move(fresh, _path, overwrite: true);
            return DirectorySync.Flush(Path.GetDirectoryName(_path)!) ? null : $"{_path} cannot be made safe against a power cut; look at the disk";
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return $"{_path} cannot be written ({fault.Message}); look at the disk";
        }
    }
}
