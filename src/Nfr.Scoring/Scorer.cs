using Nfr.Events;
using Nfr.Scoring.Beacons;
using Nfr.Scoring.Detection;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Names;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring;

/// <summary>What the scorer's tables hold, for metrics; a snapshot taken on the pipeline thread.</summary>
/// <remarks>Held = due, and not raised because a threat had used up its stock (<see cref="Thresholds.AlertStock"/>). Evicted = forgotten because a table was full: findings, and what detectors track (sources, pairs of client and domain, clients).</remarks>
public readonly record struct ScorerStats(long AlertsRaised, int FindingsKnown, long FindingsEvicted, long TrackedEvicted, int Tracked, long AlertsHeld);

/// <summary>
/// Scores events on board. One pipeline thread uses it; nothing on its path locks or waits, and an event in which nothing is found
/// allocates nothing. Only the indicator tables are made elsewhere (<see cref="Store"/>) and swapped in whole.
/// </summary>
/// <remarks>Memory without the lists: about 20 MB, nearly all of it taken at the start (`Nfr.Bench score` prints the heap); each table's size stands beside its constant.</remarks>
public sealed class Scorer : IDisposable
{
    readonly Findings _findings;
    readonly MirrorSides _sides;
    readonly Prevalence _prevalence;
    readonly SiteLife _life;
    readonly DomainSuspicion _suspicion = new();
    readonly Resolvers _resolvers;
    readonly DnsSite _site;
    readonly FailingNames _failing;
    readonly HeldScores _heldScores;
    readonly long _resolverWindow;
    readonly PrevalenceFile? _prevalenceFile;
    readonly Lazy<BrandTable> _brands;
    readonly bool _ownsStore;
    readonly Detector[] _all, _dns, _dnsAtOnce, _ip, _http, _tls, _anomaly, _signature, _inboundIp, _inboundHttp;

    /// <summary>In a running sensor: what logs tell that are caught up.</summary>
    readonly ScorerPartition? _past;
    bool _isInPast;
    long _present;

    bool _isAnew;

    public Scorer(ScorerOptions options)
    {
        _findings = new Findings(options);
        _sides = new MirrorSides(options.Thresholds, options.IsHome, _findings);
        _ownsStore = options.SharedWith is null;
        Suffixes = options.SharedWith?.Suffixes ?? PublicSuffixList.Load(options.PublicSuffixFile);
        _prevalence = new Prevalence(options.Thresholds.FirstSeenLearning);
        _life = _prevalence.Life;
        _resolvers = new Resolvers(options.Thresholds, options.IsHome);
        _site = _resolvers.Site;
        _failing = new FailingNames(options.Thresholds, options.IsHome, Suffixes, _resolvers);
        _heldScores = new HeldScores(Suffixes);
        // What is first seen is not learned from old lines.
        if (options.IsRunning) _past = new ScorerPartition("past") { IsRemembered = true };
        _resolverWindow = options.Thresholds.ResolverWindow;
        if (options.FirstSeenFile.Length > 0)
        {
            _prevalenceFile = new PrevalenceFile(options.FirstSeenFile, _prevalence, options.Time);
            _prevalenceFile.Load();
        }
        Store = options.SharedWith?.Store ?? new IndicatorStore(options.FeedsFolders, options.FeedsPollInterval, options.Time, Suffixes, options.Lists);
        _brands = options.SharedWith?._brands ?? new Lazy<BrandTable>(() => BrandTable.Load(Suffixes, options.BrandsFile));
        _all = [.. Make(options).Where(d => (options.Enabled & d.Flag) != 0).Select(d => d.Make())];
        _dns = Those(DetectorEvents.Dns);
        _dnsAtOnce = [.. _dns.Where(d => d.SeesResolvers)];
        _ip = Those(DetectorEvents.Ip);
        _http = Those(DetectorEvents.Http);
        _tls = Those(DetectorEvents.Tls);
        _anomaly = Those(DetectorEvents.Anomaly);
        _signature = Those(DetectorEvents.Signature);
        _inboundIp = [.. _all.Where(d => (d.SeesInbound & DetectorEvents.Ip) != 0)];
        _inboundHttp = [.. _all.Where(d => (d.SeesInbound & DetectorEvents.Http) != 0)];

        Detector[] Those(DetectorEvents events) => [.. _all.Where(d => (d.Sees & events) != 0)];
    }

