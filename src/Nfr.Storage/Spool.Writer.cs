using Nfr.Events;

namespace Nfr.Storage;

// The pipeline's side: accept, flush.
public sealed partial class Spool
{
    readonly PendingLane[] _lanes = new PendingLane[Lane.Count];
    readonly long[] _lost = new long[SpoolLedger.Lines];
    readonly Queue<byte[]> _pendingAlerts = new();
    readonly List<Row> _rows = [];
    readonly Deflater _deflater = new();
    long _ordinal;
    int _pendingEvents;
    int _pendingBytes;
    long _oldestPending;

    readonly record struct Row(int Lane, int Events, byte[] Member);

    /// <summary>Positions change with every line; those that no event came with can wait.</summary>
    static readonly TimeSpan s_positionPatience = TimeSpan.FromSeconds(10);

    /// <summary>Names of positions at a time: each may have 64 KiB in memory.</summary>
    public const int MostPositions = 64;

    readonly Dictionary<string, string> _positions = [];
    readonly HashSet<string> _movedPositions = [];
    /// <summary>As they lie on the disk: a new spool gets them from here.</summary>
    readonly Dictionary<string, string> _committedPositions = [];
    long _positionSince;

    /// <summary>Accepts one event: its API JSON object, without line end. Pipeline thread only.</summary>
    /// <param name="type">Where it will be uploaded to.</param>
    /// <param name="score">Above 0 puts it in the scored class, which outlives the other when the ring is full.</param>
    /// <param name="uploadLine">The JSON object; copied.</param>
    public void Append(EventType type, int score, ReadOnlySpan<byte> uploadLine)
    {
        int lane = Lane.Of(type, score > 0);
        if (uploadLine.Length >= _limits.TransactionBytes)
        {
            // Longer than a transaction may be: no event of ours is.
            lock (_tallyLock)
            {
                _accepted[lane]++;
                _lost[lane]++;
            }
            return;
        }
        if (_pendingEvents == 0 && _pendingAlerts.Count == 0) _oldestPending = _time.GetTimestamp();
        // In one moment for whoever counts.
        lock (_tallyLock)
        {
            _accepted[lane]++;
            _lanes[lane].Append(_ordinal++, uploadLine);
        }
        _pendingEvents++;
        _pendingBytes += uploadLine.Length + 1;
        while (_pendingEvents > _options.MaxPendingEvents || _pendingBytes > _options.MaxPendingBytes) DropLeastValuable();
    }

    /// <summary>Accepts an alert; it gets its sequence when it is spooled. Pipeline thread only.</summary>
    public void AppendAlert(Alert alert)
    {
        ArgumentNullException.ThrowIfNull(alert);
        if (_pendingEvents == 0 && _pendingAlerts.Count == 0) _oldestPending = _time.GetTimestamp();
        byte[] blob = AlertJson.ToBytes(alert);
        lock (_tallyLock)
        {
            _accepted[SpoolLedger.Alerts]++;
            _pendingAlerts.Enqueue(blob);
        }
        if (_pendingAlerts.Count <= _options.MaxPendingAlerts) return;
        lock (_tallyLock)
        {
            _pendingAlerts.Dequeue();
            _lost[SpoolLedger.Alerts]++;
        }
    }

