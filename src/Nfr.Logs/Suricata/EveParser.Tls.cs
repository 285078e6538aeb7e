using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs.Suricata;

public sealed partial class EveParser
{
    LineVerdict ReadTls(ref EveRecord record, IEventSink sink)
    {
        if (!Wants(EventType.Tls)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (record.Tls.Kind != JsonKind.Object) return LineVerdict.Other;
        TlsEvent e = TlsEventOf(ref record, IPProtocol.Tcp);
        JsonLineReader json = JsonLineReader.Object(record.Tls.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("sni"u8)) e.Sni = _text.Of(value);
            else if (key.SequenceEqual("version"u8)) e.Version = EveWords.TlsVersion(value);
            else if (key.SequenceEqual("fingerprint"u8)) e.CertificateHash = Fingerprint(value);
            else if (key.SequenceEqual("issuerdn"u8)) e.Issuer = _text.Of(value);
            else if (key.SequenceEqual("subject"u8)) e.Subject = _text.Of(value);
            else if (key.SequenceEqual("notbefore"u8)) e.ValidFrom = EveTime.Certificate(value);
            else if (key.SequenceEqual("notafter"u8)) e.ValidTo = EveTime.Certificate(value);
            else if (key.SequenceEqual("ja3"u8)) e.Ja3 = Hash(value);
            else if (key.SequenceEqual("ja3s"u8)) e.Ja3s = Hash(value);
            else if (key.SequenceEqual("ja4"u8)) e.Ja4 = Hash(value);
            else if (key.SequenceEqual("subjectaltname"u8)) e.SubjectAltNames = _text.Joined(value);
            else if (key.SequenceEqual("client_alpns"u8)) e.Alpn = _text.First(value);
            else if (key.SequenceEqual("server_alpns"u8)) e.ServerAlpn = _text.First(value);
            else if (key.SequenceEqual("session_resumed"u8) && value.Kind == JsonKind.True) e.Notes |= TlsNotes.Resumed;
            else if (key.SequenceEqual("from_proto"u8) && !value.Bytes.IsEmpty) e.Notes |= TlsNotes.Upgraded;
        }
        sink.OnTls(e);
        return LineVerdict.Event;
    }

    /// <summary>A hello in QUIC is one of TLS (RFC 9001). Records without anything of it are of the server's packets, and of retries.</summary>
    LineVerdict ReadQuic(ref EveRecord record, IEventSink sink)
    {
        if (!Wants(EventType.Tls)) return LineVerdict.Unwanted;
        if (record.Fault is not LineVerdict.Event and var fault) return fault;
        if (record.Quic.Kind != JsonKind.Object) return LineVerdict.Other;
        TlsEvent e = TlsEventOf(ref record, IPProtocol.Udp);
        JsonLineReader json = JsonLineReader.Object(record.Quic.Bytes);
        bool ofGoogle = false;
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw value))
        {
            if (key.SequenceEqual("sni"u8)) e.Sni = _text.Of(value);
            else if (key.SequenceEqual("ja3"u8)) e.Ja3 = Hash(value);
            else if (key.SequenceEqual("ja3s"u8)) e.Ja3s = Hash(value);
            else if (key.SequenceEqual("ja4"u8)) e.Ja4 = Hash(value);
            else if (key.SequenceEqual("version"u8)) ofGoogle = value.Bytes.StartsWith("Q"u8);
            else if (key.SequenceEqual("extensions"u8) && value.Kind == JsonKind.Array) e.Alpn = ExtensionAlpn(value.Bytes);
        }
        if (e.Sni.IsEmpty && e.Ja3.IsEmpty && e.Ja3s.IsEmpty && e.Ja4.IsEmpty && e.Alpn.IsEmpty) return LineVerdict.Other;
        // There is no older TLS in QUIC; Google's own before it had none.
        if (!ofGoogle) e.Version = 0x0304;
        sink.OnTls(e);
        return LineVerdict.Event;
    }

    TlsEvent TlsEventOf(ref EveRecord record, byte protocol)
    {
        if (record.IsToClient) record.Exchange();
        if (record.Context.Protocol == 0) record.Context.Protocol = protocol;
        Stamp(ref record.Context, record.Context.Timestamp);
        return new TlsEvent { Context = record.Context, ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
    }

    /// <summary>{"hash":…,"string":…}, or the hash alone.</summary>
    ReadOnlySpan<byte> Hash(JsonRaw value)
    {
        if (value.Kind != JsonKind.Object) return _text.Of(value);
        JsonLineReader json = JsonLineReader.Object(value.Bytes);
        while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw part))
        {
            if (key.SequenceEqual("hash"u8)) return _text.Of(part);
        }
        return default;
    }

    /// <summary>"92:70:CF:…" to 40 hex digits; empty for what is none of SHA-1.</summary>
    ReadOnlySpan<byte> Fingerprint(JsonRaw value)
    {
        const int Digits = 40;
        Span<byte> room = _text.Rest;
        int n = 0;
        if (value.Kind != JsonKind.String) return default;
        foreach (byte c in value.Bytes)
        {
            if (c == ':') continue;
            if (n == Digits || !char.IsAsciiHexDigit((char)c)) return default;
            room[n++] = c is >= (byte)'A' and <= (byte)'F' ? (byte)(c | 0x20) : c;
        }
        return n == Digits ? _text.Take(n) : default;
    }

    /// <summary>The first value of the extension "alpn".</summary>
    ReadOnlySpan<byte> ExtensionAlpn(ReadOnlySpan<byte> array)
    {
        JsonLineReader list = JsonLineReader.Array(array);
        while (list.Next(out JsonRaw item))
        {
            if (item.Kind != JsonKind.Object) continue;
            JsonRaw name = default, values = default;
            JsonLineReader json = JsonLineReader.Object(item.Bytes);
            while (json.Next(out ReadOnlySpan<byte> key, out JsonRaw part))
            {
                if (key.SequenceEqual("name"u8)) name = part;
                else if (key.SequenceEqual("values"u8)) values = part;
            }
            if (name.Bytes.SequenceEqual("alpn"u8)) return _text.First(values);
        }
        return default;
    }
}
