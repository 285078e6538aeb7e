using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// The spool ring: what the sensor has seen waits here until an engine has it, across outages, kills and power cuts.
/// <para><b>Order and numbers.</b> Every event gets a sequence number of its type when it is spooled; (sensor, type, sequence) never repeats. Order,
/// eviction and progress go by these numbers alone; stamps are informational.</para>
/// <para><b>Rows.</b> A flush writes one row per type and class: a gzip member of JSON lines with a contiguous range of numbers. So an upload is a
/// concatenation of rows, eviction drops rows, and delivery up to a number deletes rows and rewrites at most one.</para>
/// <para><b>Consumers.</b> Who takes events has a name and progress of its own by type; a row leaves when the last has settled it. The ring's ledger
/// counts an event as that last one left it; each consumer's own account closes by itself (<see cref="ConsumerTally"/>).</para>
/// <para><b>Threads.</b> <see cref="Append"/>, <see cref="AppendAlert"/>, <see cref="FlushDue"/> and <see cref="Flush"/> belong to the pipeline thread;
/// all else may be called from any. Two locks: one for the writing connection, one for the reading one. Only recovery takes both, the write
/// lock first; whoever holds the read lock never asks for the other.</para>
/// <para><b>Faults.</b> A full disk evicts and goes on. A file found rotten at any moment is moved to quarantine and a new one takes its place.
/// Whatever else the disk refuses is returned as a <see cref="SpoolFault"/>, and what was pending stays pending.</para>
/// </summary>
public sealed partial class Spool : IDisposable
{
    readonly SpoolOptions _options;
    readonly SpoolLimits _limits;
    readonly TimeProvider _time;
    readonly SpoolDirectory _directory;
    readonly Lock _writeLock = new();
    readonly Lock _readLock = new();
    SpoolFile? _file;
    SpoolReader? _reader;
    bool _disposed;

    // Under the write lock.
    bool _diskFull;
    long _reserveTried;

    Spool(SpoolOptions options, TimeProvider time, SpoolDirectory directory)
    {
        _options = options;
        _limits = new SpoolLimits(options, options.Files.DiskBytes(options.Directory));
        _time = time;
        _rate = new WriteRate(time);
        _directory = directory;
        for (int i = 0; i < _lanes.Length; i++) _lanes[i] = new PendingLane();
    }

    /// <summary>What was found at opening.</summary>
    public SpoolOpenReport OpenReport { get; private set; } = new();

    /// <summary>The sensor's random id, made at the first open and kept.</summary>
    public string SensorId => _directory.SensorId;

    /// <summary>
    /// Opens the spool, whatever lies in its directory: what cannot be read goes to <c>quarantine/</c>.
    /// </summary>
    /// <exception cref="SpoolException">The directory itself cannot be made or written, or another process has it open.</exception>
    public static Spool Open(SpoolOptions options, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        if (options.Consumers.Count > SpoolOptions.MaxConsumers || options.Consumers.Any(string.IsNullOrEmpty) || options.Consumers.Distinct().Count() < options.Consumers.Count)
        {
            throw new ArgumentException($"At most {SpoolOptions.MaxConsumers} consumers, each with a name of its own.", nameof(options));
        }
        SpoolDirectory directory = SpoolDirectory.Open(options.Directory, options.Files, time);
        var spool = new Spool(options, time, directory);
        try
        {
            spool.Start();
            return spool;
        }
        catch
        {
            spool._reader?.Dispose();
            spool._file?.Dispose();
            directory.Dispose();
            throw;
        }
    }

