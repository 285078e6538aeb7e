using System.Buffers.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// The lines of CoreDNS's <c>log</c> plugin, its common and its combined form:
/// <code>
/// [INFO] 10.0.0.1:53124 - 1234 "A IN a.example. udp 41 false 4096" NOERROR qr,rd,ra 70 0.001s
/// </code>
/// behind the times that its own older versions, container runtimes (CRI, Docker's JSON), kubectl and syslog put before them. Other plugins' lines are no events.
/// </summary>
/// <remarks>Since 1.2 CoreDNS itself writes no time: such lines, as they come from its standard output, have the time at which they are read.</remarks>
sealed class CoreDnsParser(LineOptions options) : LineParser(options)
{
    readonly StampReader _stamps = new(options);
    readonly byte[] _name = new byte[LoggedName.MaximumLength], _plain = new byte[2 * LoggedName.MaximumLength];

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (LoggedQuery.IsBlank(line)) return LineVerdict.Header;
        ReadOnlySpan<byte> text = line;
        bool timed = TryHead(ref text, out long time);
        // In Docker's JSON the quotes around the question are escaped.
        bool json = line[0] == '{';
        ReadOnlySpan<byte> quote = json ? "\\\""u8 : "\""u8;
        int level = text.StartsWith("["u8) ? text.IndexOf("] "u8) : -1;
        if (level is > 0 and < 10) text = text[(level + 2)..].TrimStart((byte)' ');
        int open = text.IndexOf(quote);
        ReadOnlySpan<byte> before = open < 0 ? default : text[..open];
        int dash = before.IndexOf(" - "u8);
        if (dash <= 0 || before[..dash].Contains((byte)' ')) return timed || level > 0 || IsNews(text) ? LineVerdict.Other : LineVerdict.Syntax;

