using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// The ring's file, its writing side. Callers hold the spool's write lock. Rows of events:
/// <code>
/// batch: id (order of arrival) | class 0 unscored 1 scored | type | first..last sequence | stamp ms, informational | born ms of running time
/// | owner: the one consumer that it is for, null = all | body: one gzip member
/// </code>
/// WAL with synchronous=FULL: an acknowledged commit survives a power cut. Pages are reused, never given back: the file grows to the quota and
/// stays. secure_delete is off, for zeroing freed pages would write each event once more. The log is checkpointed when it
/// reaches <see cref="SpoolLimits.WalBytes"/>, so that pages touched by every commit reach the file once for many commits.
/// </summary>
sealed partial class SpoolFile : IDisposable
{
    public const int PageBytes = 4096;
    const long FrameBytes = PageBytes + 24;
    const int SchemaVersion = 2;

    /// <summary>The schema as SQLite gives it.</summary>
    public static string Version { get; } = SchemaVersion.ToString(System.Globalization.CultureInfo.InvariantCulture);

    const string Schema = """
        CREATE TABLE batch(id INTEGER PRIMARY KEY, class INTEGER NOT NULL, type INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, stamp INTEGER NOT NULL, body BLOB NOT NULL, born INTEGER NOT NULL DEFAULT 0, owner TEXT);
        CREATE UNIQUE INDEX batch_order ON batch(class, type, first, last, owner);
        CREATE TABLE alert(sequence INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, body BLOB NOT NULL, born INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE quarantined(id INTEGER PRIMARY KEY, class INTEGER, type INTEGER, first INTEGER, last INTEGER,
            stamp INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB, consumer TEXT);
        CREATE TABLE ledger(line INTEGER PRIMARY KEY, next INTEGER NOT NULL, spooled INTEGER NOT NULL, delivered INTEGER NOT NULL,
            evicted INTEGER NOT NULL, quarantined INTEGER NOT NULL, lost INTEGER NOT NULL, digest INTEGER NOT NULL,
            bytes INTEGER NOT NULL DEFAULT 0, aged INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE state(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
        """ + ConsumerTable;

    const string ConsumerTable = """
        CREATE TABLE consumer(name TEXT NOT NULL, type INTEGER NOT NULL, through INTEGER NOT NULL, live_from INTEGER NOT NULL, live_through INTEGER NOT NULL,
            base INTEGER NOT NULL, delivered INTEGER NOT NULL, quarantined INTEGER NOT NULL, missed INTEGER NOT NULL, digest INTEGER NOT NULL,
            PRIMARY KEY(name, type)) WITHOUT ROWID
        """;

    readonly SqliteConnection _db;
    readonly SpoolLimits _limits;
    readonly Deflater _deflater = new();
    readonly Inflater _inflater = new();

    // Bytes put into the log since it was last moved into the file.
    long _logged;

    SqliteStatement _begin = null!, _commit = null!, _insert = null!, _oldest = null!, _range = null!, _waits = null!, _body = null!, _rewrite = null!, _delete = null!;
    SqliteStatement _moveAside = null!, _asideCount = null!, _asideDelete = null!;
    SqliteStatement _insertAlert = null!, _oldestAlert = null!, _deleteAlert = null!, _saveLine = null!, _setState = null!, _saveProgress = null!, _forgetConsumer = null!;
    SqliteStatement _pageCount = null!, _freePages = null!;

    SpoolFile(SqliteConnection db, SpoolLimits limits)
    {
        _db = db;
        _limits = limits;
    }

    public SpoolLedger Ledger { get; } = new();
    public SpoolProgress Progress { get; } = new();
    public bool Created { get; private set; }
    public bool CheckedWhole { get; private set; }
    public long Corrected { get; private set; }
    public long Commits { get; private set; }
    public long BytesWritten { get; private set; }

    /// <summary>Bytes of pages in use after the last commit.</summary>
    public long Used { get; private set; }

    /// <summary>Opens the file, makes it when it is not there, checks and counts it. On error the caller decides between waiting and quarantine.</summary>
    public static SqliteError Open(string path, SpoolOptions options, SpoolLimits limits, out SpoolFile? file)
    {
        file = null;
        SqliteError error = SqliteConnection.Open(path, options.Vfs, out SqliteConnection? db);
        if (db is null) return error;
        var opened = new SpoolFile(db, limits);
        opened.Start(options.Synchronous);
        error = db.Error;
        if (error.IsError) opened.Dispose();
        else file = opened;
        return error;
    }

    /// <summary>The settings that both connections share.</summary>
    public static void Configure(SqliteConnection db)
    {
        db.SetBusyTimeout(5000);
        db.Execute("PRAGMA temp_store=MEMORY");
        db.Execute("PRAGMA cache_size=-1024");
        db.Execute("PRAGMA wal_autocheckpoint=0");
    }

