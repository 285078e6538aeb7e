namespace Nfr.Logs;

/// <summary>
/// The messages of one TCP connection (RFC 6587): "123 &lt;30&gt;…" by a count of bytes, or ended by LF (or NUL), told apart at each message. A line
/// that begins with a number of its own has no "&lt;" behind it.
/// </summary>
/// <remarks>One longer than <see cref="MaximumLength"/> is passed over and told at its end.</remarks>
sealed class SyslogFrames
{
    /// <summary>Bytes of a message: RFC 5425 wants 8 KiB, rsyslog's own limit can be set to more.</summary>
    public const int MaximumLength = 64 << 10;
    /// <summary>"65536 ".</summary>
    const int MaximumCount = 7;

    readonly byte[] _buffer = new byte[MaximumLength + MaximumCount + 1];
    int _start, _end;
    long _skip;
    bool _skipLine;

    public enum Result : byte
    {
        /// <summary>More bytes are needed.</summary>
        None,
        Message,
        /// <summary>One ended that was longer than any may be.</summary>
        TooLong,
    }

    /// <summary>A message has begun and not ended.</summary>
    public bool IsHalf => _end > _start || _skip > 0 || _skipLine;

    /// <summary>Where to put what is received; never empty once <see cref="Next"/> has said None.</summary>
    public Span<byte> Room()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        return _buffer.AsSpan(_end);
    }

    public void Filled(int count) => _end += count;

    /// <param name="message">Good until the next call of <see cref="Room"/>.</param>
    /// <param name="bytes">With its frame.</param>
    public Result Next(out ReadOnlySpan<byte> message, out int bytes)
    {
        message = default;
        bytes = 0;
        if (_skip > 0)
        {
            int some = (int)Math.Min(_skip, _end - _start);
            _start += some;
            _skip -= some;
            return _skip > 0 ? Result.None : Result.TooLong;
        }
        ReadOnlySpan<byte> waiting = _buffer.AsSpan(_start, _end - _start);
        if (!_skipLine && Count(waiting, out int count, out int digits))
        {
            if (count < 0) return Result.None;
            if (count > MaximumLength)
            {
                _start += digits;
                _skip = count;
                return Next(out message, out bytes);
            }
            if (waiting.Length < digits + count) return Result.None;
            message = waiting.Slice(digits, count).TrimEnd("\r\n\0"u8);
            bytes = digits + count;
            _start += bytes;
            return Result.Message;
        }
        int end = waiting.IndexOfAny((byte)'\n', (byte)0);
        if (end < 0)
        {
            if (waiting.Length <= MaximumLength && !_skipLine) return Result.None;
            _skipLine = true;
            _start = _end;
            return Result.None;
        }
        _start += end + 1;
        bytes = end + 1;
        if (_skipLine || end > MaximumLength)
        {
            _skipLine = false;
            return Result.TooLong;
        }
        message = waiting[..end].TrimEnd((byte)'\r');
        return Result.Message;
    }

    /// <summary>The sender is done: what waits is a whole message when no count says that it should be longer.</summary>
    public Result End(out ReadOnlySpan<byte> message)
    {
        message = _buffer.AsSpan(_start, _end - _start);
        bool counted = Count(message, out _, out _);
        _start = _end;
        return message.IsEmpty || counted || _skipLine || _skip > 0 ? Result.None : Result.Message;
    }

    /// <summary>"123 &lt;"; a count of -1 when what is there may still become one.</summary>
    static bool Count(ReadOnlySpan<byte> text, out int count, out int digits)
    {
        (count, digits) = (0, 0);
        if (text.IsEmpty || text[0] is < (byte)'1' or > (byte)'9') return false;
        while (digits < text.Length && digits < MaximumCount && char.IsAsciiDigit((char)text[digits])) count = (count * 10) + text[digits++] - '0';
        bool open = digits == text.Length || (text[digits] == ' ' && digits + 1 == text.Length);
        bool counted = open || (text[digits] == ' ' && text[digits + 1] == '<');
        if (open) count = -1;
        digits++;
        return counted;
    }
}
