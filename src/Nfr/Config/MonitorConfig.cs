using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Config;

/// <summary>One item of inputs.monitor: log files to follow.</summary>
/// <param name="Format">As the file says it: auto, zeek, bro, suricata, msdns, …</param>
/// <param name="Type">all, dns, ip, http or tls.</param>
/// <param name="Path">Absolute: a file, a folder, or a pattern with * and ?.</param>
/// <param name="Line">Its line in the config file.</param>
public sealed record MonitorConfig(string Format, string Type, string Path, int Line)
{
    /// <summary>A file that nothing is known of yet is read from its end, and not from its beginning.</summary>
    public bool FromEnd { get; init; }

    public LogFormat LogFormat => LogFormats.Of(Format)!.Value;

    /// <summary>Each keeps its place in the spool, where there are few; a pattern may stand for any number of files.</summary>
    const int Most = 32;

    internal static IReadOnlyList<MonitorConfig> ReadAll(Section inputs)
    {
        List<MonitorConfig> all = [];
        foreach (Section s in inputs.Items("monitor"))
        {
            if (Read(s) is not { } monitor) continue;
            // One file is read once; what two items want of it is read together.
            if (all.FirstOrDefault(m => m.Path == monitor.Path && m.LogFormat != monitor.LogFormat) is { } other)
                s.Fault("format", $"{monitor.Path} is {other.Format} by line {other.Line} and {monitor.Format} here; keep one of them");
            else if (all.Count == Most) s.Fault("", $"more than {Most} items; let one stand for many by a folder or a pattern such as /var/log/dns/*.log");
            else all.Add(monitor);
        }
        return all;
    }

    static MonitorConfig? Read(Section s)
    {
        string format = LogWords.Format(s), type = LogWords.Type(s);
        string? file = s.FilePath("file", null);
        bool fromEnd = s.Choice("from", "start", "start", "end") == "end";
        s.End();
        // An item with nothing in it is how the original's sample file ships.
        if (file is null && !s.Has("format") && !s.Has("type") && !s.Has("from")) return null;
        if (file is null)
        {
            s.Fault("", "file missing; name the log file, its folder, or a pattern such as /var/log/suricata/eve*.json");
            return null;
        }
        return LogWords.Agree(s, format, type) ? new MonitorConfig(format, type, file, s.Line) { FromEnd = fromEnd } : null;
    }
}

/// <summary>The words for what a log is and what is read from it, as inputs.monitor, inputs.syslog and "nfr read" take them.</summary>
static class LogWords
{
    public static readonly string[] Types = ["all", "dns", "ip", "http", "tls"];

    /// <summary>A JSON array has no lines to follow.</summary>
    public static readonly string[] Followed = [.. LogFormats.Words.Where(w => w != "edge")];

    public static string Format(Section s) => s.Choice("format", "auto", Followed);

    public static string Type(Section s) => s.Choice("type", "all", Types);

    /// <summary>Logs of the format can hold events of the type.</summary>
    public static bool Holds(LogFormat format, string type) => type is "all" or "dns" || format is LogFormat.Auto or LogFormat.Zeek or LogFormat.Suricata;

    /// <summary>What is wrong with the two together; null = nothing.</summary>
    public static string? Clash(string format, string type) => LogFormats.Of(format) is { } known && !Holds(known, type)
        ? $"{format} logs hold no {type} events; {type} is read from zeek (or bro) and suricata" : null;

    /// <summary>False, with its fault, when no such event can come.</summary>
    public static bool Agree(Section s, string format, string type)
    {
        if (Clash(format, type) is not { } clash) return true;
        s.Fault("type", clash);
        return false;
    }

    /// <summary>What items want of one file together, by <see cref="EventType"/>.</summary>
    public static bool[] Together(IEnumerable<string> types)
    {
        bool[] all = new bool[EventTypes.Count];
        foreach (bool[] one in types.Select(LineOptions.TypesOf))
        {
            for (int i = 0; i < all.Length; i++) all[i] |= one[i];
        }
        return all;
    }
}
