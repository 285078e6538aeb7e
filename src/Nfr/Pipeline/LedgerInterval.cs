using System.Globalization;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>Where something was lost.</summary>
enum LossPlace : byte
{
    Card,
    Kernel,
    Pipeline,
    Mistake,
    /// <summary>In a log that was cut or removed before it was read, or on its way to a listener.</summary>
    Log,
    BeforeSpool,
    /// <summary>For room, or for a quota.</summary>
    Evicted,
    /// <summary>Older than it may be.</summary>
    Aged,
    Quarantine,
}

/// <summary>What was lost at one place: "12 packets on the card".</summary>
readonly record struct LedgerLoss(long Count, string What, LossPlace Place);

/// <summary>
/// The difference of two ledgers: what moved between them, with the stocks at both ends. It adds up exactly when both are exact: what lay in a ring, a
/// table or the spool at the beginning + what came = what went + what lies there at the end.
/// </summary>
sealed record LedgerInterval(DateTimeOffset End, double Seconds, Ledger Moved)
{
    /// <summary>Frames, events and alerts that are gone, wherever they went.</summary>
    public long Lost => Losses.Sum(l => l.Count);

    public bool HasMoved => Moved.Frames != 0 || Moved.Lines != 0 || Moved.FlowsClosed != 0 || Lost != 0 || !Moved.Closes
        || (Moved is { Spool: { } spool, SpoolAtStart: { } start } && (Went(start, spool, t => t.Spooled) != 0 || Went(start, spool, t => t.Delivered) != 0));

    /// <summary>The interval in plain words: what came, what became of it, what was lost and where, and whether it adds up.</summary>
    public string Sentence()
    {
        Ledger m = Moved;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"ledger: in {Seconds:0} s {Came(m)} came, {EventTypes.All.Sum(m.EventsOf):N0} events were made");
        if (m.Stage is { } stage) text.Append(CultureInfo.InvariantCulture, $", {stage.InScope.Sum():N0} of them in scope, {stage.Alerts:N0} alerts");
        if (m is { Spool: { } spool, SpoolAtStart: { } start })
        {
            text.Append(CultureInfo.InvariantCulture, $"; {spool.Total.Spooled - start.Total.Spooled:N0} spooled, {spool.Total.Delivered - start.Total.Delivered:N0} delivered, {spool.Total.InSpool:N0} wait");
        }
        text.Append("; ");
        List<string> losses = [.. Losses.Where(l => l.Count > 0).Select(l => string.Create(CultureInfo.InvariantCulture, $"{l.Count:N0} {l.What}"))];
        text.Append(losses.Count == 0 ? "nothing was lost" : "lost: " + string.Join(", ", losses));
        if (!m.Closes) text.Append("; it does NOT add up: ").AppendJoin("; ", m.Gaps);
        else text.Append(m.IsExact || m.IsClosing ? "; it adds up" : "; a stage was too busy to be asked");
        return text.ToString();
    }

    /// <summary>"5 packets and 3 lines (1 could not be read)".</summary>
    static string Came(Ledger m)
    {
        string lines = string.Create(CultureInfo.InvariantCulture, $"{m.Lines:N0} lines{(m.LinesSkipped > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({m.LinesSkipped:N0} could not be read)") : "")}");
        string packets = string.Create(CultureInfo.InvariantCulture, $"{m.Frames:N0} packets");
        return m.Inputs.Count == 0 ? packets : m.Captures.Count == 0 ? lines : packets + " and " + lines;
    }

    /// <summary>By place, those of zero among them.</summary>
    public IEnumerable<LedgerLoss> Losses
    {
        get
        {
            Ledger m = Moved;
            yield return new(m.Captures.DistinctBy(c => c.Interface).Sum(c => c.Nic?.Lost ?? 0), "packets on the card", LossPlace.Card);
            yield return new(m.KernelDropped, "packets in the kernel, its ring full", LossPlace.Kernel);
            yield return new(m.Captures.Sum(c => c.Kernel?.Abandoned ?? 0) + m.MistakenFrames, "packets to mistakes in nfr itself", LossPlace.Mistake);
            yield return new(m.LostLineBytes, "bytes of logs, gone before they were read", LossPlace.Log);
            yield return new(m.LostLines, "messages and files of log inputs, gone before they were read", LossPlace.Log);
            yield return new(EventTypes.All.Sum(m.DroppedEventsOf), "events, the pipeline behind", LossPlace.Pipeline);
            if (m.Stage is { } stage)
            {
                yield return new(stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum(), "events to mistakes in nfr itself", LossPlace.Mistake);
                yield return new(stage.AlertsUnkept, "alerts to mistakes in nfr itself", LossPlace.Mistake);
            }
            if (m is not { Spool: { } spool, SpoolAtStart: { } start }) yield break;
            yield return new(Went(start, spool, t => t.LostBeforeSpool), "before the spool", LossPlace.BeforeSpool);
            yield return new(Went(start, spool, t => t.Evicted - t.EvictedForAge), "evicted from a full spool", LossPlace.Evicted);
            yield return new(Went(start, spool, t => t.EvictedForAge), "older than spool.max_age", LossPlace.Aged);
            yield return new(Went(start, spool, t => t.Quarantined), "put aside as unreadable", LossPlace.Quarantine);
        }
    }

    static long Went(SpoolCounters start, SpoolCounters end, Func<SpoolTally, long> what) =>
        what(end.Total) - what(start.Total) + what(end.Alerts) - what(start.Alerts);
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
