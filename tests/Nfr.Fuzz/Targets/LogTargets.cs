using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Fuzz;

/// <summary>What a log's lines became, to be compared.</summary>
sealed class Became : IEventSink
{
    readonly List<string> _events = [];

    public IReadOnlyList<string> Events => _events;

    public void OnDns(scoped in DnsEvent e) => _events.Add($"{e.Context.Source} {e.Context.Protocol} {e.Id} {Encoding.Latin1.GetString(e.Query)} {e.QueryType} {e.ResponseCode} {e.Flags}");
    public void OnIp(scoped in IpEvent e) => throw new InvalidOperationException("an ip event");
    public void OnHttp(scoped in HttpEvent e) => throw new InvalidOperationException("an http event");
    public void OnTls(scoped in TlsEvent e) => throw new InvalidOperationException("a tls event");
    public void OnHost(scoped in HostEvent e) => throw new InvalidOperationException("a host event");
    public void OnAnomaly(scoped in AnomalyEvent e) => throw new InvalidOperationException("an anomaly");
}

/// <summary>
/// Lines of a log: read at once, and read up to a line, killed there, and read on from what was kept: both make the same events. Stamps are not compared: what an
/// earlier line told of dates may be forgotten.
/// </summary>
abstract class LogTarget : Target
{
    public override int Runs => 8_000;
    public override bool MayAllocate => true;

    protected abstract LineParser Parser();

    public override void Run(ReadOnlySpan<byte> input)
    {
        var lines = new List<(byte[] Line, long At)>();
        long at = 0;
        foreach (Range range in input.Split((byte)'\n'))
        {
            lines.Add((input[range].ToArray(), at));
            at += input[range].Length + 1;
        }
        LineParser whole = Parser();
        var once = new Became();
        Read(whole, lines, 0, at, once);
        whole.Release(once);

        long cut = lines[input.Length % lines.Count].At;
        var twice = new Became();
        LineParser first = Parser(), second = Parser();
        Read(first, lines, 0, cut, twice);
        Read(second, lines, Math.Min(cut, first.OldestHeld), cut, new Became());
        if (second.OldestHeld != first.OldestHeld) throw new InvalidOperationException($"held from {first.OldestHeld}, and from {second.OldestHeld} when read again");
        Read(second, lines, cut, at, twice);
        second.Release(twice);
        if (!once.Events.SequenceEqual(twice.Events))
            throw new InvalidOperationException($"killed before {cut}: {string.Join(" | ", once.Events)} became {string.Join(" | ", twice.Events)}");
    }

    static void Read(LineParser parser, List<(byte[] Line, long At)> lines, long from, long to, Became sink)
    {
        foreach ((byte[] line, long at) in lines)
        {
            if (at < from || at >= to) continue;
            parser.At = at;
            _ = parser.Read(line, sink);
        }
    }
}

sealed class MsdnsTarget : LogTarget
{
    public override string Name => "msdns";

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])[" PACKET ", " Rcv ", " Snd ", " R Q [", "   Q [", "NXDOMAIN]", "(0)", "(3)www", "(63)", " AM ", " PM ", "下午 ", "1/13/2026", "13.1.26", "20260120", "01/08/1447", "1404/10/30", "2569", "::1", "fe80::1%4",
            "\n", " EVENT ", "DNS Server log file creation at "]).Select(Encoding.UTF8.GetBytes),
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        const string Packet = "PACKET  000002C53117D990 UDP ";
        yield return Encoding.UTF8.GetBytes("""
            DNS Server log file creation at 1/20/2026 10:15:10 PM

            Message logging key (for packets - other items use a subset of these fields):
            	Field #  Information         Values
            1/20/2026 10:15:10 PM 01A0 EVENT   The DNS server has started.
            """);
        yield return Encoding.UTF8.GetBytes(string.Join('\n', "1/2/2026 3:29:17 PM 0294 " + Packet + "Rcv 10.0.0.1  d07e   Q [0001   D   NOERROR] A      (4)home(4)gell(3)one(0)",
            "1/2/2026 3:29:18 PM 0294 " + Packet + "Snd 10.0.0.1  d07e R Q [8385 A DR NXDOMAIN] A      (4)home(4)gell(3)one(0)",
            "1/2/2026 3:29:18 PM 0294 " + Packet + "Rcv ::1  d07e   Q [0001   D   NOERROR] A      (4)home(4)gell(3)one(0)", "UDP question info at 00", "  Socket = 488"));
        yield return Encoding.UTF8.GetBytes(string.Join('\n', Enumerable.Range(0, 12).Select(i =>
            $"{11 + (i / 4)}.01.2026 00:00:{i:00} 0FE0 {Packet}{(i % 3 == 2 ? "Snd" : "Rcv")} 10.0.0.2 ede1 {(i % 3 == 2 ? "R" : " ")} Q [0001   D   NOERROR] A      (4)ocsp(0)")));
        yield return Encoding.UTF8.GetBytes("2026-01-20 오후 11:00:16 738 PACKET  TCP Rcv 10.0.0.2 ede1   Q [0001   D   NOERROR] ALL (5)müde(1).(2)\\(0)");
    }

    protected override LineParser Parser() => new MsdnsParser(new LineOptions { Zone = TimeZoneInfo.Utc });
}

