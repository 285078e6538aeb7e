using System.Globalization;
using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>The ring's file, its reading side: a connection of its own, so that reading never waits for a commit. Callers hold the read lock.</summary>
sealed class SpoolReader : IDisposable
{
    /// <summary>
    /// Most bytes of JSON in one batch: events that repeat themselves shrink a thousandfold, and a batch that the engine refuses is unpacked to be
    /// halved.
    /// </summary>
    const int MaxBatchText = 16 << 20;

    readonly SqliteConnection _db;
    readonly SqliteStatement _unscored, _scored, _alerts, _state, _stamp;
    readonly Inflater _inflater = new();
    readonly Deflater _deflater = new();

    SpoolReader(SqliteConnection db)
    {
        _db = db;
        SpoolFile.Configure(db);
        db.Execute("PRAGMA query_only=ON");
        // From the row that holds the first wanted number, or else from the first row above it; the one before may come along.
        const string rows = "SELECT first,last,id,body,owner FROM batch WHERE class={0} AND type=?1 AND first<?3 AND (owner IS NULL OR owner=?4)"
            + " AND first>=(SELECT coalesce(max(first),0) FROM batch WHERE class={0} AND type=?1 AND first<=?2) ORDER BY first";
        _unscored = db.Prepare(string.Format(CultureInfo.InvariantCulture, rows, 0));
        _scored = db.Prepare(string.Format(CultureInfo.InvariantCulture, rows, 1));
        _alerts = db.Prepare("SELECT sequence,body FROM alert WHERE sequence>?1 ORDER BY sequence LIMIT ?2");
        _stamp = db.Prepare("SELECT min(stamp),min(born) FROM (SELECT stamp,born FROM batch WHERE class=?4 AND type=?1 AND first<?3 AND last>=?2 AND (owner IS NULL OR owner=?5)"
            + " AND first>=(SELECT coalesce(max(first),0) FROM batch WHERE class=?4 AND type=?1 AND first<=?2) ORDER BY first LIMIT 1)");
        _state = db.Prepare("SELECT value FROM state WHERE name=?1");
    }

    /// <summary>A row that could not be inflated.</summary>
    public readonly record struct BadRow(int Lane, long Id, long First, long Last, string? Owner);

    public static SqliteError Open(string path, string? vfs, out SpoolReader? reader)
    {
        reader = null;
        SqliteError error = SqliteConnection.Open(path, vfs, out SqliteConnection? db);
        if (db is null) return error;
        var opened = new SpoolReader(db);
        error = db.Error;
        if (error.IsError) opened.Dispose();
        else reader = opened;
        return error;
    }

    /// <summary>
    /// The oldest rows of a type, from number <paramref name="from"/> on and below <paramref name="before"/>; the first is cut there. Both classes are walked in one read transaction: two views of different age could show a later row without an
    /// earlier one of the other class, and "delivered up to here" would then take that one too.
    /// </summary>
    public SqliteError Peek(string consumer, EventType type, long from, long before, int maxEvents, int maxBytes, out SpoolBatch? batch, List<BadRow> bad)
    {
        batch = null;
        using var body = new MemoryStream();
        var ranges = new List<SequenceRange>();
        int events = 0;
        long text = 0;
        _db.Execute("BEGIN");
        bool hasUnscored = _unscored.Bind(1, (int)type).Bind(2, from).Bind(3, before).Bind(4, consumer).Step();
        bool hasScored = _scored.Bind(1, (int)type).Bind(2, from).Bind(3, before).Bind(4, consumer).Step();
        while (hasUnscored || hasScored)
        {
            bool takeScored = hasScored && (!hasUnscored || _scored.Int64(0) < _unscored.Int64(0));
            SqliteStatement row = takeScored ? _scored : _unscored;
            long first = row.Int64(0), last = row.Int64(1);
            ReadOnlySpan<byte> member = row.Blob(3);
            long count = last - first + 1;
            if (last < from && last >= first)
            {
                // Settled by this one already; it waits for another.
            }
            else if (count is < 1 or > int.MaxValue / 2 || !_inflater.InflateLines(member, count))
            {
                if (_db.Failed) break;
                bad.Add(new BadRow(Lane.Of(type, takeScored), row.Int64(2), first, last, row.IsNull(4) ? null : row.Text(4)));
            }
            else
            {
                int start = 0;
                if (first < from)
                {
                    start = _inflater.OffsetOfLine(from - first);
                    _deflater.Write(_inflater.Text[start..]);
                    member = _deflater.Finish();
                    (first, count) = (from, last - from + 1);
                }
                text += _inflater.Text.Length - start;
                if (events > 0 && (events + count > maxEvents || body.Length + member.Length > maxBytes || text > MaxBatchText)) break;
                body.Write(member);
                ranges.Add(new SequenceRange(first, (int)count));
                events += (int)count;
                if (events >= maxEvents || body.Length >= maxBytes) break;
            }
            if (takeScored) hasScored = _scored.Step();
            else hasUnscored = _unscored.Step();
        }
        End();
        if (!_db.Failed && events > 0)
        {
            batch = new SpoolBatch(type, ranges[0].First, ranges[^1].Last, events, body.ToArray()) { Ranges = ranges };
        }
        return _db.TakeError();
    }

    /// <summary>When the oldest row of a type was spooled, by the clock and by the spool's running time, that holds a number from <paramref name="from"/> on and below <paramref name="before"/>; null when none does.</summary>
    public SqliteError OldestStamp(string consumer, EventType type, long from, long before, out long? stamp, out long? born)
    {
        (stamp, born) = (null, null);
        for (int scored = 0; scored < 2; scored++)
        {
            if (_stamp.Bind(1, (int)type).Bind(2, from).Bind(3, before).Bind(4, scored).Bind(5, consumer).Step() && !_stamp.IsNull(0))
            {
                stamp = Math.Min(stamp ?? long.MaxValue, _stamp.Int64(0));
                born = Math.Min(born ?? long.MaxValue, _stamp.Int64(1));
            }
            _stamp.Reset();
        }
        return _db.TakeError();
    }

    public SqliteError ReadAlerts(long after, int max, List<StoredAlert> alerts, List<(long Sequence, byte[] Blob)> bad)
    {
        _alerts.Bind(1, after).Bind(2, max);
        while (_alerts.Step())
        {
            ReadOnlySpan<byte> blob = _alerts.Blob(1);
            if (AlertJson.TryRead(blob, out Alert? alert, out _)) alerts.Add(new StoredAlert(_alerts.Int64(0), alert!));
            else bad.Add((_alerts.Int64(0), blob.ToArray()));
        }
        return _db.TakeError();
    }

    public SqliteError GetState(string name, out string? value)
    {
        value = _state.Bind(1, name).Step() ? _state.Text(0) : null;
        _state.Reset();
        return _db.TakeError();
    }

    void End()
    {
        SqliteError error = _db.TakeError();
        _unscored.Reset();
        _scored.Reset();
        _db.Rollback();
        if (error.IsError) _db.Report(error.Code, error.Message ?? "");
    }

    public void Dispose()
    {
        _unscored.Dispose();
        _scored.Dispose();
        _alerts.Dispose();
        _state.Dispose();
        _stamp.Dispose();
        _deflater.Dispose();
        _db.Dispose();
    }
}
