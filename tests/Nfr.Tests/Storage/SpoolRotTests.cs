using System.Text;
using Nfr.Events;
using Nfr.Native;
using Nfr.Storage;
using static Nfr.Tests.Storage.SpoolTestBed;

namespace Nfr.Tests.Storage;

public sealed class SpoolRotTests
{
    static void CopyDirectory(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.GetFiles(from).Where(f => !f.EndsWith(".lock", StringComparison.Ordinal))) File.Copy(file, System.IO.Path.Combine(to, System.IO.Path.GetFileName(file)));
    }

    static void Fill(Spool spool, Random random, int flushes)
    {
        for (int flush = 0; flush < flushes; flush++)
        {
            for (int i = 0; i < 40; i++) spool.Append((EventType)(i % 4), i % 5 == 0 ? 1 : 0, DnsLine(random, i));
            if (flush % 3 == 0) spool.AppendAlert(Alert($"{flush}"));
            Assert.Null(spool.Flush());
            if (flush % 7 == 6) Assert.Null(spool.Delivered(EventType.Ip, flush * 5));
        }
        Assert.Null(spool.SetBookmark("file", 3));
    }

    [Fact]
    public void Whatever_lies_in_the_directory_it_opens_and_works_and_never_repeats_a_number()
    {
        using var clean = new SpoolTestBed();
        using var killed = new SpoolTestBed();
        string id;
        long[] given = new long[4];
        using (Spool spool = clean.Open(4 << 20))
        {
            id = spool.SensorId;
            Fill(spool, new Random(3), 60);
            foreach (EventType type in EventTypes.Uploaded) given[(int)type] = spool.Peek(type, int.MaxValue, int.MaxValue)!.LastSequence;
            CopyDirectory(clean.Path, killed.Path);
        }
        Assert.True(new FileInfo(System.IO.Path.Combine(killed.Path, "spool.db-wal")).Length > 0);
        int quarantined = 0, survived = 0;
        for (int seed = 0; seed < 200; seed++)
        {
            using var bed = new SpoolTestBed();
            CopyDirectory(seed % 2 == 0 ? clean.Path : killed.Path, bed.Path);
            var what = new StringBuilder();
            var random = new Random(seed);
            for (int i = random.Next(1, 4); i > 0; i--) what.Append(Damage(bed.Path, random)).Append("; ");
            try
            {
                for (int round = 0; round < 2; round++)
                {
                    using Spool spool = bed.Open(4 << 20);
                    if (spool.OpenReport.Quarantined.Count > 0) quarantined++;
                    spool.Append(EventType.Dns, 0, Line("after"));
                    spool.AppendAlert(Alert("after"));
                    Assert.Null(spool.Flush());
                    SpoolBatch batch = spool.Peek(EventType.Dns, int.MaxValue, int.MaxValue)!;
                    Assert.Equal("{\"n\":\"after\"}", Texts(batch)[^1]);
                    if (spool.SensorId == id) Assert.True(batch.LastSequence > given[0], $"{batch.LastSequence} after {given[0]}");
                    Assert.Equal("after", spool.ReadAlerts(0, int.MaxValue)[^1].Alert.Threats[0].Id);
                    Assert.Null(spool.SetBookmark("file", 9));
                    foreach (EventType type in EventTypes.Uploaded) spool.Peek(type, int.MaxValue, int.MaxValue);
                    AssertCloses(spool);
                    if (round == 0 && batch.Count > 1) survived++;
                    if (round == 0 && random.Next(2) == 0) Assert.Null(spool.Delivered(EventType.Dns, batch.LastSequence - 1));
                    AssertCloses(spool);
                }
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {what}{e.Message}", e);
            }
        }
        Assert.True(quarantined > 20 && survived > 20, $"{quarantined} quarantined, {survived} survived: the damage is not varied enough");
    }

    static string Damage(string directory, Random random)
    {
        string[] names = ["spool.db", "spool.db", "spool.db", "spool.db-wal", "spool.db-wal", "sensor.json", "spool.db-shm", "reserve", "quarantine", "spool.lock"];
        string name = names[random.Next(names.Length)];
        string path = System.IO.Path.Combine(directory, name);
        int kind = random.Next(9);
        if (Directory.Exists(path)) return "nothing";
        if (new FileInfo(path).LinkTarget is not null) File.Delete(path);
        byte[] bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
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
                Directory.CreateDirectory(System.IO.Path.Combine(path, "inside"));
                return $"{name} a directory";
            case 5:
                File.WriteAllBytes(path, RandomBytes(random, random.Next(0, 100_000)));
                return $"{name} random";
            case 6:
                if (bytes.Length >= 4096) random.NextBytes(bytes.AsSpan(random.Next(bytes.Length / 512 - 1) * 512, 512));
                File.WriteAllBytes(path, bytes);
                return $"a sector of {name} random";
            case 7:
                File.WriteAllBytes(path, []);
                return $"{name} empty";
            default:
                File.Delete(path);
                File.CreateSymbolicLink(path, "/nonexistent/" + name);
                return $"{name} a dangling link";
        }
    }

    [Fact]
    [System.Runtime.Versioning.SupportedOSPlatform("linux")]
    public void Wrong_permissions_are_moved_aside_or_told_in_a_sentence()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = bed.Open()) Fill(spool, new Random(1), 3);
        File.SetUnixFileMode(System.IO.Path.Combine(bed.Path, "spool.db"), UnixFileMode.None);
        File.SetUnixFileMode(System.IO.Path.Combine(bed.Path, "sensor.json"), UnixFileMode.None);
        using Spool again = bed.Open();
        again.Append(EventType.Dns, 0, Line("a"));
        Assert.Null(again.Flush());
        AssertCloses(again);
    }

    [Fact]
    public void A_row_whose_bytes_have_rotted_is_moved_aside_alone()
    {
        using var bed = new SpoolTestBed();
        using (Spool spool = bed.Open())
        {
            for (int flush = 0; flush < 3; flush++)
            {
                for (int i = 0; i < 10; i++) spool.Append(EventType.Dns, 0, Line($"{flush}.{i}"));
                spool.AppendAlert(Alert($"{flush}"));
                Assert.Null(spool.Flush());
            }
        }
        Assert.False(SqliteConnection.Open(System.IO.Path.Combine(bed.Path, "spool.db"), null, out SqliteConnection? db).IsError);
        using (db)
        {
            db!.Execute("UPDATE batch SET body=substr(body,1,length(body)-8)||x'01020304'||substr(body,-4) WHERE first=11");
            db.Execute("UPDATE alert SET body=x'7b7d' WHERE sequence=2");
            Assert.False(db.Failed);
        }
        using Spool after = bed.Open();
        Assert.Equal([1L, 21L], after.Peek(EventType.Dns, 1000, int.MaxValue)!.Ranges.Select(r => r.First));
        Assert.Equal([1L, 3L], after.ReadAlerts(0, 10).Select(a => a.Sequence));
        Assert.Equal((10, 1), (after.Counters.Of(EventType.Dns).Quarantined, after.Counters.Alerts.Quarantined));
        AssertCloses(after);
    }

    [Fact]
    public void A_ring_that_rots_while_it_is_open_is_replaced_and_the_ledger_closes()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open(4 << 20);
        Fill(spool, new Random(5), 60);
        long spooled = spool.Counters.Total.Spooled;
        string path = System.IO.Path.Combine(bed.Path, "spool.db");
        var random = new Random(6);
        foreach (string file in (string[])[path, path + "-wal"])
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            byte[] noise = RandomBytes(random, (int)stream.Length);
            stream.Write(noise);
        }
        for (int i = 0; i < 50; i++)
        {
            for (int n = 0; n < 40; n++) spool.Append(EventType.Dns, 0, DnsLine(random, n));
            Assert.Null(spool.Flush());
            spool.Peek(EventType.Http, 1000, int.MaxValue);
        }
        SpoolCounters counters = spool.Counters;
        Assert.Equal(spooled + 2000, counters.Total.Spooled);
        Assert.True(counters.Total.Quarantined > 0);
        Assert.True(counters.QuarantinedFiles > 0);
        AssertCloses(spool);
    }

    [Fact]
    public void A_spool_begun_anew_knows_how_far_inputs_were_read_also_those_that_did_not_move()
    {
        using var bed = new SpoolTestBed();
        using (Spool before = bed.Open(4 << 20))
        {
            before.SetPosition("input a", "a1");
            before.SetPosition("input b", "b1");
            Assert.Null(before.Flush());
        }
        using (Spool spool = bed.Open(4 << 20))
        {
            Assert.Equal(("a1", "b1", null), (spool.GetPosition("input a"), spool.GetPosition("input b"), spool.GetPosition("input c")));
            Fill(spool, new Random(8), 60);
            var random = new Random(6);
            string path = System.IO.Path.Combine(bed.Path, "spool.db");
            foreach (string file in (string[])[path, path + "-wal"])
            {
                using var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
                byte[] noise = RandomBytes(random, (int)stream.Length);
                stream.Write(noise);
            }
            spool.SetPosition("input a", "a2");
            for (int i = 0; i < 50; i++)
            {
                for (int n = 0; n < 40; n++) spool.Append(EventType.Dns, 0, DnsLine(random, n));
                Assert.Null(spool.Flush());
                spool.Peek(EventType.Http, 1000, int.MaxValue);
            }
            Assert.True(spool.Counters.QuarantinedFiles > 0);
        }
        using Spool after = bed.Open(4 << 20);
        Assert.Equal(("a2", "b1"), (after.GetPosition("input a"), after.GetPosition("input b")));
    }

    [Fact]
    public void Many_events_are_one_commit_in_their_order()
    {
        using var bed = new SpoolTestBed();
        using Spool spool = bed.Open();
        for (int i = 0; i < 3000; i++) spool.Append(EventType.Dns, i % 7 == 0 ? 1 : 0, Line($"{i}"));
        spool.SetPosition("input", "3000");
        Assert.Null(spool.Flush());
        Assert.Equal((3000L, "3000"), (spool.Counters.Total.Spooled, spool.GetState("input")));
        AssertCloses(spool);
        HashSet<string> seen = [];
        while (spool.Peek(EventType.Dns, 700, int.MaxValue) is { } batch)
        {
            foreach (ReadOnlyMemory<byte> line in batch.Lines()) Assert.True(seen.Add(Encoding.UTF8.GetString(line.Span)));
            Assert.Null(spool.Delivered(EventType.Dns, batch.LastSequence));
        }
        Assert.Equal(3000, seen.Count);
    }
}