    /// <summary>Every detector, in the order in which they see an event.</summary>
    IEnumerable<(Detectors Flag, Func<Detector> Make)> Make(ScorerOptions options)
    {
        Thresholds thresholds = options.Thresholds;
        // First, so that what it records is known to the others.
        yield return (Detectors.FirstSeen, () => new FirstSeen(thresholds, options.IsHome, Suffixes, NameModel.Shipped, _prevalence, _suspicion, _findings));
        yield return (Detectors.ListedDestination, () => new ListedDestination(thresholds, options.IsHome, Store, _resolvers, _findings));
        yield return (Detectors.PortScan, () => new PortScan(thresholds, options.IsHome, _sides, _findings));
        yield return (Detectors.LateralMovement, () => new LateralMovement(thresholds, options.IsHome, _findings));
        yield return (Detectors.Land, () => new Land(_findings));
        yield return (Detectors.Smurf, () => new Smurf(thresholds, options.IsHome, _sides, _findings));
        yield return (Detectors.Fragments, () => new BadFragments(_findings));
        yield return (Detectors.ManyResets, () => new ManyResets(thresholds, options.IsHome, _findings));
        yield return (Detectors.BadPorts, () => new BadPorts(thresholds, options.IsHome, _findings));
        yield return (Detectors.Guessing, () => new Guessing(thresholds, options.IsHome, _findings));
        yield return (Detectors.SshGuessing, () => new SshGuessing(thresholds, options.IsHome, _findings));
        yield return (Detectors.Spam, () => new Spam(thresholds, options.IsHome, _resolvers, _findings));
        yield return (Detectors.Irc, () => new Irc(options.IsHome, _findings));
        yield return (Detectors.TelegramBot, () => new TelegramBot(thresholds, _findings));
        yield return (Detectors.AwsRebinding, () => new AwsRebinding(_findings));
        yield return (Detectors.Signatures, () => new Signatures(_findings));
        yield return (Detectors.HttpFailures, () => new HttpFailures(thresholds, options.IsHome, _sides, _findings));
        yield return (Detectors.DnsTunnel, () => new DnsTunnel(thresholds, Suffixes, NameModel.Shipped, _resolvers, _findings));
        yield return (Detectors.DnsTunnel, () => new NotDns(thresholds, _findings));
        yield return (Detectors.IcmpTunnel, () => new IcmpTunnel(thresholds, _findings));
        yield return (Detectors.Dga, () => new DgaVolume(thresholds, Suffixes, DgaModel.Shipped, _resolvers, _findings));
        yield return (Detectors.DnsFailures, () => new DnsFailures(thresholds, options.IsHome, Suffixes, _prevalence, _resolvers, _failing, _findings));
        yield return (Detectors.UnreachableDomains, () => new UnreachableDomains(thresholds, _prevalence, _failing, _findings));
        yield return (Detectors.Cleartext, () => new Cleartext(options.IsHome, _findings));
        yield return (Detectors.Mining, () => new Mining(thresholds, options.IsHome, _findings));
        yield return (Detectors.Imposter, () => new Imposter(thresholds, Suffixes, new BrandMatcher(_brands.Value), _prevalence, _suspicion, _findings));
        // Behind those that look at domains.
        yield return (Detectors.SuspiciousDomains, () => new SuspiciousDomains(thresholds, options.IsHome, _suspicion, _resolvers, _findings));
        yield return (Detectors.SuspiciousCluster, () => _findings.Cluster = new SuspiciousCluster(thresholds, options.IsHome));
        Crowd crowd = CrowdOf;
        // The beacons' detector learns them; where it is switched off, destinations are addresses.
        var names = new DestinationNames();
        yield return (Detectors.Beaconing, () => new Beaconing(thresholds, options.IsHome, Suffixes, NameModel.Shipped, crowd, names, _resolvers, _findings));
        yield return (Detectors.TransferVolume, () => new TransferVolume(thresholds, options.IsHome, _findings));
        yield return (Detectors.UploadVolume, () => new UploadVolume(thresholds, options.IsHome, names, _findings));
        yield return (Detectors.LongSession, () => new LongSession(thresholds, options.IsHome, crowd, names, _findings));
        yield return (Detectors.PortUse, () => new PortUse(thresholds, options.IsHome, crowd, _findings));
        yield return (Detectors.PolicyApps, () => new PolicyApps(thresholds, options.IsHome, _findings));
        yield return (Detectors.TorNames, () => new TorNames(thresholds, options.IsHome, NameModel.Shipped, _findings));
        yield return (Detectors.PeerFanOut, () => new PeerFanOut(thresholds, options.IsHome, _findings));
    }

