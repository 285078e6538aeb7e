using System.Globalization;
using System.Text;

namespace Nfr.Events;

/// <summary>
/// QRadar's Log Event Extended Format, version 2.0: the format's own attributes where it has one, ours in camelCase else. It knows no escapes, so the character between
/// attributes, which each line's header names, is one that no value of the line holds.
/// </summary>
public static class LeefFormat
{
    const string Separators = "^~`!*$";

    /// <summary>One line without line end for each threat, in the alert's order.</summary>
    /// <param name="alert">Raised on board or by an engine: nothing shows which.</param>
    /// <param name="version">The sensor's version, as in "2.0.0".</param>
    public static IReadOnlyList<string> Lines(Alert alert, string version)
    {
        ArgumentNullException.ThrowIfNull(alert);
        var lines = new List<string>(alert.Threats.Count);
        foreach (AlertThreat threat in alert.Threats)
        {
            List<(string Key, string Value)> attributes = Attributes(alert, threat);
            char separator = Separators.FirstOrDefault(c => !attributes.Exists(a => a.Value.Contains(c, StringComparison.Ordinal)));
            bool taken = separator == 0;
            if (taken) separator = Separators[0];
            var line = new StringBuilder("LEEF:2.0|AlphaSOC|NFR|", 512);
            line.Append(Header(version)).Append('|').Append(Header(threat.Id)).Append('|').Append(separator).Append('|');
            for (int i = 0; i < attributes.Count; i++)
            {
                if (i > 0) line.Append(separator);
                // A value that holds every one of them is no text that anybody reads.
                line.Append(attributes[i].Key).Append('=').Append(taken ? attributes[i].Value.Replace(separator, ' ') : attributes[i].Value);
            }
            lines.Add(line.ToString());
        }
        return lines;
    }

    static List<(string Key, string Value)> Attributes(Alert alert, AlertThreat threat)
    {
        AlertEvent e = alert.Event;
        List<(string Key, string Value)> list = [];
        Add(list, "cat", e.Type.Name());
        Add(list, "sev", threat.Severity * 2);
        Add(list, "policy", threat.Policy ? 1 : 0);
        if (EventTime.TryParse(e.Ts, out DateTime utc))
        {
            Add(list, "devTimeFormat", "MMM dd yyyy HH:mm:ss.SSS zzz");
            Add(list, "devTime", utc.ToString("MMM dd yyyy HH:mm:ss.fff 'UTC'", CultureInfo.InvariantCulture));
        }
        Add(list, "description", threat.Title);
        Add(list, "flags", string.Join(',', alert.Flags));
        Add(list, "groups", string.Join(',', alert.Groups.Select(g => g.Label)));
        Add(list, "proto", e.Proto ?? (e.Type is EventType.Http or EventType.Tls ? "tcp" : null));
        Add(list, "src", e.SrcIP);
        Add(list, "srcPort", e.SrcPort);
        Add(list, "dst", e.DestIP);
        Add(list, "dstPort", e.DestPort);
        // As the original: bytesIn is what the source got.
        Add(list, "srcBytes", e.BytesIn);
        Add(list, "dstBytes", e.BytesOut);
        Add(list, "query", e.Query);
        Add(list, "recordType", e.QType);
        Add(list, "url", e.Url);
        Add(list, "method", e.Method);
        Add(list, "status", e.Status);
        Add(list, "action", e.Action);
        Add(list, "contentType", e.ContentType);
        Add(list, "referrer", e.Referrer);
        Add(list, "userAgent", e.UserAgent);
        Add(list, "ja3", e.Ja3);
        Add(list, "ja3s", e.Ja3s);
        Add(list, "certHash", e.CertHash);
        Add(list, "issuer", e.Issuer);
        Add(list, "subject", e.Subject);
        Add(list, "validFrom", e.ValidFrom);
        Add(list, "validTo", e.ValidTo);
        Add(list, "identHostName", e.SrcHost);
        Add(list, "srcMAC", e.SrcMac);
        Add(list, "usrName", e.SrcUser);
        return list;
    }

    static void Add(List<(string, string)> list, string key, long? value) => Add(list, key, value?.ToString(CultureInfo.InvariantCulture));

    /// <summary>Line ends and other control characters become spaces, since receivers cut a line at them.</summary>
    static void Add(List<(string, string)> list, string key, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        list.Add((key, value.Any(char.IsControl) ? string.Concat(value.Select(c => char.IsControl(c) ? ' ' : c)) : value));
    }

    static string Header(string text) => string.Concat(text.Select(c => c == '|' || char.IsControl(c) ? '_' : c));
}
