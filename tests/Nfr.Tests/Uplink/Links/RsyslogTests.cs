using System.Security.Cryptography.X509Certificates;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Tests.Uplink;

/// <summary>What others' server understands of our syslog, to the byte behind its own template.</summary>
public sealed class RsyslogTests(ITestOutputHelper output)
{
    static readonly Alert[] s_alerts =
    [
        UplinkBench.Alert(0) with { Threats = [new("c2_communication", "C2 \"communication\"", 5, true), new("young", "Young | domain", 2)] },
        new()
        {
            Threats = [new("port_scan", "Port scan", 3)],
            Groups = [new("a]b\"c\\d", "")],
            Event = new AlertEvent { Type = EventType.Ip, Ts = "2018-09-06T16:09:04.5+02:00", SrcIP = "1.2.3.4", SrcPort = 16830, DestIP = "4.3.2.1", DestPort = 443, Proto = "tcp", BytesIn = 744, BytesOut = 1376 },
        },
        new()
        {
            Threats = [new("odd_url", "Odd URL", 1)],
            Event = new AlertEvent { Type = EventType.Http, Ts = "2018-09-06T14:09:04Z", SrcIP = "1.2.3.4", SrcPort = 1, Url = "http://a.b/?c=d|e^f\\g\nh", Method = "GET", Status = 200, UserAgent = "a\tb" },
        },
        new()
        {
            Threats = [new("bad_cert", "Bad certificate", 4)],
            Event = new AlertEvent { Type = EventType.Tls, Ts = "2018-09-06T14:09:04Z", SrcIP = "1.2.3.4", DestIP = "4.3.2.1", DestPort = 443, Ja3 = "a", Issuer = "CN=Zürich €", Subject = "CN=s=1" },
        },
    ];

    static AlertPage Page(AlertFormat format) => new([.. s_alerts.Select((a, i) => new StoredAlert(i + 1, a))], format, LinkBench.Sensor);

    /// <summary>The lines that the template makes of our own message.</summary>
    static IEnumerable<string> Expected(AlertPage page, SyslogRfc rfc)
    {
        for (int i = 0; i < page.Count; i++)
        {
            Alert alert = page.Alerts[i].Alert;
            string[] lines = System.Text.Encoding.UTF8.GetString(page.LinesOf(i).Span).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            for (int n = 0; n < lines.Length; n++)
            {
                AlertThreat threat = alert.Threats[n];
                int priority = 128 + (7 - threat.Severity);
                string groups = alert.Groups.Count == 0 ? "" : " groups=\"a\\]b\\\"c\\\\d\"", flags = alert.Flags.Count == 0 ? "" : " flags=\"c2,young_domain\"";
                string time = alert.Event.Ts.EndsWith("+02:00", StringComparison.Ordinal) ? "2018-09-06T14:09:04.500Z" : alert.Event.Ts.Length == 20 ? "2018-09-06T14:09:04.000Z" : alert.Event.Ts;
                string mark = lines[n].All(char.IsAscii) ? "" : "\uFEFF";
                yield return rfc == SyslogRfc.Rfc5424
                    ? $"{priority}|{time}|sensor-1|nfr[{Environment.ProcessId}]|{Environment.ProcessId}|{threat.Id}|[nfr@32473 severity=\"{threat.Severity}\" policy=\"{(threat.Policy ? "true" : "false")}\" type=\"{alert.Event.Type.Name()}\" src=\"1.2.3.4\"{flags}{groups} sensor=\"{LinkBench.Sensor.Id}\"]|{mark}{lines[n]}"
                    : $"{priority}|sensor-1|nfr[{Environment.ProcessId}]:|{Environment.ProcessId}|-|-| {lines[n]}";
            }
        }
    }

    /// <summary>RFC 3164 tells no year and no zone: the server's guess is left out.</summary>
    static string WithoutTime(string line) => line[..(line.IndexOf('|', StringComparison.Ordinal) + 1)] + line[(line.IndexOf('|', line.IndexOf('|', StringComparison.Ordinal) + 1) + 1)..];

