using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Events as JSON, one object without a line end, in two forms. The event line is for people and tools: "type", the engine API's keys in its
/// order, then ours. The upload line is what the engine takes: the API's keys only. Nothing is allocated per event; one instance serves
/// one thread.
/// </summary>
/// <remarks>
/// Text is escaped as little as JSON allows (the lines are never put into HTML). Bytes that are not valid UTF-8 are read as ISO 8859-1, see
/// <see cref="Utf8Text"/>. API keys are always there, empty or 0 when nothing is known, except that a tls event leaves out what it has not
/// seen; ours are left out when unknown.
/// </remarks>
public sealed class EventJson
{
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    readonly Utf8JsonWriter _json = new(new ArrayBufferWriter<byte>(), Options);
    readonly byte[] _scratch = new byte[64];
    byte[] _repaired = [];
    ArrayBufferWriter<byte>? _line;

    /// <summary>The event line of a dns event.</summary>
    public void WriteLine(scoped in DnsEvent e, IBufferWriter<byte> output)
    {
        Begin(output, EventType.Dns);
        Api(e);
        Common(e.Context);
        if (e.ResponseCode >= 0) Ascii(JsonNames.Rcode, DnsResponseCodes.Name((ushort)e.ResponseCode, _scratch));
        if (!e.Answers.IsEmpty) Answers(e.Answers);
        OptionalAscii(JsonNames.Transport, WireNames.Protocol(e.Context.Protocol, _scratch));
        if (e.Context.SourcePort != 0) _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        OptionalDestination(e.Context);
        End();
    }

    /// <summary>The upload line of a dns event, for events/dns.</summary>
    public void WriteUpload(scoped in DnsEvent e, IBufferWriter<byte> output)
    {
        Begin(output);
        Api(e);
        End();
    }

    /// <summary>The event line of an ip event.</summary>
    public void WriteLine(scoped in IpEvent e, IBufferWriter<byte> output)
    {
        Begin(output, EventType.Ip);
        Api(e);
        Common(e.Context);
        _json.WritePropertyName(JsonNames.Duration);
        _json.WriteRawValue(_scratch.AsSpan(0, EventTime.FormatDuration(e.Duration, _scratch)), skipInputValidation: true);
        _json.WriteNumber(JsonNames.PacketsIn, e.PacketsIn);
        _json.WriteNumber(JsonNames.PacketsOut, e.PacketsOut);
        if (e.Context.Protocol == 6) Ascii(JsonNames.TcpFlags, WireNames.TcpFlags(e.TcpFlags, _scratch));
        Ascii(JsonNames.State, WireNames.State(e.State));
        OptionalAscii(JsonNames.App, e.App.Utf8Name());
        Notes(e.Notes);
        End();
    }

    /// <summary>The upload line of an ip event, for events/ip.</summary>
    public void WriteUpload(scoped in IpEvent e, IBufferWriter<byte> output)
    {
        Begin(output);
        Api(e);
        End();
    }

    /// <summary>The event line of an http event.</summary>
    public void WriteLine(scoped in HttpEvent e, IBufferWriter<byte> output)
    {
        Begin(output, EventType.Http);
        Api(e);
        Common(e.Context);
        OptionalText(JsonNames.Host, e.Host);
        OptionalDestination(e.Context);
        Notes(e.Notes);
        End();
    }

    /// <summary>The upload line of an http event, for events/http.</summary>
    public void WriteUpload(scoped in HttpEvent e, IBufferWriter<byte> output)
    {
        Begin(output);
        Api(e);
        End();
    }

    /// <summary>The event line of a tls event.</summary>
    public void WriteLine(scoped in TlsEvent e, IBufferWriter<byte> output)
    {
        Begin(output, EventType.Tls);
        Api(e);
        Common(e.Context);
        OptionalText(JsonNames.Sni, e.Sni);
        OptionalAscii(JsonNames.Version, WireNames.TlsVersion(e.Version, _scratch));
        OptionalText(JsonNames.Ja4, e.Ja4);
        OptionalText(JsonNames.Alpn, e.Alpn);
        End();
    }

    /// <summary>The upload line of a tls event, for events/tls.</summary>
    public void WriteUpload(scoped in TlsEvent e, IBufferWriter<byte> output)
    {
        Begin(output);
        Api(e);
        End();
    }

