using System.Globalization;
using System.Text;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>The ledger for people: a stage a line, what left it indented below.</summary>
static class LedgerText
{
    public static string Write(Ledger ledger)
    {
        var text = new StringBuilder();
        text.AppendLine("Ledger");
        foreach (IGrouping<string, CaptureEntry> port in ledger.Captures.GroupBy(c => c.Interface)) Port(text, port);
        if (ledger.Captures.Count > 0) Frames(text, ledger);
        foreach (LogCounters source in ledger.Inputs.SelectMany(i => i.Sources)) Lines(text, source);
        Line(text, "events", EventTypes.All.Sum(ledger.EventsOf));
        foreach (EventType type in EventTypes.All) Below(text, type.Name(), ledger.EventsOf(type), always: type < (EventType)EventTypes.UploadedCount);
        Below(text, "DNS queries sent again, in the first one's", ledger.DnsRepeated);
        Below(text, "dropped, pipeline behind", EventTypes.All.Sum(ledger.DroppedEventsOf));
        if (ledger.Stage is { } stage)
        {
            Below(text, "waiting for the pipeline", ledger.Queued);
            Below(text, "lost to a mistake in nfr itself", stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum());
            Below(text, "of a type that is switched off", stage.Unwanted.Sum());
            for (int i = 0; i < stage.OutOfScope.Length; i++) Below(text, "not in scope: " + ((ScopeReason)i).Name().Replace('_', ' '), stage.OutOfScope[i]);
            Below(text, "of these, scored on board all the same", stage.Watched.Sum());
            Below(text, "and part of a finding", stage.WatchedScored.Sum());
            Line(text, "events in scope", stage.InScope.Sum());
            Below(text, "part of a finding", stage.Scored.Sum(), always: true);
        }
        if (ledger is { Spool: { } spool, SpoolAtStart: { } start }) Tally(text, "events spooled", start.Total, spool.Total);
        if (ledger.Stage is { } raising)
        {
            Line(text, "alerts raised", raising.Alerts);
            Below(text, "lost to a mistake in nfr itself", raising.AlertsUnkept);
            Below(text, "held back, too many of one threat", raising.AlertsHeld);
        }
        if (ledger is { Spool: { } ring, SpoolAtStart: { } first })
        {
            Below(text, "fetched from the engine", ring.EngineAlerts - first.EngineAlerts);
            Tally(text, "alerts spooled", first.Alerts, ring.Alerts);
        }
        if (ledger.Closes) text.Append($"The ledger closes: every {(ledger.Inputs.Count == 0 ? "frame" : ledger.Captures.Count == 0 ? "line" : "frame, every line")} and every event is accounted for.");
        else
        {
            text.Append("The ledger does NOT close:");
            foreach (string gap in ledger.Gaps) text.AppendLine().Append("  ").Append(gap);
        }
        return text.ToString();
    }

    static void Frames(StringBuilder text, Ledger ledger)
    {
        Line(text, "frames decoded", ledger.Frames);
        Below(text, "put to a flow", ledger.Parsed, always: true);
        Below(text, "fragments put together", ledger.Fragments);
        Below(text, "not IP", ledger.NonIp);
        foreach ((Wire.DecodeFault fault, long count) in ledger.Faults) Below(text, Spell(fault), count);
        Below(text, "lost to a mistake in nfr itself", ledger.MistakenFrames);
        Below(text, "of them cut short by the capture", ledger.Truncated);
        if (ledger.TcpPayloadBytes + ledger.TcpMissedBytes > 0)
        {
            Line(text, "TCP payload, bytes", ledger.TcpPayloadBytes);
            Below(text, string.Create(CultureInfo.InvariantCulture, $"missed before our port ({ledger.TcpMissedRatio:P2})"), ledger.TcpMissedBytes, always: true);
        }
        Line(text, "flows opened", ledger.FlowsOpened);
        Below(text, "open before", ledger.Captures.Sum(c => (long)c.FlowsAtStart));
        Below(text, "ended or timed out", ledger.FlowsClosed - ledger.FlowsEvicted, always: true);
        Below(text, "exported early, table full", ledger.FlowsEvicted);
        Below(text, "still open", ledger.FlowsActive);
        Below(text, "without details, their table full", ledger.DetailsRefused);
        Below(text, "sharing a tunnel's entry, its table full", ledger.TunnelsShared);
    }

