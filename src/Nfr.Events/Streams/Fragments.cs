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
/// it; an overlap that differs, or a second word on where the datagram ends, is counted. At most <see cref="Capacity"/> datagrams at a time,
/// <see cref="MaximumBytes"/> together, each at most <see cref="Timeout"/> old; when there is no room the oldest is given up and counted.
/// </summary>
sealed class Fragments
{
    public const int Capacity = 256;
    public const long Timeout = 30_000_000_000;

    /// <summary>Of the shared pool's 11 MiB (16 of its 48 large buffers, or 64 of 256 medium ones): fragments must not starve streams. Full: the oldest goes.</summary>
    public const int MaximumBytes = 1024 * 1024;

    /// <summary>Pairs of hosts whose overlaps were told last; when full the oldest pair is forgotten, and told again.</summary>
    const int ToldPairs = 64;

    struct Entry
    {
        public Address Source;
        public Address Destination;
        /// <summary>See <see cref="FlowScope"/>.</summary>
        public uint Scope;
        public uint Identification;
        public byte Protocol;
        public int Buffer;
        public int TotalLength;
        public ReceivedRanges Received;
        public long FirstTick;
        public int Packets;
        public int WireBytes;
        public bool IsAmbiguous;
    }

    readonly BufferPool _buffers;
    readonly long[] _faults;
    readonly Entry[] _entries = new Entry[Capacity];
    // Hash of each entry's key, 0 = free: one vectorised search finds the entry.
    readonly uint[] _keys = new uint[Capacity];
    readonly (Address Source, Address Destination, byte Protocol)[] _told = new (Address, Address, byte)[ToldPairs];
    int _nextTold;
    int _inUse;
    int _bytes;
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

    /// <summary>Its fragments contradicted each other.</summary>
    public bool IsAmbiguous => _entries[_completed].IsAmbiguous;

    /// <summary>
    /// The fragment that <see cref="Add"/> was given contradicts an earlier one or reaches beyond any datagram, and nothing of these two hosts has
    /// been told lately.
    /// </summary>
    public bool IsNews { get; private set; }

    public FragmentResult Add(in Address source, in Address destination, uint scope, uint identification, byte protocol, int offset, bool more,
        ReadOnlySpan<byte> payload, int wireBytes, long tick)
    {
        IsNews = false;
        if (offset + payload.Length > 65_535)
        {
            IsNews = Tell(source, destination, protocol);
            return FragmentResult.Beyond;
        }
        uint key = (uint)HashCode.Combine(source, destination, scope, identification, protocol) | 1;
        int index = Find(key, source, destination, scope, identification, protocol);
        if (index >= 0 && tick - _entries[index].FirstTick > Timeout)
        {
            _faults[(int)DecodeFault.FragmentTimedOut]++;
            Free(index);
            index = -1;
        }
        if (index < 0) index = Open(key, source, destination, scope, identification, protocol, tick);
        ref Entry entry = ref _entries[index];
        entry.Packets++;
        entry.WireBytes += wireBytes;
        int end = offset + payload.Length;
        bool contradicts = !more && entry.TotalLength >= 0 && entry.TotalLength != end;
        // The first claim of where the datagram ends stands.
        if (!more && entry.TotalLength < 0) entry.TotalLength = end;
        if (!TryGrow(index, ref entry, Math.Max(end, 1)))
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
        // Bytes behind the end: one of the two fragments is not of this datagram ("teardrop").
        contradicts |= entry.TotalLength >= 0 && entry.Received.End > entry.TotalLength;
        if (differs || contradicts) OnContradiction(ref entry);
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

    bool TryGrow(int index, ref Entry entry, int size)
    {
        int before = BufferPool.SizeOf(entry.Buffer);
        if (!_buffers.TryGrow(ref entry.Buffer, size, entry.Received.End)) return false;
        _bytes += BufferPool.SizeOf(entry.Buffer) - before;
        while (_bytes > MaximumBytes)
        {
            // This one alone never takes that much, so there is another.
            _faults[(int)DecodeFault.FragmentTableFull]++;
            Free(Oldest(but: index));
        }
        return true;
    }

    void OnContradiction(ref Entry entry)
    {
        _faults[(int)DecodeFault.FragmentOverlapDiffers]++;
        entry.IsAmbiguous = true;
        IsNews = Tell(entry.Source, entry.Destination, entry.Protocol);
    }

    bool Tell(in Address source, in Address destination, byte protocol)
    {
        foreach (ref readonly (Address Source, Address Destination, byte Protocol) told in _told.AsSpan())
        {
            if (told.Protocol == protocol && told.Source == source && told.Destination == destination) return false;
        }
        _told[_nextTold] = (source, destination, protocol);
        _nextTold = (_nextTold + 1) % ToldPairs;
        return true;
    }

    int Find(uint key, in Address source, in Address destination, uint scope, uint identification, byte protocol)
    {
        int from = 0;
        while (from < Capacity)
        {
            int at = _keys.AsSpan(from).IndexOf(key);
            if (at < 0) return -1;
            at += from;
            ref Entry entry = ref _entries[at];
            if (entry.Identification == identification && entry.Protocol == protocol && entry.Source == source && entry.Destination == destination && entry.Scope == scope) return at;
            from = at + 1;
        }
        return -1;
    }

    int Open(uint key, in Address source, in Address destination, uint scope, uint identification, byte protocol, long tick)
    {
        int index = _keys.AsSpan().IndexOf(0u);
        if (index < 0)
        {
            index = Oldest(but: -1);
            _faults[(int)DecodeFault.FragmentTableFull]++;
            Free(index);
        }
        _keys[index] = key;
        _inUse++;
        ref Entry entry = ref _entries[index];
        entry = default;
        entry.Source = source;
        entry.Destination = destination;
        entry.Scope = scope;
        entry.Identification = identification;
        entry.Protocol = protocol;
        entry.Buffer = BufferPool.None;
        entry.TotalLength = -1;
        entry.FirstTick = tick;
        return index;
    }

    int Oldest(int but)
    {
        int oldest = -1;
        for (int i = 0; i < Capacity; i++)
        {
            if (_keys[i] == 0 || i == but) continue;
            if (oldest < 0 || _entries[i].FirstTick < _entries[oldest].FirstTick) oldest = i;
        }
        return oldest;
    }

    void Free(int index)
    {
        _bytes -= BufferPool.SizeOf(_entries[index].Buffer);
        _buffers.Return(ref _entries[index].Buffer);
        _keys[index] = 0;
        _inUse--;
    }
}