sealed class EdgeTarget : LogTarget
{
    public override string Name => "edge";

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. ((string[])["{", "}", "[", "]", ",", "\"", "\\", "\n", "{}", "\"time\":1529603514134", "\"source\":\"10.0.0.1\"", "\"query\":\"a.\"", "\"answers\":[{}]", "\\u00ff"]).Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds)
    {
        const string Record = """{"time":1529603514134,"source":"10.0.0.1","query":"google.com.","queryType":"A","queryProtocol":"UDP"}""";
        yield return Encoding.UTF8.GetBytes($"[\n{Record},\n{Record}\n]\n");
        yield return Encoding.UTF8.GetBytes($"[{Record},{Record}]");
        yield return Encoding.UTF8.GetBytes("[ " + Record.Replace(",", ",\n  ", StringComparison.Ordinal) + ",\n{\"time\":1588863296043,\"answers\":[{\"recordType\":\"CNAME\",\"rData\":\"x.\"}],\n\"response\":\"NXDOMAIN\",\"source\":\"::1\",\"query\":\"m\\u00fcde\"} ]");
    }

    protected override LineParser Parser() => new EdgeParser(new LineOptions());
}

/// <summary>The first line is a layout of Go's, the second a time by it.</summary>
sealed class GoLayoutTarget : Target
{
    static readonly DateTime s_now = new(2026, 11, 22);

    public override string Name => "golayout";
    public override int Runs => 30_000;
    public override bool MayAllocate => true;
    public override int MaximumLength => 256;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])["2006", "01", "1", "Jan", "January", "02", "2", "_2", "002", "__2", "15", "03", "3", "04", "05", "PM", "pm", ".000", ".999", ",000", "MST", "-0700", "-07:00:00", "Z07:00", "Mon", "Monday", "\n", " "])
            .Select(Encoding.UTF8.GetBytes),
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
        ((string[])["2006-01-02 15:04:05.000 -0700\n2026-01-09 23:00:16.125 +0100", "Mon Jan _2 3:04:05 PM MST 2006\nFri Jan  9 11:00:16 p.m. UTC 2026", "__2 15:04 Z07:00\n  9 23:00 Z", "2006-002 15:04\n2026-366 00:00"])
        .Select(Encoding.UTF8.GetBytes);

    public override void Run(ReadOnlySpan<byte> input)
    {
        int end = input.IndexOf((byte)'\n');
        if (end < 0) return;
        GoLayout? layout = GoLayout.Make(Encoding.UTF8.GetString(input[..end]), out string fault);
        if (layout is null == (fault.Length == 0)) throw new InvalidOperationException("neither a layout nor a fault");
        if (layout is null || !layout.TryRead(input[(end + 1)..], s_now, out DateTime local, out int nanoseconds, out TimeSpan? offset)) return;
        if (nanoseconds is < 0 or > 999_999_999 || local.Year is < 1678 or > 2261 || offset is { TotalHours: < -26 or > 26 }) throw new InvalidOperationException($"{local} {nanoseconds} {offset}");
    }
}

/// <summary>A file's first bytes: no format is told that has no line for it.</summary>
sealed class FormatTarget : Target
{
    public override string Name => "format";
    public override int Runs => 8_000;
    public override bool MayAllocate => true;

    public override IReadOnlyList<byte[]> Words { get; } =
        [.. ((string[])["\n", "#separator ", "#fields\t", "{\"ts\":1,\"_path\":\"\"}", "\"event_type\":\"dns\"", " PACKET ", "named[1]: ", "dnsmasq[1]: query[A] a from ::1", "unbound[1:0] info: ", "[INFO] ", "\"queryType\":\"\""]).Select(Encoding.UTF8.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) =>
        ((string[])["Jan  2 15:04:05 gw dnsmasq[12]: query[A] a.example from 10.0.0.1\n", "[1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN\n", "[{\"time\":1,\"source\":\"\",\"query\":\"\",\"queryType\":\"\"}]",
            "[INFO] 10.0.0.1:53124 - 1234 \"A IN a.example. udp 41 false 4096\" NOERROR qr,rd,ra 70 0.001s\n", "{\"timestamp\":\"2023-11-14T22:13:20.230758+0000\",\"event_type\":\"dns\"}\n"]).Select(Encoding.UTF8.GetBytes);

    public override void Run(ReadOnlySpan<byte> input)
    {
        DetectedFormat detected = FormatDetector.Detect(input);
        if ((detected.Kind == FileKind.Log) != (detected.Format is not null) || (detected.Kind == FileKind.Unknown) != (detected.Sentence.Length > 0)) throw new InvalidOperationException(detected.ToString());
    }
}
