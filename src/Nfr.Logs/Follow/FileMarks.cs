namespace Nfr.Logs;

/// <summary>
/// How far one file is with the spool, told by marks, and what a restart needs for that place: written by the reader ahead of the marks, taken by
/// the pipeline thread behind them. Under the item's lock.
/// </summary>
sealed class FileMarks
{
    /// <summary>More than this are thinned out: what is left says less exactly where a file was still the same.</summary>
    const int MaximumWaypoints = 64;
    const int MaximumHeaders = 256;

    readonly List<Waypoint> _waypoints = [];
    readonly List<(long From, long At)> _headers = [];

    public long Offset { get; private set; }
    public long Held { get; private set; }

    /// <summary>What else is written down of the file; changes with it.</summary>
    public FileFacts Facts { get; set; } = new("", "", 0, 0, default, 0, 0, false, false, false, -1);

    /// <summary>Read to its end, written no more, and all of it is with the spool.</summary>
    public bool IsDone => Facts.End >= 0 && Offset >= Facts.End;

    public void Begin(long offset, long held, long header, Waypoint point)
    {
        (Offset, Held) = (offset, held);
        _waypoints.Clear();
        _waypoints.Add(point);
        _headers.Clear();
        _headers.Add((offset, header));
    }

    public void Accept(long offset, long held) => (Offset, Held) = (offset, held);

    /// <summary>The latest place up to the mark at which the bytes before it are known.</summary>
    public Waypoint Point
    {
        get
        {
            while (_waypoints.Count > 1 && _waypoints[1].Offset <= Offset) _waypoints.RemoveAt(0);
            return _waypoints[0];
        }
    }

    /// <summary>Where the header begins that holds behind the mark; -1 = none.</summary>
    public long Header
    {
        get
        {
            while (_headers.Count > 1 && _headers[1].From <= Offset) _headers.RemoveAt(0);
            return _headers[0].At;
        }
    }

    public void Passed(Waypoint point)
    {
        _waypoints.Add(point);
        if (_waypoints.Count < MaximumWaypoints) return;
        for (int i = _waypoints.Count - 2; i > 0; i -= 2) _waypoints.RemoveAt(i);
    }

    /// <summary>From this place on another header holds; said before the mark of that place.</summary>
    public void HeaderMoved(long from, long at)
    {
        _headers.Add((from, at));
        if (_headers.Count > MaximumHeaders) _headers.RemoveAt(1);
    }
}

/// <summary>What is written down of a file besides how far it is read.</summary>
/// <param name="Path">Where it lies.</param>
/// <param name="Log">Under which name it was met: what is there when it has been moved away is its successor.</param>
/// <param name="Device">Of <see cref="Native.FileStatus"/>.</param>
/// <param name="Inode">Of <see cref="Native.FileStatus"/>.</param>
/// <param name="Head">Of its first bytes.</param>
/// <param name="Known">Bytes that it had.</param>
/// <param name="Modified">Its last write, as known.</param>
/// <param name="WasCut">It was cut where it stood.</param>
/// <param name="CameBetween">It was never met under its log's name.</param>
/// <param name="WasMoved">It lost its name while it was open.</param>
/// <param name="End">Where it ends, when it was read to its end and is written no more; else -1.</param>
sealed record FileFacts(string Path, string Log, ulong Device, ulong Inode, Fingerprint Head, long Known, long Modified, bool WasCut, bool CameBetween, bool WasMoved, long End);
