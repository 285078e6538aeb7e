namespace Nfr.Logs;

/// <summary>Tells by a line what wrote it, by what no other format has.</summary>
public static class FormatGuess
{
    /// <summary>Enough of a line to tell by; keys of a JSON object may come in any order, so that it is more than a few.</summary>
    const int Glimpse = 4096;

    /// <summary>Null when the line says nothing of it: it is blank, a comment, or of something else.</summary>
    public static LogFormat? Of(ReadOnlySpan<byte> line)
    {
        line = line[..Math.Min(line.Length, Glimpse)].Trim(" \t\r\n"u8);
        if (line.StartsWith("\uFEFF"u8)) line = line[3..];
        if (line.IsEmpty) return null;
        return line[0] switch
        {
            (byte)'{' => Object(line),
            (byte)'#' => line.StartsWith("#separator "u8) || line.StartsWith("#fields"u8) || line.StartsWith("#set_separator"u8) ? LogFormat.Zeek : null,
            _ => line.StartsWith("[{"u8) || line.SequenceEqual("["u8) ? LogFormat.Edge : Text(line),
        };
    }

    static LogFormat? Object(ReadOnlySpan<byte> line)
    {
        if (line.IndexOf("\"event_type\":"u8) >= 0) return LogFormat.Suricata;
        if (line.IndexOf("\"id.orig_h\":"u8) >= 0 || line.IndexOf("\"_path\":"u8) >= 0 || line.IndexOf("\"certificate.version\":"u8) >= 0) return LogFormat.Zeek;
        return line.IndexOf("\"queryProtocol\":"u8) >= 0 || line.IndexOf("\"queryType\":"u8) >= 0 ? LogFormat.Edge : null;
    }

    static LogFormat? Text(ReadOnlySpan<byte> line)
    {
        // What a program says of itself behind the time goes before how its lines look.
        if (line.IndexOf("named["u8) >= 0) return LogFormat.Bind;
        if (line.IndexOf("dnsmasq["u8) >= 0 || line.IndexOf("dnsmasq: "u8) >= 0 || line.IndexOf("pihole-FTL"u8) >= 0) return LogFormat.Dnsmasq;
        if (line.IndexOf("unbound["u8) >= 0 || line.IndexOf("unbound: ["u8) >= 0) return LogFormat.Unbound;
        if (line.IndexOf(": query: "u8) >= 0 && line.IndexOf("client "u8) >= 0) return LogFormat.Bind;
        if (line.IndexOf(" PACKET "u8) >= 0 || line.StartsWith("DNS Server log file creation"u8) || line.StartsWith("Message logging key"u8)) return LogFormat.Msdns;
        if (line.IndexOf("[INFO] "u8) >= 0 && line.IndexOf(" IN "u8) >= 0 && line.IndexOf((byte)'"') >= 0) return LogFormat.CoreDns;
        return null;
    }
}
