namespace Nfr.Uplink;

/// <summary>A list that is fetched on a schedule.</summary>
public sealed record FeedSource
{
    /// <summary>The file's name in the folder; of letters, digits, dot, dash and underscore.</summary>
    public required string Name { get; init; }
    public required Uri Url { get; init; }
    /// <summary>Between two successful fetches; each wait is up to a tenth longer, so that sensors spread.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);
    /// <summary>Of the list when it is unpacked; a larger one is not taken.</summary>
    public long MaxBytes { get; init; } = 64L << 20;
    /// <summary><see cref="Url"/> as logs and status may show it.</summary>
    public string Shown => FeedAddress.Shown(Url);
}

/// <summary>What all feeds of a sensor share.</summary>
public sealed record FeedOptions
{
    /// <summary>Holds the last good copies; made when missing. Nothing else may lie in it.</summary>
    public required string Folder { get; init; }
    public required string Version { get; init; }
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Without a further byte.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromMinutes(10);
    public TimeSpan BackoffBase { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>A list that comes back with less than a tenth of its indicators is not believed before so long.</summary>
    public TimeSpan ShrinkPatience { get; init; } = TimeSpan.FromDays(1);
}

/// <summary>What a fetched file holds, told by whoever reads lists.</summary>
/// <remarks>Indicators = lines that can be used; Problem = why it is no list, null when it is one.</remarks>
public readonly record struct FeedVerdict(long Indicators, string? Problem);

/// <summary>How a feed is.</summary>
public sealed record FeedState
{
    public required string Name { get; init; }
    /// <summary>As <see cref="FeedAddress.Shown"/> has it.</summary>
    public required string Url { get; init; }
    /// <summary>When the copy in use was last known to be the newest (fetched, or told to be unchanged); null = there is none.</summary>
    public DateTimeOffset? LastSuccess { get; init; }
    /// <summary>When its content last changed.</summary>
    public DateTimeOffset? LastChange { get; init; }
    /// <summary>Why the last fetch failed; null when it did not. The last good copy serves on.</summary>
    public string? Problem { get; init; }
    public long Indicators { get; init; }
    public long Fetched { get; init; }
    public long Unchanged { get; init; }
    public long Failed { get; init; }
}
