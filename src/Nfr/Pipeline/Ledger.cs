using Nfr.Capture;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>One capture worker's numbers for the ledger; kernel counters are null for a file.</summary>
sealed record CaptureEntry(
    string Interface, CaptureStatistics? Kernel, NicStatistics? Nic, DecodeCounters Decoded, long[] Events, long[] DroppedEvents, int ActiveFlows, long Mistakes);

/// <summary>
/// Promise 9 in numbers: every packet and every event from the port to the spool, each either on its way or counted where it ended.
/// <see cref="Gaps"/> names every stage whose sum does not come out.
/// </summary>
sealed class Ledger
{
    public required IReadOnlyList<CaptureEntry> Captures { get; init; }
    public StageCounters? Stage { get; init; }
    public SpoolCounters? SpoolAtStart { get; init; }
    public SpoolCounters? Spool { get; init; }

    /// <summary>Taken after the end: nothing is on its way any more, so every sum must come out.</summary>
    public bool IsClosing { get; init; }

    public long Frames => Captures.Sum(c => c.Decoded.Frames);
    public long Bytes => Captures.Sum(c => c.Decoded.Bytes);
    public long Parsed => Captures.Sum(c => c.Decoded.Parsed);
    public long NonIp => Captures.Sum(c => c.Decoded.NonIp);
    public long Fragments => Captures.Sum(c => c.Decoded.FragmentsHeld);
    public long PacketFaults => Captures.Sum(c => c.Decoded.PacketFaults);
    public long KernelReceived => Captures.Sum(c => c.Kernel?.Received ?? 0);
    public long KernelDropped => Captures.Sum(c => c.Kernel?.Dropped ?? 0);
    public long FlowsOpened => Captures.Sum(c => c.Decoded.FlowsOpened);
    public long FlowsClosed => Captures.Sum(c => c.Decoded.FlowsClosed);
    public long FlowsEvicted => Captures.Sum(c => c.Decoded.FlowsEvicted);
    public long FlowSlices => Captures.Sum(c => c.Decoded.FlowSlices);
    public long FlowsActive => Captures.Sum(c => (long)c.ActiveFlows);

    public long EventsOf(EventType type) => Captures.Sum(c => c.Events[(int)type]);
    public long DroppedEventsOf(EventType type) => Captures.Sum(c => c.DroppedEvents[(int)type]);
    public long FaultsOf(DecodeFault fault) => Captures.Sum(c => c.Decoded.Faults[(int)fault]);

    /// <summary>Faults that occurred, worst first.</summary>
    public IEnumerable<(DecodeFault Fault, long Count)> Faults =>
        Enumerable.Range(1, (int)DecodeFault.Count - 1).Select(i => ((DecodeFault)i, FaultsOf((DecodeFault)i))).Where(f => f.Item2 > 0).OrderByDescending(f => f.Item2);

    public bool Closes => Gaps.Count == 0;

    public IReadOnlyList<string> Gaps
    {
        get
        {
            List<string> gaps = [];
            foreach (CaptureEntry c in Captures)
            {
                DecodeCounters d = c.Decoded;
                if (IsClosing && c.Kernel is { } kernel) Same(gaps, c.Interface + ": kernel received - dropped = decoded", kernel.Delivered, d.Frames);
                if (IsClosing) Same(gaps, c.Interface + ": decoded = parsed + not IP + fragments + faults", d.Frames, d.Parsed + d.NonIp + d.FragmentsHeld + d.PacketFaults);
                if (IsClosing) Same(gaps, c.Interface + ": flows opened = closed + active", d.FlowsOpened, d.FlowsClosed + c.ActiveFlows);
                if (IsClosing) Same(gaps, c.Interface + ": ip events = flows closed + slices", c.Events[(int)EventType.Ip], d.FlowsClosed + d.FlowSlices);
                if (c.Mistakes > 0) gaps.Add($"{c.Interface}: {c.Mistakes} mistakes in nfr itself, see the log");
            }
            if (Stage is null || !IsClosing) return gaps;
            foreach (EventType type in EventTypes.All)
                Same(gaps, $"{type.Name()} events = taken + dropped", EventsOf(type), Stage.Taken[(int)type] + DroppedEventsOf(type));
            Same(gaps, "events taken = in scope + out of scope + unwanted", Stage.Taken.Sum(), Stage.InScope.Sum() + Stage.OutOfScope.Sum() + Stage.Unwanted.Sum());
            if (Spool is null || SpoolAtStart is null) return gaps;
            SpoolTally total = Spool.Total, start = SpoolAtStart.Total;
            Same(gaps, "events in scope = accepted by the spool", EventTypes.Uploaded.Sum(t => Stage.InScope[(int)t]), total.Accepted - start.Accepted);
            Same(gaps, "accepted = spooled + lost before the spool", total.Accepted - start.Accepted, total.Spooled - start.Spooled + total.LostBeforeSpool - start.LostBeforeSpool);
            Same(gaps, "spooled = in spool + delivered + evicted + quarantined", total.Spooled, total.InSpool + total.Delivered + total.Evicted + total.Quarantined);
            return gaps;
        }
    }

    static void Same(List<string> gaps, string sum, long left, long right)
    {
        if (left != right) gaps.Add($"{sum}: {left} against {right}");
    }
}
