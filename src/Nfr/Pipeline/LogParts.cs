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
        return parts;
    }

    /// <summary>An input's sentence in the log.</summary>
    public static void Tell(ILogger log, LogNotice notice)
    {
        if (notice.IsTrouble) log.Warning("{Sentence}", notice.Sentence);
        else log.Information("{Sentence}", notice.Sentence);
    }
}
