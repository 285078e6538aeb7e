using System.Globalization;
using System.Text.Json;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Update;

/// <summary>
/// Whether the sensor does its work, for an update on trial, from what <c>nfr status --json</c> says: a capture port is open and has packets or a link, the spool takes what comes, and each engine has answered or
/// says why not. A log that is read forgives a silent port, never one that does not open: a new kernel without the card's driver would pass. A fault that the old system would have too (a broken line to the engine)
/// must not send a good update back.
/// </summary>
static class SensorHealth
{
    /// <summary>After so long a spool that had nothing to commit counts as sound.</summary>
    const double QuietSeconds = 30;

    /// <param name="status">The answer of the status socket.</param>
    /// <param name="hasLink">Whether an interface has a link.</param>
    /// <param name="flush">The config's longest time for which events wait for others to go with them.</param>
    /// <returns>Null when all is well; else what is still missing, part of a sentence.</returns>
    public static string? Missing(ReadOnlyMemory<byte> status, Func<string, bool> hasLink, TimeSpan flush)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(status);
            JsonElement root = document.RootElement;
            return Capture(root, hasLink) ?? Spool(root) ?? Uplinks(root, flush);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return "the sensor's status cannot be read";
        }
    }

    static string? Capture(JsonElement root, Func<string, bool> hasLink)
    {
        string? closed = null, silent = null;
        foreach (JsonElement port in root.GetProperty("capture").EnumerateArray())
        {
            string name = port.GetProperty("interface").GetString() ?? "?";
            if (!port.GetProperty("open").GetBoolean()) closed ??= $"interface {name} is not open";
            else if (port.GetProperty("packets").GetInt64() > 0 || hasLink(name)) return null;
            else silent ??= $"interface {name} has neither a link nor packets";
        }
        bool isBlind = closed is not null && silent is null;
        if (!isBlind && root.GetProperty("inputs").EnumerateArray().Any(i => i.GetProperty("trouble").ValueKind == JsonValueKind.Null)) return null;
        return closed ?? silent ?? "the sensor captures nothing";
    }

    static string? Spool(JsonElement root)
    {
        if (!root.TryGetProperty("spool", out JsonElement spool)) return "the spool is not open";
        if (spool.GetProperty("failing").GetBoolean()) return $"the spool cannot be written ({spool.GetProperty("lastFault").GetString() ?? "no reason given"})";
        return spool.GetProperty("commits").GetInt64() > 0 || root.GetProperty("clock").GetProperty("uptimeSeconds").GetDouble() >= QuietSeconds ? null : "the spool has committed nothing yet";
    }

    static string? Uplinks(JsonElement root, TimeSpan flush)
    {
        JsonElement clock = root.GetProperty("clock");
        DateTimeOffset now = clock.GetProperty("now").GetDateTimeOffset(), started = clock.GetProperty("started").GetDateTimeOffset();
        bool quiet = clock.GetProperty("uptimeSeconds").GetDouble() >= QuietSeconds;
        foreach (JsonElement uplink in root.GetProperty("uplinks").EnumerateArray())
        {
            string name = uplink.GetProperty("name").GetString() ?? "?";
            bool polls = uplink.TryGetProperty("alerts", out JsonElement alerts);
            List<JsonProperty> types = [.. uplink.GetProperty("types").EnumerateObject()];
            if (types.Any(t => t.Value.TryGetProperty("lastSuccess", out _)) || (polls && alerts.TryGetProperty("lastSuccess", out _))) continue;
            // It says why not: a fault, the time of day at which nothing may go, a clock with which nothing goes yet (which is a trouble of its own).
            if (IsText(uplink, "trouble") || (polls && IsText(alerts, "trouble")) || types.Any(t => Phase(t) == nameof(UplinkPhase.OutsideWindow)) || ClockFloor.IsUnset(now)) continue;
            // Alerts are asked for as soon as the sensor runs, whether there is anything to send or not.
            if (polls) return $"the engine {name} was asked for alerts and has not answered yet";
            long due = types.Where(t => Phase(t) != nameof(UplinkPhase.Off)).Sum(t => Due(root, name, t.Name, now, started, flush));
            if (due > 0) return string.Create(CultureInfo.InvariantCulture, $"{due:N0} events wait for the engine {name}, which has not answered yet");
            // With nothing to send nobody is asked.
            if (!quiet) return $"the engine {name} has not answered yet";
        }
        return null;
    }

    static string? Phase(JsonProperty type) => type.Value.GetProperty("phase").GetString();

    static bool IsText(JsonElement of, string name) => of.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String;

    /// <summary>Events that somebody should have tried to deliver by now: those of before the start go at once, later ones with the next flush.</summary>
    static long Due(JsonElement root, string consumer, string type, DateTimeOffset now, DateTimeOffset started, TimeSpan flush)
    {
        JsonElement own = root.GetProperty("consumers").EnumerateArray().FirstOrDefault(c => c.GetProperty("name").GetString() == consumer);
        if (own.ValueKind != JsonValueKind.Object || !own.GetProperty("types").TryGetProperty(type, out JsonElement tally) || !tally.TryGetProperty("oldestWaiting", out JsonElement oldest)) return 0;
        DateTimeOffset at = oldest.GetDateTimeOffset();
        // A stamp of another clock than now's says nothing: rather wait.
        return at < started || at > now || now - at >= flush ? tally.GetProperty("waiting").GetInt64() : 0;
    }
}
