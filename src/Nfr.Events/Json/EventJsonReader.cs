using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Reads what <see cref="EventJson"/> writes, both the upload line and the event line, and the lines of other senders: keys in any order, unknown
/// ones ignored, numbers as texts, null or an empty text for what is not known. A value of a wrong kind counts as absent; what an event cannot do
/// without is a fault. Nothing throws and nothing is allocated per line; the events' spans lie in the line or in this reader, and are good until
/// the next call. One thread.
/// </summary>
/// <remarks>"communityId" follows from the addresses, and "tunnel" is not read.</remarks>
public sealed class EventJsonReader
{
    /// <summary>A name in presentation form: 255 bytes (RFC 1035 2.3.4), each \DDD at the most.</summary>
    const int MaxQuery = 1024;
    /// <summary>Header and the question's type and class, around the name.</summary>
    const int QueryOverhead = 12 + 4 + 2;
    /// <summary>IPv4 and TCP with time stamps (RFC 7323).</summary>
    const int HeaderLength = 20 + 32;

    /// <summary>Of a host's name (RFC 1035 2.3.4), a hardware address or a user; what is longer is left out.</summary>
    const int MaxWho = 255;

    readonly byte[] _host = new byte[MaxWho], _hardware = new byte[MaxWho], _user = new byte[MaxWho];
    int _hostLength, _hardwareLength, _userLength;
    byte[] _text = new byte[2048];
    int _used;

    /// <summary>What the last line calls its source: srcHost, srcMac and srcUser, as they are said; empty = not said. Good until the next call.</summary>
    public ReadOnlySpan<byte> SourceHost => _host.AsSpan(0, _hostLength);

    /// <inheritdoc cref="SourceHost"/>
    public ReadOnlySpan<byte> SourceHardware => _hardware.AsSpan(0, _hardwareLength);

    /// <inheritdoc cref="SourceHost"/>
    public ReadOnlySpan<byte> SourceUser => _user.AsSpan(0, _userLength);

