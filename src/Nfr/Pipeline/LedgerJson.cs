using System.Text.Json;
using Nfr.Capture;
using Nfr.Events;
using Nfr.Logs;
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
        json.WriteNumber("lostToMistakes", ledger.MistakenFrames);
        json.WriteNumber("truncated", ledger.Truncated);
        json.WriteNumber("dnsRepeated", ledger.DnsRepeated);
        json.WriteStartObject("tcp");
        json.WriteNumber("payloadBytes", ledger.TcpPayloadBytes);
        json.WriteNumber("missedBytes", ledger.TcpMissedBytes);
        json.WriteNumber("missedRatio", Math.Round(ledger.TcpMissedRatio, 6));
        json.WriteEndObject();
        json.WriteStartObject("interfaces");
        foreach (IGrouping<string, CaptureEntry> port in ledger.Captures.Where(c => c.Kernel is not null).GroupBy(c => c.Interface)) Port(json, port);
        json.WriteEndObject();
        json.WriteNumber("lines", ledger.Lines);
        json.WriteStartArray("inputs");
        foreach (InputEntry input in ledger.Inputs)
        {
            foreach (LogCounters source in input.Sources) Input(json, input, source);
        }
        json.WriteEndArray();
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
        json.WriteNumber("brokenBlocks", kernel.BrokenBlocks);
        json.WriteNumber("waiting", port.Sum(w => w.Waiting));
        DecodeCounters d = DecodeCounters.Sum(port.Select(w => w.Decoded));
        json.WriteNumber("decoded", d.Frames);
        json.WriteNumber("parsed", d.Parsed);
        json.WriteNumber("nonIp", d.NonIp);
        json.WriteNumber("fragments", d.FragmentsHeld);
        json.WriteNumber("packetFaults", d.PacketFaults);
        json.WriteNumber("lostToMistakes", port.Sum(w => w.MistakenFrames));
        json.WriteNumber("tcpMissedBytes", d.TcpMissedBytes);
        json.WriteNumber("flowsOpened", d.FlowsOpened);
        json.WriteNumber("flowsClosed", d.FlowsClosed);
        json.WriteNumber("flowsEvicted", d.FlowsEvicted);
        json.WriteNumber("flowsOpen", port.Sum(w => (long)w.ActiveFlows));
        json.WriteNumber("workers", port.Count());
        json.WriteStartObject("faults");
        for (int i = 1; i < d.Faults.Length; i++)
        {
            if (d.Faults[i] != 0) json.WriteNumber(Name((DecodeFault)i), d.Faults[i]);
        }
        json.WriteEndObject();
        json.WriteStartObject("events");
        foreach (EventType type in EventTypes.All) json.WriteNumber(type.Name(), port.Sum(w => w.Events[(int)type]));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Input(Utf8JsonWriter json, InputEntry input, LogCounters source)
    {
        json.WriteStartObject();
        json.WriteString("input", input.Name);
        json.WriteString("name", source.Name);
        json.WriteNumber("lines", source.Lines);
        json.WriteNumber("bytes", source.Bytes);
        json.WriteStartObject("verdicts");
        foreach (LineVerdict verdict in Enum.GetValues<LineVerdict>()) json.WriteNumber(verdict.Name(), source.Verdicts[(int)verdict]);
        json.WriteEndObject();
        json.WriteNumber("skipped", source.Skipped);
        json.WriteStartObject("events");
        foreach (EventType type in EventTypes.All) json.WriteNumber(type.Name(), source.Events[(int)type]);
        json.WriteEndObject();
        json.WriteNumber("rotations", source.Rotations);
        json.WriteNumber("lostBytes", source.LostBytes);
        json.WriteNumber("lost", source.Lost);
        json.WriteNumber("refused", source.Refused);
        json.WriteNumber("mistakes", source.Mistakes);
        json.WriteEndObject();
    }

    static void Stage(Utf8JsonWriter json, Ledger ledger, StageCounters stage)
    {
        json.WriteStartObject("pipeline");
        json.WriteNumber("queuedBefore", ledger.WaitedAtStart);
        json.WriteNumber("taken", stage.Taken.Sum());
        json.WriteNumber("queued", ledger.Queued);
        json.WriteNumber("unwanted", stage.Unwanted.Sum());
        json.WriteStartObject("outOfScope");
        for (int i = 0; i < stage.OutOfScope.Length; i++)
        {
            if (stage.OutOfScope[i] != 0) json.WriteNumber(((ScopeReason)i).Name(), stage.OutOfScope[i]);
        }
        json.WriteEndObject();
        json.WriteNumber("watched", stage.Watched.Sum());
        json.WriteNumber("watchedScored", stage.WatchedScored.Sum());
        json.WriteNumber("inScope", stage.InScope.Sum());
        json.WriteNumber("scored", stage.Scored.Sum());
        json.WriteNumber("lostToMistakes", stage.Unread + stage.Undecided.Sum() + stage.Unkept.Sum());
        json.WriteNumber("alerts", stage.Alerts);
        json.WriteNumber("alertsLostToMistakes", stage.AlertsUnkept);
        json.WriteNumber("alertsHeld", stage.AlertsHeld);
        if (ledger is { Spool: { } spool, SpoolAtStart: { } start }) json.WriteNumber("alertsFetched", spool.EngineAlerts - start.EngineAlerts);
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
