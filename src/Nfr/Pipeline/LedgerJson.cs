using System.Text.Json;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Storage;
using Nfr.Wire;

namespace Nfr.Pipeline;

/// <summary>The ledger as JSON: counts in packets, events and bytes; nothing is left out because it is zero but faults.</summary>
static class LedgerJson
{
    public static void Write(Utf8JsonWriter json, string name, Ledger ledger)
    {
        json.WriteStartObject(name);
        json.WriteNumber("packets", ledger.Frames);
        json.WriteNumber("bytes", ledger.Bytes);
        WriteFields(json, ledger);
        json.WriteEndObject();
    }

    /// <summary>Everything behind packets and bytes, into an open object.</summary>
    public static void WriteFields(Utf8JsonWriter json, Ledger ledger)
    {
        json.WriteStartObject("faults");
        foreach ((DecodeFault fault, long count) in ledger.Faults) json.WriteNumber(Name(fault), count);
        json.WriteEndObject();
        json.WriteStartObject("events");
        foreach (EventType type in EventTypes.All) json.WriteNumber(type.Name(), ledger.EventsOf(type));
        json.WriteEndObject();
        json.WriteStartObject("flows");
        json.WriteNumber("openBefore", ledger.Captures.Sum(c => (long)c.FlowsAtStart));
        json.WriteNumber("opened", ledger.FlowsOpened);
        json.WriteNumber("closed", ledger.FlowsClosed);
        json.WriteNumber("evicted", ledger.FlowsEvicted);
        json.WriteNumber("slices", ledger.FlowSlices);
        json.WriteNumber("open", ledger.FlowsActive);
        json.WriteNumber("detailsRefused", ledger.DetailsRefused);
        json.WriteNumber("tunnelsShared", ledger.TunnelsShared);
        json.WriteEndObject();
        json.WriteStartObject("droppedEvents");
        foreach (EventType type in EventTypes.All) json.WriteNumber(type.Name(), ledger.DroppedEventsOf(type));
        json.WriteEndObject();
        json.WriteNumber("parsed", ledger.Parsed);
        json.WriteNumber("nonIp", ledger.NonIp);
        json.WriteNumber("fragments", ledger.Fragments);
        json.WriteNumber("packetFaults", ledger.PacketFaults);
        json.WriteStartObject("tcp");
        json.WriteNumber("payloadBytes", ledger.TcpPayloadBytes);
        json.WriteNumber("missedBytes", ledger.TcpMissedBytes);
        json.WriteNumber("missedRatio", Math.Round(ledger.TcpMissedRatio, 6));
        json.WriteEndObject();
        json.WriteStartObject("interfaces");
        foreach (IGrouping<string, CaptureEntry> port in ledger.Captures.Where(c => c.Kernel is not null).GroupBy(c => c.Interface)) Port(json, port);
        json.WriteEndObject();
        if (ledger.Stage is { } stage) Stage(json, ledger, stage);
        if (ledger is { Spool: { } spool, SpoolAtStart: { } start })
        {
            Tally(json, "spool", start.Total, spool.Total);
            Tally(json, "alertSpool", start.Alerts, spool.Alerts);
        }
        json.WriteNumber("mistakes", ledger.Mistakes);
        json.WriteBoolean("exact", ledger.IsExact || ledger.IsClosing);
        json.WriteBoolean("closes", ledger.Closes);
        json.WriteStartArray("gaps");
        foreach (string gap in ledger.Gaps) json.WriteStringValue(gap);
        json.WriteEndArray();
    }

    public static string Name(DecodeFault fault) => JsonNamingPolicy.CamelCase.ConvertName(fault.ToString());

    static void Port(Utf8JsonWriter json, IGrouping<string, CaptureEntry> port)
    {
        CaptureStatistics kernel = port.Aggregate(default(CaptureStatistics), (sum, w) => sum + w.Kernel!.Value);
        json.WriteStartObject(port.Key);
        if (port.First().Nic is { } nic)
        {
            json.WriteNumber("nicPackets", nic.Packets);
            json.WriteNumber("nicDropped", nic.Dropped);
            json.WriteNumber("nicMissed", nic.Missed);
            json.WriteNumber("nicFifoErrors", nic.FifoErrors);
        }
        json.WriteNumber("waitedBefore", port.Sum(w => w.WaitedAtStart));
        json.WriteNumber("received", kernel.Received);
        json.WriteNumber("dropped", kernel.Dropped);
        json.WriteNumber("ringFull", kernel.FreezeCount);
        json.WriteNumber("abandoned", kernel.Abandoned);
        json.WriteNumber("waiting", port.Sum(w => w.Waiting));
        json.WriteNumber("decoded", port.Sum(w => w.Decoded.Frames));
        json.WriteNumber("workers", port.Count());
        json.WriteEndObject();
    }

    static void Stage(Utf8JsonWriter json, Ledger ledger, StageCounters stage)
    {
        json.WriteStartObject("pipeline");
        json.WriteNumber("queuedBefore", ledger.QueuedAtStart.Sum());
        json.WriteNumber("taken", stage.Taken.Sum());
        json.WriteNumber("queued", EventTypes.All.Sum(ledger.QueuedOf) - stage.Unread);
        json.WriteNumber("unwanted", stage.Unwanted.Sum());
        json.WriteStartObject("outOfScope");
        for (int i = 0; i < stage.OutOfScope.Length; i++)
        {
            if (stage.OutOfScope[i] != 0) json.WriteNumber(((ScopeReason)i).Name(), stage.OutOfScope[i]);
        }
        json.WriteEndObject();
        json.WriteNumber("inScope", stage.InScope.Sum());
        json.WriteNumber("scored", stage.Scored.Sum());
        json.WriteNumber("lostToMistakes", stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum());
        json.WriteNumber("alerts", stage.Alerts);
        json.WriteNumber("alertsLostToMistakes", stage.AlertsUnkept);
        json.WriteEndObject();
    }

    static void Tally(Utf8JsonWriter json, string name, in SpoolTally before, in SpoolTally total)
    {
        json.WriteStartObject(name);
        json.WriteNumber("inSpoolBefore", before.InSpool);
        json.WriteNumber("accepted", total.Accepted - before.Accepted);
        json.WriteNumber("pending", total.Pending);
        json.WriteNumber("spooled", total.Spooled - before.Spooled);
        json.WriteNumber("lostBeforeSpool", total.LostBeforeSpool - before.LostBeforeSpool);
        json.WriteNumber("delivered", total.Delivered - before.Delivered);
        json.WriteNumber("evicted", total.Evicted - before.Evicted);
        json.WriteNumber("quarantined", total.Quarantined - before.Quarantined);
        json.WriteNumber("inSpool", total.InSpool);
        json.WriteEndObject();
    }
}
