using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;
using static Nfr.Logs.SearchField;

namespace Nfr.Logs;

/// <summary>
/// Makes the event of one document. Its fields are found by the search's names, nested or dotted; of arrays the first value counts; numbers may be
/// texts. Nothing throws; spans are good until the next call. One thread.
/// </summary>
sealed partial class DocumentParser
{
    /// <summary>A name in presentation form: 255 bytes (RFC 1035 2.3.4), each \DDD at the most.</summary>
    const int MaxName = 1024;
    /// <summary>Header and the question's type and class, around the name.</summary>
    const int QueryOverhead = 12 + 4 + 2;

    readonly SearchOptions _options;
    readonly LogClock _clock;
    readonly FieldTree _tree;
    /// <summary>Which values are a field's: from, to.</summary>
    readonly (int From, int To)[] _slots = new (int, int)[SearchFields.Count];
    readonly FieldValue[] _values;
    readonly FieldTree _stamp;
    readonly FieldValue[] _stampValue = new FieldValue[1];
    byte[] _text = new byte[4096];
    int _used;

    public DocumentParser(SearchOptions options, LogClock clock)
    {
        (_options, _clock) = (options, clock);
        List<string> paths = [];
        foreach (SearchField field in SearchSchema.FieldsOf(options.Type))
        {
            int from = paths.Count;
            paths.AddRange(options.Paths(field));
            _slots[(int)field] = (from, paths.Count);
        }
        _tree = new FieldTree(paths);
        _values = new FieldValue[paths.Count];
        _stamp = new FieldTree([options.Path(Timestamp) ?? "@timestamp"]);
    }

    /// <param name="source">The hit's _source: an object; empty when it has none.</param>
    /// <param name="fields">The hit's fields, where times stand in the format that was asked for; empty when it has none.</param>
    /// <param name="sink">Gets the event.</param>
    public LineVerdict Read(ReadOnlySpan<byte> source, ReadOnlySpan<byte> fields, IEventSink sink)
    {
        if (source.IsEmpty || !_tree.Read(source, _values)) return LineVerdict.NotJson;
        // What is unescaped, put together or packed is no longer than the document twice, but for a name whose bytes become \DDD.
        int room = (source.Length * 2) + (MaxName * 4);
        if (_text.Length < room) _text = new byte[Math.Max(room, _text.Length * 2)];
        _used = 0;
        var context = default(EventContext);
        if (!Time(source, fields, out context.Timestamp)) return LineVerdict.Timestamp;
        if (!EventWords.TryAddress(Value(source, SourceIp), out context.Source)) return LineVerdict.Source;
        JsonRaw destination = Value(source, DestinationIp);
        if (!EventWords.TryAddress(destination, out context.Destination) && (_options.Type == EventType.Ip || destination.Bytes.Length > 0)) return LineVerdict.Destination;
        context.SourcePort = Word(Value(source, SourcePort));
        context.DestinationPort = Word(Value(source, DestinationPort));
        context.Vlan = Word(Value(source, Vlan));
        // What ECS calls network.protocol is "dns" more often than "udp".
        context.Protocol = EventWords.Protocol(Value(source, Protocol));
        if (context.Protocol == 0) context.Protocol = EventWords.Protocol(Value(source, Transport));
        switch (_options.Type)
        {
            case EventType.Dns: return Dns(source, context, sink);
            case EventType.Ip: return Ip(source, context, sink);
            case EventType.Http: return Http(source, context, sink);
            default: return Tls(source, context, sink);
        }
    }

    LineVerdict Dns(ReadOnlySpan<byte> source, EventContext context, IEventSink sink)
    {
        ReadOnlySpan<byte> name = Text(source, Query);
        var e = new DnsEvent { ResponseCode = EventWords.ResponseCode(Value(source, ResponseCode)), Service = Service(context) };
        if (!Name(ref name)) return LineVerdict.Query;
        e.Query = name;
        e.QueryType = EventWords.QueryType(Value(source, QueryType).Bytes, e.Service);
        e.Id = Word(Value(source, QueryId));
        e.QueryLength = (ushort)(name.Length + QueryOverhead);
        if (Raw(source, SearchField.Answers) is { Kind: JsonKind.Array } answers) e.Answers = Answers(answers.Bytes, e.Service);
        Stamp(ref context);
        e.Context = context;
        sink.OnDns(e);
        return LineVerdict.Event;
    }

    static App Service(in EventContext context) => context.DestinationPort switch { 5353 => Nfr.Events.App.Mdns, 5355 => Nfr.Events.App.Llmnr, _ => Nfr.Events.App.Dns };

