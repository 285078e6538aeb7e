using System.Diagnostics;
using Nfr.Events;
using Nfr.Faults.Ring;
using Nfr.Storage;
using Nfr.Tests;
using Xunit.Abstractions;

namespace Nfr.Faults;

/// <summary>
/// Promise 5: whatever lies in the spool's directory, it opens, says what it moved aside, works, and opens again. What was sound stays; a start that
/// needs another start would be a crash loop.
/// </summary>
public sealed class RottenDirectoryTests(ITestOutputHelper output)
{
    const long Quota = 4 << 20;

    static readonly string[] s_files = ["spool.db", "spool.db", "spool.db", "spool.db-wal", "spool.db-wal", "spool.db-shm", "spool.db-journal", "sensor.json", "sensor.json.new", "reserve", "quarantine", "spool.lock"];

    static Spool Open(string directory) => Spool.Open(new SpoolOptions { Directory = directory, MaxBytes = Quota }, new ManualTime());

    static void Fill(Spool spool, int flushes)
    {
        var random = new Random(7);
        for (int flush = 0; flush < flushes; flush++)
        {
            for (int i = 0; i < 40; i++) spool.Append((EventType)(i % 4), i % 5 == 0 ? 1 : 0, Traffic.DnsLine(random, flush));
            if (flush % 3 == 0) spool.AppendAlert(Traffic.Alert(flush));
            Assert.Null(spool.Flush());
            if (flush % 7 == 6 && spool.Consumer("engine").Peek(EventType.Ip, 50, int.MaxValue) is { } batch) Assert.Null(spool.Consumer("engine").Delivered(batch));
        }
        Assert.Null(spool.SetBookmark("file", 3));
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    [Fact]
    public void Whatever_lies_in_the_directory_the_spool_opens_counts_and_works()
    {
        var clock = Stopwatch.StartNew();
        using var folder = new RamFolder();
        (string clean, string killed) = (folder.In("clean"), folder.In("killed"));
        string id;
        using (Spool spool = Open(clean))
        {
            id = spool.SensorId;
            Fill(spool, 60);
            // What a kill leaves: the log with most of it.
            Directory.CreateDirectory(killed);
            foreach (string name in (string[])["spool.db", "spool.db-wal", "spool.db-shm", "sensor.json", "reserve"]) CopyOpen(Path.Combine(clean, name), Path.Combine(killed, name));
        }
        var given = new long[EventTypes.UploadedCount];
        long events;
        string probe = folder.In("probe");
        Copy(clean, probe);
        using (Spool spool = Open(probe))
        {
            events = spool.Counters.Total.InSpool;
            foreach (EventType type in EventTypes.Uploaded) given[(int)type] = spool.Consumer("engine").Peek(type, int.MaxValue, int.MaxValue)!.LastSequence;
        }
        int variants = Tier.Of(500, 50_000), quarantined = 0, corrected = 0, whole = 0, forgotten = 0;
        for (int seed = 0; seed < variants; seed++)
        {
            string directory = folder.In($"v{seed}");
            Copy(seed % 2 == 0 ? clean : killed, directory);
            var random = new Random(seed);
            string what = string.Join("; ", Enumerable.Range(0, random.Next(1, 4)).Select(_ => Damage(directory, random)).ToArray());
            try
            {
                using (Spool spool = Open(directory))
                {
                    SpoolOpenReport report = spool.OpenReport;
                    if (report.Quarantined.Count > 0) quarantined++;
                    if (report.Corrected > 0) corrected++;
                    if (spool.Counters.Total.InSpool == events) whole++;
                    if (spool.SensorId != id) forgotten++;
                    Use(spool, given, spool.SensorId == id);
                    // What was moved aside is seen by whoever asks, too; quarantine/ keeps the last few.
                    Assert.True(report.Quarantined.Count == 0 || spool.Counters.QuarantinedFiles > 0 || report.Quarantined.All(q => q.Contains("deleted", StringComparison.Ordinal)), "nothing in quarantine/");
                    Assert.InRange(spool.Counters.QuarantinedFiles, 0, SpoolDirectory.MaxQuarantined);
                }
                // No crash loop: the second start finds nothing to complain of.
                using Spool again = Open(directory);
                Assert.Empty(again.OpenReport.Quarantined);
                Assert.Equal("threat-900", again.ReadAlerts(0, int.MaxValue)[^1].Alert.Threats[0].Id);
                Use(again, given, again.SensorId == id);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"variant {seed} ({what}): {e.Message}", e);
            }
            Directory.Delete(directory, recursive: true);
        }
        output.WriteLine($"{variants} rotten directories, all opened and worked twice: {quarantined} moved something aside, {corrected} corrected the ledger, {whole} kept all {events} events, "
            + $"{forgotten} had to take a new sensor id; {clock.Elapsed.TotalSeconds:F0} s");
        Assert.True(quarantined > variants / 10 && whole > variants / 10, "the damage is not varied enough");
    }

