using System.Globalization;
using Nfr.Wire;
using Nfr.Wire.Digests;

namespace Nfr.Events;

/// <summary>What is known of a handshake so far; its texts lie at fixed places of one rented buffer.</summary>
struct TlsState
{
    public int Texts;
    public ushort Version;
    public long ValidFrom;
    public long ValidTo;
    public byte SniLength;
    public byte AlpnLength;
    public ushort IssuerLength;
    public ushort SubjectLength;
    public byte ServerAlpnLength;
    public ushort SanLength;
    public TlsNotes Notes;
    public long Timestamp;
    public long Tick;
    public bool HasClientHello;
    public bool HasServerHello;
    public bool HasRetryRequest;
    public bool HasCertificate;
    /// <summary>A Certificate or key exchange of the server was seen: the handshake is a full one.</summary>
    public bool ServerProves;
    public bool ClientDone;
    public bool HasJa3;
    public bool HasJa3s;
    public bool HasJa4;
    /// <summary>The connection began in the clear.</summary>

    public static TlsState New() => new() { Texts = BufferPool.None, ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
}

/// <summary>
/// TLS (RFC 8446, RFC 5246): reads ClientHello, ServerHello and, up to TLS 1.2, the server's Certificate, then emits one event. A second hello
/// after a HelloRetryRequest belongs to the same handshake.
/// </summary>
sealed class TlsConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    // Places in the buffer of texts, 2 KiB; more DNS names than its end holds move it to the next size.
    const int Sni = 0, Alpn = 256, Issuer = 320, Subject = 960, Ja3At = 1600, Ja3sAt = 1632, Ja4At = 1664, HashAt = 1704, ServerAlpn = 1744, San = 1808;
    const int TextsLength = 2048, NameLength = 640;

    /// <summary>DNS names of a certificate, bytes; those that do not fit are left out.</summary>
    const int SanLimit = 1024;

    readonly byte[] _scratch = new byte[BufferPool.MaximumSize];

    /// <summary>A network has a few hundred kinds of clients and servers: 139 KiB.</summary>
    readonly RecentDigests _lists = new(slots: 256, longest: 512);

    /// <summary>And calls the same services over and over: 130 KiB.</summary>
    readonly RecentDigests _certificates = new(slots: 64, longest: 2048);

    /// <summary>Consumes nothing until the hello is whole (the handshake is walked again as it grows), then everything.</summary>
    public int OnClientBytes(Conversation c, ReadOnlySpan<byte> bytes)
    {
        ref TlsState s = ref c.Tls;
        if (s.ClientDone) return bytes.Length;
        if (s.Timestamp == 0) (s.Timestamp, s.Tick) = (c.Timestamp, c.Tick);
        if (bytes[0] != (byte)TlsContentType.Handshake)
        {
            // SSLv2 framing has no fingerprint and no name; the server's side still tells.
            s.ClientDone = true;
            return bytes.Length;
        }
        var reader = new TlsHandshakeReader(bytes, _scratch);
        switch (reader.MoveNext())
        {
            case ReadState.Complete when reader.Type == TlsHandshakeType.ClientHello:
                OnClientHello(c, reader.Body, Ja4Transport.Tcp);
                s.ClientDone = true;
                return bytes.Length;
            case ReadState.NeedMore:
                return 0;
            case ReadState.Invalid:
                faults[(int)reader.Fault]++;
                break;
        }
        s.ClientDone = true;
        return bytes.Length;
    }

    /// <summary>Consumes whole records whose messages are whole, and waits for more within others.</summary>
    public int OnServerBytes(Conversation c, ReadOnlySpan<byte> bytes)
    {
        ref TlsState s = ref c.Tls;
        if (s.Timestamp == 0) (s.Timestamp, s.Tick) = (c.Timestamp, c.Tick);
        if (bytes[0] == (byte)TlsContentType.ChangeCipherSpec && (s.HasRetryRequest || s.HasServerHello))
        {
            // After a HelloRetryRequest a middlebox-compatible server sends ChangeCipherSpec (RFC 8446 D.4), then its real hello.
            if (!s.HasServerHello) return TlsRecord.TryRead(bytes, out TlsRecord record, out _) == ReadState.Complete && record.IsWhole ? TlsRecord.HeaderLength + record.Length : 0;
            OnServerChangesCipher(ref s);
            Finish(c);
            return bytes.Length;
        }
        var reader = new TlsHandshakeReader(bytes, _scratch);
        while (true)
        {
            switch (reader.MoveNext())
            {
                case ReadState.NeedMore:
                    return 0;
                case ReadState.Complete:
                    if (!OnServerMessage(c, reader.Type, reader.Body)) break;
                    if (reader.ConsumedRecords > 0) return reader.ConsumedRecords;
                    continue;
                case ReadState.Invalid:
                    faults[(int)reader.Fault]++;
                    break;
            }
            Finish(c);
            return bytes.Length;
        }
    }

