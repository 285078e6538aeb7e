using Nfr.Native;

namespace Nfr.Logs;

/// <summary>
/// All items of inputs.monitor, read by one thread, "logs": a turn for each file that has grown. The kernel wakes it when something happens in a folder;
/// names are looked at once a second all the same, since a link may be turned elsewhere, and a network file system tells nobody.
/// </summary>
public sealed class FileInputs : ILogInput
{
    // Milliseconds.
    const long ScanTime = 1_000;
    /// <summary>Where names come and go all the time.</summary>
    const long LeastScanTime = 20;
    /// <summary>Waits of no longer, so that who asks for counts is answered, and a stop is heard.</summary>
    const int Nap = 50;
    /// <summary>After something was written, so that a hundred lines are one turn and not a hundred.</summary>
    const int Gather = 5;
    /// <summary>Between two looks at all files' lengths, when nobody says that one grew.</summary>
    const int LookTime = 1_000;

    readonly TimeProvider _time;
    readonly long _begin;
    readonly LineReader _reader = new();
    readonly List<FollowedLog> _logs = [];
    readonly FollowedLog[] _turns;
    LogOutlet? _outlet;
    Inotify? _inotify;
    InotifyNews _news = InotifyNews.Names | InotifyNews.Growth;
    long _scanned = -ScanTime;
    long _looked = -LookTime;

    /// <param name="items">What is followed; their numbers are those of <see cref="Logs"/> in the sensor.</param>
    /// <param name="tell">Gets what there is to say, on this input's thread.</param>
    /// <param name="time">Running time.</param>
    public FileInputs(IReadOnlyList<FollowOptions> items, Action<LogNotice> tell, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(items);
        _time = time ?? TimeProvider.System;
        _begin = _time.GetTimestamp();
        foreach (FollowOptions item in items) _logs.Add(new FollowedLog(item, _reader, tell, _time));
        // Items that are Zeek's certificates first, in whatever order they are named.
        _turns = [.. items.Zip(_logs).OrderBy(i => FollowedLog.IsOfCertificates(i.First.Path) ? 0 : 1).Select(i => i.Second)];
        if (items.Any(i => i.UseInotify)) _inotify = Inotify.Open();
    }

    public string Name => "logs";

    /// <summary>In the order of the items; whose marks go to which by <see cref="FollowOptions.Number"/>.</summary>
    public IReadOnlyList<FollowedLog> Logs => _logs;

    public IReadOnlyList<InputReport> Reports => [.. _logs.Select(l => l.Report)];

    public void Open(LogOutlet outlet)
    {
        _outlet = outlet;
        foreach (FollowedLog log in _logs) log.Open(outlet);
    }

    public void Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !_outlet!.GaveUp)
        {
            if (Step(stop)) continue;
            Wait(stop);
        }
    }

    /// <summary>Looks, and reads a turn. True when there may be more at once.</summary>
    internal bool Step(CancellationToken stop = default)
    {
        long now = (long)_time.GetElapsedTime(_begin).TotalMilliseconds;
        if (now - _scanned >= ((_news & InotifyNews.Names) != 0 ? LeastScanTime : ScanTime))
        {
            _news &= ~InotifyNews.Names;
            foreach (FollowedLog log in _logs)
            {
                if (stop.IsCancellationRequested) return false;
                log.Scan(now);
                log.Tend(now);
                log.Summarize();
                _outlet!.Between();
            }
            _scanned = now;
            Watch();
            _news |= InotifyNews.Growth;
        }
        bool busy = false;
        if (_news != InotifyNews.None || now - _looked >= (_logs.Exists(l => l.HasWaiting) ? Nap : LookTime))
        {
            _looked = now;
            bool tells = false;
            foreach (FollowedLog log in _turns)
            {
                if (stop.IsCancellationRequested) return false;
                busy |= log.Turn(now, tells);
                tells |= log.TellsOfCertificates;
                _outlet!.Between();
            }
            _news &= InotifyNews.Names;
            if (busy) _news |= InotifyNews.Growth;
        }
        if (busy) Hear(0);
        return busy;
    }

    void Wait(CancellationToken stop)
    {
        _outlet!.Between();
        if (_inotify is null) stop.WaitHandle.WaitOne(Nap);
        else if (Hear(Nap) != InotifyNews.None && !stop.IsCancellationRequested) stop.WaitHandle.WaitOne(Gather);
    }

    InotifyNews Hear(int milliseconds)
    {
        InotifyNews news = _inotify?.Wait(milliseconds) ?? InotifyNews.None;
        _news |= news;
        return news;
    }

    void Watch()
    {
        if (_inotify is null) return;
        HashSet<string> folders = new(StringComparer.Ordinal);
        foreach (FollowedLog log in _logs)
        {
            if (log.UsesInotify) folders.UnionWith(log.Folders);
        }
        _inotify.Watch(folders);
    }

    public void Dispose()
    {
        _inotify?.Dispose();
        _inotify = null;
        foreach (FollowedLog log in _logs) log.Dispose();
    }
}
