using System.Globalization;
using System.Text;
using Nfr.Events;
using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>One line of what a mail counts rather than tells.</summary>
readonly record struct MailCount(int Severity, string Title, int Alerts, int Sources);

/// <summary>The alerts of one mail: the gravest in detail, the rest as counts. Makes its subject and its plain text; <see cref="MailHtml"/> makes the other form.</summary>
sealed class MailDigest
{
    public MailDigest(IReadOnlyList<StoredAlert> alerts, SensorIdentity sensor, int details, string prefix, TimeZoneInfo zone)
    {
        (Sensor, Zone) = (sensor, zone);
        List<Alert> ordered = [.. alerts.OrderByDescending(a => a.Alert.Severity).ThenBy(a => a.Sequence).Select(a => a.Alert)];
        Total = ordered.Count;
        Details = ordered.Count <= details ? ordered : ordered.GetRange(0, details);
        Rest = [.. ordered.Skip(Details.Count)
            .GroupBy(a => (a.Severity, Title: MailWords.Title(a)))
            .Select(g => new MailCount(g.Key.Severity, g.Key.Title, g.Count(), g.Select(a => a.Event.SrcIP ?? a.Event.SrcHost).Distinct().Count()))
            .OrderByDescending(c => c.Severity).ThenByDescending(c => c.Alerts).ThenBy(c => c.Title, StringComparer.Ordinal)];
        Counts = string.Join(", ", ordered.GroupBy(a => Math.Clamp(a.Severity, 1, 5)).OrderByDescending(g => g.Key).Select(g => $"{g.Count().ToString("N0", CultureInfo.InvariantCulture)} {MailWords.Severity(g.Key)}"));
        // By grouping after the severity, the first is of the gravest ones.
        List<string> titles = [.. ordered.Select(MailWords.Title).Distinct()];
        string first = titles.Count == 0 ? "" : titles[0];
        string subject = Total == 1 ? $"{MailWords.Severity(ordered[0].Severity)}: {first}, {MailWords.Source(ordered[0].Event)}"
            : $"{Spoken.Count(Total, "alert")} ({Counts}): {first}{(titles.Count > 1 ? $" and {titles.Count - 1} more" : "")}";
        Subject = MailWords.Clean(prefix.Length == 0 ? subject : $"{prefix} {subject}");
    }

    public SensorIdentity Sensor { get; }
    public TimeZoneInfo Zone { get; }
    public int Total { get; }
    public IReadOnlyList<Alert> Details { get; }
    public IReadOnlyList<MailCount> Rest { get; }
    /// <summary>"2 critical, 3 high".</summary>
    public string Counts { get; }
    public string Subject { get; }

    public string Headline => $"{Spoken.Count(Total, "alert")}: {Counts}";
    public string Sender => $"Sent by the sensor {MailWords.Clean(Sensor.Host)}, NFR {Sensor.Version}.";
    /// <summary>Below what is told in detail; empty when all is.</summary>
    public string RestLine => Rest.Count == 0 ? "" : Details.Count == 0 ? "In numbers:" : $"{Spoken.Count(Total - Details.Count, "further alert")}:";

    public static string Line(MailCount count) => $"{Spoken.Count(count.Alerts, "alert")}, {Spoken.Count(count.Sources, "source")}";

    /// <summary>Lines that end in LF.</summary>
    public string Text()
    {
        StringBuilder text = new();
        text.Append(Headline).Append("\n\n");
        foreach (Alert alert in Details)
        {
            text.Append('[').Append(MailWords.Severity(alert.Severity).ToUpperInvariant()).Append("] ").Append(MailWords.Title(alert)).Append('\n');
            foreach ((string name, string value) in MailWords.Facts(alert, Zone)) text.Append("  ").Append((name + ":").PadRight(14)).Append(value).Append('\n');
            text.Append('\n');
        }
        if (Rest.Count > 0)
        {
            text.Append(RestLine).Append('\n');
            foreach (MailCount count in Rest) text.Append("  [").Append(MailWords.Severity(count.Severity).ToUpperInvariant()).Append("] ").Append(count.Title).Append(": ").Append(Line(count)).Append('\n');
            text.Append('\n');
        }
        text.Append("-- \n").Append(Sender).Append('\n');
        return text.ToString();
    }
}
