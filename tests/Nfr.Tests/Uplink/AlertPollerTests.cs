using System.Collections.Concurrent;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class AlertPollerTests : IDisposable
{
    readonly UplinkBench _bench = new();

    public void Dispose() => _bench.Dispose();

    static string Item(string query) =>
        $$"""{"eventType":"dns","event":{"ts":"2018-09-06T14:09:04.123Z","srcIP":"10.0.0.9","query":"{{query}}","qtype":"A"},"threats":["c2_comm"],"wisdom":{"flags":["c2"]} }""";

    static string Page(string follow, bool more, params string[] items) =>
        $$"""{"follow":"{{follow}}","more":{{(more ? "true" : "false")}},"alerts":[{{string.Join(',', items)}}],"threats":{"c2_comm":{"title":"C2 communication","severity":5} } }""";

    /// <summary>A server that holds pages by the mark they follow.</summary>
    static async Task<EngineServer> ServeAsync(ConcurrentDictionary<string, string> pages)
    {
        EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            string follow = context.Request.Query["follow"].ToString();
            return EngineServer.Json(context, 200, pages.TryGetValue(follow, out string? page) ? page : Page(follow, false));
        };
        return server;
    }

    AlertPoller Poller(EngineClient client, TimeSpan? interval = null) => new(
        client, _bench.Spool,
        new AlertPollerOptions { PollInterval = interval ?? TimeSpan.FromHours(1), BackoffBase = TimeSpan.FromMilliseconds(5), BackoffCap = TimeSpan.FromMilliseconds(50) },
        source => [new AlertGroup("office", "of " + source)], UplinkBench.Pacer(), TimeProvider.System, _bench.Notice);

    async Task<AlertPollerState> PollUntilAsync(string host, Func<AlertPollerState, bool> condition, string what, TimeSpan? interval = null)
    {
        using EngineClient client = _bench.Client(host);
        AlertPoller poller = Poller(client, interval);
        await UplinkBench.RunUntilAsync(poller.RunAsync, () => condition(poller.State), what);
        return poller.State;
    }

    string[] Stored() => [.. _bench.Spool.ReadAlerts(0, 1000).Select(stored => stored.Alert.Event.Query!)];

    [Fact]
    public async Task The_first_poll_is_at_once_and_more_pages_follow_at_once()
    {
        await using EngineServer server = await ServeAsync(new ConcurrentDictionary<string, string>
        {
            [""] = Page("1-a", true, Item("a"), Item("b")),
            ["1-a"] = Page("2-b", true, Item("c")),
            ["2-b"] = Page("3-c", false, Item("d")),
        });
        AlertPollerState state = await PollUntilAsync(server.Host, state => state.Pages == 3, "three pages within an interval of an hour");
        Assert.Equal(["a", "b", "c", "d"], Stored());
        Assert.Equal(4, state.Alerts);
        Assert.Equal("3-c", _bench.Spool.GetState("follow"));
    }

    [Fact]
    public async Task Alerts_get_the_scopes_groups()
    {
        await using EngineServer server = await ServeAsync(new ConcurrentDictionary<string, string> { [""] = Page("1-a", false, Item("a")) });
        await PollUntilAsync(server.Host, state => state.Pages == 1, "a page");
        Alert alert = Assert.Single(_bench.Spool.ReadAlerts(0, 10)).Alert;
        Assert.Equal([new AlertGroup("office", "of 10.0.0.9")], alert.Groups);
        Assert.Equal(new AlertThreat("c2_comm", "C2 communication", 5), Assert.Single(alert.Threats));
    }

    [Fact]
    public async Task The_mark_outlives_a_restart()
    {
        ConcurrentDictionary<string, string> pages = new() { [""] = Page("1-a", false, Item("a")) };
        await using EngineServer server = await ServeAsync(pages);
        await PollUntilAsync(server.Host, state => state.Pages == 1, "the first page");
        _bench.Reopen();
        pages["1-a"] = Page("2-b", false, Item("b"));
        await PollUntilAsync(server.Host, state => state.Pages == 1, "the second page");
        Assert.Equal(["a", "b"], Stored());
        Assert.Equal("?follow=1-a", server.Requests[^1].Query);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("{\"follow\":\"9\",\"alerts\":[")]
    [InlineData("{\"alerts\":[{\"eventType\":\"dns\",\"event\":{\"ts\":\"2018-09-06T14:09:04Z\",\"srcIP\":\"10.0.0.9\",\"query\":\"x\",\"qtype\":\"A\"},\"threats\":[\"t\"]}]}")]
    public async Task A_bad_page_is_counted_and_leaves_the_mark(string bad)
    {
        ConcurrentDictionary<string, string> pages = new() { [""] = Page("1-a", true, Item("a")), ["1-a"] = bad };
        await using EngineServer server = await ServeAsync(pages);
        using EngineClient client = _bench.Client(server.Host);
        AlertPoller poller = Poller(client);
        using CancellationTokenSource stop = new();
        Task running = poller.RunAsync(stop.Token);
        await UplinkBench.UntilAsync(() => poller.State.BadPages >= 2, "two bad pages");
        Assert.Equal("1-a", _bench.Spool.GetState("follow"));
        Assert.NotNull(poller.State.Trouble);
        Assert.Single(_bench.Notices);
        pages["1-a"] = Page("2-b", false, Item("b"));
        await UplinkBench.UntilAsync(() => poller.State.Trouble is null, "recovered");
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        Assert.Equal(["a", "b"], Stored());
    }

    [Fact]
    public async Task An_alert_that_cannot_be_read_is_skipped_and_counted()
    {
        await using EngineServer server = await ServeAsync(new ConcurrentDictionary<string, string> { [""] = Page("1-a", false, Item("a"), "{\"eventType\":7}", "null", Item("b")) });
        AlertPollerState state = await PollUntilAsync(server.Host, state => state.Pages == 1, "a page");
        Assert.Equal(2, state.SkippedAlerts);
        Assert.Equal(["a", "b"], Stored());
        Assert.Contains("2 of 4 alerts", Assert.Single(_bench.Notices).Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_behind_the_same_mark_is_no_endless_loop()
    {
        await using EngineServer server = await ServeAsync(new ConcurrentDictionary<string, string> { [""] = Page("1-a", true), ["1-a"] = Page("1-a", true) });
        await PollUntilAsync(server.Host, state => state.Pages == 2, "two pages");
        await Task.Delay(100);
        Assert.Equal(2, server.Requests.Count);
    }

    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task A_server_that_fails_is_asked_again(int status)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        int tries = 0;
        server.Answer = (context, _) => ++tries <= 3 ? EngineServer.Json(context, status, "{}") : EngineServer.Json(context, 200, Page("1-a", false, Item("a")));
        AlertPollerState state = await PollUntilAsync(server.Host, state => state.Pages == 1, "a page at last");
        Assert.Equal(3, state.FailedRequests);
        Assert.Null(state.Trouble);
        Assert.Equal(["a"], Stored());
    }

    [Fact]
    public async Task A_refused_key_is_said_once_and_waits()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) => EngineServer.Json(context, 401, """{"message":"unknown key"}""");
        AlertPollerState state = await PollUntilAsync(server.Host, state => state.KeyRefused, "refused");
        Assert.Single(server.Requests);
        Assert.InRange((state.BackingOffUntil!.Value - DateTimeOffset.UtcNow).TotalMinutes, 50, 61);
        Assert.Equal(NoticeLevel.Error, Assert.Single(_bench.Notices).Level);
    }

    [Fact]
    public async Task An_interval_lies_between_polls_without_more()
    {
        await using EngineServer server = await ServeAsync([]);
        AlertPollerState state = await PollUntilAsync(server.Host, state => state.Pages >= 3, "three polls", TimeSpan.FromMilliseconds(20));
        Assert.Equal(0, state.Alerts);
        Assert.Empty(_bench.Notices);
    }
}
