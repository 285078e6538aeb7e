using System.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>What a file is by its first bytes.</summary>
public enum FileKind : byte
{
    /// <summary>None that is read, or none that can be told.</summary>
    Unknown,
    /// <summary>Lines or records of a <see cref="LogFormat"/>.</summary>
    Log,
    /// <summary>A capture file, pcap or pcapng.</summary>
    Capture,
    /// <summary>Compressed by gzip: what is in it tells.</summary>
    Gzip,
}

/// <param name="Kind">What it is.</param>
/// <param name="Format">Of a log.</param>
/// <param name="Sentence">Where it is unknown, why, for people; else empty.</param>
public readonly record struct DetectedFormat(FileKind Kind, LogFormat? Format, string Sentence);

/// <summary>
/// Tells a log's format by its first lines: by each line that only one format writes. Lines of two formats in one file, and none at all, tell nothing: a wrong
/// guess would skip a whole log, or call things what they are not.
/// </summary>
public static class FormatDetector
{
    /// <summary>As much of a file as is looked at, in bytes.</summary>
    public const int MaximumLength = 64 << 10;
    /// <summary>And in lines.</summary>
    public const int MaximumLines = 100;

    const string Looked = "looked for Zeek (#separator or #fields, JSON with ts and id.orig_h or _path), Suricata (JSON with event_type and timestamp), "
        + "Microsoft DNS (PACKET), BIND (client … query:), dnsmasq (query[…]), unbound (info: …), CoreDNS ([INFO] …) and BlueCat Edge (JSON with source and queryType)";

    static readonly LogFormat[] s_texts = [LogFormat.Msdns, LogFormat.Bind, LogFormat.Dnsmasq, LogFormat.Unbound, LogFormat.CoreDns];

    static readonly string[] s_eveTypes =
    [
        "alert", "anomaly", "arp", "bittorrent_dht", "dcerpc", "dhcp", "dnp3", "dns", "doh2", "drop", "engine", "enip", "fileinfo", "flow", "frame", "ftp", "ftp_data", "http", "http2", "ike", "ikev2",
        "krb5", "ldap", "mdns", "metadata", "modbus", "mqtt", "netflow", "nfs", "packet", "pgsql", "pop3", "quic", "rdp", "rfb", "sip", "smb", "smtp", "snmp", "ssh", "stats", "telnet", "tftp", "tls", "websocket",
    ];

    /// <param name="begin">A file's first bytes; more than <see cref="MaximumLength"/> are not looked at.</param>
    public static DetectedFormat Detect(ReadOnlySpan<byte> begin)
    {
        if (Magic(begin) is { } kind) return new DetectedFormat(kind, null, "");
        if (begin is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]) return Unknown("it is UTF-16, and logs are read as UTF-8; change it, as by: iconv -f UTF-16 -t UTF-8 FILE");
        if (begin.StartsWith("\uFEFF"u8)) begin = begin[3..];
        bool cut = begin.Length >= MaximumLength;
        if (cut) begin = begin[..MaximumLength];

