using System.Numerics;
using System.Runtime.CompilerServices;
using Nfr.Wire;

namespace Nfr.Events;

/// <summary>
/// Pairs DNS queries with their answers (RFC 1035 4.1.1: same endpoints, same id, same question) and emits one event for each query: with
/// its answer when that comes, without after <see cref="Timeout"/>. An answer whose query was not seen (half of a mirrored link, a start in the
/// middle) gives an event of its own. At most <see cref="Capacity"/> queries wait; when more do, the oldest is emitted unanswered.
/// </summary>
sealed class DnsTransactions<TSink>
    where TSink : struct, IEventSink
{
    public const int Capacity = 8192;

    /// <summary>Resolvers give up after five seconds, twice.</summary>
    public const long Timeout = 10_000_000_000;

    /// <summary>Nearly every name fits; the few that are longer as text (escapes) are kept in a rented buffer.</summary>
    const int NameSpace = 256;
    const int None = -1;

    struct Entry
    {
        public EventContext Context;
        public int Next;
        public int Older;
        public int Newer;
        public uint Hash;
        public ushort Id;
        public ushort QueryType;
        public ushort QueryLength;
        public ushort NameLength;
        public int Overflow;
        public Name Name;
    }

    [InlineArray(NameSpace)]
    struct Name
    {
        byte _first;
    }

    readonly Emitter<TSink> _emitter;
    readonly BufferPool _buffers;
    readonly Entry[] _entries = new Entry[Capacity];
    readonly int[] _buckets = new int[Capacity * 2];
    // Transactions answered a moment ago, by hash: their repeated answers are not events.
    readonly uint[] _answered = new uint[Capacity];
    readonly byte[] _name = new byte[DnsName.MaxTextLength + 1];
    readonly byte[] _answers = new byte[8 * 1024];
    // Of its own for each run, so that nobody can choose queries that all meet in one bucket.
    readonly ulong _seed = BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)));
    int _free;
    int _oldest = None;
    int _youngest = None;

    public DnsTransactions(Emitter<TSink> emitter, BufferPool buffers)
    {
        _emitter = emitter;
        _buffers = buffers;
        Array.Fill(_buckets, None);
        for (int i = 0; i < Capacity; i++) _entries[i].Next = i + 1 < Capacity ? i + 1 : None;
    }

    public int Waiting { get; private set; }

    /// <param name="context">Of the packet that brought the message: source and destination as on the wire.</param>
    /// <param name="message">The bytes of a DNS message.</param>
    public DecodeFault OnMessage(in EventContext context, ReadOnlySpan<byte> message)
    {
        DecodeFault fault = DnsMessage.TryRead(message, out DnsMessage dns);
        if (fault != DecodeFault.None) return fault;
        if (!dns.HasQuestion && !dns.IsResponse) return DecodeFault.None;
        ReadOnlySpan<byte> name = _name.AsSpan(0, dns.ReadQuestionName(_name));
        if (dns.IsResponse) OnResponse(context, dns, name);
        else OnQuery(context, dns, name);
        return DecodeFault.None;
    }

    /// <summary>Emits the queries that have waited too long.</summary>
    public void Expire(long tick)
    {
        while (_oldest != None && tick - _entries[_oldest].Context.Tick > Timeout) EmitUnanswered(_oldest);
    }

    public void Drain()
    {
        while (_oldest != None) EmitUnanswered(_oldest);
    }

    void OnQuery(in EventContext context, in DnsMessage dns, ReadOnlySpan<byte> name)
    {
        ushort length = (ushort)Math.Min(dns.Bytes.Length, ushort.MaxValue);
        // A multicast question (mDNS, LLMNR) is answered from elsewhere, by many or by nobody.
        if (IsMulticast(context.Destination))
        {
            _emitter.Dns(new DnsEvent { Context = context, Query = name, QueryType = dns.QuestionType, ResponseCode = -1, QueryLength = length });
            return;
        }
        if (_free == None) EmitUnanswered(_oldest);
        int index = _free;
        ref Entry entry = ref _entries[index];
        _free = entry.Next;
        entry.Context = context;
        entry.Id = dns.Id;
        entry.QueryType = dns.QuestionType;
        entry.QueryLength = length;
        entry.NameLength = (ushort)name.Length;
        entry.Overflow = BufferPool.None;
        if (name.Length <= NameSpace) name.CopyTo(entry.Name);
        else if (_buffers.TryRent(name.Length, out entry.Overflow)) name.CopyTo(_buffers[entry.Overflow]);
        else
        {
            entry.NameLength = NameSpace;
            name[..NameSpace].CopyTo(entry.Name);
        }
        entry.Hash = Hash(context.Source, context.SourcePort, context.Destination, context.DestinationPort, context.Protocol, dns.Id);
        ref int bucket = ref _buckets[entry.Hash % (uint)_buckets.Length];
        entry.Next = bucket;
        bucket = index;
        entry.Newer = None;
        entry.Older = _youngest;
        if (_youngest != None) _entries[_youngest].Newer = index;
        else _oldest = index;
        _youngest = index;
        Waiting++;
    }

    void OnResponse(in EventContext context, in DnsMessage dns, ReadOnlySpan<byte> name)
    {
        ReadOnlySpan<byte> answers = PackAnswers(dns);
        uint hash = Hash(context.Destination, context.DestinationPort, context.Source, context.SourcePort, context.Protocol, dns.Id);
        bool found = false;
        // Queries repeated by the client while it waited are all answered by this.
        for (int i = _buckets[hash % (uint)_buckets.Length]; i != None;)
        {
            ref Entry entry = ref _entries[i];
            int next = entry.Next;
            if (Answers(entry, hash, context, dns, name))
            {
                found = true;
                Emit(i, (short)dns.ResponseCode, answers, (ushort)Math.Min(dns.Bytes.Length, ushort.MaxValue));
            }
            i = next;
        }
        ref uint remembered = ref _answered[hash % Capacity];
        if (found)
        {
            remembered = hash;
            return;
        }
        if (remembered == hash || !dns.HasQuestion || IsMulticast(context.Destination)) return;
        remembered = hash;
        EventContext asked = context;
        (asked.Source, asked.Destination) = (context.Destination, context.Source);
        (asked.SourcePort, asked.DestinationPort) = (context.DestinationPort, context.SourcePort);
        _emitter.Dns(new DnsEvent
        {
            Context = asked,
            Query = name,
            QueryType = dns.QuestionType,
            ResponseCode = (short)dns.ResponseCode,
            Answers = answers,
            ResponseLength = (ushort)Math.Min(dns.Bytes.Length, ushort.MaxValue),
        });
    }

    bool Answers(in Entry entry, uint hash, in EventContext response, in DnsMessage dns, ReadOnlySpan<byte> name) =>
        entry.Hash == hash && entry.Id == dns.Id && entry.Context.Source == response.Destination && entry.Context.Destination == response.Source
        && entry.Context.SourcePort == response.DestinationPort && entry.Context.DestinationPort == response.SourcePort
        && entry.Context.Protocol == response.Protocol
        && (!dns.HasQuestion || (entry.QueryType == dns.QuestionType && System.Text.Ascii.EqualsIgnoreCase(NameOf(entry), name)));

    ReadOnlySpan<byte> PackAnswers(in DnsMessage dns)
    {
        var writer = new DnsAnswerWriter(_answers);
        DnsRecordReader records = dns.Records;
        while (records.MoveNext() && records.Section == DnsSection.Answer)
        {
            Span<byte> space = writer.TextSpace;
            if (space.Length < DnsName.MaxTextLength) break;
            writer.Commit(records.Type, records.TimeToLive, records.FormatData(space, out _));
        }
        return writer.Written;
    }

    ReadOnlySpan<byte> NameOf(in Entry entry) =>
        entry.Overflow == BufferPool.None ? ((ReadOnlySpan<byte>)entry.Name)[..entry.NameLength] : _buffers[entry.Overflow][..entry.NameLength];

    void EmitUnanswered(int index) => Emit(index, -1, default, 0);

    void Emit(int index, short responseCode, ReadOnlySpan<byte> answers, ushort responseLength)
    {
        ref Entry entry = ref _entries[index];
        _emitter.Dns(new DnsEvent
        {
            Context = entry.Context,
            Query = NameOf(entry),
            QueryType = entry.QueryType,
            ResponseCode = responseCode,
            Answers = answers,
            QueryLength = entry.QueryLength,
            ResponseLength = responseLength,
        });
        _buffers.Return(ref entry.Overflow);
        ref int link = ref _buckets[entry.Hash % (uint)_buckets.Length];
        while (link != index) link = ref _entries[link].Next;
        link = entry.Next;
        if (entry.Older != None) _entries[entry.Older].Newer = entry.Newer;
        else _oldest = entry.Newer;
        if (entry.Newer != None) _entries[entry.Newer].Older = entry.Older;
        else _youngest = entry.Older;
        entry.Next = _free;
        _free = index;
        Waiting--;
    }

    uint Hash(in Address client, ushort clientPort, in Address server, ushort serverPort, byte protocol, ushort id)
    {
        ulong h = (client.High ^ _seed ^ BitOperations.RotateLeft(server.High, 23)) * 0xD6E8FEB86659FD93UL;
        h = (h ^ client.Low ^ BitOperations.RotateLeft(server.Low, 31)) * 0xA0761D6478BD642FUL;
        h ^= ((ulong)clientPort << 40) | ((ulong)serverPort << 24) | ((ulong)protocol << 16) | id;
        h *= 0x9E3779B97F4A7C15UL;
        return (uint)(h >> 32) | 1;
    }

    static bool IsMulticast(in Address address) => address.IsV4 ? address.V4 >> 28 == 14 : address.High >> 56 == 0xFF;
}
