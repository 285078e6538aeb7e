using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Tests.Scoring;

/// <summary>A decoder whose events are scored, fed with a capture's frames or with those of a test.</summary>
sealed class ScoredCapture : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-scored").FullName;
    readonly FrameDecoder<Sink> _decoder;
    readonly List<(long Tick, Alert Alert)> _alerts = [];

    public ScoredCapture(Detectors enabled = Detectors.All, Func<Address, bool>? isHome = null, string? suffixes = null)
    {
        isHome ??= static a => a.IsV4 ? a.V4 >> 24 is 10 or 172 || a.V4 >> 16 == 0xC0A8 : a.High >> 56 == 0xFD;
        var options = new ScorerOptions { FeedsFolders = [_folder], FeedsPollInterval = TimeSpan.Zero, Enabled = enabled, IsHome = isHome, Lines = new ShortLines() };
        Scorer = new Scorer(suffixes is null ? options : options with { PublicSuffixFile = suffixes });
        _decoder = new FrameDecoder<Sink>(new DecoderOptions { MaximumFlows = 32_768, IsHome = isHome }, new Sink(this));
    }

    public Scorer Scorer { get; }
    public DecodeCounters Counters => _decoder.Counters;
    public long Frames { get; private set; }
    /// <summary>Tick of the last frame, and of the first.</summary>
    public long Tick { get; private set; }
    public long FirstTick { get; private set; }
    public long DnsEvents { get; private set; }
    public HashSet<string> Clients { get; } = [];

    /// <summary>Each with the tick of the frame at which it came.</summary>
    public IReadOnlyList<(long Tick, Alert Alert)> Alerts => _alerts;

    public static ScoredCapture Of(string path, Detectors enabled = Detectors.All)
    {
        var scored = new ScoredCapture(enabled);
        using CaptureFile? capture = CaptureFile.Open(path, out string? error);
        Assert.True(capture is not null, error);
        var feed = new Feed(scored);
        while (capture.Read(ref feed))
        {
        }
        scored._decoder.Drain();
        var late = new List<Alert>();
        scored.Scorer.Finish(late);
        foreach (Alert alert in late) scored._alerts.Add((scored.Tick, alert));
        Assert.True(scored._decoder.Counters.Closes);
        return scored;
    }

    public void OnFrame(scoped in Frame frame)
    {
        if (Frames++ == 0) FirstTick = frame.Tick;
        Tick = Math.Max(Tick, frame.Tick);
        _decoder.OnFrame(frame);
    }

    public void Advance(long tick) => _decoder.Advance(tick);

    public void Dispose()
    {
        Scorer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    readonly struct Feed(ScoredCapture to) : IFrameSink
    {
        public void OnFrame(scoped in Frame frame) => to.OnFrame(frame);
        public void OnAhead(scoped ReadOnlySpan<byte> bytes, LinkType linkType, int place) => to._decoder.OnAhead(bytes, linkType, place);
    }

    readonly struct Sink(ScoredCapture to) : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
            to.DnsEvents++;
            to.Clients.Add(e.Context.Source.ToString());
            var raised = new List<Alert>();
            to.Scorer.Score(in e, raised);
            Keep(raised);
        }

        public void OnIp(scoped in IpEvent e)
        {
            to.Clients.Add(e.Context.Source.ToString());
            var raised = new List<Alert>();
            to.Scorer.Score(in e, raised);
            Keep(raised);
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

        void Keep(List<Alert> raised)
        {
            foreach (Alert alert in raised) to._alerts.Add((to.Tick, alert));
        }
    }
}
