using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>How rows leave the file before they are evicted: settled by every consumer, or moved aside. Within a transaction.</summary>
sealed partial class SpoolFile
{
    const string UnreadableRow = "unreadable row";

    readonly record struct RowKey(int Lane, long Id, long First, long Last, long Bytes, string? Owner)
    {
        public long Count => Last - First + 1;
    }

    /// <summary>
    /// A consumer has settled the events of the type from <paramref name="first"/> to <paramref name="last"/>, the oldest that wait for it at this end:
    /// as delivered, or as quarantined when there is a <paramref name="reason"/>. Rows lose what no consumer waits for any more; the ring's ledger
    /// counts that as this consumer, the last, has left it.
    /// </summary>
    public void Settle(int consumer, EventType type, long first, long last, string? reason, long stamp)
    {
        if (Progress[consumer, type].IsOff) return;
        bool live = Progress[consumer, type].IsLive(first);
        long from = Progress[consumer, type].Next(first);
        long to = live ? last : Math.Min(last, Progress[consumer, type].Before - 1);
        if (to < from) return;
        List<RowKey> rows = Rows(type, from, to);
        rows.RemoveAll(row => row.Last < from || (row.Owner is { } owner && owner != Progress.Names[consumer]));
        foreach (RowKey row in rows)
        {
            if (row.Last >= from && Math.Max(row.First, from) < first) throw new InvalidOperationException("Events were settled before older ones that wait.");
        }
        if (reason is not null) rows.RemoveAll(row => !CopyAside(consumer, row, Math.Max(row.First, from), Math.Min(row.Last, to), reason, stamp));
        Progress.Settle(consumer, type, live, to, rows.Sum(row => Math.Min(row.Last, to) - Math.Max(row.First, from) + 1), reason is not null);
        foreach (RowKey row in rows) Trim(row, reason is not null, stamp);
        if (Progress[consumer, type] is { LiveFrom: > 0 } line && !AnyRow(consumer, type, line.Through + 1, line.LiveFrom - 1))
        {
            Progress[consumer, type].Join();
        }
        if (reason is not null) TrimAside();
    }

    /// <summary>
    /// After a consumer was removed: rows that waited for it alone leave, as delivered; those that were requeued for it, as quarantined. No more than <paramref name="atMost"/> rows are looked at, from
    /// <paramref name="from"/> on; returns where to go on, or 0 at the end.
    /// </summary>
    public long TrimSettled(int lane, long from, int atMost, long stamp)
    {
        var rows = new List<RowKey>();
        _range.Bind(1, Lane.Class(lane)).Bind(2, lane / 2).Bind(3, from).Bind(4, long.MaxValue);
        while (rows.Count < atMost && _range.Step()) rows.Add(new RowKey(lane, _range.Int64(0), _range.Int64(1), _range.Int64(2), _range.Int64(3), OwnerOf(_range, 4)));
        _range.Reset();
        foreach (RowKey row in rows) Trim(row, row.Owner is not null, stamp);
        return rows.Count < atMost ? 0 : rows[^1].Last + 1;
    }

    static string? OwnerOf(SqliteStatement row, int column) => row.IsNull(column) ? null : row.Text(column);

    // The rows that reach into a range of numbers, and the one before.
    List<RowKey> Rows(EventType type, long from, long to)
    {
        var rows = new List<RowKey>();
        for (int scored = 0; scored < 2; scored++)
        {
            _range.Bind(1, scored).Bind(2, (int)type).Bind(3, from).Bind(4, to);
            while (_range.Step()) rows.Add(new RowKey(Lane.Of(type, scored == 1), _range.Int64(0), _range.Int64(1), _range.Int64(2), _range.Int64(3), OwnerOf(_range, 4)));
            _range.Reset();
        }
        return rows;
    }

    /// <summary>Whether anything from one number to another waits for a consumer.</summary>
    public bool AnyRow(int consumer, EventType type, long from, long to)
    {
        bool any = false;
        for (int scored = 0; scored < 2 && !any; scored++)
        {
            any = _waits.Bind(1, scored).Bind(2, (int)type).Bind(3, from).Bind(4, to).Bind(5, Progress.Names[consumer]).Step();
            _waits.Reset();
        }
        return any;
    }

