namespace Nfr.Uplink;

/// <summary>What came of a request, by what the sender has to do next.</summary>
public enum EngineReplyKind : byte
{
    /// <summary>2xx, read to its end, and what the API gives.</summary>
    Accepted,
    /// <summary>413: send less at once.</summary>
    TooLarge,
    /// <summary>429: send later.</summary>
    Throttled,
    /// <summary>401 or 403: stop until the key is changed.</summary>
    Unauthorized,
    /// <summary>400 or 422: the engine cannot take these bytes; the same bytes again will not help.</summary>
    Refused,
    /// <summary>5xx and every other status: the engine or something before it is at fault.</summary>
    ServerError,
    /// <summary>2xx, but the body is cut by our limit or is not what the API gives (a captive portal, a proxy's page).</summary>
    Garbled,
    /// <summary>No whole answer: name, connection, TLS, time-out, reset.</summary>
    Unreachable,
}

/// <summary>The outcome of one request to the engine, as a value.</summary>
public sealed record EngineReply
{
    public required EngineReplyKind Kind { get; init; }
    /// <summary>HTTP status; 0 when there was none.</summary>
    public int Status { get; init; }
    /// <summary>One sentence for people, never empty unless accepted.</summary>
    public string Message { get; init; } = "";
    /// <summary>The engine's own wish; null when it gave none (or a bad one).</summary>
    public TimeSpan? RetryAfter { get; init; }
    /// <summary>The time ran out while sending or waiting: a smaller request may pass on a slow line.</summary>
    public bool TimedOut { get; init; }
    /// <summary>The certificate could not be judged because our clock is not set: try again when it is.</summary>
    public bool ClockUnset { get; init; }
    /// <summary>The answer, at most <see cref="EngineOptions.MaxAnswerBytes"/>; set when accepted.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }
    /// <summary>Of an upload: events that the engine counted; -1 when it did not say.</summary>
    public long Received { get; init; } = -1;
    /// <summary>Of an upload: events that the engine took; -1 when it did not say.</summary>
    public long AcceptedEvents { get; init; } = -1;
    /// <summary>Of an upload: events that the engine did not want, by its reason.</summary>
    public IReadOnlyDictionary<string, long> Rejected { get; init; } = EmptyRejected;

    /// <summary>Events of an accepted batch that can never be stored there, ascending: the others are.</summary>
    public IReadOnlyList<RefusedEvent> RefusedEvents { get; init; } = [];

    public bool IsAccepted => Kind == EngineReplyKind.Accepted;

    static readonly Dictionary<string, long> EmptyRejected = [];
}

/// <param name="Index">Of the event in its batch.</param>
/// <param name="Reason">One sentence.</param>
public readonly record struct RefusedEvent(int Index, string Reason);

/// <summary>A reply and what its body says; <see cref="Value"/> is null unless the reply was accepted.</summary>
public readonly record struct EngineAnswer<T>(EngineReply Reply, T? Value) where T : class;

/// <summary>GET account/status.</summary>
public sealed record AccountStatus
{
    public bool Registered { get; init; }
    public bool Expired { get; init; }
    /// <summary>As the engine wrote it.</summary>
    public string? ExpirationDate { get; init; }
    public long? EndpointsSeenToday { get; init; }
    public IReadOnlyList<AccountMessage> Messages { get; init; } = [];
}

/// <param name="Level">1 information, 2 warning, 3 error.</param>
/// <param name="Body">What the engine's operators want the user to read.</param>
public sealed record AccountMessage(int Level, string Body);

/// <summary>POST key/request.</summary>
public sealed record IssuedKey(string Key);
