namespace Nfr.Logs;

/// <summary>One item of inputs.monitor.</summary>
public sealed record FollowOptions
{
    /// <summary>Of the input within the sensor: its marks carry it.</summary>
    public required int Number { get; init; }
    /// <summary>A file, a folder (all files in it), or a pattern: * and ? within a name, ** for any folders.</summary>
    public required string Path { get; init; }
    public LogFormat Format { get; init; } = LogFormat.Auto;
    /// <summary>Makes a parser for one file; at most <see cref="FollowedLog.MaximumOpen"/> of them are alive.</summary>
    public required Func<LineParser> Parser { get; init; }
    /// <summary>Where files begin to be read that are there when this item is followed for the first time; later ones are read from their beginning.</summary>
    public FollowFrom From { get; init; }
    /// <summary>The kernel wakes the reader; else, as on network file systems, it looks every second.</summary>
    public bool UseInotify { get; init; } = true;
    /// <summary>What <see cref="IMarkedInput.Position"/> said last and was committed; null at the first start.</summary>
    public string? Position { get; init; }
}

public enum FollowFrom : byte
{
    Start,
    End,
}
