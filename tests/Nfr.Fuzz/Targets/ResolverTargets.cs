using System.Buffers;
using System.Text;
using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Fuzz;

/// <summary>
/// The first byte says whose log it is, lines follow: BIND, dnsmasq, unbound, CoreDNS. Each has one verdict, every event has a name and can be written, and
/// nothing stays held when no line will come any more.
/// </summary>
sealed class ResolversTarget : Target
{
    static readonly LogFormat[] s_formats = [LogFormat.Bind, LogFormat.Dnsmasq, LogFormat.Unbound, LogFormat.CoreDns];

    static readonly string[] s_texts =
    [
        "\u000001-Jan-2024 12:00:00.123 queries: info: client @0x7f5c 10.0.0.1#53124/key k (a.b): view in: query: a\\032b.\\(c IN TYPE65 +SE(0)TDCVK (10.0.0.53) [ECS 1.2.3.0/24/0]\n2024-01-01T13:00:00.5+01:00 client fe80::1%eth0#5 (.): query: . CH TXT - (::1)",
        "\u00001483228800 Jan 1 00:00:00 localhost named[100]: queries: info: client 10.0.0.1#5 (a.b): query: a.b IN A +ED (10.0.0.53)\nMon Nov  2 15:04:05 2026 daemon.info named[42]: client 10.0.0.1#5: query: a.b IN A",
        "\0<30>1 2026-11-02T15:04:05.123456+02:00 ns1 named 42 - [x@1 a=\"]\\\"\"][b] \u00EF\u00BB\u00BFclient @0x1 10.0.0.1#5 (a.b): query: a.b IN A + (10.0.0.53)\nclient 10.0.0.1#5 (a): query: a IN A +",
        "\u0001Nov  2 15:04:05 dnsmasq[12]: query[type=65] a.b from 10.0.0.1\nNov  2 15:04:05 dnsmasq[12]: query[A] a.b from fe80::1%eth0\nNov  2 15:04:05 dnsmasq[12]: reply a.b is <CNAME>\nNov  2 15:04:05 dnsmasq[12]: reply c.b is 192.0.2.1\nNov  2 15:04:05 dnsmasq[12]: reply a.b is NODATA",
        "\u0001Nov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/5 query[PTR] 4.3.2.1.in-addr.arpa from 10.0.0.1\nNov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/5 /etc/hosts 1.2.3.4 is a.b\nNov  2 15:04:05 dnsmasq[12]: 8 10.0.0.2/6 reply query is duplicate\nNov  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/5 reply error is SERVFAIL (EDE: x)",
        "\u0001Nov  2 15:04:05 dnsmasq[12]: query[AAAA] a.b from ::1\nNov  2 15:04:05 dnsmasq[12]: gravity blocked a.b is ::\nNov  2 15:04:12 dnsmasq[12]: query[PTR] 1.ip6.arpa from ::1\nNov  2 15:04:12 dnsmasq[12]: cached 2001:db8::1 is NXDOMAIN",
        "\u0002[1700000000] unbound[12:0] info: 10.0.0.1 a.b. A IN\n[1700000000] unbound[12:0] info: b. redirect 10.0.0.1@5 a.b. A IN\n[1700000001] unbound[12:0] reply: 10.0.0.1 a.b. A IN NXDOMAIN 0.012 0 87 on tcp 10.0.0.53 53",
        "\u0002Nov 02 15:04:05 gw unbound[12]: [12:0] info: ::1 a?b. TYPE999 CH\n2024-09-01T12:00:00.123+02:00 unbound[12:0] query: ::1 a?b. TYPE999 CH\n[1700000009] unbound[12:0] info: 10.0.0.1 - - - FORMERR - - - ",
        "\u0003[INFO] [::1]:5 - 7 \"A IN a\\ b.c. udp 41 true 4096\" NOERROR qr,aa,tc,rd,ra,ad,cd 70 0.1s \"0\"\n2024-01-01T00:00:00.123456789Z stdout F 2019/01/02 15:04:05 [INFO] 10.0.0.1:5 - 7 \"A IN a. tcp 41 false 512\" - 0 1s",
        "\u0003{\"log\":\"[INFO] 10.0.0.1:5 - 7 \\\"A IN a\\\\\\\\032. udp 41 false 4096\\\" NXDOMAIN qr 134 1s\\n\",\"stream\":\"stdout\",\"time\":\"2024-01-01T00:00:00.5Z\"}\n[pod/c/d] 2018/02/19 10:00:00 [INFO] 10.0.0.1 - [x] \"A IN a. udp 1 false 1\" NOERROR qr 1 1s",
    ];

