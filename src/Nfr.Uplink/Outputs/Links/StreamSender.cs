namespace Nfr.Uplink;

/// <summary>
/// Pages over TCP or TLS to a server that never answers. A write that goes well proves nothing, since the kernel takes bytes for a server that is gone; so what can be had is
/// taken:
/// 1. Before a page the connection is looked at, and opened anew when it has ended.
/// 2. After a page it waits until the server's kernel has acknowledged all of it. Only then the page counts as taken. A server that reads slowly is waited for as long as it makes
///    progress.
/// 3. A server that closes in order has read whatever its kernel acknowledged, so that much counts, and the rest comes again. Over TLS what its library may have read ahead
///    (<see cref="ReadAhead"/>) comes again too.
/// 4. A connection that breaks (reset, silence) takes back what was acknowledged: the page comes again whole, and before it the messages of the <see cref="Doubt"/> before the end, which
///    were kept for that (<see cref="TailBytes"/>).
/// So a server that is killed while it reads loses nothing and gets a few seconds doubled. What is left: a server that has hung for longer than that and is then killed takes along
/// what its own kernel held for it, and one that reads and drops; no sender of syslog or GELF can tell.
/// </summary>
sealed class StreamSender(LinkOptions link, TimeProvider time) : PageSender
{
    /// <summary>What was acknowledged so short before a reset may not have been read.</summary>
    public static readonly TimeSpan Doubt = TimeSpan.FromSeconds(10);
    /// <summary>Messages kept to be sent again, or the last page where that is more; beyond that the oldest are let go, so that a server that crashes in a circle is not sent ever more.</summary>
    public const int TailBytes = 128 << 10;

    /// <summary>Bytes that a TLS library has taken from the kernel and its program has not from it: two records.</summary>
    const int ReadAhead = 32 << 10;

    readonly ClientTls? _tls = link.Protocol == LinkProtocol.Tls ? new ClientTls(link.Tls, time) : null;
    /// <summary>Acknowledged not long ago, oldest first.</summary>
    readonly Queue<(long At, byte[] Bytes)> _tail = new();
    /// <summary>To be sent before anything else.</summary>
    readonly List<byte[]> _again = [];
    int _tailBytes;
    OneWayStream? _stream;
    int _tlsVersion;

    public override async Task<SinkAnswer> SendAsync(IReadOnlyList<IReadOnlyList<byte[]>> alerts, CancellationToken cancel)
    {
        try
        {
            if (await ReadyAsync(cancel) is { } fault) return SinkAnswer.None(fault);
            return await WriteAsync(alerts, cancel);
        }
        catch (OperationCanceledException)
        {
            // Half a message may be on its way.
            Drop();
            throw;
        }
    }

    public override async Task<string?> SettleAsync(CancellationToken cancel)
    {
        try
        {
            if (_stream is not null && await _stream.LookAsync() is not StreamEnd.Open and { } end) Ended(end);
            return _again.Count == 0 ? null : await ReadyAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            Drop();
            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Drop();
        base.Dispose(disposing);
    }

    async Task<SinkAnswer> WriteAsync(IReadOnlyList<IReadOnlyList<byte[]>> alerts, CancellationToken cancel)
    {
        OneWayStream stream = _stream!;
        long[] ends = new long[alerts.Count];
        int written = 0;
        string? fault = null;
        for (; written < alerts.Count && fault is null; written++)
        {
            byte[] messages = alerts[written].Count == 1 ? alerts[written][0] : [.. alerts[written].SelectMany(m => m)];
            if (messages.Length > 0) fault = await stream.WriteAsync(messages, cancel);
            ends[written] = fault is null ? stream.Written : long.MaxValue;
        }
        (StreamEnd end, string? unsettled) = await stream.SettledAsync(cancel);
        if (fault is not null) end = StreamEnd.Reset;
        long acknowledged = end == StreamEnd.Closed ? Read(stream) : stream.Acknowledged;
        if (end != StreamEnd.Open) Ended(end);
        if (end == StreamEnd.Reset) return SinkAnswer.None(fault ?? unsettled ?? "the connection broke");
        int taken = ends.AsSpan(0, written).IndexOfAnyExceptInRange(0, acknowledged) is >= 0 and int first ? first : written;
        if (end == StreamEnd.Open)
        {
            foreach (IReadOnlyList<byte[]> alert in alerts)
            {
                foreach (byte[] message in alert) Keep(message);
            }
            Trim(alerts.Sum(a => a.Count));
        }
        return taken == alerts.Count ? new SinkAnswer(taken, 0, null) : SinkAnswer.First(taken, fault ?? unsettled ?? stream.EndText);
    }

    /// <summary>Sees that there is a connection and that what was lost with the last one is in the server's hands.</summary>
    async Task<string?> ReadyAsync(CancellationToken cancel)
    {
        if (_stream is not null && await _stream.LookAsync() is not StreamEnd.Open and { } end) Ended(end);
        // A renewed certificate of ours.
        if (_stream is not null && _tls is not null && _tls.Version != _tlsVersion) Drop();
        if (_stream is null)
        {
            _tlsVersion = _tls?.Version ?? 0;
            (_stream, string? fault) = await OneWayStream.OpenAsync(link, _tls, time, cancel);
            if (fault is not null) return fault;
        }
        if (_again.Count == 0) return null;
        OneWayStream stream = _stream!;
        long[] ends = new long[_again.Count];
        for (int i = 0; i < ends.Length; i++)
        {
            if (await stream.WriteAsync(_again[i], cancel) is { } fault)
            {
                Drop();
                return fault;
            }
            ends[i] = stream.Written;
        }
        (StreamEnd after, string? unsettled) = await stream.SettledAsync(cancel);
        if (after != StreamEnd.Open)
        {
            // A server that takes a little and closes is not sent the same for ever.
            if (after == StreamEnd.Closed) _again.RemoveRange(0, ends.Count(end => end <= Read(stream)));
            Drop();
            return unsettled;
        }
        foreach (byte[] message in _again) Keep(message);
        Trim(_again.Count);
        _again.Clear();
        return null;
    }

    /// <summary>What the server's program has read for sure of a connection that it closed in order.</summary>
    long Read(OneWayStream stream) => stream.Acknowledged - (_tls is null ? 0 : ReadAhead);

    void Keep(byte[] message)
    {
        _tail.Enqueue((time.GetTimestamp(), message));
        _tailBytes += message.Length;
    }

    void Trim(int least)
    {
        while (_tail.Count > least && (_tailBytes > TailBytes || time.GetElapsedTime(_tail.Peek().At) > Doubt)) _tailBytes -= _tail.Dequeue().Bytes.Length;
    }

    /// <summary>The connection is over: what of it is in doubt is kept to be sent again.</summary>
    void Ended(StreamEnd end)
    {
        long at = _stream!.EndedAt is > 0 and long ended ? ended : time.GetTimestamp();
        if (end == StreamEnd.Reset)
        {
            foreach ((long sent, byte[] bytes) in _tail)
            {
                if (time.GetElapsedTime(sent, at) <= Doubt) _again.Add(bytes);
            }
        }
        else if (_tls is not null)
        {
            int bytes = 0;
            _again.AddRange(_tail.Reverse().TakeWhile(kept => (bytes += kept.Bytes.Length) - kept.Bytes.Length < ReadAhead && time.GetElapsedTime(kept.At, at) <= Doubt).Select(kept => kept.Bytes).Reverse());
        }
        Drop();
    }

    void Drop()
    {
        _stream?.Dispose();
        _stream = null;
        _tail.Clear();
        _tailBytes = 0;
    }
}