    void Start(string synchronous)
    {
        Configure(_db);
        _db.Execute($"PRAGMA page_size={PageBytes}");
        _db.Execute("PRAGMA auto_vacuum=NONE");
        string? mode = _db.Scalar("PRAGMA journal_mode=WAL");
        _db.Execute($"PRAGMA synchronous={synchronous}");
        _db.Execute("PRAGMA secure_delete=OFF");
        _db.Execute($"PRAGMA journal_size_limit={_limits.WalBytes}");
        LimitGrowth(null);
        if (_db.Failed) return;
        if (mode != "wal")
        {
            _db.Report(SqliteError.ReadOnly, "the file cannot be switched to write-ahead logging");
            return;
        }
        string? version = _db.Scalar("PRAGMA user_version");
        if (version == "0" && _db.Scalar("SELECT count(*) FROM sqlite_schema") == "0") Create();
        else if (version == "1") Upgrade();
        else if (version != $"{SchemaVersion}" && !_db.Failed) _db.Report(SqliteError.NotADatabase, $"schema version {version} is not {SchemaVersion}");
        else QuickCheck();
        Prepare();
        Load();
        // What a kill left in the log; a fault here is met again by the first write.
        if (!_db.Failed) Checkpoint(SqliteCheckpoint.Passive);
    }

    void Create()
    {
        _db.Execute("BEGIN IMMEDIATE");
        foreach (string statement in Schema.Split(';')) _db.Execute(statement);
        for (int line = 0; line < SpoolLedger.Lines; line++) _db.Execute($"INSERT INTO ledger VALUES({line},0,0,0,0,0,0,{default(SpoolLedger.Line).Digest},0,0)");
        _db.Execute($"PRAGMA user_version={SchemaVersion}");
        _db.Execute("COMMIT");
        Created = true;
        CheckedWhole = true;
    }

    // As much as two seconds allow, so that a large ring on a slow card does not hold up the start. What the check did not reach is found by the
    // calls that meet it, and handled the same way then.
    void QuickCheck()
    {
        if (_db.Failed) return;
        string? verdict;
        using (new Timer(_ => _db.Interrupt(), null, TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan))
        {
            verdict = _db.Scalar("PRAGMA quick_check(1)");
        }
        if (_db.Error.Primary == SqliteError.Interrupt) _db.TakeError();
        else if (!_db.Failed && verdict != "ok") _db.Report(IsUnread(verdict) ? SqliteError.Io : SqliteError.Corrupt, verdict ?? "quick_check said nothing");
        else CheckedWhole = true;
    }

    // The check tells a page that the disk would not give in the same breath as one that is wrong.
    static bool IsUnread(string? verdict) =>
        verdict is not null && (verdict.Contains("failed to get page", StringComparison.Ordinal) || verdict.Contains("unable to get the page", StringComparison.Ordinal));

