using System.Globalization;
using Nfr.Events;

namespace Nfr.Commands;

/// <summary>An alert in words and numbers, for people: what, who, when, and how the score came about.</summary>
static class Explanation
{
    const int LongestText = 300;

    static readonly string[] s_severities = ["none", "informational", "low", "medium", "high", "critical"];

    /// <summary>The stored score is, to the bit, what its features give.</summary>
    public static bool IsExact(AlertEvidence evidence) =>
        BitConverter.DoubleToInt64Bits(evidence.Score) == BitConverter.DoubleToInt64Bits(EvidenceScore.Of(evidence.Features));

    public static void Write(Alert alert, TextWriter output)
    {
        AlertEvidence evidence = alert.Evidence!;
        Line(output, $"Alert {evidence.Id}, severity {alert.Severity} ({s_severities[Math.Clamp(alert.Severity, 0, 5)]})");
        foreach (AlertThreat threat in alert.Threats) Line(output, $"{threat.Title} ({threat.Id}{(threat.Policy ? ", policy" : "")})");
        output.WriteLine();
        Row(output, "When", Time(alert.Event.Ts) + " UTC");
        Row(output, "Who", Who(alert.Event));
        Row(output, "Event", Short(What(alert.Event)));
        Row(output, "Groups", string.Join(", ", alert.Groups.Select(g => g.Label)));
        Row(output, "Flags", string.Join(", ", alert.Flags));
        Row(output, "Detector", $"{evidence.Detector}, about {evidence.Key}");
        Row(output, "Why", evidence.Summary);
        Row(output, "Counted", evidence.Count == 1 ? "the first event of this finding" : string.Create(CultureInfo.InvariantCulture, $"{evidence.Count:N0} events of this finding so far"));
        output.WriteLine();
        WriteScore(evidence, output);
        if (evidence.Facts.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Also seen");
            foreach (EvidenceValue fact in evidence.Facts) Line(output, $"  {Words(fact.Name),-26} {fact.Text ?? Number(fact.Number)}");
        }
        if (evidence.CommunityIds.Count > 0)
        {
            output.WriteLine();
            output.WriteLine("Flows (Community ID)");
            foreach (string id in evidence.CommunityIds) Line(output, "  " + id);
        }
        output.WriteLine();
        output.WriteLine(evidence.Samples.Count == 1 ? "The event" : $"The last {evidence.Samples.Count} events");
        foreach (string sample in evidence.Samples) Line(output, "  " + Short(sample));
    }

    /// <summary>Names of tunnels and their answers fill screens; --json has them whole.</summary>
    static string Short(string text) => text.Length <= LongestText ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, LongestText)}… ({text.Length - LongestText} more)");

    static void WriteScore(AlertEvidence evidence, TextWriter output)
    {
        int width = Math.Max(12, evidence.Features.Select(f => Words(f.Name).Length).DefaultIfEmpty().Max());
        Line(output, $"{"feature".PadRight(width)}  {"measured",14}  {"limit",14}  {"weight",8}  {"gives",10}");
        foreach (EvidenceFeature feature in evidence.Features)
        {
            Line(output, $"{Words(feature.Name).PadRight(width)}  {Number(feature.Value),14}  {Number(feature.Limit),14}  {Number(feature.Weight),8}  {Number(EvidenceScore.Part(feature)),10}");
        }
        double again = EvidenceScore.Of(evidence.Features);
        Line(output, $"{"score".PadRight(width)}  {"",14}  {"",14}  {"",8}  {Number(again),10}");
        output.WriteLine();
        string verdict = IsExact(evidence) ? "equal to the stored score to the bit" : $"NOT the stored score, which is {evidence.Score.ToString("R", CultureInfo.InvariantCulture)}";
        Line(output, $"Computed again: {again.ToString("R", CultureInfo.InvariantCulture)}, {verdict}. Raised from {Number(evidence.ScoreLimit)} on.");
    }

    static string Who(AlertEvent e)
    {
        string[] more = [.. new[] { e.SrcHost, e.SrcMac, e.SrcUser }.Where(t => !string.IsNullOrEmpty(t)).Select(t => t!)];
        return (e.SrcIP ?? "unknown") + (e.SrcPort is { } port and > 0 ? $" port {port}" : "") + (more.Length > 0 ? $" ({string.Join(", ", more)})" : "");
    }

    static string What(AlertEvent e) => e.Type switch
    {
        EventType.Dns => $"dns query {e.Query} {e.QType}",
        EventType.Http => $"http {e.Method} {e.Url}",
        _ => $"{e.Type.Name()} to {e.DestIP}{(e.DestPort is { } port and > 0 ? $" port {port}" : "")} {e.Proto}",
    };

    /// <summary>camelCase as words: bitsPerCharacter is "bits per character".</summary>
    static string Words(string name) => string.Concat(name.Select(c => char.IsAsciiLetterUpper(c) ? " " + char.ToLowerInvariant(c) : c.ToString()));

    /// <summary>Up to six digits, for reading; the exact numbers are in the JSON.</summary>
    public static string Number(double value) => value.ToString("G6", CultureInfo.InvariantCulture);

    /// <summary>RFC 3339 to the second; what is no time as it stands.</summary>
    public static string Time(string ts) => DateTimeOffset.TryParse(ts, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset time)
        ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
        : ts;

    static void Row(TextWriter output, string name, string text)
    {
        if (text.Length > 0) Line(output, $"  {name,-9} {text}");
    }

    static void Line(TextWriter output, string text) => output.WriteLine(Printable.Of(text));
}
