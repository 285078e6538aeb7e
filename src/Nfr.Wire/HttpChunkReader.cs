namespace Nfr.Wire;

/// <summary>
/// The chunked transfer coding, RFC 9112 7.1, consumed as it passes: sizes, extensions, data and trailers, nothing kept but the
/// position. Bare LF ends a line as CRLF does. A default value is ready to read the first chunk.
/// </summary>
public struct HttpChunkReader
{
    /// <summary>The longest size line, with its extensions, in bytes.</summary>
    public const int MaxSizeLineLength = 4096;

    /// <summary>All trailer lines together, in bytes.</summary>
    public const int MaxTrailerLength = HttpFields.MaxHeadLength;

    // A chunk of 2^56 bytes is no chunk; the sum of chunks then cannot overflow either before the connection's end.
    const int MaxSizeDigits = 14;

    enum State : byte
    {
        Size,
        SizeSpace,
        Extension,
        Data,
        DataEnd,
        DataEndLf,
        TrailerStart,
        TrailerLine,
        TrailerEndLf,
        Complete,
        Invalid,
    }

    State _state;
    int _digits, _lineLength;
    long _left;

    /// <summary>Anything of the body has been read.</summary>
    public readonly bool HasBegun => _state != State.Size || _digits > 0 || _lineLength > 0 || DataLength > 0;

    public readonly bool IsComplete => _state == State.Complete;

    /// <summary>HttpChunkInvalid once the coding was broken; nothing is consumed after that.</summary>
    public readonly DecodeFault Fault => _state == State.Invalid ? DecodeFault.HttpChunkInvalid : DecodeFault.None;

    /// <summary>Bytes of chunk data passed so far: the body without its coding.</summary>
    public long DataLength { get; private set; }

    /// <summary>Bytes of chunk data that come next and need not be shown: call <see cref="Skip"/> for as many as passed.</summary>
    public readonly long SkipLength => _state == State.Data ? _left : 0;

    /// <summary>Passes over <paramref name="count"/> bytes of chunk data unseen, at most <see cref="SkipLength"/>; returns how many.</summary>
    public long Skip(long count)
    {
        count = Math.Clamp(count, 0, SkipLength);
        if (count == 0) return 0;
        _left -= count;
        DataLength += count;
        if (_left == 0) _state = State.DataEnd;
        return count;
    }

    /// <summary>
    /// Consumes bytes and returns how many: all of them, unless the body's end is among them (<see cref="IsComplete"/>; what follows is
    /// the next message) or the coding is broken (<see cref="Fault"/>).
    /// </summary>
    public int Read(ReadOnlySpan<byte> bytes)
    {
        int position = 0;
        while (position < bytes.Length && _state < State.Complete)
        {
            if (_state == State.Data)
            {
                position += (int)Skip(bytes.Length - position);
                continue;
            }
            _state = Next(bytes[position]);
            if (_state == State.Invalid) break;
            position++;
        }
        return position;
    }

    State Next(byte b)
    {
        switch (_state)
        {
            case State.Size:
                int value = HexValue(b);
                if (value < 0) return _digits > 0 ? AfterSize(b) : State.Invalid;
                if (_digits >= MaxSizeDigits) return State.Invalid;
                // Leading zeros are no digits of the size, but a line of them has its limit.
                if (_left != 0 || value != 0 || _digits == 0) _digits++;
                else if (++_lineLength > MaxSizeLineLength) return State.Invalid;
                _left = (_left << 4) | (uint)value;
                return State.Size;
            case State.SizeSpace:
                return AfterSize(b);
            case State.Extension:
                return b == (byte)'\n' ? EndOfSize() : ++_lineLength > MaxSizeLineLength ? State.Invalid : State.Extension;
            case State.DataEnd:
                return b == (byte)'\r' ? State.DataEndLf : EndOfData(b);
            case State.DataEndLf:
                return EndOfData(b);
            case State.TrailerStart:
                if (b == (byte)'\n') return State.Complete;
                if (b == (byte)'\r') return State.TrailerEndLf;
                return CountTrailer(State.TrailerLine);
            case State.TrailerLine:
                return CountTrailer(b == (byte)'\n' ? State.TrailerStart : State.TrailerLine);
            case State.TrailerEndLf:
                return b == (byte)'\n' ? State.Complete : State.Invalid;
            default:
                return _state;
        }
    }

    /// <summary>RFC 9112 7.1.1 allows white space before an extension; some servers pad the size with spaces.</summary>
    State AfterSize(byte b) => b switch
    {
        (byte)'\n' => EndOfSize(),
        (byte)';' => State.Extension,
        (byte)' ' or (byte)'\t' or (byte)'\r' => ++_lineLength > MaxSizeLineLength ? State.Invalid : State.SizeSpace,
        _ => State.Invalid,
    };

    State EndOfSize()
    {
        _digits = _lineLength = 0;
        return _left == 0 ? State.TrailerStart : State.Data;
    }

    static State EndOfData(byte b) => b == (byte)'\n' ? State.Size : State.Invalid;

    State CountTrailer(State next) => ++_lineLength > MaxTrailerLength ? State.Invalid : next;

    static int HexValue(byte b) => b switch
    {
        >= (byte)'0' and <= (byte)'9' => b - '0',
        >= (byte)'a' and <= (byte)'f' => b - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => b - 'A' + 10,
        _ => -1,
    };
}
