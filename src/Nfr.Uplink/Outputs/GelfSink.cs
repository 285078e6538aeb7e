using System.Buffers.Binary;
using System.IO.Compression;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>A Graylog server, or another that takes GELF.</summary>
public sealed record GelfSinkOptions : SinkOptions
{
    public required LinkOptions Link { get; init; }
    /// <summary>Of datagrams; over TCP the format allows none.</summary>
    public bool Compress { get; init; } = true;
    /// <summary>Syslog level of every message, 0 to 7; null = by the threat's severity.</summary>
    public int? Level { get; init; }
    /// <summary>Bytes of a datagram at most; a longer message goes in chunks.</summary>
    public int ChunkBytes { get; init; } = 1420;

    public override string Where => $"gelf {Link}";
    public override string? ServerHost => Link.Host;
}

/// <summary>
/// GELF 1.1, one message per threat: over TCP and TLS each ended by a zero byte, over UDP gzipped and in chunks where it is longer than a datagram. A message of more than
/// <see cref="MaxChunks"/> chunks could never arrive and is refused. What is vouched for is told at <see cref="StreamSender"/> and <see cref="DatagramSender"/>.
/// </summary>
public sealed class GelfSink : AlertSink
{
    public const int MaxChunks = 128;
    /// <summary>Magic bytes, message id, number, count.</summary>
    const int ChunkHeader = 12;

    readonly GelfSinkOptions _options;
    readonly SensorIdentity _sensor;
    readonly PageSender _sender;
    string? _refusal;

    public GelfSink(GelfSinkOptions options, SensorIdentity sensor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _sensor) = (options, sensor);
        _sender = PageSender.Open(options.Link, time);
    }

    public override string Target => _options.Where;
    public override string? LastRefusal => _refusal;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        var alerts = new List<byte[]>[page.Count];
        for (int i = 0; i < page.Count; i++) alerts[i] = Messages(page.Alerts[i].Alert);
        SinkAnswer answer = await _sender.SendAsync(alerts, cancel);
        return answer with { Refused = alerts.Take(answer.Taken).Count(a => a.Count == 0) };
    }

    public override Task<string?> SettleAsync(CancellationToken cancel) => _sender.SettleAsync(cancel);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _sender.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Empty when one of them could not arrive.</summary>
    List<byte[]> Messages(Alert alert)
    {
        List<byte[]> messages = [];
        foreach (AlertThreat threat in alert.Threats)
        {
            byte[] message = GelfMessage.Make(alert, threat, _sensor, _options.Level);
            if (_options.Link.Protocol != LinkProtocol.Udp)
            {
                messages.Add([.. message, 0]);
                continue;
            }
            if (_options.Compress) message = Gzip(message);
            if (Chunk(message, messages)) continue;
            _refusal = $"the alert has {message.Length} bytes and the format allows {MaxChunks} chunks of {_options.ChunkBytes}; send it over TCP";
            return [];
        }
        return messages;
    }

    bool Chunk(byte[] message, List<byte[]> datagrams)
    {
        if (message.Length <= _options.ChunkBytes)
        {
            datagrams.Add(message);
            return true;
        }
        int room = _options.ChunkBytes - ChunkHeader;
        int count = (message.Length + room - 1) / room;
        if (count > MaxChunks) return false;
        long id = Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> part = message.AsSpan(i * room, Math.Min(room, message.Length - (i * room)));
            byte[] datagram = new byte[ChunkHeader + part.Length];
            (datagram[0], datagram[1]) = (0x1e, 0x0f);
            BinaryPrimitives.WriteInt64BigEndian(datagram.AsSpan(2), id);
            (datagram[10], datagram[11]) = ((byte)i, (byte)count);
            part.CopyTo(datagram.AsSpan(ChunkHeader));
            datagrams.Add(datagram);
        }
        return true;
    }

    static byte[] Gzip(byte[] message)
    {
        using MemoryStream packed = new(message.Length);
        using (GZipStream gzip = new(packed, CompressionLevel.Fastest)) gzip.Write(message);
        return packed.ToArray();
    }
}
