using System.Buffers;

namespace Nfr.Logs;

/// <summary>
/// Bytes of a stream → JSON objects: those of one array, however it is broken into lines, or one behind the other. Used as a <see cref="LineReader"/> is: fill
/// <see cref="Room"/>, say <see cref="Filled"/>, take what there is. What stands between two objects belongs to the one behind it, so that lengths add up
/// to the stream. One thread.
/// </summary>
/// <remarks>
/// What is no object and no separator is given up to the end of its line, for whoever reads records to refuse. A line's end within a text, which JSON
/// does not have, ends a record as well: the next object is read again. An object longer than 1 MiB is told with its first bytes, and reading goes on behind
/// its last brace or the next line's end, whichever comes first; what was passed over belongs to what is told next.
/// </remarks>
public sealed class JsonRecords
{
    /// <summary>Bytes of one read, at most.</summary>
    public const int ChunkLength = 64 << 10;
    /// <summary>The longest object.</summary>
    public const int MaximumLength = 1 << 20;
    const int GlimpseLength = 256;

    enum State : byte
    {
        /// <summary>Before an object.</summary>
        Between,
        Object,
        /// <summary>In a text of an object.</summary>
        Text,
        /// <summary>Something that is neither.</summary>
        Junk,
        /// <summary>In the rest of an object that is too long.</summary>
        Passing,
        /// <summary>In a text of it.</summary>
        PassingText,
        /// <summary>In something that is neither and too long, up to its line's end.</summary>
        PassingLine,
    }

    static readonly SearchValues<byte> s_brackets = SearchValues.Create("\"{}[]"u8), s_textEnds = SearchValues.Create("\"\\\n"u8),
        s_bracketsAndLines = SearchValues.Create("\"{}[]\n"u8);

    byte[] _buffer = new byte[2 * ChunkLength];
    /// <summary>Of the bytes that were not given, and of the record within them.</summary>
    int _start, _record, _end;
    int _scanned;
    int _depth;
    /// <summary>Bytes before <see cref="Offset"/> that were passed over since the last record.</summary>
    long _passed;
    State _state;

    /// <summary>Behind all that was given.</summary>
    public long Offset { get; private set; }
    /// <summary>Where in the stream the next bytes to be filled in lie.</summary>
    public long ReadAt => Offset + (_end - _start);
    /// <summary>Where the record given last begins, with what stands before it.</summary>
    public long At { get; private set; }
    /// <summary>Bytes of the record given last, with what stands before it.</summary>
    public long Length => Offset - At;
    /// <summary>An object has begun whose end has not come.</summary>
    public bool IsWithin => _state is State.Object or State.Text;

    /// <summary>Goes to a place in a stream: between two objects.</summary>
    public void Begin(long offset)
    {
        (Offset, At) = (offset, offset);
        _start = _record = _end = _scanned = _depth = 0;
        _passed = 0;
        _state = State.Between;
    }

