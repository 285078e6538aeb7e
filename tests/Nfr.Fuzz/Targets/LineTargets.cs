using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Nfr.Engine;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Fuzz;

/// <summary>Lines of events as sensors upload them: what the captures lead to in both our forms, and other senders' ways to write.</summary>
static class LineSeeds
{
    public static readonly byte[][] Words =
    [
        .. ((string[])["{}", "[]", "{},", "null", "true", "-1", "1e99", "18446744073709551616", "\\u0000", "\\ud800", "\\ud83d\\ude00", "\\\"", "\"\"", "\"ts\":", "\"srcIP\":\"::1\"", "\"destIP\":\"\"",
            "\"query\":\"\\u00ff.\"", "\"service\":\"nbns\"", "\"answers\":[{}]", "\"notes\":[\"\"]", "\"login\":{", "\"echo\":{", "\"san\":[\"a\"]", "\"9999-12-31T23:59:59.999999999Z\"", "\"0001-01-01T00:00:00Z\"",
            "\"duration\":1e12", "\"bytesOut\":9223372036854775807", "\"app\":\"ssh\"", "\"state\":\"S0\""]).Select(Encoding.UTF8.GetBytes),
    ];

    static readonly string[] s_others =
    [
        """{"ts":"2018-09-03T11:39:47+02:00","srcIP":"fe80::1","query":"a\u00e9\\.b.","qtype":"TYPE999","srcHost":"x","nested":{"a":[1,{"b":"}"}]}}""",
        """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","query":"a","answers":[{"type":"A","ttl":60,"data":"10.0.0.2"},{},{"type":"TXT","data":"\u0000x"}],"rcode":"NXDOMAIN"}""",
        """{"ts":"2018-09-03T09:39:47.5Z","srcIP":"10.0.0.1","destIP":"2001:db8::1","proto":"tcp","ja3":"\ud83d\ude00\ud83d","notes":["mining"],"login":{"user":"a\"b","failures":3,"successes":0},"echo":{"requests":1},"x":[[{}]]}""",
        """ { "url" : "http://u@a.b:81/c\"d" , "ts" : "2018-09-03T09:39:47Z" , "srcIP" : "10.0.0.1", "status":"200", "method":"GET" } """,
        """{"ts":"2018-09-03T09:39:47Z","srcIP":"10.0.0.1","srcPort":9,"certHash":"aa","validFrom":"0001-01-01T00:00:00Z","validTo":"9999-12-31T23:59:59Z","san":["a.b","c.d"],"ja4":"q13d0310h3_55b375c5d22e_cd85d2d88918"}""",
    ];

    public static IEnumerable<byte[]> Of(Seeds seeds)
    {
        var lines = new List<byte[]>(s_others.Select(Encoding.UTF8.GetBytes));
        var decoder = new FrameDecoder<Writer>(new DecoderOptions { MaximumFlows = 4096 }, new Writer(lines));
        long tick = 1;
        foreach ((LinkType link, byte[] bytes) in seeds.Frames)
        {
            tick += 1_000_000;
            decoder.OnFrame(new Frame(bytes, bytes.Length, tick, tick, link, 0, 0));
        }
        decoder.Drain();
        return lines;
    }

    readonly struct Writer(List<byte[]> lines) : IEventSink
    {
        readonly EventJson _json = new();

        public void OnDns(scoped in DnsEvent e)
        {
            var line = new ArrayBufferWriter<byte>();
            _json.WriteLine(e, line);
            Keep(line);
            _json.WriteUpload(e, line);
            Keep(line);
        }

        public void OnIp(scoped in IpEvent e)
        {
            var line = new ArrayBufferWriter<byte>();
            _json.WriteLine(e, line);
            Keep(line);
        }

        public void OnHttp(scoped in HttpEvent e)
        {
            var line = new ArrayBufferWriter<byte>();
            _json.WriteLine(e, line);
            Keep(line);
        }

        public void OnTls(scoped in TlsEvent e)
        {
            var line = new ArrayBufferWriter<byte>();
            _json.WriteLine(e, line);
            Keep(line);
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }

        void Keep(ArrayBufferWriter<byte> line)
        {
            lines.Add(line.WrittenSpan.ToArray());
            line.ResetWrittenCount();
        }
    }
}

