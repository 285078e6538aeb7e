using Nfr.Events;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring;

/// <summary>
/// What the detectors share: which findings are known (repeats of one finding are one alert), the sample events kept for keys that are
/// suspicious, and the way an alert is made. One thread.
/// </summary>
sealed class Findings(ScorerOptions options)
{
    /// <summary>About 1 MB. Full: the finding unused longest is forgotten, and would be raised anew.</summary>
    const int MaxFindings = 1 << 14;
    /// <summary>At most 512 keys with five lines of 2,048 characters; full: the key unused longest loses its samples.</summary>
    const int MaxSampledKeys = 1 << 9;
    const int MaxSampleLength = 2048;
    public const int SamplesPerAlert = 5;

    struct Known
    {
        public long RaisedTick;
        public long Count;
        public int Severity;
    }

    /// <param name="Line">The event.</param>
    /// <param name="CommunityId">Of its flow; null when it has none.</param>
    readonly record struct Sample(string? Line, string? CommunityId);

    [System.Runtime.CompilerServices.InlineArray(SamplesPerAlert - 1)]
    struct Lines
    {
        Sample _first;
    }

    readonly LruTable<Known> _known = new(MaxFindings);
    readonly LruTable<Lines> _samples = new(MaxSampledKeys);
    readonly long _quietInterval = options.Thresholds.QuietInterval;

    /// <summary>What may still be raised of a threat, and what was held back meanwhile.</summary>
    sealed class Allowance
    {
        public double Left;
        public long Tick;
        public long Held;
    }

    /// <summary>One for each threat that was raised, of each partition. Full (of sites that come and go): all begin anew.</summary>
    const int MaxAllowances = 1 << 15;

    readonly Dictionary<(ulong Partition, string Threat, bool IsInbound), Allowance> _allowances = [];

    /// <summary>Where alerts go during one call of the scorer.</summary>
    public List<Alert> Raised { get; set; } = [];
    /// <summary>The greatest tick so far: events arrive when they end, so their own ticks go back and forth.</summary>
    public long Now { get; set; }

    /// <summary>Told of each finding that is raised; null = nobody is.</summary>
    public Detection.SuspiciousCluster? Cluster { get; set; }

    /// <summary>Severity of a cluster that the event at hand completed; the scorer clears it between events.</summary>
    public int ClusterSeverity { get; set; }

    /// <summary>What stocks of alerts fill up by when it is not <see cref="Now"/>: an engine's clock, which no event moves; else -1.</summary>
    public long Steady { get; set; } = -1;

    public long AlertsRaised { get; private set; }

    /// <summary>Due, and not raised because too many of their threat had been raised before.</summary>
    public long AlertsHeld { get; private set; }

    public long FindingsEvicted => _known.Evicted;
    public int FindingsKnown => _known.Count;

    /// <summary>Counts one more event of a finding and says whether an alert is due: when it is new, its severity rose or the quiet interval is over.</summary>
    public bool IsDue(ulong finding, int severity, out long count) => IsDue(finding, severity, _quietInterval, out count);

    /// <inheritdoc cref="IsDue(ulong, int, out long)"/>
    public bool IsDue(ulong finding, int severity, long quiet, out long count)
    {
        int index = _known.GetOrAdd(finding, out bool added);
        ref Known known = ref _known[index];
        count = ++known.Count;
        // Raised later than now it was by a clock that has been put back since (ScorerPartition.PutBack).
        if (!added && severity <= known.Severity && Now - known.RaisedTick < quiet && Now >= known.RaisedTick) return false;
        known.RaisedTick = Now;
        known.Severity = Math.Max(known.Severity, severity);
        _known.Protect(index);
        return true;
    }

    /// <summary>It has been raised before and is not forgotten.</summary>
    public bool IsKnown(ulong finding) => _known.Find(finding) >= 0;

