using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Uplink;
using Nfr.Uplink;

namespace Nfr.Tests.Elastic;

public sealed class ElasticSinkTests : IAsyncLifetime
{
    readonly UplinkBench _bench = new();
    ElasticServer _server = null!;

    public async Task InitializeAsync() => _server = await ElasticServer.StartAsync();

    public async Task DisposeAsync()
    {
        Assert.Empty(_server.Objections);
        await _server.DisposeAsync();
        _bench.Dispose();
    }

    ElasticOptions Cluster(params string[] hosts) => new() { Hosts = [.. (hosts.Length == 0 ? [_server.Host] : hosts).Select(h => ElasticOptions.TryHost(h)!)] };

    AlertOutput Output(ElasticOptions? cluster = null) => new(
        _bench.Spool, new OutputOptions { Name = "elastic", Format = AlertFormat.Ecs, Sink = new ElasticSinkOptions { Cluster = cluster ?? Cluster() } },
        new SensorIdentity("2.0.0", _bench.Spool.SensorId, "tap-1"), TimeProvider.System, _bench.Notice, random: new Random(1));

    static ElasticSink Sink(ElasticOptions cluster) => new(new ElasticSinkOptions { Cluster = cluster }, EcsDocumentTests.Sensor, TimeProvider.System);

    AlertPage Page() => new(_bench.Spool.ReadAlerts(0, 1000), AlertFormat.Ecs, EcsDocumentTests.Sensor);

    int[] Stored() => [.. _server.Documents(ElasticSinkOptions.DefaultIndex).Select(d => int.Parse(d["dns"]!["question"]!["name"]!.GetValue<string>()["virus-".Length..^".com".Length], null))];

    [Fact]
    public async Task Alerts_are_documents_in_a_data_stream_in_their_order()
    {
        _bench.AppendAlerts(250);
        using AlertOutput output = Output();
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal(Enumerable.Range(0, 250), Stored());
        Assert.Equal(3, _server.Bulks);
        Assert.Equal("gzip", _server.Requests[0].Headers["Content-Encoding"]);
        JsonObject document = _server.Documents(ElasticSinkOptions.DefaultIndex)[0];
        Assert.Equal(("alert", "nfr.alert"), (document["event"]!["kind"]!.GetValue<string>(), document["event"]!["dataset"]!.GetValue<string>()));
        Assert.Equal((250L, 0L, null), (output.State.Alerts, output.State.Refused, output.State.Trouble));
    }

    [Fact]
    public async Task Fifty_restarts_and_lost_answers_double_and_lose_nothing()
    {
        // Every third answer is lost after the cluster has stored what came; a restart forgets what was in hand.
        int requests = 0;
        _server.After = (_, context) =>
        {
            if (++requests % 3 != 0) return Task.FromResult(false);
            context.Abort();
            return Task.FromResult(true);
        };
        for (int run = 0; run < 50; run++)
        {
            _bench.AppendAlerts(4, run * 4);
            using (AlertOutput output = Output()) await output.DrainAsync(CancellationToken.None);
            _bench.Reopen();
        }
        _server.After = null;
        using (AlertOutput last = Output()) Assert.True(await last.DrainAsync(CancellationToken.None));
        Assert.Equal(Enumerable.Range(0, 200), Stored());
        Assert.Equal(200, _server.Ids(ElasticSinkOptions.DefaultIndex).Distinct().Count());
        Assert.True(requests / 3 >= 10, $"only {requests / 3} answers were lost");
    }

    [Fact]
    public async Task Alerts_that_do_not_fit_the_mapping_are_passed_by_and_counted_with_the_clusters_reason()
    {
        _server.Item = d => d["dns"]!["question"]!["name"]!.GetValue<string>() is "virus-3.com" or "virus-7.com" ? (400, "document_parsing_exception", "failed to parse field [source.ip] of type [ip]") : null;
        _bench.AppendAlerts(10);
        using AlertOutput output = Output();
        Assert.True(await output.DrainAsync(CancellationToken.None));
        Assert.Equal([0, 1, 2, 4, 5, 6, 8, 9], Stored());
        Assert.Equal((8L, 2L), (output.State.Alerts, output.State.Refused));
        Assert.Equal("400 document_parsing_exception: failed to parse field [source.ip] of type [ip]", output.State.LastRefusal);
        Assert.Equal(1, _server.Bulks);
    }

