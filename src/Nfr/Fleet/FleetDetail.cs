using System.Globalization;
using System.Text;
using System.Text.Json;
using Nfr.Commands;
using Nfr.Health;

namespace Nfr.Fleet;

/// <summary>The screen of one sensor: how it is, its troubles and what to do, its alerts, and all that it said of itself.</summary>
static class FleetDetail
{
    /// <summary>Lines that a sensor's own words may fill; the rest is left out and said to be.</summary>
    const int MostFacts = 300;
    const int FirstColumn = 28;

    public static IReadOnlyList<ScreenLine> Lines(SensorDetail detail, DateTimeOffset now, int width)
    {
        FleetRow row = detail.Row;
        List<ScreenLine> lines = [];
        string name = row.About.Name is { } said && said != row.Id ? $"  {said}" : "";
        lines.Add(new($"{row.Key}{name}", ScreenMark.Head));
        lines.Add(new(State(row), row.State is SensorState.Well ? ScreenMark.Good : row.State is SensorState.Degraded or SensorState.Waiting ? ScreenMark.Notice : ScreenMark.Bad));
        if (row.State == SensorState.Offline) lines.Add(new("  -> look at its power and its network; what its LEDs say is in hardware/README.md"));
        if (row.State == SensorState.Silent) lines.Add(new($"  -> its connection may hang, or the broker was restarted: nfr fleet send {row.Key} ping --key FILE"));
        if (row.Skew is { } skew && skew.Duration() > FleetSummary.WorstSkew)
            lines.Add(new($"Its clock is {Ages.Of(skew.Duration())} {(skew < TimeSpan.Zero ? "behind" : "ahead of")} this machine's", ScreenMark.Notice));

        lines.Add(new(""));
        lines.Add(new("Troubles", ScreenMark.Head));
        if (row.Health is null) lines.Add(new("  not heard yet: they come with the next heartbeat"));
        else if (row.Health.TroubleCount == 0) lines.Add(new("  none", ScreenMark.Good));
        foreach (Trouble trouble in row.Health?.Troubles ?? [])
        {
            string head = trouble.Gravity switch { Gravity.Loss => "  LOSS   ", Gravity.Fault => "  FAULT  ", _ => "  look   " };
            Wrapped(lines, head, trouble.What, trouble.Gravity == Gravity.Notice ? ScreenMark.Notice : ScreenMark.Bad, width);
            if (trouble.Do.Length > 0) Wrapped(lines, "         -> ", trouble.Do, ScreenMark.None, width);
        }
        if (row.Health is { } health && health.TroubleCount > health.Troubles.Count) lines.Add(new($"  and {FleetText.Count(health.TroubleCount - health.Troubles.Count)} more: nfr status on the box"));

        lines.Add(new(""));
        lines.Add(new($"Alerts: {FleetText.Count(row.AlertsInHour)} in the last hour, {FleetText.Count(row.AlertCount)} since this began" + (detail.Alerts.Count > 0 ? "; the last ones:" : ""), ScreenMark.Head));
        foreach (SensorAlert alert in detail.Alerts)
        {
            string head = string.Create(CultureInfo.InvariantCulture, $"  {alert.At.UtcDateTime:MM-dd HH:mm:ss}Z  {alert.Severity,2}  ");
            Wrapped(lines, head, alert.What.Length > 0 ? $"{alert.Threat}: {alert.What}" : alert.Threat, ScreenMark.Bad, width);
        }
        Facts(lines, "Health", detail.RawHealth, row.Health is not null, width);
        Facts(lines, "About", detail.RawInfo, row.About != new SensorAbout(), width);
        return lines;
    }

    static string State(FleetRow row)
    {
        string heard = row.Heard is { } age ? $"last heard {Ages.Of(age)} ago" : "not heard since this began";
        string state = FleetRow.Word(row.State);
        return row.State switch
        {
            SensorState.Offline => $"{state}: {row.Why}; {heard}",
            SensorState.Silent or SensorState.Waiting => $"{state}: {row.Why}; {heard}",
            _ => $"{state}, {heard}",
        };
    }