    /// <summary>A message of the server, in the clear; false when nothing that follows is wanted.</summary>
    /// <remarks>A message may come twice, when the record that it shares with the next was not whole.</remarks>
    public bool OnServerMessage(Conversation c, TlsHandshakeType type, ReadOnlySpan<byte> body)
    {
        ref TlsState s = ref c.Tls;
        switch (type)
        {
            case TlsHandshakeType.ServerHello:
                if (s.HasServerHello) return true;
                OnServerHello(c, body, out bool retry);
                // From TLS 1.3 on, and DTLS 1.3, the rest is encrypted.
                return retry || s.Version is not (>= 0x0304 and < 0xFE00 or 0xFEFC);
            case TlsHandshakeType.Certificate:
                if (s.HasServerHello && !s.HasCertificate) OnCertificate(c, ref s, body);
                s.ServerProves = true;
                return s.HasServerHello;
            case TlsHandshakeType.CertificateRequest:
                s.Notes |= TlsNotes.ClientCertificateRequested;
                return true;
            case TlsHandshakeType.HelloRequest or TlsHandshakeType.NewSessionTicket or TlsHandshakeType.CertificateStatus or TlsHandshakeType.ServerKeyExchange:
                s.ServerProves |= type == TlsHandshakeType.ServerKeyExchange;
                return true;
            default:
                return false;
        }
    }

    /// <summary>RFC 5246 7.3, RFC 5077 3.1: a server that goes on to encrypt right after its hello, or a ticket, has taken up an earlier session.</summary>
    public static void OnServerChangesCipher(ref TlsState s)
    {
        if (s.HasServerHello && !s.ServerProves) s.Notes |= TlsNotes.Resumed;
    }

    /// <summary>Emits what is known; the conversation is done.</summary>
    public void Finish(Conversation c)
    {
        ref TlsState s = ref c.Tls;
        c.Kind = ConversationKind.Done;
        if (s.HasClientHello || s.HasServerHello || s.HasRetryRequest) Emit(c);
        buffers.Return(ref s.Texts);
    }

    public void OnClientHello(Conversation c, ReadOnlySpan<byte> body, Ja4Transport transport)
    {
        ref TlsState s = ref c.Tls;
        DecodeFault fault = TlsClientHello.TryRead(body, out TlsClientHello hello, transport == Ja4Transport.Dtls);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        if (!TryTexts(ref s, out Span<byte> texts)) return;
        s.HasClientHello = true;
        ReadOnlySpan<byte> sni = hello.ServerName;
        if (sni.Length > 255) sni = sni[..255];
        sni.CopyTo(texts[Sni..]);
        s.SniLength = (byte)sni.Length;
        ReadOnlySpan<byte> alpn = hello.FirstAlpn;
        if (alpn.Length > 64) alpn = alpn[..64];
        alpn.CopyTo(texts[Alpn..]);
        s.AlpnLength = (byte)alpn.Length;
        s.HasJa3 = Ja3.TryWrite(hello, texts.Slice(Ja3At, Ja3.HashLength), _lists);
        s.HasJa4 = Ja4.TryWrite(hello, transport, texts.Slice(Ja4At, Ja4.Length), _lists);
        c.App = EncryptedDns.Of(transport == Ja4Transport.Quic ? App.Quic : App.Tls, sni, alpn, c.Context.DestinationPort);
        if (c.App == App.Tls && transport == Ja4Transport.Tcp && TorShapes.IsHello(hello)) c.App = App.Tor;
        if (!s.HasServerHello) s.Version = hello.HighestVersion;
        if (hello.HasEncryptedClientHello) s.Notes |= TlsNotes.EncryptedClientHello;
        if (s.HasJa3 && Hash128.TryParse(texts.Slice(Ja3At, Ja3.HashLength), out Hash128 ja3))
        {
            c.HasJa3 = true;
            c.Ja3 = ja3;
        }
    }