    (int Clients, int SiteClients) CrowdOf(ReadOnlySpan<byte> domain, in Nfr.Wire.Address address) =>
        (_prevalence.Of(domain.IsEmpty ? _prevalence.KeyOf(in address) : _prevalence.KeyOf(domain)).Clients, _prevalence.SiteClients);

    /// <summary>The indicator lists and their state; its members may be read from any thread.</summary>
    public IndicatorStore Store { get; }

    /// <summary>The Public Suffix List in use.</summary>
    public PublicSuffixList Suffixes { get; }

    /// <summary>What of the site's brands and of the memory of first-seen domains could not be read, as <c>file:line: reason</c>.</summary>
    public IReadOnlyList<string> Faults =>
        [.. _brands.IsValueCreated ? _brands.Value.Faults : [], .. _prevalenceFile?.Fault is { } fault ? [fault] : Array.Empty<string>()];

    public ScorerStats Stats => new(
        _findings.AlertsRaised, _findings.FindingsKnown, _findings.FindingsEvicted, _all.Sum(d => d.Evicted) + _resolvers.Evicted, _all.Sum(d => d.Tracked),
        _findings.AlertsHeld);

    /// <summary>The greatest tick so far, of the partition whose turn it is.</summary>
    public long Now => _findings.Now;

    /// <summary>As in <see cref="Stats"/>.</summary>
    public long AlertsHeld => _findings.AlertsHeld;

