namespace Nfr.Storage;

// The numbers, for any thread.
public sealed partial class Spool
{
    readonly Lock _tallyLock = new();
    readonly SpoolLedger.Line[] _published = new SpoolLedger.Line[SpoolLedger.Lines];
    SpoolFault? _lastFault;
    long _faults;
    volatile bool _failing;
    long _bytesWritten;
    long _commits;
    long _carriedBytes;
    long _carriedCommits;
    SpoolFile? _countedFile;

    /// <summary>The greatest sequence number of a stored alert; 0 before the first.</summary>
    public long LastAlertSequence
    {
        get
        {
            lock (_tallyLock) return _published[SpoolLedger.Alerts].Next - 1;
        }
    }

    /// <summary>All numbers at one moment.</summary>
    public SpoolCounters Counters
    {
        get
        {
            var lanes = new SpoolTally[Lane.Count];
            SpoolTally alerts;
            (long bytesWritten, long commits, SpoolFault? fault, long faults) numbers;
            lock (_tallyLock)
            {
                for (int i = 0; i < lanes.Length; i++) lanes[i] = Tally(i, _lanes[i].Count);
                alerts = Tally(SpoolLedger.Alerts, _pendingAlerts.Count);
                numbers = (_bytesWritten, _commits, _lastFault, _faults);
            }
            return new SpoolCounters(lanes, alerts)
            {
                BytesOnDisk = _directory.BytesOnDisk,
                BytesWritten = numbers.bytesWritten,
                Commits = numbers.commits,
                LastFault = numbers.fault,
                Faults = numbers.faults,
                Failing = _failing,
                DiskFull = Volatile.Read(ref _diskFull),
                QuarantinedFiles = _directory.QuarantinedItems,
            };
        }
    }

    SpoolTally Tally(int line, int pending)
    {
        SpoolLedger.Line l = _published[line];
        long lost = l.Lost + _lost[line];
        return new SpoolTally(l.Spooled + lost + pending, l.Spooled, l.InSpool, l.Delivered, l.Evicted, l.Quarantined, lost);
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
        (_bytesWritten, _commits) = (_carriedBytes + _file.BytesWritten, _carriedCommits + _file.Commits);
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
