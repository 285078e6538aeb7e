using System.Globalization;
using System.Runtime.InteropServices;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Tests.Capture;
using Nfr.Wire;
using Xunit.Abstractions;

namespace Nfr.Tests.Events;

/// <summary>
/// Captures made to hurt (fuzzers' seeds, evasions, malware) through reader, decoder and event ring: no exception, at most 10 ms of processor for each 64 KB, and
/// nothing that stays.
/// </summary>
[Collection(AloneCollection.Name)]
public sealed class HostileCaptureTests(ITestOutputHelper output)
{
    const double MostMilliseconds = 10;
    const double Piece = 64 * 1024;

    /// <summary>Folders of the corpus; its README says what each holds.</summary>
    static readonly string[] s_hostile = ["8-fuzz-seeds", "6-malware-tunnels", "2-suricata-verify", "3-zeek-btest", "4-ndpi", "1b-arkime-ipfixprobe"];

    /// <summary>What this thread has used of a processor: a busy machine does not count.</summary>
    static double ThreadMilliseconds()
    {
        // CLOCK_THREAD_CPUTIME_ID.
        Assert.Equal(0, clock_gettime(3, out TimeSpec time));
        return (time.Seconds * 1e3) + (time.Nanoseconds / 1e6);
    }

    [DllImport("libc", SetLastError = true)]
    static extern int clock_gettime(int clock, out TimeSpec time);

    struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    sealed class Bed
    {
        readonly EventRing _ring = new();
        readonly long[] _dropped = new long[EventTypes.Count];
        Taken _taken;

        public Bed() => Decoder = new FrameDecoder<RingSink>(new DecoderOptions { MaximumFlows = 16_384 }, new RingSink(_ring, _dropped, RingPatience.Endless));

        public FrameDecoder<RingSink> Decoder { get; }

        /// <summary>One capture to its end, flows exported; gives its bytes, 0 when it is none at all.</summary>
        public long Replay(string path, out double milliseconds)
        {
            milliseconds = 0;
            using CaptureFile? capture = CaptureFile.Open(path, out _);
            if (capture is null) return 0;
            var inlet = new DecoderInlet<RingSink>(Decoder);
            double start = ThreadMilliseconds();
            while (capture.Read(ref inlet)) Empty();
            Decoder.Drain();
            Empty();
            milliseconds = ThreadMilliseconds() - start;
            return new FileInfo(path).Length;
        }

        public void Empty()
        {
            if (_ring.Waiting > 0) _ring.Read(ref _taken, int.MaxValue);
        }
    }

    struct Taken : IEventSink
    {
        public long Events;

        public void OnDns(scoped in DnsEvent e) => Events++;
        public void OnIp(scoped in IpEvent e) => Events++;
        public void OnHttp(scoped in HttpEvent e) => Events++;
        public void OnTls(scoped in TlsEvent e) => Events++;
        public void OnHost(scoped in HostEvent e) => Events++;
        public void OnAnomaly(scoped in AnomalyEvent e) => Events++;
    }

