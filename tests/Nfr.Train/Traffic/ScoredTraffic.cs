using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Wire;

namespace Nfr.Train.Traffic;

/// <summary>Frames or a capture put through the decode loop, and its events scored: what a whole sensor finds in them, with its own latencies.</summary>
sealed class ScoredTraffic : IPacketBed, IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-scored").FullName;
    readonly FrameDecoder<Sink> _decoder;
    readonly Func<Address, bool> _isHome;

    /// <param name="enabled">The detectors that look.</param>
    /// <param name="isHome">null = the private networks.</param>
    /// <param name="thresholds">null = those that ship.</param>
    /// <param name="sharedWith">Whose indicator lists it uses; null = none.</param>
    public ScoredTraffic(Detectors enabled = Detectors.All, Func<Address, bool>? isHome = null, Thresholds? thresholds = null, Scorer? sharedWith = null)
    {
        _isHome = isHome ??= IsPrivate;
        Scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = [_folder], SharedWith = sharedWith, FeedsPollInterval = TimeSpan.Zero, Enabled = enabled, Thresholds = thresholds ?? new Thresholds(), IsHome = isHome, Lines = new ShortLines(),
        });
        _decoder = new FrameDecoder<Sink>(new DecoderOptions { MaximumFlows = 32_768, IsHome = isHome }, new Sink(this));
    }

    public Scorer Scorer { get; }
    public List<Alert> Alerts { get; } = [];
    /// <summary>Told each TLS event: client, its port, JA3, JA4.</summary>
    public Action<string, ushort, string, string>? Hello { get; init; }
    public IEnumerable<string> ThreatIds => Alerts.Select(a => a.Threats[0].Id);
    public int Events { get; private set; }
    /// <summary>Who opened the first flow that ended, and whether any flow had an end at home.</summary>
    public Address FirstClient { get; private set; }
    public bool HasFlows { get; private set; }
    public bool SawHome { get; private set; }
    public DecodeCounters Counters => _decoder.Counters;

    /// <summary>The clock of frames that tests make; every frame moves it by a millisecond.</summary>
    public long Tick { get; private set; } = 1_000_000_000;

    public static bool IsPrivate(Address a) => a.IsV4 ? a.V4 >> 24 == 10 || a.V4 >> 20 == 0xAC1 || a.V4 >> 16 == 0xC0A8 : a.High >> 57 == 0x7E || a.High >> 54 == 0x3FA;

    void IPacketBed.Ip(byte[] packet) => Ip(packet);

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

    /// <summary>A capture to its end, by all detectors; where it has no private address, whoever opened its first flow is at home.</summary>
    public static ScoredTraffic OfAny(string path, Scorer? sharedWith = null)
    {
        var run = new ScoredTraffic(isHome: IsInside, sharedWith: sharedWith).Capture(path);
        if (run.SawHome || !run.HasFlows) return run;
        Address client = run.FirstClient;
        run.Dispose();
        return new ScoredTraffic(isHome: a => a == client, sharedWith: sharedWith).Capture(path);

        static bool IsInside(Address a) => IsPrivate(a) || SpecialAddresses.IsLinkLocal(a) || SpecialAddresses.IsLoopback(a);
    }

    /// <summary>A capture to its end.</summary>
    public ScoredTraffic Capture(string path)
    {
        using CaptureFile capture = CaptureFile.Open(path, out string? error) ?? throw new InvalidDataException($"{path}: {error}");
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

        public void OnIp(scoped in IpEvent e)
        {
            if (!run.HasFlows) (run.HasFlows, run.FirstClient) = (true, e.Context.Source);
            run.SawHome |= run._isHome(e.Context.Source) || run._isHome(e.Context.Destination);
            run.Took(run.Scorer.Score(in e, run.Alerts));
        }

        public void OnHttp(scoped in HttpEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));

        public void OnTls(scoped in TlsEvent e)
        {
            run.Hello?.Invoke(e.Context.Source.ToString(), e.Context.SourcePort, Encoding.ASCII.GetString(e.Ja3), Encoding.ASCII.GetString(e.Ja4));
            run.Took(run.Scorer.Score(in e, run.Alerts));
        }

        public void OnAnomaly(scoped in AnomalyEvent e) => run.Took(run.Scorer.Score(in e, run.Alerts));

        public void OnHost(scoped in HostEvent e)
        {
        }
    }

    void Took(int score)
    {
        if (score is < 0 or > 5) throw new InvalidOperationException($"an event was scored {score}");
        Events++;
    }
}
