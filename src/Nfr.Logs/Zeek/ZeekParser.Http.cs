using System.Globalization;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>http.log: a request with its response. A line whose request was not seen has nothing to ask for: it is skipped.</summary>
public sealed partial class ZeekParser
{
    LineVerdict OnHttp(ZeekRow row, IEventSink sink)
    {
        var e = default(HttpEvent);
        if (Context(row, ref e.Context) is not LineVerdict.Event and var fault) return fault;
        e.Context.Protocol = IPProtocol.Tcp;
        e.Method = row.Text(ZeekField.Method);
        e.Host = row.Text(ZeekField.Host);
        if (!Url(row, ref e)) return LineVerdict.Url;
        e.Status = row.Word(ZeekField.StatusCode);
        e.BytesIn = row.Amount(ZeekField.ResponseBodyLen);
        e.BytesOut = row.Amount(ZeekField.RequestBodyLen);
        e.ContentType = row.First(ZeekField.RespMimeTypes);
        e.Referrer = row.Text(ZeekField.Referrer);
        e.UserAgent = row.Text(ZeekField.UserAgent);
        // Zeek has a user from Basic authentication alone; the password is a column's value where it is told to keep it.
        if (!row[ZeekField.Username].Bytes.IsEmpty || !row[ZeekField.Password].Bytes.IsEmpty)
        {
            e.Notes |= FlowNotes.CleartextCredentials;
            if (e.Status is 401 or 407) e.Notes |= FlowNotes.LoginFailed;
            else if (e.Status is >= 200 and <= 299) e.Notes |= FlowNotes.LoginSucceeded;
        }
        sink.OnHttp(e);
        return LineVerdict.Event;
    }

    /// <summary>As the decoder makes it: RFC 9112 3.2, the target itself when it is absolute or of CONNECT, else behind Host, or behind the server's address without one.</summary>
    bool Url(ZeekRow row, ref HttpEvent e)
    {
        ReadOnlySpan<byte> target = row.Text(ZeekField.Uri);
        if (target.IsEmpty && e.Host.IsEmpty) return false;
        bool connect = e.Method.SequenceEqual("CONNECT"u8);
        int scheme = target.IndexOf("://"u8);
        if (scheme is > 0 and < 12)
        {
            ReadOnlySpan<byte> rest = target[(scheme + 3)..];
            int end = rest.IndexOfAny((byte)'/', (byte)'?', (byte)'#');
            e.Host = end < 0 ? rest : rest[..end];
            e.Url = target;
            return true;
        }
        if (connect && !target.IsEmpty)
        {
            if (e.Host.IsEmpty) e.Host = target;
            e.Url = target;
            return true;
        }
        if (e.Host.IsEmpty) e.Host = Server(e.Context);
        if (e.Host.IsEmpty) return false;
        Span<byte> room = _room.Take(7 + e.Host.Length + target.Length);
        "http://"u8.CopyTo(room);
        e.Host.CopyTo(room[7..]);
        target.CopyTo(room[(7 + e.Host.Length)..]);
        e.Url = _room.Keep(7 + e.Host.Length + target.Length);
        return true;
    }

    /// <summary>HTTP/1.0 without Host: the server's address is what the client meant.</summary>
    ReadOnlySpan<byte> Server(scoped in EventContext context)
    {
        if (context.Destination == default) return default;
        Span<byte> room = _room.Take(Address.MaxTextLength + 8);
        int n = 0;
        bool v6 = !context.Destination.IsV4;
        if (v6) room[n++] = (byte)'[';
        n += context.Destination.Format(room[n..]);
        if (v6) room[n++] = (byte)']';
        if (context.DestinationPort is not (80 or 0))
        {
            room[n++] = (byte)':';
            context.DestinationPort.TryFormat(room[n..], out int digits, default, CultureInfo.InvariantCulture);
            n += digits;
        }
        return _room.Keep(n);
    }
}
