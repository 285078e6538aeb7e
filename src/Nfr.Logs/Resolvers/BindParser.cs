using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// BIND's query log, 9.9 to 9.20, from a file of its own or through syslog:
/// <code>
/// 01-Jan-2024 12:00:00.123 queries: info: client @0x7f5c 10.0.0.1#53124 (a.example): view inside: query: a.example IN A +E(0)K (10.0.0.53) [ECS 1.2.3.0/24/0]
/// </code>
/// Time, category, severity, the client's object, its key, the name in parentheses and the view may each be missed. Flags: recursion desired or not,
/// S signed, E(version) EDNS, T over TCP, D answer with DNSSEC, C checking disabled, V and K cookies. Other categories and the server's own news are no events.
/// </summary>
/// <remarks>Lines without any time (<c>print-time no</c>) have the time at which they are read.</remarks>
sealed class BindParser(LineOptions options) : LineParser(options)
{
    readonly StampReader _stamps = new(options);
    readonly byte[] _name = new byte[LoggedName.MaximumLength];

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (LoggedQuery.IsBlank(line)) return LineVerdict.Header;
        bool headed = SyslogHeader.TryRead(line, _stamps, out SyslogHeader header);
        ReadOnlySpan<byte> text = WithoutCategory(header.Message);
        if (!text.StartsWith("client "u8))
            return headed ? LineVerdict.Other : line.IndexOf(": query: "u8) > 0 && line.IndexOf("client "u8) >= 0 ? LineVerdict.Timestamp : LineVerdict.Syntax;

        text = text["client "u8.Length..];
        int said = text.IndexOf(": query: "u8);
        if (said < 0) return LineVerdict.Other;
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        if (!TryClient(text[..said], ref e.Context)) return LineVerdict.Source;
        if (Question(text[(said + ": query: "u8.Length)..], ref e) is var verdict and not LineVerdict.Event) return verdict;
        Stamp(ref e.Context, header.HasTime ? header.Time : _stamps.Now);
        sink.OnDns(e);
        return LineVerdict.Event;
    }

    /// <summary>Takes "queries: info: " off the front: two words in small letters at most.</summary>
    static ReadOnlySpan<byte> WithoutCategory(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < 2 && !text.StartsWith("client "u8); i++)
        {
            int end = text.IndexOf(": "u8);
            if (end is < 1 or > 32) break;
            foreach (byte c in text[..end])
            {
                if (c is not (>= (byte)'a' and <= (byte)'z' or >= (byte)'0' and <= (byte)'9' or (byte)'-' or (byte)' ')) return text;
            }
            text = text[(end + 2)..];
        }
        return text;
    }

    /// <summary>"@0x7f5c 10.0.0.1#53124/key name (a.example): view inside"</summary>
    static bool TryClient(ReadOnlySpan<byte> text, ref EventContext context)
    {
        if (text.StartsWith("@"u8)) LoggedQuery.Word(ref text);
        ReadOnlySpan<byte> peer = LoggedQuery.Word(ref text);
        int key = peer.IndexOf((byte)'/');
        if (key >= 0) peer = peer[..key];
        return LoggedQuery.TryAddressAndPort(peer.TrimEnd((byte)':'), (byte)'#', out context.Source, out context.SourcePort);
    }

    /// <summary>"a.example IN A +E(0)K (10.0.0.53) [ECS 1.2.3.0/24/0]"; the oldest versions end behind the type.</summary>
    LineVerdict Question(ReadOnlySpan<byte> text, ref DnsEvent e)
    {
        if (!LoggedName.TryRead(LoggedQuery.Word(ref text), _name, out e.Query, out int length)) return LineVerdict.Query;
        ReadOnlySpan<byte> type = default;
        if (!LoggedQuery.IsClass(LoggedQuery.Word(ref text)) || (type = LoggedQuery.Word(ref text)).IsEmpty) return LineVerdict.Syntax;
        e.QueryType = LoggedQuery.Type(type);
        e.QueryLength = LoggedQuery.Length(length);
        e.Context.Protocol = LoggedQuery.Udp;
        if (text.IsEmpty) return LineVerdict.Event;
        if (text[0] is not ((byte)'+' or (byte)'-')) return LineVerdict.Syntax;
        Flags(LoggedQuery.Word(ref text), ref e);
        if (text.IsEmpty || text[0] != '(') return LineVerdict.Event;
        text = text[1..];
        int end = text.IndexOfAny((byte)')', (byte)' ');
        // Not to be read, it is as good as not said.
        if (end > 0 && !LoggedQuery.TryAddress(text[..end], out e.Context.Destination)) e.Context.Destination = default;
        return LineVerdict.Event;
    }

    static void Flags(ReadOnlySpan<byte> flags, ref DnsEvent e)
    {
        foreach (byte flag in flags)
        {
            switch (flag)
            {
                case (byte)'+': e.Flags |= LoggedQuery.RecursionDesired; break;
                case (byte)'E': e.Notes |= DnsNotes.Edns; break;
                case (byte)'T': e.Context.Protocol = LoggedQuery.Tcp; break;
                case (byte)'D': e.Notes |= DnsNotes.DnssecOk; break;
                case (byte)'C': e.Flags |= LoggedQuery.CheckingDisabled; break;
            }
        }
    }
}
