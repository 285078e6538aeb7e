using Nfr.Events;
using Nfr.Native;

namespace Nfr.Logs;

/// <summary>
/// One item of inputs.monitor: a file, a folder or a pattern, with all that its files become: renamed, cut, copied, packed, begun anew.
/// </summary>
/// <remarks>
/// <para>A file is known by device and inode while it is open, and by digests of its first bytes and of those before the place where reading stands
/// when it is met again: after a restart, under another name, in a copy, packed. The place of what is read lies in the marks, and with them in the
/// spool (<see cref="InputMark"/>): a file is done there when its last line is.</para>
/// <para>Moved away, a file is read on to its end; what is in its place waits until the old one has not grown for a moment, and those between (several
/// rotations at once) come first, oldest first. The old one stays open until its successor has lines and it has been quiet for half a minute.</para>
/// <para>Cut (copytruncate), a file's bytes are looked for in the usual places and read there to their end; what is not found is counted as lost. What
/// was written between copy and cut is in no file: each cut counts as one loss of nobody knows how much.</para>
/// <para>An empty file is held open until it has bytes: it may have been removed by then.</para>
/// </remarks>
public sealed partial class FollowedLog : IMarkedInput, IDisposable
{
    /// <summary>Files of one item; further ones are not read until others are done and forgotten, and that is said.</summary>
    public const int MaximumFiles = 256;
    /// <summary>Files of one item that are open, a parser each; those idle longest are closed until they grow.</summary>
    public const int MaximumOpen = 64;
    /// <summary>Files that are done and remembered, though nothing lies under a name that is followed.</summary>
    const int MaximumRemembered = 64;

    /// <summary>Bytes before the place where reading goes on that are looked at for what they say of the whole log.</summary>
    const long Reviewed = 64 * 1024;

    // Milliseconds of running time.
    const long Moment = 200;
    const long SearchTime = 2_000;
    const long DrainTime = 30_000;
    const long DrainLimit = 3_600_000;
    const long Silence = 2_000;
    const long Idle = 60_000;
    const long RetryTime = 1_000;
    /// <summary>What was not found again for so long, of a file that is gone, is no trouble any more.</summary>
    const long TroubleTime = 60_000;

    readonly FollowOptions _options;
    readonly Action<LogNotice> _tell;
    readonly TimeProvider _time;
    readonly PathPattern _pattern;
    readonly LineReader _reader;
    readonly List<LogFile> _files = [];
    readonly Stack<LineParser> _parsers = [];
    /// <summary>What is not well, and when it was found last.</summary>
    readonly Dictionary<string, (string Sentence, long At)> _troubles = new(StringComparer.Ordinal);
    readonly Dictionary<LogFile, long> _retryAt = [];
    readonly Lock _lock = new();
    readonly Dictionary<int, FileMarks> _marks = [];
    readonly Action _meanwhile;
    LogOutlet? _outlet;
    LogCounters? _counters;
    bool _changed;
    /// <summary>Files whose place does not fit into what the spool takes.</summary>
    volatile int _unwritten;
    /// <summary>When the names were looked at.</summary>
    long _now;
    bool _isFirst;
    bool _isResolved;
    bool _isMet;
    int _parts;
    DateTimeOffset? _lastLine;
    volatile InputReport _report;

    /// <param name="options">What to follow, and from where.</param>
    /// <param name="reader">The thread's, for all items.</param>
    /// <param name="tell">Gets the few sentences; called by the thread of the inputs.</param>
    /// <param name="time">Running time, and the time of the last line.</param>
    internal FollowedLog(FollowOptions options, LineReader reader, Action<LogNotice> tell, TimeProvider time)
    {
        (_options, _reader, _tell, _time) = (options, reader, tell, time);
        _pattern = new PathPattern(options.Path);
        _report = new InputReport(options.Path, options.Path, null, null, null);
        _meanwhile = () => _outlet?.Between();
        _isFirst = options.Position is null;
    }

    public string Key => KeyOf(_options.Path);

    /// <summary>The name of an item's state in the spool.</summary>
    public static string KeyOf(string path) => "logs:" + path;

    /// <summary>How it is; for any thread.</summary>
    internal InputReport Report => _report;

    /// <summary>The thread's.</summary>
    internal LogCounters Counters => _counters!;

    internal bool UsesInotify => _options.UseInotify;

    /// <summary>Folders in which something may happen.</summary>
    internal HashSet<string> Folders => _pattern.Folders;

    internal void Open(LogOutlet outlet)
    {
        _outlet = outlet;
        _counters = outlet.Open(_options.Path);
        if (_options.Position is not { } text) return;
        if (PositionText.Read(text) is not { } files)
        {
            _isFirst = true;
            _tell(new LogNotice(true, $"{_options.Path}: where reading stood cannot be read from the spool; it begins as at the first start"));
            return;
        }
        // Written newest first: the last one of a log is the one that what is new follows.
        files.Reverse();
        foreach (FileMarks marks in files)
        {
            FileFacts facts = marks.Facts;
            LogFile file = Make(facts.Path, facts.Log, default, marks);
            file.Status = new FileStatus(facts.Device, facts.Inode, facts.Known, facts.Modified, true, 1);
            file.Restore(marks.Offset, facts.Head, marks.Point, facts.Known);
            file.IsDone = facts.End >= 0;
            (file.WasCut, file.CameBetween, file.WasMoved) = (facts.WasCut, facts.CameBetween, facts.WasMoved);
        }
        // Fewer than are remembered: of what lies further back some may be forgotten already, and would be taken for new.
        foreach (var log in files.Where(f => f.Facts.Modified > 0).GroupBy(f => f.Facts.Log, f => f.Facts.Modified))
            _restoredSince[log.Key] = log.OrderDescending().Take(MaximumRemembered / 2).Last();
    }

