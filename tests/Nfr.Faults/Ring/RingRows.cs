using System.Security.Cryptography;
using System.Text;
using Nfr.Events;
using Nfr.Faults.Disk;
using Nfr.Native;

namespace Nfr.Faults.Ring;

/// <summary>The rows of a spool as they lie in its file, by a connection of the test's own: whoever waits for them, and whoever does not.</summary>
static class RingRows
{
    /// <summary>Numbers and digest of each row, as lines of text; what the file refuses is in the text too.</summary>
    public static string Read(FaultDisk disk, long[] greatest)
    {
        SqliteError error = SqliteConnection.Open("/spool/spool.db", disk.Name, out SqliteConnection? db);
        if (db is null) return $"{error}\n";
        using (db)
        {
            var text = new StringBuilder();
            using SqliteStatement rows = db.Prepare("SELECT class,type,first,last,body FROM batch ORDER BY type,class,first");
            while (rows.Step())
            {
                (long type, long last) = (rows.Int64(1), rows.Int64(3));
                text.Append($"row {(EventType)type} {rows.Int64(0)} {rows.Int64(2)}-{last} {Convert.ToHexStringLower(SHA256.HashData(rows.Blob(4))[..8])}\n");
                greatest[(int)type] = Math.Max(greatest[(int)type], last);
            }
            if (db.Failed) text.Append(db.Error).Append('\n');
            return text.ToString();
        }
    }
}
