using System.Buffers.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>ssl.log: a handshake; x509.log and files.log: what it says of certificates.</summary>
public sealed partial class ZeekParser
{
    const int Sha1Digits = 40;
    /// <summary>Alternative names of one certificate that are kept.</summary>
    const int MaxNames = 900;

    LineVerdict OnSsl(ZeekRow row, IEventSink sink)
    {
        var e = new TlsEvent { ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
        if (Context(row, ref e.Context) is not LineVerdict.Event and var fault) return fault;
        e.Sni = row.Text(ZeekField.ServerName);
        e.Version = Version(row.Text(ZeekField.Version));
        e.Ja3 = row.Text(ZeekField.Ja3);
        e.Ja3s = row.Text(ZeekField.Ja3s);
        e.Ja4 = row.Text(ZeekField.Ja4);
        e.ServerAlpn = row.Text(ZeekField.NextProtocol);
        // QUIC and DTLS run over UDP; JA4's first letter says so.
        e.Context.Protocol = e.Version >= 0xFE00 || (!e.Ja4.IsEmpty && e.Ja4[0] is (byte)'q' or (byte)'d') ? IPProtocol.Udp : IPProtocol.Tcp;
        if (row.Is(ZeekField.Resumed)) e.Notes |= TlsNotes.Resumed;
        ReadOnlySpan<byte> history = row.Text(ZeekField.SslHistory);
        if (history.ContainsAny((byte)'j', (byte)'v')) e.Notes |= TlsNotes.Retried;
        if (history.Contains((byte)'r')) e.Notes |= TlsNotes.ClientCertificateRequested;
        Certificate(row, ref e);
        sink.OnTls(e);
        return LineVerdict.Event;
    }

    /// <summary>By the chain's first file or fingerprint; up to 2.1, and with a package later, the names are columns of ssl itself.</summary>
    void Certificate(ZeekRow row, ref TlsEvent e)
    {
        ReadOnlySpan<byte> key = row.First(ZeekField.CertChainFps);
        if (IsSha1(key)) e.CertificateHash = key;
        if (key.IsEmpty) key = row.First(ZeekField.CertChainFuids);
        if (Options.Certificates.TryGet(key, _certificate, out CertificateText certificate))
        {
            if (!certificate.Sha1.IsEmpty) e.CertificateHash = certificate.Sha1;
            e.Subject = certificate.Subject;
            e.Issuer = certificate.Issuer;
            e.SubjectAltNames = certificate.SubjectAltNames;
            (e.ValidFrom, e.ValidTo) = (certificate.ValidFrom, certificate.ValidTo);
        }
        if (e.Subject.IsEmpty) e.Subject = row.Text(ZeekField.Subject);
        if (e.Issuer.IsEmpty) e.Issuer = row.Text(ZeekField.Issuer);
        if (e.ValidFrom == TlsEvent.NoTime) e.ValidFrom = row.Seconds(ZeekField.NotBefore);
        if (e.ValidTo == TlsEvent.NoTime) e.ValidTo = row.Seconds(ZeekField.NotAfter);
    }

    LineVerdict OnX509(ZeekRow row)
    {
        var certificate = new CertificateText
        {
            Subject = row.Text(ZeekField.CertSubject),
            Issuer = row.Text(ZeekField.CertIssuer),
            ValidFrom = row.Seconds(ZeekField.CertNotBefore),
            ValidTo = row.Seconds(ZeekField.CertNotAfter),
            SubjectAltNames = Names(row),
        };
        ReadOnlySpan<byte> fingerprint = row.Text(ZeekField.Fingerprint), file = row.Text(ZeekField.Id);
        if (IsSha1(fingerprint)) certificate.Sha1 = fingerprint;
        Options.Certificates.Put(fingerprint, certificate);
        Options.Certificates.Put(file, certificate);
        return LineVerdict.Other;
    }

    LineVerdict OnFiles(ZeekRow row)
    {
        ReadOnlySpan<byte> source = row.Text(ZeekField.Source), sha1 = row.Text(ZeekField.Sha1);
        if (IsSha1(sha1) && (source.SequenceEqual("SSL"u8) || source.SequenceEqual("DTLS"u8))) Options.Certificates.PutSha1(row.Text(ZeekField.Fuid), sha1);
        return LineVerdict.Other;
    }

    ReadOnlySpan<byte> Names(ZeekRow row)
    {
        Span<byte> room = _room.Take(MaxNames);
        // Held first: what the elements are unescaped to lies behind it.
        ReadOnlySpan<byte> joined = _room.Keep(MaxNames);
        int n = 0;
        ZeekList names = row.Items(ZeekField.SanDns);
        while (names.Next(out JsonRaw item))
        {
            ReadOnlySpan<byte> name = row.Text(item);
            if (name.IsEmpty) continue;
            if (n + 1 + name.Length > MaxNames) break;
            if (n > 0) room[n++] = (byte)',';
            name.CopyTo(room[n..]);
            n += name.Length;
        }
        return joined[..n];
    }

    static bool IsSha1(ReadOnlySpan<byte> text) => text.Length == Sha1Digits && !text.ContainsAnyExcept(s_hex);

    static readonly System.Buffers.SearchValues<byte> s_hex = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF"u8);

    /// <summary>"TLSv12", "SSLv3", "DTLSv10"; "unknown-64282" by its number; 0 for none.</summary>
    static ushort Version(ReadOnlySpan<byte> text)
    {
        int draft = text.IndexOf((byte)'-');
        if (text.StartsWith("unknown-"u8)) return Utf8Parser.TryParse(text[8..], out ushort number, out int used) && used == text.Length - 8 ? number : (ushort)0;
        if (draft > 0) text = text[..draft];
        return text.SequenceEqual("TLSv13"u8) ? (ushort)0x0304
            : text.SequenceEqual("TLSv12"u8) ? (ushort)0x0303
            : text.SequenceEqual("TLSv11"u8) ? (ushort)0x0302
            : text.SequenceEqual("TLSv10"u8) ? (ushort)0x0301
            : text.SequenceEqual("SSLv3"u8) ? (ushort)0x0300
            : text.SequenceEqual("SSLv2"u8) ? (ushort)0x0002
            : text.SequenceEqual("DTLSv10"u8) ? (ushort)0xFEFF
            : text.SequenceEqual("DTLSv12"u8) ? (ushort)0xFEFD
            : text.SequenceEqual("DTLSv13"u8) ? (ushort)0xFEFC : (ushort)0;
    }
}
