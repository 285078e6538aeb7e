namespace Nfr.Uplink;

/// <summary>Durations as people say them in a log line.</summary>
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

    public static string Events(long count) => count == 1 ? "1 event" : $"{count:N0} events";
}
