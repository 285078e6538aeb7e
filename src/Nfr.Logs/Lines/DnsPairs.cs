using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Nfr.Events;
using Nfr.Wire;

namespace Nfr.Logs;

/// <summary>
/// The DNS queries of one log that wait for the lines of their answers, so that a query and its answer are one event. One for each parser; one thread.
/// </summary>
/// <remarks>
/// <para>Queries go out first in, first out: the oldest, unanswered, when the log's own time has moved more than five seconds away from it, or when there is
/// no room. An answered one in the middle leaves an empty place, which goes when it is the oldest.</para>
/// <para>Why lines that are read again make the same of it. After a restart a fresh table reads from the line of the oldest waiting query on
/// (<see cref="OldestHeld"/>), and must then be as the old one was. It is, because nothing that lies before that line has a say in what lies behind it. What
/// is waiting is from that line on, and so are the empty places, since those before it are gone: room is counted alike. Whether a query is late depends on the
/// stamps of the lines behind its own, not on all that were ever seen. An answer goes to the YOUNGEST query of its key: an older one can only have been
/// the answer's while there was none behind it, so an answer that is read again finds what it found before, or nothing when that lay before the
/// line. Were it the oldest, an answer to a query before the line would be given to a repeat behind it, and that would be lost.</para>
/// <para>Memory is taken as it is needed, and kept.</para>
/// </remarks>
public sealed class DnsPairs
{
    /// <summary>Places of waiting queries, and of answered ones between them: 0.9 MiB when all were ever in use.</summary>
    public const int Capacity = 4096;
    /// <summary>Bytes of their names: 256 for each.</summary>
    public const int TextCapacity = 1 << 20;
    /// <summary>Of the log's own time, in nanoseconds, forwards or backwards.</summary>
    public const long Patience = 5_000_000_000;

    /// <summary>A name is 1,024 bytes at most; a text longer than this is cut.</summary>
    const int MaximumText = 16 * 1024;
    const int None = -1;

    struct Entry
    {
        public EventContext Context;
        public long At;
        public long Time;
        public long TextAt;
        public uint Hash;
        public uint KeyId;
        public Address KeyClient;
        public ushort KeyPort, KeyType;
        public byte KeyProtocol;
        public bool IsWaiting, KeyIsQuery;
        public ushort QueryLength, AnswersLength, KeyLength;
        public ushort QueryType, MessageLength, ResponseLength, Id, Flags, EdnsPayloadSize;
        public short ResponseCode;
        public DnsNotes Notes;
        public App Service;
        // The place of the next one of the same bucket; of the same key, only the youngest is in a bucket.
        public int Next, Older, Younger;

        public readonly int TextLength => QueryLength + AnswersLength + (KeyIsQuery ? 0 : KeyLength);
    }

    readonly SeededHash _hash = SeededHash.New();
    readonly StampExtreme _latest = new(1), _earliest = new(-1);
    // Places are counted on for ever; place p lies at p & (length - 1).
    Entry[] _entries = new Entry[32];
    int[] _buckets = new int[64];
    byte[] _text = new byte[8 * 1024];
    byte[] _piece = [];
    long _head, _tail, _textTail;

    public DnsPairs() => Array.Fill(_buckets, None);

    /// <summary>Queries that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Where the line of the oldest query begins that waits; <see cref="long.MaxValue"/> when none does: see <see cref="LineParser.OldestHeld"/>.</summary>
    public long OldestHeld => _head < _tail ? Of(_head).At : long.MaxValue;

    /// <summary>
    /// A query's line, which begins at <paramref name="at"/> (<see cref="LineParser.At"/>): its event waits, as it would go out without an answer; its spans are
    /// copied. Those that are late, or that it takes the room of, go out before.
    /// </summary>
    public void Hold(scoped in DnsEvent query, long at, IEventSink sink) => Hold(query, DnsPairKey.Of(query, query.Query), at, sink);

