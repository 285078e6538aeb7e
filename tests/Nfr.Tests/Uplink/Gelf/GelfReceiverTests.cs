using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Tests.Uplink;

/// <summary>What others' receiver understands of our GELF is what the golden messages say.</summary>
public sealed class GelfReceiverTests(ITestOutputHelper output)
{
    static readonly Alert[] s_alerts =
    [
        new()
        {
            Threats = [new("c2_communication", "C2 \"communication\"", 5, true), new("young", "Young \\ domain", 2)],
            Flags = ["c2", "young_domain"], Groups = [new("a]b\"c\\d", "")],
            Event = new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = "vi\nrüs.\u0001\u007f.com", QType = "A" },
        },
        new()
        {
            Threats = [new("port_scan", "Port scan", 3)],
            Event = new AlertEvent
            {
                Type = EventType.Ip, Ts = "2018-09-06T16:09:04.5+02:00", SrcIP = "fe80::1", SrcPort = 16830, DestIP = "4.3.2.1", DestPort = 443, Proto = "tcp",
                BytesIn = 744, BytesOut = (1L << 53) - 1, SrcHost = "desk", SrcMac = "02:00:00:00:00:01", SrcUser = "D\\ann",
            },
        },
        new()
        {
            // A zero byte would end the message on the way; the bytes of the long part do not let themselves be packed.
            Threats = [new("odd_url", "Odd <URL> & more", 1)],
            Event = new AlertEvent
            {
                Type = EventType.Http, Ts = "2018-09-06T14:09:04Z", SrcIP = "1.2.3.4", SrcPort = 1, Method = "GET", Status = 200, UserAgent = "a\tb\0c", Referrer = "http://r/\u2028?😀",
                Url = "http://a.b/?" + string.Concat(Enumerable.Range(0, 60).Select(i => Convert.ToHexString(SHA256.HashData([(byte)i])))),
            },
        },
        new()
        {
            Threats = [new("bad_cert", "Bad certificate", 4)],
            Event = new AlertEvent { Type = EventType.Tls, Ts = "soon", SrcIP = "1.2.3.4", DestIP = "4.3.2.1", DestPort = 443, Ja3 = "a", Ja3s = "b", Issuer = "CN=Zürich €", Subject = "CN=s=1" },
        },
    ];

    static readonly AlertPage s_page = new([.. s_alerts.Select((a, i) => new StoredAlert(i + 1, a))], AlertFormat.Json, LinkBench.Sensor);

    static string GoldenFile => Path.Combine(GelfReceiver.Folder, "messages.jsonl");

    /// <summary>NFR_GOLDEN=1 writes them anew; look at what changed.</summary>
    [Fact]
    public void The_messages_are_the_golden_ones()
    {
        string made = string.Concat(s_alerts.SelectMany(a => a.Threats.Select(t => Encoding.UTF8.GetString(GelfMessage.Make(a, t, LinkBench.Sensor, null)) + "\n")));
        if (Environment.GetEnvironmentVariable("NFR_GOLDEN") == "1") File.WriteAllText(GoldenFile, made);
        Assert.Equal(File.ReadAllText(GoldenFile), made);
    }

    [Fact]
    public async Task A_receiver_of_others_reads_what_the_golden_messages_say_over_every_way()
    {
        if (GelfReceiver.Missing is { } missing)
        {
            output.WriteLine($"skipped: {missing}");
            return;
        }
        using GelfReceiver receiver = new();
        using TestAuthority authority = new();
        using X509Certificate2 certificate = authority.Sign("127.0.0.1");
        // The library knows no TLS; as in front of many a Graylog, another ends it.
        await using RawServer front = new(async (socket, stop) =>
        {
            await using SslStream tls = new(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
            using TcpClient behind = new("127.0.0.1", receiver.TcpPort);
            await tls.CopyToAsync(behind.GetStream(), stop);
        });
        LinkOptions udp = new() { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = receiver.UdpPort };
        LinkOptions tcp = udp with { Protocol = LinkProtocol.Tcp, Port = receiver.TcpPort };
        LinkOptions tlsLink = LinkBench.Tcp(front) with { Protocol = LinkProtocol.Tls, Tls = new TlsSettings { Roots = authority.RootFile } };
        JsonNode[] golden = [.. File.ReadLines(GoldenFile).Select(line => AsRead(JsonNode.Parse(line)!))];
        foreach ((string way, GelfSinkOptions options) in new (string, GelfSinkOptions)[]
        {
            ("UDP, gzipped", new() { Link = udp }),
            ("UDP, plain", new() { Link = udp, Compress = false }),
            ("UDP, gzipped, small chunks", new() { Link = udp, ChunkBytes = 256 }),
            ("UDP, plain, small chunks", new() { Link = udp, Compress = false, ChunkBytes = 256 }),
            ("TCP", new() { Link = tcp }),
            ("TLS", new() { Link = tlsLink }),
        })
        {
            using GelfSink sink = new(options, LinkBench.Sensor, TimeProvider.System);
            Assert.Equal(new SinkAnswer(s_page.Count, 0, null), await sink.WriteAsync(s_page, CancellationToken.None).WaitAsync(UplinkBench.Limit));
            JsonNode[] got = await receiver.TakeAsync(golden.Length, way);
            for (int i = 0; i < golden.Length; i++) Assert.True(JsonNode.DeepEquals(golden[i], got[i]), $"{way}, message {i + 1}:\n{golden[i].ToJsonString()}\n{got[i].ToJsonString()}");
            output.WriteLine($"{way}: {got.Length} messages as they should be");
        }
    }

    /// <summary>Where there is no time the library tells 0.</summary>
    static JsonNode AsRead(JsonNode message)
    {
        message["timestamp"] ??= 0;
        return message;
    }
}