    /// <summary><paramref name="retry"/>: it was a HelloRetryRequest, the real one is still to come.</summary>
    public void OnServerHello(Conversation c, ReadOnlySpan<byte> body, out bool retry)
    {
        ref TlsState s = ref c.Tls;
        retry = false;
        DecodeFault fault = TlsServerHello.TryRead(body, out TlsServerHello hello);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        if (!TryTexts(ref s, out Span<byte> texts)) return;
        s.Version = hello.Version;
        s.HasJa3s = Ja3.TryWrite(hello, texts.Slice(Ja3sAt, Ja3.HashLength), _lists);
        if (hello.IsHelloRetryRequest)
        {
            s.HasRetryRequest = true;
            s.Notes |= TlsNotes.Retried;
            retry = true;
            return;
        }
        s.HasServerHello = true;
        if (hello.HasPreSharedKey) s.Notes |= TlsNotes.Resumed;
        ReadOnlySpan<byte> alpn = hello.Alpn;
        if (alpn.Length > San - ServerAlpn) alpn = alpn[..(San - ServerAlpn)];
        alpn.CopyTo(texts[ServerAlpn..]);
        s.ServerAlpnLength = (byte)alpn.Length;
    }

    void OnCertificate(Conversation c, ref TlsState s, ReadOnlySpan<byte> body)
    {
        DecodeFault fault = TlsCertificateMessage.TryRead(body, out TlsCertificateMessage message);
        if (fault == DecodeFault.None && message.Leaf.IsEmpty) return;
        X509Leaf leaf = default;
        if (fault == DecodeFault.None) fault = X509Leaf.TryRead(message.Leaf, out leaf);
        if (fault != DecodeFault.None)
        {
            faults[(int)fault]++;
            return;
        }
        if (!TryTexts(ref s, out Span<byte> texts)) return;
        s.HasCertificate = true;
        leaf.WriteSha1(texts.Slice(HashAt, X509Leaf.HashLength), _certificates);
        s.IssuerLength = (ushort)leaf.WriteIssuer(texts.Slice(Issuer, NameLength));
        s.SubjectLength = (ushort)leaf.WriteSubject(texts.Slice(Subject, NameLength));
        if (c.App == App.Tls && TorShapes.IsCertificate(texts.Slice(Issuer, s.IssuerLength), texts.Slice(Subject, s.SubjectLength))) c.App = App.Tor;
        s.ValidFrom = leaf.NotBefore;
        s.ValidTo = leaf.NotAfter;
        s.SanLength = (ushort)leaf.WriteDnsNames(texts[San..TextsLength], out bool isCut);
        // When no larger buffer is free, the names that fit here must do.
        if (isCut && buffers.TryGrow(ref s.Texts, San + SanLimit, San)) s.SanLength = (ushort)leaf.WriteDnsNames(buffers[s.Texts].Slice(San, SanLimit), out _);
    }

    bool TryTexts(ref TlsState s, out Span<byte> texts)
    {
        texts = default;
        if (!buffers.TryGrow(ref s.Texts, TextsLength, 0))
        {
            faults[(int)DecodeFault.StreamBuffersExhausted]++;
            return false;
        }
        texts = buffers[s.Texts];
        return true;
    }

    void Emit(Conversation c)
    {
        ref TlsState s = ref c.Tls;
        ReadOnlySpan<byte> texts = buffers[s.Texts];
        EventContext context = c.Context;
        context.Timestamp = s.Timestamp;
        context.Tick = s.Tick;
        emitter.Tls(new TlsEvent
        {
            Context = context,
            Sni = texts.Slice(Sni, s.SniLength),
            Alpn = texts.Slice(Alpn, s.AlpnLength),
            Version = s.Version,
            Ja3 = s.HasJa3 ? texts.Slice(Ja3At, Ja3.HashLength) : default,
            Ja3s = s.HasJa3s ? texts.Slice(Ja3sAt, Ja3.HashLength) : default,
            Ja4 = s.HasJa4 ? texts.Slice(Ja4At, Ja4.Length) : default,
            CertificateHash = s.HasCertificate ? texts.Slice(HashAt, X509Leaf.HashLength) : default,
            Issuer = s.HasCertificate ? texts.Slice(Issuer, s.IssuerLength) : default,
            Subject = s.HasCertificate ? texts.Slice(Subject, s.SubjectLength) : default,
            ValidFrom = s.ValidFrom,
            ValidTo = s.ValidTo,
            ServerAlpn = texts.Slice(ServerAlpn, s.ServerAlpnLength),
            SubjectAltNames = texts.Slice(San, s.SanLength),
            Notes = s.Notes,
        });
    }
}
