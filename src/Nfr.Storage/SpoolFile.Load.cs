using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>What is counted when the file is opened: its rows against its ledger.</summary>
sealed partial class SpoolFile
{
    // The ledger is the file's own word; the rows are counted against it. Where damage made them differ, the ledger is brought to close again:
    // a line whose digest is wrong is made anew from its rows, rows missing are counted as quarantined, rows too many as spooled.
    void Load()
    {
        var whole = new bool[SpoolLedger.Lines];
        using (SqliteStatement read = _db.Prepare("SELECT line,next,spooled,delivered,evicted,quarantined,lost,digest FROM ledger"))
        {
            while (read.Step())
            {
                long index = read.Int64(0);
                if (index is < 0 or >= SpoolLedger.Lines) continue;
                var line = new SpoolLedger.Line
                {
                    Next = read.Int64(1), Spooled = read.Int64(2), Delivered = read.Int64(3),
                    Evicted = read.Int64(4), Quarantined = read.Int64(5), Lost = read.Int64(6),
                };
                whole[index] = line.Digest == read.Int64(7);
                if (whole[index]) Ledger[(int)index] = line;
            }
        }
        (long[] rows, long[] next) = CountRows();
        for (int i = 0; i < SpoolLedger.Lines && !_db.Failed; i++)
        {
            ref SpoolLedger.Line line = ref Ledger[i];
            if (!whole[i]) Corrected++;
            // No commit leaves a row above its ledger: then it is the row's numbers that are damaged.
            else if (next[i] > line.Next) _db.Report(SqliteError.Corrupt, "a row's sequence numbers were never given");
            long difference = line.InSpool - rows[i];
            if (difference > 0) line.Quarantined += difference;
            else line.Spooled -= difference;
            Corrected += Math.Abs(difference);
            line.Next = Math.Max(line.Next, next[i]);
        }
        // A correction reaches the file when its line changes next; until then every start makes it again.
        Ledger.Accept();
    }

    /// <summary>Events or alerts by line, from the rows; null when the file cannot be read.</summary>
    public long[]? CountRowsNow()
    {
        (long[] rows, _) = CountRows();
        if (!_db.Failed) return rows;
        _db.TakeError();
        return null;
    }

    (long[] Rows, long[] Next) CountRows()
    {
        var rows = new long[SpoolLedger.Lines];
        var next = new long[SpoolLedger.Lines];
        using (SqliteStatement count = _db.Prepare(
            "SELECT class,type,sum(last-first+1),max(last),min(last-first),max(last-first),min(first) FROM batch GROUP BY class,type"))
        {
            while (count.Step())
            {
                (long scored, long type) = (count.Int64(0), count.Int64(1));
                bool known = scored is 0 or 1 && type is >= 0 and < EventTypes.UploadedCount;
                if (!known || count.Int64(4) < 0 || count.Int64(5) >= SpoolLimits.RowEvents || count.Int64(6) < 1)
                {
                    _db.Report(SqliteError.Corrupt, "a row that was never written");
                    return (rows, next);
                }
                int lane = (int)((type * 2) + scored);
                (rows[lane], next[lane]) = (count.Int64(2), count.Int64(3) + 1);
            }
        }
        using (SqliteStatement count = _db.Prepare("SELECT count(*),max(sequence) FROM alert"))
        {
            if (count.Step() && count.Int64(0) > 0) (rows[SpoolLedger.Alerts], next[SpoolLedger.Alerts]) = (count.Int64(0), count.Int64(1) + 1);
        }
        return (rows, next);
    }
}
