using System.Text;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolQuotaTests
{
    static byte[] Fat(Random random) => Encoding.UTF8.GetBytes($"{{\"x\":\"{Convert.ToBase64String(RandomBytes(random, 700))}\"}}");

    static void Fill(Spool spool, Random random, EventType type, int score, int flushes)
    {
        for (int flush = 0; flush < flushes; flush++)
        {
            for (int i = 0; i < 10; i++) spool.Append(type, score, Fat(random));
            Assert.Null(spool.Flush());
        }
    }

    [Fact]
    public void A_class_keeps_within_its_quota_and_pushes_out_nobody_else()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(2 << 20, o => o with
        {
            Quotas = new Dictionary<SpoolClass, SpoolQuota> { [SpoolClass.Ip] = new(Percent: 20), [SpoolClass.Scored] = new(100 << 10), [SpoolClass.Alerts] = new(20 << 10) },
        });
        var random = new Random(1);
        Fill(spool, random, EventType.Dns, 0, 30);
        Fill(spool, random, EventType.Ip, 0, 300);
        Fill(spool, random, EventType.Ip, 3, 20);
        Fill(spool, random, EventType.Tls, 3, 20);
        for (int i = 0; i < 100; i++)
        {
            spool.AppendAlert(Alert($"{i}"));
            Assert.Null(spool.Flush());
        }
        SpoolCounters counters = spool.Counters;
        Assert.Equal((300, 0), (counters.Of(EventType.Dns).InSpool, counters.Of(EventType.Dns).Evicted));
        Assert.InRange(counters.BytesOf(SpoolClass.Ip), (2 << 20) / 6, (2 << 20) / 5);
        Assert.InRange(counters.BytesOf(SpoolClass.Scored), 80 << 10, 100 << 10);
        Assert.InRange(counters.BytesOf(SpoolClass.Alerts), 15 << 10, 20 << 10);
        // The older half of what was scored is the ip events'.
        Assert.Equal(0, counters.Of(EventType.Ip, true).InSpool);
        Assert.True(counters.Of(EventType.Tls, true).InSpool > 50);
        Assert.Equal(0, counters.Total.EvictedForAge + counters.Alerts.EvictedForAge);
        Assert.Equal(counters.Total.Evicted, spool.Consumer("engine").Tally(EventType.Ip).Missed + spool.Consumer("engine").Tally(EventType.Tls).Missed);
        AssertCloses(spool);
    }

    [Fact]
    public void A_sensor_that_restarts_more_often_than_once_a_minute_lets_old_things_go_too()
    {
        using var bed = new SpoolTestBed();
        var random = new Random(2);
        for (int life = 0; life < 20; life++)
        {
            using Spool spool = bed.Open(with: o => o with { MaxAge = TimeSpan.FromMinutes(5) });
            Fill(spool, random, EventType.Dns, 0, 1);
            Assert.Null(spool.Flush());
            bed.Time.Advance(TimeSpan.FromSeconds(40));
            long running = (life + 1) * 40;
            Assert.Equal(running <= 300 + 40 ? 0 : 10 * ((running - 300 - 1) / 40), spool.Counters.Total.EvictedForAge);
        }
    }

    [Fact]
    public void What_is_too_old_goes_by_running_time_whatever_the_clock_says_and_is_counted_as_that()
    {
        using var bed = new SpoolTestBed();
        Spool Open() => bed.Open(with: o => o with { MaxAge = TimeSpan.FromHours(10), Quotas = new Dictionary<SpoolClass, SpoolQuota> { [SpoolClass.Ip] = new(MaxAge: TimeSpan.FromHours(2)) } });
        Spool spool = Open();
        var random = new Random(2);
        Fill(spool, random, EventType.Dns, 0, 1);
        Fill(spool, random, EventType.Ip, 0, 1);
        Fill(spool, random, EventType.Ip, 9, 1);
        spool.AppendAlert(Alert("a"));
        Assert.Null(spool.Flush());
        // Thirty years on, and back to 1970: nothing goes.
        foreach (int days in (int[])[11_000, -30_000])
        {
            bed.Time.Utc += TimeSpan.FromDays(days);
            bed.Time.Advance(TimeSpan.FromMinutes(55));
            Assert.True(spool.FlushDue);
            Assert.Null(spool.Flush());
            Assert.False(spool.FlushDue);
            Assert.Equal(30, spool.Counters.Total.InSpool);
        }
        // A stop of years is no time.
        spool.Dispose();
        bed.Time.Advance(TimeSpan.FromDays(1000));
        spool = Open();
        Assert.Null(spool.Flush());
        Assert.Equal(30, spool.Counters.Total.InSpool);
        bed.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.Null(spool.Flush());
        Assert.Equal((20, 10, 10), (spool.Counters.Total.InSpool, spool.Counters.Total.Evicted, spool.Counters.Of(EventType.Ip, false).EvictedForAge));
        Assert.Equal(10, spool.Consumer("engine").Tally(EventType.Ip).Missed);
        Fill(spool, random, EventType.Dns, 0, 1);
        bed.Time.Advance(TimeSpan.FromHours(8));
        Assert.Null(spool.Flush());
        Assert.Equal((10, 30, 1), (spool.Counters.Total.InSpool, spool.Counters.Total.EvictedForAge, spool.Counters.Alerts.EvictedForAge));
        AssertCloses(spool);
        spool.Dispose();
    }

    [Fact]
    public void While_the_disk_refuses_what_is_pending_age_makes_no_flush_due_before_its_time()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(with: o => o with { MaxAge = TimeSpan.FromHours(1) });
        Fill(spool, new Random(1), EventType.Dns, 0, 1);
        bed.Time.Advance(TimeSpan.FromHours(2));
        Assert.True(spool.FlushDue);
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? beside).IsError);
        beside!.Execute("CREATE TRIGGER refuses BEFORE INSERT ON batch BEGIN SELECT raise(ABORT,'refused'); END");
        int flushes = 0;
        for (int turn = 0; turn < 1000; turn++)
        {
            spool.Append(EventType.Dns, 0, Line($"{turn}"));
            if (spool.FlushDue)
            {
                Assert.NotNull(spool.Flush());
                flushes++;
            }
            bed.Time.Advance(TimeSpan.FromMilliseconds(10));
        }
        Assert.InRange(flushes, 8, 11);
        beside.Execute("DROP TRIGGER refuses");
        beside.Dispose();
        bed.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(spool.FlushDue);
        Assert.Null(spool.Flush());
        Assert.Equal((1000, 10), (spool.Counters.Total.InSpool, spool.Counters.Total.EvictedForAge));
        Assert.False(spool.FlushDue);
        AssertCloses(spool);
    }

    [Fact]
    public void An_age_that_is_refused_is_tried_again_in_its_time_though_nothing_is_pending()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(with: o => o with { MaxAge = TimeSpan.FromHours(1) });
        Fill(spool, new Random(1), EventType.Dns, 0, 1);
        bed.Time.Advance(TimeSpan.FromHours(2));
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? beside).IsError);
        beside!.Execute("CREATE TRIGGER refuses BEFORE DELETE ON batch BEGIN SELECT raise(ABORT,'refused'); END");
        Assert.NotNull(spool.Flush());
        Assert.False(spool.FlushDue);
        beside.Execute("DROP TRIGGER refuses");
        beside.Dispose();
        bed.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(spool.FlushDue);
        Assert.Null(spool.Flush());
        Assert.Equal(10, spool.Counters.Total.EvictedForAge);
    }

    [Fact]
    public void A_whole_ring_that_is_too_old_goes_a_few_rows_at_each_flush()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(with: o => o with { MaxAge = TimeSpan.FromHours(1) });
        for (int flush = 0; flush < 150; flush++)
        {
            foreach (EventType type in (EventType[])[EventType.Dns, EventType.Ip, EventType.Tls])
            {
                for (int score = 0; score < 2; score++) spool.Append(type, score, Line($"{flush}"));
            }
            Assert.Null(spool.Flush());
        }
        bed.Time.Advance(TimeSpan.FromHours(2));
        var left = new List<long>();
        while (spool.FlushDue)
        {
            spool.Append(EventType.Http, 0, Line("new"));
            Assert.Null(spool.Flush());
            left.Add(spool.Counters.Total.InSpool - left.Count - 1);
        }
        Assert.Equal([644, 388, 132, 0], left);
        AssertCloses(spool);
    }

    [Fact]
    public void A_kill_takes_ten_minutes_of_age_at_most()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        for (int minute = 0; minute < 120; minute++)
        {
            bed.Time.Advance(TimeSpan.FromMinutes(1));
            if (minute % 5 == 0) Fill(spool, new Random(1), EventType.Dns, 0, 1);
        }
        using SpoolTestBed image = Killed(bed);
        using Spool opened = image.Open();
        Assert.InRange(opened.Running, TimeSpan.FromMinutes(109).TotalMilliseconds, TimeSpan.FromMinutes(120).TotalMilliseconds);
    }

    [Fact]
    public void The_bytes_of_each_class_are_those_of_its_rows()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = bed.Open(1 << 20))
        {
            var random = new Random(3);
            for (int round = 0; round < 150; round++)
            {
                Fill(spool, random, (EventType)random.Next(4), random.Next(2), 1);
                spool.AppendAlert(Alert($"{round}", round % 3));
                if (round % 5 == 4 && spool.Peek(EventType.Ip, 1, 1) is { } batch) Assert.Null(spool.Delivered(EventType.Ip, batch.FirstSequence + random.Next(batch.Count)));
                if (round % 9 == 8 && spool.Peek(EventType.Dns, 1, 1) is { } bad) Assert.Null(spool.Quarantine(EventType.Dns, bad.FirstSequence + random.Next(bad.Count), "no"));
            }
            Assert.True(spool.Counters.Total.Evicted > 0);
        }
        using Spool again = bed.Open(1 << 20);
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? db).IsError);
        using (db)
        {
            foreach (SpoolClass of in SpoolClasses.All)
            {
                string rows = of switch
                {
                    SpoolClass.Alerts => "alert",
                    SpoolClass.Scored => "batch WHERE class=1",
                    _ => $"batch WHERE class=0 AND type={of - SpoolClass.Dns}",
                };
                Assert.Equal(db!.Scalar($"SELECT coalesce(sum(length(body)),0) FROM {rows}"), $"{again.Counters.BytesOf(of)}");
            }
        }
    }

    [Fact]
    public void Sixteen_mebibytes_with_quotas_and_ages_work()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(16 << 20, o => o with
        {
            MaxAge = TimeSpan.FromHours(5), Quotas = SpoolClasses.All.ToDictionary(of => of, of => new SpoolQuota(1 << 20, 5, TimeSpan.FromHours(1))),
        });
        var random = new Random(7);
        for (int round = 0; round < 60; round++)
        {
            bed.Time.Advance(TimeSpan.FromMinutes(5));
            foreach (EventType type in EventTypes.Uploaded) Fill(spool, random, type, round % 2, 8);
            spool.AppendAlert(Alert("a"));
        }
        Assert.Null(spool.Flush());
        Assert.All(SpoolClasses.All, of => Assert.True(spool.Counters.BytesOf(of) <= (16 << 20) / 20));
        Assert.True(spool.Counters.Total.EvictedForAge > 0 && spool.Counters.Total.Evicted > spool.Counters.Total.EvictedForAge);
        AssertCloses(spool);
    }

    [Fact]
    public void A_card_takes_no_more_than_1500_bytes_for_an_event_of_200_at_100_a_second()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        var random = new Random(8);
        const int seconds = 600;
        int bytes = 0;
        for (int second = 0; second < seconds; second++)
        {
            for (int i = 0; i < 100; i++)
            {
                byte[] line = DnsLine(random, i);
                bytes += line.Length;
                spool.Append((EventType)(i % 4), i % 50 == 0 ? 1 : 0, line);
            }
            bed.Time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(spool.FlushDue);
            Assert.Null(spool.Flush());
            // The engine answers: every type each half minute.
            if (second % 30 != 29) continue;
            foreach (EventType type in EventTypes.Uploaded) Assert.Null(spool.Delivered(type, long.MaxValue));
        }
        SpoolCounters counters = spool.Counters;
        Assert.InRange(bytes / (seconds * 100), 150, 250);
        Assert.InRange(counters.BytesWritten / (seconds * 100), 100, 1500);
        // Each a sync; a checkpoint, once in four megabytes, is two more.
        double syncs = (counters.Commits + (2.0 * counters.BytesWritten / (4 << 20))) / (seconds / 10.0);
        Assert.InRange(syncs, 10, 25);
    }

    [Fact]
    public void The_outlook_is_what_a_day_writes_and_how_long_ring_and_card_last_then()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(64 << 20, o => o with { CardBytes = 1_000_000_000 });
        var random = new Random(5);
        Assert.Null(spool.Counters.Outlook);
        // Busy for a day, then a tenth of that for two: the last day counts.
        long before = 0;
        for (int minute = 0; minute < 3 * 24 * 60; minute += 5)
        {
            if (minute == 49 * 60) before = spool.Counters.BytesWritten;
            if (minute < 24 * 60 || minute % 50 == 0) Fill(spool, random, EventType.Dns, 0, 1);
            bed.Time.Advance(TimeSpan.FromMinutes(5));
            if (minute == 24 * 60) Assert.InRange(spool.Counters.Outlook!.BytesPerDay, spool.Counters.BytesWritten * 0.95, spool.Counters.BytesWritten * 1.05);
        }
        SpoolOutlook outlook = spool.Counters.Outlook!;
        double day = (spool.Counters.BytesWritten - before) / (23 / 24.0);
        Assert.InRange(outlook.BytesPerDay, day * 0.95, day * 1.05);
        Assert.Equal(1e9 * 150 / outlook.BytesPerDay / 365.25, outlook.CardYears, 0.5);
        // 29 flushes of ten events of 720 bytes each.
        Assert.InRange(outlook.RingDays!.Value, 120, 360);
    }
}
