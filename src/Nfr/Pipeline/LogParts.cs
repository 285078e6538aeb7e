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
        var clock = new LogClock(time);
        // One for all: what a log of Zeek's says of certificates is for another.
        var shared = new LineOptions { Clock = clock, Time = time, Zone = config.Timezone, MsdnsTimeFormat = config.MsdnsTimeFormat };
        parts.Follow(config, spool, shared, log, time);
        return parts;
    }

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
                Parser = () => LogFormats.Parser(format, options)!,
                From = monitor.All(m => m.FromEnd) ? FollowFrom.End : FollowFrom.Start,
                UseInotify = config.UseInotify,
                Position = spool.GetState(FollowedLog.KeyOf(monitor.Key)),
            });
        }
        if (items.Count == 0) return;
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
