using System.Buffers;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>
/// What happens to an event behind the decoder, in this order: wanted by type? in scope? scored; stored or printed. Runs on the one pipeline
/// thread and does not wait for anything but the spool's commit.
/// </summary>
sealed class EventStage
{
    readonly Scope? _scope;
    readonly Scorer? _scorer;
    readonly Spool? _spool;
    readonly Stream? _print;
    readonly Action<Alert>? _alert;
    readonly bool[] _wanted;
    readonly Func<bool> _allFields;
    readonly Func<ClockQuality> _quality;
    readonly ArrayBufferWriter<byte> _marked = new(4096);
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _line = new(4096);
    readonly List<Alert> _raised = [];
    readonly HostTable _hosts = new();
    Step _step;
    EventType _type;
    int _settled;

    /// <summary>How far the event in hand has come, for the case that a mistake of ours ends it there.</summary>
    enum Step : byte
    {
        None,
        Taken,
        InScope,
        /// <summary>Out of scope, and scored on board.</summary>
        Watched,
        Kept,
    }

    /// <param name="scope">null = every event is in scope.</param>
    /// <param name="scorer">null = nothing is scored.</param>
    /// <param name="spool">Where events in scope and alerts are kept; null = nowhere.</param>
    /// <param name="print">Gets the event lines; null = none are printed.</param>
    /// <param name="alert">Told of each alert raised.</param>
    /// <param name="wanted">By <see cref="EventType"/>; null = all.</param>
    /// <param name="allFields">Whether event lines are spooled instead of upload lines (engine.fields), asked for each event; null = never.</param>
    /// <param name="quality">How far stamps can be trusted; spooled event lines and alerts say so while it is not fully.</param>
    public EventStage(Scope? scope, Scorer? scorer, Spool? spool, Stream? print = null, Action<Alert>? alert = null, bool[]? wanted = null, Func<bool>? allFields = null, Func<ClockQuality>? quality = null)
    {
        _quality = quality ?? (static () => ClockQuality.Synced);
        _allFields = allFields ?? (static () => false);
        _scope = scope;
        _scorer = scorer;
        _spool = spool;
        _print = print;
        _alert = alert;
        _wanted = wanted ?? [.. EventTypes.All.Select(_ => true)];
    }

    public StageCounters Counters { get; } = new();