    void Prepare()
    {
        _begin = _db.Prepare("BEGIN IMMEDIATE");
        _commit = _db.Prepare("COMMIT");
        _insert = _db.Prepare("INSERT INTO batch(class,type,first,last,stamp,body,born,owner) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
        _oldest = _db.Prepare("SELECT id,first,last,length(body),born,owner FROM batch WHERE class=?1 AND type=?2 ORDER BY first LIMIT 1");
        _range = _db.Prepare("SELECT id,first,last,length(body),owner FROM batch WHERE class=?1 AND type=?2 AND first<=?4"
            + " AND first>=(SELECT coalesce(max(first),0) FROM batch WHERE class=?1 AND type=?2 AND first<=?3) ORDER BY first");
        _waits = _db.Prepare("SELECT 1 FROM batch WHERE class=?1 AND type=?2 AND first<=?4 AND last>=?3"
            + " AND first>=(SELECT coalesce(max(first),0) FROM batch WHERE class=?1 AND type=?2 AND first<=?3) AND (owner IS NULL OR owner=?5) LIMIT 1");
        _body = _db.Prepare("SELECT body FROM batch WHERE id=?1");
        _rewrite = _db.Prepare("UPDATE batch SET first=?2,body=?3 WHERE id=?1");
        _delete = _db.Prepare("DELETE FROM batch WHERE id=?1");
        _moveAside = _db.Prepare("INSERT INTO quarantined(class,type,first,last,stamp,reason,body,consumer) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
        _asideCount = _db.Prepare("SELECT count(*),sum(length(body)),min(id) FROM quarantined");
        _asideDelete = _db.Prepare("DELETE FROM quarantined WHERE id=?1");
        _insertAlert = _db.Prepare("INSERT INTO alert VALUES(?1,?2,?3,?4)");
        _oldestAlert = _db.Prepare("SELECT sequence,length(body),born FROM alert ORDER BY sequence LIMIT 1");
        _deleteAlert = _db.Prepare("DELETE FROM alert WHERE sequence=?1");
        _saveLine = _db.Prepare("UPDATE ledger SET next=?2,spooled=?3,delivered=?4,evicted=?5,quarantined=?6,lost=?7,digest=?8,bytes=?9,aged=?10 WHERE line=?1");
        _setState = _db.Prepare("INSERT INTO state VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET value=excluded.value");
        _saveProgress = _db.Prepare("INSERT OR REPLACE INTO consumer VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)");
        _forgetConsumer = _db.Prepare("DELETE FROM consumer WHERE name=?1");
        _pageCount = _db.Prepare("PRAGMA page_count");
        _freePages = _db.Prepare("PRAGMA freelist_count");
    }

    /// <summary>
    /// One transaction: all of <paramref name="work"/> and the ledger, or nothing. No exception leaves it half open.
    /// </summary>
    public SqliteError Transact(Action work)
    {
        _begin.Run();
        try
        {
            work();
        }
        catch
        {
            _db.Rollback();
            _db.TakeError();
            Restore();
            throw;
        }
        SaveProgress();
        for (int i = 0; i < SpoolLedger.Lines; i++)
        {
            if (!Ledger.Changed(i)) continue;
            SpoolLedger.Line line = Ledger[i];
            _saveLine.Bind(1, i).Bind(2, line.Next).Bind(3, line.Spooled).Bind(4, line.Delivered)
                .Bind(5, line.Evicted).Bind(6, line.Quarantined).Bind(7, line.Lost).Bind(8, line.Digest).Bind(9, line.Bytes).Bind(10, line.Aged).Run();
        }
        long used = UsedBytes;
        _commit.Run();
        if (_db.Failed)
        {
            _db.Rollback();
            Restore();
            return _db.TakeError();
        }
        Accept();
        Used = used;
        Commits++;
        long logged = _db.TakePagesWritten() * FrameBytes;
        _logged += logged;
        BytesWritten += logged;
        return default;
    }

    /// <summary>Moves the log into the file when it is long enough; its failure loses nothing and is met again by whoever writes next.</summary>
    /// <param name="walBytes">The log file's length, which includes blocks that wait to be used again.</param>
    public void CheckpointIfDue(long walBytes)
    {
        // A reader may have kept the log from starting over: then wait for it, once, before it grows far.
        if (walBytes > _limits.WalBytes * 2) Checkpoint(SqliteCheckpoint.Truncate);
        else if (_logged >= _limits.WalBytes) Checkpoint(SqliteCheckpoint.Passive);
    }

    public SqliteError Checkpoint(SqliteCheckpoint mode)
    {
        _db.Checkpoint(mode, out int frames);
        if (frames > 0 && _logged > 0) BytesWritten += Math.Min(frames, _logged / FrameBytes) * PageBytes;
        _logged = 0;
        return _db.TakeError();
    }

    /// <summary>Lets the file grow by so many bytes more and no further; null = up to its quota.</summary>
    public void LimitGrowth(long? more)
    {
        // A number below the present size makes it the present size.
        long pages = more is null ? _limits.MostPages : Math.Min(_limits.MostPages, Number(_pageCount) + (more.Value / PageBytes));
        _db.Execute($"PRAGMA max_page_count={Math.Max(1, pages)}");
        if (more is not null) _db.TakeError();
    }

    public long UsedBytes => (Number(_pageCount) - Number(_freePages)) * PageBytes;

    public long FreeBytes => Number(_freePages) * PageBytes;

    // --- within a transaction

    public void Insert(int lane, long first, int count, long stamp, long born, ReadOnlySpan<byte> member, string? owner = null)
    {
        _insert.Bind(1, Lane.Class(lane)).Bind(2, lane / 2).Bind(3, first).Bind(4, first + count - 1).Bind(5, stamp).Bind(6, member).Bind(7, born).Bind(8, owner).Run();
        Ledger[lane].Next = first + count;
        Ledger[lane].Spooled += count;
        Ledger[lane].Bytes += member.Length;
    }

    public void InsertAlert(long stamp, long born, ReadOnlySpan<byte> blob)
    {
        long sequence = Ledger.NextAlert;
        _insertAlert.Bind(1, sequence).Bind(2, stamp).Bind(3, blob).Bind(4, born).Run();
        Ledger[SpoolLedger.Alerts].Next = sequence + 1;
        Ledger[SpoolLedger.Alerts].Spooled++;
        Ledger[SpoolLedger.Alerts].Bytes += blob.Length;
    }

    public void SetState(string name, string value) => _setState.Bind(1, name).Bind(2, value).Run();

    long Number(SqliteStatement statement)
    {
        long number = statement.Step() ? statement.Int64(0) : 0;
        statement.Reset();
        return number;
    }

    public void Dispose()
    {
        foreach (SqliteStatement? statement in (ReadOnlySpan<SqliteStatement?>)[_begin, _commit, _insert, _oldest, _range, _waits, _body, _rewrite, _delete,
            _moveAside, _asideCount, _asideDelete, _insertAlert, _oldestAlert, _deleteAlert, _saveLine, _setState, _saveProgress, _forgetConsumer, _pageCount, _freePages])
        {
            statement?.Dispose();
        }
        _db.Dispose();
        _deflater.Dispose();
    }
}
