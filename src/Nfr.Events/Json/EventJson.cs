using System.Buffers;
using System.Text;
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
    readonly JsonLine _json = new();
    readonly EventTime.Memory _time = new();
    readonly byte[] _scratch = new byte[64];
    byte[] _repaired = [];
    ArrayBufferWriter<byte>? _line;

    /// <summary>The event line of a dns event.</summary>
    public void WriteLine(scoped in DnsEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Dns);
        Api(e);
        Common(e.Context);
        if (e.ResponseCode >= 0) Ascii(JsonNames.Rcode, DnsResponseCodes.Name((ushort)e.ResponseCode, _scratch));
        if (!e.Answers.IsEmpty) Answers(e.Answers, e.Service);
        DnsHeader(e);
        OptionalAscii(JsonNames.Transport, WireNames.Protocol(e.Context.Protocol, _scratch));
        if (e.Context.SourcePort != 0) _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        OptionalDestination(e.Context);
        End(output);
    }

    /// <summary>The upload line of a dns event, for events/dns.</summary>
    public void WriteUpload(scoped in DnsEvent e, IBufferWriter<byte> output)
    {
        Begin();
        Api(e);
        End(output);
    }

    /// <summary>The event line of an ip event.</summary>
    public void WriteLine(scoped in IpEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Ip);
        Api(e);
        Common(e.Context);
        _json.WriteRaw(JsonNames.Duration, _scratch.AsSpan(0, EventTime.FormatDuration(e.Duration, _scratch)));
        _json.WriteNumber(JsonNames.PacketsIn, e.PacketsIn);
        _json.WriteNumber(JsonNames.PacketsOut, e.PacketsOut);
        if (e.Context.Protocol == 6) Ascii(JsonNames.TcpFlags, WireNames.TcpFlags(e.TcpFlags, _scratch));
        Ascii(JsonNames.State, WireNames.State(e.State));
        OptionalAscii(JsonNames.App, e.App.Utf8Name());
        Notes(e.Notes);
        if (e.MissedIn != 0) _json.WriteNumber(JsonNames.MissedIn, e.MissedIn);
        if (e.MissedOut != 0) _json.WriteNumber(JsonNames.MissedOut, e.MissedOut);
        Login(e);
        OptionalText(JsonNames.ClientSoftware, e.ClientSoftware);
        OptionalText(JsonNames.ServerSoftware, e.ServerSoftware);
        OptionalAscii(JsonNames.Hassh, e.Hassh);
        OptionalAscii(JsonNames.HasshServer, e.HasshServer);
        Echo(e.Echo);
        End(output);
    }

    /// <summary>The upload line of an ip event, for events/ip.</summary>
    public void WriteUpload(scoped in IpEvent e, IBufferWriter<byte> output)
    {
        Begin();
        Api(e);
        End(output);
    }

    /// <summary>The event line of an http event.</summary>
    public void WriteLine(scoped in HttpEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Http);
        Api(e);
        Common(e.Context);
        OptionalText(JsonNames.Host, e.Host);
        OptionalDestination(e.Context);
        Notes(e.Notes);
        End(output);
    }

    /// <summary>The upload line of an http event, for events/http.</summary>
    public void WriteUpload(scoped in HttpEvent e, IBufferWriter<byte> output)
    {
        Begin();
        Api(e);
        End(output);
    }

    /// <summary>The event line of a tls event.</summary>
    public void WriteLine(scoped in TlsEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Tls);
        Api(e);
        Common(e.Context);
        OptionalText(JsonNames.Sni, e.Sni);
        OptionalAscii(JsonNames.Version, WireNames.TlsVersion(e.Version, _scratch));
        OptionalText(JsonNames.Ja4, e.Ja4);
        OptionalText(JsonNames.Alpn, e.Alpn);
        OptionalText(JsonNames.ServerAlpn, e.ServerAlpn);
        if (!e.SubjectAltNames.IsEmpty) Names(JsonNames.San, e.SubjectAltNames);
        Notes(e.Notes);
        End(output);
    }

    /// <summary>The upload line of a tls event, for events/tls.</summary>
    public void WriteUpload(scoped in TlsEvent e, IBufferWriter<byte> output)
    {
        Begin();
        Api(e);
        End(output);
    }

    /// <summary>The event line of a host event; it has no upload line.</summary>
    public void WriteLine(scoped in HostEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Host);
        Time(e.Timestamp);
        Ip(JsonNames.Address, e.Address);
        if (e.HardwareAddress != 0) Ascii(JsonNames.Mac, WireNames.HardwareAddress(e.HardwareAddress, _scratch));
        OptionalText(JsonNames.Name, e.Name);
        Ascii(JsonNames.Source, e.Source.Utf8Name());
        if (e.Vlan != 0) _json.WriteNumber(JsonNames.Vlan, (int)e.Vlan);
        if (e.Tunnel.Kind != TunnelKind.None) Tunnel(e.Tunnel);
        End(output);
    }

    /// <summary>The event line of an anomaly event; it has no upload line.</summary>
    public void WriteLine(scoped in AnomalyEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Anomaly);
        Time(e.Context.Timestamp);
        Ascii(JsonNames.Fault, FaultNames.Of(e.Fault));
        Ip(JsonNames.SrcIP, e.Context.Source);
        _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        OptionalDestination(e.Context);
        OptionalAscii(JsonNames.Proto, WireNames.Protocol(e.Context.Protocol, _scratch));
        Common(e.Context);
        End(output);
    }

    /// <summary>The event line of a signature event; it has no upload line.</summary>
    public void WriteLine(scoped in SignatureEvent e, IBufferWriter<byte> output)
    {
        Begin(EventType.Signature);
        Time(e.Context.Timestamp);
        Text(JsonNames.Signature, e.Signature);
        _json.WriteNumber(JsonNames.SignatureId, e.SignatureId);
        _json.WriteNumber(JsonNames.GeneratorId, e.GeneratorId);
        _json.WriteNumber(JsonNames.Revision, e.Revision);
        OptionalText(JsonNames.Category, e.Category);
        if (e.Severity != 0) _json.WriteNumber(JsonNames.Severity, (int)e.Severity);
        OptionalText(JsonNames.Action, e.Action);
        OptionalText(JsonNames.Sensor, e.Sensor);
        Ip(JsonNames.SrcIP, e.Context.Source);
        _json.WriteNumber(JsonNames.SrcPort, (int)e.Context.SourcePort);
        OptionalDestination(e.Context);
        OptionalAscii(JsonNames.Proto, WireNames.Protocol(e.Context.Protocol, _scratch));
        OptionalAscii(JsonNames.App, e.App.Utf8Name());
        if (!e.Tags.IsEmpty) Names(JsonNames.Tags, e.Tags);
        Notes(e.Notes);
        Common(e.Context);
        End(output);
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

    /// <inheritdoc cref="ToText(in DnsEvent)"/>
    public string ToText(scoped in AnomalyEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    /// <inheritdoc cref="ToText(in DnsEvent)"/>
    public string ToText(scoped in SignatureEvent e)
    {
        WriteLine(e, Line());
        return LineText();
    }

    void Api(scoped in DnsEvent e)
    {
        Time(e.Context.Timestamp);
        Ip(JsonNames.SrcIP, e.Context.Source);
        Text(JsonNames.Query, e.Query);
        Ascii(JsonNames.QType, TypeName(e.Service, e.QueryType));
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
        if (context.Tunnel.Kind != TunnelKind.None) Tunnel(context.Tunnel);
    }

    void Tunnel(in Tunnel tunnel)
    {
        _json.WriteStartObject(JsonNames.Tunnel);
        Ascii(JsonNames.Type, tunnel.Kind.Utf8Name());
        if (!IsUnset(tunnel.Source)) Ip(JsonNames.Src, tunnel.Source);
        if (!IsUnset(tunnel.Destination)) Ip(JsonNames.Dest, tunnel.Destination);
        if (tunnel.Identifier != 0) _json.WriteNumber(JsonNames.Id, tunnel.Identifier);
        if (tunnel.Depth > 1) _json.WriteNumber(JsonNames.Depth, (int)tunnel.Depth);
        _json.WriteEndObject();
    }

    void DnsHeader(scoped in DnsEvent e)
    {
        if (e.Id != 0) _json.WriteNumber(JsonNames.Id, (int)e.Id);
        if (e.Flags != 0) _json.WriteNumber(JsonNames.Flags, (int)e.Flags);
        if (e.EdnsPayloadSize != 0) _json.WriteNumber(JsonNames.Edns, (int)e.EdnsPayloadSize);
        if (e.Service is not (App.Unknown or App.Dns)) Ascii(JsonNames.Service, e.Service.Utf8Name());
        if ((e.Notes & ~DnsNotes.Edns) == DnsNotes.None) return;
        _json.WriteStartArray(JsonNames.Notes);
        if ((e.Notes & DnsNotes.DnssecOk) != 0) _json.WriteStringValue("dnssecOk"u8);
        if ((e.Notes & DnsNotes.EncryptedClientHello) != 0) _json.WriteStringValue("ech"u8);
        if ((e.Notes & DnsNotes.AnswersTruncated) != 0) _json.WriteStringValue("answersTruncated"u8);
        if ((e.Notes & DnsNotes.Repeated) != 0) _json.WriteStringValue("repeated"u8);
        _json.WriteEndArray();
    }

    void Login(scoped in IpEvent e)
    {
        if (e.LoginFailures == 0 && e.LoginSuccesses == 0 && e.User.IsEmpty) return;
        _json.WriteStartObject(JsonNames.Login);
        OptionalText(JsonNames.User, e.User);
        _json.WriteNumber(JsonNames.Failures, (int)e.LoginFailures);
        _json.WriteNumber(JsonNames.Successes, (int)e.LoginSuccesses);
        _json.WriteEndObject();
    }

    void Echo(in EchoStatistics echo)
    {
        if (echo.Requests == 0 && echo.Replies == 0) return;
        _json.WriteStartObject(JsonNames.Echo);
        _json.WriteNumber(JsonNames.Requests, echo.Requests);
        _json.WriteNumber(JsonNames.Replies, echo.Replies);
        _json.WriteNumber(JsonNames.MinimumPayload, (int)echo.MinimumPayload);
        _json.WriteNumber(JsonNames.MaximumPayload, (int)echo.MaximumPayload);
        _json.WriteNumber(JsonNames.Changed, echo.Changed);
        _json.WriteNumber(JsonNames.Mismatched, echo.Mismatched);
        if (echo.Data > 0)
        {
            _json.WriteNumber(JsonNames.FilledEchoes, echo.Filled);
            _json.WriteNumber(JsonNames.DataEchoes, echo.Data);
            _json.WriteNumber(JsonNames.DataBytes, echo.DataBytes);
        }
        if (echo.Packets > 0) _json.WriteNumber(JsonNames.IpPackets, echo.Packets);
        _json.WriteEndObject();
    }

    /// <summary>A list that is kept as one text with commas.</summary>
    void Names(JsonKey key, ReadOnlySpan<byte> joined)
    {
        _json.WriteStartArray(key);
        foreach (Range range in joined.Split((byte)',')) _json.WriteStringValue(Utf8Text.Valid(joined[range], ref _repaired));
        _json.WriteEndArray();
    }

    void Notes(TlsNotes notes)
    {
        if (notes == TlsNotes.None) return;
        _json.WriteStartArray(JsonNames.Notes);
        if ((notes & TlsNotes.Resumed) != 0) _json.WriteStringValue("resumed"u8);
        if ((notes & TlsNotes.Retried) != 0) _json.WriteStringValue("retried"u8);
        if ((notes & TlsNotes.EncryptedClientHello) != 0) _json.WriteStringValue("ech"u8);
        if ((notes & TlsNotes.Upgraded) != 0) _json.WriteStringValue("upgraded"u8);
        if ((notes & TlsNotes.ClientCertificateRequested) != 0) _json.WriteStringValue("clientCertificateRequested"u8);
        _json.WriteEndArray();
    }

    void Notes(SignatureNotes notes)
    {
        if (notes == SignatureNotes.None) return;
        _json.WriteStartArray(JsonNames.Notes);
        if ((notes & SignatureNotes.Policy) != 0) _json.WriteStringValue("policy"u8);
        if ((notes & SignatureNotes.CommandAndControl) != 0) _json.WriteStringValue("c2"u8);
        if ((notes & SignatureNotes.Phishing) != 0) _json.WriteStringValue("phishing"u8);
        if ((notes & SignatureNotes.Cryptomining) != 0) _json.WriteStringValue("cryptomining"u8);
        if ((notes & SignatureNotes.Malware) != 0) _json.WriteStringValue("malware"u8);
        _json.WriteEndArray();
    }

    void OptionalDestination(in EventContext context)
    {
        if (!IsUnset(context.Destination)) Ip(JsonNames.DestIP, context.Destination);
        if (context.DestinationPort != 0) _json.WriteNumber(JsonNames.DestPort, (int)context.DestinationPort);
    }

    ReadOnlySpan<byte> TypeName(App service, ushort type) => service == App.Nbns ? NbnsMessage.TypeName(type, _scratch) : DnsTypes.Name(type, _scratch);

    void Answers(ReadOnlySpan<byte> packed, App service)
    {
        _json.WriteStartArray(JsonNames.Answers);
        var answers = new DnsAnswerReader(packed);
        while (answers.MoveNext())
        {
            _json.WriteStartObject();
            Ascii(JsonNames.Type, TypeName(service, answers.Type));
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
        if ((notes & FlowNotes.Ambiguous) != 0) _json.WriteStringValue("ambiguous"u8);
        if ((notes & FlowNotes.LoginFailed) != 0) _json.WriteStringValue("loginFailed"u8);
        if ((notes & FlowNotes.LoginSucceeded) != 0) _json.WriteStringValue("loginSucceeded"u8);
        if ((notes & FlowNotes.StartTls) != 0) _json.WriteStringValue("startTls"u8);
        if ((notes & FlowNotes.NotDns) != 0) _json.WriteStringValue("notDns"u8);
        if ((notes & FlowNotes.Probe) != 0) _json.WriteStringValue("probe"u8);
        if ((notes & FlowNotes.Fragmented) != 0) _json.WriteStringValue("fragmented"u8);
        _json.WriteEndArray();
    }

    void Begin()
    {
        _json.Reset();
        _json.WriteStartObject();
    }

    void Begin(EventType type)
    {
        Begin();
        Ascii(JsonNames.Type, type.Utf8Name());
    }

    void End(IBufferWriter<byte> output)
    {
        _json.WriteEndObject();
        _json.Flush(output);
    }

    void Time(long timestamp) => Ascii(JsonNames.Ts, _scratch.AsSpan(0, _time.Format(timestamp, _scratch)));

    void Ip(JsonKey key, Address address) => Ascii(key, _scratch.AsSpan(0, address.Format(_scratch)));

    void Text(JsonKey key, ReadOnlySpan<byte> text) => _json.WriteString(key, Utf8Text.Valid(text, ref _repaired));

    void OptionalText(JsonKey key, ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty) Text(key, text);
    }

    void Ascii(JsonKey key, ReadOnlySpan<byte> text) => _json.WriteString(key, text);

    void OptionalAscii(JsonKey key, ReadOnlySpan<byte> text)
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
