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
/// Tells what a file is by its first bytes; a log by each of its first lines that only one format writes (<see cref="FormatGuess"/>). Lines of two formats,
/// and none at all, tell nothing.
/// </summary>
public static class FormatDetector
{
    /// <summary>As much of a file as is looked at, in bytes.</summary>
    public const int MaximumLength = 64 << 10;
    /// <summary>And in lines.</summary>
    public const int MaximumLines = 100;

    const string Looked = "looked for Zeek (#separator or #fields, JSON with ts and id.orig_h or _path), Suricata (JSON with event_type and timestamp), "
        + "Microsoft DNS (PACKET), BIND (client … query:), dnsmasq (query[…]), unbound (info: …), CoreDNS ([INFO] …) and BlueCat Edge (JSON with source and queryType)";

    /// <param name="begin">A file's first bytes; more than <see cref="MaximumLength"/> are not looked at.</param>
    public static DetectedFormat Detect(ReadOnlySpan<byte> begin)
    {
        if (Magic(begin) is { } kind) return new DetectedFormat(kind, null, "");
        if (begin is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..]) return Unknown("it is UTF-16, and logs are read as UTF-8; change it, as by: iconv -f UTF-16 -t UTF-8 FILE");
        if (begin.StartsWith("\uFEFF"u8)) begin = begin[3..];
        if (begin.Length > MaximumLength) begin = begin[..MaximumLength];

        LogFormat? told = null;
        int lines = 0;
        for (ReadOnlySpan<byte> rest = begin; !rest.IsEmpty && lines < MaximumLines;)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = (end < 0 ? rest : rest[..end]).Trim(" \t\r"u8);
            rest = end < 0 ? default : rest[(end + 1)..];
            if (line.IsEmpty) continue;
            lines++;
            // What a record over several lines is, its keys tell.
            LogFormat? format = line.ContainsAnyExcept("[{ "u8) ? FormatGuess.Of(line) : FirstRecord(begin);
            if (format == LogFormat.Zeek && line[0] == '#') return new DetectedFormat(FileKind.Log, format, "");
            if (format is null || format == told) continue;
            if (told is not null) return Unknown($"its first {lines} lines are of several formats; say which to read (format:)");
            told = format;
        }
        return told is not null ? new DetectedFormat(FileKind.Log, told, "")
            : Unknown(lines == 0 ? "it is empty" : $"no format can be told by its first {lines} lines ({Looked}); say it (format:)");
    }

    static DetectedFormat Unknown(string sentence) => new(FileKind.Unknown, null, sentence);

    static FileKind? Magic(ReadOnlySpan<byte> begin) => begin switch
    {
        [0x1F, 0x8B, ..] => FileKind.Gzip,
        // pcap in both byte orders, with microseconds, nanoseconds, or Kuznetzov's longer headers.
        [0xA1, 0xB2, 0xC3, 0xD4, ..] or [0xD4, 0xC3, 0xB2, 0xA1, ..] or [0xA1, 0xB2, 0x3C, 0x4D, ..] or [0x4D, 0x3C, 0xB2, 0xA1, ..]
            or [0xA1, 0xB2, 0xCD, 0x34, ..] or [0x34, 0xCD, 0xB2, 0xA1, ..] or [0x0A, 0x0D, 0x0D, 0x0A, ..] => FileKind.Capture,
        _ => null,
    };

    static LogFormat? FirstRecord(ReadOnlySpan<byte> begin)
    {
        begin = begin.TrimStart("[ \t\r\n"u8);
        return begin is [(byte)'{', ..] && FormatGuess.Object(begin) is LogFormat.Edge ? LogFormat.Edge : null;
    }
}
