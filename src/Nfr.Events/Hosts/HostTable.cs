using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// What hosts said of themselves last: by network and address, or by these and source. At most <see cref="Capacity"/> entries, no expiry; when full, the one that was
/// silent longest is forgotten, so that it is told anew when it speaks again.
/// </summary>
public sealed class HostTable
{
    /// <summary>4,096 entries of 144 bytes: 580 KiB.</summary>
    public const int Capacity = 4096;

    /// <summary>A longer name is cut.</summary>
    public const int NameSpace = 80;

    const int None = -1;

    struct Entry
    {
        public Address Address;
        public ulong Network;
        public ulong HardwareAddress;
        public int Next, Previous, Older, Newer;
        public byte Source;
        public byte NameLength;
        public NameText Name;
    }

    [InlineArray(NameSpace)]
    struct NameText
    {
        byte _first;
    }

    readonly Entry[] _entries = new Entry[Capacity];
    readonly int[] _buckets = new int[Capacity];
    readonly SeededHash _hash = SeededHash.New();
    int _oldest = None, _youngest = None;

    public HostTable() => Array.Fill(_buckets, None);

    public int Count { get; private set; }

    /// <summary>Keeps what was said; what is empty or 0 leaves what is known. True when it is new or differs.</summary>
    /// <param name="address">Whose.</param>
    /// <param name="source">Part of the key: one table per address alone uses one value.</param>
    /// <param name="hardware">0 when none was said.</param>
    /// <param name="name">Empty when none was said.</param>
    /// <param name="network">Where the address is one (<see cref="Tunnel.Network"/>): what is heard within a tunnel says nothing of the network around it.</param>
    public bool Learn(in Address address, byte source, ulong hardware, ReadOnlySpan<byte> name, ulong network = 0)
    {
        if (name.Length > NameSpace) name = name[..NameSpace];
        int index = Find(address, source, network);
        bool changed = index == None;
        if (changed) index = Add(address, source, network);
        else if (index != _youngest)
        {
            Unlist(index);
            List(index);
        }
        ref Entry entry = ref _entries[index];
        if (hardware != 0 && hardware != entry.HardwareAddress)
        {
            entry.HardwareAddress = hardware;
            changed = true;
        }
        if (!name.IsEmpty && !name.SequenceEqual(((ReadOnlySpan<byte>)entry.Name)[..entry.NameLength]))
        {
            name.CopyTo(entry.Name);
            entry.NameLength = (byte)name.Length;
            changed = true;
        }
        return changed;
    }

    /// <summary>What is known of the address; false when nothing is. The name is borrowed until the next <see cref="Learn"/>.</summary>
    public bool TryFind(in Address address, byte source, out ulong hardware, out ReadOnlySpan<byte> name, ulong network = 0)
    {
        int index = Find(address, source, network);
        hardware = index == None ? 0 : _entries[index].HardwareAddress;
        name = index == None ? default : ((ReadOnlySpan<byte>)_entries[index].Name)[.._entries[index].NameLength];
        return index != None;
    }

    int Find(in Address address, byte source, ulong network)
    {
        int i = _buckets[BucketOf(address, source, network)];
        while (i != None && (_entries[i].Address != address || _entries[i].Source != source || _entries[i].Network != network)) i = _entries[i].Next;
        return i;
    }

    int Add(in Address address, byte source, ulong network)
    {
        int index = Count;
        if (Count < Capacity) Count++;
        else
        {
            index = _oldest;
            Unlist(index);
            ref Entry old = ref _entries[index];
            if (old.Previous != None) _entries[old.Previous].Next = old.Next;
            else _buckets[BucketOf(old.Address, old.Source, old.Network)] = old.Next;
            if (old.Next != None) _entries[old.Next].Previous = old.Previous;
        }
        ref int bucket = ref _buckets[BucketOf(address, source, network)];
        ref Entry entry = ref _entries[index];
        entry.Address = address;
        entry.Network = network;
        entry.Source = source;
        entry.HardwareAddress = 0;
        entry.NameLength = 0;
        entry.Previous = None;
        entry.Next = bucket;
        if (bucket != None) _entries[bucket].Previous = index;
        bucket = index;
        List(index);
        return index;
    }

    void List(int index)
    {
        _entries[index].Newer = None;
        _entries[index].Older = _youngest;
        if (_youngest != None) _entries[_youngest].Newer = index;
        else _oldest = index;
        _youngest = index;
    }

    void Unlist(int index)
    {
        ref Entry entry = ref _entries[index];
        if (entry.Older != None) _entries[entry.Older].Newer = entry.Newer;
        else _oldest = entry.Newer;
        if (entry.Newer != None) _entries[entry.Newer].Older = entry.Older;
        else _youngest = entry.Older;
    }

    int BucketOf(in Address address, byte source, ulong network) => (int)(_hash.Then(_hash.Of(address, network), source) >> 52);
}