    void Start()
    {
        _directory.ReadSensor();
        _directory.ClearIndexFile();
        SpoolFault? fault = StartFile(out SqliteError error);
        // A cable, a card or a controller that comes to itself: the ring behind it is as good as it was.
        for (int i = 0; i < SpoolDirectory.MaxWaits && fault is { Kind: SpoolFaultKind.Io, Code: not ShortRead } && !_directory.IsDatabaseTaken; i++)
        {
            CloseFile();
            _directory.Wait(i);
            fault = StartFile(out error);
        }
        if (fault is not null && !IsFull(error) && error.Primary != SqliteError.Busy)
        {
            // Not even what opened can be written: whatever stands in the way, a new file is the way out.
            CloseFile();
            QuarantineFile($"spool.db could not be used ({fault.Message})");
            error = OpenFile();
            fault = error.IsError ? Explain(error) : Number();
        }
        if (fault is not null)
        {
            throw new SpoolException(IsFull(error)
                ? $"The disk that holds {_options.Directory} is full: free some space for the spool."
                : $"The spool in {_options.Directory} cannot be written: {fault.Message}");
        }
        if (!_diskFull) _diskFull = !_directory.TakeReserve(_limits.ReserveBytes);
        if (_diskFull) _file!.LimitGrowth(0);
        StartRunning();
        OpenReport = new SpoolOpenReport
        {
            Created = _file!.Created,
            AfterUncleanStop = !_file.Created && !_directory.WasClean,
            Quarantined = [.. _directory.Quarantined],
            Corrected = _file.Corrected,
            CheckedWhole = _file.CheckedWhole,
        };
    }

    SpoolFault? StartFile(out SqliteError error)
    {
        error = OpenFile();
        if (IsFull(error))
        {
            // The reserve of the last run is what a start on a full disk lives on.
            _directory.ReleaseReserve();
            _diskFull = true;
            error = OpenFile();
        }
        return error.IsError ? Explain(error) : Number();
    }

    // Both connections or none.
    SqliteError OpenFile()
    {
        SqliteError error = SpoolFile.Open(_directory.DatabasePath, _options, _limits, out _file);
        if (error.IsError) return error;
        error = SpoolReader.Open(_directory.DatabasePath, _options.Vfs, out _reader);
        if (!error.IsError) return error;
        _file!.Dispose();
        _file = null;
        return error;
    }

    void CloseFile()
    {
        _reader?.Dispose();
        _file?.Dispose();
        _reader = null;
        _file = null;
    }

    // Which id, and from which number on. The database is the truth; sensor.json is what outlives it.
    SpoolFault? Number()
    {
        NameConsumers(_file!);
        _reader!.GetState(SensorState, out string? known);
        string id = known is { Length: > 0 } ? known : _directory.SensorId.Length > 0 ? _directory.SensorId : NewId();
        long skipTo = 0;
        if (_directory.HadSensorFile && (_file!.Created || !_directory.WasClean || _file.Corrected > 0)) skipTo = _directory.Reserved + 1;
        else if (!_directory.HadSensorFile && !_file!.Created) skipTo = _file.Ledger.Greatest + (2 * SpoolDirectory.ReserveStep);
        long reserved = Math.Max(_directory.Reserved, Math.Max(_file!.Ledger.Greatest, skipTo)) + SpoolDirectory.ReserveStep;
        // The side file is for the day when the database is lost; a start does not fail for it.
        if (_directory.WriteSensor(id, reserved, clean: false) is { } side) Note(side);
        SpoolFault? fault = Write(file =>
        {
            file.Ledger.SkipTo(skipTo);
            SetConsumers(file);
            file.SetState(SensorState, id);
        });
        if (fault is { Kind: SpoolFaultKind.DiskFull })
        {
            // Not room for one row: the numbering stands in memory, and the first flush that finds room carries it.
            _file.Ledger.SkipTo(skipTo);
            _file.Ledger.Accept();
            _file.Progress.Set(_names, _file.Ledger, Takes, _file.OthersOf);
            _file.Progress.Accept();
            lock (_tallyLock) Publish();
        }
        else if (fault is null)
        {
            TrimSettled();
        }
        return fault is { Kind: SpoolFaultKind.DiskFull } ? null : fault;
    }

    const string SensorState = "sensor";

