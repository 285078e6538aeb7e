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

    public const long NoTime = long.MinValue;
}
