using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Scoring;

namespace Nfr.Engine;

/// <summary>One scorer, the same as on board, which sites take turns with. Who has the lane has its lock; a turn is a buffer's lines, about a millisecond.</summary>
sealed class ScoringLane : IDisposable
{
    /// <summary>A stamp this far behind the latest one of its site counts as this far: detectors need not look further back.</summary>
    const long MaxLag = 86_400L * 1_000_000_000;

    readonly Lock _turn = new();
    readonly List<Alert> _raised = [];
    readonly TimeProvider _time;
    readonly EventJsonReader _reader = new();
    Site? _site;
    long _now;

    public ScoringLane(HostedEngineOptions options, Scorer? sharedWith)
    {
        _time = options.Time;
        Scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = options.FeedsFolders,
            SharedWith = sharedWith,
            // A network here is a whole site, of many sensors perhaps.
            Thresholds = new Thresholds { AlertStock = 1000, AlertRefill = 1_000_000_000 },
            IsHome = address => _site!.IsHome(address),
            Lines = new SampleLines(),
            Time = options.Time,
        });
    }

    public Scorer Scorer { get; }

    /// <summary>The counters as they were after the last turn; any thread.</summary>
    public ScorerStats Stats
    {
        get
        {
            lock (_turn) return Scorer.Stats;
        }
    }

    /// <summary>Begins a turn for a site; disposing ends it.</summary>
    public Turn Enter(Site site)
    {
        _turn.Enter();
        _site = site;
        _now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        _raised.Clear();
        Scorer.Enter(site.Partition);
        return new Turn(this, site);
    }

    void Leave(Site site)
    {
        Scorer.Leave(site.Partition);
        _site = null;
        _turn.Exit();
    }

    /// <summary>
    /// A sensor's stamp as the clock of its site's detectors. What is uploaded late keeps its intervals; a stamp of the future would make the
    /// site's clock stand still until then, so it counts as now.
    /// </summary>
    long TickOf(long timestamp) => Math.Min(Math.Max(timestamp, _site!.Partition.Now - MaxLag), _now);

    /// <summary>A time with the lane.</summary>
    public readonly ref struct Turn(ScoringLane lane, Site site)
    {
        /// <summary>Alerts of this turn.</summary>
        public List<Alert> Raised => lane._raised;

        /// <summary>Reads a line and scores its event.</summary>
        public EventLineFault Score(EventType type, ReadOnlySpan<byte> line, EndpointSketch endpoints)
        {
            EventLineFault fault;
            switch (type)
            {
                case EventType.Dns:
                    fault = lane._reader.Read(line, out DnsEvent dns);
                    if (fault != EventLineFault.None) return fault;
                    dns.Context.Tick = lane.TickOf(dns.Context.Timestamp);
                    endpoints.Add(dns.Context.Source);
                    lane.Scorer.Score(in dns, lane._raised);
                    return fault;
                case EventType.Ip:
                    fault = lane._reader.Read(line, out IpEvent ip);
                    if (fault != EventLineFault.None) return fault;
                    ip.Context.Tick = lane.TickOf(ip.Context.Timestamp);
                    ip.Duration = Math.Min(ip.Duration, lane._now - ip.Context.Tick);
                    endpoints.Add(ip.Context.Source);
                    lane.Scorer.Score(in ip, lane._raised);
                    return fault;
                case EventType.Http:
                    fault = lane._reader.Read(line, out HttpEvent http);
                    if (fault != EventLineFault.None) return fault;
                    http.Context.Tick = lane.TickOf(http.Context.Timestamp);
                    endpoints.Add(http.Context.Source);
                    lane.Scorer.Score(in http, lane._raised);
                    return fault;
                default:
                    fault = lane._reader.Read(line, out TlsEvent tls);
                    if (fault != EventLineFault.None) return fault;
                    tls.Context.Tick = lane.TickOf(tls.Context.Timestamp);
                    endpoints.Add(tls.Context.Source);
                    lane.Scorer.Score(in tls, lane._raised);
                    return fault;
            }
        }

        public void Dispose() => lane.Leave(site);
    }

    public void Dispose() => Scorer.Dispose();
}