        ReadOnlySpan<byte> question = text[(open + quote.Length)..];
        int close = question.IndexOf(quote);
        if (close < 0) return LineVerdict.Syntax;
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        ReadOnlySpan<byte> answer = question[(close + quote.Length)..].TrimStart((byte)' ');
        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        // Before 1.2 there was no port, and a time in place of the id.
        if (!LoggedQuery.TryAddressAndPort(before[..dash], (byte)':', out e.Context.Source, out e.Context.SourcePort) && !LoggedQuery.TryAddress(before[..dash], out e.Context.Source))
            return LineVerdict.Source;
        ReadOnlySpan<byte> id = before[(dash + 3)..].TrimEnd((byte)' ');
        if (!LoggedQuery.TryPort(id, out e.Id) && !id.StartsWith("["u8)) return LineVerdict.Syntax;
        if (Question(question[..close], json, ref e) is var verdict and not LineVerdict.Event) return verdict;
        Answer(answer, ref e);
        if (!timed) time = json ? JsonTime(line) ?? _stamps.Now : _stamps.Now;
        Stamp(ref e.Context, time);
        sink.OnDns(e);
        return LineVerdict.Event;
    }

    /// <summary>Takes times, "stdout F " (CRI), "{"log":"" (Docker), "[pod/name/container] " (kubectl) and a syslog header off the front, to the level.</summary>
    bool TryHead(ref ReadOnlySpan<byte> text, out long time)
    {
        bool timed = false;
        time = 0;
        if (text.StartsWith("{\"log\":\""u8)) text = text["{\"log\":\""u8.Length..];
        if (text.StartsWith("[pod/"u8) && text.IndexOf("] "u8) is > 0 and var end) text = text[(end + 2)..];
        for (int i = 0; i < 3; i++)
        {
            if (_stamps.TryTake(ref text, out long one))
            {
                if (!timed) (timed, time) = (true, one);
            }
            else if (text.StartsWith("stdout "u8) || text.StartsWith("stderr "u8))
            {
                LoggedQuery.Word(ref text);
                LoggedQuery.Word(ref text);
            }
            else if (SyslogHeader.TryRead(text, _stamps, out SyslogHeader header) && !(header.Message.IsEmpty || (header.App.IsEmpty && header.Priority < 0)))
            {
                if (header.HasTime && !timed) (timed, time) = (true, header.Time);
                text = header.Message;
            }
            else break;
        }
        return timed;
    }

    /// <summary>Lines that CoreDNS begins with: its zones, its version, its picture.</summary>
    static bool IsNews(ReadOnlySpan<byte> text) =>
        text.StartsWith("CoreDNS-"u8) || text.StartsWith("linux/"u8) || text.StartsWith("maxprocs"u8) || text.StartsWith("plugin/"u8)
        || (text.Length > 2 && (text[0] == '.' || char.IsAsciiLetterOrDigit((char)text[0])) && LastWordIsPort(text));

    static bool LastWordIsPort(ReadOnlySpan<byte> text)
    {
        int colon = text.LastIndexOf((byte)':');
        return colon > 0 && !text.Contains((byte)' ') && LoggedQuery.TryPort(text[(colon + 1)..], out _);
    }

    /// <summary>"A IN a.example. udp 41 false 4096": type, class, name, how, bytes, DNSSEC, EDNS size.</summary>
    LineVerdict Question(ReadOnlySpan<byte> text, bool json, ref DnsEvent e)
    {
        ReadOnlySpan<byte> type = LoggedQuery.Word(ref text), @class = LoggedQuery.Word(ref text);
        // The name may hold an escaped blank: what follows it has four words.
        ReadOnlySpan<byte> size = LastWord(ref text), dnssec = LastWord(ref text), bytes = LastWord(ref text), how = LastWord(ref text);
        if (type.IsEmpty || !LoggedQuery.IsClass(@class) || how.IsEmpty) return LineVerdict.Syntax;
        if (json && text.Length <= _plain.Length) text = WithoutJson(text, _plain);
        if (!LoggedName.TryRead(text, _name, out e.Query, out int length)) return LineVerdict.Query;
        e.QueryType = LoggedQuery.Type(type);
        e.QueryLength = LoggedQuery.TryPort(bytes, out ushort said) ? said : LoggedQuery.Length(length);
        e.Context.Protocol = how.SequenceEqual("udp"u8) ? LoggedQuery.Udp : how.SequenceEqual("tcp"u8) ? LoggedQuery.Tcp : (byte)0;
        if (dnssec.SequenceEqual("true"u8)) e.Notes |= DnsNotes.DnssecOk | DnsNotes.Edns;
        // 512 stands for none as well (RFC 1035 4.2.1).
        if (LoggedQuery.TryPort(size, out ushort payload) && payload > 512) (e.EdnsPayloadSize, e.Notes) = (payload, e.Notes | DnsNotes.Edns);
        return LineVerdict.Event;
    }

    /// <summary>"NOERROR qr,rd,ra 70 0.001s"; "- " where nothing was answered.</summary>
    static void Answer(ReadOnlySpan<byte> text, ref DnsEvent e)
    {
        e.ResponseCode = LoggedQuery.ResponseCode(LoggedQuery.Word(ref text));
        ReadOnlySpan<byte> flags = LoggedQuery.Word(ref text);
        if (e.ResponseCode < 0) return;
        e.Flags = (ushort)(e.ResponseCode & 0xF);
        foreach (Range part in flags.Split((byte)','))
        {
            ReadOnlySpan<byte> flag = flags[part];
            e.Flags |= flag.SequenceEqual("qr"u8) ? LoggedQuery.Response : flag.SequenceEqual("aa"u8) ? LoggedQuery.Authoritative
                : flag.SequenceEqual("tc"u8) ? LoggedQuery.Truncated : flag.SequenceEqual("rd"u8) ? LoggedQuery.RecursionDesired
                : flag.SequenceEqual("ra"u8) ? LoggedQuery.RecursionAvailable : flag.SequenceEqual("ad"u8) ? LoggedQuery.AuthenticData
                : flag.SequenceEqual("cd"u8) ? LoggedQuery.CheckingDisabled : (ushort)0;
        }
        if (Utf8Parser.TryParse(LoggedQuery.Word(ref text), out int bytes, out _) && bytes is > 0 and <= ushort.MaxValue) e.ResponseLength = (ushort)bytes;
    }

    static ReadOnlySpan<byte> LastWord(scoped ref ReadOnlySpan<byte> text)
    {
        int blank = text.LastIndexOf((byte)' ');
        if (blank < 0) return default;
        ReadOnlySpan<byte> word = text[(blank + 1)..];
        text = text[..blank];
        return word;
    }

    /// <summary>A backslash of the name is two in JSON.</summary>
    static ReadOnlySpan<byte> WithoutJson(ReadOnlySpan<byte> text, Span<byte> room)
    {
        int n = 0;
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length) i++;
            room[n++] = text[i];
        }
        return room[..n];
    }

    /// <summary>Of Docker's object: ,"time":"2024-01-01T00:00:00.123Z"}.</summary>
    long? JsonTime(ReadOnlySpan<byte> line)
    {
        int at = line.LastIndexOf("\"time\":\""u8);
        if (at < 0) return null;
        ReadOnlySpan<byte> stamp = line[(at + "\"time\":\""u8.Length)..];
        int end = stamp.IndexOf((byte)'"');
        if (end < 0) return null;
        stamp = stamp[..end];
        return _stamps.TryTake(ref stamp, out long time) ? time : null;
    }
}
