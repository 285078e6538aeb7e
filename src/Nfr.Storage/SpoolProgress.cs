using Nfr.Events;

namespace Nfr.Storage;

/// <summary>
/// How far each consumer is, by type, in the same transaction as the rows and the ledger. As with <see cref="SpoolLedger"/>, a transaction changes the
/// working lines, and <see cref="Accept"/> or <see cref="Restore"/> makes both the same again. A line:
/// <code>
/// numbers of the type:  ....settled....| backlog: waits |....settled....| waits ....
///                                through         liveFrom        liveThrough          (no hole: liveFrom = liveThrough = 0)
/// </code>
/// liveFrom lay behind the newest row of some moment, so that no row reaches over it: what waits of a row is always the row's end.
/// </summary>
sealed class SpoolProgress
{
    const int Types = EventTypes.UploadedCount;

    string[] _names = [], _committedNames = [];
    Line[] _working = [], _committed = [];

    public struct Line : IEquatable<Line>
    {
        public long Through;
        public long LiveFrom;
        public long LiveThrough;
        /// <summary>What the type's ledger had spooled before this consumer's account began: so a flush need not touch the consumers.</summary>
        public long Base;
        public long Delivered;
        public long Quarantined;
        public long Missed;

        public readonly long Digest =>
            SpoolLedger.DigestOf([Through, LiveFrom, LiveThrough, Base, Delivered, Quarantined, Missed]);

        /// <summary>Of a type that the consumer does not take: there is no account.</summary>
        public static Line Off => new() { Through = -1 };

        public readonly bool IsOff => Through < 0;

        public readonly bool IsLive(long sequence) => LiveFrom > 0 && sequence >= LiveFrom;

        /// <summary>The first number that waits, on that side of the hole on which <paramref name="sequence"/> is.</summary>
        public readonly long Next(long sequence) => (IsLive(sequence) ? LiveThrough : Through) + 1;

        /// <summary>Where the backlog ends: one above its greatest number.</summary>
        public readonly long Before => LiveFrom > 0 ? LiveFrom : long.MaxValue;

        public readonly long Waiting(long first, long last) => Math.Max(0, last + 1 - Math.Max(first, Next(first)));

        /// <summary>The backlog has come up to the live end.</summary>
        public void Join() => (Through, LiveFrom, LiveThrough) = (LiveThrough, 0, 0);

        public readonly ConsumerTally Tally(long spooled)
        {
            if (IsOff) return default;
            long since = spooled - Base;
            return new ConsumerTally(since, Delivered, Quarantined, Missed, since - Delivered - Quarantined - Missed);
        }

        public readonly bool Equals(Line other) => Through == other.Through && LiveFrom == other.LiveFrom && LiveThrough == other.LiveThrough
            && Base == other.Base && Delivered == other.Delivered && Quarantined == other.Quarantined && Missed == other.Missed;

        public override readonly bool Equals(object? obj) => obj is Line other && Equals(other);

        public override readonly int GetHashCode() => HashCode.Combine(Through, LiveFrom, LiveThrough, Base, Delivered, Quarantined, Missed);
    }

    public IReadOnlyList<string> Names => _names;

    public ref Line this[int consumer, EventType type] => ref _working[(consumer * Types) + (int)type];

    public ReadOnlySpan<Line> Committed => _committed;

    /// <summary>One line of those that <see cref="Committed"/> and copies of it hold.</summary>
    public static int Index(int consumer, EventType type) => (consumer * Types) + (int)type;

    public IReadOnlyList<string> CommittedNames => _committedNames;

    public bool Changed(int consumer, EventType type)
    {
        int before = Array.IndexOf(_committedNames, _names[consumer]);
        return before < 0 || !_committed[Index(before, type)].Equals(this[consumer, type]);
    }

    /// <summary>
    /// From now on these names, in this order. A new one, or a type that one takes anew, begins with the oldest row that is there; one that is not named is gone.
    /// </summary>
    /// <param name="names">Who takes events.</param>
    /// <param name="ledger">Of the ring.</param>
    /// <param name="takes">Whether a consumer takes a type; null = as before.</param>
    /// <param name="others">By type, the events in the ring that are for one other consumer alone.</param>
    public void Set(IReadOnlyList<string> names, SpoolLedger ledger, Func<string, EventType, bool>? takes, Func<string, long[]> others)
    {
        var lines = new Line[names.Count * Types];
        for (int i = 0; i < names.Count; i++)
        {
            int known = Array.IndexOf(_names, names[i]);
            long[]? notIts = null;
            foreach (EventType type in EventTypes.Uploaded)
            {
                bool off = known >= 0 && this[known, type].IsOff;
                lines[Index(i, type)] = !(takes?.Invoke(names[i], type) ?? !off) ? Line.Off
                    : known < 0 || off ? Fresh(type, ledger, (notIts ??= others(names[i]))[(int)type])
                    : this[known, type];
            }
        }
        (_names, _working) = ([.. names], lines);
    }

    /// <summary>As the file has it.</summary>
    public void Load(string[] names, Line[] lines) => (_names, _working) = (names, lines);

    /// <summary>Into a new ring, without the rows of the old one: what waited is quarantined with them.</summary>
    public void Carry(IReadOnlyList<string> names, Line[] lines, SpoolLedger ledger)
    {
        (_names, _working) = ([.. names], [.. lines]);
        for (int i = 0; i < _working.Length; i++)
        {
            ref Line line = ref _working[i];
            line.Quarantined += line.Tally(ledger.SpooledOfType(i % Types)).Waiting;
            if (line.LiveFrom > 0) line.Join();
        }
    }

    /// <summary>An account that begins now, with what is in the ring.</summary>
    public static Line Fresh(EventType type, SpoolLedger ledger, long others)
    {
        (SpoolLedger.Line unscored, SpoolLedger.Line scored) = (ledger[Lane.Of(type, false)], ledger[Lane.Of(type, true)]);
        return new Line { Base = unscored.Spooled + scored.Spooled - unscored.InSpool - scored.InSpool + others };
    }

    /// <summary>The first number of a row that anybody waits for.</summary>
    public long FirstWaiting(EventType type, long first, string? owner)
    {
        if (owner is not null && _names.Length > 0) return Array.IndexOf(_names, owner) is >= 0 and var only && !this[only, type].IsOff ? this[only, type].Next(first) : long.MaxValue;
        long least = long.MaxValue;
        bool any = false;
        for (int i = 0; i < _names.Length; i++)
        {
            if (this[i, type].IsOff) continue;
            any = true;
            least = Math.Min(least, this[i, type].Next(first));
        }
        // Without anybody who takes it everything waits for one.
        return any ? least : 0;
    }

    public void Settle(int consumer, EventType type, bool live, long to, long count, bool quarantined)
    {
        ref Line line = ref this[consumer, type];
        if (live) line.LiveThrough = to;
        else line.Through = to;
        if (quarantined) line.Quarantined += count;
        else line.Delivered += count;
    }

    /// <summary>Events left the ring under those who waited for them.</summary>
    public void Left(EventType type, long first, long last, string? owner, bool missed)
    {
        for (int i = 0; i < _names.Length; i++)
        {
            if (owner is not null && owner != _names[i]) continue;
            ref Line line = ref this[i, type];
            if (line.IsOff) continue;
            if (missed) line.Missed += line.Waiting(first, last);
            else line.Quarantined += line.Waiting(first, last);
        }
    }

    public void Accept() => (_committedNames, _committed) = (_names, [.. _working]);

    public void Restore() => (_names, _working) = (_committedNames, [.. _committed]);
}
