using Nfr.Config;
using Nfr.Logs;
using Nfr.Storage;
using Serilog;

namespace Nfr.Pipeline;

/// <summary>Makes the log inputs of a running sensor from the config's sections.</summary>
sealed class LogParts
{
    readonly List<ILogInput> _inputs = [];
    readonly List<IMarkedInput> _marked = [];

    /// <summary>A worker each.</summary>
    public IReadOnlyList<ILogInput> Inputs => _inputs;

    /// <summary>Those that go on where they stood; the number of each is its place here.</summary>
    public IReadOnlyList<IMarkedInput> Marked => _marked;

    /// <param name="config">inputs: what to read.</param>
    /// <param name="spool">Knows how far each was read.</param>
    /// <param name="log">Gets what inputs have to say.</param>
    /// <param name="time">Of the sensor.</param>
    public static LogParts Of(InputsConfig config, Spool spool, ILogger log, TimeProvider time)
    {
        var parts = new LogParts();
        // A clock is one thread's.
        LineOptions Lines() => new() { Clock = new LogClock(time), Time = time, Zone = config.Timezone, MsdnsTimeFormat = config.MsdnsTimeFormat };
        if (config.Monitor.Count > 0) parts.Follow(config, spool, Lines(), log, time);
        if (config.Syslog.Count > 0) parts._inputs.Add(new SyslogListener([.. config.Syslog.Select(ListenerOf)], Lines(), n => Tell(log, n)));
        if (config.Elastic is { Enabled: true, Cluster: { } cluster })
        {
            var searches = new ElasticSearches(SearchCluster.OptionsOf(config.Elastic), new SearchCluster(cluster, Commands.VersionText.Version, time), spool.GetPosition, n => Tell(log, n), time, () => new LogClock(time), parts._marked.Count);
            parts._inputs.Add(searches);
            parts._marked.AddRange(searches.Inputs);
        }
        return parts;
    }

    /// <summary>What becomes of the inputs when the spool, which knew how far they were read, is lost; null = nothing is read that keeps a place.</summary>
    public static string? ReadAgain(InputsConfig config)
    {
        List<string> parts = [];
        string[] fromStart = [.. config.Monitor.Where(m => !m.FromEnd).Select(m => m.Path).Distinct()], fromEnd = [.. config.Monitor.Where(m => m.FromEnd).Select(m => m.Path).Distinct()];
        if (fromStart.Length > 0) parts.Add($"{string.Join(", ", fromStart)}: read again from the beginning, so events of before may come twice");
        if (fromEnd.Length > 0) parts.Add($"{string.Join(", ", fromEnd)} (from: end): read from the end, so what was written meanwhile is left out (nfr read reads it)");
        if (config.Elastic is { Enabled: true }) parts.Add("searches begin five minutes back");
        return parts.Count == 0 ? null : "how far each was read was in the lost spool; " + string.Join("; ", parts);
    }

    static SyslogListenerOptions ListenerOf(SyslogInputConfig config) => new()
    {
        Name = $"syslog {config.Listen} {config.Protocols}",
        Listen = config.Listen,
        Udp = config.Udp,
        Tcp = config.Tcp,
        Format = config.LogFormat,
        Types = LineOptions.TypesOf(config.Type),
        From = config.From,
    };

    void Follow(InputsConfig config, Spool spool, LineOptions shared, ILogger log, TimeProvider time)
    {
        List<FollowOptions> items = [];
        // What several items want of one file is read together.
        foreach (IGrouping<string, MonitorConfig> monitor in config.Monitor.GroupBy(m => m.Path))
        {
            LogFormat format = monitor.First().LogFormat;
            LineOptions options = shared with { Types = LogWords.Together(monitor.Select(m => m.Type)) };
            items.Add(new FollowOptions
            {
                Number = _marked.Count + items.Count,
                Path = monitor.Key,
                Format = format,
                // Each file has its own time: one that is caught up must not move that of the others.
                Parser = () => LogFormats.Parser(format, options with { Clock = new LogClock(time) })!,
                From = monitor.All(m => m.FromEnd) ? FollowFrom.End : FollowFrom.Start,
                UseInotify = config.UseInotify,
                Position = spool.GetPosition(FollowedLog.KeyOf(monitor.Key)),
            });
        }
        var files = new FileInputs(items, n => Tell(log, n), time);
        _inputs.Add(files);
        _marked.AddRange(files.Logs);
    }

    /// <summary>An input's sentence in the log.</summary>
    public static void Tell(ILogger log, LogNotice notice)
    {
        if (notice.IsTrouble) log.Warning("{Sentence}", notice.Sentence);
        else log.Information("{Sentence}", notice.Sentence);
    }
}