    /// <summary>What was read of one source, and what became of it.</summary>
    static void Lines(StringBuilder text, LogCounters source)
    {
        Line(text, Cut(source.Name + ": lines read", 46), source.Lines);
        foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) Below(text, InputEntry.Spell(verdict), source.Verdicts[(int)verdict], always: verdict == LineVerdict.Event);
        Below(text, "files taken up anew", source.Rotations);
        Below(text, "bytes gone before they were read", source.LostBytes);
        Below(text, "lost unread", source.Lost);
        Below(text, "refused, from who may not send", source.Refused);
        Below(text, "lost to a mistake in nfr itself", source.Mistakes);
    }

    /// <summary>A path's end says more than its beginning.</summary>
    static string Cut(string name, int width) => name.Length < width ? name : "..." + name[^(width - 4)..];

    static void Port(StringBuilder text, IGrouping<string, CaptureEntry> port)
    {
        CaptureEntry[] workers = [.. port.Where(w => w.Kernel is not null)];
        if (workers.Length == 0) return;
        CaptureStatistics kernel = workers.Aggregate(default(CaptureStatistics), (sum, w) => sum + w.Kernel!.Value);
        // Each worker reads the same card.
        if (workers[0].Nic is { } nic)
        {
            Line(text, port.Key + ": frames on the card", nic.Packets);
            Below(text, "dropped there", nic.Lost);
        }
        Line(text, port.Key + ": frames that came in", kernel.Received);
        Below(text, "waited in the ring before", workers.Sum(w => w.WaitedAtStart));
        Below(text, "dropped by the kernel (ring full)", kernel.Dropped);
        Below(text, "given up in their block", kernel.Abandoned);
        Below(text, "waiting in the ring", workers.Sum(w => w.Waiting));
        if (workers.Length == 1) return;
        for (int i = 0; i < workers.Length; i++) Below(text, $"read by worker {i + 1}", workers[i].Decoded.Frames, always: true);
    }

    static void Tally(StringBuilder text, string name, in SpoolTally before, in SpoolTally total)
    {
        Line(text, name, total.Spooled - before.Spooled);
        Below(text, "in the spool before", before.InSpool);
        Below(text, "lost before the spool (disk failing)", total.LostBeforeSpool - before.LostBeforeSpool);
        Below(text, "waiting to be written down", total.Pending);
        Below(text, "in the spool now", total.InSpool, always: true);
        Below(text, "delivered", total.Delivered - before.Delivered);
        Below(text, "evicted, ring full", total.Evicted - before.Evicted);
        Below(text, "quarantined", total.Quarantined - before.Quarantined);
    }

    static void Line(StringBuilder text, string name, long count) => text.Append(CultureInfo.InvariantCulture, $"  {name,-46}{count,14:N0}").AppendLine();

    static void Below(StringBuilder text, string name, long count, bool always = false)
    {
        if (count != 0 || always) text.Append(CultureInfo.InvariantCulture, $"    {name,-44}{count,14:N0}").AppendLine();
    }

    /// <summary>"TcpHeaderTooShort" as "tcp header too short".</summary>
    internal static string Spell(Wire.DecodeFault fault)
    {
        var words = new StringBuilder();
        string name = fault.ToString();
        for (int i = 0; i < name.Length; i++)
        {
            bool starts = char.IsUpper(name[i]) && i > 0 && (char.IsLower(name[i - 1]) || (char.IsDigit(name[i - 1]) && i + 1 < name.Length && char.IsLower(name[i + 1])));
            if (starts) words.Append(' ');
            words.Append(char.ToLowerInvariant(name[i]));
        }
        return words.ToString();
    }
}