    static void Wrapped(List<ScreenLine> lines, string head, string text, ScreenMark mark, int width)
    {
        foreach (string line in FleetText.Wrap(text, Math.Max(20, width - head.Length)))
        {
            lines.Add(new(head + line, mark));
            head = new string(' ', head.Length);
        }
    }

    /// <summary>A JSON object as lines, whatever is in it: its plain values first, then each object of it under a head of its own.</summary>
    static void Facts(List<ScreenLine> lines, string title, byte[]? raw, bool heard, int width)
    {
        lines.Add(new(""));
        lines.Add(new(title, ScreenMark.Head));
        using JsonDocument? document = raw is null ? null : SensorReader.Parse(raw);
        if (document is null)
        {
            lines.Add(new(heard ? "  not kept: too many sensors say too much; name a --site" : "  not heard yet"));
            return;
        }
        try
        {
            Facts(lines, document.RootElement, width);
        }
        catch (InvalidOperationException)
        {
            lines.Add(new("  what follows cannot be read: a key is no text"));
        }
    }

    static void Facts(List<ScreenLine> lines, JsonElement root, int width)
    {
        int end = lines.Count + MostFacts;
        List<(string Name, JsonElement Value)> nested = [];
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name == "troubles") continue;
            if (property.Value.ValueKind is JsonValueKind.Object) nested.Add((property.Name, property.Value));
            else Fact(lines, "", property.Name, property.Value, width, end);
        }
        foreach ((string name, JsonElement value) in nested)
        {
            if (lines.Count >= end) break;
            lines.Add(new(""));
            string head = Spoken(name);
            lines.Add(new(head.Length == 0 ? "-" : char.ToUpperInvariant(head[0]) + head[1..], ScreenMark.Head));
            foreach (JsonProperty property in value.EnumerateObject()) Fact(lines, "", property.Name, property.Value, width, end);
        }
        if (lines.Count >= end) lines.Add(new("  and more: nfr status on the box", ScreenMark.Notice));
    }

    static void Fact(List<ScreenLine> lines, string prefix, string name, JsonElement value, int width, int end)
    {
        if (lines.Count >= end) return;
        string label = prefix + Spoken(name);
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject()) Fact(lines, label + ", ", property.Name, property.Value, width, end);
                return;
            case JsonValueKind.Array:
                int i = 0;
                foreach (JsonElement item in value.EnumerateArray()) Fact(lines, prefix, i++ == 0 ? name : "", item, width, end);
                return;
            default:
                string text = value.ValueKind switch
                {
                    JsonValueKind.String => value.GetString()!,
                    JsonValueKind.Number => value.TryGetInt64(out long whole) ? FleetText.Count(whole) : value.TryGetDouble(out double number) ? number.ToString("0.###", CultureInfo.InvariantCulture) : "not readable",
                    JsonValueKind.True => "yes",
                    JsonValueKind.False => "no",
                    _ => "-",
                };
                string first = "  " + FleetText.Fit(label, FirstColumn) + " ";
                lines.Add(new(first + FleetText.Fit(Printable.Of(Short(text)), Math.Max(8, width - first.Length)).TrimEnd()));
                return;
        }
    }

    static string Short(string text) => text.Length <= FleetBounds.LongestSentence ? text : text[..FleetBounds.LongestSentence];

    /// <summary>Such as packets per second of packetsPerSecond.</summary>
    static string Spoken(string name)
    {
        var spoken = new StringBuilder(name.Length + 8);
        foreach (char c in Printable.Of(Short(name)))
        {
            if (char.IsAsciiLetterUpper(c) && spoken.Length > 0 && !char.IsAsciiLetterUpper(spoken[^1])) spoken.Append(' ').Append(char.ToLowerInvariant(c));
            else spoken.Append(c);
        }
        return spoken.ToString();
    }
}
