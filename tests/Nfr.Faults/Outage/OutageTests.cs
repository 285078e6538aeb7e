using System.Diagnostics;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Tests;
using Nfr.Uplink;
using Xunit.Abstractions;

namespace Nfr.Faults.Outage;

/// <summary>The engine cannot be reached for hours, in virtual time, with the real spool and uploader; then the line comes back.</summary>
[Collection(AloneCollection.Name)]
public sealed class OutageTests(ITestOutputHelper output)
{
    const int EventsPerSecond = 50;
    /// <summary>Before the line goes down, and after the backlog is gone.</summary>
    static readonly TimeSpan s_well = TimeSpan.FromMinutes(10);
    /// <summary>Events on their way when their row is evicted: what waits out a failure is looked for in the ring before it goes, so a row or so.</summary>
    const int InHand = 500;

    /// <summary>The ring holds all of it: 72 hours in the long tier, 6 in CI.</summary>
    [Fact]
    public Task An_outage_that_fits_into_the_ring_loses_and_doubles_nothing() => RunAsync(TimeSpan.FromHours(Tier.Of(6, 72)), 4L << 30, evicts: false);

    /// <summary>The ring is too small: what is missing is what was counted as evicted, to the event.</summary>
    [Fact]
    public Task An_outage_that_is_longer_than_the_ring_misses_exactly_what_was_evicted() => RunAsync(TimeSpan.FromHours(Tier.Of(2, 24)), Tier.Of(12, 140) << 20, evicts: true);

    async Task RunAsync(TimeSpan outage, long maxBytes, bool evicts)
    {
        using var folder = new RamFolder();
        var time = new SettledTime(EventTypes.UploadedCount);
        var line = new OutageLine(time, (int)((outage.TotalSeconds + 7200) * EventsPerSecond * 0.6));
        var events = new OutageEvents();
        var heap = new List<long>();
        var byType = new int[EventTypes.UploadedCount];
        var real = new Stopwatch();
        using Spool spool = Spool.Open(new SpoolOptions { Directory = folder.Path, MaxBytes = maxBytes }, time);
        using var client = new EngineClient(
            new EngineOptions { Host = "http://engine.example", ApiKey = "KEY1", Version = "2.0.0", SensorId = spool.SensorId, TotalTimeout = SettledTime.Deadline }, time, line);
        var uploader = new Uploader(client, spool, new UploadOptions(), new RequestPacer(time), time, _ => { });
        using var stop = new CancellationTokenSource();
        Task running = uploader.RunAsync(stop.Token);

        Live(s_well);
        Assert.InRange(spool.Counters.Total.InSpool, 0, 31 * EventsPerSecond);
        TimeSpan downAt = time.Elapsed;
        line.Down = true;
        heap.Add(GC.GetTotalMemory(forceFullCollection: true));
        real.Restart();
        for (int part = 0; part < 8; part++)
        {
            Live(outage / 8);
            heap.Add(GC.GetTotalMemory(forceFullCollection: true));
        }
        double downReal = real.Elapsed.TotalSeconds;
        AssertCloses(spool, line, events, evicts);
        SpoolTally atTheEnd = spool.Counters.Total;

        line.Down = false;
        line.UpSince = time.Elapsed;
        uploader.TryNow();
        (long deliveredBefore, TimeSpan upAt) = (spool.Counters.Total.Delivered, time.Elapsed);
        // What 30 s leave waiting is no backlog.
        real.Restart();
        while (spool.Counters.Total.InSpool > 31 * EventsPerSecond && time.Elapsed - upAt < outage) Live(TimeSpan.FromSeconds(1));
        double drainReal = real.Elapsed.TotalSeconds;
        TimeSpan drain = time.Elapsed - upAt;
        long drained = spool.Counters.Total.Delivered - deliveredBefore;
        heap.Add(GC.GetTotalMemory(forceFullCollection: true));
        Live(s_well);
        AssertCloses(spool, line, events, evicts);
        await stop.CancelAsync();
        await running.WaitAsync(TimeSpan.FromMinutes(1));

        SpoolTally total = spool.Counters.Total;
        Assert.Equal(events.AcceptedOfAll, total.Spooled);
        Assert.Equal(0, total.LostBeforeSpool + total.Quarantined);
        Assert.Equal(0, line.Doubled);
        Assert.Equal(0, line.Wrong);
        Assert.Equal(evicts, total.Evicted > 0);
        // A batch that was in hand when its rows were evicted arrives all the same, and stays counted as evicted.
        long inHand = line.Events - total.Delivered, missing = 0;
        Assert.InRange(inHand, 0, evicts ? InHand : 0);
        foreach (EventType type in EventTypes.Uploaded)
        {
            long here = 0;
            for (int n = 0; n < events.Accepted(type); n++) here += line.Has(type, n) ? 0 : 1;
            SpoolTally tally = spool.Counters.Of(type);
            Assert.InRange(tally.Evicted + tally.InSpool - here, 0, inHand);
            missing += here;
        }
        Assert.Equal(total.Evicted + total.InSpool - inHand, missing);

        double rate = drained / drain.TotalSeconds / EventsPerSecond, realRate = drained / drainReal / EventsPerSecond;
        List<double> gaps = AssertPolite(line, downAt + TimeSpan.FromSeconds(1), downAt + outage);
        output.WriteLine($"{outage.TotalHours:0} h without the engine at {EventsPerSecond} events/s: {events.AcceptedOfAll:N0} accepted and spooled = {total.Delivered:N0} delivered + {total.Evicted:N0} evicted ({inHand:N0} of them in hand and sent all the same) + {total.InSpool:N0} in spool;"
            + $" the engine has {line.Events:N0} different ones, {line.Doubled} twice, {missing:N0} never; {atTheEnd.InSpool:N0} waited at the end of the outage");
        output.WriteLine($"drain: {drained:N0} events in {drain.TotalSeconds:N0} s, {rate:0.#} x real time over a line of 2 Mbit/s ({line.Bytes / (double)line.Events:0} bytes an event); the code alone {realRate:N0} x on this machine;"
            + $" slowest live event {line.SlowestLive.TotalSeconds:N0} s");
        output.WriteLine($"down: {gaps.Count} waits of 0 to {gaps.Max():0} s, on average {gaps.Average():0} s, of {line.Failed.Sum(f => f.Count)} requests; spooled {atTheEnd.Spooled / downReal / EventsPerSecond:N0} x real time");
        output.WriteLine($"heap: {string.Join(", ", heap.Select(bytes => $"{bytes / 1048576.0:0.0}"))} MiB; {spool.Counters.BytesOnDisk >> 20} MiB on disk");
        Assert.True(rate >= 20, $"drained at {rate:0.#} x real time");
        // 30 s of gathering, 30 s of a request that hung when the line came back, and turns of the four types: a backlog batch of 1 MiB takes the line for 4 s.
        Assert.True(line.SlowestLive < TimeSpan.FromSeconds(120), $"a live event took {line.SlowestLive.TotalSeconds:0} s");
        Assert.True(realRate >= 20, $"the code drains at {realRate:0.#} x real time");
        Assert.True(heap.Max() - heap[0] < 8 << 20, $"the heap grew from {heap[0]:N0} to {heap.Max():N0} bytes");

        void Live(TimeSpan span)
        {
            for (TimeSpan end = time.Elapsed + span; time.Elapsed < end;)
            {
                events.Append(spool, (int)time.Elapsed.TotalSeconds, EventsPerSecond, byType);
                time.Advance(TimeSpan.FromSeconds(1));
                if (!spool.FlushDue) continue;
                Assert.Null(spool.Flush());
                foreach (EventType type in EventTypes.Uploaded) uploader.Spooled(type, byType[(int)type]);
            }
        }
    }

