using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace Nfr.Faults.Logs;

enum RotationStyle
{
    RenameAndCreate,
    /// <summary>The same, and the highest number is the newest: no other name moves.</summary>
    RenameUpwards,
    CopyAndTruncate,
    RemoveAndCreate,
    /// <summary>The same, and a file is removed only after its first line was read: whoever reads has it open.</summary>
    RemoveSeen,
    Compress,
}

/// <summary>
/// A log that is written at a rate and rotated again and again. Every line has a number and the same length; which lines nobody could have seen
/// for sure is written down.
/// </summary>
sealed class RotatedLog(string folder, RotationStyle style, int rotations, int linesEach, int seed)
{
    public const int LineLength = 64;
    const int LinesPerSecond = 10_000;

    readonly Random _random = new(seed);
    readonly byte[] _lines = new byte[200 * LineLength];
    FileStream? _file;
    long _due;

    public string Path { get; } = System.IO.Path.Combine(folder, "dns.log");
    public int Written { get; private set; }
    /// <summary>Lines that were written between the copy and the cut: in no file for longer than a moment.</summary>
    public HashSet<int> Window { get; } = [];
    /// <summary>How often it was cut.</summary>
    public int Cuts { get; private set; }
    /// <summary>The first number of each file.</summary>
    public List<int> Begins { get; } = [0];
    public volatile bool IsDone;
    /// <summary>Nobody reads any more: the writer comes to its end.</summary>
    public volatile bool IsStopped;
    /// <summary>Lines that were read, with those that are missing before them.</summary>
    public volatile int Taken;
    /// <summary>Its first line is spooled: a file that was moved away before anybody had seen it is no follower's matter.</summary>
    public ManualResetEventSlim Seen { get; } = new();

    public void Run()
    {
        Open();
        Put(1);
        Seen.Wait();
        for (int i = 0; i < rotations && !IsStopped; i++)
        {
            Write(_random.Next(linesEach / 2, linesEach * 3 / 2));
            Rotate(i);
        }
        Write(linesEach);
        _file!.Dispose();
        IsDone = true;
    }

    void Open() => _file = new FileStream(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 0);

    void Write(int count)
    {
        while (count > 0 && !IsStopped)
        {
            int n = Math.Min(count, _random.Next(1, 200));
            Put(n);
            count -= n;
            // On the whole as fast as the rate; behind it as fast as it can.
            _due += n;
            if (_due > LinesPerSecond / 50)
            {
                Thread.Sleep((int)(_due * 1000 / LinesPerSecond));
                _due = 0;
            }
        }
    }

    void Put(int n)
    {
        for (int i = 0; i < n; i++)
        {
            Span<byte> line = _lines.AsSpan(i * LineLength, LineLength);
            line.Fill((byte)'.');
            Encoding.ASCII.GetBytes((Written + i).ToString("D9", CultureInfo.InvariantCulture), line);
            line[^1] = (byte)'\n';
        }
        // In two writes now and then: a reader sees half lines.
        int cut = _random.Next(0, n * LineLength);
        _file!.Write(_lines.AsSpan(0, cut));
        _file.Write(_lines.AsSpan(cut, (n * LineLength) - cut));
        Written += n;
    }

    void Rotate(int number)
    {
        switch (style)
        {
            case RotationStyle.RenameAndCreate or RotationStyle.RenameUpwards:
                bool upwards = style == RotationStyle.RenameUpwards;
                if (!upwards) Shift(number, "");
                File.Move(Path, $"{Path}.{(upwards ? number + 1 : 1)}");
                // Still written to by who has it open.
                if (_random.Next(2) == 0) Write(_random.Next(1, 50));
                _file!.Dispose();
                Open();
                break;
            case RotationStyle.CopyAndTruncate:
                Shift(number, "");
                File.Copy(Path, Path + ".1");
                if (_random.Next(2) == 0)
                {
                    int first = Written, more = _random.Next(1, 20);
                    Write(more);
                    for (int i = first; i < Written; i++) Window.Add(i);
                    // Now and then long enough for them to be read.
                    if (_random.Next(3) == 0) Thread.Sleep(_random.Next(40));
                }
                _file!.SetLength(0);
                Cuts++;
                break;
            case RotationStyle.RemoveAndCreate or RotationStyle.RemoveSeen:
                while (style == RotationStyle.RemoveSeen && Taken <= Begins[^1] && !IsStopped) Thread.Sleep(1);
                File.Delete(Path);
                _file!.Dispose();
                if (_random.Next(2) == 0) Thread.Sleep(_random.Next(20));
                Open();
                break;
            default:
                Shift(number, ".gz");
                File.Move(Path, Path + ".1");
                _file!.Dispose();
                Open();
                Pack();
                break;
        }
        Begins.Add(Written);
    }

    void Shift(int number, string end)
    {
        for (int i = number; i >= 1; i--) File.Move($"{Path}.{i}{end}", $"{Path}.{i + 1}{end}");
    }

    void Pack()
    {
        string plain = Path + ".1";
        DateTime modified = File.GetLastWriteTimeUtc(plain);
        using (FileStream from = File.OpenRead(plain))
        using (var to = new GZipStream(File.Create(plain + ".gz"), CompressionLevel.Fastest)) from.CopyTo(to);
        File.SetLastWriteTimeUtc(plain + ".gz", modified);
        File.Delete(plain);
    }
}
