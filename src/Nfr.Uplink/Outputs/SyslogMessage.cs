using System.Globalization;
using System.Text;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>
/// One alert as a syslog message. Its severity follows the threat's: 5 critical is crit (2), 4 high err (3), 3 medium warning (4), 2 low notice (5), 1 informational info (6). The time is
/// the event's own: UTC with milliseconds by RFC 5424, the machine's zone by RFC 3164, which knows none.
/// </summary>
static class SyslogMessage
{
    /// <summary>RFC 5424, 7.2.2: the number that is set aside for documentation, since we have none of our own.</summary>
    const string StructuredId = "nfr@32473";
    /// <summary>The original's user.alert.</summary>
    const int OriginalPriority = 9;
    static readonly byte[] s_bom = [0xEF, 0xBB, 0xBF];

    public static int SeverityOf(int severity) => 7 - Math.Clamp(severity, 1, 5);

    /// <param name="options">Form, facility and size.</param>
    /// <param name="sensor">Names the host.</param>
    /// <param name="alert">Tells time and fields.</param>
    /// <param name="threat">That the line is about.</param>
    /// <param name="line">UTF-8 without its line end.</param>
    /// <param name="now">Local time, for the original's form.</param>
    /// <param name="whole">Bytes that the message has uncut.</param>
    public static byte[] Make(SyslogSinkOptions options, SensorIdentity sensor, Alert alert, AlertThreat threat, ReadOnlySpan<byte> line, DateTimeOffset now, out int whole)
    {
        byte[] head = Encoding.UTF8.GetBytes(Head(options, sensor, alert, threat, now, structured: true));
        // Flags and groups may be many; the text has them too.
        if (head.Length > options.MaxBytes / 2) head = Encoding.UTF8.GetBytes(Head(options, sensor, alert, threat, now, structured: false));
        // RFC 5424, 6.4: UTF-8 begins with the mark; plain ASCII needs none, and some readers of JSON stumble over it.
        ReadOnlySpan<byte> mark = options.Rfc == SyslogRfc.Rfc5424 && !Ascii.IsValid(line) ? s_bom : [];
        whole = head.Length + mark.Length + line.Length;
        int room = Math.Min(line.Length, Math.Max(0, options.MaxBytes - head.Length - mark.Length));
        // Not within a character.
        while (room < line.Length && room > 0 && (line[room] & 0xC0) == 0x80) room--;
        byte[] message = new byte[head.Length + mark.Length + room];
        head.CopyTo(message, 0);
        mark.CopyTo(message.AsSpan(head.Length));
        Span<byte> text = message.AsSpan(head.Length + mark.Length);
        line[..room].CopyTo(text);
        // The formats have none; a receiver would cut the message there or take it for two.
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] is < 0x20 or 0x7F) text[i] = (byte)' ';
        }
        return message;
    }

    public static byte[] Frame(byte[] message, SyslogFraming framing) =>
        framing == SyslogFraming.Line ? [.. message, (byte)'\n'] : [.. Encoding.ASCII.GetBytes(message.Length.ToString(CultureInfo.InvariantCulture)), (byte)' ', .. message];

    static string Head(SyslogSinkOptions options, SensorIdentity sensor, Alert alert, AlertThreat threat, DateTimeOffset now, bool structured)
    {
        int priority = (options.Facility * 8) + SeverityOf(threat.Severity);
        string host = Printable(sensor.Host, 255);
        bool timed = EventTime.TryParse(alert.Event.Ts, out DateTime utc);
        switch (options.Rfc)
        {
            case SyslogRfc.Original:
                return string.Create(CultureInfo.InvariantCulture, $"<{OriginalPriority}>{Zoned(now)} {host} NFR[{Environment.ProcessId}]: ");
            case SyslogRfc.Rfc3164:
                DateTimeOffset local = timed ? TimeZoneInfo.ConvertTime(new DateTimeOffset(utc, TimeSpan.Zero), TimeZoneInfo.Local) : now;
                return string.Create(CultureInfo.InvariantCulture, $"<{priority}>{local:MMM} {local.Day,2} {local:HH:mm:ss} {host} nfr[{Environment.ProcessId}]: ");
            default:
                string time = timed ? utc.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) : "-";
                return string.Create(CultureInfo.InvariantCulture, $"<{priority}>1 {time} {host} nfr {Environment.ProcessId} {Printable(threat.Id, 32)} {(structured ? Structured(sensor, alert, threat) : "-")} ");
        }
    }

    /// <summary>RFC 3339 in whole seconds; UTC is Z, as the original's clock wrote it.</summary>
    static string Zoned(DateTimeOffset now) => now.ToString(now.Offset == TimeSpan.Zero ? "yyyy-MM-dd'T'HH:mm:ss'Z'" : "yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    static string Structured(SensorIdentity sensor, Alert alert, AlertThreat threat)
    {
        var text = new StringBuilder("[" + StructuredId, 256);
        Add(text, "severity", threat.Severity.ToString(CultureInfo.InvariantCulture));
        Add(text, "policy", threat.Policy ? "true" : "false");
        Add(text, "type", alert.Event.Type.Name());
        Add(text, "src", alert.Event.SrcIP);
        Add(text, "flags", string.Join(',', alert.Flags));
        Add(text, "groups", string.Join(',', alert.Groups.Select(g => g.Label)));
        Add(text, "alert", alert.Evidence?.Id);
        Add(text, "sensor", sensor.Id);
        return text.Append(']').ToString();
    }

    /// <summary>RFC 5424, 6.3.3: backslash, quote and bracket are escaped.</summary>
    static void Add(StringBuilder text, string name, string? value)
    {
        if (string.IsNullOrEmpty(value)) return;
        text.Append(' ').Append(name).Append("=\"");
        foreach (char c in value)
        {
            if (c is '\\' or '"' or ']') text.Append('\\');
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        text.Append('"');
    }

    /// <summary>Printable ASCII without spaces, not longer than the field; "-" when nothing is left.</summary>
    static string Printable(string text, int longest)
    {
        string clean = string.Concat(text.Take(longest).Select(c => c is > ' ' and <= '~' ? c : '_'));
        return clean.Length == 0 ? "-" : clean;
    }
}
