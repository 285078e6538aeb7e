namespace Nfr.Logs;

/// <summary>
/// What stands before a message that came through syslog, as a datagram, as a line of a relay's file or of journalctl: RFC 5424, RFC 3164 with and
/// without its priority, its host or its time, and the forms with a full time that today's relays write. A part that is missed is empty.
/// </summary>
readonly ref struct SyslogHeader
{
    /// <summary>Facility × 8 + severity; -1 when it is not said.</summary>
    public int Priority { get; private init; }
    public bool HasTime { get; private init; }
    /// <summary>Nanoseconds since 1970.</summary>
    public long Time { get; private init; }
    public ReadOnlySpan<byte> Host { get; private init; }
    /// <summary>"named" of "named[123]:".</summary>
    public ReadOnlySpan<byte> App { get; private init; }
    public ReadOnlySpan<byte> Pid { get; private init; }
    public ReadOnlySpan<byte> Message { get; private init; }

    /// <summary>RFC 3164 4.1.3 has 32; paths of programs are longer.</summary>
    const int MaximumTag = 128;

    /// <summary>False when the line begins with none of it: <see cref="Message"/> is the line then.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, StampReader stamps, out SyslogHeader header)
    {
        ReadOnlySpan<byte> rest = line;
        int priority = Priorities(ref rest);
        if (IsVersion(rest, priority) && TryProtocol(rest[2..], priority, stamps, out header)) return true;

        rest = rest.TrimStart((byte)' ');
        bool timed = stamps.TryTake(ref rest, out long time);
        // The original wants seconds since 1970 before the relay's own time, which has no year: the first one counts.
        if (timed) stamps.TryTake(ref rest, out _);
        ReadOnlySpan<byte> host = default;
        if (!TryTag(rest, out ReadOnlySpan<byte> app, out ReadOnlySpan<byte> pid, out ReadOnlySpan<byte> message))
        {
            int blank = rest.IndexOf((byte)' ');
            if (blank > 0 && rest[..blank].IndexOfAny((byte)'[', (byte)'(') < 0 && TryTag(rest[(blank + 1)..].TrimStart((byte)' '), out app, out pid, out message)) host = rest[..blank];
            else message = rest;
        }
        header = new SyslogHeader { Priority = priority, HasTime = timed, Time = time, Host = host, App = app, Pid = pid, Message = message };
        return priority >= 0 || timed || !app.IsEmpty;
    }

    /// <summary>Takes "&lt;30&gt;" off the front.</summary>
    static int Priorities(ref ReadOnlySpan<byte> text)
    {
        if (text.Length < 3 || text[0] != '<') return -1;
        int n = 1, priority = 0;
        for (; n < text.Length && n < 4 && char.IsAsciiDigit((char)text[n]); n++) priority = (priority * 10) + text[n] - '0';
        if (n == 1 || n == text.Length || text[n] != '>') return -1;
        text = text[(n + 1)..];
        return priority;
    }

    /// <summary>RFC 5424's version; without a priority (a relay's file) only before a full time.</summary>
    static bool IsVersion(ReadOnlySpan<byte> text, int priority) =>
        text.StartsWith("1 "u8) && (priority >= 0 || (text.Length > 12 && text[6] == '-' && text[12] is (byte)'T'));

    /// <summary>RFC 5424 6: time, host, app, process, message id, structured data, message.</summary>
    static bool TryProtocol(ReadOnlySpan<byte> text, int priority, StampReader stamps, out SyslogHeader header)
    {
        header = default;
        ReadOnlySpan<byte> stamp = Word(ref text), host = Word(ref text), app = Word(ref text), pid = Word(ref text);
        Word(ref text);
        if (stamp.IsEmpty || app.IsEmpty || !TrySkipData(ref text)) return false;
        bool timed = stamps.TryTake(ref stamp, out long time) && stamp.IsEmpty;
        text = text.TrimStart((byte)' ');
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        header = new SyslogHeader { Priority = priority, HasTime = timed, Time = time, Host = Value(host), App = Value(app), Pid = Value(pid), Message = text };
        return true;
    }

    static ReadOnlySpan<byte> Value(ReadOnlySpan<byte> word) => word is [(byte)'-'] ? default : word;

    static ReadOnlySpan<byte> Word(scoped ref ReadOnlySpan<byte> text)
    {
        int blank = text.IndexOf((byte)' ');
        ReadOnlySpan<byte> word = blank < 0 ? text : text[..blank];
        text = blank < 0 ? default : text[(blank + 1)..];
        return word;
    }

    /// <summary>"-", or elements in brackets whose values may hold a bracket within quotes.</summary>
    static bool TrySkipData(ref ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty) return true;
        if (text[0] == '-')
        {
            text = text[1..];
            return true;
        }
        if (text[0] != '[') return false;
        while (!text.IsEmpty && text[0] == '[')
        {
            bool quoted = false;
            int n = 1;
            for (; n < text.Length && (quoted || text[n] != ']'); n++)
            {
                if (text[n] == '"') quoted = !quoted;
                else if (text[n] == '\\' && quoted) n++;
            }
            if (n >= text.Length) return false;
            text = text[(n + 1)..];
        }
        return true;
    }

    /// <summary>"named[123]: ", "named: "; also "dnsmasq[1]:" at the end of the line.</summary>
    static bool TryTag(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> app, out ReadOnlySpan<byte> pid, out ReadOnlySpan<byte> message)
    {
        app = pid = message = default;
        ReadOnlySpan<byte> start = text.Length > MaximumTag ? text[..MaximumTag] : text;
        int n = 0;
        while (n < start.Length && (char.IsAsciiLetterOrDigit((char)start[n]) || start[n] is (byte)'-' or (byte)'_' or (byte)'.' or (byte)'/' or (byte)'@')) n++;
        if (n == 0 || n == start.Length) return false;
        int end = n;
        if (start[n] == '[')
        {
            int close = start[n..].IndexOf((byte)']');
            if (close < 0) return false;
            pid = start.Slice(n + 1, close - 1);
            end = n + close + 1;
        }
        if (end >= start.Length || start[end] != ':' || (end + 1 < text.Length && text[end + 1] != ' ')) return false;
        app = start[..n];
        message = text[(end + 1)..].TrimStart((byte)' ');
        return true;
    }
}
