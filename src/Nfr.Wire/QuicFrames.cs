namespace Nfr.Wire;

/// <summary>
/// Walks the frames of an Initial packet (RFC 9000 19), handing out CRYPTO and passing over the others that may stand there (12.4). False
/// from <see cref="MoveNext"/> is the end, or the first byte that is none of them: <see cref="IsWhole"/> tells which.
/// </summary>
public ref struct QuicFrames(ReadOnlySpan<byte> payload)
{
    ReadOnlySpan<byte> _rest = payload;

    /// <summary>Where in the stream of handshake messages <see cref="Data"/> lies.</summary>
    public ulong Offset { get; private set; }
    public ReadOnlySpan<byte> Data { get; private set; }

    /// <summary>Everything was a frame, to the last byte: the keys were right.</summary>
    public bool IsWhole { get; private set; }

    public bool MoveNext()
    {
        while (!_rest.IsEmpty)
        {
            byte type = _rest[0];
            _rest = _rest[1..];
            switch (type)
            {
                // PADDING, PING.
                case 0 or 1:
                    break;
                // ACK, with ECN counts or without.
                case 2 or 3:
                    if (!Skip(2) || !QuicInitial.TryInteger(ref _rest, out ulong ranges) || ranges > 1024 || !Skip(1 + (2 * (int)ranges)) || (type == 3 && !Skip(3))) return false;
                    break;
                // CRYPTO.
                case 6:
                    if (!QuicInitial.TryInteger(ref _rest, out ulong offset) || !QuicInitial.TryInteger(ref _rest, out ulong length) || length > (ulong)_rest.Length) return false;
                    Offset = offset;
                    Data = _rest[..(int)length];
                    _rest = _rest[(int)length..];
                    return true;
                // CONNECTION_CLOSE: error, frame type, reason.
                case 0x1C:
                    if (!Skip(2) || !QuicInitial.TryInteger(ref _rest, out ulong reason) || reason > (ulong)_rest.Length) return false;
                    _rest = _rest[(int)reason..];
                    break;
                default:
                    return false;
            }
        }
        IsWhole = true;
        return false;
    }

    bool Skip(int integers)
    {
        for (int i = 0; i < integers; i++)
        {
            if (!QuicInitial.TryInteger(ref _rest, out _)) return false;
        }
        return true;
    }
}
