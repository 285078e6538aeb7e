using Nfr.Events;
using Nfr.Pipeline;
using Nfr.Scoring;

namespace Nfr.Engine;

/// <summary>One scorer, the same as on board, which sites take turns with. Who has the lane has its lock; a turn is a buffer's lines, about a millisecond.</summary>
sealed class ScoringLane : IDisposable
{
    /// <summary>As much as the engine's clock may be put back and nobody's stands still for long.</summary>
    const long MaxAhead = 60L * 1_000_000_000;

    readonly Lock _turn = new();
    readonly List<Alert> _raised = [];
    readonly TimeProvider _time;
    readonly EventJsonReader _reader = new();
    readonly long _started;
    Site? _site;
    SensorClock? _clock;
    long _now, _oldStamps, _futureStamps, _putBack;

    /// <param name="options">Of the engine.</param>
    /// <param name="number">Which of <see cref="HostedEngineOptions.Scorers"/> it is, from 0.</param>
    /// <param name="sharedWith">The first lane's scorer, whose lists all use; null = this is the first.</param>
    public ScoringLane(HostedEngineOptions options, int number, Scorer? sharedWith)
    {
        _time = options.Time;
        _started = _time.GetTimestamp();
        Scorer = new Scorer(new ScorerOptions
        {
            FeedsFolders = options.FeedCache is { } cache ? [.. options.FeedsFolders, cache] : options.FeedsFolders,
            Lists = SensorParts.ListsOf(options.Feeds, options.FeedCache),
            // Sites are spread by the number of scorers: with another number this one's sites are others.
            FirstSeenFile = Path.Combine(options.Data, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"first-seen-{number + 1}-of-{options.Scorers}.bin")),
            SharedWith = sharedWith,
            // A network here is a whole site, of many sensors perhaps.
            Thresholds = new Thresholds { AlertStock = 1000, AlertRefill = 1_000_000_000, BadTcpPorts = options.BadTcpPorts, BadUdpPorts = options.BadUdpPorts },
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

    /// <summary>Events whose stamps <see cref="SensorClock"/> could not use; any thread.</summary>
    public (long Old, long Future) MovedStamps
    {
        get
        {
            lock (_turn) return (_oldStamps, _futureStamps);
        }
    }

    /// <summary>How often a site's clock was ahead of the engine's and put back; any thread.</summary>
    public long ClocksPutBack
    {
        get
        {
            lock (_turn) return _putBack;
        }
    }

    /// <summary>Begins a turn for a sensor of a site; disposing ends it.</summary>
    public Turn Enter(Site site, SensorClock clock)
    {
        _turn.Enter();
        _site = site;
        _clock = clock;
        _now = (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100;
        _raised.Clear();
        // No stamp brings a site there: the engine's own clock was ahead, and without this the site's would stand still until it is there again.
        if (site.Partition.Now > _now + MaxAhead)
        {
            site.Partition.PutBack(_now);
            _putBack++;
        }
        // How many alerts may be raised hangs on no sensor's stamps.
        Scorer.Enter(site.Partition, _time.GetElapsedTime(_started).Ticks * 100);
        return new Turn(this, site);
    }

    void Leave(Site site)
    {
        Scorer.Leave(site.Partition);
        _site = null;
        _clock = null;
        _turn.Exit();
    }

    long TickOf(long timestamp)
    {
        long tick = _clock!.TickOf(timestamp, _now, out int moved);
        if (moved < 0) _oldStamps++;
        else if (moved > 0) _futureStamps++;
        return tick;
    }

    /// <summary>Who the source of the event at hand was, by its sensor, goes into the alerts that it raised.</summary>
    void Name(int before, in EventContext context)
    {
        for (int i = before; i < _raised.Count; i++) _raised[i] = AlertEvents.WithSource(_raised[i], in context.Source, _reader);
    }

    /// <summary>A time with the lane.</summary>
    public readonly ref struct Turn(ScoringLane lane, Site site)
    {
        /// <summary>Alerts of this turn.</summary>
        public List<Alert> Raised => lane._raised;

        /// <summary>Reads a line and scores its event.</summary>
        public EventLineFault Score(EventType type, ReadOnlySpan<byte> line, EndpointSketch endpoints)
        {
            EventLineFault fault;
            int before = lane._raised.Count;
            switch (type)
            {
                case EventType.Dns:
                    fault = lane._reader.Read(line, out DnsEvent dns);
                    if (fault != EventLineFault.None) return fault;
                    dns.Context.Tick = lane.TickOf(dns.Context.Timestamp);
                    endpoints.Add(dns.Context.Source);
                    lane.Scorer.Score(in dns, lane._raised);
                    lane.Name(before, in dns.Context);
                    return fault;
                case EventType.Ip:
                    fault = lane._reader.Read(line, out IpEvent ip);
                    if (fault != EventLineFault.None) return fault;
                    ip.Context.Tick = lane.TickOf(ip.Context.Timestamp);
                    ip.Duration = Math.Min(ip.Duration, lane._now - ip.Context.Tick);
                    endpoints.Add(ip.Context.Source);
                    lane.Scorer.Score(in ip, lane._raised);
                    lane.Name(before, in ip.Context);
                    return fault;
                case EventType.Http:
                    fault = lane._reader.Read(line, out HttpEvent http);
                    if (fault != EventLineFault.None) return fault;
                    http.Context.Tick = lane.TickOf(http.Context.Timestamp);
                    endpoints.Add(http.Context.Source);
                    lane.Scorer.Score(in http, lane._raised);
                    lane.Name(before, in http.Context);
                    return fault;
                default:
                    fault = lane._reader.Read(line, out TlsEvent tls);
                    if (fault != EventLineFault.None) return fault;
                    tls.Context.Tick = lane.TickOf(tls.Context.Timestamp);
                    endpoints.Add(tls.Context.Source);
                    lane.Scorer.Score(in tls, lane._raised);
                    lane.Name(before, in tls.Context);
                    return fault;
            }
        }

        public void Dispose() => lane.Leave(site);
    }

    public void Dispose() => Scorer.Dispose();
}
