using System.Buffers;
using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Wire;

namespace Nfr.Tests.Logs;

/// <summary>A parser of a resolver's log, at noon (UTC) of the 21st of November 2026 in Berlin unless said otherwise, and what it made of its lines.</summary>
sealed class ResolverBed : IEventSink
{
    readonly EventJson _json = new();
    readonly LineParser _parser;
    long _at;

    public ResolverBed(LogFormat format, string zone = "UTC", bool[]? types = null)
    {
        _parser = LogFormats.Parser(format, new LineOptions { Time = Time, Zone = TimeZoneInfo.FindSystemTimeZoneById(zone), Types = types ?? LineOptions.TypesOf("all") })!;
    }

    public ManualTime Time { get; } = new();

    public LineParser Parser => _parser;

    /// <summary>"time client:port server/protocol name type rcode flags notes length", a line each.</summary>
    public List<string> Events { get; } = [];

    /// <summary>As they are uploaded.</summary>
    public List<string> Uploads { get; } = [];

    public List<LineVerdict> Verdicts { get; } = [];

    public LineVerdict Read(string line) => Read(Encoding.Latin1.GetBytes(line));

    public LineVerdict Read(ReadOnlySpan<byte> line)
    {
        _parser.At = _at;
        _at += line.Length + 1;
        LineVerdict verdict = _parser.Read(line, this);
        Verdicts.Add(verdict);
        return verdict;
    }

    /// <summary>The one event of a line; what it lacks is said by the assertion.</summary>
    public string Event(string line)
    {
        int before = Events.Count;
        Assert.Equal(LineVerdict.Event, Read(line));
        Assert.Equal(before + 1, Events.Count);
        return Events[^1];
    }

    public void Release() => _parser.Release(this);

    public void OnDns(scoped in DnsEvent e)
    {
        var answers = new StringBuilder();
        var reader = new DnsAnswerReader(e.Answers);
        while (reader.MoveNext()) answers.Append(CultureInfo.InvariantCulture, $" {Encoding.UTF8.GetString(DnsTypes.Name(reader.Type, new byte[16]))}={Encoding.UTF8.GetString(reader.Text)}");
        string when = (DateTimeOffset.UnixEpoch + TimeSpan.FromTicks(e.Context.Timestamp / 100)).ToString("yyyy-MM-ddTHH:mm:ss.FFFFFF", CultureInfo.InvariantCulture);
        Events.Add(string.Create(CultureInfo.InvariantCulture,
            $"{when} {e.Context.Source}:{e.Context.SourcePort} {(e.Context.Destination == default ? "-" : e.Context.Destination.ToString())}/{(e.Context.Protocol == 6 ? "tcp" : e.Context.Protocol == 17 ? "udp" : "-")} {Encoding.Latin1.GetString(e.Query)} {Encoding.UTF8.GetString(DnsTypes.Name(e.QueryType, new byte[16]))} {e.ResponseCode} {e.Flags:x4} {e.Notes} {e.QueryLength}{answers}"));
        var upload = new ArrayBufferWriter<byte>();
        _json.WriteUpload(e, upload);
        Uploads.Add(Encoding.UTF8.GetString(upload.WrittenSpan).TrimEnd());
    }

    public void OnIp(scoped in IpEvent e) => throw new InvalidOperationException("An ip event");

    public void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException("An http event");

    public void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException("A tls event");

    public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException("A host event");

    public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException("An anomaly");

    /// <summary>Every cut of these lines, each with bytes that make no sense, and a megabyte of them: nothing throws, and whatever comes has a name and a time.</summary>
    public static void Survives(LogFormat format, params string[] lines)
    {
        var bed = new ResolverBed(format);
        foreach (string line in lines)
        {
            byte[] bytes = Encoding.Latin1.GetBytes(line);
            for (int length = 0; length <= bytes.Length; length++)
            {
                bed.Read(bytes.AsSpan(0, length));
                bed.Read(bytes.AsSpan(length));
                byte[] odd = [.. bytes.AsSpan(0, length), 0, 0xFF, 0xC3, .. bytes.AsSpan(length)];
                bed.Read(odd);
            }
            bed.Read([.. bytes, .. new byte[1 << 20]]);
            byte[] wide = new byte[1 << 20];
            Array.Fill(wide, (byte)'a');
            for (int i = 0; i < wide.Length; i += 50) wide[i] = (byte)(i % 100 == 0 ? ' ' : '.');
            bed.Read([.. bytes, .. wide]);
            bed.Read([.. wide, .. bytes]);
        }
        bed.Release();
        Assert.Equal(long.MaxValue, bed.Parser.OldestHeld);
        Assert.All(bed.Events, e => Assert.DoesNotContain("  ", e, StringComparison.Ordinal));
    }

    /// <summary>Bytes that a hundred readings of these lines take once warm.</summary>
    public static long Allocated(LogFormat format, params string[] lines)
    {
        LineParser parser = LogFormats.Parser(format, new LineOptions { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin") })!;
        byte[][] bytes = [.. lines.Select(Encoding.Latin1.GetBytes)];
        var sink = new Nothing();
        return Allocation.Of(() =>
        {
            foreach (byte[] line in bytes) parser.Read(line, sink);
        });
    }

    sealed class Nothing : IEventSink
    {
        public void OnDns(scoped in DnsEvent e)
        {
        }

        public void OnIp(scoped in IpEvent e)
        {
        }

        public void OnHttp(scoped in HttpEvent e)
        {
        }

        public void OnTls(scoped in TlsEvent e)
        {
        }

        public void OnHost(scoped in HostEvent e)
        {
        }

        public void OnAnomaly(scoped in AnomalyEvent e)
        {
        }
    }
}