    [Theory]
    [InlineData(403, "security_exception", "check api_key")]
    [InlineData(403, "cluster_block_exception", "cluster_block_exception")]
    [InlineData(404, "index_not_found_exception", "action.auto_create_index")]
    [InlineData(400, "index_closed_exception", "index_closed_exception")]
    public async Task What_a_cluster_says_of_its_index_or_our_key_passes_no_alert_by(int status, string type, string told)
    {
        _server.Item = _ => (status, type, "no");
        _bench.AppendAlerts(10);
        using ElasticSink sink = Sink(Cluster());
        SinkAnswer answer = await sink.WriteAsync(Page(), CancellationToken.None);
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.Contains(told, answer.Fault, StringComparison.Ordinal);
        _server.Item = null;
        Assert.Equal(new SinkAnswer(10, 0, null), await sink.WriteAsync(Page(), CancellationToken.None));
    }

    [Fact]
    public async Task A_cluster_that_refuses_every_alert_costs_sixteen_and_one_after_each_wait()
    {
        _server.Item = _ => (400, "illegal_argument_exception", "no");
        _bench.AppendAlerts(40);
        ManualTime time = new();
        using ElasticSink sink = new(new ElasticSinkOptions { Cluster = Cluster() }, EcsDocumentTests.Sensor, time);
        int passed = 0;
        async Task<(int, int, bool)> WriteAsync()
        {
            SinkAnswer answer = await sink.WriteAsync(new AlertPage(_bench.Spool.ReadAlerts(passed, 100), AlertFormat.Ecs, EcsDocumentTests.Sensor), CancellationToken.None);
            passed += answer.Taken;
            return (answer.Taken, answer.Refused, answer.Fault is not null);
        }
        Assert.Equal((16, 16, true), await WriteAsync());
        Assert.Equal((0, 0, true), await WriteAsync());
        time.Advance(ElasticSink.Patience);
        Assert.Equal((1, 1, true), await WriteAsync());
        Assert.Equal((0, 0, true), await WriteAsync());
        _server.Item = null;
        Assert.Equal((23, 0, false), await WriteAsync());
        Assert.Equal(Enumerable.Range(17, 23), Stored());
    }

    [Fact]
    public async Task Items_that_are_put_off_are_sent_again_alone()
    {
        HashSet<string> once = [];
        _server.Item = d => d["dns"]!["question"]!["name"]!.GetValue<string>() is var name && name is "virus-2.com" or "virus-5.com" && once.Add(name) ? (429, "es_rejected_execution_exception", "queue is full") : null;
        _bench.AppendAlerts(8);
        using ElasticSink sink = Sink(Cluster());
        Assert.Equal(new SinkAnswer(8, 0, null), await sink.WriteAsync(Page(), CancellationToken.None));
        Assert.Equal(8, Stored().Length);
        Assert.Equal([16, 4], _server.Requests.Select(r => r.Lines.Length));
    }

