using System.Buffers;

namespace Nfr.Engine;

/// <summary>Cuts a stream's buffers into lines: \n or \r\n, the last one with or without. Blank ones are empty spans. Of one body.</summary>
/// <param name="maxLength">A longer line is skipped to its end, without being kept, and told once.</param>
sealed class LineSplitter(int maxLength)
{
    byte[] _joined = [];
    bool _skipping;

    /// <summary>Whether <see cref="Next"/> has something to say of this buffer. What only goes on with a line that is too long already is taken away here.</summary>
    public bool Comes(ref ReadOnlySequence<byte> buffer, bool last)
    {
        if (last) return !buffer.IsEmpty;
        if (buffer.PositionOf((byte)'\n') is not null) return true;
        if (!_skipping) return buffer.Length > maxLength;
        buffer = buffer.Slice(buffer.End);
        return false;
    }

    /// <summary>The next whole line; false when the buffer has none. What is left in <paramref name="buffer"/> is to come again with more behind it.</summary>
    /// <param name="buffer">Shortened by what was taken.</param>
    /// <param name="last">Nothing comes behind it.</param>
    /// <param name="line">Good until the next call.</param>
    /// <param name="tooLong">There was a line that is too long; <paramref name="line"/> is empty.</param>
    public bool Next(ref ReadOnlySequence<byte> buffer, bool last, out ReadOnlySpan<byte> line, out bool tooLong)
    {
        line = default;
        tooLong = false;
        while (!buffer.IsEmpty)
        {
            ReadOnlySequence<byte> found;
            if (buffer.FirstSpan.IndexOf((byte)'\n') is >= 0 and var at)
            {
                found = buffer.Slice(0, at);
                buffer = buffer.Slice(at + 1);
            }
            else if (!buffer.IsSingleSegment && buffer.PositionOf((byte)'\n') is { } end)
            {
                found = buffer.Slice(0, end);
                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }
            else if (last)
            {
                found = buffer;
                buffer = buffer.Slice(buffer.End);
            }
            else
            {
                if (!_skipping && buffer.Length <= maxLength) return false;
                // The rest of a long line is never gathered.
                tooLong = !_skipping;
                _skipping = true;
                buffer = buffer.Slice(buffer.End);
                return tooLong;
            }
            if (_skipping)
            {
                _skipping = false;
                continue;
            }
            if (found.Length > maxLength)
            {
                tooLong = true;
                return true;
            }
            line = Trim(found.IsSingleSegment ? found.FirstSpan : Join(found));
            return true;
        }
        return false;
    }

    ReadOnlySpan<byte> Join(ReadOnlySequence<byte> parts)
    {
        int length = (int)parts.Length;
        if (_joined.Length < length) _joined = new byte[Math.Min(maxLength, Math.Max(length, 4096))];
        parts.CopyTo(_joined);
        return _joined.AsSpan(0, length);
    }

    static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> line) => line.Trim(" \t\r"u8);
}
