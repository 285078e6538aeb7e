namespace Nfr.Scoring.Tables;

/// <summary>
/// Remembers which keys were seen within a window, in fixed memory: four ways a bucket, 40 bits of the key and 24 bits of seconds each.
/// When a bucket is full the key seen longest ago goes, and counts as new if it comes again.
/// </summary>
sealed class SeenSet
{
    const int Ways = 4;
    const ulong SecondsMask = 0xFF_FFFF;
    readonly ulong[] _cells;
    readonly int _bucketMask;

    /// <param name="capacity">A power of two, at least 4; 8 bytes each.</param>
    public SeenSet(int capacity)
    {
        _cells = new ulong[capacity];
        _bucketMask = (capacity / Ways) - 1;
    }

    /// <summary>Whether the key was seen within <paramref name="window"/> nanoseconds before <paramref name="tick"/>; changes nothing.</summary>
    public bool Has(ulong key, long tick, long window)
    {
        ulong now = ((ulong)(tick / 1_000_000_000) + 1) & SecondsMask;
        foreach (ulong cell in _cells.AsSpan(((int)key & _bucketMask) * Ways, Ways))
        {
            if (cell == 0 || ((cell ^ key) & ~SecondsMask) != 0) continue;
            long age = (long)((now - (cell & SecondsMask)) & SecondsMask);
            return age * 1_000_000_000 <= window || age >= (long)SecondsMask / 2;
        }
        return false;
    }

    /// <returns>True when the key was not seen within <paramref name="window"/> nanoseconds before <paramref name="tick"/>.</returns>
    public bool Add(ulong key, long tick, long window)
    {
        key ^= Partition.Current;
        // The second 0 would be an empty cell; +1 keeps every used cell different from it.
        ulong now = ((ulong)(tick / 1_000_000_000) + 1) & SecondsMask;
        Span<ulong> bucket = _cells.AsSpan(((int)key & _bucketMask) * Ways, Ways);
        ulong tag = key & ~SecondsMask;
        int at = Ways - 1;
        bool fresh = true;
        for (int i = 0; i < Ways; i++)
        {
            if (bucket[i] == 0 || (bucket[i] & ~SecondsMask) != tag) continue;
            // Events end out of order, so a later one may be a little older: that is still "within".
            long age = (long)((now - (bucket[i] & SecondsMask)) & SecondsMask);
            fresh = age * 1_000_000_000 > window && age < (long)SecondsMask / 2;
            at = i;
            break;
        }
        for (int i = at; i > 0; i--) bucket[i] = bucket[i - 1];
        bucket[0] = tag | now;
        return fresh;
    }
}
