using System.Buffers.Text;
using Nfr.Events;

namespace Nfr.Logs;

/// <summary>
/// dnsmasq's log with <c>log-queries</c> or <c>log-queries=extra</c>, 2.7x to 2.90, and Pi-hole's pihole.log:
/// <code>
/// Jan  2 15:04:05 dnsmasq[12]: query[A] a.example from 10.0.0.1
/// Jan  2 15:04:05 dnsmasq[12]: reply a.example is 192.0.2.1
/// Jan  2 15:04:05 dnsmasq[12]: 7 10.0.0.1/53124 gravity blocked b.example is 0.0.0.0
/// </code>
/// A query and the lines of its answer are one event: by the serial number where there is one, else by name and by the type that the answer shows.
/// What is forwarded, validated or read from files is no event.
/// </summary>
sealed class DnsmasqParser(LineOptions options) : LineParser(options)
{
    readonly StampReader _stamps = new(options);
    readonly DnsPairs _pairs = new();
    readonly DnsmasqAnswer _answer = new();
    readonly byte[] _name = new byte[LoggedName.MaximumLength];

    public override long OldestHeld => _pairs.OldestHeld;

    public override void Release(IEventSink sink)
    {
        _answer.Close(_pairs, sink);
        _pairs.Release(sink);
    }

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        if (LoggedQuery.IsBlank(line)) return LineVerdict.Header;
        if (!SyslogHeader.TryRead(line, _stamps, out SyslogHeader header)) return LineVerdict.Syntax;
        // dnsmasq-dhcp, dnsmasq-tftp, dnsmasq-script.
        if (header.App.StartsWith("dnsmasq-"u8)) return LineVerdict.Other;
        ReadOnlySpan<byte> text = header.Message;
        var key = default(DnsPairKey);
        if (!text.IsEmpty && char.IsAsciiDigit((char)text[0]))
        {
            // Without a client, it is of dnsmasq's own queries for DNSSEC.
            if (!Utf8Parser.TryParse(LoggedQuery.Word(ref text), out uint serial, out _) || text.IsEmpty
                || !LoggedQuery.TryAddressAndPort(LoggedQuery.Word(ref text), (byte)'/', out Nfr.Wire.Address client, out ushort port)) return LineVerdict.Other;
            key = new DnsPairKey { Id = serial, Client = client, ClientPort = port };
        }
        long time = header.HasTime ? header.Time : _stamps.Now;
        if (text.StartsWith("query["u8) || text.StartsWith("auth["u8)) return Query(text, key, time, sink);
        if (TryAnswer(text, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value) && Wants(EventType.Dns))
            return _answer.Add(key, name, value, time, _pairs, sink) ? LineVerdict.Answer : LineVerdict.Other;
        _answer.Close(_pairs, sink);
        return LineVerdict.Other;
    }

    /// <summary>"query[type=65] a.example from 10.0.0.1"</summary>
    LineVerdict Query(ReadOnlySpan<byte> text, DnsPairKey key, long time, IEventSink sink)
    {
        _answer.Close(_pairs, sink);
        if (!Wants(EventType.Dns)) return LineVerdict.Unwanted;
        int open = text.IndexOf((byte)'['), close = text.IndexOf("] "u8), from = text.LastIndexOf(" from "u8);
        if (close < 0 || from < close) return LineVerdict.Syntax;
        var e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        if (!LoggedQuery.TryAddress(text[(from + " from "u8.Length)..].TrimEnd((byte)' '), out e.Context.Source)) return LineVerdict.Source;
        // What dnsmasq has in place of a name that it cannot write.
        if (from < close + 2 || text[(close + 2)..from].SequenceEqual("<name unprintable>"u8) || !LoggedName.TryRead(text[(close + 2)..from], _name, out e.Query, out int length)) return LineVerdict.Query;
        e.QueryType = LoggedQuery.Type(text[(open + 1)..close]);
        e.QueryLength = LoggedQuery.Length(length);
        e.Context.SourcePort = key.ClientPort;
        Stamp(ref e.Context, time);
        if (key.Id == 0 && key.ClientPort == 0) key = new DnsPairKey { Name = e.Query, QueryType = DnsmasqAnswer.KeyType(e.QueryType) };
        _pairs.Hold(e, key, At, sink);
        return LineVerdict.Held;
    }

    /// <summary>"reply a.example is 192.0.2.1", "/etc/hosts a.example is 192.0.2.1", "gravity blocked a.example is 0.0.0.0": who says it, of which name, what.</summary>
    static bool TryAnswer(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        int verb = text.IndexOf(" is "u8);
        if (verb <= 0) return false;
        ReadOnlySpan<byte> before = text[..verb];
        int blank = before.LastIndexOf((byte)' ');
        if (blank <= 0) return false;
        name = before[(blank + 1)..];
        value = text[(verb + 4)..].TrimEnd((byte)' ');
        return IsSource(before[..blank]) || DnsmasqAnswer.IsValue(value);
    }

    static bool IsSource(ReadOnlySpan<byte> text) =>
        text.SequenceEqual("reply"u8) || text.SequenceEqual("cached"u8) || text.SequenceEqual("cached-stale"u8) || text.SequenceEqual("config"u8)
        || text.SequenceEqual("auth"u8) || text.SequenceEqual("DHCP"u8) || text[0] == '/';
}
