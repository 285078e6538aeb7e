using Nfr.Events;
using Nfr.Native;

namespace Nfr.Storage;

/// <summary>What a requeue did.</summary>
/// <param name="Events">Put back into the ring.</param>
/// <param name="Rows">Of the quarantine that they were.</param>
/// <param name="Left">Rows that stay aside, and why, one clause each.</param>
/// <param name="Fault">Why it ended early; what was put back is so.</param>
public sealed record RequeueReport(long Events, int Rows, IReadOnlyList<string> Left, SpoolFault? Fault);

// Back from the quarantine.
public sealed partial class Spool
{
    /// <summary>
    /// Puts events that a consumer could not take back into the ring, for that consumer alone, as new ones: with new numbers, and counted as spooled
    /// anew; that they were quarantined once stays counted. What nobody could read stays aside.
    /// </summary>
    /// <param name="ids">Of <see cref="QuarantinedRow"/>s; empty = all.</param>
    public RequeueReport Requeue(IReadOnlyCollection<long> ids)
    {
        ArgumentNullException.ThrowIfNull(ids);
        var left = new List<string>();
        var met = new HashSet<long>();
        (long events, int rows, long after) = (0, 0, 0);
        while (true)
        {
            var turn = new SpoolFile.RequeueTurn(0, 0, 0, [], [], []);
            SpoolFault? fault;
            lock (_writeLock)
            {
                if (_disposed) return new RequeueReport(events, rows, left, Closed());
                (long stamp, long born) = (Stamp(), Running);
                fault = Write(file => turn = file.Requeue(after, ids, stamp, born), _limits.TransactionBytes, committed: () =>
                {
                    foreach ((int lane, int count) in turn.Spooled) _accepted[lane] += count;
                });
            }
            if (fault is not null) return new RequeueReport(events, rows, left, fault);
            events += turn.Spooled.Sum(s => s.Count);
            rows += turn.Rows;
            left.AddRange(turn.Left);
            met.UnionWith(turn.Met);
            if (turn.Seen == 0) break;
            after = turn.Last;
        }
        foreach (long id in ids.Distinct())
        {
            if (!met.Contains(id)) left.Add($"#{id} is not there");
        }
        return new RequeueReport(events, rows, left, null);
    }
}

sealed partial class SpoolFile
{
    const int RequeuedAtOnce = 16;

    public sealed record RequeueTurn(int Seen, int Rows, long Last, IReadOnlyList<(int Lane, int Count)> Spooled, IReadOnlyList<string> Left, IReadOnlyList<long> Met);

    /// <summary>A few rows of the quarantine, the oldest after one, back into the ring.</summary>
    public RequeueTurn Requeue(long after, IReadOnlyCollection<long> ids, long stamp, long born)
    {
        var aside = new List<(long Id, int Lane, long Count, byte[] Body, string? Consumer)>();
        using (SqliteStatement read = _db.Prepare("SELECT id,class,type,last-first+1,body,consumer FROM quarantined WHERE id>?1 ORDER BY id LIMIT ?2"))
        {
            read.Bind(1, after).Bind(2, RequeuedAtOnce);
            while (read.Step())
            {
                aside.Add((read.Int64(0), (int)((read.Int64(2) * 2) + read.Int64(1)), read.Int64(3), read.Blob(4).ToArray(), OwnerOf(read, 5)));
            }
        }
        var spooled = new List<(int, int)>();
        var left = new List<string>();
        // Of those that were asked for.
        var met = new List<long>();
        foreach ((long id, int lane, long count, byte[] body, string? consumer) in aside)
        {
            if (ids.Count > 0)
            {
                if (!ids.Contains(id)) continue;
                met.Add(id);
            }
            int of = consumer is null ? -1 : Array.IndexOf([.. Progress.Names], consumer);
            if (consumer is null || lane is < 0 or >= Lane.Count || !_inflater.InflateLines(body, count)) left.Add($"#{id} cannot be read");
            else if (of < 0 || Progress[of, Lane.Type(lane)].IsOff) left.Add($"#{id} was for {consumer}, which takes events no more");
            else
            {
                // With one consumer it is for whoever is there.
                Insert(lane, Ledger.NextOfType(lane), (int)count, stamp, born, body, Progress.Names.Count == 1 ? null : consumer);
                for (int i = 0; i < Progress.Names.Count; i++)
                {
                    if (i != of) Progress[i, Lane.Type(lane)].Base += count;
                }
                _asideDelete.Bind(1, id).Run();
                spooled.Add((lane, (int)count));
                Evict();
            }
        }
        return new RequeueTurn(aside.Count, spooled.Count, aside.Count > 0 ? aside[^1].Id : after, spooled, left, met);
    }
}
