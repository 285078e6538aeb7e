using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Storage;
using Nfr.Tests.Logs.Elastic;
using Nfr.Tests.Uplink;

namespace Nfr.Tests.Sensor;

/// <summary>The real sensor on documents that others store in a cluster while it runs, and killed again and again.</summary>
public sealed class SearchedSensorTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-searched-").FullName;

    string ConfigPath => In("config.yml");

    string In(string name) => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    static string Now() => DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>As Packetbeat 7.16 stores a query, and the flow that it is in.</summary>
    static void Add(SearchServer server, int i, bool visible)
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
    void Configure(string engine, string elastic) => File.WriteAllText(ConfigPath, $$"""
        engine: {host: "{{engine}}", api_key: KEY1}
        inputs:
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
        outputs: {file: {{In("alerts.json")}}}
        scoring: {feeds: {{In("feeds")}}}
        data: {dir: {{In("data")}}, file: {{In("nfr.data")}}}
        status: {socket: {{In("status.sock")}}, interval: 1s}
        metrics: {listen: off}
        dns_events: {buffer_size: 500, flush_interval: 5s}
        ip_events: {buffer_size: 500, flush_interval: 5s}

        """);

    [Fact]
    public async Task Killed_again_and_again_it_takes_each_document_once()
    {
        const int Kills = 4;
        await using EngineServer engine = await EngineServer.StartAsync();
        List<(long First, long Last, string Type, string[] Lines)> uploads = [];
        engine.Answer = async (context, request) =>
        {
            if (request.Method == "GET")
            {
                await EngineServer.Json(context, 200, request.Path.EndsWith("/account/status", StringComparison.Ordinal)
                    ? """{"registered":true,"expired":false,"messages":[]}""" : """{"follow":"","more":false,"alerts":[],"threats":{}}""");
                return;
            }
            long[] range = [.. request.Headers["X-NFR-Sequence"].Split('-').Select(n => long.Parse(n, CultureInfo.InvariantCulture))];
            lock (uploads) uploads.Add((range[0], range[1], request.Path, request.Lines));
            await Task.Delay(Random.Shared.Next(60));
            await EngineServer.Ok(context, request);
        };
        await using SearchServer server = await new SearchServer(TimeProvider.System) { ChecksApi = false }.ListenAsync();
        Configure(engine.Host, server.Host);
        int written = 0;
        using var stop = new CancellationTokenSource();
        Task writer = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested && written < 800)
            {
                // Some appear a while after others with a later stamp, as those of a busy shard do.
                for (int end = written + 5; written < end; written++) Add(server, written, visible: written % 7 != 0);
                Thread.Sleep(30);
                if (written % 50 == 0) server.Refresh();
            }
            server.Refresh();
        });
        var random = new Random(42);
        for (int kill = 0; kill < Kills; kill++)
        {
            using NfrProcess sensor = NfrProcess.Start(["start", "-c", ConfigPath], folder: _folder);
            sensor.Expect("spool: ");
            Thread.Sleep(random.Next(100, 1500));
            sensor.Signal(NfrProcess.Kill);
            sensor.End();
        }
        stop.Cancel();
        await writer;
        using (NfrProcess last = NfrProcess.Start(["start", "-c", ConfigPath], folder: _folder))
        {
            try
            {
                last.Until(() => Distinct(uploads) >= 2 * written, "all", TimeSpan.FromSeconds(60));
            }
            catch (Xunit.Sdk.XunitException)
            {
                Assert.Fail($"of 2 x {written} events came {Distinct(uploads)}\n{last.Output}");
            }
            // All may have come before this start: the sensor has to be up before it is asked.
            Ended said = default!;
            last.Until(() => (said = NfrProcess.Run(["status", "--json", "-c", ConfigPath])).Output.Length > 0, "a status");
            using JsonDocument status = JsonDocument.Parse(said.Output);
            JsonElement[] inputs = [.. status.RootElement.GetProperty("inputs").EnumerateArray()];
            Assert.Equal(["dns packetbeat-*", "ip packetbeat-*", "http packetbeat-*", "tls packetbeat-*"], inputs.Select(i => i.GetProperty("name").GetString()));
            Assert.All(inputs, i => Assert.Equal((JsonValueKind.Null, "elastic", server.Host), (i.GetProperty("trouble").ValueKind, i.GetProperty("input").GetString(), i.GetProperty("where").GetString())));
            Assert.True(status.RootElement.GetProperty("run").GetProperty("closes").GetBoolean());
            Ended screen = NfrProcess.Run(["status", "-c", ConfigPath]);
            Assert.Contains("dns packetbeat-*", screen.Output, StringComparison.Ordinal);
            last.Signal(NfrProcess.Terminate);
            Ended end = last.End();
            Assert.Contains("The ledger closes: every line and every event", end.Output, StringComparison.Ordinal);
            foreach (string output in new[] { said.Output, screen.Output, end.Output, end.Error }) Assert.DoesNotContain("changeme", output, StringComparison.Ordinal);
        }
        // Each document is one event in the spool, whatever happened.
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = In("data/spool") }, TimeProvider.System))
            Assert.Equal(2L * written, spool.Counters.Total.Spooled);
        Assert.Equal(2 * written, Distinct(uploads));
        lock (uploads)
        {
            foreach (var same in uploads.SelectMany(u => u.Lines.Distinct().Select(l => (Line: u.Type + l, u))).GroupBy(l => l.Line).Where(g => g.Count() > 1))
                Assert.True(same.Max(u => u.u.First) <= same.Min(u => u.u.Last), $"{same.Key} came under different numbers");
            Assert.All(uploads, u => Assert.Equal(u.Lines.Length, u.Lines.Distinct().Count()));
        }
        Assert.Equal("Basic " + Convert.ToBase64String("elastic:changeme"u8), server.Http.Requests[0].Headers["Authorization"]);
    }

    static int Distinct(List<(long First, long Last, string Type, string[] Lines)> uploads)
    {
        lock (uploads) return uploads.SelectMany(u => u.Lines.Select(l => u.Type + l)).Distinct().Count();
    }
}
