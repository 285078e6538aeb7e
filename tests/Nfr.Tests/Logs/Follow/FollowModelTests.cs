using System.IO.Compression;
using System.Text;

namespace Nfr.Tests.Logs.Follow;

/// <summary>Random writing, rotating, reading, committing and killing, against the list of what was written.</summary>
public sealed class FollowModelTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-model-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("rename")]
    [InlineData("copy")]
    [InlineData("gz")]
    [InlineData("date")]
    public void Every_line_comes_once_whatever_happens_between(string style)
    {
        for (int seed = 0; seed < 25; seed++)
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder, $"{seed}")).FullName;
            var model = new Model(folder, style, seed);
            List<string> steps = model.Run();
            // What was written between copy and cut may never have been seen, and nothing else.
            IEnumerable<string> there = model.Follower.Spooled.Concat(model.Window.Except(model.Follower.Spooled));
            Assert.True(model.Written.Order(StringComparer.Ordinal).SequenceEqual(there.Order(StringComparer.Ordinal)),
                $"{style}, seed {seed}: missing {string.Join(' ', model.Written.Except(model.Follower.Spooled).Take(5))}, doubled "
                + $"{string.Join(' ', model.Follower.Spooled.GroupBy(l => l).Where(g => g.Count() > 1).Select(g => g.Key).Take(5))} after {string.Join(", ", steps)}; {string.Join(" | ", model.Follower.Notices.Select(n => n.Sentence))}; {model.Follower.Report} {model.Follower.Position}");
            int missing = model.Window.Except(model.Follower.Spooled).Sum(l => l.Length + 1);
            // What was counted by one who was killed before that was committed is counted again.
            Assert.InRange(model.Follower.LostBytes + model.Follower.Counters.LostBytes, 0, (long)missing * (1 + steps.Count(s => s == "kill")));
            // Of a cut nobody knows what came before it since the copy: each counts.
            long lost = model.Follower.Lost + model.Follower.Counters.Lost;
            if (style == "copy") Assert.True(lost >= model.Cuts, $"seed {seed}: {lost} of {model.Cuts} cuts counted after {string.Join(", ", steps)}; {model.Follower.Position}");
            else Assert.Equal(0, lost);
            model.Follower.Dispose();
        }
    }

    sealed class Model(string folder, string style, int seed)
    {
        readonly Random _random = new(seed);
        readonly string _path = Path.Combine(folder, "query.log");
        int _rotations;
        bool _copied;
        string _half = "";

        public List<string> Written { get; } = [];
        /// <summary>Lines that are in no copy, and were in the file before it was cut.</summary>
        public HashSet<string> Window { get; } = [];
        /// <summary>Of files with a line.</summary>
        public int Cuts { get; private set; }
        public Follower Follower { get; } = new(Path.Combine(folder, "query.log"));

        public List<string> Run()
        {
            List<string> steps = [];
            // What was never seen cannot be followed away.
            Write(1);
            Follower.Settle();
            for (int i = 0; i < 60; i++)
            {
                string step = _random.Next(10) switch
                {
                    0 or 1 or 2 => Write(_random.Next(1, 40)),
                    3 => Write(_random.Next(1000, 4000)),
                    4 => Half(),
                    5 => Rotate(),
                    6 or 7 => Step(_random.Next(1, 1500)),
                    8 => Commit(),
                    _ => Kill(),
                };
                steps.Add(step);
                Follower.Time.Advance(TimeSpan.FromMilliseconds(_random.Next(300)));
            }
            if (_copied) Rotate();
            Write(1);
            Follower.Settle(seconds: 8);
            return steps;
        }

        string Write(int count)
        {
            var text = new StringBuilder();
            for (int i = 0; i < count; i++)
            {
                string line = $"{Written.Count} {new string('x', _random.Next(90))}";
                Written.Add(line);
                if (_copied) Window.Add(line);
                // The rest of a half line ends it.
                text.Append(_half.Length > 0 ? line[_half.Length..] : line).Append('\n');
                _half = "";
            }
            File.AppendAllText(_path, text.ToString());
            return $"write {count}";
        }

        string Half()
        {
            if (_half.Length == 0) File.AppendAllText(_path, _half = $"{Written.Count} ");
            return "half";
        }

        string Rotate()
        {
            // A writer ends its line before it goes on in another file.
            if (_half.Length > 0) Write(1);
            if (style == "copy" && _copied) return Cut();
            _rotations++;
            // Two files of one moment cannot be put in order by anything.
            Thread.Sleep(5);
            if (style == "date")
            {
                File.Move(_path, $"{_path}-{20261100 + _rotations}");
            }
            else
            {
                string end = style == "gz" ? ".gz" : "";
                for (int i = _rotations - 1; i >= 1; i--) File.Move($"{_path}.{i}{end}", $"{_path}.{i + 1}{end}");
                if (style == "copy") File.Copy(_path, _path + ".1");
                else if (style == "rename") File.Move(_path, _path + ".1");
                else Pack();
            }
            if (style == "copy")
            {
                // A copy of less than is known of a file's beginning is not known again after a restart: such a file is cut at once.
                _copied = true;
                if (_random.Next(3) > 0 || new FileInfo(_path).Length < 1024) return "rotate: " + Cut();
                return "copy";
            }
            File.WriteAllText(_path, "");
            return "rotate";
        }

        string Cut()
        {
            _copied = false;
            if (new FileInfo(_path).Length > 0) Cuts++;
            using FileStream file = new(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            file.SetLength(0);
            return "cut";
        }

        void Pack()
        {
            DateTime modified = File.GetLastWriteTimeUtc(_path);
            using (var zip = new GZipStream(File.Create(_path + ".1.gz"), CompressionLevel.Fastest)) zip.Write(File.ReadAllBytes(_path));
            File.SetLastWriteTimeUtc(_path + ".1.gz", modified);
            File.Delete(_path);
        }

        string Step(int milliseconds)
        {
            Follower.Step(milliseconds);
            return $"step {milliseconds}";
        }

        string Commit()
        {
            Follower.Step();
            Follower.Commit();
            return "commit";
        }

        string Kill()
        {
            Follower.Kill();
            return "kill";
        }
    }
}
