using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 5246 7.4.2, the form up to TLS 1.2 (TLS 1.3 encrypts its own). Every getter is safe once <see cref="TryRead"/> has said None.
/// </summary>
public readonly ref struct TlsCertificateMessage
{
    TlsCertificateMessage(ReadOnlySpan<byte> list, ReadOnlySpan<byte> leaf)
    {
        CertificateList = list;
        Leaf = leaf;
    }

    /// <summary>All certificates, each after its length of three bytes.</summary>
    public ReadOnlySpan<byte> CertificateList { get; }

    /// <summary>DER of the sender's own certificate, which comes first; empty from a client that has none.</summary>
    public ReadOnlySpan<byte> Leaf { get; }

    /// <summary>Reads a Certificate message without its handshake header.</summary>
    public static DecodeFault TryRead(ReadOnlySpan<byte> body, out TlsCertificateMessage message)
    {
        message = default;
        if (body.Length < 3) return DecodeFault.TlsCertificateTruncated;
        int listLength = ReadLength(body);
        if (listLength > body.Length - 3) return DecodeFault.TlsCertificateTruncated;
        ReadOnlySpan<byte> list = body.Slice(3, listLength);
        if (list.IsEmpty) return DecodeFault.None;
        if (list.Length < 3) return DecodeFault.TlsCertificateTruncated;
        int leafLength = ReadLength(list);
        if (leafLength > list.Length - 3) return DecodeFault.TlsCertificateTruncated;
        message = new TlsCertificateMessage(list, list.Slice(3, leafLength));
        return DecodeFault.None;
    }

    static int ReadLength(ReadOnlySpan<byte> bytes) => (bytes[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
}
