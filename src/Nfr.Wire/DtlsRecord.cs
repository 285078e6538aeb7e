using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>
/// RFC 6347 4.1, RFC 9147 4: one DTLS record in the clear (epoch 0). Encrypted ones have a later epoch, and in DTLS 1.3 another header. Every getter
/// is safe once <see cref="TryNext"/> has said true.
/// </summary>
public readonly ref struct DtlsRecord
{
    public const int HeaderLength = 13;

    /// <summary>DTLS 1.0 and 1.2; 1.3 shows itself as 1.2.</summary>
    const ushort Version10 = 0xFEFF, Version12 = 0xFEFD;

    /// <summary>What OpenSSL wrote before DTLS was a standard, and AnyConnect still does.</summary>
    const ushort VersionBeforeStandard = 0x0100;

    /// <summary>RFC 9147 7: acknowledges handshake records, in the clear those of the hellos.</summary>
    const byte Acknowledgment = 26;

    readonly ReadOnlySpan<byte> _bytes;
    DtlsRecord(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public TlsContentType ContentType => (TlsContentType)_bytes[0];
    public ushort Version => BinaryPrimitives.ReadUInt16BigEndian(_bytes[1..]);
    /// <summary>0 until ChangeCipherSpec.</summary>
    public ushort Epoch => BinaryPrimitives.ReadUInt16BigEndian(_bytes[3..]);
    public ReadOnlySpan<byte> Fragment => _bytes[HeaderLength..];

    /// <summary>Takes the record at the front of a datagram; false at its end, and at bytes that are no whole record.</summary>
    public static bool TryNext(scoped ref ReadOnlySpan<byte> datagram, out DtlsRecord record)
    {
        record = default;
        if (datagram.Length < HeaderLength || datagram[0] is not (>= 20 and <= 24 or Acknowledgment)) return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[1..]) is not (Version10 or Version12 or VersionBeforeStandard)) return false;
        int end = HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(datagram[11..]);
        if (datagram.Length < end) return false;
        record = new DtlsRecord(datagram[..end]);
        datagram = datagram[end..];
        return true;
    }

    /// <summary>Whether a datagram begins with a handshake message in the clear that either side opens with: a hello, or a request to verify one.</summary>
    public static bool LooksLikeHandshake(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < HeaderLength + DtlsHandshake.HeaderLength || datagram[0] != (byte)TlsContentType.Handshake) return false;
        return TryNext(ref datagram, out DtlsRecord record) && record.Epoch == 0 && record.Fragment.Length >= DtlsHandshake.HeaderLength
            && record.Fragment[0] is (byte)TlsHandshakeType.ClientHello or (byte)TlsHandshakeType.ServerHello or (byte)TlsHandshakeType.HelloVerifyRequest;
    }
}

/// <summary>RFC 6347 4.2.2: a handshake message, or a fragment of one. Every getter is safe once <see cref="TryNext"/> has said true.</summary>
public readonly ref struct DtlsHandshake
{
    public const int HeaderLength = 12;

    readonly ReadOnlySpan<byte> _bytes;
    DtlsHandshake(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public TlsHandshakeType Type => (TlsHandshakeType)_bytes[0];
    /// <summary>Bytes of the whole message.</summary>
    public int Length => Read24(_bytes[1..]);
    /// <summary>message_seq: a message sent again keeps it.</summary>
    public ushort Sequence => BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]);
    /// <summary>Where in the message <see cref="Fragment"/> lies; its end is not past <see cref="Length"/>.</summary>
    public int FragmentOffset => Read24(_bytes[6..]);
    public ReadOnlySpan<byte> Fragment => _bytes[HeaderLength..];
    public bool IsWhole => Fragment.Length == Length;

    /// <summary>Takes the fragment at the front of a record's content; false at its end, and at bytes that are no whole fragment.</summary>
    public static bool TryNext(scoped ref ReadOnlySpan<byte> content, out DtlsHandshake handshake)
    {
        handshake = default;
        if (content.Length < HeaderLength) return false;
        int length = Read24(content[1..]), offset = Read24(content[6..]), fragment = Read24(content[9..]);
        if (offset + fragment > length || content.Length - HeaderLength < fragment) return false;
        handshake = new DtlsHandshake(content[..(HeaderLength + fragment)]);
        content = content[(HeaderLength + fragment)..];
        return true;
    }

    static int Read24(ReadOnlySpan<byte> bytes) => (bytes[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(bytes[1..]);
}
