using Nfr.Events;
using Nfr.Logs;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>The sums that a ledger must keep, stage by stage.</summary>
static class LedgerSums
{
    public static IReadOnlyList<string> Gaps(Ledger ledger)
    {
        List<string> gaps = [];
        bool sums = ledger.IsClosing || ledger.IsExact;
        foreach (CaptureEntry c in ledger.Captures)
        {
            if (sums) Capture(gaps, c, ledger.IsClosing);
            if (c.Mistakes > 0) gaps.Add($"{c.Interface}: {c.Mistakes} mistakes in nfr itself, see the log");
        }
        foreach (InputEntry i in ledger.Inputs)
        {
            foreach (LogCounters source in i.Sources) Lines(gaps, source, sums);
            if (i.Mistakes > 0) gaps.Add($"{i.Name}: {i.Mistakes} mistakes in nfr itself, see the log");
        }
        if (ledger.Stage is { } stage && sums)
        {
            Events(gaps, ledger, stage);
            if (ledger is { Spool: { } spool, SpoolAtStart: { } start }) Spooled(gaps, ledger, stage, start, spool);
        }
        if (ledger.PipelineMistakes > 0) gaps.Add($"pipeline: {ledger.PipelineMistakes} mistakes in nfr itself, see the log");
        return gaps;
    }

    static void Capture(List<string> gaps, CaptureEntry c, bool closing)
    {
        DecodeCounters d = c.Decoded;
        if (c.Kernel is { } kernel)
        {
            // What waits in the ring is a difference; at the end it must be nothing, before it cannot be less than that.
            if (closing) Same(gaps, c.Interface + ": kernel received - dropped = decoded", c.WaitedAtStart + kernel.Delivered, d.Frames);
            else if (c.Waiting < 0) gaps.Add($"{c.Interface}: {-c.Waiting} more frames were decoded than the kernel delivered");
        }
        Same(gaps, c.Interface + ": decoded = parsed + not IP + fragments + faults", d.Frames, d.Parsed + d.NonIp + d.FragmentsHeld + d.PacketFaults + c.MistakenFrames);
        Same(gaps, c.Interface + ": flows opened = closed + active", c.FlowsAtStart + d.FlowsOpened, d.FlowsClosed + c.ActiveFlows);
        Same(gaps, c.Interface + ": ip events = flows closed + slices", c.Events[(int)EventType.Ip], d.FlowsClosed + d.FlowSlices);
    }

    /// <summary>Lines are the sum of their verdicts by themselves; what is held makes events later, so that there are as many as such lines at least.</summary>
    static void Lines(List<string> gaps, LogCounters source, bool sums)
    {
        long made = source.Events.Sum(), said = source.Verdicts[(int)LineVerdict.Event];
        if (sums && made < said) gaps.Add($"{source.Name}: {said} lines made events, but only {made} events came");
        if (source.Mistakes > 0) gaps.Add($"{source.Name}: {source.Mistakes} mistakes in nfr itself, see the log");
    }

    static void Events(List<string> gaps, Ledger ledger, StageCounters stage)
    {
        bool left = ledger.IsClosing && ledger.Queued > 0;
        foreach (EventType type in EventTypes.All)
        {
            long queued = ledger.QueuedOf(type);
            if (queued < 0 || (left && queued > 0))
                Same(gaps, $"{type.Name()} events = taken + dropped", ledger.QueuedAtStart[(int)type] + ledger.EventsOf(type), stage.Taken[(int)type] + ledger.DroppedEventsOf(type));
        }
        if (ledger.Queued < 0) gaps.Add($"events = taken + dropped + given up unread: {-ledger.Queued} too many were given up");
        Same(gaps, "events taken = in scope + out of scope + unwanted + undecided",
            stage.Taken.Sum(), stage.InScope.Sum() + stage.OutOfScope.Sum() + stage.Unwanted.Sum() + stage.Undecided.Sum());
    }

    static void Spooled(List<string> gaps, Ledger ledger, StageCounters stage, SpoolCounters start, SpoolCounters spool)
    {
        // Otherwise "in the spool" is what the other counts make it, and its sum proves nothing.
        if (ledger.IsClosing && !spool.RowsCounted) gaps.Add("the rows of the spool could not be counted at the end");
        SpoolTally total = spool.Total, before = start.Total;
        Same(gaps, "events in scope = accepted by the spool + unkept",
            EventTypes.Uploaded.Sum(t => stage.InScope[(int)t]), total.Accepted - before.Accepted + EventTypes.Uploaded.Sum(t => stage.Unkept[(int)t]));
        Stock(gaps, "events", before, total, ledger.IsClosing);
        Same(gaps, "alerts raised + fetched = accepted by the spool + unkept",
            stage.Alerts + spool.EngineAlerts - start.EngineAlerts, spool.Alerts.Accepted - start.Alerts.Accepted + stage.AlertsUnkept);
        Stock(gaps, "alerts", start.Alerts, spool.Alerts, ledger.IsClosing);
    }

    static void Stock(List<string> gaps, string what, in SpoolTally start, in SpoolTally end, bool closing)
    {
        Same(gaps, $"{what} pending + accepted = spooled + lost before the spool + pending",
            start.Pending + end.Accepted - start.Accepted, end.Spooled - start.Spooled + end.LostBeforeSpool - start.LostBeforeSpool + end.Pending);
        // In the spool is counted row by row at the beginning and the end of a run, so this is no identity.
        Same(gaps, $"{what} in spool + spooled = delivered + evicted + quarantined + in spool",
            start.InSpool + end.Spooled - start.Spooled,
            end.Delivered - start.Delivered + end.Evicted - start.Evicted + end.Quarantined - start.Quarantined + end.InSpool);
        if (closing && end.Pending > 0) gaps.Add($"{end.Pending} {what} were still to be written down at the end");
    }

    static void Same(List<string> gaps, string sum, long left, long right)
    {
        if (left != right) gaps.Add($"{sum}: {left} against {right}");
    }
}
