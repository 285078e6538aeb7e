using System.Globalization;
using System.Text;

namespace Nfr.Events;

/// <summary>
/// ArcSight's Common Event Format, version 0. The header and the dns and ip extensions are the original's to the byte; http and tls, for
/// which it said nothing, use the dictionary's keys and labelled custom ones. Name, card and user of the source, where they are known, come last.
/// </summary>
public static class CefFormat
{
    /// <summary>One line without line end for each threat, in the alert's order.</summary>
    /// <param name="alert">Raised on board or by an engine: nothing shows which.</param>
    /// <param name="version">The sensor's version, as in "2.0.0".</param>
    public static IReadOnlyList<string> Lines(Alert alert, string version)
    {
        ArgumentNullException.ThrowIfNull(alert);
        string extension = Extension(alert);
        var lines = new List<string>(alert.Threats.Count);
        foreach (AlertThreat threat in alert.Threats)
        {
            var line = new StringBuilder("CEF:0|AlphaSOC|NFR|", 256);
            Escape(line, version, '|');
            line.Append('|');
            Escape(line, threat.Id, '|');
            line.Append('|');
            Escape(line, threat.Title, '|');
            line.Append(CultureInfo.InvariantCulture, $"|{threat.Severity * 2}|").Append(extension);
            lines.Add(line.ToString());
        }
        return lines;
    }

    static string Extension(Alert alert)
    {
        AlertEvent e = alert.Event;
        var text = new StringBuilder(256);
        Add(text, "app", e.Type.Name());
        Add(text, "rt", Time(e.Ts));
        Add(text, "src", e.SrcIP);
        Custom(text, "cs1", "flags", string.Join(',', alert.Flags));
        Custom(text, "cs2", "groups", string.Join(',', alert.Groups.Select(g => g.Label)));
        switch (e.Type)
        {
            case EventType.Dns:
                Add(text, "query", e.Query);
                Add(text, "requestMethod", e.QType);
                break;
            case EventType.Ip:
                Add(text, "spt", e.SrcPort);
                Add(text, "dst", e.DestIP);
                Add(text, "dpt", e.DestPort);
                Add(text, "proto", e.Proto);
                Add(text, "in", e.BytesIn);
                Add(text, "out", e.BytesOut);
                Custom(text, "cs3", "ja3", e.Ja3);
                break;
            case EventType.Http:
                Add(text, "spt", e.SrcPort);
                Add(text, "dst", e.DestIP);
                Add(text, "dpt", e.DestPort);
                Add(text, "proto", "tcp");
                Add(text, "request", e.Url);
                Add(text, "requestMethod", e.Method);
                Add(text, "requestClientApplication", e.UserAgent);
                Add(text, "requestContext", e.Referrer);
                Add(text, "act", e.Action);
                Add(text, "in", e.BytesIn);
                Add(text, "out", e.BytesOut);
                Custom(text, "cn1", "status", e.Status?.ToString(CultureInfo.InvariantCulture));
                Custom(text, "cs4", "contentType", e.ContentType);
                break;
            default:
                Add(text, "spt", e.SrcPort);
                Add(text, "dst", e.DestIP);
                Add(text, "dpt", e.DestPort);
                Add(text, "proto", "tcp");
                Custom(text, "cs3", "ja3", e.Ja3);
                Custom(text, "cs4", "certHash", e.CertHash);
                Custom(text, "cs5", "issuer", e.Issuer);
                Custom(text, "cs6", "subject", e.Subject);
                Custom(text, "flexString1", "ja3s", e.Ja3s);
                Custom(text, "deviceCustomDate1", "validFrom", Time(e.ValidFrom));
                Custom(text, "deviceCustomDate2", "validTo", Time(e.ValidTo));
                break;
        }
        Add(text, "shost", e.SrcHost);
        Add(text, "smac", e.SrcMac);
        Add(text, "suser", e.SrcUser);
        return text.ToString();
    }

    /// <summary>"Sep 06 2018 14:09:04.123 UTC"; null when the stamp cannot be read.</summary>
    static string? Time(string? stamp) =>
        EventTime.TryParse(stamp, out DateTime utc) ? utc.ToString("MMM dd yyyy HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture) : null;

    static void Custom(StringBuilder text, string key, string label, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        Add(text, key, value);
        Add(text, key + "Label", label);
    }

    static void Add(StringBuilder text, string key, long? value) => Add(text, key, value?.ToString(CultureInfo.InvariantCulture));

    static void Add(StringBuilder text, string key, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        if (text.Length > 0) text.Append(' ');
        text.Append(key).Append('=');
        Escape(text, value, '=');
    }

    /// <summary>
    /// Backslash, line ends and the part's own separator ("|" in the header, "=" in the extension) are escaped; other control characters
    /// become spaces, since receivers cut or run a line at them.
    /// </summary>
    static void Escape(StringBuilder text, string value, char separator)
    {
        foreach (char c in value)
        {
            if (c == '\\' || c == separator) text.Append('\\').Append(c);
            else if (c == '\n') text.Append("\\n");
            else if (c == '\r') text.Append("\\r");
            else if (char.IsControl(c)) text.Append(' ');
            else text.Append(c);
        }
    }
}
