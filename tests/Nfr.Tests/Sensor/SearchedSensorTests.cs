using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Tests.Logs.Elastic;

namespace Nfr.Tests.Sensor;

/// <summary>The real sensor on documents that others store in a cluster while it runs, and killed again and again.</summary>
public sealed class SearchedSensorTests
{
    static string Now() => DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>As Packetbeat 7.16 stores a query, and the flow that it is in.</summary>
    internal static void Add(SearchServer server, int i, bool visible)
    {
        string common = string.Create(CultureInfo.InvariantCulture, $$"""
            "@timestamp":"{{Now()}}","agent":{"type":"packetbeat","version":"7.16.2"},"ecs":{"version":"1.12.0"},
            "source":{"ip":"10.0.2.{{1 + (i % 200)}}","port":{{30000 + (i % 30000)}},"bytes":{{i}},"packets":1},"destination":{"ip":"192.0.2.53","port":53,"bytes":90,"packets":1}
            """);
        server.Add("packetbeat-7.16.2-000001", $"d{i}", $$$"""
            {{{{common}}},"type":"dns","event":{"dataset":"dns","kind":"event","ingested":"{{{Now()}}}","duration":3100000},"network":{"transport":"udp","protocol":"dns","type":"ipv4"},
            "dns":{"id":{{{i}}},"question":{"name":"host{{{i}}}.example.com","type":"A","class":"IN"},"response_code":"NOERROR","answers":[{"name":"host{{{i}}}.example.com","type":"A","class":"IN","ttl":"60","data":"192.0.2.9"}]}}
            """, visible);
        server.Add("packetbeat-7.16.2-000001", $"f{i}", $$$"""
            {{{{common}}},"type":"flow","event":{"dataset":"flow","kind":"event","action":"network_flow","ingested":"{{{Now()}}}","duration":3100000},"network":{"transport":"udp","type":"ipv4","bytes":150,"packets":2},"flow":{"id":"F{{{i}}}","final":true}}
            """, visible);
        // What a long flow says of itself on its way is no event of its own.
        if (i % 10 == 0) server.Add("packetbeat-7.16.2-000001", $"u{i}", $$$"""{{{{common}}},"type":"flow","event":{"dataset":"flow","ingested":"{{{Now()}}}"},"network":{"transport":"udp"},"flow":{"id":"F{{{i}}}","final":false}}""", visible);
    }

    /// <summary>The section of the original's guide to Packetbeat, with our server, pages that are several, and looks that follow each other.</summary>
    static string Section(string elastic) => $$"""
          sniffer:
            enabled: false
          elastic:
            enabled: true
            hosts:
              - {{elastic}}
            # api_key:
            username: elastic
            password: changeme
            searches:
              - event_type: dns
                indices:
                  - packetbeat-*
                index_schema: ecs
                poll_interval: 1
                batch_size: 40
              - event_type: ip
                indices:
                  - packetbeat-*
                index_schema: ecs
                poll_interval: 1
                batch_size: 40
              - event_type: http
                indices:
                  - packetbeat-*
                index_schema: ecs
              - event_type: tls
                indices:
                  - packetbeat-*
                index_schema: ecs
        """;

    [Fact]
    public async Task Killed_again_and_again_it_takes_each_document_once()
    {
        const int Kills = 4, MostAhead = 300;
        await using InputBench bench = await InputBench.OpenAsync();
        await using SearchServer server = await new SearchServer(TimeProvider.System) { ChecksApi = false }.ListenAsync();
        bench.Configure(Section(server.Host), uploads: true);
        int written = 0;
        using var stop = new CancellationTokenSource();
        Task writer = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                // Some appear a while after others with a later stamp, as those of a busy shard do.
                for (int end = written + 5; written < end; written++) Add(server, written, visible: written % 7 != 0);
                if (written % 50 == 0) server.Refresh();
                do Thread.Sleep(30);
                while (written - (bench.Came / 2) > MostAhead && !stop.IsCancellationRequested);
            }
            server.Refresh();
        });
        try
        {
            bench.KillAgainAndAgain(Kills, sensor => sensor.Until(() => bench.CameOf.Count == 2, "the first documents of both kinds"));
        }
        finally
        {
            stop.Cancel();
            await writer;
        }
        using (NfrProcess last = bench.Start())
        {
            bench.UntilAllCame(last, 2 * written);
            JsonElement status = bench.Status(last, _ => true, "a status");
            JsonElement[] inputs = [.. status.GetProperty("inputs").EnumerateArray()];
            Assert.Equal(["dns packetbeat-*", "ip packetbeat-*", "flow packetbeat-*", "http packetbeat-*", "tls packetbeat-*"], inputs.Select(i => i.GetProperty("name").GetString()));
            Assert.All(inputs, i => Assert.Equal((JsonValueKind.Null, "elastic", server.Host), (i.GetProperty("trouble").ValueKind, i.GetProperty("input").GetString(), i.GetProperty("where").GetString())));
            Assert.True(status.GetProperty("run").GetProperty("closes").GetBoolean(), status.GetProperty("run").GetProperty("gaps").ToString());
            Ended screen = NfrProcess.Run(["status", "-c", bench.ConfigPath]);
            Assert.Contains("dns packetbeat-*", screen.Output, StringComparison.Ordinal);
            last.Signal(NfrProcess.Terminate);
            Ended end = last.End();
            Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
            foreach (string output in new[] { status.ToString(), screen.Output, end.Output, end.Error }) Assert.DoesNotContain("changeme", output, StringComparison.Ordinal);
        }
        bench.IsEachThereOnce(2 * written);
        Assert.Equal("Basic " + Convert.ToBase64String("elastic:changeme"u8), server.Http.Requests[0].Headers["Authorization"]);
    }
}
