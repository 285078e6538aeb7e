using System.Security.Cryptography;
using System.Text;
using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Native;

namespace Nfr.Faults.Ring;

/// <summary>The rows of a spool as they lie in its file, by a connection of the test's own: whoever waits for them, and whoever does not.</summary>
sealed class RingRows : IDisposable
{
    readonly SqliteConnection _db;
    readonly SqliteStatement _rows, _greatest;

    public RingRows(FaultDisk disk)
    {
        SqliteError error = SqliteConnection.Open("/spool/spool.db", disk.Name, out SqliteConnection? db);
        _db = db ?? throw new InvalidOperationException($"{error}");
        _rows = _db.Prepare("SELECT class,type,first,last,body FROM batch ORDER BY type,class,first");
        _greatest = _db.Prepare("SELECT max(last) FROM batch WHERE class IN (0,1) AND type=?1");
    }

    /// <summary>Numbers and digest of each row, as lines of text; what the file refuses is in the text too.</summary>
    public string Text()
    {
        var text = new StringBuilder();
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        while (_rows.Step())
        {
            SHA256.HashData(_rows.Blob(4), digest);
            text.Append($"row {(EventType)_rows.Int64(1)} {_rows.Int64(0)} {_rows.Int64(2)}-{_rows.Int64(3)} {Convert.ToHexStringLower(digest[..8])}\n");
        }
        _rows.Reset();
        if (_db.Failed) text.Append(_db.TakeError()).Append('\n');
        return text.ToString();
    }

    /// <summary>The greatest number of a type; 0 without a row.</summary>
    public long Greatest(EventType type)
    {
        long greatest = _greatest.Bind(1, (int)type).Step() ? _greatest.Int64(0) : 0;
        _greatest.Reset();
        return greatest;
    }

    public void Dispose()
    {
        _rows.Dispose();
        _greatest.Dispose();
        _db.Dispose();
    }
}
