using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

public sealed class UploadScheduleTests
{
    // 2026-11-23 is a Monday.
    [Theory]
    [InlineData("22:00-06:00", "2026-11-23 21:59", false)]
    [InlineData("22:00-06:00", "2026-11-23 22:00", true)]
    [InlineData("22:00-06:00", "2026-11-24 05:59", true)]
    [InlineData("22:00-06:00", "2026-11-24 06:00", false)]
    [InlineData("mon-fri 22:00-06:00", "2026-11-28 05:00", true)]
    [InlineData("mon-fri 22:00-06:00", "2026-11-28 22:30", false)]
    [InlineData("mon-fri 22:00-06:00", "2026-11-23 05:00", false)]
    [InlineData("sat,sun", "2026-11-28 00:00", true)]
    [InlineData("sat,sun", "2026-11-29 23:59", true)]
    [InlineData("sat,sun", "2026-11-30 00:00", false)]
    [InlineData("fri-mon 10:00-24:00", "2026-11-30 23:59", true)]
    [InlineData("fri-mon 10:00-24:00", "2026-12-01 00:00", false)]
    [InlineData("sat 22:00-06:00", "2026-11-29 05:00", true)]
    [InlineData("sat 22:00-06:00", "2026-11-22 05:00", true)]
    public void A_window_is_open_at_its_times(string window, string at, bool open) =>
        Assert.Equal(open, UploadWindow.TryParse([window], out _)!.IsOpen(DateTime.Parse(at, CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("22:00")]
    [InlineData("22:00-22:00")]
    [InlineData("24:00-06:00")]
    [InlineData("22:60-06:00")]
    [InlineData("monday 22:00-06:00")]
    [InlineData("mon-")]
    [InlineData("22:00-06:00 mon")]
    [InlineData("mon tue")]
    [InlineData(" ")]
    public void What_is_no_window_is_told(string window)
    {
        Assert.Null(UploadWindow.TryParse(["sat", window], out int wrong));
        Assert.Equal(1, wrong);
    }

    [Fact]
    public void Without_a_window_it_is_always_open_and_several_add_up()
    {
        Assert.True(UploadWindow.TryParse([], out _)!.IsOpen(default));
        UploadWindow both = UploadWindow.TryParse(["01:00-02:00", "sun 03:00-04:00"], out _)!;
        Assert.True(both.IsOpen(new DateTime(2026, 11, 23, 1, 30, 0)));
        Assert.True(both.IsOpen(new DateTime(2026, 11, 22, 3, 30, 0)));
        Assert.False(both.IsOpen(new DateTime(2026, 11, 23, 3, 30, 0)));
    }

    [Fact]
    public async Task Events_wait_for_the_window_and_go_within_a_minute_of_it()
    {
        ManualTime time = new();
        await using EngineServer server = await EngineServer.StartAsync();
        using UplinkBench bench = new();
        bench.Append(EventType.Dns, 3);
        DateTime local = time.GetLocalNow().DateTime.AddMinutes(10);
        string window = string.Create(CultureInfo.InvariantCulture, $"{local:HH:mm}-{local.AddMinutes(30):HH:mm}");
        using EngineClient client = bench.Client(server.Host);
        Uploader uploader = new(client, bench.Spool, new UploadOptions { Window = UploadWindow.TryParse([window], out _)! }, new RequestPacer(time), time, bench.Notice);
        using CancellationTokenSource stop = new();
        Task running = uploader.RunAsync(stop.Token);
        await UplinkBench.UntilAsync(() => uploader.State.Types[0].Phase == UplinkPhase.OutsideWindow, "it waits");
        for (int minute = 0; minute < 9; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(20);
            Assert.Empty(server.Requests);
        }
        await UplinkBench.UntilAsync(() =>
        {
            // Not while the request is on its way, which takes as long as it takes.
            if (uploader.State.Types[0].Phase == UplinkPhase.OutsideWindow) time.Advance(TimeSpan.FromSeconds(10));
            return server.Requests.Count == 1;
        }, "they went");
        Assert.InRange((time.Utc - new ManualTime().Utc).TotalMinutes, 9.9, 39);
        await stop.CancelAsync();
        await running.WaitAsync(UplinkBench.Limit);
    }

    [Fact]
    public async Task A_cap_takes_as_long_as_the_bytes_ask_for_whoever_sends_and_one_after_the_other()
    {
        ManualTime time = new();
        using BandwidthCap cap = new(10_000, time);
        await using EngineServer server = await EngineServer.StartAsync();
        EngineOptions options = new() { Host = server.Host, ApiKey = "secret-key-1", Version = "2.0.0", Bandwidth = cap, TotalTimeout = TimeSpan.FromHours(1), ConnectTimeout = TimeSpan.FromHours(1) };
        using EngineClient client = new(options, time);
        byte[] body = new byte[50_000];
        Task<EngineReply>[] both = [client.SendEventsAsync(EventType.Dns, body, 1, 1, CancellationToken.None), client.SendEventsAsync(EventType.Ip, body, 1, 1, CancellationToken.None)];
        double seconds = 0;
        await UplinkBench.UntilAsync(() =>
        {
            if (Task.WhenAll(both).IsCompleted) return true;
            // Only what waits for the cap has a timer this near.
            if (time.UntilNextTimer() is { TotalSeconds: < 60 } next)
            {
                time.Advance(next);
                seconds += next.TotalSeconds;
            }
            return false;
        }, "both are sent");
        foreach (Task<EngineReply> reply in both) Assert.NotEqual(EngineReplyKind.Unreachable, (await reply).Kind);
        // 100 KB and two heads at 10 KB a second, of which one second's is there at once.
        Assert.InRange(seconds, 8.9, 10);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task After_an_outage_what_is_new_goes_by_turns_with_the_backlog()
    {
        ManualTime time = new();
        using UplinkBench bench = new();
        await using EngineServer server = await EngineServer.StartAsync();
        string directory = Directory.CreateTempSubdirectory("nfr-turns-").FullName;
        using (Spool spool = Spool.Open(new SpoolOptions { Directory = directory }, time))
        {
            for (int minute = 0; minute < 20; minute++)
            {
                Append(spool, "old", minute * 500, 500);
                time.Advance(TimeSpan.FromMinutes(1));
            }
            // While the backlog goes, ten new events come with each request.
            int requests = 0;
            server.Answer = (context, request) =>
            {
                if (requests++ < 30) Append(spool, "new", requests * 10, 10);
                return EngineServer.Ok(context, request);
            };
            using EngineClient client = bench.Client(server.Host);
            UploadOptions options = new() { Dns = new UploadTypeOptions { BufferSize = 500, FlushInterval = TimeSpan.FromSeconds(30) } };
            Uploader uploader = new(client, spool, options, new RequestPacer(time), time, bench.Notice);
            await UplinkBench.RunUntilAsync(uploader.RunAsync, () =>
            {
                if (time.UntilNextTimer() is { TotalSeconds: <= 30 } next) time.Advance(next);
                return requests >= 31 && spool.Counters.Total.InSpool == 0;
            }, "all is sent");
        }
        Directory.Delete(directory, recursive: true);
        string[][] sent = [.. server.Requests.Select(r => r.Lines)];
        string[] all = [.. sent.SelectMany(l => l)];
        Assert.Equal(20 * 500 + 300, all.Length);
        Assert.Equal(all.Length, all.Distinct().Count());
        // What is old goes in order, and what is new too; and the first new ones long before the last old ones.
        Assert.Equal(Enumerable.Range(0, 10_000).Select(i => Line("old", i)), all.Where(l => l.Contains("old-", StringComparison.Ordinal)));
        // (Those that came before anybody knew of a backlog are part of it.)
        int[] fresh = [.. all.Where(l => l.Contains("new-", StringComparison.Ordinal)).Select(Number).Where(n => n >= 20)];
        Assert.Equal(fresh.Order(), fresh);
        int firstNew = Array.FindIndex(sent, l => l[0].Contains("new-", StringComparison.Ordinal));
        Assert.InRange(firstNew, 1, 4);
        for (int i = firstNew; i < 20; i++) Assert.True(sent[i][0].Contains("new-", StringComparison.Ordinal) || sent[i + 1][0].Contains("new-", StringComparison.Ordinal), $"requests {i} and {i + 1} are both old");
    }

    static int Number(string line) => int.Parse(line.Split("-")[^1].Split('.')[0], CultureInfo.InvariantCulture);

    static string Line(string name, int i) => $$"""{"ts":"T12:00:00Z","query":"{{name}}-{{i}}.example"}""";

    static void Append(Spool spool, string name, int from, int count)
    {
        for (int i = from; i < from + count; i++) spool.Append(EventType.Dns, 0, Encoding.UTF8.GetBytes(Line(name, i)));
        Assert.Null(spool.Flush());
    }
}