    readonly LineParser[] _parsers = [.. s_formats.Select(f => LogFormats.Parser(f, new LineOptions { Zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"), Time = new Noon() })!)];
    readonly Writer _writer = new();

    sealed class Noon : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
    }

    public override string Name => "resolvers";
    public override int Runs => 100_000;

    public override IReadOnlyList<byte[]> Words { get; } =
    [
        .. ((string[])["\n", "client ", ": query: ", " IN ", "(10.0.0.53)", "#53", "@0x1 ", "query[A] ", " from ", "reply ", "cached ", " is ", "<CNAME>", "NXDOMAIN", "NODATA-IPv4", "duplicate", "192.0.2.1", "2001:db8::1",
            "info: ", "reply: ", "unbound[1:0] ", "[1:0] ", "dnsmasq[1]: ", "named[1]: ", "<30>", "<30>1 ", "Feb 29 23:59:60 ", "[1700000009] ", "stdout F ", "[INFO] ", "\\\"", "\\032", "\\.", " - ", "\"", "Jan  1 00:00:00 ", "9999-12-31T23:59:60Z "]).Select(Encoding.Latin1.GetBytes),
    ];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => s_texts.Select(Encoding.Latin1.GetBytes);

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        LineParser parser = _parsers[input[0] & 3];
        input = input[1..];
        parser.At = 0;
        foreach (Range line in input.Split((byte)'\n'))
        {
            int before = _writer.Events;
            LineVerdict verdict = parser.Read(input[line], _writer);
            if (verdict == LineVerdict.Event && _writer.Events == before) throw new InvalidOperationException("an event that was not given");
            if (verdict == LineVerdict.Held && parser.OldestHeld > parser.At) throw new InvalidOperationException("a line is held that is not");
            parser.At += input[line].Length + 1;
        }
        parser.Release(_writer);
        if (parser.OldestHeld != long.MaxValue) throw new InvalidOperationException("something is held still");
    }

    sealed class Writer : IEventSink
    {
        readonly EventJson _json = new();
        readonly ArrayBufferWriter<byte> _line = new(1 << 16);

        public int Events { get; private set; }

        public void OnDns(scoped in DnsEvent e)
        {
            Events++;
            if (e.Query.IsEmpty || e.Query.ContainsAnyExceptInRange((byte)'!', (byte)'~')) throw new InvalidOperationException("a name that is none");
            _line.ResetWrittenCount();
            _json.WriteLine(e, _line);
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

/// <summary>A TCP connection of a sender of syslog: the first byte says how large the pieces are in which it comes; they make the same messages as when it comes at once.</summary>
sealed class SyslogTarget : Target
{
    public override string Name => "syslog";
    public override int Runs => 20_000;
    public override bool MayAllocate => true;

    public override IReadOnlyList<byte[]> Words { get; } = [.. ((string[])["\n", "\0", "5 <1>ab", "65536 <", "65537 <1>", "9999999 <", "<30>", " "]).Select(Encoding.Latin1.GetBytes)];

    public override IEnumerable<byte[]> Seeds(Seeds seeds) => ((string[])["\u00056 <1>abc<2>line\r\n7 <1>abcd2024 line\n<3>rest", "\u00013 <1>\n\n\0<1>x", "\u000770000 <1>" + new string('x', 1000)]).Select(Encoding.Latin1.GetBytes);

    public override void Run(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty) return;
        string whole = Messages(input[1..], int.MaxValue), pieces = Messages(input[1..], input[0] + 1);
        if (whole != pieces) throw new InvalidOperationException($"{whole} came as {pieces}");
    }

    static string Messages(ReadOnlySpan<byte> bytes, int size)
    {
        var frames = new SyslogFrames();
        var text = new StringBuilder();
        while (!bytes.IsEmpty)
        {
            Span<byte> room = frames.Room();
            if (room.IsEmpty) throw new InvalidOperationException("no room");
            int some = Math.Min(Math.Min(size, bytes.Length), room.Length);
            bytes[..some].CopyTo(room);
            frames.Filled(some);
            bytes = bytes[some..];
            while (frames.Next(out ReadOnlySpan<byte> message, out _) is var result and not SyslogFrames.Result.None) text.Append((int)result).Append(Encoding.Latin1.GetString(message)).Append('|');
        }
        if (frames.End(out ReadOnlySpan<byte> rest) == SyslogFrames.Result.Message) text.Append(Encoding.Latin1.GetString(rest));
        return text.ToString();
    }
}
