using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Nfr.Config;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Pipeline;
using Nfr.Tests.Uplink;
using Nfr.Uplink;

namespace Nfr.Tests.Logs.Elastic;

/// <summary>The Packetbeat set-up that users of the original have, from their config's text to events, over real sockets.</summary>
public sealed class PacketbeatTests
{
    readonly ManualTime _time = new();

    static string Yaml(string hosts, string more = "") => $"""
        engine:
          api_key: test
        inputs:
          sniffer:
            enabled: false
          elastic:
            enabled: true
            hosts:
            {hosts}
            username: elastic
            password: changeme
            {more}
            searches:
            - event_type: dns
              indices:
              - packetbeat-*
              index_schema: ecs
            - event_type: ip
              indices:
              - packetbeat-*
              index_schema: ecs
            - event_type: http
              indices:
              - packetbeat-*
              index_schema: ecs
            - event_type: tls
              indices:
              - packetbeat-*
              index_schema: ecs
        """;

    static ElasticConfig Read(string yaml)
    {
        string path = Path.Combine(Path.GetTempPath(), $"nfr-{Guid.NewGuid():N}.yml");
        File.WriteAllText(path, yaml);
        try
        {
            NfrConfig? config = ConfigFile.Load(path, out IReadOnlyList<ConfigFault> faults);
            Assert.Empty(faults);
            return config!.Inputs.Elastic;
        }
        finally
        {
            File.Delete(path);
        }
    }

    string Stamp(double ago) => (_time.Utc - TimeSpan.FromSeconds(ago)).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>As Packetbeat 7.16 writes them, with event.start copied to event.ingested.</summary>
    void Fill(SearchServer server)
    {
        string index = "packetbeat-7.16.2-2026.11.21-000001";
        string agent = "\"agent\":{\"type\":\"packetbeat\",\"version\":\"7.16.2\"},\"ecs\":{\"version\":\"1.12.0\"}";
        string ends = "\"client\":{\"ip\":\"10.0.0.5\",\"port\":4000},\"source\":{\"ip\":\"10.0.0.5\",\"port\":4000,\"bytes\":61},\"server\":{\"ip\":\"192.0.2.53\"},\"destination\":{\"ip\":\"192.0.2.53\",\"port\":53,\"bytes\":120}";
        server.Add(index, "dns1", $"{{\"@timestamp\":\"{Stamp(60)}\",{agent},{ends},\"type\":\"dns\",\"status\":\"OK\",\"event\":{{\"kind\":\"event\",\"dataset\":\"dns\",\"start\":\"{Stamp(60)}\",\"ingested\":\"{Stamp(60)}\",\"duration\":21000000}},\"network\":{{\"type\":\"ipv4\",\"transport\":\"udp\",\"protocol\":\"dns\",\"bytes\":181}},\"dns\":{{\"id\":4711,\"op_code\":\"QUERY\",\"response_code\":\"NOERROR\",\"question\":{{\"name\":\"www.beat.example\",\"type\":\"A\",\"class\":\"IN\"}},\"answers\":[{{\"data\":\"203.0.113.9\",\"name\":\"www.beat.example\",\"ttl\":\"300\",\"type\":\"A\",\"class\":\"IN\"}}],\"answers_count\":1}}}}");
        server.Add(index, "flow1", $"{{\"@timestamp\":\"{Stamp(50)}\",{agent},{ends},\"type\":\"flow\",\"event\":{{\"dataset\":\"flow\",\"start\":\"{Stamp(59)}\",\"end\":\"{Stamp(55)}\",\"ingested\":\"{Stamp(59)}\",\"duration\":4000000000}},\"flow\":{{\"id\":\"x\",\"final\":true}},\"network\":{{\"transport\":\"udp\",\"bytes\":181}}}}");
        server.Add(index, "flow2", $"{{\"@timestamp\":\"{Stamp(50)}\",{agent},{ends},\"type\":\"flow\",\"event\":{{\"dataset\":\"flow\",\"start\":\"{Stamp(59)}\",\"ingested\":\"{Stamp(59)}\"}},\"flow\":{{\"id\":\"y\",\"final\":false}},\"network\":{{\"transport\":\"udp\"}}}}");
        server.Add(index, "http1", $"{{\"@timestamp\":\"{Stamp(40)}\",{agent},{ends},\"type\":\"http\",\"event\":{{\"dataset\":\"http\",\"start\":\"{Stamp(40)}\",\"ingested\":\"{Stamp(40)}\"}},\"network\":{{\"transport\":\"tcp\",\"protocol\":\"http\"}},\"url\":{{\"scheme\":\"http\",\"domain\":\"www.beat.example\",\"path\":\"/a\",\"query\":\"b=c\",\"full\":\"http://www.beat.example/a?b=c\"}},\"user_agent\":{{\"original\":\"curl/7\"}},\"http\":{{\"version\":\"1.1\",\"request\":{{\"method\":\"GET\",\"referrer\":\"http://r.example/\"}},\"response\":{{\"status_code\":200,\"mime_type\":\"text/html\"}}}}}}");
        server.Add(index, "tls1", $"{{\"@timestamp\":\"{Stamp(30)}\",{agent},{ends},\"type\":\"tls\",\"event\":{{\"dataset\":\"tls\",\"start\":\"{Stamp(30)}\",\"ingested\":\"{Stamp(30)}\"}},\"network\":{{\"transport\":\"tcp\",\"protocol\":\"tls\"}},\"tls\":{{\"version\":\"1.2\",\"version_protocol\":\"tls\",\"client\":{{\"ja3\":\"4d7a28d6f2263ed61de88ca66eb011e3\",\"server_name\":\"www.beat.example\"}},\"server\":{{\"ja3s\":\"ae4edc6faf64d08308082ad26be60767\",\"issuer\":\"CN=CA\",\"subject\":\"CN=www.beat.example\",\"not_before\":\"2021-01-01T00:00:00.000Z\",\"not_after\":\"2031-01-01T00:00:00.000Z\",\"hash\":{{\"sha1\":\"9E393D93138888D288266C2D915214D1D1CCEB2A\"}}}}}}}}");
    }

