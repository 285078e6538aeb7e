using System.Text.Json;
using Nfr.Events;
using Nfr.Health;
using Nfr.Logs;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>
/// What "nfr status --json" prints: one object. Sizes in bytes, durations in seconds, moments in UTC; what is not known is left out. Later versions add to it and take
/// nothing away.
/// </summary>
static class StatusJson
{
    public static byte[] Write(StatusReport report)
    {
        using var stream = new MemoryStream(16 << 10);
        using (var json = new Utf8JsonWriter(stream))
        {
            IReadOnlyList<Trouble> troubles = report.Troubles;
            json.WriteStartObject();
            json.WriteString("version", Commands.VersionText.Version);
            json.WriteString("sensor", report.SensorId);
            json.WriteBoolean("well", Trouble.AreNone(troubles));
            json.WriteStartArray("troubles");
            foreach (Trouble trouble in troubles) trouble.Write(json);
            json.WriteEndArray();
            Clock(json, report);
            json.WriteStartArray("capture");
            foreach (PortReport port in report.Ports) Port(json, report, port);
            json.WriteEndArray();
            json.WriteStartArray("inputs");
            foreach (SourceReport source in report.Inputs) Input(json, report, source);
            json.WriteEndArray();
            LedgerJson.Write(json, "run", report.Run);
            if (report.Interval is { } interval) Interval(json, interval);
            if (report.Run.Spool is { } spool) Spool(json, report, spool);
            json.WriteStartArray("uplinks");
            foreach (UplinkReport uplink in report.Uplinks) Uplink(json, uplink);
            json.WriteEndArray();
            json.WriteStartArray("consumers");
            foreach (ConsumerReport consumer in report.Consumers) Consumer(json, consumer);
            json.WriteEndArray();
            json.WriteStartArray("outputs");
            foreach (AlertOutputState output in report.Outputs) Output(json, output);
            json.WriteEndArray();
            if (report.Fleet is { } fleet) Fleet(json, fleet);
            json.WriteStartArray("lists");
            foreach (ListReport list in report.Lists) list.Write(json, report.Now);
            json.WriteEndArray();
            report.Box?.Write(json);
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    static void Clock(Utf8JsonWriter json, StatusReport report)
    {
        json.WriteStartObject("clock");
        json.WriteString("now", report.Now.UtcDateTime);
        json.WriteString("started", report.Started.UtcDateTime);
        json.WriteNumber("uptimeSeconds", Math.Round(report.Uptime.TotalSeconds, 1));
        // How far the wall clock was set since the start, against the monotonic one.
        json.WriteNumber("setSeconds", Math.Round((report.Now - report.Started - report.Uptime).TotalSeconds, 1));
        report.Box?.WriteClock(json);
        json.WriteEndObject();
    }

    static void Port(Utf8JsonWriter json, StatusReport report, PortReport port)
    {
        json.WriteStartObject();
        json.WriteString("interface", port.Interface);
        json.WriteBoolean("open", port.IsOpen);
        if (port.Rate is { } rate)
        {
            json.WriteNumber("packetsPerSecond", Math.Round(rate.Packets, 1));
            json.WriteNumber("bitsPerSecond", Math.Round(rate.Bits));
            json.WriteNumber("rateSeconds", Math.Round(rate.Seconds, 1));
        }
        CaptureEntry[] workers = [.. report.Run.Captures.Where(c => c.Interface == port.Interface)];
        json.WriteNumber("packets", workers.Sum(c => c.Decoded.Frames));
        json.WriteNumber("bytes", workers.Sum(c => c.Decoded.Bytes));
        json.WriteStartObject("dropped");
        // Each worker reads the same card.
        if (workers.FirstOrDefault()?.Nic is { } nic) json.WriteNumber("card", nic.Lost);
        json.WriteNumber("kernel", workers.Sum(c => c.Kernel?.Dropped ?? 0));
        json.WriteNumber("decoder", workers.Sum(c => (c.Kernel?.Abandoned ?? 0) + c.MistakenFrames));
        json.WriteNumber("pipelineEvents", workers.Sum(c => c.DroppedEvents.Sum()));
        json.WriteEndObject();
        json.WriteStartArray("conditions");
        foreach (Trouble condition in port.Conditions) condition.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Input(Utf8JsonWriter json, StatusReport report, SourceReport source)
    {
        InputReport now = source.Report;
        json.WriteStartObject();
        json.WriteString("input", source.Input);
        json.WriteString("name", now.Name);
        json.WriteString("where", now.Where);
        json.WriteString("trouble", now.Trouble);
        if (now.Behind is { } behind) json.WriteNumber("behind", behind);
        if (now.LastLine is { } last) json.WriteString("lastLine", last.UtcDateTime);
        if (report.Run.Inputs.FirstOrDefault(i => i.Name == source.Input)?.Sources.FirstOrDefault(s => s.Name == now.Name) is { } counts)
        {
            json.WriteNumber("lines", counts.Lines);
            json.WriteNumber("events", counts.Events.Sum());
            json.WriteNumber("skipped", counts.Skipped);
            json.WriteNumber("lostBytes", counts.LostBytes);
            json.WriteNumber("lost", counts.Lost);
            json.WriteNumber("refused", counts.Refused);
        }
        json.WriteStartArray("conditions");
        foreach (Trouble condition in source.Conditions) condition.Write(json);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Interval(Utf8JsonWriter json, LedgerInterval interval)
    {
        json.WriteStartObject("interval");
        json.WriteString("end", interval.End.UtcDateTime);
        json.WriteNumber("seconds", Math.Round(interval.Seconds, 3));
        json.WriteNumber("lost", interval.Lost);
        json.WriteString("sentence", interval.Sentence());
        LedgerJson.Write(json, "moved", interval.Moved);
        json.WriteEndObject();
    }

    static void Spool(Utf8JsonWriter json, StatusReport report, SpoolCounters spool)
    {
        json.WriteStartObject("spool");
        json.WriteString("folder", report.SpoolFolder);
        json.WriteNumber("inSpool", spool.Total.InSpool);
        json.WriteNumber("alerts", spool.Alerts.InSpool);
        json.WriteNumber("bytesOnDisk", spool.BytesOnDisk);
        json.WriteNumber("maxBytes", report.SpoolMost);
        json.WriteNumber("bytesWritten", spool.BytesWritten);
        json.WriteNumber("commits", spool.Commits);
        json.WriteNumber("faults", spool.Faults);
        json.WriteString("lastFault", spool.LastFault?.Message);
        json.WriteBoolean("failing", spool.Failing);
        json.WriteBoolean("diskFull", spool.DiskFull);
        json.WriteNumber("quarantine", spool.QuarantinedFiles);
        json.WriteStartObject("classes");
        foreach (SpoolClass of in SpoolClasses.All)
        {
            json.WriteStartObject(of.Name());
            json.WriteNumber("held", StatusReport.HeldOf(spool, of));
            json.WriteNumber("bytes", spool.BytesOf(of));
            json.WriteEndObject();
        }
        json.WriteEndObject();
        if (report.SpoolRate is { } rate) json.WriteNumber("eventsPerSecond", Math.Round(rate, 2));
        if (spool.Outlook is { } outlook)
        {
            json.WriteStartObject("outlook");
            json.WriteNumber("bytesPerDay", outlook.BytesPerDay);
            if (outlook.RingDays is { } days) json.WriteNumber("ringDays", Math.Round(days, 2));
            json.WriteNumber("cardYears", Math.Round(outlook.CardYears, 1));
            json.WriteNumber("cardBytes", outlook.CardBytes);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    static void Uplink(Utf8JsonWriter json, UplinkReport uplink)
    {
        json.WriteStartObject();
        json.WriteString("name", uplink.Name);
        json.WriteString("engine", uplink.Engine);
        json.WriteString("trouble", uplink.State.Trouble);
        if (uplink.Alerts is { } alerts)
        {
            json.WriteStartObject("alerts");
            if (alerts.LastSuccess is { } fetched) json.WriteString("lastSuccess", fetched.UtcDateTime);
            json.WriteString("trouble", alerts.Trouble);
            json.WriteEndObject();
        }
        json.WriteStartObject("types");
        foreach (UplinkTypeState type in uplink.State.Types)
        {
            json.WriteStartObject(type.Type.Name());
            json.WriteString("phase", type.Phase.ToString());
            json.WriteNumber("deliveredEvents", type.DeliveredEvents);
            json.WriteNumber("deliveredBytes", type.DeliveredBytes);
            json.WriteNumber("rejectedEvents", type.RejectedEvents);
            json.WriteNumber("quarantinedEvents", type.QuarantinedEvents);
            json.WriteNumber("failedRequests", type.FailedRequests);
            if (type.LastSuccess is { } last) json.WriteString("lastSuccess", last.UtcDateTime);
            json.WriteString("lastError", type.LastError);
            if (type.LastErrorAt is { } at) json.WriteString("lastErrorAt", at.UtcDateTime);
            if (type.BackingOffUntil is { } next) json.WriteString("nextTry", next.UtcDateTime);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Consumer(Utf8JsonWriter json, ConsumerReport consumer)
    {
        json.WriteStartObject();
        json.WriteString("name", consumer.Name);
        Tally(json, consumer.Total);
        json.WriteStartObject("types");
        foreach (EventType type in EventTypes.Uploaded)
        {
            json.WriteStartObject(type.Name());
            Tally(json, consumer.Types[(int)type]);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Tally(Utf8JsonWriter json, in ConsumerTally tally)
    {
        json.WriteNumber("since", tally.Since);
        json.WriteNumber("delivered", tally.Delivered);
        json.WriteNumber("quarantined", tally.Quarantined);
        json.WriteNumber("missed", tally.Missed);
        json.WriteNumber("waiting", tally.Waiting);
        if (tally.OldestWaiting is { } oldest) json.WriteString("oldestWaiting", oldest.UtcDateTime);
    }

    static void Fleet(Utf8JsonWriter json, FleetState fleet)
    {
        json.WriteStartObject("fleet");
        json.WriteString("broker", fleet.Broker);
        json.WriteBoolean("connected", fleet.IsConnected);
        if (fleet.Since is { } since) json.WriteString("since", since.UtcDateTime);
        json.WriteString("mqtt", fleet.Version);
        json.WriteString("trouble", fleet.Trouble);
        json.WriteString("remark", fleet.Remark);
        if (fleet.NextTry is { } next) json.WriteString("nextTry", next.UtcDateTime);
        json.WriteNumber("connects", fleet.Connects);
        json.WriteNumber("failedConnects", fleet.FailedConnects);
        json.WriteNumber("heartbeats", fleet.Heartbeats);
        json.WriteNumber("heartbeatsSkipped", fleet.HeartbeatsSkipped);
        json.WriteNumber("commandsTaken", fleet.CommandsTaken);
        json.WriteNumber("answersLost", fleet.AnswersLost);
        json.WriteStartObject("commandsRefused");
        for (int i = 1; i < fleet.Refused.Count; i++)
        {
            if (fleet.Refused[i] > 0) json.WriteNumber(JsonNamingPolicy.CamelCase.ConvertName(((FleetRefusal)i).ToString()), fleet.Refused[i]);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    static void Output(Utf8JsonWriter json, AlertOutputState output)
    {
        json.WriteStartObject();
        json.WriteString("name", output.Name);
        json.WriteString("target", output.Target);
        json.WriteNumber("alerts", output.Alerts);
        json.WriteNumber("refused", output.Refused);
        if (output.LastRefusal is { } refusal) json.WriteString("lastRefusal", refusal);
        json.WriteNumber("cut", output.Cut);
        if (output.LastRefusalAt is { } refused) json.WriteString("lastRefusalAt", refused.UtcDateTime);
        json.WriteNumber("filtered", output.Filtered);
        json.WriteNumber("waiting", output.Waiting);
        json.WriteNumber("failedWrites", output.FailedWrites);
        if (output.LastSuccess is { } last) json.WriteString("lastSuccess", last.UtcDateTime);
        json.WriteString("lastError", output.LastError);
        if (output.LastErrorAt is { } at) json.WriteString("lastErrorAt", at.UtcDateTime);
        if (output.BackingOffUntil is { } next) json.WriteString("nextTry", next.UtcDateTime);
        json.WriteString("trouble", output.Trouble);
        json.WriteString("holding", output.Holding);
        json.WriteString("remark", output.Remark);
        json.WriteEndObject();
    }
}
