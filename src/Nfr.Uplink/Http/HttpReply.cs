namespace Nfr.Uplink;

/// <summary>How a request ended, by what its sender has to do next.</summary>
public enum HttpReplyKind : byte
{
    /// <summary>2xx, read to its end.</summary>
    Taken,
    /// <summary>413: send less at once.</summary>
    TooLarge,
    /// <summary>429, and 503 that says when: send later.</summary>
    Throttled,
    /// <summary>401, 403 or 407: a key, a right or a proxy's password is missing.</summary>
    Denied,
    /// <summary>400 or 422: the same bytes again will not help.</summary>
    Refused,
    /// <summary>404, 405 or 410: nothing takes requests at this address.</summary>
    Absent,
    /// <summary>3xx: it moved. Never followed, since that would carry keys to a stranger and a POST does not survive it.</summary>
    Moved,
    /// <summary>5xx and every other status: the server or something before it is at fault.</summary>
    ServerError,
    /// <summary>2xx, but its body is longer than the limit.</summary>
    Endless,
    /// <summary>No whole answer: name, connection, TLS, time-out, reset.</summary>
    Unreachable,
}

/// <summary>The outcome of one HTTP request, as a value.</summary>
public sealed record HttpReply
{
    public required HttpReplyKind Kind { get; init; }
    /// <summary>HTTP status; 0 when there was none.</summary>
    public int Status { get; init; }
    /// <summary>Part of a sentence for people, such as "it answered 503 ServiceUnavailable"; never empty unless taken.</summary>
    public string Message { get; init; } = "";
    /// <summary>The server's own wish, at most <see cref="HttpSender.RetryAfterCap"/>; null when it gave none (or a bad one).</summary>
    public TimeSpan? RetryAfter { get; init; }
    /// <summary>The time ran out while sending or waiting: a smaller request may pass on a slow line.</summary>
    public bool TimedOut { get; init; }
    /// <summary>The certificate looked wrong because our clock is not set.</summary>
    public bool ClockUnset { get; init; }
    /// <summary>The answer, at most <see cref="HttpSenderOptions.MaxAnswerBytes"/>; of an error too, as far as it came.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    public bool IsTaken => Kind == HttpReplyKind.Taken;
}

/// <summary>How long a sender waits and whom it trusts.</summary>
public sealed record HttpSenderOptions
{
    /// <summary>Of this sensor, without a "v"; goes into User-Agent.</summary>
    public required string Version { get; init; }
    public TlsSettings Tls { get; init; } = TlsSettings.Default;
    public ProxySettings Proxy { get; init; } = ProxySettings.Environment;
    /// <summary>Name, TCP and TLS together.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>From the first byte of the connection to the last of the answer.</summary>
    public TimeSpan TotalTimeout { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Of an answer, after decompression.</summary>
    public int MaxAnswerBytes { get; init; } = 1 << 20;
}