    SearchRig Rig(ElasticConfig config)
    {
        Assert.NotNull(config.Cluster);
        return new SearchRig(new SearchCluster(config.Cluster, "1.2.3", TimeProvider.System), _time, [.. SearchCluster.OptionsOf(config)]);
    }

    static void Holds(SearchRig rig)
    {
        JsonNode[] events = [.. rig.Spooled.Select(l => JsonNode.Parse(l)!)];
        Assert.Equal(4, events.Length);
        JsonNode dns = events.Single(e => e["query"] is not null), http = events.Single(e => e["url"] is not null), tls = events.Single(e => e["issuer"] is not null), ip = events.Single(e => e["bytesIn"] is not null && e["url"] is null);
        Assert.Equal(("www.beat.example", "A", "10.0.0.5", "2026-11-21T11:59:00Z"), ((string)dns["query"]!, (string)dns["qtype"]!, (string)dns["srcIP"]!, (string)dns["ts"]!));
        Assert.Equal("203.0.113.9", (string)dns["answers"]![0]!["data"]!);
        Assert.Equal(("udp", 120L, 61L, 4.0), ((string)ip["proto"]!, (long)ip["bytesIn"]!, (long)ip["bytesOut"]!, (double)ip["duration"]!));
        Assert.Equal(("http://www.beat.example/a?b=c", "GET", "text/html", "http://r.example/"), ((string)http["url"]!, (string)http["method"]!, (string)http["contentType"]!, (string)http["referrer"]!));
        Assert.Equal(("9e393d93138888d288266c2d915214d1d1cceb2a", "www.beat.example", "4d7a28d6f2263ed61de88ca66eb011e3"), ((string)tls["certHash"]!, (string)tls["sni"]!, (string)tls["ja3"]!));
        Assert.Equal("2031-01-01T00:00:00Z", (string)tls["validTo"]!);
    }

    [Fact]
    public async Task The_config_of_the_original_reads_what_Packetbeat_stored()
    {
        await using SearchServer server = await new SearchServer(_time).ListenAsync();
        Fill(server);
        SearchRig rig = Rig(Read(Yaml("- " + server.Host)));
        rig.LookAndCommit();
        rig.LookAndCommit();
        Holds(rig);
        Assert.Equal(["dns packetbeat-* 1", "ip packetbeat-* 0", "flow packetbeat-* 1", "http packetbeat-* 1", "tls packetbeat-* 5"], rig.AllCounters.Select(c => $"{c.Name} {c.Lines}"));
        Assert.Empty(rig.Notices);
        Assert.Empty(server.Objections);
        Assert.All(server.Http.Requests, r => Assert.Equal("Basic ZWxhc3RpYzpjaGFuZ2VtZQ==", r.Headers["Authorization"]));
        rig.Searches.Dispose();
    }

