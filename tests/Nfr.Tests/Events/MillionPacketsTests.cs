using System.Globalization;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>
/// Promise 8 on real traffic: a million packets of every protocol in the captures of others (and of our own, where those are absent) go from frame to event ring,
/// and after one pass over all of them, which sets up what is set up once, the capture thread has allocated nothing.
/// </summary>
public sealed class MillionPacketsTests(ITestOutputHelper output)
{
    const int Packets = 1_000_000;

    /// <summary>Frames held in memory; the captures beyond are left out.</summary>
    const long MaximumBytes = 400L << 20;

    [Fact]
    public void A_million_packets_of_every_protocol_allocate_nothing()
    {
        var frames = new Kept();
        foreach (string path in Captures())
        {
            using CaptureFile? capture = CaptureFile.Open(path, out _);
            if (capture is null) continue;
            var sink = new Keep(frames);
            while (frames.Bytes < MaximumBytes && capture.Read(ref sink))
            {
            }
        }
        var ring = new EventRing();
        long[] dropped = new long[EventTypes.Count];
        var decoder = new FrameDecoder<RingSink>(new DecoderOptions { MaximumFlows = 16_384 }, new RingSink(ring, dropped, RingPatience.Endless));
        var taken = new Count(new long[EventTypes.Count]);
        long tick = 1;
        // Twice: what the second pass meets that the first did not is the state that the first one left.
        Pass(frames, decoder, ring, ref taken, ref tick);
        Pass(frames, decoder, ring, ref taken, ref tick);
        long warm = 0;
        long allocated = Allocation.Least(() =>
        {
            warm = decoder.Counters.Frames;
            while (decoder.Counters.Frames - warm < Packets) Pass(frames, decoder, ring, ref taken, ref tick);
        });
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{frames.Count:N0} frames of {frames.Captures:N0} captures, {decoder.Counters.Frames - warm:N0} packets counted"));
        foreach (EventType type in EventTypes.All) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{taken.Events[(int)type],12:N0} {type.Name()}"));
        Assert.Equal(0, allocated);
        Assert.True(decoder.Counters.Closes);
        Assert.All(dropped, n => Assert.Equal(0, n));
    }

    static void Pass(Kept frames, FrameDecoder<RingSink> decoder, EventRing ring, ref Count taken, ref long tick)
    {
        for (int i = 0; i < frames.Count; i++)
        {
            // A packet every 20 µs: flows of a pass time out in the passes after it.
            tick += 20_000;
            frames.LookAhead(decoder, i == 0 ? 0 : i + Kept.Lead - 1, i + Kept.Lead);
            decoder.OnFrame(frames.At(i, tick));
            if (ring.Waiting > ring.Capacity / 2) ring.Read(ref taken, int.MaxValue);
        }
        ring.Read(ref taken, int.MaxValue);
    }

    static IEnumerable<string> Captures()
    {
        string own = Path.Combine(Path.GetDirectoryName(global::Nfr.Tests.Nfr.ConfigTests.Shipped("config.yml"))!, "tests", "captures");
        string[] folders = Corpus.TryFind("", out string corpus) ? [own, corpus] : [own];
        return folders.SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))
            .Where(f => Path.GetExtension(f) is ".pcap" or ".pcapng" or ".cap").Order(StringComparer.Ordinal);
    }

    sealed class Kept
    {
        readonly List<(byte[] Bytes, int OriginalLength, LinkType Link)> _frames = [];

        public long Bytes { get; private set; }
        public int Captures { get; set; }
        public int Count => _frames.Count;

        public void Add(scoped in Frame frame)
        {
            _frames.Add((frame.Bytes.ToArray(), frame.OriginalLength, frame.LinkType));
            Bytes += frame.Bytes.Length;
        }

        /// <summary>As the readers of files and rings do.</summary>
        public const int Lead = 16;

        public void LookAhead(FrameDecoder<RingSink> decoder, int from, int to)
        {
            for (int i = from; i < Math.Min(to, Count); i++) decoder.OnAhead(_frames[i].Bytes, _frames[i].Link, i % IFrameSink.AheadPlaces);
        }

        public Frame At(int index, long tick)
        {
            (byte[] bytes, int originalLength, LinkType link) = _frames[index];
            return new Frame(bytes, originalLength, tick, tick, link, ahead: (index % IFrameSink.AheadPlaces) + 1);
        }
    }

    readonly struct Keep : IFrameSink
    {
        readonly Kept _kept;

        public Keep(Kept kept)
        {
            _kept = kept;
            kept.Captures++;
        }

        public void OnFrame(scoped in Frame frame) => _kept.Add(frame);
    }

    readonly struct Count(long[] events) : IEventSink
    {
        public long[] Events => events;

        public void OnDns(scoped in DnsEvent e) => events[(int)EventType.Dns]++;
        public void OnIp(scoped in IpEvent e) => events[(int)EventType.Ip]++;
        public void OnHttp(scoped in HttpEvent e) => events[(int)EventType.Http]++;
        public void OnTls(scoped in TlsEvent e) => events[(int)EventType.Tls]++;
        public void OnHost(scoped in HostEvent e) => events[(int)EventType.Host]++;
        public void OnAnomaly(scoped in AnomalyEvent e) => events[(int)EventType.Anomaly]++;
    }
}
