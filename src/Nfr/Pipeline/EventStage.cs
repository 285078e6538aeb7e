using System.Buffers;
using Nfr.Events;
using Nfr.Scoring;
using Nfr.Storage;

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
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _line = new(4096);
    readonly List<Alert> _raised = [];
    readonly HostTable _hosts = new();

    /// <param name="scope">null = every event is in scope.</param>
    /// <param name="scorer">null = nothing is scored.</param>
    /// <param name="spool">Where events in scope and alerts are kept; null = nowhere.</param>
    /// <param name="print">Gets the event lines; null = none are printed.</param>
    /// <param name="alert">Told of each alert raised.</param>
    /// <param name="wanted">By <see cref="EventType"/>; null = all.</param>
    public EventStage(Scope? scope, Scorer? scorer, Spool? spool, Stream? print = null, Action<Alert>? alert = null, bool[]? wanted = null)
    {
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
        if (_spool is not null) _json.WriteUpload(e, _line);
        else if (_print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Dns, score);
    }

    public void OnIp(scoped in IpEvent e)
    {
        if (!Admit(EventType.Ip) || !Passes(EventType.Ip, _scope?.Decide(e))) return;
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null) _json.WriteUpload(e, _line);
        else if (_print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Ip, score);
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        if (!Admit(EventType.Http) || !Passes(EventType.Http, _scope?.Decide(e))) return;
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null) _json.WriteUpload(e, _line);
        else if (_print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Http, score);
    }

    public void OnTls(scoped in TlsEvent e)
    {
        if (!Admit(EventType.Tls) || !Passes(EventType.Tls, _scope?.Decide(e))) return;
        int score = _scorer?.Score(e, _raised) ?? 0;
        if (_spool is not null) _json.WriteUpload(e, _line);
        else if (_print is not null) _json.WriteLine(e, _line);
        Settle(EventType.Tls, score);
    }

    /// <summary>Hosts and anomalies stay on board: printed where events are, never spooled.</summary>
    public void OnHost(scoped in HostEvent e)
    {
        // Also when nobody wants the events: alerts say whose machine it is.
        _hosts.Learn(e.Address, 0, e.HardwareAddress, e.Name);
        if (!Admit(EventType.Host)) return;
        Counters.InScope[(int)EventType.Host]++;
        if (_print is null) return;
        _json.WriteLine(e, _line);
        Print();
    }

    /// <inheritdoc cref="OnHost"/>
    public void OnAnomaly(scoped in AnomalyEvent e)
    {
        if (!Admit(EventType.Anomaly)) return;
        Counters.InScope[(int)EventType.Anomaly]++;
        if (_print is null) return;
        _json.WriteLine(e, _line);
        Print();
    }

    void Print()
    {
        _line.Write("\n"u8);
        _print!.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
    }

    /// <summary>Forgets the half-made line and alerts of an event that met a mistake of ours, so that they do not become part of the next one's.</summary>
    public void Abandon()
    {
        _line.ResetWrittenCount();
        _raised.Clear();
    }

    bool Admit(EventType type)
    {
        Counters.Taken[(int)type]++;
        if (_wanted[(int)type]) return true;
        Counters.Unwanted[(int)type]++;
        return false;
    }

    bool Passes(EventType type, ScopeVerdict? verdict)
    {
        if (verdict is null or { IsAccepted: true })
        {
            Counters.InScope[(int)type]++;
            return true;
        }
        Counters.OutOfScope[(int)verdict.Value.Reason]++;
        return false;
    }

    void Settle(EventType type, int score)
    {
        if (score > 0) Counters.Scored[(int)type]++;
        if (_spool is not null)
        {
            _spool.Append(type, score, _line.WrittenSpan);
        }
        else if (_print is not null)
        {
            _line.Write("\n"u8);
            _print.Write(_line.WrittenSpan);
        }
        _line.ResetWrittenCount();
        if (_raised.Count == 0) return;
        foreach (Alert raised in _raised)
        {
            Alert alert = AlertEvents.WithHost(raised, _hosts);
            Counters.Alerts++;
            _spool?.AppendAlert(alert);
            _alert?.Invoke(alert);
        }
        _raised.Clear();
    }
}

/// <summary>An <see cref="EventStage"/> as the sink that a ring's reader wants.</summary>
readonly struct StageSink(EventStage stage) : IEventSink
{
    public void OnDns(scoped in DnsEvent e) => stage.OnDns(e);
    public void OnIp(scoped in IpEvent e) => stage.OnIp(e);
    public void OnHttp(scoped in HttpEvent e) => stage.OnHttp(e);
    public void OnTls(scoped in TlsEvent e) => stage.OnTls(e);
    public void OnHost(scoped in HostEvent e) => stage.OnHost(e);
    public void OnAnomaly(scoped in AnomalyEvent e) => stage.OnAnomaly(e);
}

/// <summary>What the pipeline did with events since the start. Taken = Unwanted + OutOfScope + InScope, to the event.</summary>
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
    public long Alerts;
}

/// <summary>The scorer's samples as event lines.</summary>
sealed class SampleLines : IEventLines
{
    readonly EventJson _json = new();

    public string Line(scoped in DnsEvent e) => _json.ToText(e);
    public string Line(scoped in IpEvent e) => _json.ToText(e);
    public string Line(scoped in HttpEvent e) => _json.ToText(e);
    public string Line(scoped in TlsEvent e) => _json.ToText(e);
}
