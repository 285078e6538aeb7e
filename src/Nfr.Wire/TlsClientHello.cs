using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 8446 4.1.2, RFC 5246 7.4.1.2, and RFC 6347 4.2.1 for DTLS. Every getter is safe once <see cref="TryRead"/> has said None; an
/// extension that is absent gives an empty value. Of an extension sent twice the last counts.
/// </summary>
public readonly ref struct TlsClientHello
{
    // Version and random; then one length byte before each of session id (and cookie), and compression methods, two before cipher suites.
    const int FixedLength = 34, MaxSessionIdLength = 32;

    readonly ReadOnlySpan<byte> _fixed, _sessionId, _cipherSuites, _compressionMethods, _extensions;
    readonly ReadOnlySpan<byte> _serverName, _alpn, _versions, _groups, _pointFormats, _signatureAlgorithms;

    TlsClientHello(
        ReadOnlySpan<byte> start, ReadOnlySpan<byte> sessionId, ReadOnlySpan<byte> cipherSuites, ReadOnlySpan<byte> compressionMethods,
        ReadOnlySpan<byte> extensions)
    {
        _fixed = start;
        _sessionId = sessionId;
        _cipherSuites = cipherSuites;
        _compressionMethods = compressionMethods;
        _extensions = extensions;
        TlsExtensions walk = Extensions;
        while (walk.MoveNext())
        {
            switch (walk.Type)
            {
                case TlsExtensionType.ServerName:
                    HasServerName = true;
                    _serverName = ReadHostName(walk.Data);
                    break;
                case TlsExtensionType.ApplicationLayerProtocolNegotiation: _alpn = TlsExtensions.Vector16(walk.Data); break;
                case TlsExtensionType.SupportedVersions: _versions = TlsExtensions.Vector8(walk.Data); break;
                case TlsExtensionType.SupportedGroups: _groups = TlsExtensions.Vector16(walk.Data); break;
                case TlsExtensionType.EcPointFormats: _pointFormats = TlsExtensions.Vector8(walk.Data); break;
                case TlsExtensionType.EncryptedClientHello: HasEncryptedClientHello = true; break;
                case TlsExtensionType.SignatureAlgorithms: _signatureAlgorithms = TlsExtensions.Vector16(walk.Data); break;
            }
        }
    }

    public ushort LegacyVersion => BinaryPrimitives.ReadUInt16BigEndian(_fixed);
    public ReadOnlySpan<byte> Random => _fixed[2..];
    public ReadOnlySpan<byte> SessionId => _sessionId;
    public TlsValues CipherSuites => new(_cipherSuites);
    public ReadOnlySpan<byte> CompressionMethods => _compressionMethods;
    public TlsExtensions Extensions => new(_extensions);
    public bool HasServerName { get; }
    /// <summary>RFC 6066 3: the first host_name, its bytes as sent.</summary>
    public ReadOnlySpan<byte> ServerName => _serverName;
    /// <summary>RFC 9849: an inner hello is hidden in this one, or a client without a key for it pretends so (GREASE): nobody else can tell which.</summary>
    public bool HasEncryptedClientHello { get; }
    public TlsProtocolNames Alpn => new(_alpn);
    /// <summary>The client's most wanted protocol, such as "h2".</summary>
    public ReadOnlySpan<byte> FirstAlpn
    {
        get
        {
            TlsProtocolNames names = Alpn;
            return names.MoveNext() ? names.Current : default;
        }
    }
    public TlsValues SupportedVersions => new(_versions);
    public TlsValues SupportedGroups => new(_groups);
    public ReadOnlySpan<byte> EcPointFormats => _pointFormats;
    public TlsValues SignatureAlgorithms => new(_signatureAlgorithms);

    /// <summary>
    /// The newest of supported_versions that is not GREASE (RFC 8446 4.2.1), without one <see cref="LegacyVersion"/>. DTLS counts down:
    /// 0xFEFF is 1.0, 0xFEFC is 1.3 (RFC 9147 5.3).
    /// </summary>
    public ushort HighestVersion
    {
        get
        {
            ushort highest = 0;
            bool down = LegacyVersion >> 8 == 0xFE;
            TlsValues versions = SupportedVersions;
            for (int i = 0; i < versions.Count; i++)
            {
                ushort version = versions[i];
                if (Grease.Is(version) || (down && version >> 8 != 0xFE)) continue;
                if (highest == 0 || (down ? version < highest : version > highest)) highest = version;
            }
            return highest == 0 ? LegacyVersion : highest;
        }
    }

    /// <summary>
    /// Reads a ClientHello without its handshake header. <paramref name="datagram"/>: DTLS, which has a cookie after the session id.
    /// </summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> body, out TlsClientHello hello, bool datagram = false)
    {
        hello = default;
        if (body.Length < FixedLength) return DecodeFault.TlsHelloTruncated;
        ReadOnlySpan<byte> rest = body[FixedLength..];
        if (!TryTake(ref rest, 1, out ReadOnlySpan<byte> sessionId)) return DecodeFault.TlsHelloTruncated;
        // A longer one breaks the protocol, and is how bytes that are no hello show.
        if (sessionId.Length > MaxSessionIdLength) return DecodeFault.TlsHelloTruncated;
        if (datagram && !TryTake(ref rest, 1, out _)) return DecodeFault.TlsHelloTruncated;
        if (!TryTake(ref rest, 2, out ReadOnlySpan<byte> cipherSuites)) return DecodeFault.TlsHelloTruncated;
        if (!TryTake(ref rest, 1, out ReadOnlySpan<byte> compressionMethods)) return DecodeFault.TlsHelloTruncated;
        DecodeFault fault = TlsExtensions.TryReadBlock(rest, out ReadOnlySpan<byte> extensions);
        if (fault != DecodeFault.None) return fault;
        hello = new TlsClientHello(body[..FixedLength], sessionId, cipherSuites, compressionMethods, extensions);
        return DecodeFault.None;
    }

    static bool TryTake(scoped ref ReadOnlySpan<byte> rest, int lengthBytes, out ReadOnlySpan<byte> vector)
    {
        vector = default;
        if (rest.Length < lengthBytes) return false;
        int length = lengthBytes == 1 ? rest[0] : BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length - lengthBytes < length) return false;
        vector = rest.Slice(lengthBytes, length);
        rest = rest[(lengthBytes + length)..];
        return true;
    }

    /// <summary>ServerNameList: its own length is not trusted, since some clients get it wrong and the entries stand on their own.</summary>
    static ReadOnlySpan<byte> ReadHostName(ReadOnlySpan<byte> data)
    {
        if (data.Length < 2) return default;
        ReadOnlySpan<byte> rest = data[2..];
        while (rest.Length >= 3)
        {
            int length = BinaryPrimitives.ReadUInt16BigEndian(rest[1..]);
            if (rest.Length - 3 < length) return default;
            if (rest[0] == 0) return rest.Slice(3, length);
            rest = rest[(3 + length)..];
        }
        return default;
    }
}
