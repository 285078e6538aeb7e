namespace Nfr.Events;

/// <summary>
/// Buffers for stream windows, fragments and pending requests: three sizes, a fixed number of each, allocated once. One worker's, so no
/// locks. When a size is used up the next larger one serves; when all are, <see cref="TryRent"/> says false and the caller gives up that
/// stream and counts it.
/// </summary>
public sealed class BufferPool
{
    public const int None = -1;
    public const int MaximumSize = 64 * 1024;

    static readonly int[] Sizes = [2 * 1024, 16 * 1024, MaximumSize];

    readonly byte[][] _slabs = new byte[Sizes.Length][];
    readonly int[][] _free = new int[Sizes.Length][];
    readonly int[] _freeCount = new int[Sizes.Length];

    /// <param name="small">Buffers of 2 KiB.</param>
    /// <param name="medium">Buffers of 16 KiB.</param>
    /// <param name="large">Buffers of 64 KiB.</param>
    public BufferPool(int small = 2048, int medium = 256, int large = 48)
    {
        int[] counts = [small, medium, large];
        for (int c = 0; c < Sizes.Length; c++)
        {
            _slabs[c] = new byte[Sizes[c] * counts[c]];
            _free[c] = new int[counts[c]];
            for (int i = 0; i < counts[c]; i++) _free[c][i] = counts[c] - 1 - i;
            _freeCount[c] = counts[c];
        }
    }

    /// <summary>A handle for at least <paramref name="size"/> bytes (at most <see cref="MaximumSize"/>).</summary>
    public bool TryRent(int size, out int handle)
    {
        for (int c = 0; c < Sizes.Length; c++)
        {
            if (Sizes[c] < size || _freeCount[c] == 0) continue;
            handle = (c << 24) | _free[c][--_freeCount[c]];
            return true;
        }
        handle = None;
        return false;
    }

    /// <summary>Bytes that a handle takes of the pool; 0 for <see cref="None"/>.</summary>
    public static int SizeOf(int handle) => handle == None ? 0 : Sizes[handle >> 24];

    public Span<byte> this[int handle] => _slabs[handle >> 24].AsSpan((handle & 0xFFFFFF) * Sizes[handle >> 24], Sizes[handle >> 24]);

    /// <summary>Makes <paramref name="handle"/> hold at least <paramref name="size"/> bytes, keeping its first <paramref name="used"/>.</summary>
    public bool TryGrow(ref int handle, int size, int used)
    {
        if (handle == None) return TryRent(size, out handle);
        if (Sizes[handle >> 24] >= size) return true;
        if (!TryRent(size, out int larger)) return false;
        this[handle][..used].CopyTo(this[larger]);
        Return(ref handle);
        handle = larger;
        return true;
    }

    public void Return(ref int handle)
    {
        if (handle == None) return;
        int c = handle >> 24;
        _free[c][_freeCount[c]++] = handle & 0xFFFFFF;
        handle = None;
    }

    /// <summary>Buffers in use, for the ledger and for tests that look for leaks.</summary>
    public int InUse
    {
        get
        {
            int n = 0;
            for (int c = 0; c < Sizes.Length; c++) n += _free[c].Length - _freeCount[c];
            return n;
        }
    }
}
