namespace Nfr.Config;

/// <summary>flows: the table from which ip events are made.</summary>
public sealed record FlowsConfig
{
    /// <summary>Flows at one time, per worker; when full, the least recently seen is exported.</summary>
    public int Max { get; init; } = 65_536;
    /// <summary>A TCP flow without packets for so long has ended.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);
    /// <summary>The same for every other protocol.</summary>
    public TimeSpan UdpTimeout { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>A flow that lasts is exported this often.</summary>
    public TimeSpan ActiveTimeout { get; init; } = TimeSpan.FromMinutes(30);
    /// <summary>What tells flows of the same addresses and ports apart: "none", "networks" or "vlans".</summary>
    public string Separate { get; init; } = "networks";

    internal static FlowsConfig Read(Section s)
    {
        TimeSpan second = TimeSpan.FromSeconds(1), day = TimeSpan.FromDays(1);
        var flows = new FlowsConfig
        {
            Max = s.Integer("max", 65_536, 1024, 4_194_304),
            IdleTimeout = s.Duration("idle_timeout", TimeSpan.FromMinutes(5), second, day),
            UdpTimeout = s.Duration("udp_timeout", TimeSpan.FromSeconds(60), second, day),
            ActiveTimeout = s.Duration("active_timeout", TimeSpan.FromMinutes(30), second, day),
            Separate = s.Choice("separate", "networks", "none", "networks", "vlans"),
        };
        s.End();
        return flows;
    }
}

/// <summary>scope: which networks are watched.</summary>
public sealed record ScopeConfig
{
    /// <summary>Absolute path of scope.yml; null = the built-in group.</summary>
    public string? File { get; init; }

    internal static ScopeConfig Read(Section s)
    {
        var scope = new ScopeConfig { File = s.FilePath("file", null) };
        s.End();
        return scope;
    }
}

public enum LogLevel
{
    Debug,
    Info,
    Warn,
    Error,
}

/// <summary>log: what the sensor says about itself.</summary>
public sealed record LogConfig
{
    /// <summary>An absolute path, stdout or stderr.</summary>
    public string File { get; init; } = OutputsConfig.Stdout;
    public LogLevel Level { get; init; } = LogLevel.Info;
    /// <summary>Bytes at which a log file is followed by the next; a new day begins a new one too.</summary>
    public long MaxSize { get; init; } = 10L << 20;
    /// <summary>Log files that are kept, the one being written among them.</summary>
    public int Keep { get; init; } = 7;

    internal static LogConfig Read(Section s)
    {
        var log = new LogConfig
        {
            File = s.FilePath("file", OutputsConfig.Stdout, OutputsConfig.Stdout, OutputsConfig.Stderr)!,
            Level = s.Choice("level", "info", "debug", "info", "warn", "error") switch
            {
                "debug" => LogLevel.Debug,
                "warn" => LogLevel.Warn,
                "error" => LogLevel.Error,
                _ => LogLevel.Info,
            },
            MaxSize = s.Size("max_size", 10L << 20, 64L << 10, 1L << 30),
            Keep = s.Integer("keep", 7, 1, 1000),
        };
        s.End();
        return log;
    }
}
