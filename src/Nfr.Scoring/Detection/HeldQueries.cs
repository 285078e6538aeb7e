using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// DNS events of resolvers until it is known for whom they asked, in the order in which they came. One network's; nothing is lost: what is not dropped
/// is judged, when its time is over or when its place is needed.
/// </summary>
sealed class HeldQueries
{
    /// <summary>About 40 KB where resolvers are seen, nothing elsewhere. Full: the oldest is judged at once.</summary>
    internal const int Max = 128;
    /// <summary>Bytes of answers that are kept of one event; what follows them says no more about who asked.</summary>
    const int MaxAnswers = 1024;

    struct Held
    {
        public long Tick;
        public EventContext Context;
        public byte[] Bytes;
        public int Name, Answers;
        public short ResponseCode;
        public ushort QueryType, QueryLength, ResponseLength, Id, Flags;
        public DnsNotes Notes;
        public App Service;
    }

    ulong[] _keys = [];
    Held[] _held = [];
    int _oldest, _used;

    /// <summary>Those that were not dropped.</summary>
    public int Count { get; private set; }

    /// <summary>Places in use, dropped ones among them.</summary>
    public bool IsFull => _used == Max;

    public void Hold(ulong key, scoped in DnsEvent e, long now)
    {
        if (_keys.Length == 0) (_keys, _held) = (new ulong[Max], new Held[Max]);
        int index = (_oldest + _used++) % Max;
        int answers = e.Answers.Length <= MaxAnswers ? e.Answers.Length : 0, length = e.Query.Length + answers;
        ref Held held = ref _held[index];
        byte[] bytes = held.Bytes is { } own && own.Length >= length ? own : new byte[Math.Max(length, 128)];
        e.Query.CopyTo(bytes);
        e.Answers[..answers].CopyTo(bytes.AsSpan(e.Query.Length));
        held = new Held
        {
            Tick = now, Context = e.Context, Bytes = bytes, Name = e.Query.Length, Answers = answers, ResponseCode = e.ResponseCode, QueryType = e.QueryType,
            QueryLength = e.QueryLength, ResponseLength = e.ResponseLength, Id = e.Id, Flags = e.Flags, Notes = e.Notes, Service = e.Service,
        };
        _keys[index] = key | 1;
        Count++;
    }

    /// <summary>All that wait under the key were a client's.</summary>
    public void Drop(ulong key)
    {
        for (int at = Count > 0 ? _keys.AsSpan().IndexOf(key | 1) : -1; at >= 0; at = _keys.AsSpan().IndexOf(key | 1))
        {
            _keys[at] = 0;
            Count--;
        }
    }

    /// <summary>The oldest, when it has waited longer than the window (0 = whatever is there); its spans serve until the next is held.</summary>
    public bool TryTake(long now, long window, out DnsEvent e)
    {
        for (; _used > 0; _oldest = (_oldest + 1) % Max, _used--)
        {
            ref Held held = ref _held[_oldest];
            bool dropped = _keys[_oldest] == 0;
            if (!dropped && window > 0 && now - held.Tick <= window) break;
            if (dropped) continue;
            e = new DnsEvent
            {
                Context = held.Context, Query = held.Bytes.AsSpan(0, held.Name), Answers = held.Bytes.AsSpan(held.Name, held.Answers), ResponseCode = held.ResponseCode,
                QueryType = held.QueryType, QueryLength = held.QueryLength, ResponseLength = held.ResponseLength, Id = held.Id, Flags = held.Flags, Notes = held.Notes, Service = held.Service,
            };
            _keys[_oldest] = 0;
            (_oldest, _used, Count) = ((_oldest + 1) % Max, _used - 1, Count - 1);
            return true;
        }
        e = default;
        return false;
    }
}