    public void OnDns(scoped in DnsEvent e)
    {
        if (!Admit(EventType.Dns) || !Passes(EventType.Dns, _scope?.Decide(e))) return;
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null && !_allFields()) _json.WriteUpload(e, _line);
        else if (_spool is not null || _print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Dns, score, e.Context.Tunnel);
    }

    public void OnIp(scoped in IpEvent e)
    {
        if (!Admit(EventType.Ip)) return;
        ScopeVerdict? verdict = _scope?.Decide(e);
        if (!Passes(EventType.Ip, verdict))
        {
            if (Watches(verdict!.Value, e.Context) is var watch and not ScopeWatch.None) SettleWatched(EventType.Ip, watch == ScopeWatch.Inbound ? _scorer!.ScoreInbound(e, _raised) : _scorer!.Score(e, _raised), e.Context.Tunnel);
            return;
        }
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null && !_allFields()) _json.WriteUpload(e, _line);
        else if (_spool is not null || _print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Ip, score, e.Context.Tunnel);
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        if (!Admit(EventType.Http)) return;
        ScopeVerdict? verdict = _scope?.Decide(e);
        if (!Passes(EventType.Http, verdict))
        {
            if (Watches(verdict!.Value, e.Context) is ScopeWatch.Inbound) SettleWatched(EventType.Http, _scorer!.ScoreInbound(e, _raised), e.Context.Tunnel);
            return;
        }
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null && !_allFields()) _json.WriteUpload(e, _line);
        else if (_spool is not null || _print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Http, score, e.Context.Tunnel);
    }

    public void OnTls(scoped in TlsEvent e)
    {
        if (!Admit(EventType.Tls)) return;
        ScopeVerdict? verdict = _scope?.Decide(e);
        if (!Passes(EventType.Tls, verdict))
        {
            if (Watches(verdict!.Value, e.Context) is ScopeWatch.Inside) SettleWatched(EventType.Tls, _scorer!.Score(e, _raised), e.Context.Tunnel);
            return;
        }
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null && !_allFields()) _json.WriteUpload(e, _line);
        else if (_spool is not null || _print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Tls, score, e.Context.Tunnel);
    }

    /// <summary>Hosts and anomalies stay on board: printed where events are, never spooled.</summary>
    public void OnHost(scoped in HostEvent e)
    {
        // Also when nobody wants the events: alerts say whose machine it is.
        _hosts.Learn(e.Address, 0, e.HardwareAddress, e.Name, e.Tunnel.Network);
        if (!Admit(EventType.Host)) return;
        Counters.InScope[(int)EventType.Host]++;
        _step = Step.Kept;
        if (_print is not null)
        {
            _json.WriteLine(e, _line);
            Print();
        }
        _step = Step.None;
    }

    /// <summary>Scored; what it raises is an alert, but it is never spooled itself.</summary>
    public void OnAnomaly(scoped in AnomalyEvent e)
    {
        if (!Admit(EventType.Anomaly)) return;
        Counters.InScope[(int)EventType.Anomaly]++;
        _step = Step.InScope;
        if ((_scorer?.Score(e, _raised) ?? 0) > 0) Counters.Scored[(int)EventType.Anomaly]++;
        _step = Step.Kept;
        if (_print is not null)
        {
            _json.WriteLine(e, _line);
            Print();
        }
        if (_raised.Count > 0) SettleAlerts(e.Context.Tunnel.Network);
        _step = Step.None;
    }

    /// <summary>What a rule of another sensor has matched is scored; what that raises is an alert of ours, and it is never spooled itself.</summary>
    public void OnSignature(scoped in SignatureEvent e)
    {
        if (!Admit(EventType.Signature) || !Passes(EventType.Signature, _scope?.Decide(e))) return;
        if ((_scorer?.Score(e, _raised) ?? 0) > 0)
        {
            Counters.Scored[(int)EventType.Signature]++;
            Counters.AlertsHeld = _scorer!.AlertsHeld;
        }
        _step = Step.Kept;
        if (_print is not null)
        {
            _json.WriteLine(e, _line);
            Print();
        }
        if (_raised.Count > 0) SettleAlerts(e.Context.Tunnel.Network);
        _step = Step.None;
    }

    /// <summary>No more events come: what waited for others is told as it is.</summary>
    public void Finish()
    {
        if (_scorer is null) return;
        _step = Step.Kept;
        _scorer.Finish(_raised);
        if (_raised.Count > 0)
        {
            Counters.AlertsHeld = _scorer.AlertsHeld;
            SettleAlerts(0);
        }
        _step = Step.None;
    }

    /// <summary>What comes next was written beside what came before, and may be older.</summary>
    public void BeginAnew()
    {
        if (_scorer is null) return;
        _step = Step.Kept;
        _scorer.BeginAnew(_raised);
        if (_raised.Count > 0) SettleAlerts(0);
        _step = Step.None;
    }

    void Print()
    {
        _line.Write("\n"u8);
        _print!.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }

    /// <summary>
    /// Forgets the half-made line and alerts of an event that met a mistake of ours, so that they do not become part of the next one's, and counts
    /// where it ended.
    /// </summary>
    public void Abandon()
    {
        switch (_step)
        {
            case Step.None:
                Counters.Unread++;
                break;
            case Step.Taken:
                Counters.Undecided[(int)_type]++;
                break;
            case Step.InScope:
                Counters.Unkept[(int)_type]++;
                break;
        }
        Counters.AlertsUnkept += _raised.Count - _settled;
        // Those that Settle had not come to count as raised all the same.
        if (_step is not Step.Kept) Counters.Alerts += _raised.Count;
        _step = Step.None;
        _settled = 0;
        _line.ResetWrittenCount();
        _raised.Clear();
    }

    bool Admit(EventType type)
    {
        Counters.Taken[(int)type]++;
        (_step, _type) = (Step.Taken, type);
        if (_wanted[(int)type]) return true;
        _step = Step.None;
        Counters.Unwanted[(int)type]++;
        return false;
    }

    bool Passes(EventType type, ScopeVerdict? verdict)
    {
        if (verdict is null or { IsAccepted: true })
        {
            Counters.InScope[(int)type]++;
            _step = Step.InScope;
            return true;
        }
        _step = Step.None;
        Counters.OutOfScope[(int)verdict.Value.Reason]++;
        return false;
    }

    /// <summary>Counted as out of scope; a mistake of ours in scoring it ends nothing but its alerts.</summary>
    ScopeWatch Watches(ScopeVerdict verdict, in EventContext context)
    {
        if (_scorer is null) return ScopeWatch.None;
        ScopeWatch watch = _scope!.Watches(verdict, in context);
        if (watch != ScopeWatch.None) _step = Step.Watched;
        return watch;
    }

    void SettleWatched(EventType type, int score, in Tunnel tunnel)
    {
        Counters.Watched[(int)type]++;
        if (score > 0)
        {
            Counters.WatchedScored[(int)type]++;
            Counters.AlertsHeld = _scorer!.AlertsHeld;
        }
        _step = Step.Kept;
        if (_raised.Count > 0) SettleAlerts(tunnel.Network);
        _step = Step.None;
    }

    void Settle(EventType type, int score, in Tunnel tunnel)
    {
        if (score > 0)
        {
            Counters.Scored[(int)type]++;
            Counters.AlertsHeld = _scorer!.AlertsHeld;
        }
        if (_spool is not null)
        {
            _spool.Append(type, score, _quality() is var quality and not ClockQuality.Synced ? Marked(quality) : _line.WrittenSpan);
        }
        else if (_print is not null)
        {
            _line.Write("\n"u8);
            _print.Write(_line.WrittenSpan);
        }
        _line.ResetWrittenCount();
        _step = Step.Kept;
        if (_raised.Count > 0) SettleAlerts(tunnel.Network);
        _step = Step.None;
    }

    /// <summary>An event line with the key "clock"; the API has no such key, so an upload line stays as it is.</summary>
    ReadOnlySpan<byte> Marked(ClockQuality quality)
    {
        ReadOnlySpan<byte> line = _line.WrittenSpan;
        if (!line.StartsWith("{\"type\":"u8)) return line;
        _marked.ResetWrittenCount();
        _marked.Write(line[..^1]);
        _marked.Write(quality == ClockQuality.Unset ? ",\"clock\":\"unset\"}"u8 : ",\"clock\":\"free\"}"u8);
        return _marked.WrittenSpan;
    }

    void SettleAlerts(ulong network)
    {
        Counters.Alerts += _raised.Count;
        foreach (Alert raised in _raised)
        {
            Alert alert = AlertEvents.WithHost(raised, _hosts, network);
            if (_quality() is var quality and not ClockQuality.Synced) alert = alert with { Clock = quality == ClockQuality.Unset ? "unset" : "free" };
            _spool?.AppendAlert(alert);
            foreach (AlertThreat threat in alert.Threats) Counters.AlertsByThreat[ThreatCounts.Of(threat)]++;
            _settled++;
            _alert?.Invoke(alert);
        }
        _settled = 0;
        _raised.Clear();
    }
}

