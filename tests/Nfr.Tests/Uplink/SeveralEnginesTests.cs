using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class SeveralEnginesTests : IDisposable
{
    readonly string _directory = Directory.CreateTempSubdirectory("nfr-engines-").FullName;
    readonly List<UplinkNotice> _notices = [];
    Spool _spool;

    public SeveralEnginesTests() => _spool = Open("engine", "engine:second");

    public void Dispose()
    {
        _spool.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    Spool Open(params string[] consumers) => Spool.Open(new SpoolOptions { Directory = _directory, Consumers = consumers }, TimeProvider.System);

    EngineClient Client(string host) => new(new EngineOptions { Host = host, ApiKey = "secret-key-1", Version = "2.0.0" }, TimeProvider.System);

    Uploader Uploader(EngineClient client, string consumer) => new(
        client, _spool, UplinkBench.Fast() with { Consumer = consumer }, UplinkBench.Pacer(), TimeProvider.System, n => { lock (_notices) _notices.Add(n); });

    string[] Append(int count, int from)
    {
        string[] lines = [.. Enumerable.Range(from, count).Select(i => $$"""{"ts":"2026-11-21T12:00:00Z","srcIP":"10.0.0.1","query":"host-{{i}}.example","qtype":"A"}""")];
        foreach (string line in lines) _spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes(line));
        Assert.Null(_spool.Flush());
        return lines;
    }

    [Fact]
    public async Task An_engine_that_is_dead_delays_no_other_and_has_all_when_it_comes_back()
    {
        await using EngineServer good = await EngineServer.StartAsync(), dead = await EngineServer.StartAsync();
        bool down = true;
        dead.Answer = (context, request) => down ? EngineServer.Json(context, 503, "{}") : EngineServer.Ok(context, request);
        using EngineClient one = Client(good.Host), two = Client(dead.Host);
        using CancellationTokenSource stop = new();
        Task[] running = [Uploader(one, "engine").RunAsync(stop.Token), Uploader(two, "engine:second").RunAsync(stop.Token)];
        List<string> all = [];
        for (int i = 0; i < 5; i++)
        {
            all.AddRange(Append(20, i * 20));
            int count = all.Count;
            await UplinkBench.UntilAsync(() => _spool.Consumer("engine").Tally(EventType.Dns).Delivered == count, "the good one has what was spooled");
        }
        Assert.Equal(100, _spool.Consumer("engine:second").Tally(EventType.Dns).Waiting);
        down = false;
        await UplinkBench.UntilAsync(() => _spool.Consumer("engine:second").Tally(EventType.Dns).Delivered == 100, "the other has it too");
        await stop.CancelAsync();
        await Task.WhenAll(running).WaitAsync(UplinkBench.Limit);
        Assert.Equal(all, good.Requests.SelectMany(r => r.Lines));
        Assert.Equal(all, dead.Requests.Where(r => r.Lines.Length > 0).SelectMany(r => r.Lines).Distinct());
        Assert.Equal(0, _spool.Counters.Total.InSpool);
    }

    [Fact]
    public async Task A_poison_batch_of_one_engine_is_quarantined_for_it_alone_down_to_the_event()
    {
        await using EngineServer good = await EngineServer.StartAsync(), strict = await EngineServer.StartAsync();
        strict.Answer = (context, request) => request.Text.Contains("host-7.", StringComparison.Ordinal) ? EngineServer.Json(context, 400, """{"message":"no"}""") : EngineServer.Ok(context, request);
        using EngineClient one = Client(good.Host), two = Client(strict.Host);
        string[] all = Append(50, 0);
        using CancellationTokenSource stop = new();
        Task[] running = [Uploader(one, "engine").RunAsync(stop.Token), Uploader(two, "engine:second").RunAsync(stop.Token)];
        await UplinkBench.UntilAsync(() => _spool.Counters.Total.InSpool == 0, "all is settled");
        await stop.CancelAsync();
        await Task.WhenAll(running).WaitAsync(UplinkBench.Limit);
        Assert.Equal(all, good.Requests.SelectMany(r => r.Lines));
        ConsumerTally tally = _spool.Consumer("engine:second").Tally(EventType.Dns);
        Assert.Equal((49L, 1L, 0L), (tally.Delivered, tally.Quarantined, tally.Waiting));
        Assert.Equal(0, _spool.Consumer("engine").Tally(EventType.Dns).Quarantined);
    }

    const string Threats = ""","threats":{"c2":{"title":"C2","severity":5},"dga":{"title":"DGA","severity":3}}}""";

    static string Item(string query, string threat) =>
        $$"""{"eventType":"dns","event":{"ts":"2018-09-06T14:09:04.123Z","srcIP":"10.0.0.9","query":"{{query}}","qtype":"A"},"threats":["{{threat}}"],"wisdom":{"flags":["{{threat}}"]} }""";

    static async Task<EngineServer> AlertsAsync(string follow, params string[] items)
    {
        EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => EngineServer.Json(context, 200, context.Request.Query["follow"].ToString().Length == 0
            ? $$"""{"follow":"{{follow}}","more":false,"alerts":[{{string.Join(',', items)}}]""" + Threats
            : $$"""{"follow":"{{follow}}","more":false,"alerts":[]""" + Threats);
        return server;
    }

    [Fact]
    public async Task The_same_finding_of_two_engines_is_one_alert_and_each_has_its_own_mark()
    {
        await using EngineServer first = await AlertsAsync("1-a", Item("a.example", "c2"), Item("b.example", "dga"));
        await using EngineServer second = await AlertsAsync("9-z", Item("a.example", "c2"), Item("b.example", "c2"), Item("c.example", "dga"));
        AlertMerger merger = new(_spool, several: true);
        Assert.Equal((2, 0), await PollAsync(first.Host, "engine", merger));
        Assert.Equal((3, 1), await PollAsync(second.Host, "second", merger));
        Assert.Equal(("1-a", "9-z"), (_spool.GetState("follow"), _spool.GetState("follow:second")));
        Alert[] stored = [.. _spool.ReadAlerts(0, 100).Select(a => a.Alert)];
        Assert.Equal(["a.example", "b.example", "b.example", "c.example"], stored.Select(a => a.Event.Query));
        // What says more is one alert with both.
        Assert.Equal(["c2", "dga"], stored[2].Threats.Select(t => t.Id));

        // After a restart too: what was said lies in the spool.
        _spool.Dispose();
        _spool = Open("engine", "engine:second");
        Assert.Null(_spool.SetState("follow:second", ""));
        Assert.Equal((3, 3), await PollAsync(second.Host, "second", new AlertMerger(_spool, several: true)));
        Assert.Equal(4, _spool.ReadAlerts(0, 100).Count);
    }

    async Task<(long Alerts, long Merged)> PollAsync(string host, string engine, AlertMerger merger)
    {
        using EngineClient client = Client(host);
        AlertPoller poller = new(client, _spool, new AlertPollerOptions { PollInterval = TimeSpan.FromHours(1), Engine = engine }, _ => [], UplinkBench.Pacer(), TimeProvider.System, _ => { }, merger: merger);
        await UplinkBench.RunUntilAsync(poller.RunAsync, () => poller.State.Pages == 1, "a page");
        return (poller.State.Alerts, poller.State.MergedAlerts);
    }

    [Fact]
    public void A_page_that_could_not_be_stored_was_not_said()
    {
        AlertMerger merger = new(_spool, several: true);
        Alert alert = UplinkBench.Alert(1);
        Assert.NotNull(merger.Store([alert], "engine", _ => new SpoolFault(SpoolFaultKind.DiskFull, "full", 13), out _));
        Assert.Null(merger.Store([alert], "second", _ => null, out int merged));
        Assert.Equal(0, merged);
        Assert.Null(merger.Store([alert], "engine", news =>
        {
            Assert.Empty(news);
            return null;
        }, out merged));
        Assert.Equal(1, merged);
    }
}
