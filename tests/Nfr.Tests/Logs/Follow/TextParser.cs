using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Follow;

/// <summary>
/// The simplest format: a line is an event with the line as its name. "#…" is a header that the lines behind it want, "bad…" is skipped,
/// "ask N" is held until "answer N" comes.
/// </summary>
sealed class TextParser(LineOptions options, bool needsHeader = false) : LineParser(options)
{
    readonly List<(long At, byte[] Name)> _held = [];
    long _header = -1;

    public override long OldestHeld => _held.Count > 0 ? _held[0].At : long.MaxValue;
    public override long HeaderAt => _header;

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (line.IsEmpty) return LineVerdict.Header;
        if (line[0] == '#')
        {
            _header = At;
            return LineVerdict.Header;
        }
        if (needsHeader && _header < 0) return LineVerdict.NoHeader;
        if (line.StartsWith("bad"u8)) return LineVerdict.Syntax;
        if (line.StartsWith("throw"u8)) throw new InvalidOperationException("a mistake");
        if (line.StartsWith("ask "u8))
        {
            _held.Add((At, line.ToArray()));
            return LineVerdict.Held;
        }
        if (line.StartsWith("answer "u8))
        {
            string name = "ask " + Encoding.UTF8.GetString(line["answer ".Length..]);
            int at = _held.FindIndex(h => Encoding.UTF8.GetString(h.Name) == name);
            if (at < 0) return LineVerdict.Other;
            _held.RemoveAt(at);
            Send(Encoding.UTF8.GetBytes(name + " answered"), sink);
            return LineVerdict.Answer;
        }
        Send(line, sink);
        return LineVerdict.Event;
    }

    public override void Release(IEventSink sink)
    {
        foreach ((_, byte[] name) in _held) Send(name, sink);
        _held.Clear();
    }

    public override void Restart()
    {
        _held.Clear();
        _header = -1;
    }

    void Send(ReadOnlySpan<byte> name, IEventSink sink)
    {
        var e = new DnsEvent { Query = name[..Math.Min(name.Length, 255)], ResponseCode = -1 };
        Stamp(ref e.Context, 1);
        sink.OnDns(e);
    }
}

/// <summary>Takes what a ring holds as a pipeline does.</summary>
readonly struct NamesSink(List<string> names, Action<InputMark>? marks = null) : IEventSink
{
    public void OnDns(scoped in DnsEvent e) => names.Add(Encoding.UTF8.GetString(e.Query));
    public void OnIp(scoped in IpEvent e) => names.Add("ip");
    public void OnHttp(scoped in HttpEvent e) => names.Add("http");
    public void OnTls(scoped in TlsEvent e) => names.Add("tls");
    public void OnHost(scoped in HostEvent e) => names.Add("host");
    public void OnAnomaly(scoped in AnomalyEvent e) => names.Add("anomaly");
    public void OnMark(in InputMark mark) => marks?.Invoke(mark);
}
