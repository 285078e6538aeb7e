namespace Nfr.Uplink;

/// <summary>One place that alerts go to.</summary>
public sealed record OutputOptions
{
    /// <summary>Names the durable bookmark, so it must stay the same over restarts and be unique among the outputs.</summary>
    public required string Name { get; init; }
    /// <summary>What kind of place it is, and where.</summary>
    public required SinkOptions Sink { get; init; }
    /// <summary>How an alert is written, where the kind knows several ways.</summary>
    public AlertFormat Format { get; init; } = AlertFormat.Json;
    /// <summary>Which alerts it gets.</summary>
    public AlertFilter Filter { get; init; } = AlertFilter.All;
}

/// <summary>Settings of one kind of sink, checked when the configuration was read.</summary>
public abstract record SinkOptions
{
    /// <summary>Where, as shown to people: a path, "syslog tcp://host:514". Never a password.</summary>
    public virtual string Where => GetType().Name.Replace("SinkOptions", "", StringComparison.Ordinal).ToLowerInvariant();
    /// <summary>Name or address of the server, where there is one.</summary>
    public virtual string? ServerHost => null;
}

/// <summary>A file that is appended to and rotated.</summary>
public sealed record FileSinkOptions : SinkOptions
{
    public required string Path { get; init; }
    /// <summary>A file that would grow beyond this is moved to PATH.1, PATH.1 to PATH.2 and so on. One page of alerts may exceed it.</summary>
    public long MaxBytes { get; init; } = 64 << 20;
    /// <summary>Moved files kept; the oldest goes.</summary>
    public int Keep { get; init; } = 5;

    public override string Where => Path;
}

/// <summary>Standard output or error.</summary>
public sealed record StreamSinkOptions : SinkOptions
{
    public bool IsError { get; init; }

    public override string Where => IsError ? "stderr" : "stdout";
}
