using System.Text;
using System.Text.Json.Nodes;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests.Uplink;
using Nfr.Uplink;

namespace Nfr.Tests.Elastic;

public sealed class ElasticEventsTests : IAsyncLifetime
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-elastic-").FullName;
    readonly UplinkBench _bench = new();
    ElasticServer _server = null!;
    Spool _spool = null!;

    public async Task InitializeAsync()
    {
        _server = await ElasticServer.StartAsync();
        _spool = Open();
    }

    public async Task DisposeAsync()
    {
        Assert.Empty(_server.Objections);
        await _server.DisposeAsync();
        _spool.Dispose();
        _bench.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    Spool Open(params EventType[] types) => Spool.Open(new SpoolOptions
    {
        Directory = _folder, Consumers = ["engine", ElasticEventOptions.Consumer],
        ConsumerTypes = types.Length == 0 ? new Dictionary<string, IReadOnlyList<EventType>>() : new() { [ElasticEventOptions.Consumer] = types },
    }, TimeProvider.System);

    ElasticEvents Cluster(params EventType[] types) => Cluster(null, types);

    ElasticEvents Cluster(ClockEpochs? epochs, params EventType[] types) => new(
        new ElasticEventOptions { Cluster = new ElasticOptions { Hosts = [ElasticOptions.TryHost(_server.Host)!] }, Types = types.Length == 0 ? EventTypes.Uploaded : types },
        new SensorIdentity("2.0.0", _spool.SensorId, "tap-1"), TimeProvider.System, epochs: epochs);

    Uploader Uploader(ElasticEvents cluster) => new(cluster, _spool, UplinkBench.Fast() with { Consumer = ElasticEventOptions.Consumer }, TimeProvider.System, _bench.Notice);

    void Append(EventType type, int from, int count)
    {
        for (int i = from; i < from + count; i++)
            _spool.Append(type, 0, Encoding.UTF8.GetBytes($$"""{"type":"{{type.Name()}}","ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.1","destIP":"93.184.215.14","query":"host-{{i}}.example","connID":"{{i}}"}"""));
        Assert.Null(_spool.Flush());
    }

    ConsumerTally Tally(EventType type) => _spool.Consumer(ElasticEventOptions.Consumer).Tally(type);

    int[] Stored(string dataset) =>
        [.. _server.Documents($"logs-nfr.{dataset}-default").Select(d => int.Parse(d["nfr"]!["event"]!["connection_id"]!.GetValue<string>(), null))];

    Task UntilAsync(Uploader uploader, Func<bool> condition, string what) => UplinkBench.RunUntilAsync(uploader.RunAsync, condition, what);

    [Fact]
    public async Task Every_type_has_a_data_stream_of_its_own_and_the_engines_events_go_on_waiting()
    {
        foreach (EventType type in EventTypes.Uploaded) Append(type, 0, 30);
        using ElasticEvents cluster = Cluster();
        Uploader uploader = Uploader(cluster);
        await UntilAsync(uploader, () => EventTypes.Uploaded.All(t => Tally(t).Delivered == 30), "all four types");
        foreach (string dataset in new[] { "dns", "flow", "http", "tls" }) Assert.Equal(Enumerable.Range(0, 30), Stored(dataset));
        Assert.Equal(30, _spool.Consumer("engine").Tally(EventType.Dns).Waiting);
        Assert.Equal(120, uploader.State.DeliveredEvents);
    }

    [Fact]
    public async Task Types_that_are_not_shipped_do_not_fill_the_spool_and_are_not_called_delivered()
    {
        _spool.Dispose();
        _spool = Open(EventType.Dns);
        Append(EventType.Dns, 0, 10);
        Append(EventType.Ip, 0, 10);
        using ElasticEvents cluster = Cluster(EventType.Dns);
        Uploader uploader = Uploader(cluster);
        await UntilAsync(uploader, () => Tally(EventType.Dns).Waiting + Tally(EventType.Ip).Waiting == 0, "nothing waits");
        Assert.Equal(10, Stored("dns").Length);
        Assert.Empty(Stored("flow"));
        Assert.Equal(default, Tally(EventType.Ip));
        Assert.Equal(10, uploader.State.DeliveredEvents);
        // The engine is the only one who takes flows: when it has them they leave.
        SpoolConsumer engine = _spool.Consumer("engine");
        Assert.Null(engine.Delivered(engine.Peek(EventType.Ip, 100, 1 << 20)!));
        SpoolTally ip = _spool.Counters.Of(EventType.Ip);
        Assert.Equal((0L, 10L), (ip.InSpool, ip.Delivered));
    }

    [Fact]
    public async Task The_template_is_for_all_types_whichever_are_shipped()
    {
        Append(EventType.Dns, 0, 1);
        using ElasticEvents cluster = new(
            new ElasticEventOptions { Cluster = new ElasticOptions { Hosts = [ElasticOptions.TryHost(_server.Host)!], Template = true }, Types = [EventType.Dns] },
            new SensorIdentity("2.0.0", _spool.SensorId, "tap-1"), TimeProvider.System);
        await UntilAsync(Uploader(cluster), () => Tally(EventType.Dns).Waiting == 0, "nothing waits");
        string[] patterns = [.. Assert.Single(_server.Templates).Value["index_patterns"]!.AsArray().Select(p => p!.GetValue<string>())];
        Assert.Equal(["logs-nfr.dns-default", "logs-nfr.flow-default", "logs-nfr.http-default", "logs-nfr.tls-default"], patterns.Order());
    }

    [Fact]
    public async Task Fifty_restarts_with_lost_answers_and_items_put_off_store_each_event_once()
    {
        int requests = 0, items = 0;
        _server.Item = _ => Interlocked.Increment(ref items) % 7 == 0 ? (429, "es_rejected_execution_exception", "queue is full") : null;
        _server.After = (_, context) =>
        {
            if (Interlocked.Increment(ref requests) % 3 != 0) return Task.FromResult(false);
            context.Abort();
            return Task.FromResult(true);
        };
        for (int run = 0; run < 50; run++)
        {
            Append(EventType.Dns, run * 20, 20);
            using (ElasticEvents cluster = Cluster())
            {
                int before = requests;
                await UntilAsync(Uploader(cluster), () => requests > before, "a request");
            }
            _spool.Dispose();
            _spool = Open();
        }
        using (ElasticEvents cluster = Cluster()) await UntilAsync(Uploader(cluster), () => Tally(EventType.Dns).Waiting == 0, "all");
        Assert.Equal(Enumerable.Range(0, 1000), Stored("dns").Order());
        Assert.Equal(1000, _server.Ids("logs-nfr.dns-default").Distinct().Count());
        ConsumerTally tally = Tally(EventType.Dns);
        Assert.Equal((1000L, 1000L, 0L, 0L), (tally.Since, tally.Delivered, tally.Quarantined, tally.Missed));
    }

    [Fact]
    public async Task What_was_stored_before_the_clock_was_set_is_no_second_document_after_it()
    {
        ManualTime time = new() { Utc = new DateTimeOffset(2026, 11, 21, 12, 0, 30, TimeSpan.Zero) };
        ClockEpochs epochs = new(_spool, time, "boot-1", () => false);
        Append(EventType.Dns, 0, 10);
        int requests = 0;
        _server.After = (_, context) =>
        {
            if (Interlocked.Increment(ref requests) > 1) return Task.FromResult(false);
            // Stored; its answer never comes. Then the clock is set, a day on, and more was spooled before that.
            Append(EventType.Dns, 10, 10);
            time.Utc += TimeSpan.FromDays(1);
            Assert.True(epochs.Look());
            context.Abort();
            return Task.FromResult(true);
        };
        using ElasticEvents cluster = Cluster(epochs);
        await UntilAsync(Uploader(cluster), () => Tally(EventType.Dns).Delivered == 20, "all");
        Assert.Equal(Enumerable.Range(0, 20), Stored("dns"));
        string[] stamps = [.. _server.Documents("logs-nfr.dns-default").Select(d => d["@timestamp"]!.GetValue<string>())];
        Assert.All(stamps[..10], ts => Assert.StartsWith("2026-11-21T12:00:00", ts, StringComparison.Ordinal));
        Assert.All(stamps[10..], ts => Assert.StartsWith("2026-11-22T12:00:00", ts, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_event_that_does_not_fit_the_mapping_is_put_aside_alone_with_the_reason()
    {
        _server.Item = d => d["nfr"]!["event"]!["connection_id"]!.GetValue<string>() is "0" or "7" or "8" or "39" ? (400, "document_parsing_exception", "failed to parse") : null;
        Append(EventType.Http, 0, 40);
        using ElasticEvents cluster = Cluster();
        Uploader uploader = Uploader(cluster);
        await UntilAsync(uploader, () => Tally(EventType.Http).Waiting == 0, "all");
        Assert.Equal(Enumerable.Range(0, 40).Except([0, 7, 8, 39]), Stored("http"));
        Assert.Equal((36L, 4L), (Tally(EventType.Http).Delivered, Tally(EventType.Http).Quarantined));
        Assert.Equal((36L, 4L), (uploader.State.DeliveredEvents, uploader.State.QuarantinedEvents));
        Assert.Equal(1, _server.Bulks);
        Assert.Contains(_bench.Notices, n => n.Sentence.Contains("document_parsing_exception", StringComparison.Ordinal) && n.Sentence.Contains("cluster http://127.0.0.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(401, "security_exception", "unable to authenticate", UplinkPhase.KeyRefused, "check api_key")]
    [InlineData(403, "security_exception", "action [indices:data/write/bulk] is unauthorized", UplinkPhase.KeyRefused, "check api_key")]
    [InlineData(403, "cluster_block_exception", "index [x] blocked by: [FORBIDDEN/8/index write (api)]", UplinkPhase.BackingOff, "FORBIDDEN/8")]
    [InlineData(404, "index_not_found_exception", "no such index [x]", UplinkPhase.BackingOff, "action.auto_create_index")]
    [InlineData(400, "index_closed_exception", "closed", UplinkPhase.BackingOff, "index_closed_exception")]
    [InlineData(418, "new_exception", "never heard of", UplinkPhase.BackingOff, "never heard of")]
    public async Task What_a_cluster_says_of_its_index_or_our_key_puts_no_event_aside(int status, string type, string reason, UplinkPhase phase, string told)
    {
        _server.Item = _ => (status, type, reason);
        Append(EventType.Dns, 0, 40);
        using (ElasticEvents cluster = Cluster())
        {
            Uploader uploader = Uploader(cluster);
            await UntilAsync(uploader, () => Tally(EventType.Dns).Waiting < 40 || uploader.State.Types[0].Phase == phase && uploader.State.Trouble is not null, "a stop");
            Assert.Contains(told, uploader.State.Trouble, StringComparison.Ordinal);
        }
        Assert.Equal((40L, 0L), (Tally(EventType.Dns).Waiting, Tally(EventType.Dns).Quarantined));
        _server.Item = null;
        using ElasticEvents well = Cluster();
        await UntilAsync(Uploader(well), () => Tally(EventType.Dns).Waiting == 0, "all");
        Assert.Equal(Enumerable.Range(0, 40), Stored("dns"));
    }

    [Fact]
    public async Task A_cluster_that_refuses_every_document_costs_sixteen_events_and_one_after_each_wait()
    {
        _server.Item = _ => (400, "illegal_argument_exception", "only write ops with an op_type of create are allowed in data streams");
        Append(EventType.Dns, 0, 300);
        using ElasticEvents cluster = Cluster();
        // With waits that do not end.
        UploadOptions options = UplinkBench.Fast() with { Consumer = ElasticEventOptions.Consumer, BackoffBase = TimeSpan.FromDays(1), BackoffCap = TimeSpan.FromDays(1) };
        Uploader uploader = new((IEventTarget)cluster, _spool, options, UplinkBench.Pacer(), TimeProvider.System, _bench.Notice, null);
        await UntilAsync(uploader, () => Tally(EventType.Dns).Quarantined > 16 || uploader.State.Types[0].Phase == UplinkPhase.BackingOff, "a wait");
        Assert.Equal((284L, 16L), (Tally(EventType.Dns).Waiting, Tally(EventType.Dns).Quarantined));
        Assert.Contains("refuses every dns event", uploader.State.Trouble, StringComparison.Ordinal);
        _server.Item = null;
        await UntilAsync(Uploader(cluster), () => Tally(EventType.Dns).Waiting == 0, "the others");
        Assert.Equal(Enumerable.Range(16, 284), Stored("dns"));
    }

    sealed class ScriptedTarget(params Func<SpoolBatch, EngineReply>[] script) : IEventTarget
    {
        int _at;

        public string Who => "cluster x";

        public string KeyRefused(string message) => message;

        public ReadOnlyMemory<byte> BodyOf(SpoolBatch part) => part.Body;

        public Task<EngineReply> SendAsync(SpoolBatch part, ReadOnlyMemory<byte> body, CancellationToken cancel) =>
            Task.FromResult(script[Math.Min(Interlocked.Increment(ref _at), script.Length) - 1](part));
    }

    sealed class LongestWait : Random
    {
        public override double NextDouble() => 0;
    }

    [Fact]
    public async Task An_answer_that_takes_none_of_the_events_ends_no_trouble()
    {
        static EngineReply Fails(SpoolBatch part) => new() { Kind = EngineReplyKind.ServerError, Message = "503" };
        static EngineReply TakesNone(SpoolBatch part) =>
            new() { Kind = EngineReplyKind.Accepted, RefusedEvents = [.. Enumerable.Range(0, part.Count).Select(i => new RefusedEvent(i, "no"))] };
        var target = new ScriptedTarget(Fails, TakesNone, Fails, part => new EngineReply { Kind = EngineReplyKind.Accepted });
        UploadOptions options = UplinkBench.Fast() with { Consumer = ElasticEventOptions.Consumer, BackoffBase = TimeSpan.FromHours(1), BackoffCap = TimeSpan.FromHours(9) };
        Uploader uploader = new(target, _spool, options, UplinkBench.Pacer(), TimeProvider.System, _bench.Notice, new LongestWait());
        UplinkTypeState State() => uploader.State.Types[0];
        TimeSpan? Wait() => State() is { Phase: UplinkPhase.BackingOff } state ? state.BackingOffUntil - state.LastErrorAt : null;
        Append(EventType.Dns, 0, 3);
        await UntilAsync(uploader, () => Wait() is not null, "the first wait");
        Assert.Equal(TimeSpan.FromHours(1), Wait());
        await UntilAsync(uploader, () => Tally(EventType.Dns).Quarantined == 3, "refused");
        Assert.Equal((null, 0L), (State().LastSuccess, State().DeliveredBatches));
        Assert.DoesNotContain(_bench.Notices, n => n.Sentence.Contains("takes events again", StringComparison.Ordinal));
        Assert.NotNull(uploader.State.Trouble);
        Append(EventType.Dns, 3, 1);
        await UntilAsync(uploader, () => Wait() is not null, "the second wait");
        Assert.Equal(TimeSpan.FromHours(2), Wait());
        await UntilAsync(uploader, () => Tally(EventType.Dns).Waiting == 0, "taken");
        Assert.Contains(_bench.Notices, n => n.Sentence.Contains("takes events again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Events_side_by_side_that_do_not_fit_are_put_aside_in_one_transaction()
    {
        _server.Item = d => int.Parse(d["nfr"]!["event"]!["connection_id"]!.GetValue<string>(), null) is >= 5 and < 35 ? (400, "document_parsing_exception", "failed to parse") : null;
        Append(EventType.Http, 0, 40);
        using ElasticEvents cluster = Cluster();
        await UntilAsync(Uploader(cluster), () => Tally(EventType.Http).Waiting == 0, "all");
        Assert.Equal((10L, 30L), (Tally(EventType.Http).Delivered, Tally(EventType.Http).Quarantined));
        _spool.Dispose();
        using (SpoolArchive archive = SpoolArchive.Open(_folder, out _)!) Assert.Equal([(6L, 35L)], archive.ReadFacts(out _)!.Quarantined.Select(row => (row.First, row.Last)));
        _spool = Open();
    }

    [Fact]
    public async Task A_line_that_is_no_event_is_put_aside_and_its_neighbours_are_stored()
    {
        Append(EventType.Dns, 0, 1);
        _spool.Append(EventType.Dns, 0, "{\"srcIP\":\"10.0.0.1\"}"u8);
        _spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes("{\"ts\":\"2026-11-21T12:00:00Z\",\"query\":\"" + new string('a', 9000) + "\\ud800\"}"));
        Append(EventType.Dns, 1, 1);
        using ElasticEvents cluster = Cluster();
        await UntilAsync(Uploader(cluster), () => Tally(EventType.Dns).Waiting == 0, "all");
        Assert.Equal([0, 1], Stored("dns"));
        Assert.Equal(2, Tally(EventType.Dns).Quarantined);
    }

    [Fact]
    public async Task A_refused_key_stops_shipping_and_loses_nothing()
    {
        _server.Authorization = "ApiKey x";
        Append(EventType.Tls, 0, 5);
        using ElasticEvents cluster = Cluster();
        Uploader uploader = Uploader(cluster);
        await UntilAsync(uploader, () => uploader.State.Types[(int)EventType.Tls].Phase == UplinkPhase.KeyRefused, "the key is refused");
        Assert.Contains("check api_key", uploader.State.Trouble, StringComparison.Ordinal);
        Assert.Equal(5, Tally(EventType.Tls).Waiting);
    }

    [Fact]
    public async Task A_cluster_that_is_away_is_caught_up_with()
    {
        _server.Before = async (_, context) =>
        {
            await EngineServer.Json(context, 503, "");
            return true;
        };
        Append(EventType.Dns, 0, 500);
        using ElasticEvents cluster = Cluster();
        Uploader uploader = Uploader(cluster);
        Task Away() => UntilAsync(uploader, () => uploader.State.Types[0].FailedRequests >= 2, "failures");
        await Away();
        Assert.Equal(500, Tally(EventType.Dns).Waiting);
        _server.Before = null;
        await UntilAsync(uploader, () => Tally(EventType.Dns).Waiting == 0, "the backlog");
        Assert.Equal(500, Stored("dns").Length);
    }
}