/// <summary>One line, read as each of the four types. What was read is written, and reads back as the same.</summary>
sealed class LinesTarget : Target
{
    readonly EventJsonReader _reader = new();
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _first = new(1 << 16), _second = new(1 << 16);

    public override string Name => "lines";
    public override int Runs => 30_000;
    public override IReadOnlyList<byte[]> Words => LineSeeds.Words;

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => LineSeeds.Of(seeds);

    public override void Run(ReadOnlySpan<byte> input)
    {
        for (EventType type = EventType.Dns; type <= EventType.Tls; type++)
        {
            if (!Again(type, input, _first)) continue;
            if (!Again(type, _first.WrittenSpan, _second)) throw new InvalidOperationException($"{type}: what was written is no event: {Encoding.UTF8.GetString(_first.WrittenSpan)}");
            if (!_first.WrittenSpan.SequenceEqual(_second.WrittenSpan))
                throw new InvalidOperationException($"{type}: {Encoding.UTF8.GetString(_first.WrittenSpan)} came back as {Encoding.UTF8.GetString(_second.WrittenSpan)}");
        }
    }

    bool Again(EventType type, ReadOnlySpan<byte> line, ArrayBufferWriter<byte> output)
    {
        output.ResetWrittenCount();
        switch (type)
        {
            case EventType.Dns:
                if (_reader.Read(line, out DnsEvent dns) != EventLineFault.None) return false;
                _json.WriteLine(dns, output);
                return true;
            case EventType.Ip:
                if (_reader.Read(line, out IpEvent ip) != EventLineFault.None) return false;
                _json.WriteLine(ip, output);
                return true;
            case EventType.Http:
                if (_reader.Read(line, out HttpEvent http) != EventLineFault.None) return false;
                _json.WriteLine(http, output);
                return true;
            default:
                if (_reader.Read(line, out TlsEvent tls) != EventLineFault.None) return false;
                _json.WriteLine(tls, output);
                return true;
        }
    }
}

/// <summary>The first byte says the type, lines follow: read and scored by an engine's lane, whose detectors remember.</summary>
sealed class ScoredTarget : Target
{
    /// <summary>Moves with each run, so that a finding does not depend on the machine.</summary>
    sealed class Clock : TimeProvider
    {
        public long Runs { get; set; }

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 21, 0, 0, 0, TimeSpan.Zero) + TimeSpan.FromMilliseconds(10 * Runs);
    }

    readonly Clock _clock = new();
    readonly EndpointSketch _endpoints = new();
    readonly Lazy<SensorKey> _made;

    public ScoredTarget() => _made = new(() =>
    {
        var options = new HostedEngineOptions { Listen = new IPEndPoint(IPAddress.Loopback, 0), Data = "/nonexistent", Time = _clock };
        var site = new Site("site", new ScoringLane(options, 0, null));
        return new SensorKey(new KeyRow(1, [], "", "sensor", "site", [], 0, 0, true, ""), site, new SensorState(), options);
    });

    public override string Name => "scored";
    public override int Runs => 40_000;
    public override bool MayAllocate => true;
    public override IReadOnlyList<byte[]> Words => LineSeeds.Words;

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => LineSeeds.Of(seeds).Select(line =>
        (byte[])[line.AsSpan().IndexOf("\"query\""u8) > 0 ? (byte)EventType.Dns : line.AsSpan().IndexOf("\"url\""u8) > 0 ? (byte)EventType.Http : line.AsSpan().IndexOf("\"proto\""u8) > 0 ? (byte)EventType.Ip : (byte)EventType.Tls, .. line]);

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        SensorKey key = _made.Value;
        _clock.Runs++;
        using ScoringLane.Turn turn = key.Site.Lane.Enter(key.Site, key.Clocks.Of(""));
        foreach (Range line in input[1..].Split((byte)'\n')) turn.Score((EventType)(input[0] & 3), input[1..][line], _endpoints);
    }
}

