using System.Text;
using Microsoft.AspNetCore.Http;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;
using Nfr.Tests.Storage;

namespace Nfr.Tests.Uplink;

public sealed class UploaderTests : IDisposable
{
    readonly UplinkBench _bench = new();

    public void Dispose() => _bench.Dispose();

    /// <summary>Uploads until the condition holds; returns the state at that time.</summary>
    async Task<UplinkState> UploadUntilAsync(string host, Func<UplinkState, bool> condition, string what, UploadOptions? options = null, TimeSpan? timeout = null)
    {
        using EngineClient client = _bench.Client(host, timeout);
        Uploader uploader = _bench.Uploader(client, options);
        await UplinkBench.RunUntilAsync(uploader.RunAsync, () => condition(uploader.State), what);
        return uploader.State;
    }

    bool Drained(EventType type) => _bench.Spool.Peek(type, 1, 1 << 20) is null;

    static IEnumerable<string> Delivered(EngineServer server, EventType type) =>
        server.Requests.Where(request => request.Path == "/v1/events/" + type.Name()).SelectMany(request => request.Lines);

    [Fact]
    public void Concatenated_gzip_members_are_one_body()
    {
        _bench.Append(EventType.Dns, 1);
        byte[] one = _bench.Spool.Peek(EventType.Dns, 10, 1 << 20)!.Body.ToArray();
        Recorded request = new("POST", "/", "", new Dictionary<string, string> { ["Content-Encoding"] = "gzip" }, [.. one, .. one, .. one]);
        Assert.Equal(3, request.Lines.Length);
    }