    public EventLineFault Read(ReadOnlySpan<byte> line, out DnsEvent e)
    {
        e = new DnsEvent { ResponseCode = -1, Service = App.Dns };
        e.Context.Protocol = 0;
        Begin(line);
        var seen = default(Seen);
        ReadOnlySpan<byte> type = default, answers = default;
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (Common(key, value, ref e.Context, ref seen)) continue;
            if (key.SequenceEqual("query"u8)) e.Query = Text(value);
            else if (key.SequenceEqual("qtype"u8)) type = value.Bytes;
            else if (key.SequenceEqual("rcode"u8)) e.ResponseCode = EventWords.ResponseCode(value);
            else if (key.SequenceEqual("answers"u8) && value.Kind == JsonKind.Array) answers = value.Bytes;
            else if (key.SequenceEqual("service"u8)) e.Service = EventWords.AppOf(value);
            else if (key.SequenceEqual("id"u8)) e.Id = Word(value);
            else if (key.SequenceEqual("flags"u8)) e.Flags = Word(value);
            else if (key.SequenceEqual("ednsPayloadSize"u8)) e.EdnsPayloadSize = Word(value);
            else if (key.SequenceEqual("notes"u8)) e.Notes = (DnsNotes)EventWords.Notes(value, EventWords.DnsNotes);
            else if (key.SequenceEqual("transport"u8)) e.Context.Protocol = EventWords.Protocol(value);
        }
        if (Fault(json, seen) is not EventLineFault.None and var fault) return fault;
        if (!Name(ref e.Query, e.Service)) return EventLineFault.Query;
        // Which names a type has depends on the service, whichever came first.
        e.QueryType = EventWords.QueryType(type, e.Service);
        if (!answers.IsEmpty) e.Answers = Answers(answers, e.Service);
        if (e.EdnsPayloadSize != 0) e.Notes |= DnsNotes.Edns;
        e.QueryLength = (ushort)(e.Query.Length + QueryOverhead);
        return EventLineFault.None;
    }

    public EventLineFault Read(ReadOnlySpan<byte> line, out IpEvent e)
    {
        e = default;
        Begin(line);
        var seen = default(Seen);
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (Common(key, value, ref e.Context, ref seen)) continue;
            if (key.SequenceEqual("proto"u8)) e.Context.Protocol = EventWords.Protocol(value);
            else if (key.SequenceEqual("bytesIn"u8)) e.BytesIn = Amount(value);
            else if (key.SequenceEqual("bytesOut"u8)) e.BytesOut = Amount(value);
            else if (key.SequenceEqual("ja3"u8)) e.Ja3 = Text(value);
            else if (key.SequenceEqual("duration"u8)) e.Duration = EventWords.Duration(value);
            else if (key.SequenceEqual("packetsIn"u8)) e.PacketsIn = Amount(value);
            else if (key.SequenceEqual("packetsOut"u8)) e.PacketsOut = Amount(value);
            else if (key.SequenceEqual("tcpFlags"u8)) e.TcpFlags = EventWords.TcpFlags(value);
            else if (key.SequenceEqual("state"u8)) e.State = EventWords.StateOf(value);
            else if (key.SequenceEqual("app"u8)) e.App = EventWords.AppOf(value);
            else if (key.SequenceEqual("notes"u8)) e.Notes = (FlowNotes)EventWords.Notes(value, EventWords.FlowNotes);
            else if (key.SequenceEqual("missedIn"u8)) e.MissedIn = Amount(value);
            else if (key.SequenceEqual("missedOut"u8)) e.MissedOut = Amount(value);
            else if (key.SequenceEqual("clientSoftware"u8)) e.ClientSoftware = Text(value);
            else if (key.SequenceEqual("serverSoftware"u8)) e.ServerSoftware = Text(value);
            else if (key.SequenceEqual("hassh"u8)) e.Hassh = Text(value);
            else if (key.SequenceEqual("hasshServer"u8)) e.HasshServer = Text(value);
            else if (key.SequenceEqual("login"u8) && value.Kind == JsonKind.Object) Login(value.Bytes, ref e);
            else if (key.SequenceEqual("echo"u8) && value.Kind == JsonKind.Object) Echo(value.Bytes, ref e.Echo);
        }
        if (Fault(json, seen) is not EventLineFault.None and var fault) return fault;
        if (!seen.Destination) return EventLineFault.Destination;
        // Payload is not said. What was never answered carried none; else headers with time stamps are taken off.
        if (e.State is not (ConnectionState.S0 or ConnectionState.REJ or ConnectionState.RSTOS0 or ConnectionState.SH))
        {
            e.PayloadIn = Math.Max(0, e.BytesIn - (e.PacketsIn * HeaderLength));
            e.PayloadOut = Math.Max(0, e.BytesOut - (e.PacketsOut * HeaderLength));
        }
        return EventLineFault.None;
    }

    public EventLineFault Read(ReadOnlySpan<byte> line, out HttpEvent e)
    {
        e = default;
        e.Context.Protocol = 6;
        Begin(line);
        var seen = default(Seen);
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (Common(key, value, ref e.Context, ref seen)) continue;
            if (key.SequenceEqual("url"u8)) e.Url = Text(value);
            else if (key.SequenceEqual("method"u8)) e.Method = Text(value);
            else if (key.SequenceEqual("status"u8)) e.Status = Word(value);
            else if (key.SequenceEqual("bytesIn"u8)) e.BytesIn = Amount(value);
            else if (key.SequenceEqual("bytesOut"u8)) e.BytesOut = Amount(value);
            else if (key.SequenceEqual("contentType"u8)) e.ContentType = Text(value);
            else if (key.SequenceEqual("referrer"u8)) e.Referrer = Text(value);
            else if (key.SequenceEqual("userAgent"u8)) e.UserAgent = Text(value);
            else if (key.SequenceEqual("host"u8)) e.Host = Text(value);
            else if (key.SequenceEqual("notes"u8)) e.Notes = (FlowNotes)EventWords.Notes(value, EventWords.FlowNotes);
        }
        if (Fault(json, seen) is not EventLineFault.None and var fault) return fault;
        if (e.Url.IsEmpty) return EventLineFault.Url;
        if (e.Host.IsEmpty) e.Host = UrlHost.Of(e.Url);
        return EventLineFault.None;
    }

    public EventLineFault Read(ReadOnlySpan<byte> line, out TlsEvent e)
    {
        e = new TlsEvent { ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
        e.Context.Protocol = 6;
        Begin(line);
        var seen = default(Seen);
        JsonLineReader json = JsonLineReader.Object(line);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (Common(key, value, ref e.Context, ref seen)) continue;
            if (key.SequenceEqual("certHash"u8)) e.CertificateHash = Text(value);
            else if (key.SequenceEqual("issuer"u8)) e.Issuer = Text(value);
            else if (key.SequenceEqual("subject"u8)) e.Subject = Text(value);
            else if (key.SequenceEqual("validFrom"u8)) e.ValidFrom = EventWords.Seconds(value);
            else if (key.SequenceEqual("validTo"u8)) e.ValidTo = EventWords.Seconds(value);
            else if (key.SequenceEqual("ja3"u8)) e.Ja3 = Text(value);
            else if (key.SequenceEqual("ja3s"u8)) e.Ja3s = Text(value);
            else if (key.SequenceEqual("ja4"u8)) e.Ja4 = Text(value);
            else if (key.SequenceEqual("sni"u8)) e.Sni = Text(value);
            else if (key.SequenceEqual("version"u8)) e.Version = EventWords.TlsVersion(value);
            else if (key.SequenceEqual("alpn"u8)) e.Alpn = Text(value);
            else if (key.SequenceEqual("serverAlpn"u8)) e.ServerAlpn = Text(value);
            else if (key.SequenceEqual("san"u8) && value.Kind == JsonKind.Array) e.SubjectAltNames = Joined(value.Bytes);
            else if (key.SequenceEqual("notes"u8)) e.Notes = (TlsNotes)EventWords.Notes(value, EventWords.TlsNotes);
        }
        // QUIC and DTLS run over UDP; JA4's first letter says so.
        if (e.Version >= 0xFE00 || (!e.Ja4.IsEmpty && e.Ja4[0] is (byte)'q' or (byte)'d')) e.Context.Protocol = 17;
        return Fault(json, seen);
    }

    struct Seen
    {
        public bool Time;
        public bool Source;
        public bool Destination;
        public bool BadDestination;
    }

    /// <summary>The fields that every type has; true when the key was one of them.</summary>
    bool Common(ReadOnlySpan<byte> key, JsonRaw value, ref EventContext context, ref Seen seen)
    {
        if (key.SequenceEqual("ts"u8))
        {
            seen.Time = value.Kind == JsonKind.String && EventTime.TryParse(value.Bytes, out context.Timestamp);
            context.Tick = context.Timestamp;
        }
        else if (key.SequenceEqual("srcIP"u8)) seen.Source = EventWords.TryAddress(value, out context.Source);
        else if (key.SequenceEqual("srcPort"u8)) context.SourcePort = Word(value);
        else if (key.SequenceEqual("destIP"u8))
        {
            seen.Destination = EventWords.TryAddress(value, out context.Destination);
            seen.BadDestination = !seen.Destination && value.Kind is not JsonKind.Null && !value.Bytes.IsEmpty;
        }
        else if (key.SequenceEqual("destPort"u8)) context.DestinationPort = Word(value);
        else if (key.SequenceEqual("vlan"u8)) context.Vlan = Word(value);
        else if (key.SequenceEqual("srcHost"u8)) _hostLength = Who(value, _host);
        else if (key.SequenceEqual("srcMac"u8)) _hardwareLength = Who(value, _hardware);
        else if (key.SequenceEqual("srcUser"u8)) _userLength = Who(value, _user);
        else return false;
        return true;
    }

    /// <summary>Copies a text of one line; 0 for none, and for what does not fit or holds control characters.</summary>
    static int Who(JsonRaw value, byte[] room)
    {
        if (value.Kind != JsonKind.String || value.Bytes.Length > room.Length) return 0;
        int length = value.Bytes.Length;
        if (value.Escaped)
        {
            if (!JsonLineReader.TryUnescape(value.Bytes, room, out length)) return 0;
        }
        else value.Bytes.CopyTo(room);
        ReadOnlySpan<byte> text = room.AsSpan(0, length);
        return text.ContainsAnyInRange((byte)0, (byte)0x1F) || text.Contains((byte)0x7F) ? 0 : length;
    }

    static EventLineFault Fault(JsonLineReader json, Seen seen) =>
        json.Failed ? EventLineFault.NotJson
        : !seen.Time ? EventLineFault.Timestamp
        : !seen.Source ? EventLineFault.Source
        : seen.BadDestination ? EventLineFault.Destination : EventLineFault.None;

    void Begin(ReadOnlySpan<byte> line)
    {
        // What is unescaped or packed is no longer than the line, but for a name whose bytes become \DDD.
        int room = line.Length + (MaxQuery * 4);
        if (_text.Length < room) _text = new byte[Math.Max(room, _text.Length * 2)];
        _used = 0;
        _hostLength = _hardwareLength = _userLength = 0;
    }

    ReadOnlySpan<byte> Text(JsonRaw value)
    {
        if (value.Kind != JsonKind.String) return default;
        if (!value.Escaped) return value.Bytes;
        Span<byte> room = _text.AsSpan(_used);
        if (value.Bytes.Length > room.Length || !JsonLineReader.TryUnescape(value.Bytes, room, out int length)) return default;
        _used += length;
        return room[..length];
    }

    /// <summary>The model's form of a name: without the last dot, and what is not printable ASCII as \DDD; names of NetBIOS are texts of their own kind.</summary>
    bool Name(ref ReadOnlySpan<byte> name, App service)
    {
        if (name.Length is 0 or > MaxQuery) return false;
        if (service == App.Nbns) return true;
        if (name.Length > 1 && name[^1] == '.' && name[^2] != '\\') name = name[..^1];
        if (!name.ContainsAnyExceptInRange((byte)' ', (byte)'~')) return true;
        int start = _used;
        foreach (byte c in name)
        {
            if (c is >= (byte)' ' and <= (byte)'~')
            {
                _text[_used++] = c;
                continue;
            }
            _text[_used++] = (byte)'\\';
            _text[_used++] = (byte)('0' + (c / 100));
            _text[_used++] = (byte)('0' + (c / 10 % 10));
            _text[_used++] = (byte)('0' + (c % 10));
        }
        name = _text.AsSpan(start, _used - start);
        return name.Length <= MaxQuery;
    }

    ReadOnlySpan<byte> Answers(ReadOnlySpan<byte> array, App service)
    {
        Span<byte> room = _text.AsSpan(_used);
        var writer = new DnsAnswerWriter(room);
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.Object) continue;
            ushort type = 0;
            long ttl = 0;
            int length = 0;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
            {
                if (key.SequenceEqual("type"u8)) type = EventWords.QueryType(value.Bytes, service);
                else if (key.SequenceEqual("ttl"u8)) _ = value.TryNumber(out ttl);
                else if (key.SequenceEqual("data"u8) && value.Kind == JsonKind.String && value.Bytes.Length <= writer.TextSpace.Length && value.Bytes.Length <= ushort.MaxValue)
                {
                    if (!JsonLineReader.TryUnescape(value.Bytes, writer.TextSpace, out length)) length = 0;
                }
            }
            // An empty object takes more room here than on the line.
            if (writer.TextSpace.IsEmpty) break;
            writer.Commit(type, (uint)Math.Clamp(ttl, 0, uint.MaxValue), length);
        }
        _used += writer.Written.Length;
        return room[..writer.Written.Length];
    }

    ReadOnlySpan<byte> Joined(ReadOnlySpan<byte> array)
    {
        int start = _used;
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.String || item.Bytes.Length >= _text.Length - _used) continue;
            if (_used > start) _text[_used++] = (byte)',';
            if (JsonLineReader.TryUnescape(item.Bytes, _text.AsSpan(_used), out int length)) _used += length;
        }
        return _text.AsSpan(start, _used - start);
    }

    void Login(ReadOnlySpan<byte> json, ref IpEvent e)
    {
        JsonLineReader login = JsonLineReader.Object(json);
        while (login.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("user"u8)) e.User = Text(value);
            else if (key.SequenceEqual("failures"u8)) e.LoginFailures = Word(value);
            else if (key.SequenceEqual("successes"u8)) e.LoginSuccesses = Word(value);
        }
    }

    static void Echo(ReadOnlySpan<byte> json, ref EchoStatistics echo)
    {
        JsonLineReader numbers = JsonLineReader.Object(json);
        while (numbers.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            uint number = (uint)Math.Min(Amount(value), uint.MaxValue);
            if (key.SequenceEqual("requests"u8)) echo.Requests = number;
            else if (key.SequenceEqual("replies"u8)) echo.Replies = number;
            else if (key.SequenceEqual("minimumPayload"u8)) echo.MinimumPayload = Word(value);
            else if (key.SequenceEqual("maximumPayload"u8)) echo.MaximumPayload = Word(value);
            else if (key.SequenceEqual("changed"u8)) echo.Changed = number;
            else if (key.SequenceEqual("mismatched"u8)) echo.Mismatched = number;
            else if (key.SequenceEqual("filledEchoes"u8)) echo.Filled = number;
            else if (key.SequenceEqual("dataEchoes"u8)) echo.Data = number;
            else if (key.SequenceEqual("dataBytes"u8)) echo.DataBytes = number;
            else if (key.SequenceEqual("ipPackets"u8)) echo.Packets = number;
        }
        // Not said: each of them may have had room for data.
        echo.Filled = echo.Requests + echo.Replies;
    }

    /// <summary>16 bits; 0 for what does not fit.</summary>
    static ushort Word(JsonRaw value) => value.TryNumber(out long number) && number is >= 0 and <= ushort.MaxValue ? (ushort)number : (ushort)0;

    /// <summary>Not negative.</summary>
    static long Amount(JsonRaw value) => value.TryNumber(out long number) ? Math.Max(0, number) : 0;
}
