using System.Buffers;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Logs.Suricata;

namespace Nfr.Tests.Logs.Suricata;

/// <summary>A parser of EVE lines and all that it makes of them, as event lines and upload lines.</summary>
sealed class EveBed : IEventSink
{
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _line = new();
    readonly EveParser _parser;
    long _at;

    readonly Scope? _scope;

    /// <param name="options">null = all types, UTC.</param>
    /// <param name="scope">Of the uploads; null = everything.</param>
    public EveBed(LineOptions? options = null, Scope? scope = null)
    {
        _scope = scope;
        _parser = new EveParser(options ?? new LineOptions { Zone = TimeZoneInfo.Utc });
    }

    public EveParser Parser => _parser;
    public List<string> Lines { get; } = [];
    public List<(EventType Type, string Body)> Uploads { get; } = [];
    public long[] Verdicts { get; } = new long[LineVerdicts.Count];
    public List<(EventContext Context, long Duration)> Contexts { get; } = [];

    public LineVerdict Read(string line) => Read(Encoding.UTF8.GetBytes(line));

    public LineVerdict Read(ReadOnlySpan<byte> line)
    {
        _parser.At = _at;
        _at += line.Length + 1;
        LineVerdict verdict = _parser.Read(line, this);
        Verdicts[(int)verdict]++;
        return verdict;
    }

    /// <summary>All lines, and what waits at the end.</summary>
    public EveBed ReadAll(IEnumerable<string> lines)
    {
        foreach (string line in lines) Read(line);
        _parser.Release(this);
        return this;
    }

    /// <summary>The only event, by its key.</summary>
    public JsonElement Only => JsonDocument.Parse(Assert.Single(Lines)).RootElement;

    public JsonElement this[int i] => JsonDocument.Parse(Lines[i]).RootElement;

    void Keep(in EventContext context, long duration)
    {
        Lines.Add(Encoding.UTF8.GetString(_line.WrittenSpan));
        _line.ResetWrittenCount();
        Contexts.Add((context, duration));
    }

    void Upload(EventType type, ScopeVerdict? verdict)
    {
        if (verdict is null or { IsAccepted: true }) Uploads.Add((type, Encoding.UTF8.GetString(_line.WrittenSpan)));
        _line.ResetWrittenCount();
    }

    public void OnDns(scoped in DnsEvent e)
    {
        _json.WriteUpload(e, _line);
        Upload(EventType.Dns, _scope?.Decide(e));
        _json.WriteLine(e, _line);
        Keep(e.Context, 0);
    }

    public void OnIp(scoped in IpEvent e)
    {
        _json.WriteUpload(e, _line);
        Upload(EventType.Ip, _scope?.Decide(e));
        _json.WriteLine(e, _line);
        Keep(e.Context, e.Duration);
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        _json.WriteUpload(e, _line);
        Upload(EventType.Http, _scope?.Decide(e));
        _json.WriteLine(e, _line);
        Keep(e.Context, 0);
    }

    public void OnTls(scoped in TlsEvent e)
    {
        _json.WriteUpload(e, _line);
        Upload(EventType.Tls, _scope?.Decide(e));
        _json.WriteLine(e, _line);
        Keep(e.Context, 0);
    }

    public void OnSignature(scoped in SignatureEvent e)
    {
        _json.WriteLine(e, _line);
        Keep(e.Context, 0);
    }

    public void OnHost(scoped in HostEvent e) => Assert.Fail("EVE has no hosts");

    public void OnAnomaly(scoped in AnomalyEvent e) => Assert.Fail("EVE's anomalies are none of ours");
}
