using System.IO.Compression;
using System.Text;
using Nfr.Logs;
using Nfr.Native;

namespace Nfr.Tests.Logs.Follow;

/// <summary>Many files, many names, long names, and what is said when it is too many.</summary>
public sealed class FollowLimitsTests : IDisposable
{
    readonly string _above = Directory.CreateTempSubdirectory("nfr-limits-").FullName;
    readonly List<string> _written = [];

    string Current => Directory.CreateDirectory(Path.Combine(_above, "current")).FullName;

    public void Dispose() => Directory.Delete(_above, recursive: true);

    void Write(string path)
    {
        _written.Add($"line {_written.Count} {_written.Count * 2_654_435_761L % 1_000_003}");
        File.AppendAllText(path, _written[^1] + "\n");
    }

    static void AssertWhole(Follower follower)
    {
        Assert.Equal(follower.Spooled.Count, follower.Spooled.Distinct().Count());
        Assert.Equal((0, 0), (follower.LostBytes + follower.Counters.LostBytes, follower.Lost + follower.Counters.Lost));
    }

    [Fact]
    public void Twenty_thousand_foreign_names_hide_no_rotated_file()
    {
        string log = Path.Combine(Current, "conn.log");
        for (int i = 0; i < 20_000; i++) File.OpenHandle(Path.Combine(Current, $"other.{i}"), FileMode.CreateNew, FileAccess.Write).Dispose();
        string today = DateTime.UtcNow.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        string[] behind = [Path.Combine(_above, today, "conn.10:00:00-11:00:00.log"), Path.Combine(Current, "conn.log.1")];
        foreach (string path in behind)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, "line\n");
        }
        Assert.Equal(behind.Order(), RotatedNames.Of(log).Select(f => f.Path).Order());
    }

    [Fact]
    public void Days_long_before_what_is_looked_for_are_not_listed_unless_something_was_added_to_them()
    {
        string log = Path.Combine(Current, "conn.log"), name = "conn.10:00:00-11:00:00.log";
        foreach (string day in (string[])["2026-09-01", "2026-09-02", "2026-11-20"])
        {
            Directory.CreateDirectory(Path.Combine(_above, day));
            File.WriteAllText(Path.Combine(_above, day, name), "line\n");
            if (day != "2026-09-02") Directory.SetLastWriteTimeUtc(Path.Combine(_above, day), DateTime.Parse(day, System.Globalization.CultureInfo.InvariantCulture));
        }
        Directory.SetLastWriteTimeUtc(Path.Combine(_above, "2026-09-02"), new DateTime(2026, 11, 21));
        long since = (new DateTime(2026, 11, 21, 12, 0, 0, DateTimeKind.Utc) - DateTime.UnixEpoch).Ticks * 100;
        Assert.Equal(["2026-09-02", "2026-11-20"], Days(since));
        Assert.Equal(["2026-09-01", "2026-09-02", "2026-11-20"], Days(0));

        string[] Days(long from) => [.. RotatedNames.Of(log, from).Select(f => Path.GetFileName(Path.GetDirectoryName(f.Path)!)).Order()];
    }

    [Fact]
    public void Of_256_files_with_long_names_none_is_read_twice_after_a_restart()
    {
        string[] logs = [.. Enumerable.Range(0, FollowedLog.MaximumFiles).Select(i => Path.Combine(Current, $"{new string('n', 190)}-{i}.log"))];
        using var follower = new Follower(Current);
        for (int life = 0; life < 2; life++)
        {
            foreach (string log in logs) Write(log);
            follower.Settle();
            Assert.InRange(Encoding.UTF8.GetByteCount(follower.Position!), 1000, 60_000);
            follower.Kill();
        }
        follower.Settle();
        Assert.Equal(_written.Order(), follower.Spooled.Order());
        AssertWhole(follower);
        Assert.Empty(follower.Notices);
    }

    [Fact]
    public void A_position_comes_back_packed_or_not_and_what_does_not_fit_is_said()
    {
        foreach ((int count, int length, bool isWhole) in ((int, int, bool)[])[(10, 20, true), (300, 300, true), (300, 4000, false)])
        {
            List<FileMarks> files = [.. Enumerable.Range(0, count).Select(i => Marks(i, length))];
            string text = PositionText.Write(files, out int left);
            Assert.InRange(text.Length, 100, 60_000);
            Assert.Equal(isWhole, left == 0);
            List<FileMarks> back = PositionText.Read(text)!;
            Assert.Equal(files.Take(count - left).Select(f => f.Facts), back.Select(f => f.Facts));
            Assert.Equal(files.Take(count - left).Select(f => (f.Offset, f.Held, f.Header, f.Point)), back.Select(f => (f.Offset, f.Held, f.Header, f.Point)));
        }
        Assert.Null(PositionText.Read("""{"v":2,"z":"AAAA"}"""));

        // Short names are alike, as names are; of the very long ones nothing is.
        static FileMarks Marks(int i, int length)
        {
            var random = new Random(i);
            string path = length > 1000 ? string.Concat(Enumerable.Range(0, length).Select(_ => (char)random.Next('a', 'z'))) : new string('n', length) + i;
            var marks = new FileMarks { Facts = new FileFacts(path, path, 1, (ulong)i, new Fingerprint(1024, (ulong)random.NextInt64()), 5000 + i, 1_790_000_000_000_000_000 + i, false, i % 3 == 0, i % 5 == 0, i % 2 == 0 ? 5000 + i : -1) };
            marks.Begin(5000 + i, 4000, 0, new Waypoint(4900, new Fingerprint(256, (ulong)random.NextInt64())));
            return marks;
        }
    }

    [Fact]
    public void More_rotated_files_than_there_is_room_for_are_read_when_there_is()
    {
        string log = Path.Combine(Current, "conn.log");
        using var follower = new Follower(log);
        Write(log);
        follower.Settle();
        follower.Kill();
        for (int i = 1; i <= FollowedLog.MaximumFiles + 60; i++)
        {
            File.Move(log, $"{log}.{i}");
            Write(log);
            File.SetLastWriteTimeUtc(log, DateTime.UtcNow.AddMinutes(i - 400));
        }
        File.SetLastWriteTimeUtc(log + ".1", DateTime.UtcNow.AddMinutes(-400));
        follower.Settle(seconds: 120);
        Assert.Equal(_written.Order(), follower.Spooled.Order());
        AssertWhole(follower);
        // And nothing of it again.
        follower.Kill();
        follower.Settle(seconds: 30);
        Assert.Equal(_written.Count, follower.Spooled.Count);
    }

    [Fact]
    public void What_was_said_of_a_file_is_withdrawn_when_it_is_gone()
    {
        string whole = Path.Combine(Current, "a.log"), broken = Path.Combine(Current, "b.log.gz");
        Write(whole);
        using (var zip = new GZipStream(File.Create(broken), CompressionLevel.NoCompression)) zip.Write(new byte[5000]);
        using (FileStream cut = File.OpenWrite(broken)) cut.SetLength(3000);
        using var follower = new Follower(Current);
        follower.Settle(seconds: 200);
        Assert.NotNull(follower.Report.Trouble);
        File.Delete(broken);
        follower.Settle(seconds: 70);
        Assert.Null(follower.Report.Trouble);
        Assert.Equal(_written, follower.Spooled);
    }

    [Fact]
    public void That_there_is_no_room_is_withdrawn_when_the_files_beyond_are_gone()
    {
        for (int i = 0; i < FollowedLog.MaximumFiles + 5; i++) Write(Path.Combine(Current, $"{i}.log"));
        using var follower = new Follower(Current);
        follower.Settle(seconds: 70);
        Assert.Contains("more than 256 files", follower.Report.Trouble, StringComparison.Ordinal);
        foreach (string path in Directory.GetFiles(Current))
        {
            if (!follower.Spooled.Contains(File.ReadAllText(path).Trim())) File.Delete(path);
        }
        follower.Settle(seconds: 70);
        Assert.Null(follower.Report.Trouble);
        Assert.Equal(2, follower.Notices.Count);
    }

    [Fact]
    public void Files_that_were_renamed_while_nobody_read_are_not_counted_as_cut_when_the_log_is_cut_later()
    {
        string log = Path.Combine(Current, "dns.log");
        using var follower = new Follower(log);
        Write(log);
        follower.Settle();
        follower.Kill();
        for (int i = 1; i <= 5; i++)
        {
            Thread.Sleep(5);
            File.Move(log, $"{log}.{i}");
            Write(log);
        }
        follower.Settle();
        Assert.Equal(_written, follower.Spooled);
        Assert.Equal(0, follower.Counters.Lost);
        Thread.Sleep(5);
        File.Copy(log, log + ".6");
        using (var cut = new FileStream(log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)) cut.SetLength(0);
        Write(log);
        follower.Settle(seconds: 40);
        Assert.Equal(_written, follower.Spooled);
        Assert.Equal(1, follower.Counters.Lost);
    }

    [Fact]
    public void A_file_of_which_nobody_knows_when_it_was_made_is_not_said_to_be_an_older_one_that_was_cut()
    {
        var before = new FileStatus(1, 7, 100, 5_000, true, 1);
        Assert.False(FollowedLog.IsSameFile(new FileStatus(1, 7, 50, 9_000, true, 1), before));
        Assert.True(FollowedLog.IsSameFile(new FileStatus(1, 7, 50, 9_000, true, 1) { Born = 4_000 }, before));
        Assert.False(FollowedLog.IsSameFile(new FileStatus(1, 7, 50, 9_000, true, 1) { Born = 8_000 }, before));
    }
}
