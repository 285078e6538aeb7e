using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Wire;

namespace Nfr.Bench;

/// <summary>
/// "stages FILE": what each stage of the way adds for a packet of a capture. Every line is a run of its own over the file with one stage more than the line before; the
/// least of several rounds taken by turns counts, so that what else the machine does falls on all.
/// </summary>
static class StageTimes
{
    const int Rounds = 7;

    static readonly (string Name, Func<string, long> Run)[] Stages =
    [
        ("read the file", ReadBytes),
        ("walk its records", path => Walk(path, new CountSink())),
        ("read headers ahead", path => Walk(path, new AheadSink(new FrameDecoder<NullSink>(new DecoderOptions(), default)))),
        ("decode to events", path => Decode(path, new NullSink())),
        ("events to the ring and back", path => Ring(path, new Forget())),
        ("events as JSON", path => Ring(path, new AsJson(new EventJson(), new ArrayBufferWriter<byte>(1 << 16)))),
    ];

    public static int Run(string[] args)
    {
        if (args is not [var file])
        {
            Console.Error.WriteLine("stages: names one pcap file, as made by: generate --out FILE");
            return 2;
        }
        var best = new double[Stages.Length];
        Array.Fill(best, double.MaxValue);
        long packets = 0;
        for (int round = 0; round <= Rounds; round++)
        {
            for (int s = 0; s < Stages.Length; s++)
            {
                long from = Stopwatch.GetTimestamp();
                long counted = Stages[s].Run(file);
                double took = Stopwatch.GetElapsedTime(from).TotalNanoseconds;
                if (s == 1) packets = counted;
                // The first round compiles and fills the page cache.
                if (round > 0) best[s] = Math.Min(best[s], took);
            }
        }
        if (packets == 0)
        {
            Console.Error.WriteLine($"stages: {file} holds no packets");
            return 1;
        }
        Console.WriteLine("stage                       | ns a packet | this stage | share");
        for (int s = 0; s < Stages.Length; s++)
        {
            double own = s == 0 ? best[s] : best[s] - best[s - 1];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stages[s].Name,-27} | {best[s] / packets,11:F1} | {own / packets,10:F1} | {own / best[^1],5:P0}"));
        }
        return 0;
    }

    static long ReadBytes(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan);
        byte[] buffer = new byte[1 << 17];
        long bytes = 0;
        for (int n; (n = file.Read(buffer)) > 0;) bytes += n;
        return bytes;
    }

    static long Walk<TSink>(string path, TSink sink)
        where TSink : struct, IFrameSink
    {
        using CaptureFile capture = CaptureFile.Open(path, out string? error) ?? throw new IOException(error);
        while (capture.Read(ref sink))
        {
        }
        return capture.Frames;
    }

    static long Decode<TSink>(string path, TSink events)
        where TSink : struct, IEventSink
    {
        var decoder = new FrameDecoder<TSink>(new DecoderOptions(), events);
        return Walk(path, new DecoderInlet<TSink>(decoder));
    }

    static long Ring<TTaker>(string path, TTaker taker)
        where TTaker : struct, IEventSink
    {
        var ring = new EventRing();
        var decoder = new FrameDecoder<RingSink>(new DecoderOptions(), new RingSink(ring, new long[EventTypes.Count], RingPatience.Endless));
        using CaptureFile capture = CaptureFile.Open(path, out string? error) ?? throw new IOException(error);
        var sink = new DecoderInlet<RingSink>(decoder);
        while (capture.Read(ref sink)) ring.Read(ref taker, int.MaxValue);
        // Flows that are open at the end are left: all at once they may be more than the ring holds.
        return capture.Frames;
    }

    struct CountSink : IFrameSink
    {
        long _bytes;

        public void OnFrame(scoped in Frame frame) => _bytes += frame.Bytes.Length;

        public readonly void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }
    }

    readonly struct AheadSink(FrameDecoder<NullSink> decoder) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame)
        {
        }

        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
    }

    readonly struct Forget : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnIp(scoped in IpEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }

    readonly struct AsJson(EventJson json, ArrayBufferWriter<byte> line) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }

        public void OnIp(scoped in IpEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }

        public void OnHttp(scoped in HttpEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }

        public void OnTls(scoped in TlsEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }

        public void OnHost(scoped in HostEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
            line.ResetWrittenCount();
            json.WriteLine(e, line);
        }
    }
}
