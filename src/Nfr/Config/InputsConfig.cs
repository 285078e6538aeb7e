namespace Nfr.Config;

/// <summary>inputs: where events come from.</summary>
public sealed record InputsConfig
{
    public SnifferConfig Sniffer { get; init; } = new();
    public IReadOnlyList<MonitorConfig> Monitor { get; init; } = [];
    /// <summary>A Go time layout such as "1/02/2006 3:04:05 PM"; null = guess.</summary>
    public string? MsdnsTimeFormat { get; init; }
    /// <summary>Be told of changes by the kernel; else look at the files now and then.</summary>
    public bool UseInotify { get; init; } = !OperatingSystem.IsWindows();
    public ElasticConfig Elastic { get; init; } = new();

    public bool Any => Sniffer.Enabled || Monitor.Count > 0 || Elastic.Enabled;

    internal static InputsConfig Read(Section s)
    {
        var inputs = new InputsConfig
        {
            Sniffer = SnifferConfig.Read(s.Under("sniffer")),
            Monitor = [.. s.Items("monitor").Select(MonitorConfig.Read).OfType<MonitorConfig>()],
            MsdnsTimeFormat = s.Text("msdns_time_format", expected: "a Go time layout such as \"1/02/2006 3:04:05 PM\""),
            UseInotify = s.Flag("use_inotify", !OperatingSystem.IsWindows()),
            Elastic = ElasticConfig.Read(s.Under("elastic")),
        };
        s.End();
        return inputs;
    }
}

/// <summary>One file of inputs.monitor.</summary>
/// <param name="Format">bro, suricata, msdns or syslog-named.</param>
/// <param name="Type">dns, ip or http.</param>
/// <param name="Path">Absolute path.</param>
/// <param name="Line">Its line in the config file.</param>
public sealed record MonitorConfig(string Format, string Type, string Path, int Line)
{
    internal static MonitorConfig? Read(Section s)
    {
        string format = s.Choice("format", "", "bro", "suricata", "msdns", "syslog-named");
        string type = s.Choice("type", "", "dns", "ip", "http");
        string? file = s.FilePath("file", null);
        s.End();
        bool hasFormat = s.Has("format"), hasType = s.Has("type"), hasFile = file is not null;
        // An item with nothing in it is how the original's sample file ships.
        if (!hasFormat && !hasType && !hasFile) return null;
        if (!hasFormat || !hasType || !hasFile)
        {
            string missing = string.Join(" and ", new[] { hasFormat ? "" : "format", hasType ? "" : "type", hasFile ? "" : "file" }.Where(m => m.Length > 0));
            s.Fault("", $"{missing} missing; an item needs format, type and file");
            return null;
        }
        if ((type, format) is ("ip", "suricata" or "msdns" or "syslog-named") or ("http", "msdns" or "syslog-named"))
        {
            s.Fault("type", $"{format} files hold no {type} events; {type} is read from {(type == "ip" ? "bro" : "bro or suricata")}");
            return null;
        }
        return format.Length == 0 || type.Length == 0 ? null : new MonitorConfig(format, type, file!, s.Line);
    }
}