    [Fact]
    public async Task Rsyslog_reads_every_format_over_every_way_to_the_byte()
    {
        if (RsyslogServer.Missing is { } missing)
        {
            output.WriteLine($"skipped: {missing}");
            return;
        }
        using TestAuthority authority = new();
        using X509Certificate2 certificate = authority.Sign("127.0.0.1");
        (string file, string key) = authority.WritePair("server", certificate);
        using RsyslogServer server = new(authority, file, key);
        await server.ListensAsync();
        LinkOptions udp = new() { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = server.UdpPort };
        LinkOptions tcp = new() { Protocol = LinkProtocol.Tcp, Host = "127.0.0.1", Port = server.TcpPort };
        LinkOptions tls = new() { Protocol = LinkProtocol.Tls, Host = "127.0.0.1", Port = server.TlsPort, Tls = new TlsSettings { Roots = authority.RootFile } };
        int seen = 0;
        foreach (AlertFormat format in new[] { AlertFormat.Json, AlertFormat.Cef, AlertFormat.Leef })
        {
            foreach (SyslogSinkOptions way in new[]
            {
                new SyslogSinkOptions { Link = udp },
                new SyslogSinkOptions { Link = tcp },
                new SyslogSinkOptions { Link = tcp, Framing = SyslogFraming.Line },
                new SyslogSinkOptions { Link = tls },
                new SyslogSinkOptions { Link = tcp, Rfc = SyslogRfc.Rfc3164, Framing = SyslogFraming.Line },
                new SyslogSinkOptions { Link = udp, Rfc = SyslogRfc.Rfc3164 },
            })
            {
                AlertPage page = Page(format);
                string[] expected = [.. Expected(page, way.Rfc)];
                using SyslogSink sink = new(way, LinkBench.Sensor, TimeProvider.System);
                Assert.Equal(new SinkAnswer(page.Count, 0, null), await sink.WriteAsync(page, CancellationToken.None).WaitAsync(UplinkBench.Limit));
                await UplinkBench.UntilAsync(() => server.Lines.Length >= seen + expected.Length, $"{format} by {way}; it says: {server.Said}");
                IEnumerable<string> got = server.Lines.Skip(seen);
                // Datagrams may overtake each other in the server's threads.
                Assert.Equal(expected.Order(StringComparer.Ordinal), (way.Rfc == SyslogRfc.Rfc5424 ? got : got.Select(WithoutTime)).Order(StringComparer.Ordinal));
                seen += expected.Length;
            }
        }
    }

    [Fact]
    public async Task Rsyslog_that_is_restarted_again_and_again_misses_nothing()
    {
        if (RsyslogServer.Missing is { } missing)
        {
            output.WriteLine($"skipped: {missing}");
            return;
        }
        using TestAuthority authority = new();
        using X509Certificate2 certificate = authority.Sign("127.0.0.1");
        (string file, string key) = authority.WritePair("server", certificate);
        using RsyslogServer server = new(authority, file, key);
        await server.ListensAsync();
        using SyslogSink sink = LinkBench.Syslog(new LinkOptions { Protocol = LinkProtocol.Tcp, Host = "127.0.0.1", Port = server.TcpPort });
        using CancellationTokenSource over = new();
        int taken = 0, faults = 0;
        Task sending = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                SinkAnswer answer = await sink.WriteAsync(LinkBench.Page(taken, 20), CancellationToken.None);
                Volatile.Write(ref taken, taken + answer.Taken);
                if (answer.Fault is null) continue;
                Interlocked.Increment(ref faults);
                await Task.Delay(20, CancellationToken.None);
            }
        });
        for (int i = 0; i < 3; i++)
        {
            int before = Volatile.Read(ref taken);
            await UplinkBench.UntilAsync(() => Volatile.Read(ref taken) >= before + 100, "some pages");
            server.Stop();
            server.Start();
            await server.ListensAsync();
        }
        int last = Volatile.Read(ref taken);
        await UplinkBench.UntilAsync(() => Volatile.Read(ref taken) >= last + 100, "the last pages");
        await over.CancelAsync();
        await sending.WaitAsync(UplinkBench.Limit);
        await UplinkBench.UntilAsync(() => server.Lines.Where(l => l.Contains("virus-", StringComparison.Ordinal)).Select(LinkBench.Number).Distinct().Count() >= taken, $"all of {taken}");
        int[] got = [.. server.Lines.Where(l => l.Contains("virus-", StringComparison.Ordinal)).Select(LinkBench.Number)];
        output.WriteLine($"{taken} alerts, {got.Length - got.Distinct().Count()} of them twice, {faults} faults over 3 restarts");
        Assert.Equal(Enumerable.Range(0, taken), got.Distinct().Order());
    }
}
