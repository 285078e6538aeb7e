namespace Nfr.Uplink;

public enum OutputKind : byte
{
    File,
    Stdout,
    Stderr,
}

public enum AlertFormat : byte
{
    /// <summary>The original's mapped alert, one per line.</summary>
    Json,
    /// <summary>ArcSight's Common Event Format, one line per threat.</summary>
    Cef,
}

/// <summary>One place that alerts go to.</summary>
public sealed record OutputOptions
{
    /// <summary>Names the durable bookmark, so it must stay the same over restarts and be unique among the outputs.</summary>
    public required string Name { get; init; }
    public required OutputKind Kind { get; init; }
    /// <summary>Of <see cref="OutputKind.File"/>.</summary>
    public string Path { get; init; } = "";
    public AlertFormat Format { get; init; } = AlertFormat.Json;
    /// <summary>A file that would grow beyond this is moved to PATH.1, PATH.1 to PATH.2 and so on. One page of alerts may exceed it.</summary>
    public long MaxBytes { get; init; } = 10 << 20;
    /// <summary>Moved files kept; the oldest goes.</summary>
    public int Keep { get; init; } = 5;
}
