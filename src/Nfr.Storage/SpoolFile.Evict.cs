using Nfr.Events;

namespace Nfr.Storage;

/// <summary>
/// What goes when the limits say so. Quotas first, each class within its own; then, for room, by value: unscored events, scored ones, alerts, each
/// oldest first; last what is too old. Within a transaction.
/// </summary>
sealed partial class SpoolFile
{
    /// <summary>
    /// Rows that one transaction evicts for a quota or an age at most: after a change of the config it is a whole ring that has to go, and the log is
    /// small. Far more than a transaction brings, so that it ends.
    /// </summary>
    const int RowsAtOnce = 256;

    /// <summary>Brings the ring back within its limits.</summary>
    public void Evict()
    {
        while (Ledger[SpoolLedger.Alerts].InSpool > _limits.Alerts && EvictAlert())
        {
        }
        foreach (SpoolClass of in SpoolClasses.All)
        {
            for (int i = 0; i < RowsAtOnce && Ledger.BytesOf(of) > _limits.Quota(of) && Evict(of, long.MaxValue); i++)
            {
            }
        }
        while (!_db.Failed && UsedBytes > _limits.RingBytes && (EvictEvents(0) || EvictEvents(1) || EvictAlert()))
        {
        }
    }

    /// <summary>Evicts what was born before its class's age; true when there may be more.</summary>
    /// <param name="now">Running time.</param>
    public bool EvictAged(long now)
    {
        int rows = 0;
        foreach (SpoolClass of in SpoolClasses.All)
        {
            if (_limits.Age(of) > now) continue;
            while (rows < RowsAtOnce && Evict(of, now - _limits.Age(of))) rows++;
            if (rows == RowsAtOnce) return true;
        }
        return false;
    }

    /// <summary>Evicts the oldest row of a class over all types; false when there is none.</summary>
    public bool EvictEvents(int scored) => scored == 1 ? Evict(SpoolClass.Scored, long.MaxValue) : EvictOldest(0, 0, EventTypes.UploadedCount, long.MaxValue);

    public bool EvictAlert() => EvictAlert(long.MaxValue);

    // Long.MaxValue: for room; else for age.
    bool Evict(SpoolClass of, long bornBefore) => of switch
    {
        SpoolClass.Alerts => EvictAlert(bornBefore),
        SpoolClass.Scored => EvictOldest(1, 0, EventTypes.UploadedCount, bornBefore),
        _ => EvictOldest(0, of - SpoolClass.Dns, of - SpoolClass.Dns + 1, bornBefore),
    };

    bool EvictOldest(int scored, int fromType, int toType, long bornBefore)
    {
        RowKey row = default;
        for (int type = fromType; type < toType; type++)
        {
            if (_oldest.Bind(1, scored).Bind(2, type).Step() && (row.Id == 0 || _oldest.Int64(0) < row.Id) && _oldest.Int64(4) < bornBefore)
            {
                row = new RowKey(Lane.Of((EventType)type, scored == 1), _oldest.Int64(0), _oldest.Int64(1), _oldest.Int64(2), _oldest.Int64(3), OwnerOf(_oldest, 5));
            }
            _oldest.Reset();
        }
        if (row.Id == 0 || _db.Failed) return false;
        _delete.Bind(1, row.Id).Run();
        ref SpoolLedger.Line line = ref Ledger[row.Lane];
        line.Evicted += row.Count;
        if (bornBefore < long.MaxValue) line.Aged += row.Count;
        Shrink(row.Lane, row.Bytes);
        Progress.Left(Lane.Type(row.Lane), row.First, row.Last, row.Owner, missed: true);
        return true;
    }

    bool EvictAlert(long bornBefore)
    {
        bool any = _oldestAlert.Step() && _oldestAlert.Int64(2) < bornBefore;
        (long sequence, long bytes) = any ? (_oldestAlert.Int64(0), _oldestAlert.Int64(1)) : default;
        _oldestAlert.Reset();
        if (!any || _db.Failed) return false;
        _deleteAlert.Bind(1, sequence).Run();
        Ledger[SpoolLedger.Alerts].Evicted++;
        if (bornBefore < long.MaxValue) Ledger[SpoolLedger.Alerts].Aged++;
        Shrink(SpoolLedger.Alerts, bytes);
        return true;
    }

    // Rows that were damaged may have another length than when they were counted.
    void Shrink(int line, long bytes) => Ledger[line].Bytes = Ledger[line].InSpool == 0 ? 0 : Math.Max(0, Ledger[line].Bytes - bytes);
}