    /// <summary>Scores one event and appends the alerts it raises.</summary>
    /// <returns>0 = nothing; else 1 to 5, the highest severity of a finding that this event contributed to, raised now or before.</returns>
    public int Score(scoped in DnsEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        if (_resolvers.Site.Queries.IsFull) JudgeHeld(window: 0, most: 1);
        bool waits = _resolvers.Takes(in e);
        if (waits) score = _heldScores.Of(in e, _findings.Now);
        else _failing.Look(in e);
        foreach (Detector detector in waits ? _dnsAtOnce : _dns) score = Math.Max(score, detector.OnDns(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in IpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick + e.Duration, raised);
        _sides.Note(in e);
        int score = 0;
        foreach (Detector detector in _ip) score = Math.Max(score, detector.OnIp(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in HttpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        foreach (Detector detector in _http) score = Math.Max(score, detector.OnHttp(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <summary>Scores the event of a stranger who comes to a home machine, by what speaks of such: scans, guesses, floods, lists. Appends the alerts it raises.</summary>
    /// <returns>As of <see cref="Score(in DnsEvent, List{Alert})"/>.</returns>
    public int ScoreInbound(scoped in IpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick + e.Duration, raised);
        int score = 0;
        foreach (Detector detector in _inboundIp) score = Math.Max(score, detector.OnIp(in e));
        return score;
    }

    /// <inheritdoc cref="ScoreInbound(in IpEvent, List{Alert})"/>
    public int ScoreInbound(scoped in HttpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        foreach (Detector detector in _inboundHttp) score = Math.Max(score, detector.OnHttp(in e));
        return score;
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in TlsEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        foreach (Detector detector in _tls) score = Math.Max(score, detector.OnTls(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in AnomalyEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        foreach (Detector detector in _anomaly) score = Math.Max(score, detector.OnAnomaly(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in SignatureEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = 0;
        foreach (Detector detector in _signature) score = Math.Max(score, detector.OnSignature(in e));
        return Math.Max(score, _findings.ClusterSeverity);
    }

    /// <summary>
    /// The events that follow on this thread are of this partition, until <see cref="Leave"/>: they share the tables with those of others and
    /// nothing else. On board there are no partitions and this is not called.
    /// </summary>
    /// <param name="partition">Whose events they are.</param>
    /// <param name="steady">A clock that no event can move, in ns: stocks of alerts fill up by it, and what is kept on disk is saved. -1 = by the events' own.</param>
    public void Enter(ScorerPartition partition, long steady = -1)
    {
        ArgumentNullException.ThrowIfNull(partition);
        _findings.Steady = steady;
        Partition.Current = partition.Seed;
        _findings.Now = partition.Now;
        if (!partition.IsRemembered && _prevalenceFile is not null)
        {
            partition.IsRemembered = true;
            partition.Life = _prevalenceFile.LifeOf(partition.Seed, partition.Life);
        }
        _prevalence.Life = partition.Life;
        _resolvers.Site = partition.Resolvers;
    }

    public void Leave(ScorerPartition partition)
    {
        ArgumentNullException.ThrowIfNull(partition);
        partition.Now = _findings.Now;
        _findings.Steady = -1;
        _prevalence.Life = _life;
        _resolvers.Site = _site;
        Partition.Current = 0;
    }

    void Begin(long tick, List<Alert> raised)
    {
        if (_past is not null && tick >= EventContext.Past != _isInPast) Turn();
        _findings.Now = _isAnew ? tick : Math.Max(_findings.Now, tick);
        _isAnew = false;
        _prevalence.Now = _resolvers.Now = _findings.Now;
        if (!_isInPast) _prevalenceFile?.SaveDue(_findings.Steady >= 0 ? _findings.Steady : _findings.Now);
        _findings.Raised = raised;
        _findings.ClusterSeverity = 0;
        _suspicion.Clear();
        if (_resolvers.Site.Queries.Count > 0) JudgeHeld(_resolverWindow, int.MaxValue);
    }

    /// <summary>Another log begins, and most often earlier than the one before has ended: from its first event on its own time holds.</summary>
    public void BeginAnew(List<Alert> raised)
    {
        _findings.Raised = raised;
        JudgeHeld(window: 0, int.MaxValue);
        _isAnew = true;
    }

    /// <summary>Between the present and what is long past, which are judged apart, as two networks are.</summary>
    void Turn()
    {
        if (_isInPast)
        {
            Leave(_past!);
            _findings.Now = _present;
        }
        else
        {
            _present = _findings.Now;
            Enter(_past!);
        }
        _isInPast = !_isInPast;
    }

    /// <summary>What a resolver asked for and no client had asked it for is its own. Those that see all have seen it already.</summary>
    void JudgeHeld(long window, int most)
    {
        for (int i = 0; i < most && _resolvers.Site.Queries.TryTake(_findings.Now, window, out DnsEvent e); i++)
        {
            _failing.Look(in e);
            int score = 0;
            foreach (Detector detector in _dns)
            {
                if (!detector.SeesResolvers) score = Math.Max(score, detector.OnDns(in e));
            }
            _heldScores.Note(in e, score, _findings.Now);
            _suspicion.Clear();
        }
    }

    /// <summary>There are no more events, of this network or at all: what waited for others is judged as it is.</summary>
    public void Finish(List<Alert> raised)
    {
        FinishSite(raised);
        if (_past is null) return;
        Turn();
        FinishSite(raised);
        if (_isInPast) Turn();
    }

    void FinishSite(List<Alert> raised)
    {
        if (_resolvers.Site.IsEmpty) return;
        _findings.Raised = raised;
        JudgeHeld(window: 0, int.MaxValue);
        foreach (Detector detector in _all) detector.Finish();
    }

    public void Dispose()
    {
        if (_ownsStore) Store.Dispose();
        _prevalenceFile?.Dispose();
    }
}
