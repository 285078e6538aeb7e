using System.Globalization;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>
/// The difference of two ledgers: what moved between them, with the stocks at both ends. It adds up exactly when both are exact: what lay in a ring, a
/// table or the spool at the beginning + what came = what went + what lies there at the end.
/// </summary>
sealed record LedgerInterval(DateTimeOffset End, double Seconds, Ledger Moved)
{
    public long Lost
    {
        get
        {
            Ledger m = Moved;
            long lost = m.KernelDropped + m.Captures.Sum(c => c.Kernel?.Abandoned ?? 0) + NicLost + EventTypes.All.Sum(m.DroppedEventsOf) + m.MistakenFrames;
            if (m.Stage is { } stage) lost += stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum() + stage.AlertsUnkept;
            if (m is { Spool: { } spool, SpoolAtStart: { } start })
            {
                lost += Went(start, spool, t => t.LostBeforeSpool) + Went(start, spool, t => t.Evicted) + Went(start, spool, t => t.Quarantined);
            }
            return lost;
        }
    }

    public bool HasMoved => Moved.Frames != 0 || Moved.FlowsClosed != 0 || Lost != 0 || !Moved.Closes
        || (Moved is { Spool: { } spool, SpoolAtStart: { } start } && (Went(start, spool, t => t.Spooled) != 0 || Went(start, spool, t => t.Delivered) != 0));

    long NicLost => Moved.Captures.DistinctBy(c => c.Interface).Sum(c => c.Nic?.Lost ?? 0);

    /// <summary>The interval in plain words: what came, what became of it, what was lost and where, and whether it adds up.</summary>
    public string Sentence()
    {
        Ledger m = Moved;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"ledger: in {Seconds:0} s {m.Frames:N0} packets came, {EventTypes.All.Sum(m.EventsOf):N0} events were made");
        if (m.Stage is { } stage) text.Append(CultureInfo.InvariantCulture, $", {stage.InScope.Sum():N0} of them in scope, {stage.Alerts:N0} alerts");
        if (m is { Spool: { } spool, SpoolAtStart: { } start })
        {
            text.Append(CultureInfo.InvariantCulture, $"; {spool.Total.Spooled - start.Total.Spooled:N0} spooled, {spool.Total.Delivered - start.Total.Delivered:N0} delivered, {spool.Total.InSpool:N0} wait");
        }
        text.Append("; ");
        List<string> losses = [.. Losses()];
        text.Append(losses.Count == 0 ? "nothing was lost" : "lost: " + string.Join(", ", losses));
        if (!m.Closes) text.Append("; it does NOT add up: ").AppendJoin("; ", m.Gaps);
        else text.Append(m.IsExact || m.IsClosing ? "; it adds up" : "; a stage was too busy to be asked");
        return text.ToString();
    }

    IEnumerable<string> Losses()
    {
        Ledger m = Moved;
        if (NicLost > 0) yield return Count(NicLost, "packets on the card");
        if (m.KernelDropped > 0) yield return Count(m.KernelDropped, "packets in the kernel, its ring full");
        long abandoned = m.Captures.Sum(c => c.Kernel?.Abandoned ?? 0) + m.MistakenFrames;
        if (abandoned > 0) yield return Count(abandoned, "packets to mistakes in nfr itself");
        long dropped = EventTypes.All.Sum(m.DroppedEventsOf);
        if (dropped > 0) yield return Count(dropped, "events, the pipeline behind");
        if (m.Stage is { } stage && stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum() is > 0 and var mistaken) yield return Count(mistaken, "events to mistakes in nfr itself");
        if (m is not { Spool: { } spool, SpoolAtStart: { } start }) yield break;
        if (Went(start, spool, t => t.LostBeforeSpool) is > 0 and var before) yield return Count(before, "before the spool");
        if (Went(start, spool, t => t.Evicted) is > 0 and var evicted) yield return Count(evicted, "evicted from a full spool");
        if (Went(start, spool, t => t.Quarantined) is > 0 and var aside) yield return Count(aside, "put aside as unreadable");
    }

    static long Went(SpoolCounters start, SpoolCounters end, Func<SpoolTally, long> what) =>
        what(end.Total) - what(start.Total) + what(end.Alerts) - what(start.Alerts);

    static string Count(long number, string what) => string.Create(CultureInfo.InvariantCulture, $"{number:N0} {what}");
}

/// <summary>Keeps the last ledger and makes intervals of it. For one caller at a time.</summary>
sealed class LedgerClock(Ledger first, TimeProvider time)
{
    Ledger _last = first;
    long _since = time.GetTimestamp();

    /// <summary>The newest interval; null before the first.</summary>
    public LedgerInterval? Newest { get; private set; }

    public LedgerInterval Turn(Ledger now)
    {
        long at = time.GetTimestamp();
        var interval = new LedgerInterval(time.GetUtcNow(), time.GetElapsedTime(_since, at).TotalSeconds, now.Since(_last));
        (_last, _since) = (now, at);
        Newest = interval;
        return interval;
    }
}
