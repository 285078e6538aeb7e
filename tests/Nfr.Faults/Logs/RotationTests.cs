using System.Diagnostics;
using System.Globalization;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Tests.Logs.Follow;
using Xunit.Abstractions;

namespace Nfr.Faults.Logs;

/// <summary>
/// A log at 10,000 lines/s that is rotated all the time, followed by an input that is killed again and again: all that it has is thrown away, but
/// what a spool beside it has committed, events and position together.
/// </summary>
public sealed class RotationTests(ITestOutputHelper output) : IDisposable
{
    readonly string _above = Directory.CreateTempSubdirectory("nfr-rotation-").FullName;
    // Beside a log's folder those of days are looked for: not in one in which everybody has a folder.
    string _folder => Directory.CreateDirectory(Path.Combine(_above, "current")).FullName;
    /// <summary>For one life, on a machine that has much else to do.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromMinutes(Tier.Of(2, 10));

    readonly List<string> _spooled = [];
    readonly List<string> _pending = [];
    readonly Random _random = new(7);
    string? _position;
    long _lostBytes;
    long _lost;
    int _restarts;

    public void Dispose() => Directory.Delete(_above, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Renamed_files_lose_nothing_and_double_nothing(bool upwards)
    {
        RotatedLog log = Run(upwards ? RotationStyle.RenameUpwards : RotationStyle.RenameAndCreate);
        Assert.Empty(Missing(log));
        Assert.Equal(log.Written, _spooled.Count);
        Assert.Equal((0, 0), (_lostBytes, _lost));
    }

    [Fact]
    public void Compressed_files_lose_nothing_and_double_nothing()
    {
        RotatedLog log = Run(RotationStyle.Compress);
        Assert.Empty(Missing(log));
        Assert.Equal(log.Written, _spooled.Count);
        Assert.Equal((0, 0), (_lostBytes, _lost));
    }

    [Fact]
    public void Of_copied_and_cut_files_nothing_is_doubled_and_nothing_lost_but_what_came_between_copy_and_cut()
    {
        RotatedLog log = Run(RotationStyle.CopyAndTruncate);
        List<int> missing = Missing(log);
        Assert.Equal(_spooled.Count, _spooled.Distinct().Count());
        Assert.DoesNotContain(missing, number => !log.Window.Contains(number));
        // Of bytes only those that are known to have been there, of cuts each; and once more by each who came after one that was killed before its count was committed.
        Assert.InRange(_lostBytes, 0, (long)missing.Count * RotatedLog.LineLength * (_restarts + 1));
        Assert.InRange(_lost, log.Cuts, (long)log.Cuts * (_restarts + 1));
    }

    [Fact]
    public void Of_removed_files_that_are_open_nothing_is_lost()
    {
        RotatedLog log = Run(RotationStyle.RemoveSeen);
        Assert.Empty(Missing(log));
        Assert.Equal(log.Written, _spooled.Count);
        Assert.Equal((0, 0), (_lostBytes, _lost));
    }

    [Fact]
    public void Of_removed_files_only_the_end_is_lost_that_came_while_nobody_read_and_that_is_said()
    {
        RotatedLog log = Run(RotationStyle.RemoveAndCreate);
        List<int> missing = Missing(log);
        Assert.Equal(_spooled.Count, _spooled.Distinct().Count());
        HashSet<int> gone = [.. missing];
        // The line before the next file's first, and from there backwards without a hole; or a file that came and went while nobody looked.
        foreach (int number in missing) Assert.True(gone.Contains(number + 1) || log.Begins.Contains(number + 1), $"line {number} is missing in the middle of its file");
        // Of what was never seen nobody can say anything; of a file that was begun it is said.
        if (missing.Exists(n => log.Begins.Contains(n + 1) && !gone.Contains(log.Begins.FindLast(b => b <= n)))) Assert.True(_lost + _lostBytes > 0);
    }

    List<int> Missing(RotatedLog log)
    {
        HashSet<int> there = [.. _spooled.Select(l => int.Parse(l[..9], CultureInfo.InvariantCulture))];
        List<int> missing = [.. Enumerable.Range(0, log.Written).Where(n => !there.Contains(n))];
        output.WriteLine($"written {log.Written}, spooled {_spooled.Count}, doubled {_spooled.Count - there.Count}, missing {missing.Count}, of these between copy and cut "
            + $"{missing.Count(log.Window.Contains)}; counted as lost {_lostBytes / RotatedLog.LineLength} lines and {_lost} files; {_restarts} restarts");
        int[] doubled = [.. _spooled.GroupBy(l => l).Where(g => g.Count() > 1).Select(g => int.Parse(g.Key[..9], CultureInfo.InvariantCulture)).Order()];
        Show("doubled", doubled);
        Show("missing", [.. missing.Where(n => !log.Window.Contains(n))]);
        return missing;

        void Show(string what, int[] numbers)
        {
            foreach (var file in numbers.GroupBy(n => log.Begins.FindLastIndex(b => b <= n)))
                output.WriteLine($"{what} of file {file.Key}, which begins with line {log.Begins[file.Key]}: {file.Count()} lines from {file.Min()} to {file.Max()}");
        }
    }

    RotatedLog Run(RotationStyle style)
    {
        var log = new RotatedLog(_folder, style, Tier.Of(15, 200), Tier.Of(500, 1_000), seed: (int)style);
        var writer = new Thread(log.Run) { IsBackground = true };
        writer.Start();
        try
        {
            Follow(log, style);
        }
        finally
        {
            // In good order it is done by now.
            log.IsStopped = true;
            log.Seen.Set();
            writer.Join();
        }
        return log;
    }

    void Follow(RotatedLog log, RotationStyle style)
    {
        // What is removed is gone when nobody saw it.
        bool always = style is RotationStyle.RemoveAndCreate or RotationStyle.RemoveSeen;
        int seen = -1;
        long since = 0;
        if (style == RotationStyle.RemoveSeen)
        {
            // One life: what is removed is gone with who has it open.
            Live(log, () =>
            {
                if (log.Taken > 0) log.Seen.Set();
                return log.IsDone && IsQuiet();
            }, always, last: true);
            return;
        }
        Live(log, () => _spooled.Count > 0, always);
        log.Seen.Set();
        int kills = Tier.Of(4, 20);
        while (!log.IsDone)
        {
            int before = log.Written;
            int life = Tier.Of(1_500, 200_000 / 20) + _random.Next(500);
            Live(log, () => log.IsDone || (_restarts < kills && log.Written - before > life), always);
            // Several rotations while nobody reads.
            if (!always && !log.IsDone && _restarts % 2 == 0) Thread.Sleep(_random.Next(300));
        }
        // What is left.
        Live(log, IsQuiet, always, last: true);

        // Nothing has come for a while.
        bool IsQuiet()
        {
            // The longer patience is for what will never come, on a machine that has much else to do.
            if (_spooled.Count + _pending.Count == seen) return Stopwatch.GetElapsedTime(since) > TimeSpan.FromSeconds(seen >= log.Written ? 1 : 15);
            (seen, since) = (_spooled.Count + _pending.Count, Stopwatch.GetTimestamp());
            return false;
        }
    }

    // From a start to a kill.
    void Live(RotatedLog log, Func<bool> isOver, bool always, bool last = false)
    {
        var ring = new EventRing(1 << 20, grouped: true);
        using var stop = new CancellationTokenSource();
        var outlet = new LogOutlet(ring, TimeSpan.Zero, stop.Token);
        using var inputs = new FileInputs([new FollowOptions { Number = 0, Path = log.Path, Position = _position, UseInotify = always || _random.Next(2) == 0, Parser = () => new TextParser(new LineOptions()) }],
            notice => output.WriteLine(notice.Sentence));
        inputs.Open(outlet);
        var thread = new Thread(() => inputs.Run(stop.Token)) { IsBackground = true };
        thread.Start();
        FollowedLog followed = inputs.Logs[0];
        var sink = new NamesSink(_pending, mark => followed.Accept(mark));
        var watch = Stopwatch.StartNew();
        bool isLate = false;
        while (!isOver())
        {
            if (isLate = watch.Elapsed > s_patience) break;
            if (ring.Read(ref sink, _random.Next(1, 400)) == 0) Thread.Sleep(1);
            if (_pending.Count > 0) log.Taken = int.Parse(_pending[^1][..9], CultureInfo.InvariantCulture) + 1;
            // The spool takes a position with the events before it, or neither.
            if (_random.Next(8) == 0) Commit(followed);
        }
        stop.Cancel();
        Assert.True(thread.Join(TimeSpan.FromSeconds(30)));
        if (isLate) Assert.Fail($"after {s_patience.TotalSeconds} s of one life: written {log.Written}, taken {log.Taken}, spooled {_spooled.Count}, pending {_pending.Count}, {_restarts} restarts, the writer is {(log.IsDone ? "done" : "not done")}");
        if (last) Commit(followed);
        _pending.Clear();
        _restarts++;
        _lostBytes += followed.Counters.LostBytes;
        _lost += followed.Counters.Lost;
    }

    void Commit(FollowedLog followed)
    {
        _spooled.AddRange(_pending);
        _pending.Clear();
        _position = followed.Position() ?? _position;
    }
}
