using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Events;

namespace Nfr.Faults.Outage;

/// <summary>
/// The line and the engine behind it: 2 Mbit/s upwards, shared by all requests, and 0.1 s there and back; or down, in every way that a line can be. What it was sent
/// it writes down by the number in each event, so that it can say what came never, once or twice without asking the sensor.
/// </summary>
sealed class OutageLine(SettledTime time, int most) : HttpMessageHandler
{
    public const int BytesPerSecond = 250_000;
    static readonly TimeSpan s_latency = TimeSpan.FromMilliseconds(100);

    readonly Lock _lock = new();
    readonly ulong[][] _seen = [.. EventTypes.Uploaded.Select(_ => new ulong[(most / 64) + 1])];
    readonly long[] _ranges = new long[EventTypes.UploadedCount];
    readonly byte[] _buffer = new byte[64 << 10];
    TimeSpan _free;
    bool _down;
    int _failures;

    public bool Down
    {
        get => Volatile.Read(ref _down);
        set => Volatile.Write(ref _down, value);
    }

    /// <summary>Different events that came.</summary>
    public long Events { get; private set; }
    /// <summary>Events that came again.</summary>
    public long Doubled { get; private set; }
    /// <summary>Lines that are no event, or ranges that say less than was sent.</summary>
    public long Wrong { get; private set; }
    public long Requests { get; private set; }
    public long Bytes { get; private set; }
    /// <summary>From the second in which an event was accepted to its arrival, of those accepted after the line came back.</summary>
    public TimeSpan SlowestLive { get; private set; }
    public TimeSpan UpSince { get; set; } = TimeSpan.FromDays(10_000);

    /// <summary>When requests of each type were made that failed.</summary>
    public List<TimeSpan>[] Failed { get; } = [.. EventTypes.Uploaded.Select(_ => new List<TimeSpan>())];

    public bool Has(EventType type, int number) => (_seen[(int)type][number / 64] >> (number % 64) & 1) != 0;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        EventType type = EventTypes.Uploaded.Single(t => request.RequestUri!.AbsolutePath.EndsWith("/" + t.Name(), StringComparison.Ordinal));
        if (Down) return await FailAsync(type, cancellationToken);
        byte[] body = await request.Content!.ReadAsByteArrayAsync(cancellationToken);
        TimeSpan arrival;
        lock (_lock)
        {
            _free = (_free > time.Elapsed ? _free : time.Elapsed) + TimeSpan.FromSeconds((double)body.Length / BytesPerSecond);
            arrival = _free + s_latency;
        }
        await Task.Delay(arrival - time.Elapsed, time, cancellationToken);
        int lines = Take(type, body, request.Headers.GetValues("X-NFR-Sequence").Single());
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($"{{\"received\":{lines},\"accepted\":{lines},\"rejected\":{{}}}}") };
    }

    /// <summary>In turn: refused at once, an answer of a gateway, a reset, and nothing at all until the sender's time is over.</summary>
    async Task<HttpResponseMessage> FailAsync(EventType type, CancellationToken cancel)
    {
        int kind;
        lock (_lock)
        {
            Failed[(int)type].Add(time.Elapsed);
            kind = _failures++ % 4;
        }
        switch (kind)
        {
            case 0:
                throw new HttpRequestException(HttpRequestError.ConnectionError, "refused", new SocketException((int)SocketError.ConnectionRefused));
            case 1:
                return new HttpResponseMessage(HttpStatusCode.BadGateway) { Content = new StringContent("<html>bad gateway</html>") };
            case 2:
                throw new HttpRequestException(HttpRequestError.Unknown, "reset", new IOException("reset", new SocketException((int)SocketError.ConnectionReset)));
            default:
                await Task.Delay(TimeSpan.FromDays(1), time, cancel);
                throw new InvalidOperationException("a request of a day");
        }
    }

    int Take(EventType type, byte[] body, string range)
    {
        lock (_lock)
        {
            Requests++;
            Bytes += body.Length;
            long[] ends = [.. range.Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
            using GZipStream gzip = new(new MemoryStream(body), CompressionMode.Decompress);
            int lines = 0, held = 0;
            while (gzip.Read(_buffer, held, _buffer.Length - held) is > 0 and int read)
            {
                Span<byte> text = _buffer.AsSpan(0, held + read);
                while (text.IndexOf((byte)'\n') is >= 0 and int end)
                {
                    Note(type, text[..end]);
                    lines++;
                    text = text[(end + 1)..];
                }
                text.CopyTo(_buffer);
                held = text.Length;
            }
            if (held > 0 || ends[1] - ends[0] + 1 < lines) Wrong++;
            _ranges[(int)type] += lines;
            return lines;
        }
    }

    void Note(EventType type, ReadOnlySpan<byte> line)
    {
        if (!OutageEvents.TryRead(line, out int number, out int second) || number >= most)
        {
            Wrong++;
            return;
        }
        ref ulong word = ref _seen[(int)type][number / 64];
        ulong bit = 1UL << (number % 64);
        if ((word & bit) != 0) Doubled++;
        else Events++;
        word |= bit;
        var accepted = TimeSpan.FromSeconds(second);
        if (accepted >= UpSince && time.Elapsed - accepted > SlowestLive) SlowestLive = time.Elapsed - accepted;
    }
}
