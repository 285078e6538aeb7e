using System.Security.Cryptography.X509Certificates;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class ClockWaitTests
{
    [Fact]
    public async Task A_wait_ends_soon_after_the_clock_is_set_and_else_at_its_time()
    {
        ManualTime time = new() { Utc = DateTimeOffset.UnixEpoch.AddMinutes(2) };
        ClockWait clock = new(time);
        Task wait = clock.DelayAsync(TimeSpan.FromMinutes(5), CancellationToken.None);
        await AdvanceAsync(time, wait, 30);
        Assert.False(wait.IsCompleted);
        time.Utc = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero);
        Assert.InRange(await AdvanceAsync(time, wait, 10), 1, 2);

        clock.Mark();
        wait = clock.DelayAsync(TimeSpan.FromMinutes(5), CancellationToken.None);
        // What NTP takes away slowly is no step.
        time.Utc += TimeSpan.FromSeconds(20);
        Assert.InRange(await AdvanceAsync(time, wait, 400), 299, 301);
    }

    /// <summary>Second by second until the wait is over; gives the seconds.</summary>
    static async Task<int> AdvanceAsync(ManualTime time, Task wait, int most)
    {
        for (int second = 1; second <= most; second++)
        {
            await UplinkBench.UntilAsync(() => wait.IsCompleted || time.UntilNextTimer() is not null, "the wait waits");
            if (wait.IsCompleted) return second - 1;
            time.Advance(TimeSpan.FromSeconds(1));
        }
        if (most > 100) await UplinkBench.UntilAsync(() => wait.IsCompleted, "the wait is over");
        return most;
    }

    [Fact]
    public async Task An_upload_that_fails_because_of_the_clock_says_so_and_goes_on_when_it_is_set()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using EngineServer server = await EngineServer.StartAsync(certificate);
        using UplinkBench bench = new();
        bench.Append(EventType.Dns, 3);
        JumpingTime time = new() { Wall = DateTimeOffset.UnixEpoch.AddMinutes(3) };
        using EngineClient client = new(bench.Engine(server.Host), time);
        Uploader uploader = new(client, bench.Spool, UplinkBench.Fast() with { BackoffBase = TimeSpan.FromHours(1), BackoffCap = TimeSpan.FromHours(1) }, UplinkBench.Pacer(), time, bench.Notice, new Random(1));
        await UplinkBench.RunUntilAsync(uploader.RunAsync, () =>
        {
            // The certificate stays a stranger's: what shows that the wait is over is another failure, of another kind.
            if (uploader.State.Types[0].LastError is { } first && first.Contains("the clock is not set", StringComparison.Ordinal)) time.Wall = DateTimeOffset.UtcNow;
            return uploader.State.Types[0].LastError?.Contains("self-signed", StringComparison.Ordinal) == true;
        }, "it was tried again when the clock was set");
        Assert.Contains(bench.Notices, n => n.Sentence.Contains("next try as soon as the clock is set", StringComparison.Ordinal));
    }

    /// <summary>The system's intervals with a wall clock that can be set.</summary>
    sealed class JumpingTime : TimeProvider
    {
        public DateTimeOffset Wall { get; set; }

        public override DateTimeOffset GetUtcNow() => Wall;
    }
}
