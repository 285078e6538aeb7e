using Nfr.Logs;
using Nfr.Storage;

namespace Nfr.Config;

/// <summary>inputs: where events come from.</summary>
public sealed record InputsConfig
{
    public SnifferConfig Sniffer { get; init; } = new();
    public IReadOnlyList<MonitorConfig> Monitor { get; init; } = [];
    public IReadOnlyList<SyslogInputConfig> Syslog { get; init; } = [];
    /// <summary>Of stamps in logs that name no zone.</summary>
    public TimeZoneInfo Timezone { get; init; } = TimeZoneInfo.Local;
    /// <summary>A Go time layout such as "1/02/2006 3:04:05 PM"; null = guess.</summary>
    public string? MsdnsTimeFormat { get; init; }
    /// <summary>Be told of changes by the kernel; else look at the files now and then.</summary>
    public bool UseInotify { get; init; } = !OperatingSystem.IsWindows();
    public ElasticConfig Elastic { get; init; } = new();

    public bool Any => Sniffer.Enabled || HasLogs;

    /// <summary>Something other than packets is read.</summary>
    public bool HasLogs => Monitor.Count > 0 || Syslog.Count > 0 || Elastic.Enabled;

    internal static InputsConfig Read(Section s)
    {
        var inputs = new InputsConfig
        {
            Sniffer = SnifferConfig.Read(s.Under("sniffer")),
            Monitor = MonitorConfig.ReadAll(s),
            Syslog = SyslogInputConfig.ReadAll(s),
            Timezone = ZoneOf(s),
            MsdnsTimeFormat = LayoutOf(s),
            UseInotify = s.Flag("use_inotify", !OperatingSystem.IsWindows()),
            Elastic = ElasticConfig.Read(s.Under("elastic")),
        };
        s.End();
        int files = inputs.Monitor.Select(m => m.Path).Distinct().Count(), searches = inputs.Elastic.Enabled ? inputs.Elastic.SearchesRun : 0;
        if (searches > 0 && searches <= ElasticSearches.MostSearches && files + ElasticSearches.PlacesOf(searches) is var places && places > Spool.MostPositions)
            s.Fault("monitor", $"{files} log items and {searches} searches keep {places} places in the spool, which has {Spool.MostPositions}; let one item stand for many by a folder or a pattern such as /var/log/dns/*.log, or one search name several indices");
        return inputs;
    }

    static string? LayoutOf(Section s)
    {
        string? layout = s.Text("msdns_time_format", expected: "a Go time layout such as \"1/02/2006 3:04:05 PM\"");
        if (layout is null || GoLayout.Make(layout, out string fault) is not null) return layout;
        s.Fault("msdns_time_format", fault);
        return null;
    }

    static TimeZoneInfo ZoneOf(Section s)
    {
        if (s.Text("timezone", expected: "a time zone such as Europe/Berlin") is not { } name || name == "local") return TimeZoneInfo.Local;
        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out TimeZoneInfo? zone)) return zone;
        s.Fault("timezone", $"this machine knows no time zone \"{name}\"; write one such as Europe/Berlin or UTC (timedatectl list-timezones), or local");
        return TimeZoneInfo.Local;
    }
}
