namespace Nfr.Logs;

/// <summary>What a search needs of a cluster: the one seam between it and whoever speaks HTTP to the nodes (decisions/008).</summary>
public interface ISearchCluster
{
    /// <summary>The cluster as people know it: "http://localhost:9200 and 2 more".</summary>
    string Target { get; }

    /// <summary>Sends one request and reads its answer to the end, within a stated time; nothing but the caller's own cancellation throws.</summary>
    Task<SearchAnswer> SendAsync(SearchRequest request, CancellationToken cancel);
}

/// <summary>One request to a cluster.</summary>
/// <param name="Method">POST or DELETE.</param>
/// <param name="Path">With its query, escaped, without a slash at its beginning.</param>
/// <param name="Body">JSON; empty = none.</param>
/// <param name="Once">Not tried at another node: a scroll that was asked twice has moved on twice, and the page between is lost.</param>
public sealed record SearchRequest(string Method, string Path, ReadOnlyMemory<byte> Body, bool Once = false);

/// <summary>How a request ended.</summary>
public sealed record SearchAnswer
{
    /// <summary>Of an answer's body, uncompressed: a page of 10,000 documents of 1.6 KiB each, and what the memory of a small box has room for. A longer one is <see cref="TooLong"/>.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>HTTP status; 0 when no whole answer came.</summary>
    public int Status { get; init; }
    /// <summary>Of an error too, as far as it came.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }
    /// <summary>Part of a sentence for people, "it answered 503 ServiceUnavailable"; null when the status is 2xx and the body whole.</summary>
    public string? Fault { get; init; }
    /// <summary>The server's own wish; null = none.</summary>
    public TimeSpan? RetryAfter { get; init; }
    /// <summary>The time ran out: a smaller page may pass.</summary>
    public bool TimedOut { get; init; }
    /// <summary>Longer than <see cref="MaxBytes"/>: a smaller page will pass.</summary>
    public bool TooLong { get; init; }
}