    [Fact]
    public async Task A_cluster_without_room_is_not_pressed_and_what_it_took_does_not_come_again()
    {
        _server.Item = d => d["dns"]!["question"]!["name"]!.GetValue<string>() is "virus-4.com" or "virus-6.com" ? (429, "es_rejected_execution_exception", "queue is full") : null;
        _bench.AppendAlerts(8);
        using ElasticSink sink = Sink(Cluster());
        SinkAnswer answer = await sink.WriteAsync(Page(), CancellationToken.None);
        Assert.Equal((4, 0), (answer.Taken, answer.Refused));
        Assert.Contains("queue is full", answer.Fault, StringComparison.Ordinal);
        Assert.Equal(2, _server.Bulks);
        _server.Item = null;
        Assert.Equal(new SinkAnswer(8, 0, null), await sink.WriteAsync(Page(), CancellationToken.None));
        Assert.Equal(8, Stored().Length);
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_halved_down_to_the_alert()
    {
        _bench.AppendAlerts(16);
        _server.MaxBody = 900;
        using ElasticSink sink = Sink(Cluster());
        Assert.Equal(new SinkAnswer(16, 0, null), await sink.WriteAsync(Page(), CancellationToken.None));
        Assert.Equal(Enumerable.Range(0, 16), Stored());
        _server.MaxBody = 10;
        _bench.AppendAlerts(1, 16);
        AlertPage page = new(_bench.Spool.ReadAlerts(16, 1), AlertFormat.Ecs, EcsDocumentTests.Sensor);
        SinkAnswer answer = await sink.WriteAsync(page, CancellationToken.None);
        Assert.Equal((1, 1, null), (answer.Taken, answer.Refused, answer.Fault));
    }

    [Fact]
    public async Task A_refused_key_is_told_with_what_to_do_and_nothing_is_lost()
    {
        _server.Authorization = "ApiKey aWQ6a2V5";
        _bench.AppendAlerts(2);
        using ElasticSink wrong = Sink(Cluster() with { Username = "elastic", Password = new SecretText { Text = "guess" } });
        SinkAnswer answer = await wrong.WriteAsync(Page(), CancellationToken.None);
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.Contains("401", answer.Fault, StringComparison.Ordinal);
        Assert.Contains("check api_key", answer.Fault, StringComparison.Ordinal);
        Assert.DoesNotContain("guess", answer.Fault, StringComparison.Ordinal);
        foreach (string key in new[] { "id:key", "aWQ6a2V5" })
        {
            using ElasticSink right = Sink(Cluster() with { ApiKey = new SecretText { Text = key } });
            Assert.Null((await right.WriteAsync(Page(), CancellationToken.None)).Fault);
        }
        Assert.Equal(2, Stored().Length);
    }

    [Fact]
    public async Task A_node_that_fails_is_left_alone_for_a_while_and_the_others_take_all()
    {
        await using ElasticServer dead = await ElasticServer.StartAsync();
        dead.Before = async (_, context) =>
        {
            await EngineServer.Json(context, 503, "");
            return true;
        };
        ManualTime time = new();
        using ElasticSink sink = new(new ElasticSinkOptions { Cluster = Cluster(dead.Host, _server.Host) }, EcsDocumentTests.Sensor, time);
        for (int i = 0; i < 6; i++)
        {
            _bench.AppendAlerts(1, i);
            AlertPage page = new(_bench.Spool.ReadAlerts(i, 1), AlertFormat.Ecs, EcsDocumentTests.Sensor);
            Assert.Equal(new SinkAnswer(1, 0, null), await sink.WriteAsync(page, CancellationToken.None));
        }
        Assert.Equal(1, dead.Bulks);
        time.Advance(ElasticNodes.LeastRest);
        _bench.AppendAlerts(1, 6);
        Assert.Null((await sink.WriteAsync(new AlertPage(_bench.Spool.ReadAlerts(6, 1), AlertFormat.Ecs, EcsDocumentTests.Sensor), CancellationToken.None)).Fault);
        Assert.Equal((2, 7), (dead.Bulks, Stored().Length));
    }

    [Theory]
    [InlineData(200, "<html>log in to the hotel</html>")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"errors":false,"items":[]}""")]
    [InlineData(200, """{"errors":false,"items":[{"create":{"status":"yes"}},{"create":3}]}""")]
    [InlineData(200, """{"errors":true,"items":[{},{}]}""")]
    [InlineData(204, "")]
    [InlineData(302, "")]
    [InlineData(400, """{"error":{"type":"illegal_argument_exception","reason":"unknown setting"},"status":400}""")]
    [InlineData(404, "")]
    [InlineData(500, "oh")]
    public async Task An_answer_that_is_none_of_a_cluster_loses_nothing(int status, string body)
    {
        _server.Before = async (_, context) =>
        {
            context.Response.StatusCode = status;
            if (status != 204) await context.Response.WriteAsync(body);
            return true;
        };
        _bench.AppendAlerts(2);
        using ElasticSink sink = Sink(Cluster());
        SinkAnswer answer = await sink.WriteAsync(Page(), CancellationToken.None);
        Assert.Equal((0, 0), (answer.Taken, answer.Refused));
        Assert.NotNull(answer.Fault);
        _server.Before = null;
        Assert.Equal(new SinkAnswer(2, 0, null), await sink.WriteAsync(Page(), CancellationToken.None));
    }

    [Fact]
    public async Task An_endless_answer_is_cut_off()
    {
        _server.Before = async (_, context) =>
        {
            byte[] block = new byte[64 << 10];
            for (int i = 0; i < 100; i++) await context.Response.Body.WriteAsync(block);
            return true;
        };
        _bench.AppendAlerts(1);
        using ElasticSink sink = Sink(Cluster());
        Assert.Contains("longer than", (await sink.WriteAsync(Page(), CancellationToken.None)).Fault, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_is_put_once_where_there_is_none()
    {
        _bench.AppendAlerts(2);
        for (int i = 0; i < 2; i++)
        {
            using ElasticSink sink = Sink(Cluster() with { Template = true });
            Assert.Null((await sink.WriteAsync(Page(), CancellationToken.None)).Fault);
            Assert.Null((await sink.WriteAsync(Page(), CancellationToken.None)).Fault);
        }
        Assert.Equal(["HEAD", "PUT", "HEAD"], _server.Requests.Where(r => r.Path.StartsWith("/_index_template/", StringComparison.Ordinal)).Select(r => r.Method));
        JsonObject template = Assert.Single(_server.Templates).Value;
        Assert.Equal([ElasticSinkOptions.DefaultIndex], template["index_patterns"]!.AsArray().Select(p => p!.GetValue<string>()));
        JsonNode properties = template["template"]!["mappings"]!["properties"]!;
        Assert.Equal("ip", properties["source"]!["properties"]!["ip"]!["type"]!.GetValue<string>());
        Assert.Equal("double", properties["nfr"]!["properties"]!["evidence"]!["properties"]!["features"]!["properties"]!["weight"]!["type"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_second_sink_with_another_index_has_a_template_of_its_own()
    {
        _bench.AppendAlerts(1);
        foreach (string index in new[] { ElasticSinkOptions.DefaultIndex, "soc-alerts" })
        {
            using ElasticSink sink = new(new ElasticSinkOptions { Cluster = Cluster() with { Template = true }, Index = index }, EcsDocumentTests.Sensor, TimeProvider.System);
            Assert.Null((await sink.WriteAsync(Page(), CancellationToken.None)).Fault);
        }
        Assert.Equal([ElasticSinkOptions.DefaultIndex, "soc-alerts"], _server.Templates.Values.SelectMany(t => t["index_patterns"]!.AsArray()).Select(p => p!.GetValue<string>()).Order());
        Assert.All(_server.Templates.Keys, name => Assert.StartsWith("nfr-alert-", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_the_template_that_was_asked_for_nothing_is_indexed()
    {
        _server.Before = async (request, context) =>
        {
            if (request.Method != "PUT") return false;
            await EngineServer.Json(context, 403, """{"error":"no"}""");
            return true;
        };
        _bench.AppendAlerts(1);
        using ElasticSink sink = Sink(Cluster() with { Template = true });
        Assert.Contains("manage_index_templates", (await sink.WriteAsync(Page(), CancellationToken.None)).Fault, StringComparison.Ordinal);
        Assert.Equal(0, _server.Bulks);
    }

    [Theory]
    [InlineData("es.example", "http://es.example:9200/")]
    [InlineData("es.example:443", "http://es.example:443/")]
    [InlineData("https://es.example", "https://es.example:9200/")]
    [InlineData("https://es.example:443/es", "https://es.example/es/")]
    [InlineData("http://[::1]", "http://[::1]:9200/")]
    [InlineData("ftp://es.example", null)]
    [InlineData("https://user:pw@es.example", null)]
    [InlineData("https://es.example/?a", null)]
    public void A_host_may_be_written_short(string text, string? expected) => Assert.Equal(expected, ElasticOptions.TryHost(text)?.ToString());

    [Theory]
    [InlineData("site:ZXhhbXBsZS5jb20kYWJjZGVmJGtpYg==", "https://abcdef.example.com/")]
    [InlineData("ZXhhbXBsZS5jb206OTI0MyRhYmNkZWY=", "https://abcdef.example.com:9243/")]
    [InlineData("site:", null)]
    [InlineData("site:bm90aGluZw==", null)]
    [InlineData("site:%%%", null)]
    public void A_cloud_id_names_a_node(string cloudId, string? expected) => Assert.Equal(expected, ElasticOptions.OfCloudId(cloudId)?.ToString());
}
