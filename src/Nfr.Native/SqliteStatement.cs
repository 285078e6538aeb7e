using System.Text;

namespace Nfr.Native;

/// <summary>
/// A prepared statement: bind (parameters count from 1), <see cref="Step"/> while it says true, read columns (from 0). The end of the rows or
/// an error resets it. Errors stick to the connection; a statement of a failed connection has no rows.
/// </summary>
public sealed class SqliteStatement : IDisposable
{
    const int TypeNull = 5;

    readonly SqliteConnection _connection;
    readonly SqliteStatementHandle? _handle;

    internal SqliteStatement(SqliteConnection connection, SqliteStatementHandle? handle)
    {
        _connection = connection;
        _handle = handle;
    }

    public SqliteStatement Bind(int index, long value)
    {
        if (_handle is not null && !_connection.Failed) _connection.Check(SqliteNative.sqlite3_bind_int64(_handle, index, value));
        return this;
    }

    /// <summary>Binds a text; null binds NULL.</summary>
    public unsafe SqliteStatement Bind(int index, string? text)
    {
        if (_handle is null || _connection.Failed) return this;
        byte[]? bytes = text is null ? null : Encoding.UTF8.GetBytes(text + '\0');
        // SAFETY: the length without the closing zero lies within the pinned array; TRANSIENT copies before the pin ends; null binds NULL.
        fixed (byte* p = bytes)
        {
            _connection.Check(SqliteNative.sqlite3_bind_text(_handle, index, p, bytes is null ? 0 : bytes.Length - 1, SqliteNative.Transient));
        }
        return this;
    }

    /// <summary>Binds bytes; they are copied.</summary>
    public unsafe SqliteStatement Bind(int index, ReadOnlySpan<byte> blob)
    {
        if (_handle is null || _connection.Failed) return this;
        byte empty = 0;
        // SAFETY: pointer and length are one span's; an empty span has no address, and SQLite would take null for NULL, so it gets one.
        fixed (byte* p = blob)
        {
            _connection.Check(SqliteNative.sqlite3_bind_blob64(_handle, index, p is null ? &empty : p, (ulong)blob.Length, SqliteNative.Transient));
        }
        return this;
    }

    /// <summary>Goes to the next row; false at the end or on an error.</summary>
    public bool Step()
    {
        if (_handle is null) return false;
        if (_connection.Failed)
        {
            _ = SqliteNative.sqlite3_reset(_handle);
            return false;
        }
        int code = SqliteNative.sqlite3_step(_handle);
        if (code == SqliteNative.Row) return true;
        _connection.Check(code);
        _ = SqliteNative.sqlite3_reset(_handle);
        return false;
    }

    /// <summary>Runs a statement that has no rows, or whose rows do not matter.</summary>
    public void Run()
    {
        while (Step())
        {
        }
    }

    /// <summary>Ends a walk over the rows before their end.</summary>
    public void Reset()
    {
        if (_handle is not null) _ = SqliteNative.sqlite3_reset(_handle);
    }

    public long Int64(int column) => _handle is null ? 0 : SqliteNative.sqlite3_column_int64(_handle, column);

    public bool IsNull(int column) => _handle is null || SqliteNative.sqlite3_column_type(_handle, column) == TypeNull;

    /// <summary>The column's bytes in SQLite's memory: gone at the next <see cref="Step"/> or <see cref="Reset"/>.</summary>
    public unsafe ReadOnlySpan<byte> Blob(int column)
    {
        if (_handle is null) return default;
        byte* p = SqliteNative.sqlite3_column_blob(_handle, column);
        int length = SqliteNative.sqlite3_column_bytes(_handle, column);
        if (p is null)
        {
            // A blob that should have bytes and has no address: SQLite ran out of memory or could not read its pages.
            if (length > 0) _connection.Check(7);
            return default;
        }
        // SAFETY: column_bytes after column_blob is the length of exactly this memory, which lives until the next step or reset.
        return new ReadOnlySpan<byte>(p, length);
    }

    public unsafe string? Text(int column)
    {
        if (_handle is null) return null;
        byte* p = SqliteNative.sqlite3_column_text(_handle, column);
        int length = SqliteNative.sqlite3_column_bytes(_handle, column);
        // SAFETY: column_bytes after column_text is the length of exactly this memory.
        return p is null ? null : Encoding.UTF8.GetString(new ReadOnlySpan<byte>(p, length));
    }

    public void Dispose() => _handle?.Dispose();
}
