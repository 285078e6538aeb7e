namespace Nfr.Events;

/// <summary>
/// One direction of a TCP connection as its parser sees it: the bytes from <see cref="Next"/> on that are wanted and not yet consumed.
/// A buffer is held only while something waits in it.
/// </summary>
struct StreamWindow
{
    /// <summary>Sequence number of the first byte that is not consumed.</summary>
    public uint Next;

    /// <summary>Bytes from <see cref="Next"/> on that the parser does not want; they are never buffered.</summary>
    public long Skip;

    public int Buffer;
    public ReceivedRanges Received;

    public static StreamWindow At(uint sequence) => new() { Next = sequence, Buffer = BufferPool.None };

    public readonly bool HoldsNothing => Received.Count == 0;

    /// <summary>Bytes are missing before something that is held; an unfinished message may stand in front of them.</summary>
    public readonly bool HasHole => Received.HoleEnd > 0;

    /// <summary>
    /// Drops from a segment what is already consumed or not wanted, moving <see cref="Next"/> over a skipped stretch (its segments may come in
    /// any order or not at all). False: nothing of the segment is left. Else <paramref name="offset"/> says where the rest lies from Next.
    /// </summary>
    public bool TryTrim(uint sequence, ref ReadOnlySpan<byte> payload, out int offset)
    {
        offset = (int)(sequence - Next);
        if (Skip > 0)
        {
            long reach = (long)offset + payload.Length;
            if (reach <= 0) return false;
            if (reach <= Skip)
            {
                Next += (uint)reach;
                Skip -= reach;
                return false;
            }
            if (offset < Skip)
            {
                payload = payload[(int)(Skip - offset)..];
                offset = 0;
            }
            else
            {
                offset -= (int)Skip;
            }
            Next += (uint)Skip;
            Skip = 0;
            return true;
        }
        if (offset + payload.Length <= 0) return false;
        if (offset < 0)
        {
            payload = payload[-offset..];
            offset = 0;
        }
        return true;
    }

    /// <summary>Moves on by what the parser consumed of the ready bytes.</summary>
    public void Consume(BufferPool buffers, int bytes)
    {
        Next += (uint)bytes;
        if (Buffer == BufferPool.None) return;
        Received.Shift(buffers[Buffer], bytes);
        if (Received.Count == 0) buffers.Return(ref Buffer);
    }

    /// <summary>Applies a skip to what is held: bytes inside it go, and what lies behind it comes to the front.</summary>
    public void ApplySkip(BufferPool buffers)
    {
        if (Skip == 0 || Received.Count == 0) return;
        int step = (int)Math.Min(Skip, Received.End);
        Skip -= step;
        Consume(buffers, step);
    }

    public void Release(BufferPool buffers)
    {
        buffers.Return(ref Buffer);
        Received.Clear();
    }
}
