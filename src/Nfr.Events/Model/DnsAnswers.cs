using System.Buffers.Binary;

namespace Nfr.Events;

/// <summary>
/// Packs answers into a caller's buffer: per record type (u16), TTL (u32), text length (u16), text (UTF-8), all big-endian. What does
/// not fit is left out and <see cref="Truncated"/> says so.
/// </summary>
public ref struct DnsAnswerWriter(Span<byte> buffer)
{
    const int Head = 8;
    readonly Span<byte> _buffer = buffer;
    int _length;

    public bool Truncated { get; private set; }
    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    /// <summary>Where the caller may format the next record's text before <see cref="Commit"/>; empty when the buffer is full.</summary>
    public readonly Span<byte> TextSpace => _length + Head < _buffer.Length ? _buffer[(_length + Head)..] : default;

    public void Commit(ushort type, uint timeToLive, int textLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[_length..], type);
        BinaryPrimitives.WriteUInt32BigEndian(_buffer[(_length + 2)..], timeToLive);
        BinaryPrimitives.WriteUInt16BigEndian(_buffer[(_length + 6)..], (ushort)textLength);
        _length += Head + textLength;
    }

    public void Truncate() => Truncated = true;
}

/// <summary>Walks what <see cref="DnsAnswerWriter"/> packed.</summary>
public ref struct DnsAnswerReader(ReadOnlySpan<byte> packed)
{
    ReadOnlySpan<byte> _rest = packed;

    public ushort Type { get; private set; }
    public uint TimeToLive { get; private set; }
    public ReadOnlySpan<byte> Text { get; private set; }

    public bool MoveNext()
    {
        if (_rest.Length < 8) return false;
        int length = BinaryPrimitives.ReadUInt16BigEndian(_rest[6..]);
        if (_rest.Length < 8 + length) return false;
        Type = BinaryPrimitives.ReadUInt16BigEndian(_rest);
        TimeToLive = BinaryPrimitives.ReadUInt32BigEndian(_rest[2..]);
        Text = _rest.Slice(8, length);
        _rest = _rest[(8 + length)..];
        return true;
    }
}
