using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs;

/// <summary>What a parser made of lines: a verdict each, and the events as our lines and as upload lines.</summary>
sealed class LineBed(LineParser parser, Scope? scope = null) : IEventSink
{
    readonly EventJson _json = new();
    readonly ArrayBufferWriter<byte> _text = new();
    long _at;

    public LineParser Parser => parser;
    public List<LineVerdict> Verdicts { get; } = [];
    /// <summary>Event lines, in the order of the log.</summary>
    public List<string> Events { get; } = [];
    /// <summary>Upload lines of those that the scope takes, each with the number of its line.</summary>
    public List<(int Line, string Upload)> Uploads { get; } = [];

    public int Count(LineVerdict verdict) => Verdicts.Count(v => v == verdict);

    public LineVerdict Line(string line) => Line(Encoding.Latin1.GetBytes(line));

    public LineVerdict Line(ReadOnlySpan<byte> line)
    {
        parser.At = _at;
        _at += line.Length + 1;
        LineVerdict verdict = parser.Read(line, this);
        Verdicts.Add(verdict);
        return verdict;
    }

    public LineBed Text(string text)
    {
        foreach (string line in text.Split('\n')) Line(line.TrimEnd('\r'));
        return this;
    }

    public LineBed File(string path)
    {
        byte[] bytes = System.IO.File.ReadAllBytes(path);
        if (bytes is [0x1F, 0x8B, ..])
        {
            using var zip = new System.IO.Compression.GZipStream(new MemoryStream(bytes), System.IO.Compression.CompressionMode.Decompress);
            var whole = new MemoryStream();
            zip.CopyTo(whole);
            bytes = whole.ToArray();
        }
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            Line((end < 0 ? rest : rest[..end]).TrimEnd((byte)'\r'));
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        return this;
    }

    public void OnDns(scoped in DnsEvent e)
    {
        Events.Add(_json.ToText(e));
        if (scope is not null && !scope.Decide(e).IsAccepted) return;
        _json.WriteUpload(e, _text);
        Keep();
    }

    public void OnIp(scoped in IpEvent e)
    {
        Events.Add(_json.ToText(e));
        if (scope is not null && !scope.Decide(e).IsAccepted) return;
        _json.WriteUpload(e, _text);
        Keep();
    }

    public void OnHttp(scoped in HttpEvent e)
    {
        Events.Add(_json.ToText(e));
        if (scope is not null && !scope.Decide(e).IsAccepted) return;
        _json.WriteUpload(e, _text);
        Keep();
    }

    public void OnTls(scoped in TlsEvent e)
    {
        Events.Add(_json.ToText(e));
        if (scope is not null && !scope.Decide(e).IsAccepted) return;
        _json.WriteUpload(e, _text);
        Keep();
    }

    public void OnHost(scoped in HostEvent e)
    {
    }

    public void OnAnomaly(scoped in AnomalyEvent e)
    {
    }

    void Keep()
    {
        Uploads.Add((Verdicts.Count, Encoding.UTF8.GetString(_text.WrittenSpan)));
        _text.ResetWrittenCount();
    }
}
