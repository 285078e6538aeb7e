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
        using (SqliteStatement read = _db.Prepare("SELECT line,next,spooled,delivered,evicted,quarantined,lost,digest,bytes,aged FROM ledger"))
        {
            while (read.Step())
            {
                long index = read.Int64(0);
                if (index is < 0 or >= SpoolLedger.Lines) continue;
                var line = new SpoolLedger.Line
                {
                    Next = read.Int64(1), Spooled = read.Int64(2), Delivered = read.Int64(3),
                    Evicted = read.Int64(4), Quarantined = read.Int64(5), Lost = read.Int64(6), Bytes = read.Int64(8), Aged = read.Int64(9),
                };
                whole[index] = line.Digest == read.Int64(7);
                if (whole[index]) Ledger[(int)index] = line;
            }
        }
        (long[] rows, long[] next) = CountRows();
        for (int i = 0; i < SpoolLedger.Lines && !_db.Failed; i++)
        {
            ref SpoolLedger.Line line = ref Ledger[i];
            if (!whole[i])
            {
                Corrected++;
                line.Bytes = CountBytes(i);
            }
            // No commit leaves a row above its ledger: then it is the row's numbers that are damaged.
            else if (next[i] > line.Next) _db.Report(SqliteError.Corrupt, "a row's sequence numbers were never given");
            if (rows[i] == 0) line.Bytes = 0;
            long difference = line.InSpool - rows[i];
            if (difference > 0) line.Quarantined += difference;
            else line.Spooled -= difference;
            Corrected += Math.Abs(difference);
            line.Next = Math.Max(line.Next, next[i]);
        }
        LoadProgress();
        // A correction reaches the file when its line changes next; until then every start makes it again.
        Accept();
    }

    // Reads every row's head; only where the ledger does not say.
    long CountBytes(int line)
    {
        using SqliteStatement sum = line == SpoolLedger.Alerts
            ? _db.Prepare("SELECT sum(length(body)) FROM alert")
            : _db.Prepare($"SELECT sum(length(body)) FROM batch WHERE class={Lane.Class(line)} AND type={line / 2}");
        return sum.Step() ? sum.Int64(0) : 0;
    }

    // As the ledger: what is waited for is counted from the rows. A line that is damaged begins anew with the oldest row: better twice than never.
    void LoadProgress()
    {
        var names = new List<string>();
        var lines = new List<SpoolProgress.Line>();
        var whole = new List<bool>();
        using (SqliteStatement read = _db.Prepare("SELECT name,type,through,live_from,live_through,base,delivered,quarantined,missed,digest FROM consumer ORDER BY name"))
        {
            while (read.Step())
            {
                string name = read.Text(0) ?? "";
                long type = read.Int64(1);
                if (type is < 0 or >= EventTypes.UploadedCount) continue;
                if (names.Count == 0 || names[^1] != name)
                {
                    names.Add(name);
                    lines.AddRange(new SpoolProgress.Line[EventTypes.UploadedCount]);
                    whole.AddRange(new bool[EventTypes.UploadedCount]);
                }
                var line = new SpoolProgress.Line
                {
                    Through = read.Int64(2), LiveFrom = read.Int64(3), LiveThrough = read.Int64(4), Base = read.Int64(5),
                    Delivered = read.Int64(6), Quarantined = read.Int64(7), Missed = read.Int64(8),
                };
                int index = SpoolProgress.Index(names.Count - 1, (EventType)type);
                whole[index] = line.Digest == read.Int64(9);
                if (whole[index]) lines[index] = line;
            }
        }
        Progress.Load([.. names], [.. lines]);
        using SqliteStatement count = _db.Prepare(
            "SELECT sum(max(0,last+1-max(first,CASE WHEN first<?2 THEN ?3 ELSE ?4 END))) FROM batch WHERE class IN (0,1) AND type=?1"
            + " AND (owner IS NULL OR owner=?5)");
        for (int i = 0; i < whole.Count && !_db.Failed; i++)
        {
            (int consumer, EventType type) = (i / EventTypes.UploadedCount, (EventType)(i % EventTypes.UploadedCount));
            ref SpoolProgress.Line line = ref Progress[consumer, type];
            if (!whole[i])
            {
                line = SpoolProgress.Fresh(type, Ledger, OthersOf(names[consumer])[(int)type]);
                Corrected++;
            }
            if (line.IsOff) continue;
            long waiting = count.Bind(1, (int)type).Bind(2, line.Before).Bind(3, line.Through + 1).Bind(4, line.LiveThrough + 1).Bind(5, names[consumer]).Step() ? count.Int64(0) : 0;
            count.Reset();
            long difference = line.Tally(Ledger.SpooledOfType((int)type)).Waiting - waiting;
            if (difference > 0) line.Quarantined += difference;
            else line.Base += difference;
            Corrected += Math.Abs(difference);
            // Nothing new may ever be numbered below what counts as settled.
            ref SpoolLedger.Line lane = ref Ledger[Lane.Of(type, false)];
            lane.Next = Math.Max(lane.Next, Math.Max(line.Through + 1, Math.Max(line.LiveFrom, line.LiveThrough + 1)));
        }
    }

    /// <summary>By type, the events in the ring that are for one consumer alone, and not for this one.</summary>
    public long[] OthersOf(string name)
    {
        var events = new long[EventTypes.UploadedCount];
        using SqliteStatement count = _db.Prepare("SELECT type,sum(last-first+1) FROM batch WHERE owner IS NOT NULL AND owner<>?1 AND type BETWEEN 0 AND 3 GROUP BY type");
        count.Bind(1, name);
        while (count.Step()) events[count.Int64(0)] = count.Int64(1);
        return events;
    }

    // Version 1 knew one who takes: its account goes on as the engine's.
    void Upgrade()
    {
        _db.Execute("BEGIN IMMEDIATE");
        _db.Execute(ConsumerTable);
        _db.Execute("ALTER TABLE quarantined ADD COLUMN consumer TEXT");
        _db.Execute("UPDATE quarantined SET consumer='engine' WHERE reason NOT LIKE 'unreadable %'");
        _db.Execute("ALTER TABLE batch ADD COLUMN born INTEGER NOT NULL DEFAULT 0");
        _db.Execute("ALTER TABLE batch ADD COLUMN owner TEXT");
        _db.Execute("DROP INDEX batch_order");
        _db.Execute("CREATE UNIQUE INDEX batch_order ON batch(class, type, first, last, owner)");
        _db.Execute("ALTER TABLE alert ADD COLUMN born INTEGER NOT NULL DEFAULT 0");
        _db.Execute("ALTER TABLE ledger ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0");
        _db.Execute("ALTER TABLE ledger ADD COLUMN aged INTEGER NOT NULL DEFAULT 0");
        UpgradeLedger();
        for (int type = 0; type < EventTypes.UploadedCount; type++)
        {
            var line = new SpoolProgress.Line();
            using (SqliteStatement read = _db.Prepare($"SELECT sum(delivered),sum(quarantined),sum(evicted) FROM ledger WHERE line IN ({type * 2},{(type * 2) + 1})"))
            {
                if (read.Step()) (line.Delivered, line.Quarantined, line.Missed) = (read.Int64(0), read.Int64(1), read.Int64(2));
            }
            _db.Execute($"INSERT INTO consumer VALUES('engine',{type},0,0,0,0,{line.Delivered},{line.Quarantined},{line.Missed},{line.Digest})");
        }
        _db.Execute($"PRAGMA user_version={SchemaVersion}");
        _db.Execute("COMMIT");
        if (_db.Failed) _db.Rollback();
    }

    // The digest of version 1 did not know the two new numbers. A line that was damaged then stays so.
    void UpgradeLedger()
    {
        var lines = new List<(long Index, SpoolLedger.Line Line)>();
        using (SqliteStatement read = _db.Prepare("SELECT line,next,spooled,delivered,evicted,quarantined,lost,digest FROM ledger"))
        {
            while (read.Step())
            {
                long[] numbers = [read.Int64(1), read.Int64(2), read.Int64(3), read.Int64(4), read.Int64(5), read.Int64(6)];
                if (read.Int64(0) is < 0 or >= SpoolLedger.Lines || SpoolLedger.DigestOf(numbers) != read.Int64(7)) continue;
                lines.Add((read.Int64(0), new SpoolLedger.Line
                {
                    Next = numbers[0], Spooled = numbers[1], Delivered = numbers[2], Evicted = numbers[3], Quarantined = numbers[4], Lost = numbers[5],
                }));
            }
        }
        foreach ((long index, SpoolLedger.Line line) in lines)
        {
            SpoolLedger.Line counted = line with { Bytes = CountBytes((int)index) };
            _db.Execute($"UPDATE ledger SET bytes={counted.Bytes},digest={counted.Digest} WHERE line={index}");
        }
    }

    /// <summary>The running time that the file knows of: as it was noted, or as the newest rows were born.</summary>
    public long LastRunning(string state)
    {
        long running = 0;
        foreach (string query in (string[])["SELECT born FROM batch ORDER BY id DESC LIMIT 1", "SELECT born FROM alert ORDER BY sequence DESC LIMIT 1", $"SELECT CAST(value AS INTEGER) FROM state WHERE name='{state}'"])
        {
            using SqliteStatement read = _db.Prepare(query);
            if (read.Step()) running = Math.Max(running, read.Int64(0));
        }
        return running;
    }

    void SaveProgress()
    {
        foreach (string name in Progress.CommittedNames)
        {
            if (!Progress.Names.Contains(name)) _forgetConsumer.Bind(1, name).Run();
        }
        for (int i = 0; i < Progress.Names.Count; i++)
        {
            foreach (EventType type in EventTypes.Uploaded)
            {
                if (!Progress.Changed(i, type)) continue;
                SpoolProgress.Line line = Progress[i, type];
                _saveProgress.Bind(1, Progress.Names[i]).Bind(2, (int)type).Bind(3, line.Through).Bind(4, line.LiveFrom).Bind(5, line.LiveThrough).Bind(6, line.Base)
                    .Bind(7, line.Delivered).Bind(8, line.Quarantined).Bind(9, line.Missed).Bind(10, line.Digest).Run();
            }
        }
    }

    void Accept()
    {
        Ledger.Accept();
        Progress.Accept();
    }

    void Restore()
    {
        Ledger.Restore();
        Progress.Restore();
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
