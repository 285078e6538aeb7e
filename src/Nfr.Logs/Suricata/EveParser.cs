using Nfr.Events;

namespace Nfr.Logs.Suricata;

/// <summary>
/// Suricata's EVE JSON, a record a line: dns of all three versions, flow, http, tls, quic and alert, and Suricata 8's mdns and llmnr. Records of
/// other kinds are no events. Source is the client: a record of a server's packet is turned round.
/// </summary>
public sealed partial class EveParser : LineParser
{
    readonly EveText _text = new();
    readonly EveStamps _stamps, _starts, _ends;

    public EveParser(LineOptions options) : base(options)
    {
        _stamps = new EveStamps(Options.Zone);
        _starts = new EveStamps(Options.Zone);
        _ends = new EveStamps(Options.Zone);
    }

    public override LineVerdict Read(ReadOnlySpan<byte> line, IEventSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        _text.Begin(line.Length);
        ReadOnlySpan<byte> text = line.TrimStart(" \t\r\uFEFF"u8);
        var record = default(EveRecord);
        if (text.IsEmpty || !record.Read(text, _stamps))
        {
            ReleaseAnswers(sink);
            return text.IsEmpty ? LineVerdict.Header : LineVerdict.NotJson;
        }
        ReadOnlySpan<byte> type = record.Type.Kind == JsonKind.String ? record.Type.Bytes : default;
        // The answers of a dns record of version 1 stand in lines of their own; any other line ends them.
        if (type.SequenceEqual("dns"u8)) return ReadDns(ref record, record.Dns, record.App == App.Doh ? App.Doh : App.Dns, sink);
        ReleaseAnswers(sink);
        if (type.SequenceEqual("flow"u8)) return ReadFlow(ref record, sink);
        if (type.SequenceEqual("http"u8)) return ReadHttp(ref record, sink);
        if (type.SequenceEqual("tls"u8)) return ReadTls(ref record, sink);
        if (type.SequenceEqual("quic"u8)) return ReadQuic(ref record, sink);
        if (type.SequenceEqual("alert"u8)) return ReadAlert(ref record, sink);
        if (type.SequenceEqual("mdns"u8)) return ReadDns(ref record, record.Mdns, App.Mdns, sink);
        if (type.SequenceEqual("llmnr"u8)) return ReadDns(ref record, record.Llmnr, App.Llmnr, sink);
        return LineVerdict.Other;
    }
}
