using System.Globalization;
using Nfr.Events;

namespace Nfr.Logs.Suricata;

public sealed partial class EveParser
{
    LineVerdict ReadHttp(ref EveRecord record, IEventSink sink)
    {
        if (!Wants(EventType.Http)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (record.Http.Kind != JsonKind.Object) return LineVerdict.Url;
        if (record.IsToClient) record.Exchange();
        if (record.Context.Protocol == 0) record.Context.Protocol = 6;
        Stamp(ref record.Context, record.Context.Timestamp);
        var e = new HttpEvent { Context = record.Context };
        ReadOnlySpan<byte> target = default;
        JsonRaw headers = default;
        ushort port = 0;
        JsonLineReader json = JsonLineReader.Object(record.Http.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("hostname"u8)) e.Host = _text.Of(value);
            else if (key.SequenceEqual("url"u8)) target = _text.Of(value);
            else if (key.SequenceEqual("http_port"u8)) port = EveWords.Word(value);
            else if (key.SequenceEqual("http_user_agent"u8)) e.UserAgent = _text.Of(value);
            else if (key.SequenceEqual("http_content_type"u8)) e.ContentType = _text.Of(value);
            else if (key.SequenceEqual("http_refer"u8)) e.Referrer = _text.Of(value);
            else if (key.SequenceEqual("http_method"u8)) e.Method = _text.Of(value);
            else if (key.SequenceEqual("status"u8)) e.Status = EveWords.Word(value);
            else if (key.SequenceEqual("length"u8)) e.BytesIn = EveWords.Amount(value);
            else if (key.SequenceEqual("request_headers"u8) && value.Kind == JsonKind.Array) headers = value;
        }
        // A response whose request was not seen, settings of HTTP/2: nothing was asked for.
        if (target.SequenceEqual("/libhtp::request_uri_not_seen"u8)) target = default;
        if (target.IsEmpty && e.Host.IsEmpty) return LineVerdict.Other;
        Address(ref e, target, port, headers);
        sink.OnHttp(e);
        return LineVerdict.Event;
    }

    /// <summary>Makes the URL and the host as the decoder does of a request.</summary>
    void Address(ref HttpEvent e, ReadOnlySpan<byte> target, ushort port, JsonRaw headers)
    {
        // RFC 9112 3.2.2: the absolute form overrides Host; its authority is the host then.
        int scheme = target.IndexOf("://"u8);
        if (scheme is > 0 and < 12 && target[..scheme].IndexOfAny("/?#"u8) < 0)
        {
            ReadOnlySpan<byte> rest = target[(scheme + 3)..];
            int end = rest.IndexOfAny("/?#"u8);
            e.Host = end < 0 ? rest : rest[..end];
            e.Url = target;
            return;
        }
        bool connects = e.Method.SequenceEqual("CONNECT"u8);
        if (e.Host.IsEmpty && headers.Kind == JsonKind.Array) e.Host = Header(headers.Bytes);
        if (connects)
        {
            if (target.IsEmpty) target = e.Host;
            if (e.Host.IsEmpty) e.Host = target;
            e.Url = target;
            return;
        }
        bool secure = e.Context.DestinationPort == 443;
        ushort usual = secure ? (ushort)443 : (ushort)80;
        // HTTP/1.0 without Host: the server's address is what the client meant.
        if (e.Host.IsEmpty) e.Host = Server(e.Context, usual);
        else if (port != 0 && port != usual && e.Host[^1] != ']' && e.Host.Contains((byte)':')) port = 0;
        else if (port != 0 && port != usual) e.Host = WithPort(e.Host, port);

        ReadOnlySpan<byte> prefix = secure ? "https://"u8 : "http://"u8;
        // No path, "*", or what is no target: below the root.
        ReadOnlySpan<byte> slash = target.IsEmpty || target[0] != '/' ? "/"u8 : default;
        int length = prefix.Length + e.Host.Length + slash.Length + target.Length;
        Span<byte> url = _text.Rest;
        if (length > url.Length) return;
        prefix.CopyTo(url);
        e.Host.CopyTo(url[prefix.Length..]);
        slash.CopyTo(url[(prefix.Length + e.Host.Length)..]);
        target.CopyTo(url[(length - target.Length)..]);
        e.Url = _text.Take(length);
    }

    ReadOnlySpan<byte> WithPort(ReadOnlySpan<byte> host, ushort port)
    {
        Span<byte> room = _text.Rest;
        if (room.Length < host.Length + 6) return host;
        host.CopyTo(room);
        room[host.Length] = (byte)':';
        port.TryFormat(room[(host.Length + 1)..], out int n, default, CultureInfo.InvariantCulture);
        return _text.Take(host.Length + 1 + n);
    }

    /// <summary>An address of six in brackets, the port where it is not the usual one; "-" when the line does not say whom was asked.</summary>
    ReadOnlySpan<byte> Server(EventContext context, ushort usual)
    {
        if (context.Destination == default) return "-"u8;
        Span<byte> room = _text.Rest;
        int n = 0;
        if (!context.Destination.IsV4) room[n++] = (byte)'[';
        n += context.Destination.Format(room[n..]);
        if (!context.Destination.IsV4) room[n++] = (byte)']';
        ReadOnlySpan<byte> server = _text.Take(n);
        return context.DestinationPort == usual || context.DestinationPort == 0 ? server : WithPort(server, context.DestinationPort);
    }

    /// <summary>HTTP/2's ":authority", or Host, where the log has headers.</summary>
    ReadOnlySpan<byte> Header(ReadOnlySpan<byte> array)
    {
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.Object) continue;
            JsonRaw name = default, value = default;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw field))
            {
                if (key.SequenceEqual("name"u8)) name = field;
                else if (key.SequenceEqual("value"u8)) value = field;
            }
            if (name.Bytes.SequenceEqual(":authority"u8) || System.Text.Ascii.EqualsIgnoreCase(name.Bytes, "host"u8)) return _text.Of(value);
        }
        return default;
    }
}
