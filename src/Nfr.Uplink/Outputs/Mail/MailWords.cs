using System.Globalization;
using System.Text;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>What a mail says of an alert, in words; what the network sent is made harmless here: no control or direction characters, no name that a reader's program makes a link of.</summary>
static class MailWords
{
    const int MaxValue = 300;

    public static string Severity(int severity) => severity switch
    {
        >= 5 => "critical",
        4 => "high",
        3 => "medium",
        2 => "low",
        _ => "informational",
    };

    /// <summary>The threat that is named first: the gravest.</summary>
    public static string Title(Alert alert) => Clean(alert.Threats.MaxBy(t => t.Severity) is { } threat ? threat.Title.Length > 0 ? threat.Title : threat.Id : "alert");

    /// <summary>In the zone of the sensor, with its offset.</summary>
    public static string Time(string stamp, TimeZoneInfo zone)
    {
        if (!EventTime.TryParse(stamp, out DateTime utc)) return Clean(stamp);
        DateTimeOffset local = TimeZoneInfo.ConvertTime(new DateTimeOffset(DateTime.SpecifyKind(utc, DateTimeKind.Utc)), zone);
        return local.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
    }

    /// <summary>"laptop-7 (10.0.0.5)".</summary>
    public static string Source(AlertEvent e)
    {
        string host = Clean(e.SrcHost ?? ""), ip = Clean(e.SrcIP ?? "");
        return host.Length > 0 && ip.Length > 0 ? $"{host} ({ip})" : host.Length > 0 ? host : ip.Length > 0 ? ip : "unknown";
    }

    /// <summary>Names and values of one alert in the order that a reader asks for them; empty ones are left out.</summary>
    public static IEnumerable<(string Name, string Value)> Facts(Alert alert, TimeZoneInfo zone)
    {
        AlertEvent e = alert.Event;
        yield return ("Time", Time(e.Ts, zone));
        yield return ("Source", Source(e));
        if (e.SrcUser is { Length: > 0 } user) yield return ("User", Clean(user));
        if (alert.Groups.Count > 0) yield return ("Group", Clean(string.Join(", ", alert.Groups.Select(g => g.Description is { Length: > 0 } said && said != g.Label ? $"{g.Label} ({said})" : g.Label))));
        if (Destination(e) is { Length: > 0 } destination) yield return ("Destination", destination);
        if (alert.Threats.Count > 1) yield return ("Threats", Clean(string.Join(", ", alert.Threats.OrderByDescending(t => t.Severity).Select(t => t.Title))));
        if (alert.Flags.Count > 0) yield return ("Flags", Clean(string.Join(", ", alert.Flags)));
        if (alert.Evidence is not { } evidence) yield break;
        if (evidence.Summary.Length > 0) yield return ("Why", Harmless(evidence.Summary, e));
        if (evidence.Count > 1) yield return ("Events", evidence.Count.ToString("N0", CultureInfo.InvariantCulture));
        if (evidence.CommunityIds.Count > 0) yield return ("Community ID", Clean(string.Join(", ", evidence.CommunityIds.Take(3))) + (evidence.CommunityIds.Count > 3 ? $" and {evidence.CommunityIds.Count - 3} more" : ""));
        if (evidence.Id.Length > 0) yield return ("More", $"nfr explain {Clean(evidence.Id)}");
    }

    static string Destination(AlertEvent e)
    {
        string end = e.DestIP is { Length: > 0 } ip ? Clean(ip) + (e.DestPort is { } port ? $" port {port.ToString(CultureInfo.InvariantCulture)}{(e.Proto is { Length: > 0 } proto ? "/" + Clean(proto) : "")}" : "") : "";
        string name = e.Type switch
        {
            EventType.Dns when e.Query is { Length: > 0 } query => $"{Defang(query)}{(e.QType is { Length: > 0 } type ? $" ({Clean(type)})" : "")}",
            EventType.Http when e.Url is { Length: > 0 } url => $"{(e.Method is { Length: > 0 } method ? Clean(method) + " " : "")}{Defang(url)}",
            EventType.Tls when e.Subject is { Length: > 0 } subject => $"certificate of {Defang(subject)}",
            _ => "",
        };
        return name.Length == 0 ? end : end.Length == 0 ? name : $"{name}, {end}";
    }

    /// <summary>A name or address that is no link: a click in a mail must not lead to what it warns of.</summary>
    public static string Defang(string text) =>
        Clean(text).Replace(".", "[.]", StringComparison.Ordinal).Replace("http", "hxxp", StringComparison.OrdinalIgnoreCase);

    static string Harmless(string sentence, AlertEvent e)
    {
        string harmless = Clean(sentence);
        foreach (string? name in (string?[])[e.Url, e.Query])
        {
            // A dot is in all that a mail program would make a link of.
            if (name is { Length: > 3 } && name.Contains('.', StringComparison.Ordinal)) harmless = harmless.Replace(Clean(name), Defang(name), StringComparison.OrdinalIgnoreCase);
        }
        return harmless;
    }

    /// <summary>One line of bounded length; characters that steer a screen or turn the direction of text are shown as U+FFFD.</summary>
    public static string Clean(string text)
    {
        StringBuilder clean = new(Math.Min(text.Length, MaxValue) + 1);
        foreach (Rune one in text.EnumerateRunes())
        {
            if (clean.Length >= MaxValue) return clean.Append('…').ToString();
            UnicodeCategory kind = Rune.GetUnicodeCategory(one);
            if (kind is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) clean.Append(' ');
            else clean.Append(kind is UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse ? "\uFFFD" : one.ToString());
        }
        return clean.ToString();
    }
}