    LogFile Make(string path, string log, FileStatus status, FileMarks? restored, bool isCopy = false)
    {
        FileMarks marks = restored ?? new FileMarks();
        if (restored is null) marks.Begin(0, 0, -1, default);
        var feed = new LineFeed(_outlet!, _counters!, _tell, _time)
        {
            File = path,
            HeaderMoved = (from, at) =>
            {
                lock (_lock) marks.HeaderMoved(from, at);
            },
        };
        // A copy is met again with each look, and is one all the same.
        if (isCopy) _files.RemoveAll(f => f.IsCopy && f.Status.Inode == status.Inode && f.Status.Device == status.Device);
        var file = new LogFile(_parts++, feed, marks) { Path = path, Log = log, Status = status, IsCopy = isCopy };
        // Files have their turns in this order.
        int at = IsOfCertificates(log) ? _files.FindIndex(f => !IsOfCertificates(f.Log)) : -1;
        _files.Insert(at < 0 ? _files.Count : at, file);
        if (!isCopy)
        {
            lock (_lock) _marks[file.Part] = marks;
        }
        return file;
    }

    LineParser TakeParser()
    {
        if (_parsers.TryPop(out LineParser? parser)) return parser;
        parser = _options.Parser();
        if (parser is AutoParser auto) auto.TakesRecords = false;
        return parser;
    }

    void GiveBack(LogFile file)
    {
        if (file.Parser is { } parser)
        {
            parser.Restart();
            parser.ForgetTime();
            _parsers.Push(parser);
        }
        file.Parser = null;
    }

    /// <summary>What is written down of a file, after anything of it has changed.</summary>
    void Publish(LogFile file, bool passed = false)
    {
        if (file.IsCopy) return;
        lock (_lock)
        {
            file.Marks.Facts = new FileFacts(file.Path, file.Log, file.Status.Device, file.Status.Inode, file.Head, file.Known, file.Status.Modified, file.WasCut, file.CameBetween, file.WasMoved, file.IsDone ? file.Offset : -1);
            if (passed) file.Marks.Passed(file.Point);
            _changed = true;
        }
    }

    public void Accept(in InputMark mark)
    {
        lock (_lock)
        {
            if (!_marks.TryGetValue(mark.Part, out FileMarks? file)) return;
            file.Accept(mark.Offset, mark.Held);
            _changed = true;
        }
    }

    public string? Position()
    {
        lock (_lock)
        {
            if (!_changed) return null;
            _changed = false;
            string text = PositionText.Write([.. _marks.OrderBy(m => m.Value.IsDone).ThenByDescending(m => m.Key).Select(m => m.Value)], out int left);
            _unwritten = left;
            return text;
        }
    }

    // Whether the spool's side has all of it: only then may it be forgotten.
    bool IsAccepted(LogFile file)
    {
        lock (_lock) return file.IsCopy || file.Marks.Offset >= file.Offset;
    }

    void Forget(LogFile file)
    {
        GiveBack(file);
        file.Dispose();
        _files.Remove(file);
        _retryAt.Remove(file);
        // What is forgotten would be taken for a new one: nothing as old is looked for from now on.
        if (!file.IsCopy) LookNoFurtherBackThan(file.Log, file.Status.Modified + 1);
        foreach (LogFile other in _files)
        {
            if (other.Behind == file) other.Behind = null;
            if (other.Successor == file) other.Successor = null;
        }
        lock (_lock)
        {
            _marks.Remove(file.Part);
            _changed = true;
        }
    }

    void Trouble(string about, string sentence)
    {
        bool isTold = _troubles.TryGetValue(about, out (string Sentence, long) told) && told.Sentence == sentence;
        _troubles[about] = (sentence, _now);
        if (!isTold) _tell(new LogNotice(true, sentence));
    }

    void Well(string about, string sentence)
    {
        if (_troubles.Remove(about)) _tell(new LogNotice(false, sentence));
    }

    internal void Summarize()
    {
        LogFile? current = null;
        long behind = 0;
        foreach (LogFile file in _files)
        {
            if (file.Source is null) continue;
            behind += Math.Max(0, file.Known - file.Offset);
            if (current is null || file.GrewAt >= current.GrewAt) current = file;
        }
        _report = new InputReport(_options.Path, current?.Path ?? _options.Path, _troubles.Values.FirstOrDefault().Sentence, behind, _lastLine);
    }

    public void Dispose()
    {
        foreach (LogFile file in _files) file.Dispose();
        foreach ((_, LogSource source) in _empty) source.Dispose();
        _empty.Clear();
    }
}
