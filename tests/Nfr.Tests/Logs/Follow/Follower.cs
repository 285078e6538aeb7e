using Nfr.Events;
using Nfr.Logs;

namespace Nfr.Tests.Logs.Follow;

/// <summary>
/// One followed item with a spool beside it: what was taken from the ring is spooled by <see cref="Commit"/>, together with the position; <see cref="Kill"/>
/// throws all objects away and everything that was not committed. Steps are taken by the test, time is the test's too.
/// </summary>
sealed class Follower : IDisposable
{
    readonly string _path;
    readonly FollowFrom _from;
    readonly Func<LineParser> _parser;
    readonly List<string> _pending = [];
    string? _position;
    FileInputs? _inputs;
    EventRing? _ring;
    LogOutlet? _outlet;

    public Follower(string path, FollowFrom from = FollowFrom.Start, bool needsHeader = false, Func<LineParser>? parser = null)
    {
        (_path, _from) = (path, from);
        _parser = parser ?? (() => new TextParser(new LineOptions(), needsHeader));
    }

    public ManualTime Time { get; } = new();
    public List<LogNotice> Notices { get; } = [];
    /// <summary>What is spooled.</summary>
    public List<string> Spooled { get; } = [];
    public LogCounters Counters { get; private set; } = new("");
    /// <summary>Of those that were killed too.</summary>
    public long LostBytes { get; private set; }
    public long Lost { get; private set; }
    public string? Position => _position;
    public InputReport Report => _inputs!.Reports[0];

    public void Start()
    {
        _ring = new EventRing(grouped: true);
        _outlet = new LogOutlet(_ring, TimeSpan.Zero, CancellationToken.None);
        _inputs = new FileInputs([new FollowOptions { Number = 0, Path = _path, From = _from, UseInotify = false, Parser = _parser, Position = _position }], Notices.Add, Time);
        _inputs.Open(_outlet);
        // The counters themselves, not a copy: a step is over before a test looks.
        Counters = _inputs.Logs[0].Counters;
    }

    /// <summary>One look and one turn; time goes on by a little.</summary>
    public bool Step(int milliseconds = 25)
    {
        if (_inputs is null) Start();
        Time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        bool busy = _inputs!.Step();
        var sink = new NamesSink(_pending, m => _inputs.Logs[0].Accept(m));
        while (_ring!.Read(ref sink, 256) > 0)
        {
        }
        return busy;
    }

    /// <summary>Reads all that there is, and commits it.</summary>
    public void Settle(int seconds = 4)
    {
        for (int i = 0; i < seconds * 4; i++)
        {
            while (Step(250))
            {
            }
        }
        Commit();
    }

    public void Commit()
    {
        Spooled.AddRange(_pending);
        _pending.Clear();
        _position = _inputs!.Logs[0].Position() ?? _position;
    }

    public void Kill()
    {
        if (_inputs is null) return;
        LostBytes += Counters.LostBytes;
        Lost += Counters.Lost;
        _inputs.Dispose();
        _inputs = null;
        _pending.Clear();
        Counters = new LogCounters("");
    }

    public void Dispose() => Kill();
}
