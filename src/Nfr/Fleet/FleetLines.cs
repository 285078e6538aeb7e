using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nfr.Health;

namespace Nfr.Fleet;

/// <summary>What "nfr fleet --json" prints: one document, or a line for each change. Later versions add to it and take nothing away.</summary>
static class FleetLines
{
    static readonly JsonWriterOptions s_options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>All of it, worst first.</summary>
    public static string Document(FleetView view, BrokerState broker, IReadOnlyList<FleetRow> shown) => Write(json =>
    {
        json.WriteString("time", view.Now.UtcDateTime);
        json.WriteString("broker", broker.Broker);
        json.WriteBoolean("connected", broker.Since is not null);
        json.WriteBoolean("well", view.AllWell && broker.Since is not null);
        json.WriteNumber("count", view.Rows.Count);
        json.WriteStartObject("states");
        foreach (SensorState state in Enum.GetValues<SensorState>()) json.WriteNumber(FleetRow.Word(state), view.Count(state));
        json.WriteEndObject();
        json.WriteNumber("alertsInHour", view.AlertsInHour);
        json.WriteStartObject("versions");
        foreach ((string version, int count) in view.Versions) json.WriteNumber(version, count);
        json.WriteEndObject();
        json.WriteStartObject("notTaken");
        json.WriteNumber("foreign", view.Refused.Foreign);
        json.WriteNumber("tooLong", view.Refused.TooLong);
        json.WriteNumber("unreadable", view.Refused.Unreadable);
        json.WriteNumber("full", view.Refused.Full);
        json.WriteEndObject();
        json.WriteStartArray("sensors");
        foreach (FleetRow row in shown)
        {
            json.WriteStartObject();
            Row(json, row);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    /// <param name="change">new, state, info, troubles, gone.</param>
    /// <param name="row">As it is now.</param>
    /// <param name="now">When.</param>
    public static string Change(string change, FleetRow row, DateTimeOffset now) => Write(json =>
    {
        json.WriteString("time", now.UtcDateTime);
        json.WriteString("change", change);
        Row(json, row);
    });

    public static string Alert(string key, SensorAlert alert, DateTimeOffset now) => Write(json =>
    {
        json.WriteString("time", now.UtcDateTime);
        json.WriteString("change", "alert");
        json.WriteString("sensor", key);
        Alert(json, alert);
    });

    public static string Broker(BrokerState broker, DateTimeOffset now) => Write(json =>
    {
        json.WriteString("time", now.UtcDateTime);
        json.WriteString("change", "broker");
        json.WriteString("broker", broker.Broker);
        json.WriteBoolean("connected", broker.Since is not null);
        if (broker.Trouble is { } trouble) json.WriteString("trouble", trouble);
    });

    static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream(1024);
        using (var json = new Utf8JsonWriter(stream, s_options))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.GetBuffer().AsSpan(0, (int)stream.Length));
    }

    static void Row(Utf8JsonWriter json, FleetRow row)
    {
        json.WriteString("sensor", row.Key);
        json.WriteString("state", FleetRow.Word(row.State));
        if (row.Online is { } online) json.WriteBoolean("online", online);
        if (row.Why.Length > 0) json.WriteString("why", row.Why);
        Text(json, "name", row.About.Name);
        Text(json, "version", row.About.Version);
        Text(json, "model", row.About.Model);
        Text(json, "address", row.About.Address);
        if (row.About.Started is { } started) json.WriteString("started", started.UtcDateTime);
        Number(json, "heardSeconds", row.Heard?.TotalSeconds, 1);
        Number(json, "clockSkewSeconds", row.Skew?.TotalSeconds, 1);
        json.WriteNumber("alertsInHour", row.AlertsInHour);
        json.WriteNumber("alerts", row.AlertCount);
        if (row.LastAlert is { } alert)
        {
            json.WriteStartObject("lastAlert");
            Alert(json, alert);
            json.WriteEndObject();
        }
        if (row.Health is not { } health) return;
        Number(json, "packetsPerSecond", health.PacketsPerSecond, 1);
        Number(json, "bitsPerSecond", health.BitsPerSecond, 0);
        Number(json, "loss", health.Loss, 6);
        if (health.Waiting is { } waiting) json.WriteNumber("waiting", waiting);
        Number(json, "celsius", health.Celsius, 1);
        Number(json, "uptimeSeconds", health.Uptime?.TotalSeconds, 0);
        json.WriteStartArray("troubles");
        foreach (Trouble trouble in health.Troubles) trouble.Write(json);
        json.WriteEndArray();
        if (health.TroubleCount > health.Troubles.Count) json.WriteNumber("moreTroubles", health.TroubleCount - health.Troubles.Count);
    }

    static void Alert(Utf8JsonWriter json, SensorAlert alert)
    {
        json.WriteString("at", alert.At.UtcDateTime);
        json.WriteNumber("severity", alert.Severity);
        json.WriteString("threat", alert.Threat);
        json.WriteString("what", alert.What);
        if (alert.Id.Length > 0) json.WriteString("id", alert.Id);
    }

    static void Text(Utf8JsonWriter json, string key, string? value)
    {
        if (value is not null) json.WriteString(key, value);
    }

    static void Number(Utf8JsonWriter json, string key, double? value, int digits)
    {
        if (value is { } number) json.WriteNumber(key, Math.Round(number, digits) + 0.0);
    }
}
