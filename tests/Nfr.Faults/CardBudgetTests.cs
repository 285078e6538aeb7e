using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Faults.Ring;
using Nfr.Storage;
using Nfr.Tests;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>
/// What the card has to bear, counted where it arrives: at most 1,500 bytes written for an event of 200 bytes and 25 syncs for a thousand of them, at 100
/// events a second. (A thousand events are 35,000 bytes even compressed, so the 1,500 bytes are those of one event.)
/// </summary>
public sealed class CardBudgetTests(ITestOutputHelper output)
{
    const int EventsPerSecond = 100;

    [Theory]
    [InlineData("dns only, unscored, an outage", 1, 0, 256)]
    [InlineData("four types, both classes, an outage", 8, 0, 256)]
    [InlineData("four types, both classes, uploaded each 30 s (the default), alerts with bookmarks", 8, 30, 256)]
    [InlineData("four types, both classes, uploaded each 5 s", 8, 5, 256)]
    [InlineData("four types, both classes, a full ring that evicts", 8, 0, 2)]
    public void An_event_costs_less_than_1500_bytes_and_a_thousand_less_than_25_syncs(string mixture, int lanes, int uploadSeconds, int quotaMegabytes)
    {
        using var disk = new FaultDisk();
        var time = new ManualTime();
        var random = new Random(1);
        disk.Load(new DiskImage(), record: false);
        using Spool spool = Spool.Open(new SpoolOptions { Directory = "/spool", MaxBytes = (long)quotaMegabytes << 20, Vfs = disk.Name, Files = disk }, time);
        SpoolConsumer engine = spool.Consumer("engine");
        (long bytesBefore, long syncsBefore) = (disk.BytesWritten, disk.Syncs);
        long events = 0, text = 0, uploads = 0;
        int seconds = Tier.Of(quotaMegabytes < 256 ? 1_200 : 600, 7_200);
        for (int second = 0; second < seconds; second++)
        {
            for (int i = 0; i < EventsPerSecond; i++)
            {
                byte[] line = Traffic.DnsLine(random, second);
                text += line.Length;
                events++;
                int lane = lanes == 1 || random.Next(10) < 7 ? 0 : random.Next(lanes);
                spool.Append((EventType)(lane / 2), lane % 2, line);
                // As the pipeline does it, in the sensor's own time.
                if (spool.FlushDue) Assert.Null(spool.Flush());
                time.Advance(TimeSpan.FromSeconds(1.0 / EventsPerSecond));
            }
            if (uploadSeconds == 30 && second % 10 == 0) spool.AppendAlert(Traffic.Alert(second));
            if (uploadSeconds == 30 && second % 10 == 1) Assert.Null(spool.SetBookmark("file", spool.LastAlertSequence));
            if (uploadSeconds == 0 || second % uploadSeconds != 0) continue;
            foreach (EventType type in EventTypes.Uploaded)
            {
                while (engine.Peek(type, 5_000, 1 << 20) is { } batch)
                {
                    uploads++;
                    Assert.Null(engine.Delivered(batch));
                }
            }
        }
        Assert.Null(spool.Flush());
        double bytes = (disk.BytesWritten - bytesBefore) / (double)events;
        double syncs = (disk.Syncs - syncsBefore) * 1000.0 / events;
        SpoolCounters counters = spool.Counters;
        output.WriteLine($"{mixture}: {events} events of {text / events} bytes, {uploads} uploads, {counters.Total.Evicted} evicted: {bytes:F0} bytes written per event, {syncs:F1} syncs per 1,000; "
            + $"the spool's own estimate {counters.BytesWritten / (double)events:F0} bytes, {counters.Commits * 1000.0 / events:F1} commits");
        Assert.InRange(text / (double)events, 180, 230);
        Assert.True(bytes <= 1_500, $"{bytes:F0} bytes written per event");
        Assert.True(syncs <= 25, $"{syncs:F1} syncs per 1,000 events");
    }

    [Fact]
    public void Alarm_a_spool_that_commits_event_by_event_is_over_both_budgets()
    {
        using var disk = new FaultDisk();
        disk.Load(new DiskImage(), record: false);
        var random = new Random(1);
        using Spool spool = Spool.Open(new SpoolOptions { Directory = "/spool", Vfs = disk.Name, Files = disk, FlushEvents = 1 }, new ManualTime());
        (long bytesBefore, long syncsBefore) = (disk.BytesWritten, disk.Syncs);
        for (int i = 0; i < 1_000; i++)
        {
            spool.Append(EventType.Dns, 0, Traffic.DnsLine(random, i / 100));
            if (spool.FlushDue) Assert.Null(spool.Flush());
        }
        long bytes = (disk.BytesWritten - bytesBefore) / 1_000, syncs = disk.Syncs - syncsBefore;
        output.WriteLine($"committed one by one: {bytes} bytes written per event, {syncs} syncs per 1,000");
        Assert.True(bytes > 1_500 && syncs > 25);
    }
}
