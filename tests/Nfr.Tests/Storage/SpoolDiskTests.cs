using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Nfr.Events;
using Nfr.Storage;
using Xunit.Abstractions;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolDiskTests(ITestOutputHelper output)
{
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

    [Theory]
    [InlineData(16, 64)]
    [InlineData(4, 64)]
    [InlineData(16, 8)]
    public void A_full_disk_evicts_and_goes_on_and_space_that_comes_back_is_used(int diskMegabytes, int quotaMegabytes)
    {
        string mount = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nfr-full-{Guid.NewGuid():n}");
        Directory.CreateDirectory(mount);
        if (!Run("mount", "-t", "tmpfs", "-o", $"size={diskMegabytes}m", "tmpfs", mount))
        {
            Directory.Delete(mount);
            output.WriteLine("Not tried: only root may mount the small disk that this test fills.");
            return;
        }
        try
        {
            FillAndFree(mount, diskMegabytes, quotaMegabytes);
        }
        finally
        {
            Run("umount", "-l", mount);
            Directory.Delete(mount);
        }
    }

    void FillAndFree(string mount, int diskMegabytes, int quotaMegabytes)
    {
        using var bed = new SpoolTestBed(System.IO.Path.Combine(mount, "spool"));
        string filler = System.IO.Path.Combine(mount, "filler");
        var random = new Random(1);
        Spool spool = bed.Open(quotaMegabytes << 20);
        long n = 0, fullCycles = 0;
        for (int cycle = 0; cycle < 20; cycle++)
        {
            // The first load finds room, so that there is a ring to live in.
            if (cycle > 0) WriteUntilFull(filler);
            bool sawFull = false;
            for (int flush = 0; flush < 10; flush++)
            {
                for (int i = 0; i < 200; i++)
                {
                    byte[] line = Encoding.UTF8.GetBytes($"{{\"n\":\"{n}\",\"x\":\"{Convert.ToBase64String(RandomBytes(random, 300))}\"}}");
                    spool.Append((EventType)(n % 4), n % 50 == 0 ? 1 : 0, line);
                    n++;
                }
                if (flush == 5) spool.AppendAlert(Alert($"{cycle}"));
                SpoolFault? fault = spool.Flush();
                Assert.True(fault is null, $"cycle {cycle}, flush {flush}: {fault}");
                sawFull |= spool.Counters.DiskFull;
                bed.Time.Advance(TimeSpan.FromSeconds(1));
            }
            if (sawFull) fullCycles++;
            if (cycle % 7 == 3)
            {
                // A restart on the full disk.
                spool.Dispose();
                spool = bed.Open(quotaMegabytes << 20);
                Assert.Empty(spool.OpenReport.Quarantined);
            }
            Assert.NotNull(spool.Peek(EventType.Dns, 100, 100_000));
            File.Delete(filler);
            bed.Time.Advance(TimeSpan.FromSeconds(4));
            spool.Append(EventType.Dns, 0, Line("freed"));
            Assert.Null(spool.Flush());
            Assert.False(spool.Counters.DiskFull);
            n++;
            AssertCloses(spool);
        }
        SpoolCounters counters = spool.Counters;
        output.WriteLine($"{counters.Total} alerts {counters.Alerts}, {fullCycles} of 20 cycles met the full disk, {counters.Faults} faults noted, {counters.BytesOnDisk} bytes");
        Assert.Equal(n, counters.Total.Accepted);
        Assert.Equal(0, counters.Total.LostBeforeSpool);
        Assert.Equal(20, counters.Alerts.Spooled);
        if (diskMegabytes == 16) Assert.Equal(20, counters.Alerts.InSpool);
        Assert.True(fullCycles > 0 || quotaMegabytes < 16);
        spool.Dispose();
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
            }
        }
    }

    [Fact]
    public void Where_nothing_can_be_written_events_wait_bounded_and_go_out_later()
    {
        string mount = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"nfr-ro-{Guid.NewGuid():n}");
        Directory.CreateDirectory(mount);
        if (!Run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", mount))
        {
            Directory.Delete(mount);
            output.WriteLine("Not tried: only root may mount the small disk that this test uses.");
            return;
        }
        try
        {
            using var bed = new SpoolTestBed(System.IO.Path.Combine(mount, "spool"));
            using Spool spool = bed.Open(4 << 20, o => o with { MaxPendingEvents = 5 });
            string filler = System.IO.Path.Combine(mount, "filler");
            // The reserve eaten by another: no block is left for the log, and nothing may be evicted in vain.
            File.Delete(System.IO.Path.Combine(bed.Path, "reserve"));
            WriteUntilFull(filler);
            SpoolFault? fault = null;
            for (int i = 0; i < 20; i++)
            {
                spool.Append(EventType.Dns, i % 2, RandomBytes(new Random(i), 100_000));
                fault = spool.Flush() ?? fault;
            }
            Assert.Equal(SpoolFaultKind.DiskFull, fault!.Kind);
            Assert.True(spool.Counters.Failing);
            Assert.False(spool.FlushDue);
            Assert.Equal(fault.Kind, spool.Counters.LastFault!.Kind);
            File.Delete(filler);
            bed.Time.Advance(TimeSpan.FromSeconds(5));
            Assert.Null(spool.Flush());
            SpoolCounters counters = spool.Counters;
            Assert.False(counters.Failing);
            Assert.Equal((20, 15, 0), (counters.Total.Accepted, counters.Total.LostBeforeSpool, counters.Total.Evicted));
            output.WriteLine($"{counters.Total}");
        }
        finally
        {
            Run("umount", "-l", mount);
            Directory.Delete(mount);
        }
    }

    [Theory]
    [InlineData(1, "dns only, unscored")]
    [InlineData(8, "four types, both classes")]
    public void Fewer_than_1500_bytes_reach_the_card_for_an_event(int lanes, string mixture)
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(256 << 20);
        var random = new Random(1);
        long events = 0, lineBytes = 0, uploads = 0;
        long kernelBefore = KernelBytes();
        for (int second = 0; second < 400; second++)
        {
            for (int i = 0; i < 100; i++)
            {
                byte[] line = DnsLine(random, second);
                lineBytes += line.Length;
                events++;
                int lane = lanes == 1 || random.Next(10) < 7 ? 0 : random.Next(lanes);
                spool.Append((EventType)(lane / 2), lane % 2, line);
            }
            Assert.Null(spool.Flush());
            if (second % 30 != 29) continue;
            foreach (EventType type in EventTypes.Uploaded)
            {
                while (spool.Peek(type, 5000, 1 << 20) is { } batch)
                {
                    uploads++;
                    Assert.Null(spool.Delivered(type, batch.LastSequence));
                }
            }
        }
        SpoolCounters counters = spool.Counters;
        double each = counters.BytesWritten / (double)events;
        output.WriteLine($"{mixture}: {events} events of {lineBytes / events} bytes at 100/s: {each:F0} bytes written per event, "
            + $"{counters.Commits * 1000.0 / events:F1} commits (syncs) per 1,000 events, {uploads} uploads; "
            + $"kernel's write_bytes of the process per event {(KernelBytes() - kernelBefore) / (double)events:F0} (0 on a RAM disk, more than ours with other tests beside)");
        Assert.True(each < 1500, $"{each:F0} bytes per event");
        Assert.True(counters.Commits * 1000.0 / events <= 25);
        AssertCloses(spool);
    }

    static long KernelBytes()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/io"))
            {
                if (line.StartsWith("write_bytes: ", StringComparison.Ordinal)) return long.Parse(line[13..]);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
        return 0;
    }

    [Fact]
    public void What_gzip_costs_and_saves_is_known()
    {
        foreach (CompressionLevel level in (CompressionLevel[])[CompressionLevel.Fastest, CompressionLevel.Optimal])
        {
            foreach (int rows in (int[])[100, 500])
            {
                var random = new Random(1);
                using var deflater = new Deflater(level);
                long raw = 0, packed = 0;
                var clock = Stopwatch.StartNew();
                for (int row = 0; row < 20_000 / rows; row++)
                {
                    for (int i = 0; i < rows; i++)
                    {
                        byte[] line = DnsLine(random, i);
                        deflater.Write(line);
                        raw += line.Length;
                    }
                    packed += deflater.Finish().Length;
                }
                output.WriteLine($"{level}, rows of {rows}: {raw / 20_000} to {packed / 20_000.0:F1} bytes per event, {clock.Elapsed.TotalMicroseconds / 20_000:F2} us per event with its making");
                Assert.True(packed < raw / 2);
            }
        }
    }
}
