namespace Nfr.Scoring.Tables;

/// <summary>
/// Sources that have failed once: what most ever do, and all that a forged one does. They cost eight bytes here instead of an entry of a table, so a flood of
/// them never reaches those that failed again. Eight ways a bucket, one cache line; when it is full the failure longest ago is forgotten.
/// </summary>
sealed class FirstFailures
{
    const int Ways = 8;
    const int SecondsBits = 21, WhatBits = 15;
    const ulong SecondsMask = (1UL << SecondsBits) - 1, WhatMask = (1UL << WhatBits) - 1, TagMask = ~0UL << (SecondsBits + WhatBits);
    readonly ulong[] _cells;
    readonly int _bucketMask;

    /// <param name="capacity">A power of two, at least 8; 8 bytes each.</param>
    public FirstFailures(int capacity)
    {
        _cells = new ulong[capacity];
        _bucketMask = (capacity / Ways) - 1;
    }

    /// <summary>Takes out what a source failed with before, within <paramref name="window"/> nanoseconds; without that, remembers <paramref name="what"/> (15 bits).</summary>
    public bool TryTake(ulong key, long tick, long window, ref int what)
    {
        key ^= Partition.Current;
        // The second 0 would be an empty cell.
        ulong now = Math.Max(1, (ulong)(tick / 1_000_000_000) & SecondsMask);
        Span<ulong> bucket = _cells.AsSpan(((int)key & _bucketMask) * Ways, Ways);
        int at = Ways - 1;
        for (int i = 0; i < Ways; i++)
        {
            ulong cell = bucket[i];
            if (cell == 0 || ((cell ^ key) & TagMask) != 0) continue;
            // Events end out of order, so a later one may be a little older: that is still "within".
            long age = (long)((now - (cell & SecondsMask)) & SecondsMask);
            at = i;
            if (age * 1_000_000_000 > window && age < (long)SecondsMask / 2) break;
            what = (int)((cell >> SecondsBits) & WhatMask);
            for (; i + 1 < Ways; i++) bucket[i] = bucket[i + 1];
            bucket[Ways - 1] = 0;
            return true;
        }
        for (int i = at; i > 0; i--) bucket[i] = bucket[i - 1];
        bucket[0] = (key & TagMask) | (((ulong)what & WhatMask) << SecondsBits) | now;
        return false;
    }
}
