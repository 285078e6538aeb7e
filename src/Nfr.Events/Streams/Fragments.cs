using Nfr.Wire;

namespace Nfr.Events;

/// <summary>What became of a fragment.</summary>
enum FragmentResult
{
    /// <summary>Kept; the datagram is not whole yet.</summary>
    Held,
    /// <summary>The datagram is whole: see <see cref="Fragments.Datagram"/>.</summary>
    Complete,
    /// <summary>Reaches beyond 65,535 bytes: not a fragment of any datagram.</summary>
    Beyond,
    /// <summary>No room: the fragment was dropped and counted.</summary>
    Dropped,
}

/// <summary>
/// Puts IPv4 and IPv6 fragments together (RFC 791 3.2, RFC 8200 4.5). Where fragments overlap the first bytes win, as most hosts have
/// it; an overlap that differs is counted. At most <see cref="Capacity"/> datagrams at a time, each at most <see cref="Timeout"/> old;
/// when all are taken the oldest is given up and counted.
/// </summary>
sealed class Fragments
{
    public const int Capacity = 256;
    public const long Timeout = 30_000_000_000;

    struct Entry
    {
        public Address Source;
        public Address Destination;
        public uint Identification;
        public byte Protocol;
        public int Buffer;
        public int TotalLength;
        public ReceivedRanges Received;
        public long FirstTick;
        public int Packets;
        public int WireBytes;
    }

    readonly BufferPool _buffers;
    readonly long[] _faults;
    readonly Entry[] _entries = new Entry[Capacity];
    // Hash of each entry's key, 0 = free: one vectorised search finds the entry.
    readonly uint[] _keys = new uint[Capacity];
    int _inUse;
    int _completed = -1;

    public Fragments(BufferPool buffers, long[] faults)
    {
        _buffers = buffers;
        _faults = faults;
    }

    /// <summary>Payload of the datagram that just became whole; valid until <see cref="Release"/>.</summary>
    public ReadOnlySpan<byte> Datagram => _buffers[_entries[_completed].Buffer][.._entries[_completed].TotalLength];
    public int Packets => _entries[_completed].Packets;

    /// <summary>Sum of the IP lengths of its fragments.</summary>
    public int WireBytes => _entries[_completed].WireBytes;

    public FragmentResult Add(in Address source, in Address destination, uint identification, byte protocol, int offset, bool more,
        ReadOnlySpan<byte> payload, int wireBytes, long tick)
    {
        if (offset + payload.Length > 65_535) return FragmentResult.Beyond;
        uint key = (uint)HashCode.Combine(source, destination, identification, protocol) | 1;
        int index = Find(key, source, destination, identification, protocol);
        if (index >= 0 && tick - _entries[index].FirstTick > Timeout)
        {
            _faults[(int)DecodeFault.FragmentTimedOut]++;
            Free(index);
            index = -1;
        }
        if (index < 0) index = Open(key, source, destination, identification, protocol, tick);
        ref Entry entry = ref _entries[index];
        entry.Packets++;
        entry.WireBytes += wireBytes;
        int end = offset + payload.Length;
        if (!more)
        {
            // The first claim of where the datagram ends stands.
            if (entry.TotalLength < 0) entry.TotalLength = end;
        }
        if (!_buffers.TryGrow(ref entry.Buffer, Math.Max(end, 1), entry.Received.End))
        {
            _faults[(int)DecodeFault.StreamBuffersExhausted]++;
            Free(index);
            return FragmentResult.Dropped;
        }
        if (!entry.Received.TryLay(_buffers[entry.Buffer], offset, payload, out bool differs))
        {
            _faults[(int)DecodeFault.FragmentTableFull]++;
            Free(index);
            return FragmentResult.Dropped;
        }
        if (differs) _faults[(int)DecodeFault.FragmentOverlapDiffers]++;
        if (entry.TotalLength < 0 || entry.Received.Ready < entry.TotalLength) return FragmentResult.Held;
        _completed = index;
        return FragmentResult.Complete;
    }

    /// <summary>Gives back what <see cref="Datagram"/> showed.</summary>
    public void Release()
    {
        Free(_completed);
        _completed = -1;
    }

    /// <summary>Gives up what has waited too long.</summary>
    public void Expire(long tick)
    {
        if (_inUse == 0) return;
        for (int i = 0; i < Capacity; i++)
        {
            if (_keys[i] == 0 || tick - _entries[i].FirstTick <= Timeout) continue;
            _faults[(int)DecodeFault.FragmentTimedOut]++;
            Free(i);
        }
    }

    int Find(uint key, in Address source, in Address destination, uint identification, byte protocol)
    {
        int from = 0;
        while (from < Capacity)
        {
            int at = _keys.AsSpan(from).IndexOf(key);
            if (at < 0) return -1;
            at += from;
            ref Entry entry = ref _entries[at];
            if (entry.Identification == identification && entry.Protocol == protocol && entry.Source == source && entry.Destination == destination) return at;
            from = at + 1;
        }
        return -1;
    }

    int Open(uint key, in Address source, in Address destination, uint identification, byte protocol, long tick)
    {
        int index = _keys.AsSpan().IndexOf(0u);
        if (index < 0)
        {
            index = 0;
            for (int i = 1; i < Capacity; i++)
            {
                if (_entries[i].FirstTick < _entries[index].FirstTick) index = i;
            }
            _faults[(int)DecodeFault.FragmentTableFull]++;
            Free(index);
        }
        _keys[index] = key;
        _inUse++;
        ref Entry entry = ref _entries[index];
        entry = default;
        entry.Source = source;
        entry.Destination = destination;
        entry.Identification = identification;
        entry.Protocol = protocol;
        entry.Buffer = BufferPool.None;
        entry.TotalLength = -1;
        entry.FirstTick = tick;
        return index;
    }

    void Free(int index)
    {
        _buffers.Return(ref _entries[index].Buffer);
        _keys[index] = 0;
        _inUse--;
    }
}