/// <summary>An <see cref="EventStage"/> as the sink that a ring's reader wants.</summary>
/// <param name="stage">Gets the events.</param>
/// <param name="inputs">Told of their marks, by their numbers.</param>
readonly struct StageSink(EventStage stage, IReadOnlyList<Logs.IMarkedInput>? inputs = null) : IEventSink
{
    public void OnMark(in InputMark mark)
    {
        if (mark.IsAnew) stage.BeginAnew();
        else if (inputs is not null && (uint)mark.Input < (uint)inputs.Count) inputs[mark.Input].Accept(mark);
    }

    public void OnDns(scoped in DnsEvent e) => stage.OnDns(e);
    public void OnIp(scoped in IpEvent e) => stage.OnIp(e);
    public void OnHttp(scoped in HttpEvent e) => stage.OnHttp(e);
    public void OnTls(scoped in TlsEvent e) => stage.OnTls(e);
    public void OnHost(scoped in HostEvent e) => stage.OnHost(e);
    public void OnAnomaly(scoped in AnomalyEvent e) => stage.OnAnomaly(e);
    public void OnSignature(scoped in SignatureEvent e) => stage.OnSignature(e);
}

/// <summary>
/// What the pipeline did with events since the start. To the event: Taken = Unwanted + OutOfScope + InScope + Undecided, and what is in scope is
/// accepted by the spool or <see cref="Unkept"/>; to the alert: raised = accepted by the spool + <see cref="AlertsUnkept"/>.
/// </summary>
sealed class StageCounters
{
    public readonly long[] Taken = new long[EventTypes.Count];
    /// <summary>Types that engine.analyze or --type leaves out.</summary>
    public readonly long[] Unwanted = new long[EventTypes.Count];
    /// <summary>By <see cref="ScopeReason"/>.</summary>
    public readonly long[] OutOfScope = new long[ScopeReasons.Count];
    public readonly long[] InScope = new long[EventTypes.Count];
    /// <summary>Events that contributed to a finding.</summary>
    public readonly long[] Scored = new long[EventTypes.Count];
    /// <summary>Out of scope, and scored on board all the same (<see cref="Scope.Watches"/>).</summary>
    public readonly long[] Watched = new long[EventTypes.Count];
    /// <summary>Those of them that contributed to a finding.</summary>
    public readonly long[] WatchedScored = new long[EventTypes.Count];
    /// <summary>Ended by a mistake of ours before scope was decided.</summary>
    public readonly long[] Undecided = new long[EventTypes.Count];
    /// <summary>In scope, and ended by a mistake of ours before the spool had them.</summary>
    public readonly long[] Unkept = new long[EventTypes.Count];
    /// <summary>Could not even be read from the ring.</summary>
    public long Unread;
    public long Alerts;
    /// <summary>Those that the spool took, by each of their threats and its severity, in the places of <see cref="ThreatCounts"/>.</summary>
    public readonly long[] AlertsByThreat = new long[ThreatCounts.Length];
    /// <summary>Raised, and lost to a mistake of ours before the spool had them.</summary>
    public long AlertsUnkept;
    /// <summary>Due, and never raised: too many of their threat had been (<see cref="Thresholds.AlertStock"/>).</summary>
    public long AlertsHeld;

