using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 9113 4.1. Every getter is safe once <see cref="TryRead"/> has said true.</summary>
public readonly ref struct Http2FrameHeader
{
    public const int HeaderLength = 9;
    public const byte Data = 0;
    const byte Padded = 8;

    readonly ReadOnlySpan<byte> _bytes;

    Http2FrameHeader(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>RFC 9113 3.4: what a client sends first.</summary>
    public static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    /// <summary>Bytes of the payload that follows.</summary>
    public int Length => (_bytes[0] << 16) | BinaryPrimitives.ReadUInt16BigEndian(_bytes[1..]);
    public byte Type => _bytes[3];
    public bool IsPadded => (_bytes[4] & Padded) != 0;

    /// <summary>The content of a DATA frame (RFC 9113 6.1): <paramref name="payload"/> without its padding; empty when that is more than there is.</summary>
    public ReadOnlySpan<byte> Content(ReadOnlySpan<byte> payload)
    {
        if (!IsPadded) return payload;
        if (payload.IsEmpty || payload[0] >= payload.Length) return default;
        return payload[1..^payload[0]];
    }

    /// <summary>False while fewer than nine bytes are there.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Http2FrameHeader header)
    {
        header = bytes.Length < HeaderLength ? default : new Http2FrameHeader(bytes[..HeaderLength]);
        return bytes.Length >= HeaderLength;
    }
}
