namespace Nfr.Storage;

// The numbers, for any thread.
public sealed partial class Spool
{
    readonly Lock _tallyLock = new();
    readonly long[] _accepted = new long[SpoolLedger.Lines];
    readonly long[] _acceptedBefore = new long[SpoolLedger.Lines];
    bool _acceptedKnown;
    long _engineAlerts;
    readonly SpoolLedger.Line[] _published = new SpoolLedger.Line[SpoolLedger.Lines];
    SpoolFault? _lastFault;
    long _faults;
    volatile bool _failing;
    long _bytesWritten;
    long _commits;
    long _carriedBytes;
    long _carriedCommits;
    SpoolFile? _countedFile;
    readonly WriteRate _rate;
    // Bytes of events' rows that came in this run.
    long _intake;

    /// <summary>The greatest sequence number of a stored alert; 0 before the first.</summary>
    public long LastAlertSequence
    {
        get
        {
            lock (_tallyLock) return Math.Max(0, _published[SpoolLedger.Alerts].Next - 1);
        }
    }

    /// <summary>All numbers at one moment.</summary>
    public SpoolCounters Counters
    {
        get
        {
            var lanes = new SpoolTally[Lane.Count];
            SpoolTally alerts;
            SpoolOutlook? outlook;
            (long bytesWritten, long commits, SpoolFault? fault, long faults, long engineAlerts) numbers;
            lock (_tallyLock)
            {
                for (int i = 0; i < lanes.Length; i++) lanes[i] = Tally(i, _lanes[i].Count);
                alerts = Tally(SpoolLedger.Alerts, _pendingAlerts.Count);
                outlook = _rate.Outlook(_limits.RingBytes, _options.CardBytes);
                numbers = (_bytesWritten, _commits, _lastFault, _faults, _engineAlerts);
            }
            return new SpoolCounters(lanes, alerts)
            {
                EngineAlerts = numbers.engineAlerts,
                BytesOnDisk = _directory.BytesOnDisk,
                BytesWritten = numbers.bytesWritten,
                Commits = numbers.commits,
                LastFault = numbers.fault,
                Faults = numbers.faults,
                Failing = _failing,
                DiskFull = Volatile.Read(ref _diskFull),
                QuarantinedFiles = _directory.QuarantinedItems,
                Outlook = outlook,
            };
        }
    }

    /// <summary>
    /// The numbers with <see cref="SpoolTally.InSpool"/> counted from the rows themselves, which proves the others; null when they cannot be read.
    /// Reads the index of the whole ring while nothing can be written: for the start and the end.
    /// </summary>
    public SpoolCounters? CountRows()
    {
        lock (_writeLock)
        {
            if (_disposed || _file is null) return null;
            if (_file.CountRowsNow() is not { } rows) return null;
            SpoolCounters now = Counters;
            var lanes = new SpoolTally[Lane.Count];
            for (int i = 0; i < lanes.Length; i++) lanes[i] = now.OfLane(i) with { InSpool = rows[i] };
            return now.With(lanes, now.Alerts with { InSpool = rows[SpoolLedger.Alerts] });
        }
    }

    SpoolTally Tally(int line, int pending)
    {
        SpoolLedger.Line l = _published[line];
        long lost = l.Lost + _lost[line];
        return new SpoolTally(_acceptedBefore[line] + _accepted[line], l.Spooled, l.InSpool, l.Delivered, l.Evicted, l.Quarantined, lost, pending, l.Aged, l.Bytes);
    }

    // After every commit, under the write lock and the tally lock.
    void Publish()
    {
        if (_file is null) return;
        if (!ReferenceEquals(_countedFile, _file))
        {
            (_carriedBytes, _carriedCommits) = (_bytesWritten, _commits);
            _countedFile = _file;
        }
        _file.Ledger.Committed.CopyTo(_published);
        if (_publishedProgress.Length != _file.Progress.Committed.Length) _publishedProgress = new SpoolProgress.Line[_file.Progress.Committed.Length];
        _file.Progress.Committed.CopyTo(_publishedProgress);
        if (!_acceptedKnown)
        {
            // What earlier runs accepted is what they spooled or said they had lost.
            _acceptedKnown = true;
            for (int i = 0; i < _published.Length; i++) _acceptedBefore[i] = _published[i].Spooled + _published[i].Lost;
        }
        (_bytesWritten, _commits) = (_carriedBytes + _file.BytesWritten, _carriedCommits + _file.Commits);
        _rate.Note(_bytesWritten, _intake, _file.Used, _file.Ledger.Bytes);
    }

    SpoolFault Note(SpoolFault fault)
    {
        lock (_tallyLock)
        {
            _lastFault = fault;
            _faults++;
        }
        return fault;
    }
}
