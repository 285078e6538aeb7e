using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Pipeline;

/// <summary>The ledger for people: a stage a line, what left it indented below.</summary>
static class LedgerText
{
    public static string Write(Ledger ledger)
    {
        var text = new StringBuilder();
        text.AppendLine("Ledger");
        foreach (CaptureEntry capture in ledger.Captures)
        {
            if (capture.Kernel is not { } kernel) continue;
            Line(text, capture.Interface + ": frames that came in", kernel.Received);
            Below(text, "dropped by the kernel (ring full)", kernel.Dropped);
            if (capture.Nic is { } nic) Below(text, "dropped before that by the card", nic.Dropped + nic.Missed + nic.FifoErrors);
        }
        Line(text, "frames decoded", ledger.Frames);
        Below(text, "put to a flow", ledger.Parsed, always: true);
        Below(text, "fragments put together", ledger.Fragments);
        Below(text, "not IP", ledger.NonIp);
        foreach ((Wire.DecodeFault fault, long count) in ledger.Faults) Below(text, Spell(fault), count);
        Line(text, "flows opened", ledger.FlowsOpened);
        Below(text, "ended or timed out", ledger.FlowsClosed - ledger.FlowsEvicted, always: true);
        Below(text, "exported early, table full", ledger.FlowsEvicted);
        Below(text, "still open", ledger.FlowsActive);
        Line(text, "events", EventTypes.All.Sum(ledger.EventsOf));
        foreach (EventType type in EventTypes.All) Below(text, type.Name(), ledger.EventsOf(type), always: type < (EventType)EventTypes.UploadedCount);
        Below(text, "dropped, pipeline behind", EventTypes.All.Sum(ledger.DroppedEventsOf));
        if (ledger.Stage is { } stage)
        {
            Below(text, "of a type that is switched off", stage.Unwanted.Sum());
            for (int i = 0; i < stage.OutOfScope.Length; i++) Below(text, "not in scope: " + ((ScopeReason)i).Name().Replace('_', ' '), stage.OutOfScope[i]);
            Line(text, "events in scope", stage.InScope.Sum());
            Below(text, "part of a finding", stage.Scored.Sum(), always: true);
            Below(text, "alerts raised", stage.Alerts, always: true);
        }
        if (ledger is { Spool: { } spool, SpoolAtStart: { } start })
        {
            SpoolTally total = spool.Total, before = start.Total;
            Line(text, "events spooled", total.Spooled - before.Spooled);
            Below(text, "lost before the spool (disk failing)", total.LostBeforeSpool - before.LostBeforeSpool);
            Below(text, "in the spool now", total.InSpool, always: true);
            Below(text, "delivered", total.Delivered - before.Delivered);
            Below(text, "evicted, ring full", total.Evicted - before.Evicted);
            Below(text, "quarantined", total.Quarantined - before.Quarantined);
        }
        if (ledger.Closes) text.Append("The ledger closes: every frame and every event is accounted for.");
        else
        {
            text.Append("The ledger does NOT close:");
            foreach (string gap in ledger.Gaps) text.AppendLine().Append("  ").Append(gap);
        }
        return text.ToString();
    }

    static void Line(StringBuilder text, string name, long count) => text.Append(CultureInfo.InvariantCulture, $"  {name,-46}{count,14:N0}").AppendLine();

    static void Below(StringBuilder text, string name, long count, bool always = false)
    {
        if (count != 0 || always) text.Append(CultureInfo.InvariantCulture, $"    {name,-44}{count,14:N0}").AppendLine();
    }

    /// <summary>"TcpHeaderTooShort" as "tcp header too short".</summary>
    static string Spell(Wire.DecodeFault fault)
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
