using System.Globalization;

namespace Nfr.Health;

/// <summary>Durations as people say them: two of the largest unit are needed before it is used.</summary>
static class Ages
{
    public static string Of(TimeSpan span) => span switch
    {
        { TotalMinutes: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0} s"),
        { TotalHours: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0} min"),
        { TotalDays: < 2 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0} h"),
        { TotalDays: < 730 } => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} days"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays / 365.25:0} years"),
    };
}