    /// <summary>
    /// The same, where <paramref name="key"/> is what the answer's line will say as well, and <paramref name="time"/> the line's time, in nanoseconds, as its text
    /// alone says it: for a log whose lines' stamps depend on other lines. It is the event's where it is left out.
    /// </summary>
    public void Hold(scoped in DnsEvent query, scoped DnsPairKey key, long at, IEventSink sink, long? time = null)
    {
        long own = time ?? query.Context.Timestamp;
        Pass(own, sink);
        ReadOnlySpan<byte> name = Cut(query.Query), answers = Cut(query.Answers), keyName = Cut(key.Name);
        bool apart = !keyName.SequenceEqual(name);
        int length = name.Length + answers.Length + (apart ? keyName.Length : 0);
        while (_tail - _head == Capacity || (_head < _tail && _textTail - Of(_head).TextAt + length > TextCapacity))
        {
            EmitHead(sink);
            Settle(sink);
        }
        Grow(length);

        uint hash = HashOf(key);
        int place = (int)(_tail & (_entries.Length - 1));
        ref Entry entry = ref _entries[place];
        entry = new Entry
        {
            Context = query.Context,
            At = at,
            Time = own,
            TextAt = _textTail,
            Hash = hash,
            KeyId = key.Id,
            KeyClient = key.Client,
            KeyPort = key.ClientPort,
            KeyType = key.QueryType,
            KeyProtocol = key.Protocol,
            IsWaiting = true,
            KeyIsQuery = !apart,
            QueryLength = (ushort)name.Length,
            AnswersLength = (ushort)answers.Length,
            KeyLength = (ushort)keyName.Length,
            QueryType = query.QueryType,
            MessageLength = query.QueryLength,
            ResponseLength = query.ResponseLength,
            Id = query.Id,
            Flags = query.Flags,
            EdnsPayloadSize = query.EdnsPayloadSize,
            ResponseCode = query.ResponseCode,
            Notes = query.Notes,
            Service = query.Service,
            Older = None,
            Younger = None,
        };
        Append(name);
        Append(answers);
        if (apart) Append(keyName);
        int older = Find(hash, key);
        if (older != None)
        {
            Unlink(older);
            entry.Older = older;
            _entries[older].Younger = place;
        }
        Link(place);
        _tail++;
        Count++;
    }

    /// <summary>
    /// An answer's line; its source is who was answered. Its query goes out with the answer's response code, answers, flags, response length and notes, and with
    /// what the query's line did not say. Where none waits, it is an event of its own if it may stand <paramref name="alone"/>.
    /// </summary>
    /// <returns>Whether its query waited.</returns>
    public bool Answer(scoped in DnsEvent answer, IEventSink sink, bool alone = true) => Answer(answer, DnsPairKey.Of(answer, answer.Query), sink, alone);

    /// <summary>The same, where <paramref name="key"/> is what the query's line said as well, and <paramref name="time"/> the line's time as with queries.</summary>
    public bool Answer(scoped in DnsEvent answer, scoped DnsPairKey key, IEventSink sink, bool alone = true, long? time = null)
    {
        Pass(time ?? answer.Context.Timestamp, sink);
        int place = Find(HashOf(key), key);
        if (place == None)
        {
            if (alone) sink.OnDns(answer);
            return false;
        }
        EventOf(place, out DnsEvent e);
        e.ResponseCode = answer.ResponseCode;
        e.Answers = answer.Answers;
        e.Flags = answer.Flags;
        e.ResponseLength = answer.ResponseLength;
        e.Notes |= answer.Notes;
        if (e.QueryLength == 0) e.QueryLength = answer.QueryLength;
        if (e.EdnsPayloadSize == 0) e.EdnsPayloadSize = answer.EdnsPayloadSize;
        if (e.Id == 0) e.Id = answer.Id;
        if (e.QueryType == 0) e.QueryType = answer.QueryType;
        if (e.Query.IsEmpty) e.Query = answer.Query;
        if (e.Context.Source.IsUnspecified) e.Context.Source = answer.Context.Source;
        if (e.Context.SourcePort == 0) e.Context.SourcePort = answer.Context.SourcePort;
        if (e.Context.Destination.IsUnspecified) e.Context.Destination = answer.Context.Destination;
        if (e.Context.DestinationPort == 0) e.Context.DestinationPort = answer.Context.DestinationPort;
        if (e.Context.Protocol == 0) e.Context.Protocol = answer.Context.Protocol;
        sink.OnDns(e);
        TakeOut(place);
        Settle(sink);
        return true;
    }

    /// <summary>A query of this key waits.</summary>
    public bool IsHeld(scoped DnsPairKey key) => Find(HashOf(key), key) != None;

    /// <summary>All that waits goes out unanswered, oldest first.</summary>
    public void Release(IEventSink sink)
    {
        while (_head < _tail)
        {
            EmitHead(sink);
            Settle(sink);
        }
    }