    /// <summary>Changes frames on their way: bytes, and where they end.</summary>
    readonly struct Mutating(FrameDecoder<RingSink> decoder, Random random, byte[] copy) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame)
        {
            if (frame.Bytes.Length > copy.Length) return;
            Span<byte> bytes = copy.AsSpan(0, frame.Bytes.Length);
            frame.Bytes.CopyTo(bytes);
            for (int i = random.Next(3); i > 0 && bytes.Length > 0; i--) bytes[random.Next(Math.Min(bytes.Length, 200))] = (byte)(random.Next(3) switch { 0 => 0, 1 => 0xFF, _ => random.Next(256) });
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length + 1)];
            decoder.OnFrame(new Frame(bytes, bytes.Length, frame.Timestamp, frame.Tick, frame.LinkType, frame.VlanTpid, frame.VlanTci));
        }

        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place)
        {
        }
    }

    [CorpusFact]
    public void Harmed_frames_of_all_kinds_meet_nearly_every_fault_and_are_accounted_for()
    {
        var bed = new Bed();
        var random = new Random(5);
        byte[] copy = new byte[CaptureFile.MaximumFrameLength];
        foreach (string path in s_hostile.SelectMany(f => Directory.EnumerateFiles(Path.Combine(CorpusCaptures.Folder!, f), "*", SearchOption.AllDirectories)).Order(StringComparer.Ordinal))
        {
            for (int round = 0; round < 4; round++)
            {
                using CaptureFile? capture = CaptureFile.Open(path, out _);
                if (capture is null) break;
                var sink = new Mutating(bed.Decoder, random, copy);
                while (capture.Read(ref sink)) bed.Empty();
                bed.Decoder.Drain();
                bed.Empty();
                Assert.Equal((0, 0, 0, 0), (bed.Decoder.ActiveFlows, bed.Decoder.BuffersInUse, bed.Decoder.ConversationsInUse, bed.Decoder.DetailsInUse));
            }
        }
        DecodeCounters counters = bed.Decoder.Counters;
        Assert.True(counters.Closes);
        DecodeFault[] never = [.. Enum.GetValues<DecodeFault>().Where(f => f is > DecodeFault.None and < DecodeFault.Count && counters.Faults[(int)f] == 0)];
        output.WriteLine($"{counters.Frames} frames; never met: {string.Join(", ", never)}");
        // What chance alone does not build; each has a test of its own on the decoder.
        Assert.Empty(never.Except(
        [
            DecodeFault.VlanTooDeep, DecodeFault.EncapsulationTooDeep, DecodeFault.MplsTooDeep, DecodeFault.NshTooShort, DecodeFault.IPv6ExtensionsTooMany, DecodeFault.DatagramInvalid, DecodeFault.TunnelTooDeep,
            DecodeFault.StreamBuffersExhausted, DecodeFault.FragmentTableFull, DecodeFault.HttpHeadTooLong, DecodeFault.HttpChunkInvalid, DecodeFault.SshIdentificationTooLong,
            DecodeFault.DhcpV6RelayedTooOften,
        ]));
    }

    [CorpusFact]
    public void Each_takes_ten_milliseconds_a_64_KB_at_most_and_leaves_nothing_behind()
    {
        string[] paths =
        [
            .. s_hostile.Select(f => Path.Combine(CorpusCaptures.Folder!, f)).Where(Directory.Exists)
                .SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories)).Where(p => Path.GetExtension(p) is ".pcap" or ".pcapng" or ".cap").Order(StringComparer.Ordinal),
        ];
        var bed = new Bed();
        // The first time code is compiled and pages are touched.
        long bytes = paths.Sum(p => bed.Replay(p, out _));
        long heap = GC.GetTotalMemory(forceFullCollection: true);
        List<(double PerPiece, string Name)> times = [];
        double all = 0;
        foreach (string path in paths)
        {
            // Of three: what the machine does with its caches meanwhile is not the capture's doing.
            double best = double.MaxValue;
            long length = 0;
            for (int round = 0; round < 3; round++)
            {
                length = bed.Replay(path, out double milliseconds);
                best = Math.Min(best, milliseconds);
            }
            all += best;
            times.Add((best / Math.Max(1, length / Piece), Path.GetRelativePath(CorpusCaptures.Folder!, path)));
            // A capture's last byte leaves nothing in hand.
            Assert.Equal((0, 0, 0, 0), (bed.Decoder.ActiveFlows, bed.Decoder.BuffersInUse, bed.Decoder.ConversationsInUse, bed.Decoder.DetailsInUse));
        }
        long grown = GC.GetTotalMemory(forceFullCollection: true) - heap;
        DecodeCounters counters = bed.Decoder.Counters;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{times.Count} captures of {bytes / 1e6:0.0} MB: {all / (bytes / Piece):0.000} ms for each 64 KB on the whole; the heap grew by {grown:N0} bytes over {3 * times.Count} replays"));
        foreach ((double perPiece, string name) in times.OrderByDescending(t => t.PerPiece).Take(10)) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{perPiece,9:0.000} ms a 64 KB  {name}"));
        output.WriteLine($"faults met: {string.Join(", ", Enum.GetValues<DecodeFault>().Where(f => f < DecodeFault.Count && counters.Faults[(int)f] > 0))}");
        output.WriteLine($"never met: {string.Join(", ", Enum.GetValues<DecodeFault>().Where(f => f is > DecodeFault.None and < DecodeFault.Count && counters.Faults[(int)f] == 0))}");
        Assert.True(counters.Closes);
        Assert.NotEmpty(times);
        Assert.True(times.Max().PerPiece <= MostMilliseconds, $"{times.Max()}");
        // The list of times is ours.
        Assert.InRange(grown, long.MinValue, 1 << 20);
    }
}
