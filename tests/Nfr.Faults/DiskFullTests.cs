using System.Diagnostics;
using Nfr.Events;
using Nfr.Faults.Ring;
using Nfr.Storage;
using Nfr.Tests;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>
/// Promises 1, 4 and 6 on a real disk of 16 megabytes that somebody else fills and frees again and again, under load that never stops: the oldest goes,
/// counted, the pipeline is not held up, and within five seconds of the sensor's time after the space came back the spool uses it.
/// </summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    const int FlushesFull = 30;

    [Fact]
    public void A_disk_filled_and_freed_under_load_costs_the_oldest_and_nothing_else()
    {
        using var folder = new RamFolder();
        string mount = folder.In("disk");
        Directory.CreateDirectory(mount);
        if (!Run("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount))
        {
            output.WriteLine("Not tried: only root may mount the small disk that this test fills.");
            return;
        }
        try
        {
            FillAndFree(mount);
        }
        finally
        {
            Run("umount", "-l", mount);
        }
    }

    void FillAndFree(string mount)
    {
        var clock = Stopwatch.StartNew();
        int cycles = Tier.Of(20, 500), met = 0, restarts = 0;
        long number = 0, alerts = 0, most = 0;
        TimeSpan longest = TimeSpan.Zero;
        string directory = Path.Combine(mount, "spool"), filler = Path.Combine(mount, "filler");
        var time = new ManualTime();
        var random = new Random(1);
        var options = new SpoolOptions { Directory = directory, MaxBytes = 12 << 20 };
        Spool spool = Spool.Open(options, time);
        try
        {
            for (int cycle = 0; cycle < cycles; cycle++)
            {
                // The first load finds room, so that there is a ring to live in; then it is now full at once, now while events come.
                int fillAt = cycle == 0 ? int.MaxValue : random.Next(FlushesFull / 2);
                bool full = false;
                for (int flush = 0; flush < FlushesFull; flush++)
                {
                    if (flush == fillAt) WriteUntilFull(filler);
                    Load(spool, random, 100, ref number);
                    if (flush % 10 == 5)
                    {
                        spool.AppendAlert(Traffic.Alert(++alerts));
                    }
                    SpoolFault? fault = spool.Flush();
                    Assert.True(fault is null, $"cycle {cycle}, flush {flush}: {fault}");
                    if (flush % 8 == 7 && spool.Consumer("engine").Peek((EventType)(cycle % 4), 100, 1 << 20) is { } batch) Assert.Null(spool.Consumer("engine").Delivered(batch));
                    full |= spool.Counters.DiskFull;
                    time.Advance(TimeSpan.FromSeconds(1));
                }
                if (full) met++;
                if (cycle % 6 == 4)
                {
                    // A start on the full disk.
                    spool.Dispose();
                    spool = Spool.Open(options, time);
                    Assert.Empty(spool.OpenReport.Quarantined);
                    restarts++;
                }
                File.Delete(filler);
                TimeSpan waited = TimeSpan.Zero;
                do
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    waited += TimeSpan.FromSeconds(1);
                    Load(spool, random, 1, ref number);
                    Assert.Null(spool.Flush());
                }
                while (spool.Counters.DiskFull && waited < TimeSpan.FromSeconds(5));
                Assert.False(spool.Counters.DiskFull, $"cycle {cycle}: five seconds after the space came back the spool does not use it");
                if (full && waited > longest) longest = waited;
                Judge(spool, number, alerts);
                most = Math.Max(most, spool.Counters.BytesOnDisk);
            }
            SpoolCounters counters = spool.Counters;
            output.WriteLine($"{cycles} times filled and freed, {met} met by the spool, {restarts} starts on the full disk: {counters.Total}, alerts {counters.Alerts}; "
                + $"used again after at most {longest.TotalSeconds} s, {most} bytes at most, {counters.Faults} faults; {clock.Elapsed.TotalSeconds:F0} s");
            Assert.True(met >= cycles / 2, "the disk was never full");
            Assert.True(counters.Total.Evicted > 0);
            Assert.True(longest < TimeSpan.FromSeconds(5));
            Assert.InRange(most, 1, options.MaxBytes);
        }
        finally
        {
            spool.Dispose();
        }
    }

    // Large ones that do not compress: thirty flushes are as much as half the disk.
    static void Load(Spool spool, Random random, int events, ref long number)
    {
        for (int i = 0; i < events; i++)
        {
            number++;
            spool.Append((EventType)(number % 4), number % 50 == 0 ? 1 : 0, Traffic.Line(random, number, 1_000));
        }
    }

    static void Judge(Spool spool, long number, long alerts)
    {
        SpoolCounters counters = spool.CountRows()!;
        SpoolTally total = counters.Total;
        Assert.Equal(number, total.Spooled);
        Assert.Equal(0, total.LostBeforeSpool + total.Quarantined + total.Pending);
        Assert.Equal(total.Spooled, total.InSpool + total.Delivered + total.Evicted);
        // No alert goes as long as there are events to evict, and no scored event before an unscored one.
        Assert.Equal((alerts, alerts), (counters.Alerts.Spooled, counters.Alerts.InSpool));
        foreach (EventType type in EventTypes.Uploaded)
        {
            Assert.Equal(0, counters.Of(type, true).Evicted);
            ConsumerTally t = spool.Consumer("engine").Tally(type);
            Assert.Equal(t.Since, t.Delivered + t.Quarantined + t.Missed + t.Waiting);
        }
    }

    static void WriteUntilFull(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1);
        var block = new byte[64 << 10];
        for (int size = block.Length; size >= 512; size /= 2)
        {
            try
            {
                while (true) file.Write(block, 0, size);
            }
            catch (IOException)
            {
                // The rest in smaller pieces.
            }
        }
    }

    static bool Run(string command, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
