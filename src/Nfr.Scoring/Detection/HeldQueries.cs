using Nfr.Events;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Detection;

/// <summary>
/// DNS events of resolvers until it is known for whom they asked, in the order in which they came. One network's; nothing is lost: what is not dropped
/// is judged, when its time is over or when its place is needed. Its places are lent to it (<see cref="HeldPlaces"/>) while something waits.
/// </summary>
sealed class HeldQueries
{
    /// <summary>Full: the oldest is judged at once.</summary>
    internal const int Max = 128;
    /// <summary>Bytes of answers that are kept of one event; what follows them says no more about who asked.</summary>
    const int MaxAnswers = 1024;

    internal struct Held
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

    HeldPlaces.Block? _places;
    int _oldest, _used;

    /// <summary>Those that were not dropped.</summary>
    public int Count { get; private set; }

    /// <summary>Places in use, dropped ones among them.</summary>
    public bool IsFull => _used == Max;

    public void Hold(ulong key, scoped in DnsEvent e, long now, HeldPlaces places)
    {
        HeldPlaces.Block block = _places ??= places.Lend(this);
        block.LastHeld = places.Turn();
        int index = (_oldest + _used++) % Max;
        int answers = e.Answers.Length <= MaxAnswers ? e.Answers.Length : 0, length = e.Query.Length + answers;
        ref Held held = ref block.Held[index];
        byte[] bytes = held.Bytes is { } own && own.Length >= length ? own : new byte[Math.Max(length, 128)];
        e.Query.CopyTo(bytes);
        e.Answers[..answers].CopyTo(bytes.AsSpan(e.Query.Length));
        held = new Held
        {
            Tick = now, Context = e.Context, Bytes = bytes, Name = e.Query.Length, Answers = answers, ResponseCode = e.ResponseCode, QueryType = e.QueryType,
            QueryLength = e.QueryLength, ResponseLength = e.ResponseLength, Id = e.Id, Flags = e.Flags, Notes = e.Notes, Service = e.Service,
        };
        block.Keys[index] = key | 1;
        Count++;
    }

    /// <summary>All that wait under the key were a client's.</summary>
    public void Drop(ulong key)
    {
        if (_places is not { } block) return;
        for (int at = Count > 0 ? block.Keys.AsSpan().IndexOf(key | 1) : -1; at >= 0; at = block.Keys.AsSpan().IndexOf(key | 1))
        {
            block.Keys[at] = 0;
            Count--;
        }
        if (Count == 0) GiveBack();
    }

    /// <summary>The oldest, when it has waited longer than the window (0 = whatever is there); its spans serve until the next is held.</summary>
    public bool TryTake(long now, long window, out DnsEvent e)
    {
        e = default;
        if (_places is not { } block) return false;
        for (; _used > 0; _oldest = (_oldest + 1) % Max, _used--)
        {
            ref Held held = ref block.Held[_oldest];
            bool dropped = block.Keys[_oldest] == 0;
            if (!dropped && window > 0 && now - held.Tick <= window) break;
            if (dropped) continue;
            e = new DnsEvent
            {
                Context = held.Context, Query = held.Bytes.AsSpan(0, held.Name), Answers = held.Bytes.AsSpan(held.Name, held.Answers), ResponseCode = held.ResponseCode,
                QueryType = held.QueryType, QueryLength = held.QueryLength, ResponseLength = held.ResponseLength, Id = held.Id, Flags = held.Flags, Notes = held.Notes, Service = held.Service,
            };
            block.Keys[_oldest] = 0;
            (_oldest, _used, Count) = ((_oldest + 1) % Max, _used - 1, Count - 1);
            if (Count == 0) GiveBack();
            return true;
        }
        if (Count == 0) GiveBack();
        return false;
    }

    void GiveBack()
    {
        _places?.Return();
        Forget();
    }

    /// <summary>Its places are another's now.</summary>
    /// <returns>How many waited there.</returns>
    internal int Forget()
    {
        int lost = Count;
        (_places, _oldest, _used, Count) = (null, 0, 0, 0);
        return lost;
    }
}

/// <summary>
/// The places in which queries wait, lent to the networks that one scorer takes turns with. Full: the network that held nothing for longest, which may have fallen silent
/// for ever, loses what waits there, counted.
/// </summary>
sealed class HeldPlaces
{
    /// <summary>50 KB each, made when they are needed, so that many of an engine's networks can have queries wait at the same moment; on board one is in use. 12 MB with usual answers in all of them.</summary>
    internal const int MaxBlocks = 256;
    /// <summary>Listed names of all networks that wait, 1.6 MB; beyond it each network has <see cref="HeldMatters.Own"/> still.</summary>
    internal const int MaxMatters = 1 << 10;

    internal sealed class Block(HeldPlaces places)
    {
        public ulong[] Keys { get; } = new ulong[HeldQueries.Max];
        public HeldQueries.Held[] Held { get; } = new HeldQueries.Held[HeldQueries.Max];
        public HeldQueries? Owner { get; set; }
        public long LastHeld { get; set; }

        public void Return()
        {
            Owner = null;
            Array.Clear(Keys);
            places._free.Push(this);
        }
    }

    readonly List<Block> _all = [];
    readonly Stack<Block> _free = new();
    long _turn;

    /// <summary>Queries that were never judged.</summary>
    public long Lost { get; private set; }

    /// <summary>Listed names that wait (<see cref="HeldMatters"/>).</summary>
    public int Matters { get; set; }

    public long Turn() => ++_turn;

    public Block Lend(HeldQueries to)
    {
        if (!_free.TryPop(out Block? block))
        {
            if (_all.Count < MaxBlocks)
            {
                block = new Block(this);
                _all.Add(block);
            }
            else
            {
                block = _all[0];
                foreach (Block other in _all)
                {
                    if (other.LastHeld < block.LastHeld) block = other;
                }
                Lost += block.Owner!.Forget();
                Array.Clear(block.Keys);
            }
        }
        block.Owner = to;
        return block;
    }
}