    /// <summary>Keeps the event's line as a sample of a finding that is suspected or goes on; the first four are enough.</summary>
    public void Keep(ulong finding, scoped in DnsEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    public void Keep(ulong finding, scoped in IpEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    public void Keep(ulong finding, scoped in HttpEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    public void Keep(ulong finding, scoped in TlsEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    public void Keep(ulong finding, scoped in AnomalyEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    public void Keep(ulong finding, scoped in SignatureEvent e)
    {
        if (HasRoom(finding)) Keep(finding, options.Lines.Line(in e), in e.Context);
    }

    bool HasRoom(ulong finding)
    {
        int index = _samples.Find(finding);
        return index < 0 || _samples[index][SamplesPerAlert - 2].Line is null;
    }

    void Keep(ulong finding, string line, in EventContext context)
    {
        if (line.Length > MaxSampleLength) return;
        ref Lines lines = ref _samples[_samples.GetOrAdd(finding, out _)];
        for (int i = 0; i < SamplesPerAlert - 1; i++)
        {
            if (lines[i].Line is not null) continue;
            lines[i] = new Sample(line, CommunityIdOf(in context));
            return;
        }
    }

    static string? CommunityIdOf(in EventContext context)
    {
        // A log line may know neither the server nor the protocol; half a flow has no identifier.
        if (context.Protocol == 0 || context.Destination == default) return null;
        Span<byte> text = stackalloc byte[CommunityId.Length];
        int length = CommunityId.Write(context.Source, context.Destination, context.SourcePort, context.DestinationPort, context.Protocol, 0, text);
        return System.Text.Encoding.ASCII.GetString(text[..length]);
    }

    /// <summary>The kept lines, then the event at hand; the kept ones are let go, so that a later alert shows later events.</summary>
    List<Sample> Samples(ulong finding, string current, in EventContext context)
    {
        var samples = new List<Sample>(SamplesPerAlert);
        int index = _samples.Find(finding);
        if (index >= 0)
        {
            for (int i = 0; i < SamplesPerAlert - 1; i++)
            {
                if (_samples[index][i].Line is not null) samples.Add(_samples[index][i]);
            }
            _samples[index] = default;
        }
        samples.Add(new Sample(current, CommunityIdOf(in context)));
        return samples;
    }

    public void Raise(scoped in DnsEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    public void Raise(scoped in IpEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    public void Raise(scoped in HttpEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    public void Raise(scoped in TlsEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    public void Raise(scoped in AnomalyEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    public void Raise(scoped in SignatureEvent e, ulong finding, in Finding what) =>
        Raise(AlertEvents.From(in e), in e.Context, what, Samples(finding, options.Lines.Line(in e), in e.Context));

    /// <summary>Of what was found, when and for which time: the same wherever it is computed again.</summary>
    static string IdOf(in Finding what, string ts)
    {
        string text = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{what.Detector}\n{what.Threat.Id}\n{what.Key}\n{ts}\n{what.Count}");
        return Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }

    /// <summary>
    /// Forged sources, or one bad line of a list, could raise an alert for each of thousands of keys. A threat has a stock of alerts that fills up again slowly; what is due beyond it is
    /// counted, and the next one that is raised says how many were held back.
    /// </summary>
    bool MayRaise(string threat, bool isInbound, out long held)
    {
        held = 0;
        if (_allowances.Count >= MaxAllowances) _allowances.Clear();
        (ulong, string, bool) of = (Partition.Current, threat, isInbound);
        long now = Steady >= 0 ? Steady : Now;
        if (!_allowances.TryGetValue(of, out Allowance? allowance)) _allowances.Add(of, allowance = new Allowance { Left = options.Thresholds.AlertStock, Tick = now });
        allowance.Left = Math.Min(options.Thresholds.AlertStock, allowance.Left + ((double)Math.Max(0, now - allowance.Tick) / options.Thresholds.AlertRefill));
        // Steps back where another log begins.
        allowance.Tick = Steady >= 0 ? Math.Max(allowance.Tick, now) : now;
        if (allowance.Left < 1)
        {
            allowance.Held++;
            AlertsHeld++;
            return false;
        }
        allowance.Left--;
        (held, allowance.Held) = (allowance.Held, 0);
        return true;
    }

    /// <summary>For a detector that waits before it raises: what <see cref="Raise(AlertEvent, EventContext, string, ulong, in Finding)"/> wants later.</summary>
    public string LineOf(scoped in DnsEvent e) => options.Lines.Line(in e);

    /// <summary>Raises for an event that is over.</summary>
    public void Raise(AlertEvent alertEvent, EventContext context, string line, ulong finding, in Finding what) =>
        Raise(alertEvent, in context, what, Samples(finding, line, in context));

    void Raise(AlertEvent alertEvent, in EventContext context, Finding what, List<Sample> samples)
    {
        string id = IdOf(what, alertEvent.Ts);
        RaiseOne(alertEvent, in context, what, id, samples);
        if (Cluster is null || !Cluster.Adds(in context.Source, in what, id, Now, out ulong finding, out Finding cluster)) return;
        ClusterSeverity = cluster.Threat.Severity;
        if (!IsDue(finding, ClusterSeverity, options.Thresholds.HabitInterval, out long count)) return;
        cluster = cluster with { Count = count };
        RaiseOne(alertEvent, in context, cluster, IdOf(cluster, alertEvent.Ts), samples);
    }

    void RaiseOne(AlertEvent alertEvent, in EventContext context, Finding what, string id, List<Sample> samples)
    {
        // Strangers at the door have a stock of their own: they do not keep from being told what happens inside.
        if (!MayRaise(what.Threat.Id, !options.IsHome(context.Source) && options.IsHome(context.Destination), out long held)) return;
        AlertsRaised++;
        Raised.Add(new Alert
        {
            Threats = [what.Threat],
            Flags = what.Flags,
            // Who comes from outside is in none: then it is the machine that was meant.
            Groups = options.GroupsOf(context.Source) is { Count: > 0 } groups ? groups : options.GroupsOf(context.Destination),
            Event = alertEvent,
            Evidence = new AlertEvidence
            {
                Id = id,
                Detector = what.Detector,
                Key = what.Key,
                Summary = what.Summary,
                Features = what.Features,
                Facts = held == 0 ? what.Facts : [.. what.Facts, new EvidenceValue("alertsHeldBack", held)],
                Score = EvidenceScore.Of(what.Features),
                ScoreLimit = what.ScoreLimit,
                Samples = [.. samples.Select(s => s.Line!)],
                CommunityIds = [.. samples.Where(s => s.CommunityId is not null).Select(s => s.CommunityId!).Distinct()],
                Count = what.Count,
            },
        });
    }
}

/// <summary>What a detector says when an alert is due; made only then. Features, their formula and facts: see <see cref="AlertEvidence"/>.</summary>
readonly record struct Finding(
    string Detector, string Key, AlertThreat Threat, IReadOnlyList<string> Flags, string Summary, IReadOnlyList<EvidenceFeature> Features,
    IReadOnlyList<EvidenceValue> Facts, long Count)
{
    public double ScoreLimit { get; init; } = 1;
}
