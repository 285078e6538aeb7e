using Nfr.Capture;
using Nfr.Events;
using Nfr.Logs;
using Nfr.Storage;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>One capture worker's numbers for the ledger; kernel counters are null for a file.</summary>
sealed record CaptureEntry(
    string Interface, CaptureStatistics? Kernel, NicStatistics? Nic, DecodeCounters Decoded, long[] Events, long[] DroppedEvents, int ActiveFlows, long Mistakes)
{
    /// <summary>Frames that ended in a mistake of ours; part of what <see cref="Mistakes"/> counts.</summary>
    public long MistakenFrames { get; init; }

    /// <summary>Flows open when the ledger's span began.</summary>
    public int FlowsAtStart { get; init; }

    /// <summary>Frames that waited in the kernel's ring when the span began.</summary>
    public long WaitedAtStart { get; init; }

    /// <summary>Frames in the kernel's ring now: received before, neither dropped nor read yet.</summary>
    public long Waiting => Kernel is { } kernel ? WaitedAtStart + kernel.Delivered - Decoded.Frames : 0;

    public CaptureEntry Since(CaptureEntry earlier) => this with
    {
        Kernel = Kernel - earlier.Kernel,
        Nic = Nic is { } now && earlier.Nic is { } then ? now - then : null,
        Decoded = Decoded.Since(earlier.Decoded),
        Events = Ledger.Minus(Events, earlier.Events),
        DroppedEvents = Ledger.Minus(DroppedEvents, earlier.DroppedEvents),
        Mistakes = Mistakes - earlier.Mistakes,
        MistakenFrames = MistakenFrames - earlier.MistakenFrames,
        FlowsAtStart = earlier.ActiveFlows,
        WaitedAtStart = earlier.Waiting,
    };
}

/// <summary>
/// Promise 9 in numbers: every packet, line and event from the port to the spool over a span of time, the whole run or an interval of it, each either
/// on its way or counted where it ended: what was there + what came in = what went out + what is there. <see cref="Gaps"/> names every stage
/// whose sum does not come out.
/// </summary>
sealed record Ledger
{
    public required IReadOnlyList<CaptureEntry> Captures { get; init; }
    /// <summary>What is read beside packets: a log worker each.</summary>
    public IReadOnlyList<InputEntry> Inputs { get; init; } = [];
    public StageCounters? Stage { get; init; }
    public SpoolCounters? SpoolAtStart { get; init; }
    public SpoolCounters? Spool { get; init; }
    public long PipelineMistakes { get; init; }

    /// <summary>Events that waited between capture and pipeline when the span began, by type.</summary>
    public long[] QueuedAtStart { get; init; } = new long[EventTypes.Count];

    /// <summary>Those among them that the pipeline could not read and gave up; they stay in the difference of their type for ever.</summary>
    public long UnreadAtStart { get; init; }

    /// <summary>Taken after the end: nothing is on its way any more, so every sum must come out.</summary>
    public bool IsClosing { get; init; }

    /// <summary>Taken of each stage between two of its steps, from the back to the front: sums come out with what is on its way.</summary>
    public bool IsExact { get; init; }

