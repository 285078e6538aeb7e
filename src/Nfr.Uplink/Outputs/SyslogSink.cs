using System.Buffers;
using Nfr.Events;

namespace Nfr.Uplink;

public enum SyslogRfc : byte
{
    Rfc5424,
    Rfc3164,
    /// <summary>What the original sent: user.alert, the time of writing by RFC 3339, host, "NFR[pid]:".</summary>
    Original,
}

public enum SyslogFraming : byte
{
    /// <summary>RFC 6587, 3.4.1, and RFC 5425: the length in digits, a space, the message.</summary>
    Octet,
    /// <summary>RFC 6587, 3.4.2: the message and a line feed.</summary>
    Line,
}

/// <summary>A syslog server.</summary>
public sealed record SyslogSinkOptions : SinkOptions
{
    public required LinkOptions Link { get; init; }
    public SyslogRfc Rfc { get; init; }
    /// <summary>Of TCP and TLS; a datagram needs none.</summary>
    public SyslogFraming Framing { get; init; }
    /// <summary>0 kernel to 23 local7; 16 is local0.</summary>
    public int Facility { get; init; } = 16;
    /// <summary>Bytes of a message at most, without its framing. A longer one goes without samples, then without evidence, then is cut.</summary>
    public int MaxBytes { get; init; } = 8192;

    public override string Where => $"syslog {Link}";
    public override string? ServerHost => Link.Host;
}

/// <summary>
/// Syslog over UDP (RFC 5426), TCP (RFC 6587) and TLS (RFC 5425): one message per line of the output's format. What is vouched for is told at <see cref="StreamSender"/> and
/// <see cref="DatagramSender"/>.
/// </summary>
public sealed class SyslogSink : AlertSink
{
    readonly SyslogSinkOptions _options;
    readonly SensorIdentity _sensor;
    readonly TimeProvider _time;
    readonly PageSender _sender;
    readonly ArrayBufferWriter<byte> _lines = new(4096);
    long _cut;

    public SyslogSink(SyslogSinkOptions options, SensorIdentity sensor, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _sensor, _time) = (options, sensor, time);
        _sender = PageSender.Open(options.Link, time);
    }

    public override string Target => _options.Where;

    public override long Cut => _cut;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        var alerts = new List<byte[]>[page.Count];
        bool[] cut = new bool[page.Count];
        for (int i = 0; i < page.Count; i++) alerts[i] = Messages(page.Alerts[i].Alert, page.LinesOf(i).Span, page.Format, out cut[i]);
        SinkAnswer answer = await _sender.SendAsync(alerts, cancel);
        // What comes again is counted when it is taken.
        _cut += cut.AsSpan(0, answer.Taken).Count(true);
        return answer;
    }

    public override Task<string?> SettleAsync(CancellationToken cancel) => _sender.SettleAsync(cancel);

    protected override void Dispose(bool disposing)
    {
        if (disposing) _sender.Dispose();
        base.Dispose(disposing);
    }

    List<byte[]> Messages(Alert alert, ReadOnlySpan<byte> lines, AlertFormat format, out bool cut)
    {
        List<byte[]> messages = Messages(alert, lines, out int longest);
        cut = longest > _options.MaxBytes;
        if (!cut || alert.Evidence is not { } evidence) return messages;
        // Whole JSON with less in it is worth more than half of all.
        foreach (AlertEvidence? less in new[] { evidence with { Samples = [] }, null })
        {
            _lines.ResetWrittenCount();
            AlertLines.Write(format, alert with { Evidence = less }, _sensor, _lines);
            messages = Messages(alert, _lines.WrittenSpan, out longest);
            cut = longest > _options.MaxBytes;
            if (!cut) break;
        }
        return messages;
    }

    List<byte[]> Messages(Alert alert, ReadOnlySpan<byte> lines, out int longest)
    {
        List<byte[]> messages = [];
        DateTimeOffset now = _time.GetLocalNow();
        longest = 0;
        while (lines.Length > 0)
        {
            int end = lines.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? lines : lines[..end];
            lines = end < 0 ? [] : lines[(end + 1)..];
            // A format that has a line for each threat has them in this order.
            AlertThreat threat = alert.Threats[Math.Min(messages.Count, alert.Threats.Count - 1)];
            byte[] message = SyslogMessage.Make(_options, _sensor, alert, threat, line, now, out int whole);
            longest = Math.Max(longest, whole);
            messages.Add(_options.Link.Protocol == LinkProtocol.Udp ? message : SyslogMessage.Frame(message, _options.Framing));
        }
        return messages;
    }
}
