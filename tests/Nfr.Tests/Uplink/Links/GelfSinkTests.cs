using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class GelfSinkTests
{
    static readonly SensorIdentity s_sensor = new("2.0.0", "0123456789abcdef0123456789abcdef", "sensor-1");

    static AlertPage Page(params Alert[] alerts) => new([.. alerts.Select((a, i) => new StoredAlert(i + 1, a))], AlertFormat.Json, s_sensor);

    static string Make(AlertEvent e, int? level = null) => Encoding.UTF8.GetString(GelfMessage.Make(
        new Alert { Threats = [new AlertThreat("c2_comm", "C2 \"communication\"", 4, true)], Flags = ["c2", "young_domain"], Groups = [new AlertGroup("boston", "")], Event = e },
        new AlertThreat("c2_comm", "C2 \"communication\"", 4, true), s_sensor, level));

    const string Head = """{"version":"1.1","host":"sensor-1","short_message":"C2 \"communication\"","full_message":"","timestamp":1536242944.123,"level":3,"_severity":4,"_policy":"true","_flags":"c2,young_domain","_threat":"c2_comm","_engine_agent":"AlphaSOC NFR/2.0.0","_original_event":"2018-09-06T14:09:04.123Z","_src_ip":"1.2.3.4",""";
    const string Tail = ",\"_sensor\":\"0123456789abcdef0123456789abcdef\"}";

    [Fact]
    public void A_dns_alert_has_the_originals_fields() => Assert.Equal(
        Head + "\"_query\":\"vi\\nrüs.com\",\"_record_type\":\"A\",\"_event_type\":\"dns\",\"_groups\":\"boston\"" + Tail,
        Make(new AlertEvent { Type = EventType.Dns, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", Query = "vi\nrüs.com", QType = "A" }));

    [Fact]
    public void An_ip_alert_has_the_originals_fields() => Assert.Equal(
        Head + "\"_protocol\":\"tcp\",\"_src_port\":16830,\"_dest_ip\":\"4.3.2.1\",\"_dest_port\":443,\"_bytes_in\":744,\"_bytes_out\":1376,\"_ja3\":\"a\",\"_event_type\":\"ip\",\"_groups\":\"boston\",\"_src_host\":\"desk\",\"_src_mac\":\"02:00:00:00:00:01\",\"_src_user\":\"ann\"" + Tail,
        Make(new AlertEvent
        {
            Type = EventType.Ip, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", SrcPort = 16830, DestIP = "4.3.2.1", DestPort = 443, Proto = "tcp", BytesIn = 744, BytesOut = 1376, Ja3 = "a",
            SrcHost = "desk", SrcMac = "02:00:00:00:00:01", SrcUser = "ann",
        }));

    [Fact]
    public void Http_and_tls_alerts_tell_all_of_their_event()
    {
        Assert.Equal(
            Head + "\"_src_port\":1,\"_bytes_in\":3,\"_bytes_out\":0,\"_event_type\":\"http\",\"_groups\":\"boston\",\"_url\":\"http://a.b/?c=d\",\"_method\":\"GET\",\"_status\":200,\"_action\":\"allowed\",\"_content_type\":\"text/html\",\"_referrer\":\"http://r/\",\"_user_agent\":\"curl/8.0\"" + Tail,
            Make(new AlertEvent
            {
                Type = EventType.Http, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", SrcPort = 1, Url = "http://a.b/?c=d", Method = "GET", Status = 200, BytesIn = 3, BytesOut = 0,
                UserAgent = "curl/8.0", Referrer = "http://r/", ContentType = "text/html", Action = "allowed",
            }));
        Assert.Equal(
            Head + "\"_src_port\":1,\"_dest_ip\":\"4.3.2.1\",\"_dest_port\":443,\"_ja3\":\"a\",\"_event_type\":\"tls\",\"_groups\":\"boston\",\"_cert_hash\":\"c\",\"_issuer\":\"CN=i\",\"_subject\":\"CN=s\",\"_valid_from\":\"2018-09-06T14:09:04Z\",\"_valid_to\":\"2019-09-06T14:09:04Z\",\"_ja3s\":\"b\"" + Tail,
            Make(new AlertEvent
            {
                Type = EventType.Tls, Ts = "2018-09-06T14:09:04.123Z", SrcIP = "1.2.3.4", SrcPort = 1, DestIP = "4.3.2.1", DestPort = 443, Ja3 = "a", Ja3s = "b", CertHash = "c",
                Issuer = "CN=i", Subject = "CN=s", ValidFrom = "2018-09-06T14:09:04Z", ValidTo = "2019-09-06T14:09:04Z",
            }));
    }

    [Fact]
    public void The_level_is_the_severitys_unless_one_is_set_and_a_stamp_that_cannot_be_read_is_left_out()
    {
        JsonElement read = JsonDocument.Parse(Make(new AlertEvent { Type = EventType.Dns, Ts = "soon" }, level: 1)).RootElement;
        Assert.Equal(1, read.GetProperty("level").GetInt32());
        Assert.False(read.TryGetProperty("timestamp", out _));
        Assert.Equal("soon", read.GetProperty("_original_event").GetString());
    }

    [Fact]
    public async Task Messages_over_TCP_are_ended_by_a_zero_one_for_each_threat()
    {
        var got = new MemoryStream();
        Lock gate = new();
        await using RawServer server = new(async (socket, stop) =>
        {
            byte[] buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, stop) is > 0 and int read)
            {
                lock (gate) got.Write(buffer, 0, read);
            }
        });
        using GelfSink sink = new(new GelfSinkOptions { Link = LinkBench.Tcp(server) }, s_sensor, TimeProvider.System);
        Alert two = UplinkBench.Alert(1) with { Threats = [new("a", "A", 5), new("b", "B", 1)] };
        Assert.Equal(new SinkAnswer(2, 0, null), await sink.WriteAsync(Page(UplinkBench.Alert(0), two), CancellationToken.None));
        string[] Messages()
        {
            lock (gate) return Encoding.UTF8.GetString(got.ToArray()).Split('\0');
        }
        await UplinkBench.UntilAsync(() => Messages().Length == 4, "three messages");
        Assert.Equal("", Messages()[3]);
        Assert.Equal([("c2_communication", 2), ("a", 2), ("b", 6)], Messages().Take(3).Select(m => JsonDocument.Parse(m).RootElement).Select(m => (m.GetProperty("_threat").GetString(), m.GetProperty("level").GetInt32())));
    }

    static async Task<List<byte[]>> DatagramsAsync(UdpClient server, int count)
    {
        List<byte[]> datagrams = [];
        while (datagrams.Count < count) datagrams.Add((await server.ReceiveAsync().WaitAsync(UplinkBench.Limit)).Buffer);
        return datagrams;
    }

    [Fact]
    public async Task A_short_message_is_one_gzipped_datagram_and_a_long_one_goes_in_chunks()
    {
        using UdpClient server = new(new IPEndPoint(IPAddress.Loopback, 0));
        GelfSinkOptions options = new() { Link = new LinkOptions { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = ((IPEndPoint)server.Client.LocalEndPoint!).Port } };
        using GelfSink sink = new(options, s_sensor, TimeProvider.System);
        await sink.WriteAsync(Page(UplinkBench.Alert(0)), CancellationToken.None);
        using GZipStream gzip = new(new MemoryStream((await DatagramsAsync(server, 1))[0]), CompressionMode.Decompress);
        Assert.Equal("virus-0.com", JsonDocument.Parse(gzip).RootElement.GetProperty("_query").GetString());

        using GelfSink plain = new(options with { Compress = false, ChunkBytes = 256 }, s_sensor, TimeProvider.System);
        Alert wordy = UplinkBench.Alert(0) with { Flags = [new string('ü', 1000)] };
        await plain.WriteAsync(Page(wordy), CancellationToken.None);
        byte[] whole = GelfMessage.Make(wordy, wordy.Threats[0], s_sensor, null);
        int count = (whole.Length + 243) / 244;
        List<byte[]> chunks = await DatagramsAsync(server, count);
        for (int i = 0; i < count; i++)
        {
            Assert.Equal((byte[])[0x1e, 0x0f, .. chunks[0][2..10], (byte)i, (byte)count], chunks[i][..12]);
            Assert.InRange(chunks[i].Length, 13, 256);
        }
        Assert.Equal(whole, chunks.SelectMany(c => c[12..]));
    }

    [Fact]
    public async Task An_alert_of_more_chunks_than_there_may_be_is_refused_and_the_others_go_on()
    {
        using UdpClient server = new(new IPEndPoint(IPAddress.Loopback, 0));
        GelfSinkOptions options = new()
        {
            Link = new LinkOptions { Protocol = LinkProtocol.Udp, Host = "127.0.0.1", Port = ((IPEndPoint)server.Client.LocalEndPoint!).Port }, Compress = false, ChunkBytes = 256,
        };
        using GelfSink sink = new(options, s_sensor, TimeProvider.System);
        Assert.Equal(new SinkAnswer(2, 1, null), await sink.WriteAsync(Page(UplinkBench.Alert(0) with { Flags = [new string('x', 40_000)] }, UplinkBench.Alert(1)), CancellationToken.None));
        Assert.Contains("128 chunks of 256", sink.LastRefusal, StringComparison.Ordinal);
        Assert.True((await DatagramsAsync(server, 1))[0].Length > 0);
    }
}
