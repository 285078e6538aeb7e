using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Faults.Ring;

/// <summary>
/// All that a spool has promised to keep, as text that is the same when it is the same: the counts of each lane, every row with the digest of its
/// bytes, what each consumer has and waits for, every alert, bookmarks and texts. Sequence numbers to come are no part of it: a start may skip some.
/// </summary>
sealed record RingState(string Text)
{
    public static readonly string[] Bookmarks = ["file", "syslog"];
    public static readonly string[] Consumers = ["engine", "elastic"];

    /// <summary>Greatest numbers given, by type, and last that of the alerts.</summary>
    public long[] Greatest { get; init; } = new long[EventTypes.UploadedCount + 1];

    public long Spooled { get; init; }
    public long Alerts { get; init; }

    /// <summary>Null when the rows themselves cannot be counted.</summary>
    public static RingState? Read(Spool spool, RingRows rows, out string? fault)
    {
        fault = null;
        var text = new StringBuilder();
        var greatest = new long[EventTypes.UploadedCount + 1];
        foreach (EventType type in EventTypes.Uploaded)
        {
            foreach (SpoolConsumer consumer in spool.Consumers)
            {
                // The oldest row that it is shown; where that is and how many wait say the rest.
                SpoolBatch? batch = consumer.Peek(type, 1, int.MaxValue);
                ConsumerTally tally = consumer.Tally(type);
                text.Append($"{consumer.Name} {type}: since {tally.Since} delivered {tally.Delivered} aside {tally.Quarantined} missed {tally.Missed} waiting {tally.Waiting}, peeks");
                foreach (SequenceRange range in batch?.Ranges ?? []) text.Append($" {range.First}-{range.Last}");
                text.Append('\n');
                if (tally.Since != tally.Delivered + tally.Quarantined + tally.Missed + tally.Waiting) fault = $"the account of {consumer.Name} does not close: {tally}";
            }
        }
        text.Append(rows.Text());
        foreach (EventType type in EventTypes.Uploaded) greatest[(int)type] = rows.Greatest(type);
        foreach (StoredAlert alert in spool.ReadAlerts(0, int.MaxValue))
        {
            greatest[^1] = alert.Sequence;
            text.Append($"alert {alert.Sequence} {alert.Alert.Threats[0].Id}\n");
        }
        foreach (string name in Bookmarks) text.Append($"bookmark {name} {spool.GetBookmark(name)}\n");
        text.Append($"follow {spool.GetState("follow")} mark {spool.GetState("mark")}\n");
        // Rows are counted last, so that whatever reading moved aside is seen.
        SpoolCounters? counters = spool.CountRows();
        if (counters is null)
        {
            fault = "the rows cannot be counted";
            return null;
        }
        foreach (EventType type in EventTypes.Uploaded)
        {
            for (int scored = 0; scored < 2; scored++) text.Append(Close(counters.Of(type, scored == 1), $"{type} {scored}", ref fault));
        }
        text.Append(Close(counters.Alerts, "alerts", ref fault));
        return new RingState(text.ToString()) { Greatest = greatest, Spooled = counters.Total.Spooled, Alerts = counters.Alerts.Spooled };
    }

    static string Close(SpoolTally tally, string line, ref string? fault)
    {
        if (tally.Spooled != tally.InSpool + tally.Delivered + tally.Evicted + tally.Quarantined) fault = $"the ledger of {line} does not close: {tally}";
        return $"{line}: spooled {tally.Spooled} in {tally.InSpool} delivered {tally.Delivered} evicted {tally.Evicted} aside {tally.Quarantined}\n";
    }
}