/// <summary>
/// A body as the engine takes it: the first byte says how it is packed, the second how large the pieces are in which it comes. The lines are those that its bytes
/// have when they are looked at as a whole.
/// </summary>
sealed class BodyTarget : Target
{
    const int MaxLine = 64;

    public override string Name => "body";
    public override int Runs => 20_000;
    public override bool MayAllocate => true;
    public override IReadOnlyList<byte[]> Words { get; } = [[0x0A], [0x0D, 0x0A], [0x0A, 0x0A], [0x1F, 0x8B, 8], [0x78, 0x9C], [0x78, 0x01], [3, 0], [0, 0, 0, 0xFF, 0xFF], .. Enumerable.Range(63, 3).Select(n => Enumerable.Repeat((byte)'x', n).ToArray())];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        byte[] text = Encoding.UTF8.GetBytes("first\r\n\n  second \n" + new string('x', MaxLine) + "\n" + new string('y', MaxLine + 1) + "\n" + new string('z', 300) + "\nlast");
        yield return [0, 0, .. text];
        yield return [0, 7, .. text];
        yield return [1, 3, .. Packed(text, s => new GZipStream(s, CompressionLevel.Optimal)), .. Packed(text, s => new GZipStream(s, CompressionLevel.Fastest))];
        yield return [2, 1, .. Packed(text, s => new ZLibStream(s, CompressionLevel.Optimal))];
        yield return [2, 40, .. Packed(text, s => new DeflateStream(s, CompressionLevel.NoCompression))];
    }

    static byte[] Packed(byte[] text, Func<Stream, Stream> pack)
    {
        var bytes = new MemoryStream();
        using (Stream stream = pack(bytes)) stream.Write(text);
        return bytes.ToArray();
    }

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.Length < 2) return;
        string? encoding = (input[0] % 3) switch { 1 => "gzip", 2 => "deflate", _ => null };
        PipeReader body = EventIntake.Open(encoding, PipeReader.Create(new Pieces(input[2..].ToArray(), input[1] + 1), new StreamPipeReaderOptions(bufferSize: 64, minimumReadSize: 1)))!;
        var whole = new List<byte>();
        List<string> lines = [];
        var splitter = new LineSplitter(MaxLine);
        while (true)
        {
            ReadResult read;
            try
            {
                ValueTask<ReadResult> task = body.ReadAsync();
                read = task.IsCompleted ? task.Result : task.AsTask().GetAwaiter().GetResult();
            }
            catch (Exception e) when (e is InvalidDataException or IOException)
            {
                // What was not so packed after all: a refusal with a reason.
                return;
            }
            ReadOnlySequence<byte> buffer = read.Buffer;
            long before = buffer.Length;
            ReadOnlySequence<byte> seen = buffer;
            while (splitter.Next(ref buffer, read.IsCompleted, out ReadOnlySpan<byte> line, out bool tooLong)) lines.Add(tooLong ? "too long" : Encoding.Latin1.GetString(line));
            foreach (ReadOnlyMemory<byte> part in seen.Slice(0, before - buffer.Length)) whole.AddRange(part.Span);
            body.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) break;
        }
        body.Complete();
        string[] expected = [.. Encoding.Latin1.GetString([.. whole]).Split('\n').Select(l => l.Length > MaxLine ? "too long" : l.Trim(' ', '\t', '\r'))];
        // Nothing behind the last line feed is no line.
        if (whole.Count == 0 || whole[^1] == '\n') expected = expected[..^1];
        if (!lines.SequenceEqual(expected)) throw new InvalidOperationException($"{lines.Count} lines, {expected.Length} expected");
    }

    /// <summary>A stream that gives so many bytes at a time at most.</summary>
    sealed class Pieces(byte[] bytes, int size) : Stream
    {
        int _at;

        public override int Read(Span<byte> buffer)
        {
            int n = Math.Min(Math.Min(size, buffer.Length), bytes.Length - _at);
            bytes.AsSpan(_at, n).CopyTo(buffer);
            _at += n;
            return n;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override void Flush()
        {
        }
    }
}
