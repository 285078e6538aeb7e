using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using Xunit.Abstractions;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolCrashTests(ITestOutputHelper output)
{
    /// <summary>
    /// A copy of database and log taken while the writer runs is what a kill leaves, as long as the log did not start over in between (its salts tell):
    /// the database may be mid-checkpoint, the log mid-commit.
    /// </summary>
    [Fact]
    public void Every_acknowledged_flush_is_in_two_hundred_crash_copies()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(2 << 20);
        long acknowledged = 0, settling = 0;
        using var stop = new CancellationTokenSource();
        var writer = new Thread(() =>
        {
            var random = new Random(1);
            while (!stop.IsCancellationRequested)
            {
                int count = random.Next(1, 120);
                for (int i = 0; i < count; i++) spool.Append(EventType.Dns, random.Next(4) == 0 ? 1 : 0, DnsLine(random, i));
                if (spool.Flush() is null) Interlocked.Add(ref acknowledged, count);
                if (random.Next(3) == 0)
                {
                    SpoolBatch batch = spool.Peek(EventType.Dns, int.MaxValue, int.MaxValue)!;
                    long through = batch.SequenceOf(random.Next(batch.Count));
                    Interlocked.Exchange(ref settling, through);
                    spool.Delivered(EventType.Dns, through);
                }
            }
        });
        writer.Start();
        var chance = new Random(2);
        int retries = 0;
        try
        {
            for (int copy = 0; copy < 200;)
            {
                Thread.Sleep(chance.Next(0, 12));
                long before = Interlocked.Read(ref acknowledged);
                using var image = new SpoolTestBed();
                Directory.CreateDirectory(image.Path);
                if (!TryCopy(bed.Path, image.Path, chance))
                {
                    retries++;
                    continue;
                }
                long after = Interlocked.Read(ref settling);
                using (Spool opened = image.Open(2 << 20))
                {
                    Assert.Empty(opened.OpenReport.Quarantined);
                    Assert.Equal(0, opened.OpenReport.Corrected);
                    Assert.True(opened.OpenReport.AfterUncleanStop);
                    Assert.Equal(spool.SensorId, opened.SensorId);
                    SpoolTally tally = opened.Counters.Of(EventType.Dns);
                    Assert.Equal(0, tally.Evicted);
                    Assert.True(tally.Spooled >= before, $"copy {copy}: {tally.Spooled} spooled, {before} were acknowledged");
                    SpoolBatch? batch = opened.Peek(EventType.Dns, int.MaxValue, int.MaxValue);
                    // Everything not settled is there, without a gap.
                    if (before > after)
                    {
                        Assert.True(batch!.FirstSequence <= after + 1);
                        Assert.Equal(tally.Spooled, batch.LastSequence);
                    }
                    AssertCloses(opened);
                }
                Assert.Equal("ok", IntegrityCheck(image.Path));
                copy++;
            }
        }
        finally
        {
            stop.Cancel();
            writer.Join();
        }
        AssertCloses(spool);
        output.WriteLine($"{spool.Counters.Total.Spooled} events in {spool.Counters.Commits} commits; {retries} copies taken again because the log had started over");
    }

    static bool TryCopy(string from, string to, Random random)
    {
        string database = System.IO.Path.Combine(from, "spool.db"), log = database + "-wal";
        byte[] before = Head(log);
        foreach (string name in (string[])["spool.db", "spool.db-wal", "sensor.json"])
        {
            File.Copy(System.IO.Path.Combine(from, name), System.IO.Path.Combine(to, name));
            if (name == "spool.db" && random.Next(2) == 0) Thread.Sleep(random.Next(3));
        }
        // Looked at in the source, after the copy: a log that started over while it was copied is no state that any crash leaves.
        return before.AsSpan().SequenceEqual(Head(log));
    }

    static byte[] Head(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var head = new byte[32];
        file.ReadAtLeast(head, 32, throwOnEndOfStream: false);
        return head;
    }

    static string? IntegrityCheck(string directory)
    {
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(directory, "spool.db"), null, out SqliteConnection? db).IsError);
        using (db) return db!.Scalar("PRAGMA integrity_check");
    }
}
