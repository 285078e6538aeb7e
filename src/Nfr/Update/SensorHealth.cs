using System.Text.Json;

namespace Nfr.Update;

/// <summary>
/// Whether the sensor does its work, for an update on trial, from what <c>nfr status --json</c> says: a capture port is open and has packets or a link (or a log is read), the spool takes what comes, and each
/// engine has answered or is known to be out of reach. A fault that the old system would have too (a broken line to the engine) must not send a good update back.
/// </summary>
static class SensorHealth
{
    /// <summary>After so long a spool that had nothing to commit counts as sound.</summary>
    const double QuietSeconds = 30;

    /// <param name="status">The answer of the status socket.</param>
    /// <param name="hasLink">Whether an interface has a link.</param>
    /// <returns>Null when all is well; else what is still missing, part of a sentence.</returns>
    public static string? Missing(ReadOnlyMemory<byte> status, Func<string, bool> hasLink)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(status);
            JsonElement root = document.RootElement;
            return Capture(root, hasLink) ?? Spool(root) ?? Uplinks(root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or KeyNotFoundException)
        {
            return "the sensor's status cannot be read";
        }
    }

    static string? Capture(JsonElement root, Func<string, bool> hasLink)
    {
        string? missing = null;
        foreach (JsonElement port in root.GetProperty("capture").EnumerateArray())
        {
            string name = port.GetProperty("interface").GetString() ?? "?";
            if (!port.GetProperty("open").GetBoolean()) missing ??= $"interface {name} is not open";
            else if (port.GetProperty("packets").GetInt64() > 0 || hasLink(name)) return null;
            else missing ??= $"interface {name} has neither a link nor packets";
        }
        if (root.GetProperty("inputs").EnumerateArray().Any(i => i.GetProperty("trouble").ValueKind == JsonValueKind.Null)) return null;
        return missing ?? "the sensor captures nothing";
    }

    static string? Spool(JsonElement root)
    {
        if (!root.TryGetProperty("spool", out JsonElement spool)) return "the spool is not open";
        if (spool.GetProperty("failing").GetBoolean()) return $"the spool cannot be written ({spool.GetProperty("lastFault").GetString() ?? "no reason given"})";
        return spool.GetProperty("commits").GetInt64() > 0 || root.GetProperty("clock").GetProperty("uptimeSeconds").GetDouble() >= QuietSeconds ? null : "the spool has committed nothing yet";
    }

    static string? Uplinks(JsonElement root)
    {
        bool quiet = root.GetProperty("clock").GetProperty("uptimeSeconds").GetDouble() >= QuietSeconds;
        foreach (JsonElement uplink in root.GetProperty("uplinks").EnumerateArray())
        {
            bool answered = uplink.GetProperty("types").EnumerateObject().Any(t => t.Value.TryGetProperty("lastSuccess", out _));
            bool offline = uplink.GetProperty("trouble").ValueKind == JsonValueKind.String;
            // With nothing to send nobody is asked.
            if (!answered && !offline && !quiet) return $"the engine {uplink.GetProperty("name").GetString()} has not answered yet";
        }
        return null;
    }
}
