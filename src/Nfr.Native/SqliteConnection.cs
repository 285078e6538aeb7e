using System.Runtime.InteropServices;
using System.Text;

namespace Nfr.Native;

/// <summary>
/// One connection to an SQLite file, for one thread at a time. <b>The first error sticks</b>: after it, every call on the connection and on
/// its statements does nothing until <see cref="TakeError"/>, so that a transaction is written straight down and judged once at its end.
/// </summary>
public sealed class SqliteConnection : IDisposable
{
    const int OpenReadWrite = 0x2, OpenCreate = 0x4, OpenNoMutex = 0x8000;
    const int DbStatusCacheWrite = 9;

    readonly SqliteHandle _handle;
    SqliteError _error;

    SqliteConnection(SqliteHandle handle) => _handle = handle;

    /// <summary>The first error since the last <see cref="TakeError"/>.</summary>
    public SqliteError Error => _error;

    public bool Failed => _error.IsError;

    internal SqliteHandle Handle => _handle;

    /// <summary>True between BEGIN and the end of the transaction.</summary>
    public bool InTransaction => SqliteNative.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Rows changed by the last INSERT, UPDATE or DELETE.</summary>
    public int Changes => SqliteNative.sqlite3_changes(_handle);

    /// <summary>Opens or creates <paramref name="path"/> for reading and writing.</summary>
    /// <param name="path">The file.</param>
    /// <param name="vfs">Name of a registered VFS; null = the platform's.</param>
    /// <param name="connection">Null on error.</param>
    public static SqliteError Open(string path, string? vfs, out SqliteConnection? connection)
    {
        int code = SqliteNative.sqlite3_open_v2(path, out SqliteHandle handle, OpenReadWrite | OpenCreate | OpenNoMutex, vfs);
        if (code == SqliteNative.Ok)
        {
            connection = new SqliteConnection(handle);
            return default;
        }
        connection = null;
        SqliteError error = handle.IsInvalid
            ? new SqliteError(code, "out of memory")
            : new SqliteError(SqliteNative.sqlite3_extended_errcode(handle), Message(handle));
        handle.Dispose();
        return error;
    }

    /// <summary>Returns the sticking error and forgets it.</summary>
    public SqliteError TakeError()
    {
        SqliteError error = _error;
        _error = default;
        return error;
    }

    /// <summary>Makes an error stick that the caller found: the file is readable and still not what it should be.</summary>
    public void Report(int code, string message)
    {
        if (!Failed) _error = new SqliteError(code, message);
    }

    /// <summary>How long a call waits for another connection's lock.</summary>
    public void SetBusyTimeout(int milliseconds) => _ = SqliteNative.sqlite3_busy_timeout(_handle, milliseconds);

    /// <summary>Makes what runs on this connection stop with <see cref="SqliteError.Interrupt"/>; the one call allowed from another thread.</summary>
    public void Interrupt() => SqliteNative.sqlite3_interrupt(_handle);

    /// <summary>Prepares one statement. On error the statement exists all the same and does nothing.</summary>
    public unsafe SqliteStatement Prepare(string sql)
    {
        nint statement = 0;
        if (!Failed)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(sql);
            // SAFETY: length is given and lies within the pinned array; SQLite copies the text.
            fixed (byte* p = bytes)
            {
                Check(SqliteNative.sqlite3_prepare_v3(_handle, p, bytes.Length, 0, out statement, null));
            }
        }
        return new SqliteStatement(this, statement == 0 ? null : new SqliteStatementHandle(_handle, statement));
    }

    /// <summary>Runs one statement to its end and forgets its rows.</summary>
    public void Execute(string sql)
    {
        using SqliteStatement statement = Prepare(sql);
        while (statement.Step())
        {
        }
    }

    /// <summary>The first column of the first row as text; null when there is none.</summary>
    public string? Scalar(string sql)
    {
        using SqliteStatement statement = Prepare(sql);
        return statement.Step() ? statement.Text(0) : null;
    }

    /// <summary>Ends a transaction without effect, whatever its state; keeps the sticking error.</summary>
    public void Rollback()
    {
        SqliteError error = TakeError();
        if (InTransaction) Execute("ROLLBACK");
        _error = error.IsError ? error : _error;
    }

    /// <summary>
    /// Moves the write-ahead log into the database file. Being refused because somebody reads is no error: the rest waits for the next time.
    /// </summary>
    /// <param name="mode">How far it goes.</param>
    /// <param name="logFrames">Frames in the log; -1 when unknown.</param>
    public void Checkpoint(SqliteCheckpoint mode, out int logFrames)
    {
        logFrames = -1;
        if (Failed) return;
        int code = SqliteNative.sqlite3_wal_checkpoint_v2(_handle, null, (int)mode, out logFrames, out _);
        if ((code & 0xFF) != SqliteError.Busy) Check(code);
    }

    /// <summary>Pages written since the last call.</summary>
    public int TakePagesWritten() =>
        SqliteNative.sqlite3_db_status(_handle, DbStatusCacheWrite, out int pages, out _, reset: 1) == SqliteNative.Ok ? pages : 0;

    internal void Check(int code)
    {
        if (code is SqliteNative.Ok or SqliteNative.Row or SqliteNative.Done || Failed) return;
        int extended = SqliteNative.sqlite3_extended_errcode(_handle);
        _error = new SqliteError((extended & 0xFF) == (code & 0xFF) ? extended : code, Message(_handle));
    }

    // errmsg belongs to the connection and lives until its next call: copied at once.
    static string Message(SqliteHandle handle) => Marshal.PtrToStringUTF8(SqliteNative.sqlite3_errmsg(handle)) ?? "unknown error";

    public void Dispose() => _handle.Dispose();
}

/// <summary>Modes of sqlite3_wal_checkpoint_v2.</summary>
public enum SqliteCheckpoint
{
    /// <summary>As much as goes without waiting.</summary>
    Passive = 0,
    /// <summary>Waits for readers, then the next writer starts at the log's beginning; the file keeps its blocks.</summary>
    Restart = 2,
    /// <summary>As restart, and the log file is cut to nothing.</summary>
    Truncate = 3,
}
