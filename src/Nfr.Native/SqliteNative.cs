using System.Runtime.InteropServices;

namespace Nfr.Native;

/// <summary>libsqlite3, the calls that the spool needs, by their C names (sqlite.org/c3ref).</summary>
static unsafe partial class SqliteNative
{
    const string Library = "libsqlite3.so.0";

    public const int Ok = 0;
    public const int Row = 100;
    public const int Done = 101;

    /// <summary>SQLITE_TRANSIENT: SQLite copies what is bound before the call returns, so a pin needs to last one call only.</summary>
    public static readonly nint Transient = -1;

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_open_v2(string filename, out SqliteHandle db, int flags, string? vfs);

    [LibraryImport(Library)]
    public static partial int sqlite3_close_v2(nint db);

    [LibraryImport(Library)]
    public static partial int sqlite3_extended_errcode(SqliteHandle db);

    [LibraryImport(Library)]
    public static partial nint sqlite3_errmsg(SqliteHandle db);

    [LibraryImport(Library)]
    public static partial int sqlite3_busy_timeout(SqliteHandle db, int milliseconds);

    [LibraryImport(Library)]
    public static partial void sqlite3_interrupt(SqliteHandle db);

    [LibraryImport(Library)]
    public static partial int sqlite3_get_autocommit(SqliteHandle db);

    [LibraryImport(Library)]
    public static partial int sqlite3_changes(SqliteHandle db);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int sqlite3_wal_checkpoint_v2(SqliteHandle db, string? database, int mode, out int logFrames, out int checkpointed);

    [LibraryImport(Library)]
    public static partial int sqlite3_db_status(SqliteHandle db, int op, out int current, out int highest, int reset);

    [LibraryImport(Library)]
    public static partial int sqlite3_prepare_v3(SqliteHandle db, byte* sql, int length, uint flags, out nint statement, byte** tail);

    [LibraryImport(Library)]
    public static partial int sqlite3_finalize(nint statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_step(SqliteStatementHandle statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_reset(SqliteStatementHandle statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_clear_bindings(SqliteStatementHandle statement);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_int64(SqliteStatementHandle statement, int index, long value);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_text(SqliteStatementHandle statement, int index, byte* text, int length, nint destructor);

    [LibraryImport(Library)]
    public static partial int sqlite3_bind_blob64(SqliteStatementHandle statement, int index, byte* blob, ulong length, nint destructor);

    [LibraryImport(Library)]
    public static partial long sqlite3_column_int64(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_blob(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial byte* sqlite3_column_text(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_bytes(SqliteStatementHandle statement, int column);

    [LibraryImport(Library)]
    public static partial int sqlite3_column_type(SqliteStatementHandle statement, int column);
}

/// <summary>A connection. <c>sqlite3_open_v2</c> yields one even when it fails, and it must be closed then too.</summary>
sealed class SqliteHandle : SafeHandle
{
    public SqliteHandle() : base(0, ownsHandle: true) { }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => SqliteNative.sqlite3_close_v2(handle) == SqliteNative.Ok;
}

/// <summary>A prepared statement. It holds a reference to its connection, so that no finalizer closes that one first.</summary>
sealed class SqliteStatementHandle : SafeHandle
{
    readonly SqliteHandle _connection;

    public SqliteStatementHandle(SqliteHandle connection, nint statement) : base(0, ownsHandle: true)
    {
        bool added = false;
        connection.DangerousAddRef(ref added);
        _connection = connection;
        SetHandle(statement);
    }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        // finalize repeats the error of the last step; that one was reported then.
        _ = SqliteNative.sqlite3_finalize(handle);
        _connection.DangerousRelease();
        return true;
    }
}
