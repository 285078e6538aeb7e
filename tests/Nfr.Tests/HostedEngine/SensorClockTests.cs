using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Nfr.Engine;
using Nfr.Scoring;

namespace Nfr.Tests.HostedEngine;

/// <summary>Sensors whose clocks are wrong: intervals and order stay as they were.</summary>
public sealed class SensorClockTests
{
    const long Second = 1_000_000_000, Hour = 3600 * Second, Day = 24 * Hour, Today = 1_800_000_000 * Second;

    static DateTimeOffset At(long stamp) => DateTimeOffset.UnixEpoch.AddTicks(stamp / 100);

    /// <summary>As a Date says it, to the second.</summary>
    static DateTimeOffset Said(long stamp) => At(stamp - (stamp % Second));

    static long[] Ticks(SensorClock clock, IEnumerable<long> stamps, long now)
    {
        List<long> ticks = [];
        foreach (long stamp in stamps)
        {
            ticks.Add(clock.TickOf(stamp, now, out _));
        }
        return [.. ticks];
    }

    static long[] Gaps(IEnumerable<long> of) => [.. of.Zip(of.Skip(1), static (a, b) => b - a)];

    [Theory]
    [InlineData(10)]
    [InlineData(-40)]
    [InlineData(3600)]
    [InlineData(-3600)]
    [InlineData(600_000_000)]
    [InlineData(-1_000_000_000)]
    public void A_sensor_that_says_its_clock_keeps_every_interval_however_wrong_it_is(long ahead)
    {
        var clock = new SensorClock();
        List<long> ticks = [];
        // An event each twenty seconds, a body each thirty; requests take up to two seconds.
        for (int body = 1; body <= 100; body++)
        {
            long now = Today + (body * 30 * Second) + (Second / 3), late = body % 3 * Second;
            long[] stamps = [.. Enumerable.Range(0, 1000).Select(i => Today + (i * 20 * Second) + 1).Where(e => e > now - (30 * Second) && e <= now).Select(e => e + (ahead * Second))];
            clock.Begin(Said(now + (ahead * Second)), At(now + late));
            ticks.AddRange(Ticks(clock, stamps, now + late));
        }
        Assert.All(Gaps(ticks), gap => Assert.Equal(20 * Second, gap));
        Assert.InRange(Today + (100 * 30 * Second) - ticks[^1], -3 * Second, 33 * Second);
    }

    [Fact]
    public void A_backlog_of_an_hour_from_a_clock_that_is_ahead_keeps_its_minutes()
    {
        var clock = new SensorClock();
        clock.Begin(Said(Today + Hour), At(Today));
        long[] ticks = Ticks(clock, Enumerable.Range(0, 60).Select(i => Today + (i * 60 * Second)), Today);
        Assert.All(Gaps(ticks), gap => Assert.Equal(60 * Second, gap));
        Assert.InRange(Today - ticks[0], Hour, Hour + (2 * Second));
    }

    [Fact]
    public void One_that_does_not_say_its_clock_and_is_ahead_has_all_its_stamps_moved_from_then_on()
    {
        var clock = new SensorClock();
        List<long> ticks = [];
        for (int body = 1; body <= 100; body++)
        {
            long now = Today + (body * 30 * Second);
            clock.Begin(null, At(now));
            ticks.AddRange(Ticks(clock, Enumerable.Range(0, 200).Select(i => Today + (i * 20 * Second)).Where(e => e > now - (30 * Second) && e <= now).Select(e => e + (10 * Second)), now));
        }
        Assert.Equal(ticks.Order(), ticks);
        Assert.All(Gaps(ticks).Skip(10), gap => Assert.Equal(20 * Second, gap));
    }

    [Fact]
    public void One_stamp_of_the_far_future_does_not_spoil_those_after_it()
    {
        foreach (bool says in new[] { true, false })
        {
            var clock = new SensorClock();
            clock.Begin(says ? Said(Today) : null, At(Today));
            Assert.Equal(Today, Ticks(clock, [Today + (3650 * Day)], Today)[0]);
            Assert.Equal([Today - 60 * Second, Today - 40 * Second], Ticks(clock, [Today - 60 * Second, Today - 40 * Second], Today));
        }
    }