    public long Frames => Captures.Sum(c => c.Decoded.Frames);
    public long Bytes => Captures.Sum(c => c.Decoded.Bytes);
    public long Parsed => Captures.Sum(c => c.Decoded.Parsed);
    public long NonIp => Captures.Sum(c => c.Decoded.NonIp);
    public long Fragments => Captures.Sum(c => c.Decoded.FragmentsHeld);
    public long PacketFaults => Captures.Sum(c => c.Decoded.PacketFaults);
    public long MistakenFrames => Captures.Sum(c => c.MistakenFrames);
    public long Mistakes => Captures.Sum(c => c.Mistakes) + Inputs.Sum(i => i.Mistakes + i.Sources.Sum(s => s.Mistakes)) + PipelineMistakes;
    /// <summary>Lines (and documents) read.</summary>
    public long Lines => Inputs.Sum(i => i.Lines);
    public long LinesSkipped => Inputs.Sum(i => i.Sources.Sum(s => s.Skipped));
    public long LineBytes => Inputs.Sum(i => i.Sources.Sum(s => s.Bytes));
    public long LostLineBytes => Inputs.Sum(i => i.Sources.Sum(s => s.LostBytes));
    public long LostLines => Inputs.Sum(i => i.Sources.Sum(s => s.Lost));
    public long LinesOf(LineVerdict verdict) => Inputs.Sum(i => i.Sources.Sum(s => s.Verdicts[(int)verdict]));
    public long LineEventsOf(EventType type) => Inputs.Sum(i => i.EventsOf(type));
    public long KernelReceived => Captures.Sum(c => c.Kernel?.Received ?? 0);
    public long KernelDropped => Captures.Sum(c => c.Kernel?.Dropped ?? 0);
    public long FlowsOpened => Captures.Sum(c => c.Decoded.FlowsOpened);
    public long FlowsClosed => Captures.Sum(c => c.Decoded.FlowsClosed);
    public long FlowsEvicted => Captures.Sum(c => c.Decoded.FlowsEvicted);
    public long FlowSlices => Captures.Sum(c => c.Decoded.FlowSlices);
    public long FlowsActive => Captures.Sum(c => (long)c.ActiveFlows);
    public long Truncated => Captures.Sum(c => c.Decoded.Truncated);
    public long DnsRepeated => Captures.Sum(c => c.Decoded.DnsRepeated);
    public long DetailsRefused => Captures.Sum(c => c.Decoded.DetailsRefused);
    public long TunnelsShared => Captures.Sum(c => c.Decoded.TunnelsShared);
    public long TcpPayloadBytes => Captures.Sum(c => c.Decoded.TcpPayloadBytes);
    public long TcpMissedBytes => Captures.Sum(c => c.Decoded.TcpMissedBytes);

    /// <summary>Of the TCP payload that its receivers acknowledged, the part that never came to our port: 0 to 1.</summary>
    public double TcpMissedRatio => TcpMissedBytes == 0 ? 0 : (double)TcpMissedBytes / (TcpPayloadBytes + TcpMissedBytes);

    public long EventsOf(EventType type) => Captures.Sum(c => c.Events[(int)type]) + LineEventsOf(type);
    public long DroppedEventsOf(EventType type) => Captures.Sum(c => c.DroppedEvents[(int)type]);
    public long FaultsOf(DecodeFault fault) => Captures.Sum(c => c.Decoded.Faults[(int)fault]);

    /// <summary>Events between capture and pipeline now, those that were given up unread among them: what they were nobody could read.</summary>
    public long QueuedOf(EventType type) =>
        Stage is null ? 0 : QueuedAtStart[(int)type] + EventsOf(type) - DroppedEventsOf(type) - Stage.Taken[(int)type];

    /// <summary>Events that wait for the pipeline now.</summary>
    public long Queued => Stage is null ? 0 : EventTypes.All.Sum(QueuedOf) - UnreadAtStart - Stage.Unread;

    /// <summary>Events that waited when the span began.</summary>
    public long WaitedAtStart => QueuedAtStart.Sum() - UnreadAtStart;

    /// <summary>Faults that occurred, worst first.</summary>
    public IEnumerable<(DecodeFault Fault, long Count)> Faults =>
        Enumerable.Range(1, (int)DecodeFault.Count - 1).Select(i => ((DecodeFault)i, FaultsOf((DecodeFault)i))).Where(f => f.Item2 > 0).OrderByDescending(f => f.Item2);

    public bool Closes => Gaps.Count == 0;

    public IReadOnlyList<string> Gaps => LedgerSums.Gaps(this);

    /// <summary>The ledger of the span between an earlier one and this: its stocks at the beginning are the earlier one's at its end.</summary>
    public Ledger Since(Ledger earlier) => new()
    {
        Captures = [.. Captures.Select((c, i) => c.Since(earlier.Captures[i]))],
        Inputs = [.. Inputs.Select((i, n) => i.Since(earlier.Inputs[n]))],
        Stage = earlier.Stage is null ? Stage : Stage?.Since(earlier.Stage),
        SpoolAtStart = earlier.Spool,
        Spool = Spool,
        PipelineMistakes = PipelineMistakes - earlier.PipelineMistakes,
        QueuedAtStart = [.. EventTypes.All.Select(earlier.QueuedOf)],
        UnreadAtStart = earlier.UnreadAtStart + (earlier.Stage?.Unread ?? 0),
        IsClosing = IsClosing,
        IsExact = IsExact && earlier.IsExact,
    };

    internal static long[] Minus(long[] a, long[] b) => [.. a.Select((n, i) => n - b[i])];
}