    public StageCounters Copy()
    {
        var copy = new StageCounters();
        copy.Add(this, 1);
        return copy;
    }

    /// <summary>What came since an earlier copy.</summary>
    public StageCounters Since(StageCounters earlier)
    {
        StageCounters since = Copy();
        since.Add(earlier, -1);
        return since;
    }

    void Add(StageCounters other, int sign)
    {
        Add(Taken, other.Taken, sign);
        Add(Unwanted, other.Unwanted, sign);
        Add(OutOfScope, other.OutOfScope, sign);
        Add(InScope, other.InScope, sign);
        Add(Scored, other.Scored, sign);
        Add(Watched, other.Watched, sign);
        Add(WatchedScored, other.WatchedScored, sign);
        Add(Undecided, other.Undecided, sign);
        Add(Unkept, other.Unkept, sign);
        Add(AlertsByThreat, other.AlertsByThreat, sign);
        Unread += sign * other.Unread;
        Alerts += sign * other.Alerts;
        AlertsUnkept += sign * other.AlertsUnkept;
        AlertsHeld += sign * other.AlertsHeld;
    }

    static void Add(long[] to, long[] from, int sign)
    {
        for (int i = 0; i < to.Length; i++) to[i] += sign * from[i];
    }
}

/// <summary>The scorer's samples as event lines.</summary>
sealed class SampleLines : IEventLines
{
    readonly EventJson _json = new();

    public string Line(scoped in DnsEvent e) => _json.ToText(e);
    public string Line(scoped in IpEvent e) => _json.ToText(e);
    public string Line(scoped in HttpEvent e) => _json.ToText(e);
    public string Line(scoped in TlsEvent e) => _json.ToText(e);
    public string Line(scoped in AnomalyEvent e) => _json.ToText(e);
    public string Line(scoped in SignatureEvent e) => _json.ToText(e);
}