    /// <summary>Promise 1 as the sensor counts it, by its rows, and as the engine knows it.</summary>
    static void AssertCloses(Spool spool, OutageLine line, OutageEvents events, bool evicts)
    {
        SpoolCounters counted = spool.CountRows()!;
        foreach (EventType type in EventTypes.Uploaded)
        {
            SpoolTally tally = counted.Of(type);
            Assert.Equal(events.Accepted(type), tally.Spooled);
            Assert.Equal(tally.Spooled, tally.InSpool + tally.Delivered + tally.Evicted + tally.Quarantined);
        }
        Assert.InRange(line.Events - counted.Total.Delivered, 0, evicts ? InHand : 0);
    }

    /// <summary>Never two requests within a second; each type's waits are spread from nothing to five minutes, and no longer.</summary>
    static List<double> AssertPolite(OutageLine line, TimeSpan from, TimeSpan to)
    {
        TimeSpan[] all = [.. line.Failed.SelectMany(f => f).Where(at => at >= from).Order()];
        for (int i = 1; i < all.Length; i++) Assert.True(all[i] - all[i - 1] >= TimeSpan.FromSeconds(1), $"requests at {all[i - 1]} and {all[i]}");
        var gaps = new List<double>();
        foreach (List<TimeSpan> failed in line.Failed)
        {
            // The first ten are the way up to the cap.
            for (int i = 11; i < failed.Count; i++)
            {
                if (failed[i] < to) gaps.Add((failed[i] - failed[i - 1]).TotalSeconds);
            }
        }
        // Each fourth request waited 30 s for its answer first, and one may wait a second for its turn.
        Assert.InRange(gaps.Max(), 240, 300 + SettledTime.Deadline.TotalSeconds + 5);
        Assert.InRange(gaps.Min(), 0, 30);
        Assert.InRange(gaps.Average(), 120, 200);
        return gaps;
    }
}
