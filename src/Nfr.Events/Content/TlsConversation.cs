using System.Globalization;
using Nfr.Wire;

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
    public long Timestamp;
    public long Tick;
    public bool HasClientHello;
    public bool HasServerHello;
    public bool HasRetryRequest;
    public bool HasCertificate;
    public bool ClientDone;
    public bool HasJa3;
    public bool HasJa3s;
    public bool HasJa4;
    /// <summary>The connection began in the clear.</summary>
    public bool Upgraded;

    public static TlsState New() => new() { Texts = BufferPool.None, ValidFrom = TlsEvent.NoTime, ValidTo = TlsEvent.NoTime };
}

/// <summary>
/// TLS (RFC 8446, RFC 5246): reads ClientHello, ServerHello and, up to TLS 1.2, the server's Certificate, then emits one event. A second hello
/// after a HelloRetryRequest belongs to the same handshake.
/// </summary>
sealed class TlsConversation<TSink>(Emitter<TSink> emitter, BufferPool buffers, long[] faults)
    where TSink : struct, IEventSink
{
    // Places in the buffer of texts, 2 KiB.
    const int Sni = 0, Alpn = 256, Issuer = 320, Subject = 960, Ja3At = 1600, Ja3sAt = 1632, Ja4At = 1664, HashAt = 1704, TextsLength = 1744;
    const int NameLength = 640;

    readonly byte[] _scratch = new byte[BufferPool.MaximumSize];

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

    public int OnServerBytes(Conversation c, ReadOnlySpan<byte> bytes)
    {
        ref TlsState s = ref c.Tls;
        if (s.Timestamp == 0) (s.Timestamp, s.Tick) = (c.Timestamp, c.Tick);
        // After a HelloRetryRequest a middlebox-compatible server sends ChangeCipherSpec (RFC 8446 D.4), then its real hello.
        if (s.HasRetryRequest && !s.HasServerHello && bytes[0] == (byte)TlsContentType.ChangeCipherSpec)
        {
            if (TlsRecord.TryRead(bytes, out TlsRecord record, out _) != ReadState.Complete || !record.IsWhole) return 0;
            return TlsRecord.HeaderLength + record.Length;
        }
        var reader = new TlsHandshakeReader(bytes, _scratch);
        while (true)
        {
            switch (reader.MoveNext())
            {
                case ReadState.NeedMore:
                    return 0;
                case ReadState.Complete:
                    if (reader.Type == TlsHandshakeType.ServerHello && !s.HasServerHello)
                    {
                        OnServerHello(c, reader.Body, out bool retry);
                        if (retry)
                        {
                            // The retry stands alone in its record; what follows is looked at afresh.
                            return TlsRecord.TryRead(bytes, out TlsRecord own, out _) == ReadState.Complete && own.IsWhole ? TlsRecord.HeaderLength + own.Length : 0;
                        }
                        if (s.Version >= 0x0304) break;
                        continue;
                    }
                    if (reader.Type == TlsHandshakeType.Certificate && s.HasServerHello) OnCertificate(ref s, reader.Body);
                    if (reader.Type is TlsHandshakeType.ServerHello or TlsHandshakeType.HelloRequest) continue;
                    // Certificate done, or a message that comes after where it would have been.
                    break;
                case ReadState.Invalid:
                    faults[(int)reader.Fault]++;
                    break;
            }
            Finish(c);
            return bytes.Length;
        }
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
        DecodeFault fault = TlsClientHello.TryRead(body, out TlsClientHello hello);
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
        s.HasJa3 = Ja3.TryWrite(hello, texts.Slice(Ja3At, Ja3.HashLength));
        s.HasJa4 = Ja4.TryWrite(hello, transport, texts.Slice(Ja4At, Ja4.Length));
        if (!s.HasServerHello) s.Version = hello.HighestVersion;
        if (s.HasJa3 && UInt128.TryParse(texts.Slice(Ja3At, Ja3.HashLength), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out UInt128 ja3))
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
        s.HasJa3s = Ja3.TryWrite(hello, texts.Slice(Ja3sAt, Ja3.HashLength));
        if (hello.IsHelloRetryRequest && !s.HasRetryRequest)
        {
            s.HasRetryRequest = true;
            retry = true;
            return;
        }
        s.HasServerHello = true;
    }

    void OnCertificate(ref TlsState s, ReadOnlySpan<byte> body)
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
        leaf.WriteSha1(texts.Slice(HashAt, X509Leaf.HashLength));
        s.IssuerLength = (ushort)leaf.WriteIssuer(texts.Slice(Issuer, NameLength));
        s.SubjectLength = (ushort)leaf.WriteSubject(texts.Slice(Subject, NameLength));
        s.ValidFrom = leaf.NotBefore;
        s.ValidTo = leaf.NotAfter;
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
            Notes = s.Upgraded ? TlsNotes.Upgraded : TlsNotes.None,
        });
    }
}