    void Flow(SearchServer server, string id, string address, DateTimeOffset start, bool final, int bytes, bool visible = true)
    {
        string began = start.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture);
        server.Add("packetbeat-7.16.2-2026.11.21-000001", id, $"{{\"@timestamp\":\"{Stamp(0)}\",\"agent\":{{\"type\":\"packetbeat\"}},\"type\":\"flow\",\"source\":{{\"ip\":\"{address}\",\"port\":4000,\"bytes\":{bytes}}},\"destination\":{{\"ip\":\"192.0.2.9\",\"port\":443}},"
            + $"\"event\":{{\"dataset\":\"flow\",\"start\":\"{began}\",\"ingested\":\"{began}\"}},\"flow\":{{\"id\":\"x\",\"final\":{(final ? "true" : "false")}}},\"network\":{{\"transport\":\"tcp\"}}}}", visible);
    }

    [Fact]
    public void A_flow_of_an_hour_is_one_event_when_it_ends()
    {
        SearchServer server = new(_time);
        SearchRig rig = new(server, _time, [.. SearchCluster.OptionsOf(Read(Yaml("- localhost:9200")))]);
        DateTimeOffset start = _time.Utc;
        int shorter = 0;
        for (int report = 1; report <= 360; report++)
        {
            _time.Advance(TimeSpan.FromSeconds(10));
            Flow(server, $"long{report}", "10.0.0.1", start, final: report == 360, report);
            // Others, which end at once: the newest stamp that was taken goes on with them. Some are seen a minute late.
            Flow(server, $"short{report}", "10.0.0.2", _time.Utc - TimeSpan.FromSeconds(2), final: true, 1, visible: report % 7 != 0);
            shorter++;
            if (report % 6 == 0) server.Refresh();
            if (report == 200)
            {
                rig.Look();
                rig.Take();
                rig.Kill();
            }
            rig.LookAndCommit(TimeSpan.Zero);
        }
        _time.Advance(TimeSpan.FromSeconds(31));
        rig.LookAndCommit();
        JsonNode[] events = [.. rig.Spooled.Select(l => JsonNode.Parse(l)!)];
        Assert.Equal(360, (int)events.Single(e => (string)e["srcIP"]! == "10.0.0.1")["bytesOut"]!);
        Assert.Equal(shorter, events.Count(e => (string)e["srcIP"]! == "10.0.0.2"));
        Assert.DoesNotContain(rig.Notices, n => n.IsTrouble);
        Assert.Empty(server.Objections);
    }

    [Fact]
    public void Flows_alone_in_an_index_need_no_stamp_of_their_arrival_and_nothing_is_said_to_be_missing()
    {
        SearchServer server = new(_time);
        server.Add("packetbeat-1", "a", $"{{\"@timestamp\":\"{Stamp(5)}\",\"agent\":{{\"type\":\"packetbeat\"}},\"source\":{{\"ip\":\"10.0.0.1\"}},\"destination\":{{\"ip\":\"192.0.2.9\"}},\"event\":{{\"dataset\":\"flow\"}},\"flow\":{{\"final\":true}}}}");
        SearchRig rig = new(server, _time, [.. SearchCluster.OptionsOf(Read(Yaml("- localhost:9200"))).Where(s => s.Type == EventType.Ip)]);
        rig.LookAndCommit();
        Assert.Single(rig.Spooled);
        Assert.Empty(rig.Notices);
    }

    [Fact]
    public async Task A_node_that_fails_in_the_middle_of_a_page_is_left_for_another()
    {
        await using SearchServer server = await new SearchServer(_time).ListenAsync();
        Fill(server);
        await using EngineServer broken = await EngineServer.StartAsync();
        broken.Answer = async (context, request) =>
        {
            context.Response.ContentLength = 5000;
            await context.Response.WriteAsync("{\"took\":1,");
            await context.Response.Body.FlushAsync();
            context.Abort();
        };
        SearchRig rig = Rig(Read(Yaml($"- {broken.Host}\n    - http://127.0.0.1:1\n    - {server.Host}")));
        rig.LookAndCommit();
        Holds(rig);
        Assert.Empty(rig.Notices);
        Assert.NotEmpty(broken.Requests);
        rig.Searches.Dispose();
    }

    [Fact]
    public async Task TLS_is_held_against_the_ca_that_the_config_names()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using SearchServer server = await new SearchServer(_time).ListenAsync(certificate);
        Fill(server);
        SearchRig untrusting = Rig(Read(Yaml("- " + server.Host)));
        untrusting.LookAndCommit();
        Assert.Empty(untrusting.Spooled);
        Assert.All(untrusting.Searches.Reports, r => Assert.NotNull(r.Trouble));
        string ca = Path.Combine(Path.GetTempPath(), $"nfr-{Guid.NewGuid():N}.pem");
        await File.WriteAllTextAsync(ca, certificate.ExportCertificatePem());
        SearchRig rig = Rig(Read(Yaml("- " + server.Host, $"tls: {{ca: {ca}}}")));
        rig.LookAndCommit();
        Holds(rig);
        File.Delete(ca);
    }
}
