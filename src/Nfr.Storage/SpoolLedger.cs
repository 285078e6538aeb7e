namespace Nfr.Storage;

/// <summary>
/// The counts that every transaction carries: one line for each lane and one for alerts. A transaction changes the working lines;
/// <see cref="Accept"/> after its commit or <see cref="Restore"/> after its failure makes both the same again.
/// </summary>
sealed class SpoolLedger
{
    /// <summary>Index of the alerts' line.</summary>
    public const int Alerts = Lane.Count;
    public const int Lines = Lane.Count + 1;

    readonly Line[] _committed = new Line[Lines];
    readonly Line[] _working = new Line[Lines];

    public struct Line : IEquatable<Line>
    {
        /// <summary>One above the greatest sequence number given in this lane.</summary>
        public long Next;
        public long Spooled;
        public long Delivered;
        public long Evicted;
        public long Quarantined;
        public long Lost;
        /// <summary>Bytes of the rows that are there; what quotas go by.</summary>
        public long Bytes;
        /// <summary>Those of <see cref="Evicted"/> that went for their age.</summary>
        public long Aged;

        /// <summary>Tells a line as it was written from one whose bits have changed since.</summary>
        public readonly long Digest => DigestOf([Next, Spooled, Delivered, Evicted, Quarantined, Lost, Bytes, Aged]);

        public readonly long InSpool => Spooled - Delivered - Evicted - Quarantined;

        public readonly bool Equals(Line other) => Next == other.Next && Spooled == other.Spooled && Delivered == other.Delivered
            && Evicted == other.Evicted && Quarantined == other.Quarantined && Lost == other.Lost && Bytes == other.Bytes && Aged == other.Aged;

        public override readonly bool Equals(object? obj) => obj is Line other && Equals(other);

        public override readonly int GetHashCode() => HashCode.Combine(Next, Spooled, Delivered, Evicted, Quarantined, Lost, Bytes, Aged);
    }

    public static long DigestOf(ReadOnlySpan<long> numbers)
    {
        ulong digest = 0x9E3779B97F4A7C15;
        foreach (long number in numbers) digest = ulong.RotateLeft((digest ^ (ulong)number) * 0xD6E8FEB86659FD93, 29);
        return (long)digest;
    }

    public ref Line this[int line] => ref _working[line];

    public bool Changed(int line) => !_working[line].Equals(_committed[line]);

    public ReadOnlySpan<Line> Committed => _committed;

    /// <summary>Sequences count per type, so that both classes of a type together have no gap.</summary>
    public long NextOfType(int lane) => Math.Max(1, Math.Max(_working[lane & ~1].Next, _working[lane | 1].Next));

    /// <summary>Bytes of all rows.</summary>
    public long Bytes
    {
        get
        {
            long bytes = 0;
            foreach (Line line in _working) bytes += line.Bytes;
            return bytes;
        }
    }

    /// <summary>Bytes of a class's rows.</summary>
    public long BytesOf(SpoolClass of)
    {
        long bytes = 0;
        for (int line = 0; line < Lines; line++) bytes += SpoolClasses.OfLine(line) == of ? _working[line].Bytes : 0;
        return bytes;
    }

    public long NextAlert => Math.Max(1, _working[Alerts].Next);

    /// <summary>Events of a type that were ever spooled.</summary>
    public long SpooledOfType(int type) => _working[type * 2].Spooled + _working[(type * 2) + 1].Spooled;

    public long Greatest
    {
        get
        {
            long greatest = 0;
            foreach (Line line in _working) greatest = Math.Max(greatest, line.Next);
            return greatest;
        }
    }

    /// <summary>No sequence below <paramref name="next"/> is given any more.</summary>
    public void SkipTo(long next)
    {
        for (int i = 0; i < Lines; i++) _working[i].Next = Math.Max(_working[i].Next, next);
    }

    public void Accept() => _working.CopyTo(_committed, 0);

    public void Restore() => _committed.CopyTo(_working, 0);
}
