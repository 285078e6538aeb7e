using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// Which parser reads a message: of the listener's format, or of the program that its header names. Parsers that hold queries back are one a sender, so that
/// serial numbers of two servers never meet; those of senders beyond <see cref="MaximumSenders"/> share one. One thread.
/// </summary>
sealed class SyslogLines(LogFormat format, LineOptions options)
{
    /// <summary>Senders whose queries are held apart: 2 MiB each when their tables were ever full.</summary>
    public const int MaximumSenders = 8;

    readonly StampReader _stamps = new(options);
    readonly Dictionary<(Address Sender, LogFormat Format), LineParser> _parsers = [];
    long _at;

    public LineVerdict Read(Address sender, ReadOnlySpan<byte> message, IEventSink sink)
    {
        if (LoggedQuery.IsBlank(message)) return LineVerdict.Header;
        LogFormat of = format;
        ReadOnlySpan<byte> text = message;
        if (format is LogFormat.Auto or not (LogFormat.Bind or LogFormat.Dnsmasq or LogFormat.Unbound or LogFormat.CoreDns))
        {
            bool headed = SyslogHeader.TryRead(message, _stamps, out SyslogHeader header);
            if (format == LogFormat.Auto) of = FormatOf(header.App, header.Message);
            // Other formats know nothing of syslog: theirs is what it carries.
            if (headed && of is not (LogFormat.Bind or LogFormat.Dnsmasq or LogFormat.Unbound or LogFormat.CoreDns)) text = header.Message;
        }
        if (of == LogFormat.Auto || ParserOf(sender, of) is not { } parser) return LineVerdict.Other;
        parser.At = _at;
        _at += message.Length + 1;
        return parser.Read(text, sink);
    }

    /// <summary>Nothing has come for a while: what is held back goes out.</summary>
    public void Release(IEventSink sink)
    {
        foreach (LineParser parser in _parsers.Values) parser.Release(sink);
    }

    static LogFormat FormatOf(ReadOnlySpan<byte> app, ReadOnlySpan<byte> message)
    {
        int folder = app.LastIndexOf((byte)'/');
        app = app[(folder + 1)..];
        if (app.SequenceEqual("named"u8)) return LogFormat.Bind;
        if (app.StartsWith("dnsmasq"u8) || Ascii.EqualsIgnoreCase(app, "pihole-FTL"u8)) return LogFormat.Dnsmasq;
        if (app.SequenceEqual("unbound"u8)) return LogFormat.Unbound;
        if (app.SequenceEqual("coredns"u8)) return LogFormat.CoreDns;
        if (app.SequenceEqual("suricata"u8)) return LogFormat.Suricata;
        return FormatGuess.Of(message) ?? LogFormat.Auto;
    }

    LineParser? ParserOf(Address sender, LogFormat of)
    {
        // These remember nothing.
        if (of is LogFormat.Bind or LogFormat.CoreDns) sender = default;
        if (_parsers.TryGetValue((sender, of), out LineParser? parser)) return parser;
        if (sender != default && _parsers.Count >= MaximumSenders) return ParserOf(default, of);
        if (LogFormats.Parser(of, options) is not { } made) return null;
        _parsers.Add((sender, of), made);
        return made;
    }
}
