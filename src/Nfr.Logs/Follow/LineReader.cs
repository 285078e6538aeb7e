namespace Nfr.Logs;

/// <summary>
/// Bytes of a stream → lines, ended by LF or CR LF. Who has a stream fills <see cref="Room"/>, says <see cref="Filled"/> and takes lines until there is
/// none; a half line waits. Nothing is allocated per line. One thread.
/// </summary>
/// <remarks>
/// The buffer is 64 KiB and grows with a long line to 1 MiB and one chunk, where it stays. A line that is longer still is passed over as it comes and
/// told at its end, with its first bytes.
/// </remarks>
public sealed class LineReader
{
    /// <summary>Bytes of one read, at most.</summary>
    public const int ChunkLength = 64 << 10;
    /// <summary>The longest line, without its end.</summary>
    public const int MaximumLength = 1 << 20;
    /// <summary>What is kept of a line that is too long, to show it.</summary>
    const int GlimpseLength = 256;

    byte[] _buffer = new byte[2 * ChunkLength];
    readonly byte[] _glimpse = new byte[GlimpseLength];
    int _glimpseLength;
    int _start;
    int _end;
    /// <summary>There is no LF between start and here.</summary>
    int _scanned;

    /// <summary>Where the line begins that is not given yet.</summary>
    public long Offset { get; private set; }
    /// <summary>Bytes of that line which are passed over already: it is too long.</summary>
    public long Skipped { get; private set; }
    /// <summary>Where in the stream the next bytes to be filled in lie.</summary>
    public long ReadAt => Offset + Skipped + (_end - _start);
    /// <summary>Bytes of a line whose end has not come.</summary>
    public long Half => ReadAt - Offset;
    /// <summary>Where the line given last begins.</summary>
    public long At { get; private set; }
    /// <summary>Bytes of the line given last, with its end.</summary>
    public long Length => Offset - At;

    /// <summary>Goes to a place in a stream: a line's beginning.</summary>
    /// <param name="offset">Of the line.</param>
    /// <param name="skipped">What was passed over of it before.</param>
    public void Begin(long offset, long skipped = 0)
    {
        (Offset, Skipped, At) = (offset, skipped, offset);
        _start = _end = _scanned = 0;
        _glimpseLength = 0;
    }

    /// <summary>Where to put what comes at <see cref="ReadAt"/>: 1 to 64 KiB.</summary>
    public Span<byte> Room()
    {
        if (_start == _end) _start = _end = _scanned = 0;
        if (_buffer.Length - _end < ChunkLength && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _scanned -= _start;
            _start = 0;
        }
        if (_buffer.Length - _end < ChunkLength) Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, MaximumLength + (2 * ChunkLength)));
        return _buffer.AsSpan(_end, ChunkLength);
    }

    /// <summary>So many bytes were put there.</summary>
    public void Filled(int count) => _end += count;

    /// <summary>What was filled in and not given yet.</summary>
    public ReadOnlySpan<byte> Waiting => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Leaves out bytes at the beginning of what waits, as no line.</summary>
    public void Pass(int count)
    {
        _start += count;
        _scanned = Math.Max(_scanned, _start);
        Offset += count;
    }

    /// <summary>The next whole line; None when more bytes are needed for one.</summary>
    /// <param name="line">Without its end; of one that is too long, its first bytes. Good until the next call.</param>
    public LineFound TryNext(out ReadOnlySpan<byte> line)
    {
        int at = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        if (at >= 0) return Give(_scanned + at, 1, out line);
        line = default;
        _scanned = _end;
        // One more for a CR whose LF has not come.
        if (_end - _start > MaximumLength + 1 || (Skipped > 0 && _end > _start)) Skip(_end);
        return LineFound.None;
    }

    /// <summary>The end of the stream: what is left is its last line, without an end.</summary>
    public LineFound TryLast(out ReadOnlySpan<byte> line)
    {
        if (Half > 0) return Give(_end, 0, out line);
        line = default;
        return LineFound.None;
    }

    LineFound Give(int end, int lineEnd, out ReadOnlySpan<byte> line)
    {
        line = _buffer.AsSpan(_start, end - _start);
        if (lineEnd > 0 && line is [.., (byte)'\r']) line = line[..^1];
        bool tooLong = Skipped > 0 || line.Length > MaximumLength;
        if (tooLong)
        {
            Skip(end);
            line = _glimpse.AsSpan(0, _glimpseLength);
        }
        // Windows programs begin a file with it.
        else if (Offset == 0 && line is [0xEF, 0xBB, 0xBF, ..])
        {
            line = line[3..];
        }
        At = Offset;
        Offset += Skipped + (end - _start) + lineEnd;
        Skipped = 0;
        _glimpseLength = 0;
        _start = _scanned = Math.Min(end + lineEnd, _end);
        return tooLong ? LineFound.TooLong : LineFound.Line;
    }

    void Skip(int end)
    {
        if (Skipped == 0)
        {
            _glimpseLength = Math.Min(GlimpseLength, end - _start);
            _buffer.AsSpan(_start, _glimpseLength).CopyTo(_glimpse);
        }
        Skipped += end - _start;
        _start = _scanned = end;
    }
}

/// <summary>What a reader of lines has to give.</summary>
public enum LineFound : byte
{
    None,
    Line,
    /// <summary>A line that is longer than one may be.</summary>
    TooLong,
}
