using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Nfr.Events;

/// <summary>
/// Carries events from one capture worker to the pipeline thread: a bounded single-producer, single-consumer ring of bytes.
/// </summary>
/// <remarks>
/// <para>Why it is right without locks. <c>_head</c> is written by the producer only, <c>_tail</c> by the consumer only; both count bytes and
/// never go back. The producer writes a record's bytes first and then publishes <c>_head</c> with a release store; the consumer reads
/// <c>_head</c> with an acquire load before it touches the bytes. So the consumer never sees a half-written record. The other way round the
/// consumer publishes <c>_tail</c> with a release store after its last read of a record, and the producer reads <c>_tail</c> with an acquire
/// load before it overwrites those bytes. A record never wraps: where it would, a filler of negative length closes the lap.</para>
/// <para>Each record: length (i32, the rounded size of the whole record; negative = filler), then the event as
/// <see cref="EventEncoding"/> lays it out. Records start at multiples of eight.</para>
/// <para>When full: <see cref="TryWriteDns"/> and its fellows say false and the caller counts the event as dropped (live) or waits (file).</para>
/// <para>A grouped ring carries the events of a log's line and behind them the mark that says how far the log is read by them
/// (<see cref="InputMark"/>). A group is published whole, by its mark, and handed over whole: the consumer never stands between an event and its
/// mark, so that a commit holds both or neither.</para>
/// </remarks>
public sealed class EventRing
{
    /// <summary>4 MiB hold about 20,000 events: at 5,000 events/s a stall of four seconds.</summary>
    public const int DefaultCapacity = 4 << 20;

    readonly byte[] _bytes;
    readonly long _mask;
    readonly byte[] _scratch = new byte[EventEncoding.MaximumLength];
    readonly bool _grouped;
    /// <summary>Where the producer writes next: ahead of the head while a group is being made.</summary>
    long _next;
    /// <summary>The consumer has events of a group and not its mark yet.</summary>
    bool _isHalf;
    Positions _positions;

    // Producer's and consumer's words on cache lines of their own.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct Positions
    {
        [FieldOffset(64)] public long Head;
        [FieldOffset(128)] public long Tail;
    }

    /// <param name="capacity">Bytes, a power of two.</param>
    /// <param name="grouped">Events are published by <see cref="TryWriteMark"/> alone.</param>
    public EventRing(int capacity = DefaultCapacity, bool grouped = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 4 * EventEncoding.MaximumLength);
        if ((capacity & (capacity - 1)) != 0) throw new ArgumentOutOfRangeException(nameof(capacity), "must be a power of two");
        _bytes = new byte[capacity];
        _mask = capacity - 1;
        _grouped = grouped;
    }

    /// <summary>Carries groups of events, each ended by a mark.</summary>
    public bool IsGrouped => _grouped;

    public bool IsEmpty => Volatile.Read(ref _positions.Head) == Volatile.Read(ref _positions.Tail);

    /// <summary>A fault has ended a read within a group, and the rest of that is here: what is between belongs together. The consumer's.</summary>
    public bool IsHalfRead => _isHalf && !IsEmpty;

    /// <summary>Bytes waiting for the consumer.</summary>
    public long Waiting => Volatile.Read(ref _positions.Head) - Volatile.Read(ref _positions.Tail);

    public int Capacity => _bytes.Length;

    public bool TryWriteDns(scoped in DnsEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteIp(scoped in IpEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteHttp(scoped in HttpEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteTls(scoped in TlsEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteHost(scoped in HostEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteAnomaly(scoped in AnomalyEvent e) => TryPublish(EventEncoding.Write(e, _scratch));
    public bool TryWriteSignature(scoped in SignatureEvent e) => TryPublish(EventEncoding.Write(e, _scratch));

    /// <summary>Ends a group: what was written since the last mark is the consumer's now, with this mark behind it.</summary>
    public bool TryWriteMark(scoped in InputMark mark)
    {
        if (!TryPublish(EventEncoding.Write(mark, _scratch))) return false;
        Volatile.Write(ref _positions.Head, _next);
        return true;
    }

    /// <summary>Takes back what was written since the last mark, or since <see cref="Spill"/>.</summary>
    public void Rollback() => _next = _positions.Head;

    /// <summary>Something of a group is written and not the consumer's yet.</summary>
    public bool IsWithin => _next != _positions.Head;

    /// <summary>
    /// Hands over what there is of a group that is greater than the ring: without it neither side could go on. A kill before its mark is spooled reads
    /// that part of it again.
    /// </summary>
    public void Spill() => Volatile.Write(ref _positions.Head, _next);

    bool TryPublish(int length)
    {
        int size = (length + sizeof(int) + 7) & ~7;
        long head = _next;
        int at = (int)(head & _mask);
        int toEnd = _bytes.Length - at;
        int filler = size > toEnd ? toEnd : 0;
        if (head + filler + size - Volatile.Read(ref _positions.Tail) > _bytes.Length) return false;
        if (filler > 0)
        {
            Unsafe.WriteUnaligned(ref _bytes[at], -filler);
            head += filler;
            at = 0;
        }
        Unsafe.WriteUnaligned(ref _bytes[at], size);
        _scratch.AsSpan(0, length).CopyTo(_bytes.AsSpan(at + sizeof(int)));
        _next = head + size;
        if (!_grouped) Volatile.Write(ref _positions.Head, _next);
        return true;
    }

    /// <summary>
    /// Hands up to <paramref name="max"/> events to <paramref name="sink"/> and returns how many, of a grouped ring some more, up to the next mark;
    /// marks count as events. Spans in them end with each call.
    /// </summary>
    public int Read<TSink>(ref TSink sink, int max)
        where TSink : struct, IEventSink, allows ref struct
    {
        int n = 0;
        long tail = _positions.Tail;
        while ((n < max || _isHalf) && tail != Volatile.Read(ref _positions.Head))
        {
            int at = (int)(tail & _mask);
            int size = Unsafe.ReadUnaligned<int>(ref _bytes[at]);
            if (size < 0)
            {
                tail -= size;
                Volatile.Write(ref _positions.Tail, tail);
                continue;
            }
            _isHalf = _grouped && _bytes[at + sizeof(int)] != EventEncoding.MarkKind;
            EventEncoding.Read(_bytes.AsSpan(at + sizeof(int), size - sizeof(int)), ref sink);
            tail += size;
            Volatile.Write(ref _positions.Tail, tail);
            n++;
        }
        return n;
    }

    /// <summary>Drops the oldest event unread: the way on for a consumer that cannot take it.</summary>
    public void SkipOne()
    {
        long tail = _positions.Tail;
        while (tail != Volatile.Read(ref _positions.Head))
        {
            int size = Unsafe.ReadUnaligned<int>(ref _bytes[(int)(tail & _mask)]);
            tail += Math.Abs(size);
            Volatile.Write(ref _positions.Tail, tail);
            if (size > 0) return;
        }
    }
}
