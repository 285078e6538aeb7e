using System.Text.Json;
using Nfr.Storage;
using Nfr.Uplink;

namespace Nfr.Pipeline;

/// <summary>Everything that "nfr status" tells, as one JSON object: the sensor, its clock, both ledgers, spool, uplink, outputs.</summary>
sealed record StatusReport
{
    public required string SensorId { get; init; }
    public required DateTimeOffset Now { get; init; }
    public required DateTimeOffset Started { get; init; }
    /// <summary>By the monotonic clock.</summary>
    public required TimeSpan Uptime { get; init; }
    public required string Engine { get; init; }
    public required IReadOnlyList<(string Interface, bool Open)> Ports { get; init; }
    public required Ledger Run { get; init; }
    public LedgerInterval? Interval { get; init; }
    public required string SpoolFolder { get; init; }
    public required long SpoolMost { get; init; }
    public UplinkState? Uplink { get; init; }
    public IReadOnlyList<AlertOutputState> Outputs { get; init; } = [];
    public IReadOnlyList<ListReport> Lists { get; init; } = [];

    /// <summary>What keeps the sensor from doing its work now; empty while all is well.</summary>
    public IReadOnlyList<string> Troubles
    {
        get
        {
            List<string> troubles = [.. Ports.Where(p => !p.Open).Select(p => $"interface {p.Interface} is gone or down")];
            if (Run.Spool is { Failing: true } spool) troubles.Add($"the spool cannot be written: {spool.LastFault?.Message}");
            if (Uplink?.Trouble is { } trouble) troubles.Add(trouble);
            troubles.AddRange(Outputs.Where(o => o.Trouble is not null).Select(o => o.Trouble!));
            return troubles;
        }
    }

    public byte[] ToJson()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("version", Commands.VersionText.Version);
            json.WriteString("sensor", SensorId);
            json.WriteStartObject("clock");
            json.WriteString("now", Now.UtcDateTime);
            json.WriteString("started", Started.UtcDateTime);
            json.WriteNumber("uptimeSeconds", Math.Round(Uptime.TotalSeconds, 1));
            // How far the wall clock was set since the start, against the monotonic one.
            json.WriteNumber("setSeconds", Math.Round((Now - Started - Uptime).TotalSeconds, 1));
            json.WriteEndObject();
            json.WriteStartArray("troubles");
            foreach (string trouble in Troubles) json.WriteStringValue(trouble);
            json.WriteEndArray();
            json.WriteStartArray("capture");
            foreach ((string name, bool open) in Ports)
            {
                json.WriteStartObject();
                json.WriteString("interface", name);
                json.WriteBoolean("open", open);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            LedgerJson.Write(json, "run", Run);
            if (Interval is { } interval)
            {
                json.WriteStartObject("interval");
                json.WriteString("end", interval.End.UtcDateTime);
                json.WriteNumber("seconds", Math.Round(interval.Seconds, 3));
                json.WriteNumber("lost", interval.Lost);
                json.WriteString("sentence", interval.Sentence());
                LedgerJson.Write(json, "moved", interval.Moved);
                json.WriteEndObject();
            }
            if (Run.Spool is { } spool) Spool(json, spool);
            json.WriteStartObject("uplink");
            json.WriteString("engine", Engine);
            if (Uplink is { } uplink) Up(json, uplink);
            json.WriteEndObject();
            json.WriteStartArray("outputs");
            foreach (AlertOutputState output in Outputs)
            {
                json.WriteStartObject();
                json.WriteString("name", output.Name);
                json.WriteString("target", output.Target);
                json.WriteNumber("alerts", output.Alerts);
                json.WriteNumber("failedWrites", output.FailedWrites);
                if (output.LastSuccess is { } last) json.WriteString("lastSuccess", last.UtcDateTime);
                json.WriteString("trouble", output.Trouble);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("lists");
            foreach (ListReport list in Lists) list.Write(json, Now);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    void Spool(Utf8JsonWriter json, SpoolCounters spool)
    {
        json.WriteStartObject("spool");
        json.WriteString("folder", SpoolFolder);
        json.WriteNumber("inSpool", spool.Total.InSpool);
        json.WriteNumber("alerts", spool.Alerts.InSpool);
        json.WriteNumber("bytesOnDisk", spool.BytesOnDisk);
        json.WriteNumber("maxBytes", SpoolMost);
        json.WriteNumber("bytesWritten", spool.BytesWritten);
        json.WriteNumber("commits", spool.Commits);
        json.WriteNumber("faults", spool.Faults);
        json.WriteString("lastFault", spool.LastFault?.Message);
        json.WriteBoolean("failing", spool.Failing);
        json.WriteBoolean("diskFull", spool.DiskFull);
        json.WriteEndObject();
    }

    static void Up(Utf8JsonWriter json, UplinkState uplink)
    {
        json.WriteString("trouble", uplink.Trouble);
        json.WriteStartObject("types");
        foreach (UplinkTypeState type in uplink.Types)
        {
            json.WriteStartObject(Events.EventTypes.Name(type.Type));
            json.WriteString("phase", type.Phase.ToString());
            json.WriteNumber("deliveredEvents", type.DeliveredEvents);
            json.WriteNumber("deliveredBytes", type.DeliveredBytes);
            json.WriteNumber("rejectedEvents", type.RejectedEvents);
            json.WriteNumber("quarantinedEvents", type.QuarantinedEvents);
            json.WriteNumber("failedRequests", type.FailedRequests);
            json.WriteString("lastError", type.LastError);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
