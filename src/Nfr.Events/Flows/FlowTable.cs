using System.Numerics;
using System.Runtime.CompilerServices;
using Nfr.Native;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// The flows of one worker: a fixed number of entries, found by a hash that is the same for both directions. When it is full the least
/// recently seen flow is taken out first (to within <see cref="ListGranularity"/>). One thread, no locks, no allocation after construction.
/// </summary>
sealed class FlowTable
{
    /// <summary>Flows kept when nothing is configured: 65,536 entries of 256 bytes, 16 MiB of the 160 that a sensor may take.</summary>
    public const int DefaultCapacity = 65_536;

    /// <summary>A flow moves to the young end of its list at most this often (nanoseconds): moving costs two cache lines of strangers.</summary>
    public const long ListGranularity = 500_000_000;

    public const int None = -1;

    readonly PinnedTable<Flow> _flows;
    readonly HashIndex _index;
    readonly SeededHash _hash = SeededHash.New();
    /// <summary>Entries that were used and given back; behind them come those from <see cref="_fresh"/> on, whose memory nobody has touched yet.</summary>
    int _free = None;
    int _fresh;

    // Oldest and youngest of each class.
    readonly int[] _oldest = [None, None, None, None];
    readonly int[] _youngest = [None, None, None, None];

    public FlowTable(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 16);
        _flows = new PinnedTable<Flow>(capacity);
        _index = new HashIndex(capacity);
    }

    public int Count { get; private set; }
    public int Capacity => _flows.Length;
    public bool IsFull => Count == _flows.Length;

    public ref Flow this[int index] => ref _flows[index];

    /// <summary>The same for both directions: each endpoint is mixed on its own and the two are added, and so is the <see cref="FlowScope"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Hash(in Address a, ushort aPort, in Address b, ushort bPort, byte protocol, uint scope = 0)
    {
        ulong h = _hash.Of(a, aPort) + _hash.Of(b, bPort);
        return (uint)(_hash.Then(h, ((ulong)scope << 8) | protocol) >> 32);
    }

    /// <inheritdoc cref="Hash(in Address, ushort, in Address, ushort, byte, uint)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint Hash(uint a, ushort aPort, uint b, ushort bPort, byte protocol) => (uint)(_hash.Then(_hash.Of(a, aPort) + _hash.Of(b, bPort), protocol) >> 32);

    /// <summary>Of a packet that comes soon: its slot is fetched from memory meanwhile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AskForSlot(uint hash) => _index.AskFor(hash);

    /// <summary>And a little later the entry that its slot names, which is returned: probably the flow, and <see cref="None"/> if there is none yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int AskForEntry(uint hash)
    {
        int index = _index.First(hash, out _);
        if (index != None) Prefetch.Start(ref _flows[index], Flow.HotLength);
        return index;
    }

    /// <summary>
    /// The flow of this packet, or <see cref="None"/>. <paramref name="likely"/>: the entry that was found ahead, or <see cref="None"/>. <paramref name="direction"/>: 0 the packet
    /// goes out (client to server), 1 in.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int likely, uint hash, in Packet packet, out int direction)
    {
        if (likely != None && (direction = DirectionIn(_flows[likely], packet)) >= 0) return likely;
        return Find(hash, packet, out direction);
    }

    int Find(uint hash, in Packet packet, out int direction)
    {
        for (int i = _index.First(hash, out uint place); i != None; i = _index.Next(hash, ref place))
        {
            direction = DirectionIn(_flows[i], packet);
            if (direction >= 0) return i;
        }
        direction = 0;
        return None;
    }

    /// <summary>Negative: it is not of this flow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int DirectionIn(in Flow flow, in Packet packet)
    {
        if (flow.Protocol != packet.Protocol || flow.Scope != packet.Scope) return -1;
        if (flow.ClientPort == packet.SourcePort && flow.ServerPort == packet.DestinationPort && flow.Client == packet.Source && flow.Server == packet.Destination) return 0;
        if (flow.ClientPort == packet.DestinationPort && flow.ServerPort == packet.SourcePort && flow.Client == packet.Destination && flow.Server == packet.Source) return 1;
        return -1;
    }

    /// <summary>Takes a free entry (the caller has made sure that there is one), clears it and files it.</summary>
    public int Add(uint hash, FlowClass flowClass, long tick)
    {
        int index = _free != None ? _free : _fresh++;
        ref Flow flow = ref _flows[index];
        if (index == _free) _free = flow.Newer;
        flow = default;
        flow.Hash = hash;
        flow.Class = flowClass;
        flow.Conversation = None;
        _index.Add(hash, index);
        Append(index, ref flow, tick);
        Count++;
        return index;
    }

    public void Remove(int index)
    {
        ref Flow flow = ref _flows[index];
        Unlink(index, ref flow);
        _index.Remove(flow.Hash, index);
        // Whoever found it ahead must not find it now.
        flow.Protocol = byte.MaxValue;
        flow.Newer = _free;
        _free = index;
        Count--;
    }

    /// <summary>The flow's turn in its list is due: the caller then calls <see cref="Relist"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsDue(in Flow flow, long tick) => ListTime(tick) - flow.Listed >= ListTime(ListGranularity);

    /// <summary>Units of 2^20 ns, about a millisecond, in 32 bits that may go round: only differences count.</summary>
    static uint ListTime(long tick) => (uint)(tick >> 20);

    public void Relist(int index, ref Flow flow, FlowClass flowClass, long tick)
    {
        Unlink(index, ref flow);
        flow.Class = flowClass;
        Append(index, ref flow, tick);
    }

    /// <summary>The flow of this class that was seen longest ago, or <see cref="None"/>.</summary>
    public int Oldest(FlowClass flowClass) => _oldest[(int)flowClass];

    /// <summary>Of all classes; an ended connection goes before a living one of the same age.</summary>
    public int LeastRecentlySeen()
    {
        int best = None;
        foreach (int candidate in _oldest)
        {
            if (candidate != None && (best == None || _flows[candidate].LastTick < _flows[best].LastTick)) best = candidate;
        }
        return best;
    }

    /// <summary>Of the flow that times out or makes room next: its slot is wanted then, and the flow behind it after that. Nobody has touched them for long.</summary>
    void AskForNext(ref Flow next)
    {
        AskForSlot(next.Hash);
        if (next.Newer != None) Prefetch.Value(ref _flows[next.Newer]);
    }

    void Append(int index, ref Flow flow, long tick)
    {
        flow.Listed = ListTime(tick);
        int c = (int)flow.Class;
        flow.Newer = None;
        flow.Older = _youngest[c];
        if (flow.Older != None) _flows[flow.Older].Newer = index;
        else _oldest[c] = index;
        _youngest[c] = index;
    }

    void Unlink(int index, ref Flow flow)
    {
        int c = (int)flow.Class;
        if (flow.Older != None) _flows[flow.Older].Newer = flow.Newer;
        else
        {
            _oldest[c] = flow.Newer;
            if (flow.Newer != None) AskForNext(ref _flows[flow.Newer]);
        }
        if (flow.Newer != None) _flows[flow.Newer].Older = flow.Older;
        else _youngest[c] = flow.Older;
    }
}
