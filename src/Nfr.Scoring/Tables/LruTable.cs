namespace Nfr.Scoring.Tables;

/// <summary>
/// A hash table of fixed size that makes room by forgetting. New keys are on probation and the one unused longest goes first; keys that
/// gathered evidence are protected (at most half of the table, then the oldest of them is on probation again). So a flood of new keys
/// cannot push out what is in progress. One thread.
/// </summary>
sealed class LruTable<T> where T : struct
{
    const int Probation = 0, Protected = 1, None = -1;

    struct Entry
    {
        public ulong Key;
        public int Chain;
        public int Older;
        public int Newer;
        public int List;
        public T State;
    }

    readonly Entry[] _entries;
    readonly int[] _buckets;
    readonly int _mask;
    readonly int[] _newest = [None, None];
    readonly int[] _oldest = [None, None];
    int _protectedCount;

    /// <param name="capacity">A power of two.</param>
    public LruTable(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(System.Numerics.BitOperations.IsPow2(capacity), true);
        _entries = new Entry[capacity];
        _buckets = new int[capacity];
        _buckets.AsSpan().Fill(None);
        _mask = capacity - 1;
    }

    public int Capacity => _entries.Length;
    public int Count { get; private set; }
    public long Evicted { get; private set; }

    public ref T this[int index] => ref _entries[index].State;

    /// <returns>-1 when absent.</returns>
    public int Find(ulong key) => FindOwn(key ^ Partition.Current);

    int FindOwn(ulong key)
    {
        int index = _buckets[(int)(key >> 17) & _mask];
        while (index != None && _entries[index].Key != key) index = _entries[index].Chain;
        if (index == None) return None;
        Unlink(index);
        LinkNewest(index, _entries[index].List);
        return index;
    }

    public int GetOrAdd(ulong key, out bool added)
    {
        key ^= Partition.Current;
        int index = FindOwn(key);
        added = index == None;
        if (!added) return index;
        if (Count < _entries.Length) index = Count++;
        else
        {
            index = _oldest[Probation] != None ? _oldest[Probation] : _oldest[Protected];
            Unlink(index);
            if (_entries[index].List == Protected) _protectedCount--;
            Unchain(index);
            Evicted++;
        }
        ref int bucket = ref _buckets[(int)(key >> 17) & _mask];
        _entries[index] = new Entry { Key = key, Chain = bucket };
        bucket = index;
        LinkNewest(index, Probation);
        return index;
    }

    /// <summary>Keeps an entry before those that have shown nothing yet.</summary>
    public void Protect(int index)
    {
        if (_entries[index].List == Protected) return;
        Unlink(index);
        LinkNewest(index, Protected);
        if (++_protectedCount <= _entries.Length / 2) return;
        int demoted = _oldest[Protected];
        Unlink(demoted);
        LinkNewest(demoted, Probation);
        _protectedCount--;
    }

    void LinkNewest(int index, int list)
    {
        ref Entry entry = ref _entries[index];
        entry.List = list;
        entry.Newer = None;
        entry.Older = _newest[list];
        if (entry.Older != None) _entries[entry.Older].Newer = index;
        else _oldest[list] = index;
        _newest[list] = index;
    }

    void Unlink(int index)
    {
        ref Entry entry = ref _entries[index];
        if (entry.Newer != None) _entries[entry.Newer].Older = entry.Older;
        else _newest[entry.List] = entry.Older;
        if (entry.Older != None) _entries[entry.Older].Newer = entry.Newer;
        else _oldest[entry.List] = entry.Newer;
    }

    void Unchain(int index)
    {
        ref int link = ref _buckets[(int)(_entries[index].Key >> 17) & _mask];
        while (link != index) link = ref _entries[link].Chain;
        link = _entries[index].Chain;
    }
}
