namespace Nfr.Scoring.Tables;

/// <summary>
/// When each key was seen last, in fixed memory: four ways a bucket, 40 bits of the key and 24 bits of seconds each. When a bucket is full
/// the key seen longest ago goes. What keys must be seen twice before they get a place in a dearer table is told here.
/// </summary>
sealed class LastSeen
{
    const int Ways = 4;
    const ulong SecondsMask = 0xFF_FFFF;
    readonly ulong[] _cells;
    readonly int _bucketMask;

    /// <param name="capacity">A power of two, at least 4; 8 bytes each.</param>
    public LastSeen(int capacity)
    {
        _cells = new ulong[capacity];
        _bucketMask = (capacity / Ways) - 1;
    }

    /// <summary>Notes the key at <paramref name="tick"/>.</summary>
    /// <returns>Nanoseconds since it was noted before, whole seconds; -1 when it is not remembered.</returns>
    public long Mark(ulong key, long tick)
    {
        key ^= Partition.Current;
        ulong now = ((ulong)(tick / 1_000_000_000) + 1) & SecondsMask;
        Span<ulong> bucket = _cells.AsSpan(((int)key & _bucketMask) * Ways, Ways);
        ulong tag = key & ~SecondsMask;
        int at = Ways - 1;
        long age = -1;
        for (int i = 0; i < Ways; i++)
        {
            if (bucket[i] == 0 || (bucket[i] & ~SecondsMask) != tag) continue;
            long seconds = (long)((now - (bucket[i] & SecondsMask)) & SecondsMask);
            // Half of the circle lies ahead: an event that is older than the last one.
            age = seconds < (long)SecondsMask / 2 ? seconds * 1_000_000_000 : 0;
            if (seconds >= (long)SecondsMask / 2) now = bucket[i] & SecondsMask;
            at = i;
            break;
        }
        for (int i = at; i > 0; i--) bucket[i] = bucket[i - 1];
        bucket[0] = tag | now;
        return age;
    }

    /// <summary>As <see cref="Mark"/>, but nothing is noted.</summary>
    public long Age(ulong key, long tick)
    {
        key ^= Partition.Current;
        ulong now = ((ulong)(tick / 1_000_000_000) + 1) & SecondsMask;
        foreach (ulong cell in _cells.AsSpan(((int)key & _bucketMask) * Ways, Ways))
        {
            if (cell == 0 || (cell & ~SecondsMask) != (key & ~SecondsMask)) continue;
            long seconds = (long)((now - (cell & SecondsMask)) & SecondsMask);
            return seconds < (long)SecondsMask / 2 ? seconds * 1_000_000_000 : 0;
        }
        return -1;
    }
}
