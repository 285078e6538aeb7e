using System.Diagnostics;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class PacingTests
{
    [Fact]
    public void The_wait_grows_with_full_jitter_up_to_the_cap()
    {
        Backoff backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(300), new Random(7));
        double ceiling = 1;
        double longest = 0;
        for (int i = 0; i < 2000; i++)
        {
            double wait = backoff.Next().TotalSeconds;
            Assert.InRange(wait, 0, ceiling);
            longest = Math.Max(longest, wait);
            ceiling = Math.Min(300, ceiling * 2);
        }
        Assert.InRange(longest, 280, 300);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0, 1);
    }

    [Fact]
    public async Task Failing_callers_take_turns_a_second_apart()
    {
        ManualTime time = new();
        RequestPacer pacer = new(time);
        await pacer.EnterAsync(false, CancellationToken.None);
        pacer.Leave(failed: true);
        long start = time.GetTimestamp();
        Task[] callers = [.. Enumerable.Range(0, 4).Select(_ => pacer.EnterAsync(true, CancellationToken.None))];
        for (int second = 1; second <= 4; second++)
        {
            time.Advance(TimeSpan.FromMilliseconds(999));
            await SettleAsync(callers, second - 1);
            time.Advance(TimeSpan.FromMilliseconds(1));
            await SettleAsync(callers, second);
        }
        Assert.Equal(4, time.GetElapsedTime(start).TotalSeconds);
    }

    /// <summary>The callers' continuations run on the pool: wait until as many are through, and see that no more are.</summary>
    static async Task SettleAsync(Task[] callers, int through)
    {
        await UplinkBench.UntilAsync(() => callers.Count(caller => caller.IsCompletedSuccessfully) >= through, $"{through} callers through");
        await Task.Delay(30);
        Assert.Equal(through, callers.Count(caller => caller.IsCompletedSuccessfully));
    }

    [Fact]
    public async Task Nobody_waits_while_all_is_well()
    {
        RequestPacer pacer = new(new ManualTime());
        for (int i = 0; i < 100; i++)
        {
            Task turn = pacer.EnterAsync(false, CancellationToken.None);
            Assert.True(turn.IsCompletedSuccessfully);
            await turn;
            pacer.Leave(failed: false);
        }
    }

    [Fact]
    public async Task A_failing_engine_sees_no_storm()
    {
        // The rudest engine: "later", and later is now. Only the pacer holds the four loops.
        using UplinkBench bench = new();
        await using EngineServer server = await EngineServer.StartAsync();
        server.Answer = (context, _) =>
        {
            context.Response.Headers.RetryAfter = "0";
            return EngineServer.Json(context, 429, "{}");
        };
        foreach (EventType type in EventTypes.Uploaded) bench.Append(type, 10);
        TimeSpan spacing = TimeSpan.FromMilliseconds(100);
        using EngineClient client = bench.Client(server.Host);
        Uploader uploader = new(client, bench.Spool, UplinkBench.Fast(), new RequestPacer(TimeProvider.System, spacing), TimeProvider.System, bench.Notice);
        long start = Stopwatch.GetTimestamp();
        await UplinkBench.RunUntilAsync(uploader.RunAsync, () => server.Requests.Count >= 12, "twelve requests");
        // Four may be in flight before the first failure is known.
        Assert.InRange(server.Requests.Count, 12, (Stopwatch.GetElapsedTime(start) / spacing) + 5);
    }

    [Fact]
    public void A_flapping_engine_is_not_reported_with_every_flap()
    {
        ManualTime time = new();
        List<UplinkNotice> notices = [];
        TroubleReport report = new(time, notices.Add);
        for (int i = 0; i < 100; i++)
        {
            report.Failed("dns", "error", NoticeLevel.Warning, "down", "down");
            report.Failed("ip", "error", NoticeLevel.Warning, "down", "down");
            time.Advance(TimeSpan.FromSeconds(1));
            report.Succeeded("dns", _ => "up");
            Assert.Equal("down", report.Trouble);
            report.Succeeded("ip", lasted => "up");
            Assert.Null(report.Trouble);
        }
        Assert.Equal(["down", "up", "down", "up"], notices.Select(notice => notice.Sentence));
    }
}
