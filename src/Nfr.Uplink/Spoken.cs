namespace Nfr.Uplink;

/// <summary>Durations and counts as people say them in a log line.</summary>
static class Spoken
{
    public static string Duration(TimeSpan span) => span switch
    {
        { TotalSeconds: < 1 } => "under 1 s",
        { TotalMinutes: < 2 } => $"{span.TotalSeconds:0} s",
        { TotalHours: < 2 } => $"{span.TotalMinutes:0} min",
        { TotalDays: < 2 } => $"{span.TotalHours:0} h",
        _ => $"{span.TotalDays:0} days",
    };

    /// <summary>"1 alert", "20 alerts".</summary>
    public static string Count(long count, string what) => count == 1 ? $"1 {what}" : $"{count:N0} {what}s";

    public static string Events(long count) => count == 1 ? "1 event" : $"{count:N0} events";
}