    /// <summary>
    /// How far an input is read, by all that was accepted so far: committed in one transaction with the last of it, under <see cref="GetState"/>'s
    /// name. Pipeline thread only.
    /// </summary>
    /// <param name="name">Of the input; at most <see cref="MostPositions"/> of them.</param>
    /// <param name="position">Its own words; at most 64 KiB.</param>
    public void SetPosition(string name, string position)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(position);
        if (_positions.TryGetValue(name, out string? before) && before == position) return;
        if (before is null && _positions.Count >= MostPositions) throw new InvalidOperationException($"{MostPositions} positions are kept already; {name} finds no place.");
        if (_movedPositions.Count == 0) _positionSince = _time.GetTimestamp();
        _positions[name] = position;
        _movedPositions.Add(name);
    }

    /// <summary>How far an input was read when the sensor ran last; null = nothing is known of it. Before the pipeline thread starts.</summary>
    public string? GetPosition(string name)
    {
        string? position = GetState(name);
        if (position is not null) _committedPositions[name] = position;
        return position;
    }

    /// <summary>
    /// False while the disk refuses and half of what may be pending is: who can wait with more, such as a reader of files, does, and loses nothing.
    /// Pipeline thread only.
    /// </summary>
    public bool HasRoom => _pendingEvents < _options.MaxPendingEvents / 2 && _pendingBytes < _options.MaxPendingBytes / 2 && _pendingAlerts.Count < _options.MaxPendingAlerts / 2;

    bool PositionDue => _movedPositions.Count > 0 && _time.GetElapsedTime(_positionSince) >= s_positionPatience;

    /// <summary>
    /// It is time to call <see cref="Flush"/>: enough is pending, or it has been for long enough, or something may be too old; after a fault only the time counts.
    /// </summary>
    public bool FlushDue => (!_failing && (AgingDue || _pendingEvents >= _options.FlushEvents))
        || ((AgingDue || PositionDue || _pendingEvents > 0 || _pendingAlerts.Count > 0) && _time.GetElapsedTime(_oldestPending) >= _options.FlushInterval);

    /// <summary>
    /// Spools all that is pending: null = the commit returned. On a fault it stays pending within its limits and the next flush tries again.
    /// Pipeline thread only.
    /// </summary>
    public SpoolFault? Flush()
    {
        SpoolFault? fault = null;
        bool alerts = false;
        while (fault is null && (_pendingEvents > 0 || _pendingAlerts.Count > 0 || _movedPositions.Count > 0))
        {
            int alertCount = BuildRows();
            bool postponed = false;
            lock (_writeLock)
            {
                if (_disposed) return new SpoolFault(SpoolFaultKind.Other, "The spool is closed.");
                fault = Write(file => Spend(file, alertCount), Need(), () => PostponeUnscored(ref postponed), () => Spent(alertCount));
                if (fault is not null) break;
                alerts |= alertCount > 0;
                if (postponed) fault = Note(new SpoolFault(SpoolFaultKind.DiskFull, "The disk is full of what is worth more than unscored events; they wait."));
            }
        }
        if (fault is null && AgingDue) fault = Age();
        // A refused flush waits its interval instead of being due again at every event.
        _oldestPending = _time.GetTimestamp();
        _failing = fault is not null;
        if (alerts) RaiseAlertsStored();
        return fault;
    }

    // What one transaction takes: of each lane the oldest, then alerts, within the limits.
    int BuildRows()
    {
        _rows.Clear();
        int room = _limits.TransactionBytes;
        for (int lane = 0; lane < _lanes.Length && room > 0; lane++)
        {
            // Rows of one commit cost one wait for the disk.
            for (int taken = 0, events = 0; taken < _lanes[lane].Count && room > 0; taken += events)
            {
                ReadOnlySpan<byte> lines = _lanes[lane].Oldest(taken, SpoolLimits.RowEvents, room, out events);
                room -= lines.Length;
                _deflater.Write(lines);
                _rows.Add(new Row(lane, events, _deflater.Finish().ToArray()));
            }
        }
        int alerts = 0;
        foreach (byte[] blob in _pendingAlerts)
        {
            if (room <= 0 && (alerts > 0 || _rows.Count > 0)) break;
            room -= blob.Length;
            alerts++;
        }
        return alerts;
    }

    // Runs again from the start when the transaction is tried again.
    void Spend(SpoolFile file, int alertCount)
    {
        (long stamp, long born) = (Stamp(), Running);
        foreach (Row row in _rows) file.Insert(row.Lane, file.Ledger.NextOfType(row.Lane), row.Events, stamp, born, row.Member);
        int left = alertCount;
        foreach (byte[] blob in _pendingAlerts)
        {
            if (left-- == 0) break;
            file.InsertAlert(stamp, born, blob);
        }
        for (int i = 0; i < _lost.Length; i++) file.Ledger[i].Lost += _lost[i];
        if (TakesAll(alertCount))
        {
            foreach (string name in _movedPositions) file.SetState(name, _positions[name]);
        }
        file.Evict();
        NoteRunning(file);
    }

    // A position says that all before it is spooled: it goes with the last of it.
    bool TakesAll(int alertCount)
    {
        int events = 0;
        foreach (Row row in _rows) events += row.Events;
        return events == _pendingEvents && alertCount == _pendingAlerts.Count;
    }

    // Committed: what was pending is spooled, in the same moment for whoever counts.
    void Spent(int alertCount)
    {
        if (TakesAll(alertCount))
        {
            foreach (string name in _movedPositions) _committedPositions[name] = _positions[name];
            _movedPositions.Clear();
        }
        foreach (Row row in _rows)
        {
            Forget(row.Lane, row.Events);
            _intake += row.Member.Length;
        }
        for (int i = 0; i < alertCount; i++) _pendingAlerts.Dequeue();
        Array.Clear(_lost);
    }

    // A row's own bytes, what its last page leaves empty, and its places in table and index.
    long Need()
    {
        long need = 0;
        foreach (Row row in _rows) need += row.Member.Length + (2 * SpoolFile.PageBytes);
        foreach (byte[] blob in _pendingAlerts) need += blob.Length * 2;
        return need;
    }

    bool PostponeUnscored(ref bool postponed)
    {
        bool any = _rows.RemoveAll(row => Lane.Class(row.Lane) == 0) > 0;
        postponed |= any;
        return any;
    }

    void DropLeastValuable()
    {
        int victim = -1;
        for (int scored = 0; scored < 2 && victim < 0; scored++)
        {
            for (int lane = scored; lane < _lanes.Length; lane += 2)
            {
                if (_lanes[lane].Count > 0 && (victim < 0 || _lanes[lane].OldestOrdinal < _lanes[victim].OldestOrdinal)) victim = lane;
            }
        }
        lock (_tallyLock)
        {
            Forget(victim, 1);
            _lost[victim]++;
        }
    }

    void Forget(int lane, int events)
    {
        _pendingBytes -= _lanes[lane].Remove(events);
        _pendingEvents -= events;
    }
}