    static string NewId() => Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));

    void QuarantineFile(string reason)
    {
        string path = _directory.DatabasePath;
        _directory.Quarantine(reason, path, path + "-wal", path + "-shm", path + "-journal");
    }

    // --- every write goes through here, under the write lock

    /// <summary>
    /// One transaction, with what a refusal asks for: room on a full disk, a new file for a rotten one.
    /// </summary>
    /// <param name="work">Runs again from its start when the transaction is tried again.</param>
    /// <param name="need">About the bytes of free pages that it takes.</param>
    /// <param name="postpone">On a full disk without an unscored row: takes the unscored events out of the work; false when it has none.</param>
    /// <param name="committed">Runs in the moment in which the counters change.</param>
    SpoolFault? Write(Action<SpoolFile> work, long need = 0, Func<bool>? postpone = null, Action? committed = null)
    {
        const int tries = 5;
        if (_diskFull && _file is not null && _time.GetElapsedTime(_reserveTried) >= TimeSpan.FromSeconds(2)) GrowAgain();
        bool reborn = false;
        SqliteError error = default;
        for (int i = 0; i < tries; i++)
        {
            if (_file is null && Reopen() is { } closed) return Note(closed);
            error = _file!.Transact(() => work(_file));
            if (!error.IsError)
            {
                lock (_tallyLock)
                {
                    committed?.Invoke();
                    Publish();
                }
                AfterCommit();
                return null;
            }
            if (IsFull(error))
            {
                if (!MakeRoom(i, need, postpone)) break;
                continue;
            }
            if (!IsRot(error) || reborn) break;
            reborn = true;
            if (Rebirth(error) is { } fault) return Note(fault);
        }
        return Note(Explain(error));
    }

    void AfterCommit()
    {
        _file!.CheckpointIfDue(_directory.WalBytes);
        if (_file.Ledger.Greatest > _directory.Reserved - (SpoolDirectory.ReserveStep / 2))
        {
            SpoolFault? fault = _directory.WriteSensor(SensorId, _file.Ledger.Greatest + SpoolDirectory.ReserveStep, clean: false);
            if (fault is not null) Note(fault);
        }
    }

    /// <summary>
    /// Full: growth ends, the reserve's blocks serve the log, the log starts over at its beginning, and within the file old rows make place for new
    /// ones: unscored rows first, then the unscored events that wait to be written have to go on waiting, then scored rows, then alerts. No more is
    /// evicted than a transaction can use: where free pages do not help, it is the log that has no room, and only space on the disk will.
    /// </summary>
    bool MakeRoom(int attempt, long need, Func<bool>? postpone)
    {
        if (!_diskFull)
        {
            _diskFull = true;
            _reserveTried = _time.GetTimestamp();
        }
        _directory.ReleaseReserve();
        _file!.Checkpoint(SqliteCheckpoint.Restart);
        // From here on no commit makes the file larger, so that no checkpoint can fail for space.
        _file.LimitGrowth(0);
        long goal = (need + (16 * SpoolFile.PageBytes)) << attempt;
        bool any = EvictUntilFree(goal, file => file.EvictEvents(0));
        if (!any && attempt > 0) any = (postpone?.Invoke() ?? false) || EvictUntilFree(goal, file => file.EvictEvents(1) || file.EvictAlert());
        return any || attempt == 0;
    }

    bool EvictUntilFree(long goal, Func<SpoolFile, bool> evict)
    {
        // In small transactions: the log, too, has only the room that it has.
        const long atOnce = 64 << 10;
        bool any = false, more = true;
        while (more && _file!.FreeBytes < goal)
        {
            SqliteError error = _file.Transact(() =>
            {
                long target = Math.Min(goal, _file.FreeBytes + atOnce);
                more = false;
                while (_file.FreeBytes < target && evict(_file)) more = true;
            });
            if (error.IsError) break;
            any |= more;
            lock (_tallyLock) Publish();
            _file.Checkpoint(SqliteCheckpoint.Restart);
        }
        return any;
    }

    void GrowAgain()
    {
        _reserveTried = _time.GetTimestamp();
        if (!_directory.TakeReserve(_limits.ReserveBytes)) return;
        _diskFull = false;
        _file!.LimitGrowth(null);
    }

    static bool IsFull(SqliteError error) => error.Primary == SqliteError.Full || error.Code == SharedMemoryNoSpace;

    // SQLITE_IOERR_SHMSIZE: the log's index file could not grow.
    const int SharedMemoryNoSpace = 4874;

    static bool IsRot(SqliteError error) =>
        error.Primary is SqliteError.Corrupt or SqliteError.NotADatabase || error.Code == ShortRead;

    // SQLITE_IOERR_SHORT_READ: less is there than the file says.
    const int ShortRead = 522;

    // The numbers go on where they were; what was in the ring is counted as quarantined.
    SpoolFault? Rebirth(SqliteError why)
    {
        lock (_readLock)
        {
            SpoolLedger.Line[] lines = _file!.Ledger.Committed.ToArray();
            _carriedProgress = (_file.Progress.CommittedNames, _file.Progress.Committed.ToArray());
            CloseFile();
            QuarantineFile($"spool.db became unreadable ({why.Message})");
            _carried = lines;
            return Reopen();
        }
    }

    SpoolLedger.Line[]? _carried;
    (IReadOnlyList<string> Names, SpoolProgress.Line[] Lines) _carriedProgress;

    SpoolFault? Reopen()
    {
        lock (_readLock)
        {
            SqliteError error = OpenFile();
            if (error.IsError) return Explain(error);
            if (_carried is null) return null;
            SpoolLedger.Line[] lines = _carried;
            string id = SensorId;
            error = _file!.Transact(() =>
            {
                for (int i = 0; i < lines.Length; i++)
                {
                    _file.Ledger[i] = lines[i];
                    _file.Ledger[i].Quarantined += lines[i].InSpool;
                    _file.Ledger[i].Bytes = 0;
                }
                _file.Progress.Carry(_carriedProgress.Names, _carriedProgress.Lines, _file.Ledger);
                _file.SetState(SensorState, id);
                // What was read up to there was spooled once; it lies in quarantine now, and counted as that.
                foreach ((string name, string position) in _committedPositions) _file.SetState(name, position);
            });
            if (!error.IsError)
            {
                _carried = null;
                return null;
            }
            CloseFile();
            return Explain(error);
        }
    }

    static SpoolFault Explain(SqliteError error) => error.Primary switch
    {
        _ when IsFull(error) => new SpoolFault(SpoolFaultKind.DiskFull, "The disk is full, and nothing more may be evicted.", error.Code),
        SqliteError.ReadOnly or SqliteError.Permission => new SpoolFault(SpoolFaultKind.ReadOnly, $"The spool may only be read: {error.Message}.", error.Code),
        SqliteError.Corrupt or SqliteError.NotADatabase => new SpoolFault(SpoolFaultKind.Corrupt, $"The spool was damaged: {error.Message}.", error.Code),
        SqliteError.Io or SqliteError.CantOpen => new SpoolFault(SpoolFaultKind.Io, $"The disk refuses: {error.Message}.", error.Code),
        _ => new SpoolFault(SpoolFaultKind.Other, $"The spool cannot go on: {error.Message}.", error.Code),
    };

    /// <summary>Flushes what is pending and closes the files.</summary>
    public void Dispose()
    {
        if (_disposed) return;
        Flush();
        lock (_writeLock)
        {
            lock (_readLock)
            {
                _disposed = true;
                _reader?.Dispose();
                _reader = null;
                _file?.Transact(() => NoteRunning(_file, now: true));
                long next = _file?.Ledger.Greatest ?? 0;
                bool clean = _file is not null && !_file.Checkpoint(SqliteCheckpoint.Truncate).IsError;
                _file?.Dispose();
                _file = null;
                if (clean) _directory.WriteSensor(SensorId, Math.Max(next, _directory.Reserved), clean: true);
                _directory.Dispose();
            }
        }
    }
}