    /// <summary>A line of the log at this time: those that are late by it go out.</summary>
    void Pass(long stamp, IEventSink sink)
    {
        if (_head == _tail) return;
        _latest.Add(_tail - 1, stamp);
        _earliest.Add(_tail - 1, stamp);
        Settle(sink);
    }

    /// <summary>
    /// The oldest is a query that waits and is not late, or there is none. One may be late behind another that is not, where stamps are not in order: it goes
    /// out with the line that makes it the oldest, not with the next one, since a reader that begins at its line would not know of that.
    /// </summary>
    void Settle(IEventSink sink)
    {
        while (_head < _tail)
        {
            ref Entry entry = ref Of(_head);
            if (entry.IsWaiting)
            {
                long own = entry.Time;
                if (!IsLate(own, _latest.Since(_head, own)) && !IsLate(_earliest.Since(_head, own), own)) return;
                EmitHead(sink);
            }
            _head++;
        }
        _latest.Clear();
        _earliest.Clear();
    }

    // Two stamps may lie further apart than 63 bits can say.
    static bool IsLate(long stamp, long now) => now > stamp && (ulong)(now - stamp) > Patience;

    /// <summary>The oldest, which waits, leaves its place empty.</summary>
    void EmitHead(IEventSink sink)
    {
        int place = (int)(_head & (_entries.Length - 1));
        EventOf(place, out DnsEvent e);
        sink.OnDns(e);
        TakeOut(place);
    }

    ref Entry Of(long number) => ref _entries[number & (_entries.Length - 1)];

    void TakeOut(int place)
    {
        ref Entry entry = ref _entries[place];
        entry.IsWaiting = false;
        Count--;
        if (entry.Younger != None) _entries[entry.Younger].Older = entry.Older;
        else Unlink(place);
        if (entry.Older == None) return;
        _entries[entry.Older].Younger = entry.Younger;
        if (entry.Younger == None) Link(entry.Older);
    }

    void Link(int place)
    {
        ref int bucket = ref _buckets[_entries[place].Hash & (uint)(_buckets.Length - 1)];
        _entries[place].Next = bucket;
        bucket = place;
    }

    void Unlink(int place)
    {
        ref int link = ref _buckets[_entries[place].Hash & (uint)(_buckets.Length - 1)];
        while (link != place) link = ref _entries[link].Next;
        link = _entries[place].Next;
    }

    /// <summary>The youngest of this key.</summary>
    int Find(uint hash, scoped DnsPairKey key)
    {
        for (int i = _buckets[hash & (uint)(_buckets.Length - 1)]; i != None; i = _entries[i].Next)
        {
            ref Entry e = ref _entries[i];
            if (e.Hash == hash && e.KeyId == key.Id && e.KeyPort == key.ClientPort && e.KeyType == key.QueryType && e.KeyProtocol == key.Protocol
                && e.KeyLength == Math.Min(key.Name.Length, MaximumText) && e.KeyClient == key.Client && NameIs(e, key.Name)) return i;
        }
        return None;
    }

    bool NameIs(in Entry entry, ReadOnlySpan<byte> name)
    {
        int start = (int)((entry.TextAt + (entry.KeyIsQuery ? 0 : entry.QueryLength + entry.AnswersLength)) & (_text.Length - 1));
        int first = Math.Min(entry.KeyLength, _text.Length - start);
        return Ascii.EqualsIgnoreCase(_text.AsSpan(start, first), name[..first]) && Ascii.EqualsIgnoreCase(_text.AsSpan(0, entry.KeyLength - first), name[first..entry.KeyLength]);
    }

    uint HashOf(scoped DnsPairKey key)
    {
        const ulong LowerCase = 0x2020_2020_2020_2020;
        ulong h = _hash.Of(key.Client, ((ulong)key.Id << 24) | ((ulong)key.Protocol << 16) | key.ClientPort);
        h = _hash.Then(h, key.QueryType);
        ReadOnlySpan<byte> name = Cut(key.Name);
        while (name.Length >= sizeof(ulong))
        {
            h = _hash.Then(h, MemoryMarshal.Read<ulong>(name) | LowerCase);
            name = name[sizeof(ulong)..];
        }
        ulong rest = (ulong)name.Length << 56;
        for (int i = 0; i < name.Length; i++) rest |= (ulong)(name[i] | 0x20) << (8 * i);
        return (uint)(_hash.Then(h, rest) >> 32);
    }

