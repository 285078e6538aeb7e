using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 8446 4.1.3, RFC 5246 7.4.1.3. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct TlsServerHello
{
    const int FixedLength = 34, MaxSessionIdLength = 32;

    readonly ReadOnlySpan<byte> _fixed, _sessionId, _afterSessionId, _extensions, _alpn;

    TlsServerHello(ReadOnlySpan<byte> start, ReadOnlySpan<byte> sessionId, ReadOnlySpan<byte> afterSessionId, ReadOnlySpan<byte> extensions)
    {
        _fixed = start;
        _sessionId = sessionId;
        _afterSessionId = afterSessionId;
        _extensions = extensions;
        Version = LegacyVersion;
        TlsExtensions walk = Extensions;
        while (walk.MoveNext())
        {
            if (walk.Type == TlsExtensionType.SupportedVersions && walk.Data.Length == 2) Version = BinaryPrimitives.ReadUInt16BigEndian(walk.Data);
            else if (walk.Type == TlsExtensionType.PreSharedKey) HasPreSharedKey = true;
            else if (walk.Type == TlsExtensionType.ApplicationLayerProtocolNegotiation) _alpn = TlsExtensions.Vector16(walk.Data);
        }
    }

    public ushort LegacyVersion => BinaryPrimitives.ReadUInt16BigEndian(_fixed);
    public ReadOnlySpan<byte> Random => _fixed[2..];
    public ReadOnlySpan<byte> SessionId => _sessionId;
    public ushort CipherSuite => BinaryPrimitives.ReadUInt16BigEndian(_afterSessionId);
    /// <summary>0 in what has none (drafts of TLS 1.3).</summary>
    public byte CompressionMethod => _afterSessionId.Length > 2 ? _afterSessionId[2] : (byte)0;
    public TlsExtensions Extensions => new(_extensions);

    /// <summary>The version chosen: supported_versions (RFC 8446 4.2.1), without it <see cref="LegacyVersion"/>.</summary>
    public ushort Version { get; }

    /// <summary>RFC 8446 4.2.11: the server took up a key of an earlier session (or one agreed on elsewhere).</summary>
    public bool HasPreSharedKey { get; }

    /// <summary>The protocol chosen (RFC 7301); empty in TLS 1.3, which encrypts it.</summary>
    public ReadOnlySpan<byte> Alpn
    {
        get
        {
            var names = new TlsProtocolNames(_alpn);
            return names.MoveNext() ? names.Current : default;
        }
    }

    /// <summary>RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest" in the place of the random; the real ServerHello is still to come.</summary>
    public bool IsHelloRetryRequest => Random.SequenceEqual(HelloRetryRequestRandom);

    static ReadOnlySpan<byte> HelloRetryRequestRandom =>
    [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];

    /// <summary>Reads a ServerHello without its handshake header.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> body, out TlsServerHello hello)
    {
        hello = default;
        if (body.Length <= FixedLength) return DecodeFault.TlsHelloTruncated;
        // The drafts of TLS 1.3 up to 21 (version 0x7F..) had neither session id nor compression method here.
        if (body[0] == 0x7F) return TryReadDraft(body, out hello);
        int sessionId = body[FixedLength];
        // Cipher suite and compression method follow.
        int afterSessionId = FixedLength + 1 + sessionId;
        if (sessionId > MaxSessionIdLength || body.Length - afterSessionId < 3) return DecodeFault.TlsHelloTruncated;
        DecodeFault fault = TlsExtensions.TryReadBlock(body[(afterSessionId + 3)..], out ReadOnlySpan<byte> extensions);
        if (fault != DecodeFault.None) return fault;
        hello = new TlsServerHello(body[..FixedLength], body.Slice(FixedLength + 1, sessionId), body.Slice(afterSessionId, 3), extensions);
        return DecodeFault.None;
    }

    static DecodeFault TryReadDraft(ReadOnlySpan<byte> body, out TlsServerHello hello)
    {
        hello = default;
        const int CipherSuiteLength = 2;
        if (body.Length < FixedLength + CipherSuiteLength) return DecodeFault.TlsHelloTruncated;
        DecodeFault fault = TlsExtensions.TryReadBlock(body[(FixedLength + CipherSuiteLength)..], out ReadOnlySpan<byte> extensions);
        if (fault != DecodeFault.None) return fault;
        hello = new TlsServerHello(body[..FixedLength], default, body.Slice(FixedLength, CipherSuiteLength), extensions);
        return DecodeFault.None;
    }
}
