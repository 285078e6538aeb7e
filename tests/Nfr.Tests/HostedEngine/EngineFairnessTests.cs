using System.Net;
using System.Net.Sockets;
using System.Text;
using Nfr.Engine;

namespace Nfr.Tests.HostedEngine;

/// <summary>One sensor's noise, clock or haste costs the others nothing.</summary>
public sealed class EngineFairnessTests
{
    const long Second = 1_000_000_000, Day = 86_400 * Second, Today = 1_800_000_000 * Second;

    static async Task<long> MetricAsync(EngineBed bed, string name)
    {
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        return long.Parse(metrics.Split('\n').Single(l => l.StartsWith(name + " ", StringComparison.Ordinal))[(name.Length + 1)..]);
    }

    [Fact]
    public void A_noisy_site_loses_its_own_alerts_and_nobody_elses()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-shares-").FullName;
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            AlertRow[] Rows(string site, int count) => [.. Enumerable.Range(0, count).Select(_ => new AlertRow(site, "", [1]))];
            Assert.Null(db.Write([.. Rows("calm", 20), .. Rows("still", 1)], [], 100));
            for (int i = 0; i < 10; i++) Assert.Null(db.Write(Rows("noisy", 50), [], 100));
            Assert.Equal(100, db.CountAlerts());
            Assert.Equal((20, 1, 79), (db.ReadAlerts("calm", 0, 1000, 1000).Count, db.ReadAlerts("still", 0, 1000, 1000).Count, db.ReadAlerts("noisy", 0, 1000, 1000).Count));
            // The newest of the noisy one stay.
            Assert.Equal(21 + 500 - 79 + 1, db.ReadAlerts("noisy", 0, 1, 1)[0].Sequence);
        }
        // What is counted is counted again after a restart; two noisy ones share what is left.
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            Assert.Null(db.Write([.. Enumerable.Range(0, 200).Select(_ => new AlertRow("noisy too", "", [1]))], [], 100));
            Assert.Equal((20, 1), (db.ReadAlerts("calm", 0, 1000, 1000).Count, db.ReadAlerts("still", 0, 1000, 1000).Count));
            Assert.Equal(100, db.CountAlerts());
            Assert.InRange(db.ReadAlerts("noisy", 0, 1000, 1000).Count, 39, 40);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Who_takes_many_keys_has_no_more_of_what_is_kept()
    {
        string folder = Directory.CreateTempSubdirectory("nfr-guests-").FullName;
        using (EngineDatabase db = EngineDatabase.Open(folder))
        {
            long Key(string contact, string site = "") => db.AddKey(new KeyRow(0, ApiKeys.Hash(ApiKeys.New()), "", "", site, [], 1, 0, true, contact));
            AlertRow[] Rows(string site, int count) => [.. Enumerable.Range(0, count).Select(_ => new AlertRow(site, "", [1]))];
            int Of(string site) => db.ReadAlerts(site, 0, 1000, 1000).Count;
            string known = $"#{Key("")}";
            long gone = Key("", "gone");
            Key("", "office");
            Assert.Null(db.Write([.. Rows(known, 40), .. Rows("gone", 40), .. Rows("office", 20)], [], 100));
            for (int i = 0; i < 50; i++) Assert.Null(db.Write(Rows($"#{Key("someone@example.org")}", 20), [], 100));
            // Three sites, and fifty guests who are as one.
            Assert.Equal(20, Of("office"));
            Assert.InRange(Of(known), 26, 27);
            Assert.InRange(Of("gone"), 26, 27);
            Assert.Equal(100, db.CountAlerts());
            // A key that is taken back leaves its site to the guests' share.
            db.Revoke(gone, 5);
            Assert.Null(db.Write(Rows(known, 40), [], 100));
            Assert.Equal((40, 20), (Of(known), Of("office")));
            Assert.InRange(Of("gone"), 0, 15);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void Shares_come_to_what_may_stay_whatever_they_are()
    {
        var random = new Random(5);
        for (int i = 0; i < 300; i++)
        {
            var shares = new AlertShares();
            var counts = new Dictionary<string, long>();
            for (int site = random.Next(1, 9); site > 0; site--) shares.Add($"s{site}", counts[$"s{site}"] = random.Next(1, 60));
            HashSet<string> guests = [.. counts.Keys.Where(_ => random.Next(3) == 0)];
            long before = shares.Total, kept = random.Next(0, 200);
            foreach ((string site, long surplus) in shares.Surplus(kept, () => guests))
            {
                Assert.InRange(surplus, 1, counts[site]);
                counts[site] -= surplus;
            }
            Assert.Equal(Math.Min(before, kept), counts.Values.Sum());
        }
    }

    [Fact]
    public async Task Stamps_that_run_through_the_years_fill_no_stock_of_alerts()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        bed.WriteList();
        await bed.StartAsync();
        // Each client's first event is an alert; each stamp is as much later as twenty minutes.
        DateTime begin = new(1970, 1, 2, 0, 0, 0, DateTimeKind.Utc);
        for (int body = 0; body < 3; body++)
        {
            string lines = string.Join('\n', Enumerable.Range(body * 1000, 1000).Select(i =>
                $$"""{"ts":"{{begin.AddMinutes(20 * i):yyyy-MM-dd'T'HH:mm:ss'Z'}}","srcIP":"10.0.{{i / 250}}.{{1 + (i % 250)}}","query":"listed.example","qtype":"A"}"""));
            Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, lines)).Status);
        }
        Assert.InRange(await MetricAsync(bed, "nfr_engine_alerts_raised_total"), 1000, 1100);
        Assert.Equal(3000, await MetricAsync(bed, "nfr_engine_stamps_moved_total{reason=\"old\"}"));
        Assert.InRange(await MetricAsync(bed, "nfr_engine_alerts_held_total"), 1900, 2000);
    }

    [Fact]
    public void A_clock_that_is_wrong_by_years_keeps_its_intervals()
    {
        foreach (long wrong in new[] { -50 * 365 * Day, 20 * 365 * Day, 3600 * Second })
        {
            var clock = new SensorClock();
            long last = 0;
            for (int i = 0; i < 1000; i++)
            {
                long now = Today + (i * 10 * Second), tick = clock.TickOf(now + wrong, now, out int moved);
                Assert.Equal(Math.Sign(wrong), moved);
                Assert.InRange(tick, now - SensorClock.MaxBacklog, now);
                if (i > 0) Assert.Equal(10 * Second, tick - last);
                last = tick;
            }
        }
    }

    [Fact]
    public void A_backlog_keeps_its_stamps_and_forged_ones_move_no_clock_but_to_now()
    {
        var backlog = new SensorClock();
        var forger = new SensorClock();
        var random = new Random(3);
        for (int i = 0; i < 10_000; i++)
        {
            long stamp = Today - (3 * Day) + (i * 20 * Second);
            Assert.Equal(stamp, backlog.TickOf(stamp, Today, out int moved));
            Assert.Equal(0, moved);
        }
        foreach (long forged in new[] { long.MinValue, long.MaxValue, 0, -1, Today + 1, Today - (400 * Day) }.Concat(Enumerable.Range(0, 10_000).Select(_ => random.NextInt64(long.MinValue, long.MaxValue))))
        {
            Assert.InRange(forger.TickOf(forged, Today, out _), Today - SensorClock.MaxBacklog, Today);
        }
    }

    [Theory]
    [InlineData("blank")]
    [InlineData("one line without end")]
    public async Task What_is_no_event_is_paid_for_too(string what)
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { EventsPerSecond = 10 });
        Assert.Equal(HttpStatusCode.OK, (await bed.PostAsync("dns", key, what == "blank" ? new string('\n', 200) : new string('x', 200_000))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
    }

    [Fact]
    public async Task Garbage_in_small_pieces_costs_as_much_as_in_one()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { EventsPerSecond = 10, MaxLine = 1 << 10 });
        var uri = new Uri(bed.Address);
        using var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(uri.Host, uri.Port);
        NetworkStream stream = tcp.GetStream();
        const int pieces = 400, size = 600;
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/events/dns HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":"))}\r\nContent-Length: {pieces * size}\r\n\r\n"));
        // Each piece is read by itself and is less than an event's length.
        for (int i = 0; i < pieces; i++)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(new string('x', size)));
            await Task.Delay(2);
        }
        await stream.ReadAtLeastAsync(new byte[12], 12);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await bed.PostAsync("dns", key, EngineBed.Dns("a.b"))).Status);
    }

    [Fact]
    public async Task A_body_that_does_not_end_is_paid_for_meanwhile()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { EventsPerSecond = 10 });
        var uri = new Uri(bed.Address);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(uri.Host, uri.Port);
        string lines = string.Concat(Enumerable.Range(0, 400).Select(i => EngineBed.Dns($"n{i}.example") + "\n"));
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/events/dns HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":"))}\r\nContent-Length: {lines.Length + 1}\r\n\r\n{lines}"));
        // Its sender holds the last byte back.
        await EngineBed.UntilAsync(async () => (await bed.PostAsync("dns", key, "")).Status == HttpStatusCode.TooManyRequests, "the rest is told to wait");
    }
}