    LineVerdict Ip(ReadOnlySpan<byte> source, EventContext context, IEventSink sink)
    {
        // Packetbeat writes a flow and each transaction in it, and a long flow every ten seconds with all its bytes so far: only a flow at its end is counted once.
        bool packetbeat = Is(Value(source, Agent), "packetbeat"u8);
        if (packetbeat && Value(source, Dataset) is { Bytes.Length: > 0 } kind && !Is(kind, "flow"u8) && !Is(kind, "network_traffic.flow"u8)) return LineVerdict.Other;
        if (packetbeat && Value(source, FlowFinal).Kind == JsonKind.False) return LineVerdict.Other;
        var e = new IpEvent
        {
            BytesIn = Amount(Value(source, BytesIn)),
            BytesOut = Amount(Value(source, BytesOut)),
            PacketsIn = Amount(Value(source, PacketsIn)),
            PacketsOut = Amount(Value(source, PacketsOut)),
            Duration = Value(source, Seconds).Kind != JsonKind.None ? EventWords.Duration(Value(source, Seconds)) : Amount(Value(source, SearchField.Duration)),
            State = EventWords.StateOf(Value(source, State)),
            Ja3 = Text(source, SearchField.Ja3),
        };
        (int from, int to) = _slots[(int)SearchField.Application];
        for (int i = from; i < to && e.App == default; i++) e.App = EventWords.AppOf(Slot(source, i));
        Stamp(ref context, e.Duration);
        e.Context = context;
        sink.OnIp(e);
        return LineVerdict.Event;
    }

    LineVerdict Http(ReadOnlySpan<byte> source, EventContext context, IEventSink sink)
    {
        ReadOnlySpan<byte> url = WholeUrl(source, context.DestinationPort);
        if (url.IsEmpty) return LineVerdict.Url;
        if (context.Protocol is 0) context.Protocol = 6;
        var e = new HttpEvent
        {
            Url = url,
            Host = UrlHost.Of(url),
            Method = Text(source, Method),
            Status = Word(Value(source, StatusCode)),
            BytesIn = Amount(Value(source, BytesIn)),
            BytesOut = Amount(Value(source, BytesOut)),
            ContentType = Text(source, ContentType),
            Referrer = Text(source, Referrer),
            UserAgent = Text(source, UserAgent),
        };
        Stamp(ref context);
        e.Context = context;
        sink.OnHttp(e);
        return LineVerdict.Event;
    }

    LineVerdict Tls(ReadOnlySpan<byte> source, EventContext context, IEventSink sink)
    {
        var e = new TlsEvent
        {
            CertificateHash = Hex(Text(source, CertificateHash)),
            Issuer = Text(source, Issuer),
            Subject = Text(source, Subject),
            ValidFrom = Day(Value(source, ValidFrom)),
            ValidTo = Day(Value(source, ValidTo)),
            Ja3 = Text(source, SearchField.Ja3),
            Ja3s = Text(source, Ja3s),
            Sni = Text(source, ServerName),
            Version = Version(Value(source, SearchField.TlsVersion).Bytes),
            Alpn = Text(source, Alpn),
        };
        if (Raw(source, AlternativeNames) is { Kind: JsonKind.Array } names) e.SubjectAltNames = Joined(names.Bytes);
        // A search without must_have_fields gets everything that has a source: what says nothing of a handshake is none.
        if (e.Ja3.IsEmpty && e.Ja3s.IsEmpty && e.CertificateHash.IsEmpty && e.Issuer.IsEmpty && e.Subject.IsEmpty && e.Version == 0 && e.ValidTo == TlsEvent.NoTime) return LineVerdict.Other;
        if (context.Protocol is 0) context.Protocol = 6;
        Stamp(ref context);
        e.Context = context;
        sink.OnTls(e);
        return LineVerdict.Event;
    }

    /// <summary>An absolute URL: as it is said, or put together where the document has only the request's target.</summary>
    ReadOnlySpan<byte> WholeUrl(ReadOnlySpan<byte> source, ushort port)
    {
        ReadOnlySpan<byte> url = Text(source, SearchField.Url), full = Text(source, FullUrl);
        if (url.IndexOf("://"u8) >= 0) return url;
        if (!full.IsEmpty) return full;
        ReadOnlySpan<byte> domain = Text(source, UrlDomain);
        if (domain.IsEmpty) return url;
        // CONNECT's target, or "host/path" as some proxies write it.
        if (!url.IsEmpty && url[0] != '/') return url;
        ReadOnlySpan<byte> scheme = Text(source, UrlScheme), path = Text(source, UrlPath), query = Text(source, UrlQuery);
        ushort said = Word(Value(source, UrlPort));
        if (said == 0) said = port;
        int start = _used;
        Append(scheme.IsEmpty ? said == 443 ? "https"u8 : "http"u8 : scheme);
        Append("://"u8);
        Append(domain);
        if (said is not (0 or 80 or 443) && !domain.Contains((byte)':'))
        {
            Append(":"u8);
            Utf8Formatter.TryFormat(said, _text.AsSpan(_used), out int written);
            _used += written;
        }
        if (!url.IsEmpty) Append(url);
        else
        {
            Append(path.IsEmpty ? "/"u8 : path);
            if (!query.IsEmpty) Append("?"u8);
            Append(query);
        }
        return _text.AsSpan(start, _used - start);
    }
}
