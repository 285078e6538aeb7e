using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>
/// A spool read from beside: the sensor that owns it may be running. Nothing is written. Rows are read a few at a time, each page in a moment of its own, so
/// that the sensor's log can start over between two of them; what leaves the ring meanwhile is passed over.
/// </summary>
public sealed class SpoolArchive : IDisposable
{
    const int PageRows = 32;

    readonly SqliteConnection _db;
    readonly string _directory;
    readonly Inflater _inflater = new();

    SpoolArchive(SqliteConnection db, string directory)
    {
        _db = db;
        _directory = directory;
    }

    internal static SqliteError OfAnotherVersion { get; } = new(SqliteError.NotADatabase, "it was written by another version of nfr; nfr start takes it over");

    /// <summary>Opens the spool in a folder; null, and why in one clause, when there is none or it cannot be read.</summary>
    public static SpoolArchive? Open(string directory, out string? why)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        string path = Path.Combine(directory, "spool.db");
        why = null;
        // SQLite would make an empty one.
        if (!File.Exists(path))
        {
            why = "there is no spool";
            return null;
        }
        SqliteError error = SqliteConnection.Open(path, null, out SqliteConnection? db);
        if (db is not null)
        {
            SpoolFile.Configure(db);
            db.Execute("PRAGMA query_only=ON");
            string? version = db.Scalar("PRAGMA user_version");
            error = db.TakeError();
            if (version == SpoolFile.Version) return new SpoolArchive(db, directory);
            if (!error.IsError) error = OfAnotherVersion;
            db.Dispose();
        }
        why = error.Message;
        return null;
    }

    /// <summary>What is there, from one moment; null, and why, when it cannot be read.</summary>
    public SpoolFacts? ReadFacts(out string? why)
    {
        _db.Execute("BEGIN");
        var shares = new List<SpoolShare>();
        var bytes = new long[SpoolLedger.Lines];
        var spooled = new long[EventTypes.UploadedCount];
        Each("SELECT line,bytes,spooled FROM ledger WHERE line BETWEEN 0 AND 8", row =>
        {
            bytes[row.Int64(0)] = row.Int64(1);
            if (row.Int64(0) < Lane.Count) spooled[row.Int64(0) / 2] += row.Int64(2);
        });
        Each("SELECT class,type,count(*),sum(last-first+1),min(first),max(first) FROM batch GROUP BY class,type ORDER BY type,class", row =>
        {
            (bool scored, var type) = (row.Int64(0) == 1, (EventType)row.Int64(1));
            const string stamp = "SELECT stamp FROM batch WHERE class={0} AND type={1} AND first={2}";
            DateTimeOffset Stamp(long first) => Time(One(string.Format(System.Globalization.CultureInfo.InvariantCulture, stamp, row.Int64(0), row.Int64(1), first)));
            shares.Add(new SpoolShare(type.Name(), scored, row.Int64(2), row.Int64(3), bytes[Lane.Of(type, scored)], Stamp(row.Int64(4)), Stamp(row.Int64(5))));
        });
        Each("SELECT count(*),min(stamp),max(stamp) FROM alert", row =>
        {
            if (row.Int64(0) > 0) shares.Add(new SpoolShare(SpoolFilter.AlertType, false, row.Int64(0), row.Int64(0), bytes[SpoolLedger.Alerts], Time(row.Int64(1)), Time(row.Int64(2))));
        });
        var aside = new List<QuarantinedRow>();
        Each("SELECT id,class,type,first,last,stamp,reason,consumer,length(body) FROM quarantined ORDER BY id", row => aside.Add(new QuarantinedRow(
            row.Int64(0), row.Int64(2) >= EventTypes.UploadedCount ? SpoolFilter.AlertType : ((EventType)row.Int64(2)).Name(), row.Int64(3), row.Int64(4), Time(row.Int64(5)),
            row.Text(6) ?? "", row.IsNull(7) ? null : row.Text(7), row.Int64(8))));
        var consumers = new List<(string, EventType, ConsumerTally)>();
        Each("SELECT name,type,through,live_from,live_through,base,delivered,quarantined,missed FROM consumer ORDER BY name,type", row =>
        {
            var type = (EventType)row.Int64(1);
            if ((int)type >= EventTypes.UploadedCount) return;
            ConsumerTally tally = LineOf(row).Tally(spooled[(int)type]);
            if (tally.Waiting > 0) tally = tally with { OldestWaiting = Oldest(row.Text(0) ?? "", type, LineOf(row)) };
            consumers.Add((row.Text(0) ?? "", type, tally));
        });
        SpoolOutlook? outlook = SpoolOutlook.FromText(_db.Scalar($"SELECT value FROM state WHERE name='{SpoolOutlook.State}'"));
        _db.Rollback();
        SqliteError error = _db.TakeError();
        why = error.Message;
        return error.IsError ? null : new SpoolFacts
        {
            Shares = shares, Quarantined = aside, Consumers = consumers, Outlook = outlook,
            BytesOnDisk = Length("spool.db") + Length("spool.db-wal") + Length("reserve"), QuarantinedFiles = Folders(),
        };
    }

    /// <summary>Events of the wanted kinds, type by type, alerts last, each by number; ends early, and says why, when the file cannot be read on.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="trouble">Told why it ends early, and of rows that cannot be read.</param>
    /// <param name="passed">Told how many events lie behind, wanted or not.</param>
    public IEnumerable<SpooledEvent> ReadEvents(SpoolFilter filter, Action<string> trouble, Action<long>? passed = null)
    {
        ArgumentNullException.ThrowIfNull(filter);
        ArgumentNullException.ThrowIfNull(trouble);
        foreach (EventType type in EventTypes.Uploaded)
        {
            if (!filter.Wants(type.Name(), scored: true)) continue;
            foreach (SpooledEvent found in ReadType(type, filter, trouble, passed)) yield return found;
        }
        if (filter.Consumer is not null || !filter.Wants(SpoolFilter.AlertType, scored: false)) yield break;
        foreach (SpooledEvent found in ReadAlerts(filter, trouble, passed)) yield return found;
    }

    readonly record struct Row(bool Scored, long First, long Last, long Stamp, byte[] Body, string? Owner);

    IEnumerable<SpooledEvent> ReadType(EventType type, SpoolFilter filter, Action<string> trouble, Action<long>? passed)
    {
        SpoolProgress.Line? line = filter.Consumer is { } consumer ? Progress(consumer, type) : default(SpoolProgress.Line);
        if (line is not { IsOff: false } progress) yield break;
        long after = 0, behind = 0;
        while (true)
        {
            List<Row> page = Page(type, after);
            if (_db.TakeError() is { IsError: true } error)
            {
                trouble($"the file cannot be read on: {error.Message}");
                yield break;
            }
            if (page.Count == 0) yield break;
            foreach (Row row in page)
            {
                after = row.First;
                // Settled in part meanwhile, a row begins later than it did and comes again.
                long fresh = Math.Max(row.First, behind + 1), from = Math.Max(fresh, progress.Next(row.First));
                if (from <= row.Last && (filter.Consumer is null || row.Owner is null || row.Owner == filter.Consumer) && filter.Wants(type.Name(), row.Scored) && filter.Wants(row.Stamp))
                {
                    if (!_inflater.InflateLines(row.Body, row.Last - row.First + 1))
                    {
                        trouble($"the row with {type.Name()} events {row.First} to {row.Last} cannot be read; passed over");
                    }
                    else
                    {
                        behind = row.Last;
                        // The text is the inflater's own until the next row.
                        ReadOnlyMemory<byte> text = _inflater.Text.ToArray();
                        for (long sequence = row.First; sequence <= row.Last; sequence++)
                        {
                            int end = text.Span.IndexOf((byte)'\n');
                            if (sequence >= from) yield return new SpooledEvent(type.Name(), row.Scored, sequence, Time(row.Stamp), text[..end]);
                            text = text[(end + 1)..];
                        }
                    }
                }
                if (fresh <= row.Last) passed?.Invoke(row.Last - fresh + 1);
            }
        }
    }

    // Both classes by number.
    List<Row> Page(EventType type, long after)
    {
        var page = new List<Row>();
        for (int scored = 0; scored < 2; scored++)
        {
            using SqliteStatement rows = _db.Prepare("SELECT first,last,stamp,body,owner FROM batch WHERE class=?1 AND type=?2 AND first>?3 ORDER BY first LIMIT ?4");
            rows.Bind(1, scored).Bind(2, (int)type).Bind(3, after).Bind(4, PageRows);
            while (rows.Step()) page.Add(new Row(scored == 1, rows.Int64(0), rows.Int64(1), rows.Int64(2), rows.Blob(3).ToArray(), rows.IsNull(4) ? null : rows.Text(4)));
        }
        page.Sort((a, b) => a.First.CompareTo(b.First));
        return page.Count > PageRows ? page[..PageRows] : page;
    }

    IEnumerable<SpooledEvent> ReadAlerts(SpoolFilter filter, Action<string> trouble, Action<long>? passed)
    {
        long after = 0;
        while (true)
        {
            var page = new List<SpooledEvent>();
            long behind = after;
            using (SqliteStatement rows = _db.Prepare("SELECT sequence,stamp,body FROM alert WHERE sequence>?1 ORDER BY sequence LIMIT ?2"))
            {
                rows.Bind(1, after).Bind(2, PageRows);
                while (rows.Step())
                {
                    behind = rows.Int64(0);
                    if (filter.Wants(rows.Int64(1))) page.Add(new SpooledEvent(SpoolFilter.AlertType, false, behind, Time(rows.Int64(1)), rows.Blob(2).ToArray()));
                    passed?.Invoke(1);
                }
            }
            if (_db.TakeError() is { IsError: true } error)
            {
                trouble($"the file cannot be read on: {error.Message}");
                yield break;
            }
            foreach (SpooledEvent alert in page) yield return alert;
            if (behind == after) yield break;
            after = behind;
        }
    }

    SpoolProgress.Line? Progress(string consumer, EventType type)
    {
        using SqliteStatement read = _db.Prepare("SELECT name,type,through,live_from,live_through,base,delivered,quarantined,missed FROM consumer WHERE name=?1 AND type=?2");
        SpoolProgress.Line? line = read.Bind(1, consumer).Bind(2, (int)type).Step() ? LineOf(read) : null;
        _db.TakeError();
        return line;
    }

    static SpoolProgress.Line LineOf(SqliteStatement row) => new()
    {
        Through = row.Int64(2), LiveFrom = row.Int64(3), LiveThrough = row.Int64(4), Base = row.Int64(5), Delivered = row.Int64(6), Quarantined = row.Int64(7), Missed = row.Int64(8),
    };

    DateTimeOffset? Oldest(string consumer, EventType type, SpoolProgress.Line line)
    {
        // The few rows at the beginning may be settled already and wait for another.
        using SqliteStatement row = _db.Prepare("SELECT stamp FROM batch WHERE class IN (0,1) AND type=?1 AND (owner IS NULL OR owner=?2)"
            + " AND last>(CASE WHEN first<?3 THEN ?4 ELSE ?5 END) ORDER BY first LIMIT 1");
        return row.Bind(1, (int)type).Bind(2, consumer).Bind(3, line.Before).Bind(4, line.Through).Bind(5, line.LiveThrough).Step() ? Time(row.Int64(0)) : null;
    }

    void Each(string query, Action<SqliteStatement> row)
    {
        using SqliteStatement rows = _db.Prepare(query);
        while (rows.Step()) row(rows);
    }

    long One(string query)
    {
        using SqliteStatement row = _db.Prepare(query);
        return row.Step() ? row.Int64(0) : 0;
    }

    static DateTimeOffset Time(long stamp) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(stamp, 0, 253_402_300_799_999));

    long Length(string name) => new FileInfo(Path.Combine(_directory, name)) is { Exists: true } file ? file.Length : 0;

    List<string> Folders()
    {
        try
        {
            string path = Path.Combine(_directory, "quarantine");
            return Directory.Exists(path) ? [.. Directory.GetFileSystemEntries(path).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public void Dispose() => _db.Dispose();
}