        // By format: lines that are an event in it, or that no other writes; and lines of a program that writes it.
        Span<int> certain = stackalloc int[(int)LogFormat.Edge + 1], likely = stackalloc int[(int)LogFormat.Edge + 1];
        certain.Clear();
        likely.Clear();
        int lines = 0;
        var parsers = new (LogFormat Format, LineParser Parser)[s_texts.Length];
        for (int i = 0; i < parsers.Length; i++) parsers[i] = (s_texts[i], LogFormats.Parser(s_texts[i], new LineOptions())!);
        for (ReadOnlySpan<byte> rest = begin; !rest.IsEmpty && lines < MaximumLines;)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = (end < 0 ? rest : rest[..end]).TrimEnd((byte)'\r');
            bool half = end < 0 && cut;
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.Trim(" \t"u8).IsEmpty) continue;
            lines++;
            if (line.StartsWith("#separator "u8) || line.StartsWith("#fields\t"u8)) return new DetectedFormat(FileKind.Log, LogFormat.Zeek, "");
            if (Object(line.TrimStart(" \t"u8)) is { } format) certain[(int)format]++;
            else if (!half) Text(line, parsers, certain, likely);
        }
        // An array over several lines, or all in one.
        if (begin.TrimStart(" \t\r\n"u8) is [(byte)'[' or (byte)'{', ..] && certain.IndexOfAnyExcept(0) < 0 && FirstRecord(begin) is { } first) certain[(int)first]++;

        if (lines == 0) return Unknown("it is empty");
        return Only(certain, out bool several) ?? (several ? null : Only(likely, out several))
            ?? Unknown(several ? $"its first {lines} lines are of several formats; say which to read (format:)" : $"no format can be told by its first {lines} lines ({Looked}); say it (format:)");
    }

    static DetectedFormat Unknown(string sentence) => new(FileKind.Unknown, null, sentence);

    static DetectedFormat? Only(ReadOnlySpan<int> votes, out bool several)
    {
        int first = votes.IndexOfAnyExcept(0);
        several = first >= 0 && votes[(first + 1)..].IndexOfAnyExcept(0) >= 0;
        return first < 0 || several ? null : new DetectedFormat(FileKind.Log, (LogFormat)first, "");
    }

    static FileKind? Magic(ReadOnlySpan<byte> begin) => begin switch
    {
        [0x1F, 0x8B, ..] => FileKind.Gzip,
        // pcap in both byte orders, with microseconds, nanoseconds, or Kuznetzov's longer headers.
        [0xA1, 0xB2, 0xC3, 0xD4, ..] or [0xD4, 0xC3, 0xB2, 0xA1, ..] or [0xA1, 0xB2, 0x3C, 0x4D, ..] or [0x4D, 0x3C, 0xB2, 0xA1, ..]
            or [0xA1, 0xB2, 0xCD, 0x34, ..] or [0x34, 0xCD, 0xB2, 0xA1, ..] or [0x0A, 0x0D, 0x0D, 0x0A, ..] => FileKind.Capture,
        _ => null,
    };

    static void Text(ReadOnlySpan<byte> line, (LogFormat Format, LineParser Parser)[] parsers, Span<int> certain, Span<int> likely)
    {
        if (line.StartsWith("DNS Server log file creation at "u8) || line.StartsWith("Message logging key (for packets"u8)) certain[(int)LogFormat.Msdns]++;
        bool found = false;
        foreach ((LogFormat format, LineParser parser) in parsers)
        {
            if (parser.Read(line, s_nowhere) is not (LineVerdict.Event or LineVerdict.Held or LineVerdict.Answer)) continue;
            certain[(int)format]++;
            found = true;
        }
        if (!found && Program(line) is { } program) likely[(int)program]++;
    }

    /// <summary>By the name of who wrote the line: a server's news come before its first query.</summary>
    static LogFormat? Program(ReadOnlySpan<byte> line)
    {
        if (line.Length > 1024) line = line[..1024];
        if (Tag(line, "named"u8)) return LogFormat.Bind;
        if (Tag(line, "dnsmasq"u8) || Tag(line, "dnsmasq-dhcp"u8)) return LogFormat.Dnsmasq;
        if (Tag(line, "unbound"u8)) return LogFormat.Unbound;
        return line.StartsWith("CoreDNS-"u8) || Tag(line, "coredns"u8) ? LogFormat.CoreDns : null;
    }

    /// <summary>" named[123]: ", "unbound[12:0] ".</summary>
    static bool Tag(ReadOnlySpan<byte> line, ReadOnlySpan<byte> name)
    {
        int at = line.IndexOf(name);
        if (at < 0 || (at > 0 && line[at - 1] is not ((byte)' ' or (byte)'/'))) return false;
        ReadOnlySpan<byte> rest = line[(at + name.Length)..];
        int close = rest.IndexOf((byte)']');
        return rest is [(byte)'[', ..] && close > 1 && !rest[1..close].ContainsAnyExcept("0123456789:"u8) && close + 1 < rest.Length && rest[close + 1] is (byte)':' or (byte)' ';
    }

    static LogFormat? FirstRecord(ReadOnlySpan<byte> begin)
    {
        var records = new JsonRecords();
        begin = begin[..Math.Min(begin.Length, JsonRecords.ChunkLength)];
        begin.CopyTo(records.Room());
        records.Filled(begin.Length);
        return (records.TryNext(out ReadOnlySpan<byte> record) is LineFound.Line || records.TryLast(out record) is LineFound.Line) && Object(record) is LogFormat.Edge ? LogFormat.Edge : null;
    }

    /// <summary>By the keys of an object, also of half of one; separators of an array may stand before it.</summary>
    static LogFormat? Object(ReadOnlySpan<byte> json)
    {
        int open = json.IndexOf((byte)'{');
        if (open < 0 || json[..open].ContainsAnyExcept("[, \t"u8)) return null;
        json = json[open..].TrimEnd(",] \t"u8);
        bool eventType = false, timestamp = false, ts = false, path = false, host = false, certificate = false, time = false, source = false, query = false, queryType = false;
        JsonLineReader reader = JsonLineReader.Object(json);
        while (reader.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            bool text = value.Kind == JsonKind.String;
            if (key.SequenceEqual("event_type"u8)) eventType = text && Array.IndexOf(s_eveTypes, Encoding.UTF8.GetString(value.Bytes)) >= 0;
            else if (key.SequenceEqual("timestamp"u8)) timestamp = text && value.Bytes.Length > 19 && value.Bytes[10] == 'T';
            else if (key.SequenceEqual("ts"u8)) ts = text || value.Kind == JsonKind.Number;
            else if (key.SequenceEqual("_path"u8)) path = text;
            else if (key.SequenceEqual("id.orig_h"u8)) host = text;
            else if (key.SequenceEqual("certificate.serial"u8)) certificate = text;
            else if (key.SequenceEqual("time"u8)) time = true;
            else if (key.SequenceEqual("source"u8)) source = text;
            else if (key.SequenceEqual("query"u8)) query = text;
            else if (key.SequenceEqual("queryType"u8)) queryType = text;
        }
        return eventType && timestamp ? LogFormat.Suricata
            : ts && (path || host || certificate) ? LogFormat.Zeek
            : time && source && query && queryType ? LogFormat.Edge : null;
    }

    static readonly Nowhere s_nowhere = new();

    sealed class Nowhere : IEventSink
    {
        public void OnDns(scoped in DnsEvent e) { }
        public void OnIp(scoped in IpEvent e) { }
        public void OnHttp(scoped in HttpEvent e) { }
        public void OnTls(scoped in TlsEvent e) { }
        public void OnHost(scoped in HostEvent e) { }
        public void OnAnomaly(scoped in AnomalyEvent e) { }
    }
}