    [Fact]
    public void Days_that_come_late_are_where_they_were()
    {
        var clock = new SensorClock();
        long[] stamps = [.. Enumerable.Range(0, 72).Select(i => Today - (3 * Day) + (i * Hour))];
        long[] ticks = Ticks(clock, stamps, Today);
        Assert.Equal(stamps, ticks);
    }

    [Fact]
    public void Years_before_a_clock_was_set_keep_their_intervals_and_end_at_now()
    {
        var clock = new SensorClock();
        clock.Begin(Said(Today), At(Today));
        long[] old = Ticks(clock, Enumerable.Range(0, 240).Select(i => i * Hour), Today);
        Assert.All(Gaps(old[..168]), gap => Assert.Equal(Hour, gap));
        Assert.All(old[168..], tick => Assert.Equal(Today, tick));
        Assert.Equal([Today - 60 * Second], Ticks(clock, [Today - 60 * Second], Today));
    }

    [Fact]
    public async Task Each_sensor_of_one_key_has_its_own_clock_and_moved_stamps_are_counted()
    {
        await using var bed = new EngineBed();
        string key = bed.AddKey();
        await bed.StartAsync();
        async Task SendAsync(string sensor, TimeSpan ahead)
        {
            DateTime now = DateTime.UtcNow;
            using var request = new HttpRequestMessage(HttpMethod.Post, bed.Address + "/v1/events/dns");
            request.Content = new StringContent($$"""{"ts":"{{now + ahead:yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'}}","srcIP":"10.0.0.9","query":"a.example","qtype":"A"}""");
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(key + ":")));
            request.Headers.Add("X-NFR-Sensor", sensor);
            request.Headers.Date = now + ahead;
            using HttpResponseMessage response = await bed.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
        for (int i = 0; i < 3; i++)
        {
            await SendAsync("late", TimeSpan.FromHours(-2));
            await SendAsync("good", TimeSpan.Zero);
            await SendAsync("early", TimeSpan.FromHours(2));
        }
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        Assert.Contains("nfr_engine_stamps_moved_total{reason=\"old\"} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("nfr_engine_stamps_moved_total{reason=\"future\"} 3\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_sensors_the_longest_unheard_of_is_forgotten()
    {
        var clocks = new SensorClocks();
        SensorClock first = clocks.Of("a"), second = clocks.Of("b");
        for (int i = 0; i < 6; i++) clocks.Of($"s{i}");
        Assert.Same(first, clocks.Of("a"));
        clocks.Of("ninth");
        Assert.Same(first, clocks.Of("a"));
        Assert.NotSame(second, clocks.Of("b"));
    }

    [Fact]
    public async Task A_site_is_not_frozen_when_the_engines_clock_was_ahead_by_years_for_a_moment()
    {
        var time = new ManualTime();
        DateTimeOffset right = time.Utc;
        await using var bed = new EngineBed();
        bed.WriteList();
        string key = bed.AddKey();
        await bed.StartAsync(o => o with { Time = time });
        Task SendAsync(string client, DateTimeOffset at) =>
            bed.PostAsync("dns", key, $$"""{"ts":"{{at:yyyy-MM-dd'T'HH:mm:ss'Z'}}","srcIP":"{{client}}","query":"listed.example","qtype":"A"}""");
        time.Utc = right.AddYears(3);
        await SendAsync("10.0.0.9", time.Utc);
        time.Utc = right;
        // A finding is told again when a while has passed: by a clock that stands still none does.
        for (int hour = 0; hour < 5; hour++)
        {
            await SendAsync("10.0.0.9", time.Utc);
            await SendAsync("10.0.0.10", time.Utc);
            time.Advance(TimeSpan.FromHours(2));
        }
        (_, string metrics) = await bed.SendAsync(HttpMethod.Get, "/metrics", null);
        Assert.Contains("nfr_engine_clocks_put_back_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Equal(1 + 5 + 5, (await bed.AllAlertsAsync(key)).Count);
    }
}
