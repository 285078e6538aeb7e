using Nfr.Events;
using Nfr.Scoring.Detection;
using Nfr.Scoring.Indicators;
using Nfr.Scoring.Names;

namespace Nfr.Scoring;

/// <summary>What the scorer's tables hold, for metrics; a snapshot taken on the pipeline thread.</summary>
/// <remarks>Evicted = forgotten because a table was full: findings, and what detectors track (sources, pairs of client and domain, clients).</remarks>
public readonly record struct ScorerStats(long AlertsRaised, int FindingsKnown, long FindingsEvicted, long TrackedEvicted, int Tracked);

/// <summary>
/// Scores events on board. One pipeline thread uses it; nothing on its path locks or waits, and an event in which nothing is found
/// allocates nothing. Only the indicator tables are made elsewhere (<see cref="Store"/>) and swapped in whole.
/// </summary>
/// <remarks>Memory without the lists: about 11 MB, all of it taken at the start; each table's size stands beside its constant.</remarks>
public sealed class Scorer : IDisposable
{
    readonly Findings _findings;
    readonly ListedDestination? _listed;
    readonly PortScan? _scan;
    readonly DnsTunnel? _tunnel;
    readonly DgaVolume? _dga;
    readonly Cleartext? _cleartext;
    readonly Mining? _mining;

    public Scorer(ScorerOptions options)
    {
        Thresholds thresholds = options.Thresholds;
        _findings = new Findings(options);
        Suffixes = PublicSuffixList.Load(options.PublicSuffixFile);
        Store = new IndicatorStore(options.FeedsFolders, options.FeedsPollInterval, options.Time);
        if (Has(Detectors.ListedDestination)) _listed = new ListedDestination(thresholds, options.IsHome, Store, _findings);
        if (Has(Detectors.PortScan)) _scan = new PortScan(thresholds, options.IsHome, _findings);
        if (Has(Detectors.DnsTunnel)) _tunnel = new DnsTunnel(thresholds, Suffixes, NameModel.Shipped, _findings);
        if (Has(Detectors.Dga)) _dga = new DgaVolume(thresholds, Suffixes, NameModel.Shipped, _findings);
        if (Has(Detectors.Cleartext)) _cleartext = new Cleartext(options.IsHome, _findings);
        if (Has(Detectors.Mining)) _mining = new Mining(_findings);

        bool Has(Detectors detector) => (options.Enabled & detector) != 0;
    }

    /// <summary>The indicator lists and their state; its members may be read from any thread.</summary>
    public IndicatorStore Store { get; }

    /// <summary>The Public Suffix List in use.</summary>
    public PublicSuffixList Suffixes { get; }

    public ScorerStats Stats => new(
        _findings.AlertsRaised, _findings.FindingsKnown, _findings.FindingsEvicted,
        (_scan?.Evicted ?? 0) + (_tunnel?.Evicted ?? 0) + (_dga?.Evicted ?? 0),
        (_scan?.Tracked ?? 0) + (_tunnel?.Tracked ?? 0) + (_dga?.Tracked ?? 0));

    /// <summary>Scores one event and appends the alerts it raises.</summary>
    /// <returns>0 = nothing; else 1 to 5, the highest severity of a finding that this event contributed to, raised now or before.</returns>
    public int Score(scoped in DnsEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = _listed?.OnDns(in e) ?? 0;
        score = Math.Max(score, _tunnel?.OnDns(in e) ?? 0);
        return Math.Max(score, _dga?.OnDns(in e) ?? 0);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in IpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick + e.Duration, raised);
        int score = _listed?.OnIp(in e) ?? 0;
        score = Math.Max(score, _scan?.OnIp(in e) ?? 0);
        score = Math.Max(score, _cleartext?.OnIp(in e) ?? 0);
        return Math.Max(score, _mining?.OnIp(in e) ?? 0);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in HttpEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        int score = _listed?.OnHttp(in e) ?? 0;
        return Math.Max(score, _cleartext?.OnHttp(in e) ?? 0);
    }

    /// <inheritdoc cref="Score(in DnsEvent, List{Alert})"/>
    public int Score(scoped in TlsEvent e, List<Alert> raised)
    {
        Begin(e.Context.Tick, raised);
        return _listed?.OnTls(in e) ?? 0;
    }

    void Begin(long tick, List<Alert> raised)
    {
        _findings.Now = Math.Max(_findings.Now, tick);
        _findings.Raised = raised;
    }

    public void Dispose() => Store.Dispose();
}