    static void CopyOpen(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var target = new FileStream(to, FileMode.Create);
        source.CopyTo(target);
    }

    static void Use(Spool spool, long[] given, bool sameSensor)
    {
        spool.Append(EventType.Dns, 0, Traffic.Line(new Random(1), 900));
        spool.AppendAlert(Traffic.Alert(900));
        Assert.Null(spool.Flush());
        Assert.Null(spool.SetBookmark("file", 9));
        SpoolConsumer engine = spool.Consumer("engine");
        foreach (EventType type in EventTypes.Uploaded)
        {
            SpoolBatch? batch = engine.Peek(type, int.MaxValue, int.MaxValue);
            if (type == EventType.Dns && sameSensor) Assert.True(batch!.LastSequence > given[0], $"number {batch.LastSequence} after {given[0]}");
            if (batch is not null) Assert.Null(engine.Delivered(batch.Slice(0, 1)));
        }
        SpoolCounters counters = spool.CountRows()!;
        foreach (SpoolTally t in (SpoolTally[])[counters.Total, counters.Alerts]) Assert.Equal(t.Spooled, t.InSpool + t.Delivered + t.Evicted + t.Quarantined);
        foreach (EventType type in EventTypes.Uploaded)
        {
            ConsumerTally t = engine.Tally(type);
            Assert.Equal(t.Since, t.Delivered + t.Quarantined + t.Missed + t.Waiting);
        }
    }

    static string Damage(string directory, Random random)
    {
        string name = s_files[random.Next(s_files.Length)], path = Path.Combine(directory, name);
        int kind = random.Next(13);
        if (Directory.Exists(path)) return "nothing";
        bool isLink = new FileInfo(path).LinkTarget is not null;
        byte[] bytes = File.Exists(path) && !isLink ? File.ReadAllBytes(path) : [];
        if (isLink) File.Delete(path);
        switch (kind)
        {
            case 0:
                for (int i = random.Next(1, 20); i > 0 && bytes.Length > 0; i--) bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                File.WriteAllBytes(path, bytes);
                return $"bits of {name}";
            case 1:
                File.WriteAllBytes(path, bytes[..random.Next(bytes.Length + 1)]);
                return $"{name} cut";
            case 2:
                for (int i = random.Next(1, 6); i > 0 && bytes.Length >= 4096; i--) bytes.AsSpan(random.Next(bytes.Length / 4096) * 4096, 4096).Clear();
                File.WriteAllBytes(path, bytes);
                return $"pages of {name} zeroed";
            case 3:
                File.Delete(path);
                return $"{name} missing";
            case 4:
                File.Delete(path);
                Directory.CreateDirectory(Path.Combine(path, "inside"));
                return $"{name} a directory";
            case 5:
                bytes = new byte[random.Next(100_000)];
                random.NextBytes(bytes);
                File.WriteAllBytes(path, bytes);
                return $"{name} garbage";
            case 6:
                if (bytes.Length >= 1024) random.NextBytes(bytes.AsSpan(random.Next((bytes.Length / 512) - 1) * 512, 512));
                File.WriteAllBytes(path, bytes);
                return $"a sector of {name} garbage";
            case 7:
                File.WriteAllBytes(path, []);
                return $"{name} empty";
            case 8:
                File.Delete(path);
                File.CreateSymbolicLink(path, "/nonexistent/" + name);
                return $"{name} a link to nowhere";
            case 9:
                File.Delete(path);
                File.CreateSymbolicLink(path, name);
                return $"{name} a link to itself";
            case 10:
                if (bytes.Length >= 8192)
                {
                    // Two pages change places: each is whole, and both are wrong.
                    (int a, int b) = (random.Next(bytes.Length / 4096) * 4096, random.Next(bytes.Length / 4096) * 4096);
                    byte[] kept = bytes[a..(a + 4096)];
                    bytes.AsSpan(b, 4096).CopyTo(bytes.AsSpan(a));
                    kept.CopyTo(bytes.AsSpan(b));
                    File.WriteAllBytes(path, bytes);
                }
                return $"pages of {name} swapped";
            case 11:
                string json = random.Next(4) switch
                {
                    0 => "{\"sensor\":\"\",\"reserved\":-5,\"clean\":true}",
                    1 => "{\"sensor\":17,\"reserved\":\"x\",\"clean\":null}",
                    2 => "{\"sensor\":\"" + new string('a', 5_000) + "\",\"reserved\":1,\"clean\":true}",
                    _ => new string('[', 4_000),
                };
                File.WriteAllText(Path.Combine(directory, "sensor.json"), json);
                return "sensor.json nonsense";
            default:
                if (!File.Exists(path) || OperatingSystem.IsWindows()) return "nothing";
                // Root reads it all the same; for anybody else it is a file of another's.
                File.SetUnixFileMode(path, UnixFileMode.None);
                return $"{name} without permissions";
        }
    }
}
