namespace Nfr.Events;

/// <summary>A TLS handshake. Texts are UTF-8, borrowed for the call; empty means not seen.</summary>
public ref struct TlsEvent
{
    public EventContext Context;
    public ReadOnlySpan<byte> Sni;
    /// <summary>The version the server chose (RFC 8446 4.2.1 supported_versions first), else the client's best offer: 0x0304 = TLS 1.3.</summary>
    public ushort Version;
    /// <summary>32 hex digits.</summary>
    public ReadOnlySpan<byte> Ja3;
    public ReadOnlySpan<byte> Ja3s;
    public ReadOnlySpan<byte> Ja4;
    /// <summary>SHA-1 of the leaf certificate's DER, 40 hex digits.</summary>
    public ReadOnlySpan<byte> CertificateHash;
    public ReadOnlySpan<byte> Issuer;
    public ReadOnlySpan<byte> Subject;
    /// <summary>Seconds since 1970 UTC; <see cref="NoTime"/> when no certificate was seen.</summary>
    public long ValidFrom;
    public long ValidTo;
    /// <summary>First ALPN value the client offered.</summary>
    public ReadOnlySpan<byte> Alpn;
    /// <summary>The protocol the server chose, where it says so in the clear (up to TLS 1.2).</summary>
    public ReadOnlySpan<byte> ServerAlpn;
    /// <summary>DNS names of the leaf's subjectAltName (RFC 5280 4.2.1.6), separated by commas; cut at a name's end when they are long.</summary>
    public ReadOnlySpan<byte> SubjectAltNames;
    public TlsNotes Notes;

    public const long NoTime = long.MinValue;
}

/// <summary>What a handshake showed besides names and fingerprints.</summary>
[Flags]
public enum TlsNotes : byte
{
    None = 0,
    /// <summary>An earlier session was taken up again (session ID, ticket or pre-shared key).</summary>
    Resumed = 1,
    /// <summary>The server asked for a second hello (HelloRetryRequest, or DTLS's HelloVerifyRequest).</summary>
    Retried = 2,
    /// <summary>The client's hello has the encrypted_client_hello extension (RFC 9849): the name seen is the outer one, or the extension is a pretence (GREASE); none but the server can tell.</summary>
    EncryptedClientHello = 4,
    /// <summary>The connection began in the clear (STARTTLS, CONNECT, SOCKS).</summary>
    Upgraded = 8,
    /// <summary>The server asked for the client's certificate.</summary>
    ClientCertificateRequested = 16,
}
