using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Nfr.Native;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>A DNS query that waits for its answer.</summary>
struct WaitingQuery
{
    /// <summary>Nearly every name fits; the few that are longer as text (escapes) are kept in a rented buffer.</summary>
    public const int NameSpace = 256;

    public EventContext Context;
    /// <summary>See <see cref="FlowScope"/>.</summary>
    public uint Scope;
    public uint Hash;
    public uint Transaction;
    public ushort Id;
    public ushort Flags;
    public ushort QueryType;
    public ushort QueryLength;
    public ushort EdnsPayloadSize;
    public ushort NameLength;
    public DnsNotes Notes;
    public App Service;
    public int Overflow;
    // Links of the list by age; Newer is also that of the free ones.
    internal int Older, Newer;
    internal NameText Name;

    [InlineArray(NameSpace)]
    internal struct NameText
    {
        byte _first;
    }
}

/// <summary>
/// The DNS queries that wait: found by endpoints, id, type and name (RFC 1035 4.1.1, RFC 5452 9.1), taken out from anywhere, and given in the order of their
/// age. Every operation is a few steps whatever was asked: the name is part of the hash, and the hash has a seed of its own for each run, so that
/// nobody can choose queries that all meet in one place.
/// </summary>
sealed class WaitingQueries
{
    /// <summary>8,192 entries of about 400 bytes: 3.1 MiB, and a border of 2 MiB that nobody touches. When all are taken the caller lets the oldest go first.</summary>
    public const int Capacity = 8192;
    public const int None = -1;

    readonly BufferPool _buffers;
    readonly PinnedTable<WaitingQuery> _entries = new(Capacity);
    readonly HashIndex _index = new(Capacity);
    // The youngest query of endpoints and id: an answer that leaves its question out names no more than these.
    readonly int[] _byTransaction = new int[Capacity];
    readonly SeededHash _hash = SeededHash.New();
    int _free = None;
    int _fresh;
    int _youngest = None;

    public WaitingQueries(BufferPool buffers)
    {
        _buffers = buffers;
        Array.Fill(_byTransaction, None);
    }

    public int Count { get; private set; }
    public bool IsFull => Count == Capacity;
    public int Oldest { get; private set; } = None;

    /// <summary>Entries looked at by all searches so far: what a flood costs, in steps.</summary>
    public long Steps { get; private set; }

    public ref WaitingQuery this[int index] => ref _entries[index];

    public ReadOnlySpan<byte> NameOf(int index)
    {
        ref WaitingQuery entry = ref _entries[index];
        return entry.Overflow == BufferPool.None ? ((ReadOnlySpan<byte>)entry.Name)[..entry.NameLength] : _buffers[entry.Overflow][..entry.NameLength];
    }

    /// <summary>The query of this question; in <paramref name="asked"/> the source is the client.</summary>
    public int Find(uint hash, in EventContext asked, uint scope, ushort id, ushort type, ReadOnlySpan<byte> name)
    {
        for (int i = _index.First(hash, out uint place); i != None; i = _index.Next(hash, ref place))
        {
            Steps++;
            ref WaitingQuery entry = ref _entries[i];
            if (entry.QueryType == type && IsOf(entry, asked, scope, id) && System.Text.Ascii.EqualsIgnoreCase(NameOf(i), name)) return i;
        }
        return None;
    }

    /// <summary>The youngest query of these endpoints and this id.</summary>
    public int Find(uint transaction, in EventContext asked, uint scope, ushort id)
    {
        int i = _byTransaction[transaction % Capacity];
        return i != None && IsOf(_entries[i], asked, scope, id) ? i : None;
    }

    static bool IsOf(in WaitingQuery entry, in EventContext asked, uint scope, ushort id) =>
        entry.Id == id && entry.Scope == scope && entry.Context.Source == asked.Source && entry.Context.Destination == asked.Destination
        && entry.Context.SourcePort == asked.SourcePort && entry.Context.DestinationPort == asked.DestinationPort && entry.Context.Protocol == asked.Protocol;

