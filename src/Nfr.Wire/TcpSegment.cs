using System.Buffers.Binary;

namespace Nfr.Wire;

/// <summary>RFC 9293. Every getter is safe once <see cref="TryRead"/> has said None.</summary>
public readonly ref struct TcpSegment
{
    public const int MinimumHeaderLength = 20;

    readonly ReadOnlySpan<byte> _bytes;
    readonly int _headerLength;

    TcpSegment(ReadOnlySpan<byte> bytes, int headerLength)
    {
        _bytes = bytes;
        _headerLength = headerLength;
    }

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_bytes);
    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_bytes[2..]);
    public uint SequenceNumber => BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);
    public uint AcknowledgmentNumber => BinaryPrimitives.ReadUInt32BigEndian(_bytes[8..]);
    public int HeaderLength => _headerLength;
    public byte Flags => _bytes[13];
    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(_bytes[14..]);
    public ReadOnlySpan<byte> Payload => _bytes[_headerLength..];

    public static DecodeFault TryRead(ReadOnlySpan<byte> bytes, out TcpSegment segment)
    {
        segment = default;
        if (bytes.Length < MinimumHeaderLength) return DecodeFault.TcpHeaderTooShort;
        int headerLength = (bytes[12] >> 4) * 4;
        if (headerLength < MinimumHeaderLength) return DecodeFault.TcpDataOffsetBelowMinimum;
        if (headerLength > bytes.Length) return DecodeFault.TcpDataOffsetBeyondSegment;
        segment = new TcpSegment(bytes, headerLength);
        return DecodeFault.None;
    }
}

/// <summary>The control bits of RFC 9293 (and RFC 3168).</summary>
public static class TcpFlags
{
    public const byte Fin = 1;
    public const byte Syn = 2;
    public const byte Rst = 4;
    public const byte Psh = 8;
    public const byte Ack = 16;
    public const byte Urg = 32;
    public const byte Ece = 64;
    public const byte Cwr = 128;
}
