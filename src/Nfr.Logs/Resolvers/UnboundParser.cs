using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// unbound's log with <c>log-queries</c>, <c>log-replies</c> (with <c>log-destaddr</c>) or both, <c>log-tag-queryreply</c> and <c>log-local-actions</c>:
/// <code>
/// [1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN
/// [1700000000] unbound[12:0] info: 10.0.0.1 a.example. A IN NXDOMAIN 0.012000 0 87 on udp 10.0.0.53 53
/// [1700000000] unbound[12:0] info: example. redirect 10.0.0.1@53124 a.example. A IN
/// </code>
/// with any of its times, or through syslog. A query, its reply and what a local zone did are one event. unbound writes '?' for every byte of a name that is no letter,
/// digit, hyphen or underscore.
/// </summary>
/// <remarks>Lines without any time have the time at which they are read.</remarks>
sealed class UnboundParser(LineOptions options) : LineParser(options)
{
    /// <summary>How long after a query there may be replies whose queries were logged, in nanoseconds: unbound gives up within two minutes.</summary>
    const long LatestReply = 120_000_000_000;

    readonly StampReader _stamps = new(options);
    readonly DnsPairs _pairs = new();
    readonly byte[] _name = new byte[LoggedName.MaximumLength];
    /// <summary>Of the last line of a query that is not a local zone's: without log-queries there is none.</summary>
    long _lastQuery = long.MinValue;

    public override long OldestHeld => _pairs.OldestHeld;

    public override void Release(IEventSink sink) => _pairs.Release(sink);

    public override void Restart() => _lastQuery = long.MinValue;

    internal override void Inherit(LineParser before)
    {
        if (before is UnboundParser unbound) _lastQuery = Math.Max(_lastQuery, unbound._lastQuery);
    }

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (LoggedQuery.IsBlank(line)) return LineVerdict.Header;
        ReadOnlySpan<byte> text = line;
        bool timed = TryHead(ref text, out long time, out bool headed);
        if (!TryLevel(ref text)) return headed ? LineVerdict.Other : LineVerdict.Syntax;
        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        ReadOnlySpan<byte> first = LoggedQuery.Word(ref text);
        bool action = false;
        if (!LoggedQuery.TryAddress(first, out e.Context.Source))
        {
            // A zone, what is done for it, and who asked.
            LoggedQuery.Word(ref text);
            action = LoggedQuery.TryAddressAndPort(LoggedQuery.Word(ref text), (byte)'@', out e.Context.Source, out e.Context.SourcePort);
            if (!action) return headed ? LineVerdict.Other : LineVerdict.Syntax;
        }
        ReadOnlySpan<byte> name = LoggedQuery.Word(ref text), type = LoggedQuery.Word(ref text), @class = LoggedQuery.Word(ref text);
        // A message that could not be read has no question: "10.0.0.1 - - - FORMERR - - -".
        if (name is [(byte)'-'] || !LoggedQuery.IsClass(@class)) return headed ? LineVerdict.Other : LineVerdict.Syntax;
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        if (!LoggedName.TryRead(name, _name, out e.Query, out int length)) return LineVerdict.Query;
        e.QueryType = LoggedQuery.Type(type);
        e.QueryLength = LoggedQuery.Length(length);
        Stamp(ref e.Context, timed ? time : _stamps.Now);
        // What both lines say of it; a port only an action does.
        var key = new DnsPairKey { Client = e.Context.Source, QueryType = e.QueryType, Name = e.Query };
        if (text.IsEmpty)
        {
            if (action && _pairs.IsHeld(key)) return LineVerdict.Other;
            if (!action) _lastQuery = e.Context.Timestamp;
            _pairs.Hold(e, key, At, sink);
            return LineVerdict.Held;
        }
        if (action || !TryReply(text, ref e)) return LineVerdict.Syntax;
        // Where queries are logged, that of a reply too late for it went out alone: a second event would count it twice.
        bool alone = _lastQuery == long.MinValue || e.Context.Timestamp < _lastQuery || e.Context.Timestamp - _lastQuery > LatestReply;
        return _pairs.Answer(e, key, sink, alone) || !alone ? LineVerdict.Answer : LineVerdict.Event;
    }

    /// <summary>Takes "[1700000000] unbound[12:0] " or a syslog header with its "[12:0] " off the front.</summary>
    bool TryHead(ref ReadOnlySpan<byte> text, out long time, out bool headed)
    {
        bool timed = _stamps.TryTake(ref text, out time);
        headed = timed;
        if (!IsThread(text, "unbound["u8))
        {
            ReadOnlySpan<byte> rest = text;
            // "Jan 02 15:04:05 host unbound[12]: [12:0] info: ...": the time is taken already, or stands behind a priority.
            if (!TryLevel(ref rest) && SyslogHeader.TryRead(text, _stamps, out SyslogHeader header))
            {
                headed = true;
                text = header.Message;
                if (header.HasTime && !timed) (timed, time) = (true, header.Time);
            }
        }
        if (IsThread(text, "unbound["u8) || IsThread(text, "["u8))
        {
            headed = true;
            LoggedQuery.Word(ref text);
        }
        return timed;
    }

    /// <summary>"unbound[12:0] " or "[12:0] ": process and thread.</summary>
    static bool IsThread(ReadOnlySpan<byte> text, ReadOnlySpan<byte> begin)
    {
        if (!text.StartsWith(begin)) return false;
        int end = text.IndexOf((byte)' ');
        return end > begin.Length + 1 && text[end - 1] == ']' && text[begin.Length..end].Contains((byte)':');
    }

    /// <summary>Takes "info: ", or the tag that stands in its place, off the front; other levels are of no query.</summary>
    static bool TryLevel(ref ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("info: "u8)) text = text[6..];
        else if (text.StartsWith("query: "u8) || text.StartsWith("reply: "u8)) text = text[7..];
        else return false;
        return true;
    }

    /// <summary>"NXDOMAIN 0.012000 0 87 on udp 10.0.0.53 53": code, seconds, from the cache or not, bytes; from where.</summary>
    static bool TryReply(ReadOnlySpan<byte> text, ref DnsEvent e)
    {
        e.ResponseCode = LoggedQuery.ResponseCode(LoggedQuery.Word(ref text));
        if (e.ResponseCode < 0) return false;
        e.Flags = (ushort)(LoggedQuery.Response | (e.ResponseCode & 0xF));
        LoggedQuery.Word(ref text);
        LoggedQuery.Word(ref text);
        // Bytes; what does not fit a message is not said.
        _ = LoggedQuery.TryPort(LoggedQuery.Word(ref text), out e.ResponseLength);
        if (!LoggedQuery.Word(ref text).SequenceEqual("on"u8)) return true;
        ReadOnlySpan<byte> how = LoggedQuery.Word(ref text);
        e.Context.Protocol = how.SequenceEqual("udp"u8) ? LoggedQuery.Udp : how.SequenceEqual("tcp"u8) ? LoggedQuery.Tcp : (byte)0;
        if (!LoggedQuery.TryAddress(LoggedQuery.Word(ref text), out e.Context.Destination)) e.Context.Destination = default;
        _ = LoggedQuery.TryPort(LoggedQuery.Word(ref text), out e.Context.DestinationPort);
        return true;
    }
}