    /// <summary>The event line as a string: evidence samples and other rare uses.</summary>
    public string ToText(scoped in DnsEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    /// <inheritdoc cref="ToText(in DnsEvent)"/>
    public string ToText(scoped in IpEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    /// <inheritdoc cref="ToText(in DnsEvent)"/>
    public string ToText(scoped in HttpEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    /// <inheritdoc cref="ToText(in DnsEvent)"/>
    public string ToText(scoped in TlsEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    void Api(scoped in DnsEvent e)
    {
        Time(e.Context.Timestamp);
        Ip(JsonNames.SrcIP, e.Context.Source);
        Text(JsonNames.Query, e.Query);
        Ascii(JsonNames.QType, DnsTypes.Name(e.QueryType, _scratch));
    }

    void Api(scoped in IpEvent e)
    {
        Time(e.Context.Timestamp);
        Ip(JsonNames.SrcIP, e.Context.Source);
        _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        Ip(JsonNames.DestIP, e.Context.Destination);
        _json.WriteNumber(JsonNames.DestPort, (int)e.Context.DestinationPort);
        Ascii(JsonNames.Proto, WireNames.Protocol(e.Context.Protocol, _scratch));
        _json.WriteNumber(JsonNames.BytesIn, e.BytesIn);
        _json.WriteNumber(JsonNames.BytesOut, e.BytesOut);
        Text(JsonNames.Ja3, e.Ja3);
    }

    void Api(scoped in HttpEvent e)
    {
        Time(e.Context.Timestamp);
        Ip(JsonNames.SrcIP, e.Context.Source);
        _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        Text(JsonNames.Url, e.Url);
        Text(JsonNames.Method, e.Method);
        _json.WriteNumber(JsonNames.Status, (int)e.Status);
        // What a proxy did with the request: a mirror port cannot know.
        Ascii(JsonNames.Action, default);
        _json.WriteNumber(JsonNames.BytesIn, e.BytesIn);
        _json.WriteNumber(JsonNames.BytesOut, e.BytesOut);
        Text(JsonNames.ContentType, e.ContentType);
        Text(JsonNames.Referrer, e.Referrer);
        Text(JsonNames.UserAgent, e.UserAgent);
    }

    void Api(scoped in TlsEvent e)
    {
        Time(e.Context.Timestamp);
        Ip(JsonNames.SrcIP, e.Context.Source);
        _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        OptionalDestination(e.Context);
        OptionalText(JsonNames.CertHash, e.CertificateHash);
        OptionalText(JsonNames.Issuer, e.Issuer);
        OptionalText(JsonNames.Subject, e.Subject);
        OptionalAscii(JsonNames.ValidFrom, _scratch.AsSpan(0, EventTime.FormatSeconds(e.ValidFrom, _scratch)));
        OptionalAscii(JsonNames.ValidTo, _scratch.AsSpan(0, EventTime.FormatSeconds(e.ValidTo, _scratch)));
        OptionalText(JsonNames.Ja3, e.Ja3);
        OptionalText(JsonNames.Ja3s, e.Ja3s);
    }

    void Common(in EventContext context)
    {
        // A log line may know neither the server nor the protocol; half a flow has no identifier.
        if (context.Protocol != 0 && !IsUnset(context.Destination))
        {
            int length = CommunityId.Write(
                context.Source, context.Destination, context.SourcePort, context.DestinationPort, context.Protocol, 0, _scratch);
            Ascii(JsonNames.CommunityId, _scratch.AsSpan(0, length));
        }
        if (context.Vlan != 0) _json.WriteNumber(JsonNames.Vlan, (int)context.Vlan);
    }

    void OptionalDestination(in EventContext context)
    {
        if (!IsUnset(context.Destination)) Ip(JsonNames.DestIP, context.Destination);
        if (context.DestinationPort != 0) _json.WriteNumber(JsonNames.DestPort, (int)context.DestinationPort);
    }

    void Answers(ReadOnlySpan<byte> packed)
    {
        _json.WriteStartArray(JsonNames.Answers);
        var answers = new DnsAnswerReader(packed);
        while (answers.MoveNext())
        {
            _json.WriteStartObject();
            Ascii(JsonNames.Type, DnsTypes.Name(answers.Type, _scratch));
            _json.WriteNumber(JsonNames.Ttl, answers.TimeToLive);
            Text(JsonNames.Data, answers.Text);
            _json.WriteEndObject();
        }
        _json.WriteEndArray();
    }

    void Notes(FlowNotes notes)
    {
        if (notes == FlowNotes.None) return;
        _json.WriteStartArray(JsonNames.Notes);
        if ((notes & FlowNotes.CleartextCredentials) != 0) _json.WriteStringValue("cleartextCredentials"u8);
        if ((notes & FlowNotes.Mining) != 0) _json.WriteStringValue("mining"u8);
        if ((notes & FlowNotes.MissedBytes) != 0) _json.WriteStringValue("missedBytes"u8);
        if ((notes & FlowNotes.Midstream) != 0) _json.WriteStringValue("midstream"u8);
        if ((notes & FlowNotes.Evicted) != 0) _json.WriteStringValue("evicted"u8);
        if ((notes & FlowNotes.ActiveTimeout) != 0) _json.WriteStringValue("activeTimeout"u8);
        _json.WriteEndArray();
    }

    void Begin(IBufferWriter<byte> output)
    {
        _json.Reset(output);
        _json.WriteStartObject();
    }

    void Begin(IBufferWriter<byte> output, EventType type)
    {
        Begin(output);
        Ascii(JsonNames.Type, type.Utf8Name());
    }

    void End()
    {
        _json.WriteEndObject();
        _json.Flush();
    }

    void Time(long timestamp) => Ascii(JsonNames.Ts, _scratch.AsSpan(0, EventTime.Format(timestamp, _scratch)));

    void Ip(JsonEncodedText key, Address address) => Ascii(key, _scratch.AsSpan(0, address.Format(_scratch)));

    void Text(JsonEncodedText key, ReadOnlySpan<byte> text) => _json.WriteString(key, Utf8Text.Valid(text, ref _repaired));

    void OptionalText(JsonEncodedText key, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty) Text(key, text);
    }

    void Ascii(JsonEncodedText key, ReadOnlySpan<byte> text) => _json.WriteString(key, text);

    void OptionalAscii(JsonEncodedText key, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty) Ascii(key, text);
    }

    ArrayBufferWriter<byte> Line()
    {
        _line ??= new ArrayBufferWriter<byte>(512);
        _line.ResetWrittenCount();
        return _line;
    }

    string LineText() => Encoding.UTF8.GetString(_line!.WrittenSpan);

    /// <summary>No address was given; 0.0.0.0 is one.</summary>
    static bool IsUnset(Address address) => address.High == 0 && address.Low == 0;
}
