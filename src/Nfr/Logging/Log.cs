using Nfr.Config;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Sinks.File;

namespace Nfr.Logging;

/// <summary>Builds the one logger of the process; whoever opened it disposes it, which writes out what is left.</summary>
public static class Log
{
    /// <summary>The logger that config.yml asks for.</summary>
    public static Logger Open(LogConfig config)
    {
        var line = new LineFormatter();
        LoggerConfiguration logger = AtLevel(config.Level);
        if (config.File is OutputsConfig.Stdout) return logger.WriteTo.Console(line).CreateLogger();
        if (config.File is OutputsConfig.Stderr) return logger.WriteTo.Console(line, standardErrorFromLevel: LogEventLevel.Verbose).CreateLogger();
        return logger.WriteTo.File(
            line, config.File, rollingInterval: RollingInterval.Day, fileSizeLimitBytes: config.MaxSize, rollOnFileSizeLimit: true,
            retainedFileCountLimit: config.Keep, hooks: new NameLink(config.File)).CreateLogger();
    }

    /// <summary>Warnings and errors to stderr: for commands whose stdout carries data.</summary>
    public static Logger ToStderr(LogLevel level) =>
        AtLevel(level).WriteTo.Console(new LineFormatter(), standardErrorFromLevel: LogEventLevel.Verbose).CreateLogger();

    static LoggerConfiguration AtLevel(LogLevel level) => new LoggerConfiguration().MinimumLevel.Is(level switch
    {
        LogLevel.Debug => LogEventLevel.Debug,
        LogLevel.Warn => LogEventLevel.Warning,
        LogLevel.Error => LogEventLevel.Error,
        _ => LogEventLevel.Information,
    });

    /// <summary>Keeps the name in the config as a link to the newest dated file, so that "tail -F" follows it.</summary>
    sealed class NameLink(string path) : FileLifecycleHooks
    {
        public override Stream OnFileOpened(string newest, Stream underlyingStream, System.Text.Encoding encoding)
        {
            try
            {
                // A plain file of that name is somebody's log of before; it stays.
                if (new FileInfo(path) is { Exists: true, LinkTarget: null }) return underlyingStream;
                string link = path + ".new";
                File.Delete(link);
                File.CreateSymbolicLink(link, Path.GetFileName(newest));
                File.Move(link, path, overwrite: true);
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // The link is a convenience; the log goes on without it.
            }
            return underlyingStream;
        }
    }
}
