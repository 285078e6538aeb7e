using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Tests.Events;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>Frames or a capture put through the decode loop, and its events scored: what a whole sensor finds in them, with its own latencies.</summary>
sealed class ScoredTraffic : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-scored").FullName;
    readonly FrameDecoder<Sink> _decoder;

    /// <param name="isHome">null = the private networks.</param>
    public ScoredTraffic(Detectors enabled = Detectors.All, Func<Address, bool>? isHome = null, Thresholds? thresholds = null)
    {
        isHome ??= IsPrivate;
        Scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = [_folder], FeedsPollInterval = TimeSpan.Zero, Enabled = enabled, Thresholds = thresholds ?? new Thresholds(), IsHome = isHome, Lines = new ShortLines(),
        });
        _decoder = new FrameDecoder<Sink>(new DecoderOptions { MaximumFlows = 32_768, IsHome = isHome }, new Sink(this));
    }

    public Scorer Scorer { get; }
    public List<Alert> Alerts { get; } = [];
    public IEnumerable<string> ThreatIds => Alerts.Select(a => a.Threats[0].Id);
    public int Events { get; private set; }

    /// <summary>The clock of frames that tests make; every frame moves it by a millisecond.</summary>
    public long Tick { get; private set; } = 1_000_000_000;

    public static bool IsPrivate(Address a) => a.IsV4 ? a.V4 >> 24 == 10 || a.V4 >> 20 == 0xAC1 || a.V4 >> 16 == 0xC0A8 : a.High >> 57 == 0x7E || a.High >> 54 == 0x3FA;

    public void Ip(byte[] packet, double afterSeconds = 0.001)
    {
        Wait(afterSeconds);
        _decoder.OnFrame(new Frame(Frames.Ethernet(packet), packet.Length + 14, 1_790_000_000_000_000_000 + Tick, Tick, LinkType.Ethernet, 0, 0));
    }

    /// <summary>Lets time pass, as a quiet line does.</summary>
    public void Wait(double seconds)
    {
        long until = Tick + (long)(seconds * 1e9);
        for (; until - Tick > 1_000_000_000; _decoder.Advance(Tick)) Tick += 1_000_000_000;
        Tick = until;
        _decoder.Advance(Tick);
    }

    public void Drain()
    {
        _decoder.Drain();
        Scorer.Finish(Alerts);
    }

    /// <summary>A capture to its end.</summary>
    public ScoredTraffic Capture(string path)
    {
        using CaptureFile? capture = CaptureFile.Open(path, out string? error);
        Assert.True(capture is not null, $"{path}: {error}");
        var feed = new Feed(_decoder);
        while (capture.Read(ref feed))
        {
        }
        Drain();
        return this;
    }

    public void Dispose()
    {
        Scorer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    readonly struct Feed(FrameDecoder<Sink> decoder) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => decoder.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => decoder.OnAhead(bytes, linkType, place);
    }

    readonly struct Sink(ScoredTraffic run) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));
        public void OnIp(scoped in IpEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));
        public void OnHttp(scoped in HttpEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));
        public void OnTls(scoped in TlsEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));
        public void OnAnomaly(scoped in AnomalyEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));

        public void OnHost(scoped in HostEvent e)
        {
        }
    }

    void Took(int score)
    {
        Assert.InRange(score, 0, 5);
        Events++;
    }
}
