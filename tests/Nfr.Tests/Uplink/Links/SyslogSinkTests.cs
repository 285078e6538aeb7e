using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class SyslogSinkTests
{
    readonly OctetMessages _got = new();

    static int[] Range(int count) => [.. Enumerable.Range(0, count)];
    int[] Numbers => [.. _got.All.Select(LinkBench.Number)];

    RawServer Server() => new(async (socket, stop) =>
    {
        using NetworkStream stream = new(socket);
        await _got.ReadAsync(stream, int.MaxValue, stop);
    });

    [Fact]
    public async Task Pages_arrive_in_order_over_one_connection()
    {
        await using RawServer server = Server();
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server));
        Assert.Equal(0, await LinkBench.SendAllAsync(sink, 250, 100));
        await UplinkBench.UntilAsync(() => _got.All.Length == 250, "all messages");
        Assert.Equal(Range(250), Numbers);
        Assert.Equal(1, server.Connections);
        Assert.Equal($"syslog tcp://127.0.0.1:{new Uri(server.Host).Port}", sink.Target);
    }

    [Theory]
    [InlineData(AlertFormat.Ecs, "event", "dataset", "nfr.alert")]
    [InlineData(AlertFormat.Ocsf, "metadata", "version", "1.2.0")]
    public async Task A_message_is_one_document_in_the_formats_of_others_too(AlertFormat format, string section, string key, string value)
    {
        await using RawServer server = Server();
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server));
        Assert.Equal(3, (await sink.WriteAsync(LinkBench.Page(0, 3, format), CancellationToken.None)).Taken);
        await UplinkBench.UntilAsync(() => _got.All.Length == 3, "all messages");
        Assert.Equal(Range(3), Numbers);
        foreach (string message in _got.All)
        {
            using JsonDocument document = JsonDocument.Parse(message[message.IndexOf('{', StringComparison.Ordinal)..]);
            Assert.Equal(value, document.RootElement.GetProperty(section).GetProperty(key).GetString());
        }
        Assert.Equal(0, sink.Cut);
    }

    [Fact]
    public async Task What_had_to_be_cut_is_counted_once_it_is_taken()
    {
        await using RawServer server = Server();
        using var sink = new SyslogSink(new SyslogSinkOptions { Link = LinkBench.Tcp(server), MaxBytes = 150 }, LinkBench.Sensor, TimeProvider.System);
        Assert.Equal(3, (await sink.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None)).Taken);
        Assert.Equal(3, sink.Cut);
        await UplinkBench.UntilAsync(() => _got.All.Length == 3, "all messages");
        Assert.All(_got.All, message => Assert.Equal(150, message.Length));
        using var gone = new SyslogSink(new SyslogSinkOptions { Link = new LinkOptions { Protocol = LinkProtocol.Tcp, Host = "127.0.0.1", Port = 1 }, MaxBytes = 150 }, LinkBench.Sensor, TimeProvider.System);
        Assert.Equal(0, (await gone.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None)).Taken);
        Assert.Equal(0, gone.Cut);
    }

    [Fact]
    public async Task A_server_that_is_killed_again_and_again_loses_nothing()
    {
        // Each connection is reset after some bytes, mostly in the middle of a page and with more in the kernel than was read.
        var random = new Random(5);
        int connections = 0;
        await using RawServer server = new(async (socket, stop) =>
        {
            int most;
            lock (random) most = ++connections % 5 == 0 ? 180_000 : random.Next(1, 30_000);
            using NetworkStream stream = new(socket);
            await _got.ReadAsync(stream, most, stop);
            RawServer.Reset(socket);
        });
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server));
        int faults = await LinkBench.SendAllAsync(sink, 2000, 50);
        Assert.True(connections > 8 && faults > 0, $"{connections} connections, {faults} faults");
        Assert.Equal(Range(2000), Numbers.Distinct().Order());
    }

    [Fact]
    public async Task A_server_that_closes_in_order_gets_nothing_twice()
    {
        // It reads exactly one page a connection.
        int bytes = 0, closed = 0;
        await using RawServer orderly = new(async (socket, stop) =>
        {
            using NetworkStream stream = new(socket);
            await _got.ReadAsync(stream, Volatile.Read(ref bytes), stop);
            socket.Shutdown(SocketShutdown.Both);
            Interlocked.Increment(ref closed);
        });
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(orderly));
        bytes = Length(LinkBench.Page(10, 20));
        for (int i = 0; i < 5; i++)
        {
            SinkAnswer answer = await sink.WriteAsync(LinkBench.Page(10 + (i * 20), 20 - (i == 4 ? 10 : 0)), CancellationToken.None).WaitAsync(UplinkBench.Limit);
            Assert.Equal((20 - (i == 4 ? 10 : 0), null), (answer.Taken, answer.Fault));
            await UplinkBench.UntilAsync(() => _got.All.Length == Math.Min(90, (i + 1) * 20) && (i == 4 || closed == i + 1), "a page");
        }
        Assert.Equal([.. Enumerable.Range(10, 90)], Numbers);
    }

    static int Length(AlertPage page)
    {
        int length = 0;
        for (int i = 0; i < page.Count; i++)
        {
            SyslogSinkOptions options = new() { Link = new LinkOptions { Protocol = LinkProtocol.Tcp, Host = "x", Port = 1 } };
            Alert alert = page.Alerts[i].Alert;
            length += SyslogMessage.Frame(SyslogMessage.Make(options, page.Sensor, alert, alert.Threats[0], page.LinesOf(i).Span[..^1], default, out _), SyslogFraming.Octet).Length;
        }
        return length;
    }

    [Fact]
    public async Task What_a_dead_server_had_not_read_is_sent_again_also_when_no_alert_follows()
    {
        // The first connection's bytes are acknowledged by the kernel and never read.
        int connections = 0;
        using SemaphoreSlim taken = new(0);
        await using RawServer server = new(async (socket, stop) =>
        {
            using NetworkStream stream = new(socket);
            if (Interlocked.Increment(ref connections) == 1)
            {
                await taken.WaitAsync(stop);
                RawServer.Reset(socket);
                return;
            }
            await _got.ReadAsync(stream, int.MaxValue, stop);
        });
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server));
        Assert.Equal(new SinkAnswer(10, 0, null), await sink.WriteAsync(LinkBench.Page(0, 10), CancellationToken.None));
        Assert.Empty(_got.All);
        taken.Release();
        await UplinkBench.UntilAsync(() => sink.SettleAsync(CancellationToken.None).GetAwaiter().GetResult() is null && _got.All.Length == 10, "the page again");
        Assert.Equal(Range(10), Numbers);
    }

    [Fact]
    public async Task A_server_that_takes_nothing_is_left_after_the_time_out_and_the_page_comes_again()
    {
        ManualTime time = new();
        using CancellationTokenSource over = new();
        await using RawServer server = new(async (socket, stop) => await Task.Delay(Timeout.Infinite, stop));
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server), time);
        // Until the kernels' buffers are full.
        SinkAnswer answer;
        int pages = 0;
        do
        {
            Task<SinkAnswer> write = sink.WriteAsync(LinkBench.Page(0, 100), CancellationToken.None);
            while (!write.IsCompleted)
            {
                await Task.Delay(1, CancellationToken.None);
                time.Advance(TimeSpan.FromSeconds(0.1));
            }
            answer = await write;
        }
        while (answer.Fault is null && ++pages < 5000);
        Assert.Equal(0, answer.Taken);
        Assert.Contains("for 30 s", answer.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_refuses_and_a_name_that_nobody_knows_are_faults()
    {
        RawServer gone = Server();
        LinkOptions link = LinkBench.Tcp(gone);
        await gone.DisposeAsync();
        using SyslogSink refused = LinkBench.Syslog(link);
        Assert.Equal(SinkAnswer.None("connection refused: nobody listens there, check host and port"), await refused.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None));
        foreach (LinkProtocol protocol in new[] { LinkProtocol.Tcp, LinkProtocol.Udp })
        {
            using SyslogSink unknown = LinkBench.Syslog(link with { Host = "logs.invalid", Protocol = protocol });
            Assert.Equal(SinkAnswer.None("the name logs.invalid cannot be resolved, check DNS"), await unknown.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None));
        }
    }

    [Fact]
    public async Task A_server_whose_certificate_nobody_vouches_for_gets_nothing_until_it_is_trusted()
    {
        using TestAuthority authority = new();
        using X509Certificate2 certificate = authority.Sign("127.0.0.1");
        await using RawServer server = new(async (socket, stop) =>
        {
            await using SslStream stream = new(new NetworkStream(socket));
            try
            {
                await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
                await _got.ReadAsync(stream, int.MaxValue, stop);
            }
            catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
            {
                // The client went.
            }
        });
        LinkOptions link = LinkBench.Tcp(server) with { Protocol = LinkProtocol.Tls };
        using SyslogSink wary = LinkBench.Syslog(link);
        SinkAnswer answer = await wary.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None);
        Assert.Equal(0, answer.Taken);
        Assert.Contains("does not trust", answer.Fault, StringComparison.Ordinal);
        using SyslogSink trusting = LinkBench.Syslog(link with { Tls = new TlsSettings { Roots = authority.RootFile } });
        Assert.Equal(0, await LinkBench.SendAllAsync(trusting, 250, 100));
        await UplinkBench.UntilAsync(() => _got.All.Length == 250, "all messages");
        Assert.Equal(Range(250), Numbers);
    }

    [Fact]
    public async Task A_TLS_server_that_is_killed_loses_nothing_either()
    {
        using TestAuthority authority = new();
        using X509Certificate2 certificate = authority.Sign("127.0.0.1");
        var random = new Random(7);
        int connections = 0;
        await using RawServer server = new(async (socket, stop) =>
        {
            int most;
            lock (random) most = ++connections % 4 == 0 ? 180_000 : random.Next(1, 30_000);
            await using SslStream stream = new(new NetworkStream(socket), leaveInnerStreamOpen: true);
            await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
            await _got.ReadAsync(stream, most, stop);
            RawServer.Reset(socket);
        });
        using SyslogSink sink = LinkBench.Syslog(LinkBench.Tcp(server) with { Protocol = LinkProtocol.Tls, Tls = new TlsSettings { Roots = authority.RootFile } });
        await LinkBench.SendAllAsync(sink, 1500, 50);
        Assert.True(connections > 3, $"{connections} connections");
        Assert.Equal(Range(1500), Numbers.Distinct().Order());
    }

    [Fact]
    public async Task Each_alert_is_a_datagram_and_a_port_that_nobody_listens_on_is_a_fault()
    {
        int port = FreePort.Take();
        using UdpClient server = new(new IPEndPoint(IPAddress.Loopback, port));
        using SyslogSink sink = LinkBench.Syslog(new LinkOptions { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = port });
        Assert.Equal(new SinkAnswer(3, 0, null), await sink.WriteAsync(LinkBench.Page(0, 3), CancellationToken.None));
        for (int i = 0; i < 3; i++)
        {
            UdpReceiveResult datagram = await server.ReceiveAsync().WaitAsync(UplinkBench.Limit);
            string text = Encoding.UTF8.GetString(datagram.Buffer);
            Assert.StartsWith("<130>1 2018-09-06T14:09:04.123Z sensor-1 nfr ", text, StringComparison.Ordinal);
            Assert.Equal(i, LinkBench.Number(text));
        }
        server.Close();
        SinkAnswer answer = await sink.WriteAsync(LinkBench.Page(3, 1), CancellationToken.None);
        Assert.Equal(SinkAnswer.None("port unreachable: nobody listens there"), answer);
    }

    [Fact]
    public async Task A_datagram_that_would_be_too_long_leaves_out_evidence_before_it_is_cut()
    {
        using UdpClient server = new(new IPEndPoint(IPAddress.Loopback, 0));
        LinkOptions link = new() { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = ((IPEndPoint)server.Client.LocalEndPoint!).Port };
        using SyslogSink sink = new(new SyslogSinkOptions { Link = link, MaxBytes = 1200 }, LinkBench.Sensor, TimeProvider.System);
        AlertEvidence evidence = new()
        {
            Id = "0123456789abcdef", Detector = "d", Key = "k", Summary = "why", Features = [], Score = 1, Samples = [$"{{\"query\":\"{new string('x', 1000)}\"}}"],
        };
        Alert[] alerts =
        [
            UplinkBench.Alert(0) with { Evidence = evidence with { Samples = ["{\"query\":\"x\"}"] } },
            UplinkBench.Alert(1) with { Evidence = evidence },
            UplinkBench.Alert(2) with { Evidence = evidence with { Summary = new string('y', 1000) } },
            UplinkBench.Alert(3) with { Flags = [new string('ü', 1000)], Evidence = evidence },
        ];
        await sink.WriteAsync(new AlertPage([.. alerts.Select((a, i) => new StoredAlert(i + 1, a))], AlertFormat.Json, LinkBench.Sensor), CancellationToken.None);
        string[] texts = new string[4];
        for (int i = 0; i < 4; i++)
        {
            byte[] datagram = (await server.ReceiveAsync().WaitAsync(UplinkBench.Limit)).Buffer;
            Assert.InRange(datagram.Length, 1, 1200);
            texts[i] = new UTF8Encoding(false, true).GetString(datagram);
        }
        JsonElement[] read = [.. texts.Take(3).Select(t => JsonDocument.Parse(t[t.IndexOf('{', StringComparison.Ordinal)..]).RootElement)];
        Assert.Equal(1, read[0].GetProperty("evidence").GetProperty("samples").GetArrayLength());
        Assert.Equal(("why", 0), (read[1].GetProperty("evidence").GetProperty("summary").GetString(), read[1].GetProperty("evidence").GetProperty("samples").GetArrayLength()));
        Assert.False(read[2].TryGetProperty("evidence", out _));
        Assert.Contains(" - \uFEFF{\"severity\":5", texts[3], StringComparison.Ordinal);
    }
}