    /// <summary>Where to put what comes at <see cref="ReadAt"/>.</summary>
    public Span<byte> Room()
    {
        if (_buffer.Length - _end < ChunkLength && _start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_end, _scanned, _record, _start) = (_end - _start, _scanned - _start, _record - _start, 0);
        }
        if (_buffer.Length - _end < ChunkLength) Array.Resize(ref _buffer, Math.Min(2 * _buffer.Length, MaximumLength + (4 * ChunkLength)));
        return _buffer.AsSpan(_end, ChunkLength);
    }

    /// <summary>So many bytes were put there.</summary>
    public void Filled(int count) => _end += count;

    /// <summary>The next record; None when more bytes are needed for one.</summary>
    /// <param name="record">From its first brace to its last; good until the next call.</param>
    public LineFound TryNext(out ReadOnlySpan<byte> record)
    {
        while (_scanned < _end)
        {
            switch (_state)
            {
                case State.Between:
                    byte c = _buffer[_scanned];
                    if (c is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' or (byte)',' or (byte)'[' or (byte)']' or 0xEF or 0xBB or 0xBF)
                    {
                        _scanned++;
                        // Separators alone need no room.
                        if (_scanned - _start < ChunkLength) break;
                        _record = _scanned;
                        return Give(_scanned, out record);
                    }
                    (_record, _depth) = (_scanned, 0);
                    _state = c == '{' ? State.Object : State.Junk;
                    break;
                case State.Object:
                    if (!Find(s_brackets)) break;
                    c = _buffer[_scanned++];
                    if (c == '"') _state = State.Text;
                    else if (c is (byte)'{' or (byte)'[') _depth++;
                    else if (--_depth == 0) return Give(_scanned, out record);
                    break;
                case State.Text:
                    if (!Find(s_textEnds)) break;
                    if (_buffer[_scanned] == '\\')
                    {
                        // Wait for the byte behind it.
                        if (_scanned + 1 == _end) return None(out record);
                        _scanned += 2;
                        break;
                    }
                    if (_buffer[_scanned++] == '\n') return Give(_scanned, out record);
                    _state = State.Object;
                    break;
                case State.Junk:
                    int end = LineEnd();
                    if (end >= 0) return Give(end, out record);
                    break;
                case State.PassingLine:
                    if (LineEnd() >= 0) _state = State.Between;
                    Pass();
                    break;
                case State.Passing:
                    if (Find(s_bracketsAndLines))
                    {
                        c = _buffer[_scanned++];
                        if (c == '"') _state = State.PassingText;
                        else if (c is (byte)'{' or (byte)'[') _depth++;
                        else if (c == '\n' || --_depth == 0) _state = State.Between;
                    }
                    Pass();
                    break;
                case State.PassingText:
                    if (Find(s_textEnds))
                    {
                        c = _buffer[_scanned];
                        if (c == '\\' && _scanned + 1 == _end) return None(out record);
                        _scanned += c == '\\' ? 2 : 1;
                        if (c != '\\') _state = c == '"' ? State.Passing : State.Between;
                    }
                    Pass();
                    break;
            }
        }
        if (_end - _record > MaximumLength && _state is State.Object or State.Text or State.Junk)
        {
            record = _buffer.AsSpan(_record, GlimpseLength);
            Taken(_end);
            _state = _state switch { State.Object => State.Passing, State.Text => State.PassingText, _ => State.PassingLine };
            return LineFound.TooLong;
        }
        return None(out record);
    }

    /// <summary>The end of the stream: what is left, half an object or what closes an array.</summary>
    public LineFound TryLast(out ReadOnlySpan<byte> record)
    {
        if (_start == _end && _passed == 0) return None(out record);
        if (_state is State.Between or State.Passing or State.PassingText or State.PassingLine) _record = _end;
        return Give(_end, out record);
    }

    /// <summary>Goes behind the next line's end, or as far as there is anything: -1 then.</summary>
    int LineEnd()
    {
        int end = _buffer.AsSpan(_scanned, _end - _scanned).IndexOf((byte)'\n');
        _scanned = end < 0 ? _end : _scanned + end + 1;
        return end < 0 ? -1 : _scanned;
    }

    /// <summary>Nothing of what was passed over is kept.</summary>
    void Pass()
    {
        Offset += _scanned - _start;
        _passed += _scanned - _start;
        _start = _record = _scanned;
    }

    bool Find(SearchValues<byte> values)
    {
        int at = _buffer.AsSpan(_scanned, _end - _scanned).IndexOfAny(values);
        _scanned = at < 0 ? _end : _scanned + at;
        return at >= 0;
    }

    static LineFound None(out ReadOnlySpan<byte> record)
    {
        record = default;
        return LineFound.None;
    }

    LineFound Give(int end, out ReadOnlySpan<byte> record)
    {
        record = _buffer.AsSpan(_record, end - _record);
        bool tooLong = record.Length > MaximumLength;
        if (tooLong) record = record[..GlimpseLength];
        Taken(end);
        _state = State.Between;
        return tooLong ? LineFound.TooLong : LineFound.Line;
    }

    void Taken(int end)
    {
        At = Offset - _passed;
        _passed = 0;
        Offset += end - _start;
        _start = _record = _scanned = end;
    }
}
