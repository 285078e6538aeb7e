using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Wire;

namespace Nfr.Tests.Logs;

/// <summary>What a parser made of lines: an event's fields as texts, and every line's verdict.</summary>
sealed class DnsTaken : IEventSink
{
    readonly EventJson _json = new();

    public sealed record Event(long Timestamp, string Source, string Destination, int SourcePort, byte Protocol, string Query, ushort QueryType, short ResponseCode, int Id, int Flags, int QueryLength)
    {
        public DateTime Utc => DateTime.UnixEpoch.AddTicks(Timestamp / 100);
    }

    public List<Event> Events { get; } = [];
    public List<string> Uploads { get; } = [];
    public List<LineVerdict> Verdicts { get; } = [];

    /// <summary>Lines that each begin where a file's would.</summary>
    public DnsTaken Read(LineParser parser, IEnumerable<byte[]> lines)
    {
        foreach (byte[] line in lines)
        {
            Verdicts.Add(parser.Read(line, this));
            parser.At += line.Length + 1;
        }
        return this;
    }

    public DnsTaken Read(LineParser parser, params string[] lines) => Read(parser, lines.Select(Encoding.UTF8.GetBytes));

    public DnsTaken Release(LineParser parser)
    {
        parser.Release(this);
        return this;
    }

    public void OnDns(scoped in DnsEvent e)
    {
        Events.Add(new(e.Context.Timestamp, e.Context.Source.ToString(), e.Context.Destination.IsUnspecified ? "" : e.Context.Destination.ToString(), e.Context.SourcePort, e.Context.Protocol,
            Encoding.ASCII.GetString(e.Query), e.QueryType, e.ResponseCode, e.Id, e.Flags, e.QueryLength));
        var output = new ArrayBufferWriter<byte>();
        _json.WriteUpload(e, output);
        Uploads.Add(Encoding.UTF8.GetString(output.WrittenSpan).TrimEnd('\n'));
    }

    public void OnIp(scoped in IpEvent e) => throw new InvalidOperationException();
    public void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException();
    public void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException();
    public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException();
    public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException();
}
