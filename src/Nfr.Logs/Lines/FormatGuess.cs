using System.Buffers;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>Tells by a line what wrote it, by what no other format has: a wrong guess would call things what they are not.</summary>
public static class FormatGuess
{
    /// <summary>Enough of a line to tell by; keys of a JSON object may come in any order, so that it is more than a few.</summary>
    const int Glimpse = 4096;

    static readonly SearchValues<byte> s_separators = SearchValues.Create("[, \t\r\n"u8), s_numbers = SearchValues.Create("0123456789:"u8);

    // Suricata's kinds of record: "event_type" is a key of others too.
    static readonly byte[][] s_eveTypes =
    [
        .. ("alert anomaly arp bittorrent_dht dcerpc dhcp dnp3 dns doh2 drop engine enip fileinfo flow frame ftp ftp_data http http2 ike ikev2 krb5 ldap mdns metadata modbus mqtt netflow nfs "
            + "packet pgsql pop3 quic rdp rfb sip smb smtp snmp ssh stats telnet tftp tls websocket").Split(' ').Select(System.Text.Encoding.ASCII.GetBytes),
    ];

    /// <summary>Null when the line says nothing of it: it is blank, a comment, or of something else.</summary>
    public static LogFormat? Of(ReadOnlySpan<byte> line)
    {
        line = line[..Math.Min(line.Length, Glimpse)].Trim(" \t\r\n"u8);
        if (line.StartsWith("\uFEFF"u8)) line = line[3..];
        if (line.IsEmpty) return null;
        // Records over several lines are written by one alone.
        if (line.Length <= 3 && !line.ContainsAnyExcept("[{ "u8)) return LogFormat.Edge;
        return line[0] switch
        {
            (byte)'#' => line.StartsWith("#separator "u8) || line.StartsWith("#fields\t"u8) || line.StartsWith("#set_separator"u8) ? LogFormat.Zeek : null,
            (byte)'{' or (byte)'[' or (byte)',' => Object(line) ?? Text(line),
            _ => Text(line),
        };
    }

    /// <summary>By the keys of an object, also of half of one; an array's separators may stand around it.</summary>
    internal static LogFormat? Object(ReadOnlySpan<byte> json)
    {
        int open = json.IndexOf((byte)'{');
        if (open < 0 || json[..open].ContainsAnyExcept(s_separators)) return null;
        bool eventType = false, timestamp = false, ts = false, path = false, host = false, certificate = false, time = false, source = false, query = false, queryType = false;
        JsonLineReader reader = JsonLineReader.Object(json[open..]);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            bool text = value.Kind == JsonKind.String;
            if (key.SequenceEqual("event_type"u8)) eventType = text && IsEveType(value.Bytes);
            else if (key.SequenceEqual("timestamp"u8)) timestamp = text && value.Bytes.Length > 19 && value.Bytes[10] == 'T';
            else if (key.SequenceEqual("ts"u8)) ts = text || value.Kind == JsonKind.Number;
            else if (key.SequenceEqual("_path"u8)) path = text;
            else if (key.SequenceEqual("id.orig_h"u8) || key.SequenceEqual("id_orig_h"u8)) host |= text;
            // Files.log has no connection of its own; a log whose scope separator was unset has the connection as an object.
            else if (key.SequenceEqual("fuid"u8)) host |= text && value.Bytes is [(byte)'F', ..];
            else if (key.SequenceEqual("id"u8) && value.Kind == JsonKind.Object) host |= value.Bytes.IndexOf("\"orig_h\""u8) > 0;
            else if (key.SequenceEqual("certificate.version"u8)) certificate = true;
            else if (key.SequenceEqual("time"u8)) time = true;
            else if (key.SequenceEqual("source"u8)) source = text;
            else if (key.SequenceEqual("query"u8)) query = text;
            else if (key.SequenceEqual("queryType"u8)) queryType = text;
        }
        return eventType && timestamp ? LogFormat.Suricata
            : ts && (path || host || certificate) ? LogFormat.Zeek
            : time && source && query && queryType ? LogFormat.Edge : null;
    }

    static bool IsEveType(ReadOnlySpan<byte> word)
    {
        foreach (byte[] known in s_eveTypes)
        {
            if (word.SequenceEqual(known)) return true;
        }
        return false;
    }

    static LogFormat? Text(ReadOnlySpan<byte> line)
    {
        // What a program says of itself behind the time goes before how its lines look.
        if (HasTag(line, "named"u8)) return LogFormat.Bind;
        if (HasTag(line, "dnsmasq"u8) || HasTag(line, "dnsmasq-dhcp"u8) || HasTag(line, "pihole-FTL"u8) || Has(line, "dnsmasq: query["u8, "] "u8, " from "u8)) return LogFormat.Dnsmasq;
        if (HasTag(line, "unbound"u8) || Has(line, "unbound: ["u8, "] "u8, ": "u8)) return LogFormat.Unbound;
        if (line.StartsWith("CoreDNS-"u8) || HasTag(line, "coredns"u8)) return LogFormat.CoreDns;
        if (line.StartsWith("DNS Server log file creation at "u8) || line.StartsWith("Message logging key (for packets"u8) || MsdnsParser.IsPacket(line)) return LogFormat.Msdns;
        if (Has(line, "client "u8, "#"u8, ": query: "u8)) return LogFormat.Bind;
        // RFC 5424 has the program as a word of its own; a message alone begins with what it says.
        if (line is [(byte)'<', ..] && line.IndexOf(" dnsmasq "u8) >= 0) return LogFormat.Dnsmasq;
        if (line is [(byte)'<', ..] && line.IndexOf(" unbound "u8) >= 0) return LogFormat.Unbound;
        if (line.StartsWith("query["u8)) return LogFormat.Dnsmasq;
        return Has(line, "[INFO] "u8, " - "u8, "\""u8) && Has(line, "\""u8, " IN "u8, "\""u8) ? LogFormat.CoreDns : null;
    }

    /// <summary>One behind the other.</summary>
    static bool Has(ReadOnlySpan<byte> line, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        int at = line.IndexOf(first);
        if (at < 0) return false;
        line = line[(at + first.Length)..];
        at = line.IndexOf(second);
        return at >= 0 && line[(at + second.Length)..].IndexOf(third) >= 0;
    }

    /// <summary>" named[123]: ", "unbound[12:0] ".</summary>
    static bool HasTag(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        int at = line.IndexOf(name);
        if (at < 0 || (at > 0 && line[at - 1] is not ((byte)' ' or (byte)'/' or (byte)'>'))) return false;
        ReadOnlySpan<byte> rest = line[(at + name.Length)..];
        int close = rest.IndexOf((byte)']');
        return rest is [(byte)'[', ..] && close > 1 && !rest[1..close].ContainsAnyExcept(s_numbers) && close + 1 < rest.Length && rest[close + 1] is (byte)':' or (byte)' ';
    }
}
