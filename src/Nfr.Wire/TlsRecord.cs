using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>ContentType, RFC 8446 B.1 and RFC 6520.</summary>
public enum TlsContentType : byte
{
    ChangeCipherSpec = 20,
    Alert = 21,
    Handshake = 22,
    ApplicationData = 23,
    Heartbeat = 24,
}

/// <summary>RFC 8446 5.1, RFC 5246 6.2.1: one record, whose fragment may not have come whole yet.</summary>
public readonly ref struct TlsRecord
{
    public const int HeaderLength = 5;

    /// <summary>2^14 and the 2048 bytes of expansion that RFC 5246 6.2.3 allows; TLS 1.3 allows less.</summary>
    public const int MaxFragmentLength = (1 << 14) + 2048;

    readonly ReadOnlySpan<byte> _bytes;
    TlsRecord(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public TlsContentType ContentType => (TlsContentType)_bytes[0];
    /// <summary>legacy_record_version: 0x0300 to 0x0304, saying little.</summary>
    public ushort Version => BinaryPrimitives.ReadUInt16BigEndian(_bytes[1..]);
    /// <summary>Bytes of the fragment as the header has it.</summary>
    public int Length => BinaryPrimitives.ReadUInt16BigEndian(_bytes[3..]);
    /// <summary>What is there of the fragment.</summary>
    public ReadOnlySpan<byte> Fragment => _bytes[HeaderLength..];
    public bool IsWhole => Fragment.Length == Length;

    /// <summary>
    /// Complete when the header is there, whatever there is of the fragment; then the next record begins HeaderLength +
    /// <see cref="Length"/> bytes on. Bytes that cannot become a header are refused as soon as they show it.
    /// </summary>
    public static ReadState TryRead(ReadOnlySpan<byte> bytes, out TlsRecord record, out DecodeFault fault)
    {
        record = default;
        fault = DecodeFault.None;
        if (bytes.Length > 0 && bytes[0] is < 20 or > 24) fault = DecodeFault.TlsRecordTypeUnknown;
        else if ((bytes.Length > 1 && bytes[1] != 3) || (bytes.Length > 2 && bytes[2] > 4)) fault = DecodeFault.TlsRecordVersionUnknown;
        if (fault != DecodeFault.None) return ReadState.Invalid;
        if (bytes.Length < HeaderLength) return ReadState.NeedMore;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        if (length > MaxFragmentLength)
        {
            fault = DecodeFault.TlsRecordTooLong;
            return ReadState.Invalid;
        }
        record = new TlsRecord(bytes[..Math.Min(bytes.Length, HeaderLength + length)]);
        return ReadState.Complete;
    }

    /// <summary>Whether the first bytes of a stream open a TLS handshake: a handshake record that begins with a hello of either side.</summary>
    public static bool LooksLikeHandshake(ReadOnlySpan<byte> bytes)
    {
        if (TryRead(bytes, out TlsRecord record, out _) != ReadState.Complete) return false;
        if (record.ContentType != TlsContentType.Handshake || record.Length == 0) return false;
        return record.Fragment.IsEmpty || record.Fragment[0] is (byte)TlsHandshakeType.ClientHello or (byte)TlsHandshakeType.ServerHello;
    }

    /// <summary>
    /// RFC 5246 E.2: a ClientHello in SSL 2.0's framing, which very old clients open with. It has no extensions, and no fingerprint.
    /// </summary>
    public static bool LooksLikeSslV2Hello(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 11 || (bytes[0] & 0x80) == 0 || bytes[2] != 1) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(bytes) & 0x7FFF;
        int version = BinaryPrimitives.ReadUInt16BigEndian(bytes[3..]);
        int cipherSpecs = BinaryPrimitives.ReadUInt16BigEndian(bytes[5..]);
        int sessionId = BinaryPrimitives.ReadUInt16BigEndian(bytes[7..]);
        int challenge = BinaryPrimitives.ReadUInt16BigEndian(bytes[9..]);
        return version is 2 or (>= 0x0300 and <= 0x0303) && cipherSpecs > 0 && cipherSpecs % 3 == 0
            && challenge is >= 16 and <= 32 && length == 9 + cipherSpecs + sessionId + challenge;
    }
}