    void EventOf(int place, out DnsEvent e)
    {
        ref Entry entry = ref _entries[place];
        ReadOnlySpan<byte> text = TextOf(entry);
        e = new DnsEvent
        {
            Context = entry.Context,
            Query = text[..entry.QueryLength],
            QueryType = entry.QueryType,
            ResponseCode = entry.ResponseCode,
            Answers = text[entry.QueryLength..],
            QueryLength = entry.MessageLength,
            ResponseLength = entry.ResponseLength,
            Id = entry.Id,
            Flags = entry.Flags,
            EdnsPayloadSize = entry.EdnsPayloadSize,
            Notes = entry.Notes,
            Service = entry.Service,
        };
    }

    /// <summary>Of the event, in one piece.</summary>
    ReadOnlySpan<byte> TextOf(in Entry entry)
    {
        int length = entry.QueryLength + entry.AnswersLength, start = (int)(entry.TextAt & (_text.Length - 1));
        if (start + length <= _text.Length) return _text.AsSpan(start, length);
        if (_piece.Length < length) _piece = new byte[BitOperations.RoundUpToPowerOf2((uint)length)];
        int first = _text.Length - start;
        _text.AsSpan(start).CopyTo(_piece);
        _text.AsSpan(0, length - first).CopyTo(_piece.AsSpan(first));
        return _piece.AsSpan(0, length);
    }

    void Append(ReadOnlySpan<byte> text)
    {
        int start = (int)(_textTail & (_text.Length - 1)), first = Math.Min(text.Length, _text.Length - start);
        text[..first].CopyTo(_text.AsSpan(start));
        text[first..].CopyTo(_text);
        _textTail += text.Length;
    }

    static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text) => text.Length <= MaximumText ? text : text[..MaximumText];

    /// <summary>Makes room for one more with a text of this length, which the limits allow.</summary>
    void Grow(int length)
    {
        long textHead = _head < _tail ? Of(_head).TextAt : _textTail;
        if (_textTail - textHead + length > _text.Length)
        {
            byte[] old = _text;
            _text = new byte[BitOperations.RoundUpToPowerOf2((uint)(_textTail - textHead + length))];
            for (long at = textHead; at < _textTail;)
            {
                int from = (int)(at & (old.Length - 1)), to = (int)(at & (_text.Length - 1));
                int n = (int)Math.Min(_textTail - at, Math.Min(old.Length - from, _text.Length - to));
                old.AsSpan(from, n).CopyTo(_text.AsSpan(to));
                at += n;
            }
        }
        if (_tail - _head < _entries.Length) return;

        Entry[] before = _entries;
        _entries = new Entry[before.Length * 2];
        _buckets = new int[_entries.Length * 2];
        Array.Fill(_buckets, None);
        for (long n = _head; n < _tail; n++)
        {
            ref Entry entry = ref Of(n);
            entry = before[n & (before.Length - 1)];
            (entry.Older, entry.Younger) = (Moved(entry.Older), Moved(entry.Younger));
            if (entry.IsWaiting && entry.Younger == None) Link((int)(n & (_entries.Length - 1)));
        }

        // From a place in the old array to the same number's in the new one.
        int Moved(int place) => place == None ? None : (int)((_head + ((place - _head) & (before.Length - 1))) & (_entries.Length - 1));
    }

    /// <summary>
    /// The greatest (or, with a sign of -1, the least) stamp of the lines behind any of the queries that wait: of stamps that a later one outdid, none is kept.
    /// </summary>
    sealed class StampExtreme(int sign)
    {
        // Each: the youngest query before the line, and the line's stamp with the sign.
        (long Number, long Stamp)[] _kept = new (long, long)[8];
        long _first, _end;

        ref (long Number, long Stamp) At(long i) => ref _kept[i & (_kept.Length - 1)];

        public void Clear() => _first = _end = 0;

        public void Add(long number, long stamp)
        {
            stamp *= sign;
            while (_end > _first && At(_end - 1).Stamp <= stamp) _end--;
            if (_end > _first && At(_end - 1).Number == number) return;
            if (_end - _first == _kept.Length)
            {
                var more = new (long, long)[_kept.Length * 2];
                for (long i = _first; i < _end; i++) more[i & (more.Length - 1)] = At(i);
                _kept = more;
            }
            At(_end++) = (number, stamp);
        }

        /// <summary>Of the lines behind this query, which is the oldest there is; <paramref name="own"/> when there were none.</summary>
        public long Since(long number, long own)
        {
            while (_first < _end && At(_first).Number < number) _first++;
            return _first < _end ? At(_first).Stamp * sign : own;
        }
    }
}
