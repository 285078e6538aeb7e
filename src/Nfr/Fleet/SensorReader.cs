using System.Text.Json;
using System.Text.Unicode;
using Nfr.Events;
using Nfr.Health;
using Nfr.Uplink;

namespace Nfr.Fleet;

/// <summary>Makes of a sensor's messages what the table keeps of them: cut, made fit for a terminal and shared. Null where a message is not what its topic says.</summary>
sealed class SensorReader(TextPool texts)
{
    public SensorAbout? About(ReadOnlyMemory<byte> payload) => !Utf8.IsValid(payload.Span) || FleetInfo.TryRead(payload) is not { } info ? null : new SensorAbout
    {
        Name = Word(info.Name),
        Version = Word(info.Version),
        Model = Word(info.Model),
        Address = Word(info.Addresses is [var first, ..] ? first : null),
        Started = info.Started == default ? null : info.Started,
    };

    public SensorHealth? Health(ReadOnlyMemory<byte> payload)
    {
        if (!Utf8.IsValid(payload.Span) || FleetHealth.TryRead(payload) is not { } health) return null;
        // Gravest first also from one who does not send them so.
        Trouble[] troubles = [.. health.Troubles.Where(t => t.What.Length > 0)
            .Select(t => new Trouble(t.Gravity switch { "loss" => Gravity.Loss, "fault" => Gravity.Fault, _ => Gravity.Notice }, Word(t.Place) ?? "", Sentence(t.What), Sentence(t.Do)))
            .OrderByDescending(t => t.Gravity)];
        return new SensorHealth
        {
            Time = health.Time == default ? null : health.Time,
            ClockUnset = !health.IsClockSet,
            Heartbeat = health.HeartbeatSeconds is >= 1 and <= 3600 ? TimeSpan.FromSeconds(health.HeartbeatSeconds) : null,
            Uptime = health.UptimeSeconds is > 0 and < 1e10 ? TimeSpan.FromSeconds(health.UptimeSeconds) : null,
            Troubles = troubles.Length > FleetBounds.MostTroubles ? troubles[..FleetBounds.MostTroubles] : troubles,
            TroubleCount = (int)Math.Min(int.MaxValue, (long)troubles.Length + health.MoreTroubles),
            PacketsPerSecond = NotNegative(health.PacketsPerSecond),
            BitsPerSecond = NotNegative(health.BitsPerSecond),
            Packets = health.Ports.Sum(p => (double)Math.Max(0, p.Packets)),
            Dropped = health.Ports.Sum(p => (double)Math.Max(0, p.Dropped)),
            Waiting = health.Spool is { } spool ? Math.Max(0, spool.Events) : null,
            Celsius = health.Celsius is > -100 and < 200 ? health.Celsius : null,
        };
    }

    /// <param name="payload">An alert as outputs have it.</param>
    /// <param name="heard">Now, for one whose stamp is none.</param>
    public SensorAlert? Alert(ReadOnlySpan<byte> payload, DateTimeOffset heard)
    {
        if (!Utf8.IsValid(payload) || !AlertJson.TryRead(payload, out Alert? alert, out _)) return null;
        AlertThreat worst = alert!.Threats.MaxBy(t => t.Severity)!;
        string what = alert.Evidence?.Summary is { Length: > 0 } summary ? summary
            : string.Join(" -> ", new[] { alert.Event.SrcIP, alert.Event.Query ?? alert.Event.DestIP }.Where(t => !string.IsNullOrEmpty(t)));
        DateTimeOffset at = DateTimeOffset.TryParse(alert.Event.Ts, System.Globalization.CultureInfo.InvariantCulture,
            System.Globalization.DateTimeStyles.AssumeUniversal | System.Globalization.DateTimeStyles.AdjustToUniversal, out DateTimeOffset stamp) ? stamp : heard;
        return new SensorAlert(at, Math.Clamp(worst.Severity, 0, 100), Sentence(worst.Title), Sentence(what), Word(alert.Evidence?.Id) ?? "");
    }

    string? Word(string? text) => string.IsNullOrEmpty(text) ? null : texts.Of(text, FleetBounds.LongestWord);

    string Sentence(string text) => text.Length == 0 ? "" : texts.Of(text, FleetBounds.LongestSentence);

    static double? NotNegative(double? number) => number is >= 0 ? number : null;

    /// <summary>A JSON object as it came, to be walked through; null when it is none.</summary>
    public static JsonDocument? Parse(byte[] payload)
    {
        try
        {
            return JsonDocument.Parse(payload, new JsonDocumentOptions { MaxDepth = FleetBounds.DeepestJson });
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