    // Takes from a row's beginning what nobody waits for.
    void Trim(RowKey row, bool quarantined, long stamp)
    {
        long keep = Math.Min(Progress.FirstWaiting(Lane.Type(row.Lane), row.First, row.Owner), row.Last + 1);
        if (keep <= row.First) return;
        // Before the bytes: they go by what is left.
        if (quarantined) Ledger[row.Lane].Quarantined += keep - row.First;
        else Ledger[row.Lane].Delivered += keep - row.First;
        if (keep > row.Last)
        {
            _delete.Bind(1, row.Id).Run();
            Shrink(row.Lane, row.Bytes);
        }
        else if (ReadPart(row, keep, row.Last, out byte[] body))
        {
            _rewrite.Bind(1, row.Id).Bind(2, keep).Bind(3, body).Run();
            Shrink(row.Lane, row.Bytes - body.Length);
        }
        else
        {
            MoveRowAside(row with { First = keep }, body, stamp);
        }
    }

    // False when the row could not be read: then it is aside as a whole.
    bool CopyAside(int consumer, RowKey row, long from, long to, string reason, long stamp)
    {
        if (!ReadPart(row, from, to, out byte[] body))
        {
            MoveRowAside(row, body, stamp);
            return false;
        }
        PutAside(row.Lane, from, to, stamp, reason, body, Progress.Names[consumer]);
        return true;
    }

    // The lines from one number to another as a gzip member; false, and the bytes as they are, when they are no such lines.
    bool ReadPart(RowKey row, long from, long to, out byte[] body)
    {
        body = ReadBody(row.Id);
        // An error of the file undoes the whole transaction.
        if (_db.Failed || (from == row.First && to == row.Last)) return true;
        if (!_inflater.InflateLines(body, row.Last - row.First + 1)) return false;
        _deflater.Write(_inflater.Text[_inflater.OffsetOfLine(from - row.First).._inflater.OffsetOfLine(to - row.First + 1)]);
        body = _deflater.Finish().ToArray();
        return true;
    }

    /// <summary>Moves one row aside that could not be read.</summary>
    public void MoveRowAside(int lane, long id, long first, long last, string? owner, long stamp)
    {
        byte[] body = ReadBody(id);
        MoveRowAside(new RowKey(lane, id, first, last, body.Length, owner), body, stamp);
        TrimAside();
    }

    void MoveRowAside(RowKey row, byte[] body, long stamp)
    {
        _delete.Bind(1, row.Id).Run();
        // Evicted or settled since it was met.
        if (_db.Failed || _db.Changes == 0) return;
        PutAside(row.Lane, row.First, row.Last, stamp, UnreadableRow, body, null);
        Ledger[row.Lane].Quarantined += row.Count;
        Shrink(row.Lane, row.Bytes);
        Progress.Left(Lane.Type(row.Lane), row.First, row.Last, row.Owner, missed: false);
    }

    /// <summary>Moves one alert aside that could not be read.</summary>
    public void MoveAlertAside(long sequence, long stamp, ReadOnlySpan<byte> blob)
    {
        _deleteAlert.Bind(1, sequence).Run();
        if (_db.Failed || _db.Changes == 0) return;
        PutAside(SpoolLedger.Alerts, sequence, sequence, stamp, "unreadable alert", blob, null);
        Ledger[SpoolLedger.Alerts].Quarantined++;
        Shrink(SpoolLedger.Alerts, blob.Length);
        TrimAside();
    }

    void PutAside(int line, long first, long last, long stamp, string reason, ReadOnlySpan<byte> body, string? consumer) =>
        _moveAside.Bind(1, line & 1).Bind(2, line / 2).Bind(3, first).Bind(4, last).Bind(5, stamp).Bind(6, reason).Bind(7, body).Bind(8, consumer).Run();

    // What was moved aside stays counted when its bytes go: the oldest, beyond a thirty-second of the quota.
    void TrimAside()
    {
        while (_asideCount.Step() && _asideCount.Int64(1) > _limits.AsideBytes)
        {
            long id = _asideCount.Int64(2);
            _asideCount.Reset();
            _asideDelete.Bind(1, id).Run();
        }
        _asideCount.Reset();
    }

    byte[] ReadBody(long id)
    {
        byte[] body = _body.Bind(1, id).Step() ? _body.Blob(0).ToArray() : [];
        _body.Reset();
        return body;
    }
}
