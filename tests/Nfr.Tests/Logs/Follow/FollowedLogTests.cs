using System.IO.Compression;
using System.Text;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Follow;

public sealed class FollowedLogTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-follow-").FullName;
    readonly List<Follower> _followers = [];
    int _next;

    string Log => Path.Combine(_folder, "dns.log");

    public void Dispose()
    {
        foreach (Follower follower in _followers) follower.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    Follower Follow(string? path = null, FollowFrom from = FollowFrom.Start, bool needsHeader = false)
    {
        var follower = new Follower(path ?? Log, from, needsHeader);
        _followers.Add(follower);
        return follower;
    }

    /// <summary>Further lines, numbered on.</summary>
    void Write(int count, string? path = null) =>
        File.AppendAllText(path ?? Log, string.Concat(Enumerable.Range(_next, count).Select(i => $"line {i} {i * 2_654_435_761L % 1_000_003}\n")));

    void WriteNext(int count, string? path = null)
    {
        Write(count, path);
        _next += count;
    }

    static IEnumerable<int> Numbers(Follower follower) => follower.Spooled.Select(l => int.Parse(l.Split(' ')[1]));

    void AssertAll(Follower follower) => Assert.Equal(Enumerable.Range(0, _next), Numbers(follower));

    [Theory]
    [InlineData("rising", true)]
    [InlineData("rising", false)]
    [InlineData("falling", true)]
    [InlineData("falling", false)]
    [InlineData("date", true)]
    [InlineData("date", false)]
    public void Several_rotations_while_nobody_reads_lose_nothing_whatever_the_names(string names, bool isThere)
    {
        string folder = Directory.CreateTempSubdirectory("nfr-names-").FullName, path = Path.Combine(folder, "query.log");
        using var follower = new Follower(path);
        List<string> written = [];
        int rotations = 0;
        File.WriteAllText(path, "");
        for (int life = 0; life < 4; life++)
        {
            Write(5);
            follower.Settle();
            Write(3);
            follower.Kill();
            for (int i = 0; i < 3; i++)
            {
                Rotate();
                if (i < 2) Write(4);
            }
            if (isThere) Write(2);
            else File.Delete(path);
        }
        follower.Settle(seconds: 8);
        Assert.Equal(written, follower.Spooled);
        Assert.Equal((0, 0), (follower.LostBytes + follower.Counters.LostBytes, follower.Lost + follower.Counters.Lost));
        Directory.Delete(folder, recursive: true);

        void Write(int count)
        {
            for (int i = 0; i < count; i++)
            {
                written.Add($"line {written.Count}");
                File.AppendAllText(path, written[^1] + "\n");
            }
        }

        void Rotate()
        {
            rotations++;
            Thread.Sleep(5);
            if (names == "falling") for (int i = rotations - 1; i >= 1; i--) File.Move($"{path}.{i}", $"{path}.{i + 1}");
            File.Move(path, names == "rising" ? $"{path}.{rotations}" : names == "date" ? $"{path}-{20261100 + rotations}" : $"{path}.1");
            File.WriteAllText(path, "");
        }
    }

    [Fact]
    public void Lines_are_read_as_they_come_and_a_half_one_waits_for_its_end()
    {
        Follower follower = Follow();
        follower.Settle();
        Assert.Contains("it is not there", Assert.Single(follower.Notices).Sentence, StringComparison.Ordinal);
        File.WriteAllText(Log, "one\ntw");
        follower.Settle();
        Assert.Equal(["one"], follower.Spooled);
        Assert.False(follower.Notices[^1].IsTrouble);
        File.AppendAllText(Log, "o\r");
        follower.Settle();
        File.AppendAllText(Log, "\nthree\n");
        follower.Settle();
        Assert.Equal(["one", "two", "three"], follower.Spooled);
        Assert.Equal(new FileInfo(Log).Length, follower.Counters.Bytes);
        Assert.Equal(0, follower.Report.Behind);
    }

    [Fact]
    public void A_restart_goes_on_behind_the_last_line_that_is_spooled()
    {
        Follower follower = Follow();
        WriteNext(100);
        follower.Settle();
        WriteNext(100);
        while (follower.Step(250))
        {
        }
        follower.Kill();
        Assert.Equal(100, follower.Spooled.Count);
        WriteNext(10);
        follower.Settle();
        AssertAll(follower);
        follower.Kill();
        follower.Settle();
        AssertAll(follower);
    }

    [Fact]
    public void From_the_end_only_what_comes_is_read_also_when_it_came_while_nobody_looked()
    {
        File.WriteAllText(Log, "#header\nold\nol");
        Follower follower = Follow(from: FollowFrom.End, needsHeader: true);
        follower.Settle();
        follower.Kill();
        File.AppendAllText(Log, "der\nnew\n");
        follower.Settle();
        Assert.Equal(["older", "new"], follower.Spooled);
        Assert.Equal(0, follower.Counters.Skipped);
    }

    [Fact]
    public void A_file_that_comes_later_is_read_from_its_beginning_whatever_from_says()
    {
        Follower follower = Follow(from: FollowFrom.End);
        follower.Settle();
        follower.Kill();
        WriteNext(10);
        follower.Settle();
        AssertAll(follower);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_is_renamed_is_read_to_its_end_and_then_the_new_one(bool restart)
    {
        Follower follower = Follow();
        WriteNext(10);
        follower.Settle();
        WriteNext(10);
        if (restart) follower.Kill();
        File.Move(Log, Log + ".1");
        WriteNext(10, Log + ".1");
        WriteNext(10);
        if (!restart)
        {
            // The new one waits until the old one is quiet; and the old one's late lines are taken all the same.
            follower.Step();
            follower.Settle();
            WriteNext(1, Log + ".1");
        }
        follower.Settle();
        AssertAll(follower);
        Assert.Equal(1, follower.Counters.Rotations);
        Assert.Equal(0, follower.Counters.LostBytes);
    }

    [Theory]
    [InlineData("dns.log.{0}", false)]
    [InlineData("dns.log-2026112{0}", false)]
    [InlineData("dns.log.2026-11-2{0}", true)]
    [InlineData("dns-26-11-22_0{0}.00.00.log", true)]
    [InlineData("dns.log.{0}.gz", true)]
    [InlineData("../2026-11-22/dns.0{0}:00:00-0{0}:59:59.log.gz", true)]
    public void Several_rotations_while_we_were_down_are_caught_up_oldest_first(string pattern, bool isNewerHigher)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "current"));
        Directory.CreateDirectory(Path.Combine(_folder, "2026-11-22"));
        string log = Path.Combine(_folder, "current", "dns.log");
        // An older one, that was there before: not ours.
        Move(0);
        Follower follower = Follow(log);
        WriteNext(20, log);
        follower.Settle();
        WriteNext(20, log);
        follower.Kill();
        for (int i = 1; i <= 4; i++)
        {
            Move(isNewerHigher ? i : 6 - i);
            WriteNext(20, log);
        }
        follower.Settle();
        AssertAll(follower);
        Assert.Equal((0, 0), (follower.Counters.LostBytes, follower.Counters.Lost));
        // And nothing of it again.
        follower.Kill();
        WriteNext(5, log);
        follower.Settle();
        AssertAll(follower);

        void Move(int number)
        {
            string to = Path.GetFullPath(Path.Combine(_folder, "current", string.Format(pattern, number)));
            if (number == 0)
            {
                Pack(to, "old\n"u8.ToArray());
                File.SetLastWriteTimeUtc(to, DateTime.UtcNow.AddHours(-1));
                return;
            }
            Pack(to, File.ReadAllBytes(log));
            File.SetLastWriteTimeUtc(to, File.GetLastWriteTimeUtc(log));
            if (!to.EndsWith(".gz", StringComparison.Ordinal)) File.Move(log, to, overwrite: true);
            else File.Delete(log);
            Thread.Sleep(10);
        }
    }

    static void Pack(string path, byte[] bytes)
    {
        if (!path.EndsWith(".gz", StringComparison.Ordinal))
        {
            File.WriteAllBytes(path, bytes);
            return;
        }
        using var zip = new GZipStream(File.Create(path), CompressionLevel.Fastest);
        zip.Write(bytes);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_file_that_is_copied_and_cut_is_read_on_in_its_copy(bool restart, bool packed)
    {
        Follower follower = Follow();
        for (int i = 0; i < 3; i++)
        {
            WriteNext(20);
            follower.Settle();
            WriteNext(20);
            if (restart) follower.Kill();
            if (File.Exists(Log + ".1")) File.Move(Log + ".1", Log + ".2", overwrite: true);
            if (File.Exists(Log + ".1.gz")) File.Move(Log + ".1.gz", Log + ".2.gz", overwrite: true);
            Pack(Log + (packed ? ".1.gz" : ".1"), File.ReadAllBytes(Log));
            Cut(Log);
            // Longer than it was: only its bytes tell that it was cut.
            if (i == 1) WriteNext(100);
        }
        follower.Settle();
        AssertAll(follower);
        // Nothing was lost, which nobody can know: of each cut is said that something may be.
        Assert.Equal(restart ? 3 : 1, follower.Notices.Count(n => n.Sentence.Contains("copytruncate", StringComparison.Ordinal)));
        Assert.Equal((0, 3), (follower.LostBytes + follower.Counters.LostBytes, follower.Lost + follower.Counters.Lost));
    }

    static void Cut(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.SetLength(0);
    }

    [Fact]
    public void What_is_cut_without_a_copy_is_counted_as_far_as_it_was_seen()
    {
        Follower follower = Follow();
        WriteNext(10);
        follower.Settle();
        // More than a turn reads: it was seen, and cut before it was read.
        int before = _next;
        WriteNext(40_000);
        long length = new FileInfo(Log).Length;
        follower.Step(1_000);
        follower.Commit();
        long read = follower.Counters.Bytes;
        Assert.InRange(read, 1, length - 1);
        Cut(Log);
        WriteNext(10);
        follower.Settle();
        Assert.Equal(length - read, follower.Counters.LostBytes);
        List<int> numbers = [.. Numbers(follower)];
        int gap = _next - numbers.Count;
        Assert.InRange(gap, 1, 39_999);
        Assert.Equal(numbers.Distinct().Order(), numbers);
        Assert.Contains(follower.Notices, n => n.Sentence.Contains($"{length - read} bytes", StringComparison.Ordinal));
        Assert.Contains(before, numbers);
    }

    [Fact]
    public void A_writer_that_goes_on_at_its_old_place_leaves_a_hole_that_is_no_line()
    {
        Follower follower = Follow();
        WriteNext(3000);
        follower.Settle();
        long length = new FileInfo(Log).Length;
        File.Copy(Log, Log + ".1");
        Cut(Log);
        using (FileStream file = new(Log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = length;
            file.Write(Encoding.UTF8.GetBytes($"line {_next++} x\nline {_next++} y\n"));
        }
        follower.Settle();
        AssertAll(follower);
        Assert.Equal(0, follower.Counters.Skipped);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_file_that_is_removed_and_made_anew_is_another_one(bool restart)
    {
        Follower follower = Follow();
        WriteNext(20);
        follower.Settle();
        if (restart) follower.Kill();
        else WriteNext(5);
        if (!restart) follower.Step(1);
        File.Delete(Log);
        if (!restart) follower.Settle();
        WriteNext(30);
        follower.Settle();
        AssertAll(follower);
    }

    [Fact]
    public void A_link_that_is_turned_elsewhere_is_a_rotation()
    {
        string a = Path.Combine(_folder, "a"), b = Path.Combine(_folder, "b"), current = Path.Combine(_folder, "current");
        Directory.CreateDirectory(a);
        Directory.CreateDirectory(b);
        Directory.CreateSymbolicLink(current, a);
        WriteNext(10, Path.Combine(a, "dns.log"));
        Follower follower = Follow(Path.Combine(current, "dns.log"));
        follower.Settle();
        WriteNext(10, Path.Combine(a, "dns.log"));
        WriteNext(10, Path.Combine(b, "dns.log"));
        File.Delete(current);
        Directory.CreateSymbolicLink(current, b);
        follower.Settle();
        AssertAll(follower);
        Assert.Equal(1, follower.Counters.Rotations);
    }

    [Fact]
    public void A_pattern_finds_files_in_folders_and_does_not_read_one_twice_that_is_renamed_copied_or_packed()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "x", "y"));
        string one = Path.Combine(_folder, "dns.log"), two = Path.Combine(_folder, "x", "y", "dns-b.log");
        Follower follower = Follow(Path.Combine(_folder, "**", "dns*.log*"));
        WriteNext(10, one);
        follower.Settle();
        WriteNext(10, two);
        File.WriteAllText(Path.Combine(_folder, "conn.log"), "not ours\n");
        follower.Settle();
        AssertAll(follower);
        for (int i = 0; i < 2; i++)
        {
            // Renamed within the pattern.
            File.Move(one, one + ".1", overwrite: true);
            WriteNext(10, one);
            follower.Settle();
            // Packed.
            Pack(one + $".{i + 2}.gz", File.ReadAllBytes(one + ".1"));
            File.Delete(one + ".1");
            // Copied, and cut.
            File.Copy(two, two + $".{i + 1}");
            follower.Settle();
            Cut(two);
            WriteNext(10, two);
            follower.Settle();
            follower.Kill();
            follower.Settle();
            AssertAll(follower);
        }
    }

    [Fact]
    public void Files_beyond_the_limit_are_not_read_until_there_is_room_and_that_is_said()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, "many")).FullName;
        for (int i = 0; i < FollowedLog.MaximumFiles + 10; i++) WriteNext(1, Path.Combine(folder, $"{i}.log"));
        Follower follower = Follow(folder);
        follower.Settle();
        Assert.Equal(FollowedLog.MaximumFiles, follower.Spooled.Count);
        Assert.Contains("more than 256 files", Assert.Single(follower.Notices).Sentence, StringComparison.Ordinal);
        Assert.InRange(Encoding.UTF8.GetByteCount(follower.Position!), 1000, 65_535);
    }

    [Fact]
    public void Headers_and_held_lines_are_taken_up_again_and_what_they_made_is_not_doubled()
    {
        Follower follower = Follow(needsHeader: true);
        File.WriteAllText(Log, "#header\none\nask 1\nask 2\ntwo\nanswer 1\nthree\n");
        follower.Step();
        follower.Commit();
        Assert.Equal(["one", "two", "ask 1 answered", "three"], follower.Spooled);
        follower.Kill();
        File.AppendAllText(Log, "four\nanswer 2\n");
        follower.Settle();
        Assert.Equal(["one", "two", "ask 1 answered", "three", "four", "ask 2 answered"], follower.Spooled);
        Assert.Equal(0, follower.Counters.Skipped);
        // What waits goes out when nothing has come for a while, once.
        File.AppendAllText(Log, "ask 3\n");
        follower.Settle();
        follower.Kill();
        follower.Settle();
        Assert.Equal("ask 3", follower.Spooled[^1]);
        Assert.Equal(7, follower.Spooled.Count);
    }

    [Fact]
    public void A_half_line_of_a_file_that_was_moved_away_is_counted_as_cut_off()
    {
        Follower follower = Follow();
        File.WriteAllText(Log, "one\nhal");
        follower.Settle();
        File.Move(Log, Log + ".1");
        File.WriteAllText(Log, "two\n");
        follower.Settle(seconds: 60);
        Assert.Equal(["one", "two"], follower.Spooled);
        Assert.Equal(1, follower.Counters.Verdicts[(int)LineVerdict.CutOff]);
        Assert.Contains("the file ends within it", follower.Notices[^1].Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_of_a_mebibyte_and_of_any_bytes_are_read_and_longer_ones_passed_over()
    {
        Follower follower = Follow();
        string huge = new('x', 1 << 20);
        File.WriteAllBytes(Log, [.. "one\n"u8, .. Encoding.UTF8.GetBytes(huge), (byte)'\n', 0xFF, 0xFE, 0, 0xC3, (byte)'\n', .. new byte[3 << 20]]);
        follower.Settle();
        File.AppendAllText(Log, "\ntwo\n");
        follower.Settle();
        Assert.Equal(4, follower.Spooled.Count);
        Assert.Equal(huge[..255], follower.Spooled[1]);
        Assert.Equal("two", follower.Spooled[3]);
        Assert.Equal(1, follower.Counters.Verdicts[(int)LineVerdict.TooLong]);
        Assert.Equal(new FileInfo(Log).Length, follower.Counters.Bytes);
        Assert.Equal(0, follower.Counters.Rotations);
    }

    [Fact]
    public void A_log_of_Edge_is_not_followed_under_auto_and_that_is_said()
    {
        const string Record = """{"time":1529603514134,"source":"10.0.0.1","query":"a.example.","queryType":"A","queryProtocol":"UDP"}""";
        foreach (string begin in (string[])["[" + Record + ",\n", "\n# not told yet\n"])
        {
            var follower = new Follower(Log, parser: () => new AutoParser(new LineOptions()));
            _followers.Add(follower);
            File.WriteAllText(Log, begin);
            follower.Settle();
            File.AppendAllText(Log, Record + "\n");
            follower.Settle();
            LogNotice notice = Assert.Single(follower.Notices, n => n.Sentence.Contains("BlueCat Edge", StringComparison.Ordinal));
            Assert.True(notice.IsTrouble);
            Assert.Contains("give it to nfr read", notice.Sentence, StringComparison.Ordinal);
            Assert.Empty(follower.Spooled);
            follower.Kill();
            File.Delete(Log);
        }
    }

    [Fact]
    public void A_position_that_cannot_be_read_is_said_and_reading_begins_as_at_the_first_start()
    {
        foreach (string text in new[] { "", "{", "[]", "{\"v\":2}", "{\"v\":1,\"files\":[{\"p\":1}]}", "{\"v\":1,\"files\":[{\"p\":\"x\",\"d\":-1}]}" })
            Assert.Null(PositionText.Read(text));
        Assert.Empty(PositionText.Read("{\"v\":1,\"files\":[]}")!);
    }
}