    /// <summary>Takes a free entry, which there must be; the caller fills in what the table does not keep.</summary>
    public int Add(uint hash, uint transaction, in EventContext context, uint scope, ushort id, ushort type, ReadOnlySpan<byte> name)
    {
        int index = _free != None ? _free : _fresh++;
        ref WaitingQuery entry = ref _entries[index];
        if (index == _free) _free = entry.Newer;
        entry.Context = context;
        entry.Scope = scope;
        entry.Hash = hash;
        entry.Transaction = transaction;
        entry.Id = id;
        entry.QueryType = type;
        entry.NameLength = (ushort)name.Length;
        entry.Overflow = BufferPool.None;
        if (name.Length <= WaitingQuery.NameSpace) name.CopyTo(entry.Name);
        else if (_buffers.TryRent(name.Length, out entry.Overflow)) name.CopyTo(_buffers[entry.Overflow]);
        else
        {
            entry.NameLength = WaitingQuery.NameSpace;
            name[..WaitingQuery.NameSpace].CopyTo(entry.Name);
        }
        _index.Add(hash, index);
        _byTransaction[transaction % Capacity] = index;
        entry.Newer = None;
        entry.Older = _youngest;
        if (_youngest != None) _entries[_youngest].Newer = index;
        else Oldest = index;
        _youngest = index;
        Count++;
        return index;
    }

    public void Remove(int index)
    {
        ref WaitingQuery entry = ref _entries[index];
        _buffers.Return(ref entry.Overflow);
        _index.Remove(entry.Hash, index);
        ref int youngest = ref _byTransaction[entry.Transaction % Capacity];
        if (youngest == index) youngest = None;
        if (entry.Older != None) _entries[entry.Older].Newer = entry.Newer;
        else Oldest = entry.Newer;
        if (entry.Newer != None) _entries[entry.Newer].Older = entry.Older;
        else _youngest = entry.Older;
        entry.Newer = _free;
        _free = index;
        Count--;
    }

    /// <summary>Of the endpoints, their scope and the id. Source is the client.</summary>
    public uint TransactionHash(in EventContext asked, uint scope, ushort id) =>
        TransactionHash(asked.Source, asked.SourcePort, asked.Destination, asked.DestinationPort, asked.Protocol, scope, id);

    uint TransactionHash(in Address client, ushort clientPort, in Address server, ushort serverPort, byte protocol, uint scope, ushort id)
    {
        ulong h = _hash.Of(client, ((ulong)id << 16) | clientPort) + _hash.Of(server, ((ulong)scope << 16) | serverPort);
        return NotZero(_hash.Then(h, protocol));
    }

    /// <summary>0 says that there is none.</summary>
    static uint NotZero(ulong hash) => Math.Max(1, (uint)(hash >> 32));

    /// <summary>Of an answer that comes soon, from server to client: its query is fetched from memory meanwhile.</summary>
    public void AskFor(in Packet answer, ushort id)
    {
        int index = _byTransaction[TransactionHash(answer.Destination, answer.DestinationPort, answer.Source, answer.SourcePort, answer.Protocol, answer.Scope, id) % Capacity];
        if (index != None) Prefetch.Value(ref _entries[index]);
    }

    /// <summary>Of the whole question; letters of either case are one.</summary>
    public uint QuestionHash(uint transaction, ushort type, ReadOnlySpan<byte> name)
    {
        const ulong LowerCase = 0x2020_2020_2020_2020;
        ulong h = _hash.Then(transaction, type);
        while (name.Length >= sizeof(ulong))
        {
            h = _hash.Then(h, MemoryMarshal.Read<ulong>(name) | LowerCase);
            name = name[sizeof(ulong)..];
        }
        ulong rest = (ulong)name.Length << 56;
        for (int i = 0; i < name.Length; i++) rest |= (ulong)(name[i] | 0x20) << (8 * i);
        return NotZero(_hash.Then(h, rest));
    }
}