    [Fact]
    public async Task Every_type_arrives_as_it_was_appended()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        Dictionary<EventType, string[]> lines = EventTypes.Uploaded.ToDictionary(type => type, type => _bench.Append(type, 250 + (int)type));
        UplinkState state = await UploadUntilAsync(server.Host, _ => EventTypes.Uploaded.All(Drained), "all delivered");
        foreach (EventType type in EventTypes.Uploaded) Assert.Equal(lines[type], Delivered(server, type));
        Assert.Equal(lines.Values.Sum(list => list.Length), state.DeliveredEvents);
        Assert.Null(state.Trouble);
        Assert.All(state.Types, type => Assert.NotNull(type.LastSuccess));
        Assert.All(server.Requests, request => Assert.Equal(_bench.Spool.SensorId, request.Headers["X-NFR-Sensor"]));
        Assert.Empty(_bench.Notices);
    }

    [Fact]
    public async Task A_type_that_is_off_is_not_sent()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        _bench.Append(EventType.Dns, 3);
        _bench.Append(EventType.Http, 3);
        UploadOptions options = UplinkBench.Fast() with { Http = new UploadTypeOptions { Enabled = false } };
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "dns delivered", options);
        Assert.Empty(Delivered(server, EventType.Http));
        Assert.Equal(UplinkPhase.Off, state.Types[(int)EventType.Http].Phase);
    }

    [Fact]
    public async Task A_backlog_is_drained_without_a_pause()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 20_000);
        UploadOptions options = UplinkBench.Fast(TimeSpan.FromHours(1)) with { Dns = new UploadTypeOptions { BufferSize = 1000, FlushInterval = TimeSpan.FromHours(1) } };
        await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "drained within one interval", options);
        Assert.Equal(lines, Delivered(server, EventType.Dns));
        Assert.InRange(server.Requests.Count, 20, 60);
    }

    [Fact]
    public async Task A_full_buffer_does_not_wait_for_its_interval()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        UploadOptions options = UplinkBench.Fast() with { Dns = new UploadTypeOptions { BufferSize = 64, FlushInterval = TimeSpan.FromHours(1) } };
        using EngineClient client = _bench.Client(server.Host);
        Uploader uploader = _bench.Uploader(client, options);
        using CancellationTokenSource stop = new();
        Task running = uploader.RunAsync(stop.Token);
        _bench.Append(EventType.Dns, 1);
        uploader.Spooled(EventType.Dns, 1);
        _bench.Append(EventType.Dns, 63, 1);
        uploader.Spooled(EventType.Dns, 64);
        await UplinkBench.UntilAsync(() => Drained(EventType.Dns), "delivered before the interval");
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
    }

    [Fact]
    public async Task A_batch_that_is_too_large_is_split_and_the_next_ones_are_smaller()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 100);
        server.Answer = (context, request) => request.Lines.Length > 30 ? EngineServer.Json(context, 413, """{"message":"too big"}""") : EngineServer.Ok(context, request);
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "split and delivered");
        Assert.Equal(lines, server.Requests.Where(request => request.Lines.Length <= 30).SelectMany(request => request.Lines));
        Assert.Equal(100, state.DeliveredEvents);
        Assert.Equal(0, state.QuarantinedEvents);
        foreach (int status in new[] { 200, 413 }) Assert.Equal(server.Requests.Count(request => request.Lines.Length > 30 == (status == 413)), state.Types[0].Requests[status]);
    }

    [Fact]
    public async Task A_single_event_that_is_too_large_is_put_aside_and_the_rest_delivered()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 9);
        server.Answer = (context, request) => request.Text.Contains("host-4.", StringComparison.Ordinal) ? EngineServer.Json(context, 413, "{}") : EngineServer.Ok(context, request);
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "the rest delivered");
        Assert.Equal(1, state.QuarantinedEvents);
        Assert.Equal(8, state.DeliveredEvents);
        Assert.Equal(lines.Where((_, i) => i != 4), server.Requests.Where(request => !request.Text.Contains("host-4.", StringComparison.Ordinal)).SelectMany(request => request.Lines));
    }

    [Fact]
    public async Task A_poison_event_is_halved_down_to_and_put_aside()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Ip, 64);
        bool Poison(Recorded request) => request.Text.Contains("host-17.", StringComparison.Ordinal) || request.Text.Contains("host-63.", StringComparison.Ordinal);
        server.Answer = (context, request) => Poison(request) ? EngineServer.Json(context, 400, """{"message":"bad event"}""") : EngineServer.Ok(context, request);
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Ip), "the rest delivered");
        Assert.Equal(2, state.QuarantinedEvents);
        Assert.Equal(62, state.DeliveredEvents);
        Assert.Equal(lines.Where((_, i) => i is not 17 and not 63), server.Requests.Where(request => !Poison(request)).SelectMany(request => request.Lines));
        UplinkNotice notice = Assert.Single(_bench.Notices);
        Assert.Contains("bad event", notice.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_engine_that_refuses_everything_does_not_empty_the_spool()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        _bench.Append(EventType.Dns, 200);
        server.Answer = (context, _) => EngineServer.Json(context, 400, """{"message":"no"}""");
        UploadOptions options = UplinkBench.Fast() with { BackoffBase = TimeSpan.FromHours(1), BackoffCap = TimeSpan.FromHours(1) };
        UplinkState state = await UploadUntilAsync(server.Host, state => state.Types[0].Phase == UplinkPhase.BackingOff, "backs off", options);
        Assert.InRange(state.QuarantinedEvents, 1, 17);
        Assert.Contains("refuses every dns event", state.Trouble, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(429)]
    public async Task A_server_that_fails_and_recovers_gets_everything_once(int status)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 50);
        int tries = 0;
        server.Answer = (context, request) => ++tries <= 3 ? EngineServer.Json(context, status, """{"message":"not now"}""") : EngineServer.Ok(context, request);
        UplinkState state = await UploadUntilAsync(server.Host, state => Drained(EventType.Dns) && state.Trouble is null, "recovered");
        Assert.Equal(4, server.Requests.Count);
        Assert.Equal(lines, server.Requests[^1].Lines);
        Assert.Equal(3, state.Types[0].FailedRequests);
        Assert.Equal(2, _bench.Notices.Count);
        Assert.Contains("50 events wait; next try in", _bench.Notices[0].Sentence, StringComparison.Ordinal);
        Assert.Contains("takes events again after", _bench.Notices[1].Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Retry_after_is_obeyed_in_both_forms(bool asDate)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        _bench.Append(EventType.Dns, 5);
        server.Answer = (context, _) =>
        {
            context.Response.Headers.RetryAfter = asDate ? DateTimeOffset.UtcNow.AddSeconds(900).ToString("R") : "900";
            return EngineServer.Json(context, 429, "{}");
        };
        UplinkState state = await UploadUntilAsync(server.Host, state => state.Types[0].BackingOffUntil is not null, "backs off");
        Assert.InRange((state.Types[0].BackingOffUntil!.Value - DateTimeOffset.UtcNow).TotalSeconds, 780, 901);
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_refused_key_stops_the_uploads_until_told_to_try(int status)
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 5);
        server.Answer = (context, _) => EngineServer.Json(context, status, """{"message":"unknown key"}""");
        using EngineClient client = _bench.Client(server.Host);
        Uploader uploader = _bench.Uploader(client);
        using CancellationTokenSource stop = new();
        Task running = uploader.RunAsync(stop.Token);
        await UplinkBench.UntilAsync(() => uploader.State.Types[0].Phase == UplinkPhase.KeyRefused, "stopped");
        await Task.Delay(200, CancellationToken.None);
        Assert.Single(server.Requests);
        Assert.Contains($"the engine refuses the API key (the engine answered {status}: unknown key); run nfr account status", uploader.State.Trouble, StringComparison.Ordinal);
        Assert.Equal(NoticeLevel.Error, Assert.Single(_bench.Notices).Level);
        server.Answer = EngineServer.Ok;
        uploader.TryNow();
        await UplinkBench.UntilAsync(() => Drained(EventType.Dns), "delivered with the key put right");
        Assert.Equal(lines, server.Requests[^1].Lines);
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
    }

    [Fact]
    public async Task A_reset_and_a_cut_answer_are_sent_again()
    {
        int connections = 0;
        byte[] ok = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"received\":5}");
        await using RawServer server = new(async (socket, stop) =>
        {
            int number = Interlocked.Increment(ref connections);
            await RawServer.ReadHeaderAsync(socket, stop);
            if (number == 1)
            {
                RawServer.Reset(socket);
                return;
            }
            await socket.SendAsync(number == 2 ? ok.AsMemory(0, ok.Length - 5) : ok, stop);
            if (number == 2) RawServer.Reset(socket);
            else await Task.Delay(100, stop);
        });
        _bench.Append(EventType.Dns, 5);
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "delivered at the third try");
        Assert.Equal(5, state.DeliveredEvents);
        Assert.Equal(2, state.Types[0].FailedRequests);
    }

    [Fact]
    public async Task Garbage_is_no_delivery()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        _bench.Append(EventType.Dns, 5);
        int tries = 0;
        server.Answer = (context, request) => ++tries <= 2 ? EngineServer.Json(context, 200, "<html>log in</html>") : EngineServer.Ok(context, request);
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "delivered");
        Assert.Equal(3, server.Requests.Count);
        Assert.Equal(2, state.Types[0].FailedRequests);
    }

    [Fact]
    public async Task A_request_that_times_out_is_tried_smaller()
    {
        // A line so slow that the body does not pass within the time: below 64 KiB it does.
        await using EngineServer server = await EngineServer.StartAsync();
        Random random = new(1);
        for (int i = 0; i < 400; i++)
        {
            byte[] noise = new byte[400];
            random.NextBytes(noise);
            _bench.Spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes($$"""{"n":{{i}},"noise":"{{Convert.ToHexString(noise)}}"}"""));
        }
        Assert.Null(_bench.Spool.Flush());
        server.Answer = async (context, request) =>
        {
            if (request.Body.Length > 100 << 10) await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
            else await EngineServer.Ok(context, request);
        };
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "delivered in parts", timeout: TimeSpan.FromSeconds(2));
        Assert.Equal(400, state.DeliveredEvents);
        Assert.Equal(0, state.QuarantinedEvents);
    }

    [Fact]
    public async Task The_events_that_an_engine_rejects_are_counted_by_its_reasons()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        _bench.Append(EventType.Dns, 5);
        server.Answer = (context, _) => EngineServer.Json(context, 200, """{"received":5,"accepted":3,"rejected":{"old":2}}""");
        UplinkState state = await UploadUntilAsync(server.Host, _ => Drained(EventType.Dns), "delivered");
        Assert.Equal(2, state.Types[0].RejectedEvents);
        Assert.Equal(2, state.Types[0].Rejected["old"]);
    }

    [Fact]
    public async Task A_clean_stop_lets_the_request_in_flight_end_and_notes_it()
    {
        await using EngineServer server = await EngineServer.StartAsync();
        string[] lines = _bench.Append(EventType.Dns, 5);
        TaskCompletionSource arrived = new();
        server.Answer = async (context, request) =>
        {
            arrived.TrySetResult();
            await Task.Delay(300);
            await EngineServer.Ok(context, request);
        };
        using EngineClient client = _bench.Client(server.Host);
        using CancellationTokenSource stop = new();
        Task running = _bench.Uploader(client).RunAsync(stop.Token);
        await arrived.Task.WaitAsync(UplinkBench.Limit);
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        _bench.Reopen();
        Assert.True(Drained(EventType.Dns));
        Assert.Equal(lines, Assert.Single(server.Requests).Lines);
    }

    [Fact]
    public async Task An_unreachable_engine_is_reported_once()
    {
        int port = FreePort.Take();
        string[] lines = _bench.Append(EventType.Dns, 5);
        using EngineClient client = _bench.Client($"http://127.0.0.1:{port}");
        Uploader uploader = _bench.Uploader(client);
        using CancellationTokenSource stop = new();
        Task running = uploader.RunAsync(stop.Token);
        await UplinkBench.UntilAsync(() => uploader.State.Types[0].FailedRequests >= 5, "five failures");
        UplinkNotice notice = Assert.Single(_bench.Notices);
        Assert.StartsWith($"uplink: engine http://127.0.0.1:{port} unreachable (connection refused); 5 events wait; next try in", notice.Sentence, StringComparison.Ordinal);
        await using EngineServer back = await EngineServer.StartAsync(port: port);
        await UplinkBench.UntilAsync(() => Drained(EventType.Dns) && uploader.State.Trouble is null, "recovered");
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
        Assert.Equal(lines, back.Requests.SelectMany(request => request.Lines));
        Assert.Equal(2, _bench.Notices.Count);
    }
}
