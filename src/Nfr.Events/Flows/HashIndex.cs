using System.Numerics;
using System.Runtime.CompilerServices;
using Nfr.Native;

namespace Nfr.Events;

/// <summary>
/// From a 32-bit hash to the entries of a table that have it: slots of (hash, entry) searched one after the other from the hash's own place on, twice as many as entries.
/// The hash lies in the slot, so an entry that is not meant is never touched; taking one out moves those behind it up. Nothing is allocated after construction.
/// </summary>
sealed class HashIndex
{
    public const int None = -1;

    /// <summary>The hash above, the entry's number + 1 below; 0 is an empty slot.</summary>
    readonly PinnedTable<ulong> _slots;
    readonly uint _mask;

    public HashIndex(int entries)
    {
        _slots = new PinnedTable<ulong>((int)BitOperations.RoundUpToPowerOf2((uint)entries * 2));
        _mask = (uint)_slots.Length - 1;
    }

    /// <summary>The first entry of this hash, or <see cref="None"/>; <paramref name="place"/> is for <see cref="Next"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int First(uint hash, out uint place)
    {
        place = hash;
        return At(hash, ref place);
    }

    /// <summary>Another one of the same hash: its key was not the one that was looked for.</summary>
    public int Next(uint hash, ref uint place)
    {
        place++;
        return At(hash, ref place);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    int At(uint hash, ref uint place)
    {
        PinnedTable<ulong> slots = _slots;
        for (uint mask = _mask; ; place++)
        {
            ulong slot = slots[(int)(place & mask)];
            if (slot >> 32 == hash && slot != 0) return (int)(uint)slot - 1;
            if (slot == 0) return None;
        }
    }

    public void Add(uint hash, int entry)
    {
        uint place = hash & _mask;
        while (_slots[(int)place] != 0) place = (place + 1) & _mask;
        _slots[(int)place] = ((ulong)hash << 32) | (uint)(entry + 1);
    }

    /// <summary>An entry that was added under this hash.</summary>
    public void Remove(uint hash, int entry)
    {
        ulong own = ((ulong)hash << 32) | (uint)(entry + 1);
        uint hole = hash & _mask;
        while (_slots[(int)hole] != own) hole = (hole + 1) & _mask;
        for (uint place = (hole + 1) & _mask; _slots[(int)place] != 0; place = (place + 1) & _mask)
        {
            // One whose own place lies behind the hole must stay behind it.
            uint home = (uint)(_slots[(int)place] >> 32) & _mask;
            if (((place - home) & _mask) < ((place - hole) & _mask)) continue;
            _slots[(int)hole] = _slots[(int)place];
            hole = place;
        }
        _slots[(int)hole] = 0;
    }

    /// <summary>Of a search that comes soon: its slot is fetched from memory meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AskFor(uint hash) => Prefetch.Value(ref _slots[(int)(hash & _mask)]);
}
