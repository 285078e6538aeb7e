namespace Nfr.Scoring.Beacons;

/// <summary>
/// How much more a series of contacts speaks for a timer than for people. A timer, even one that draws its sleep anew each time, keeps its intervals within a
/// band: two to one with a jitter of 30 %, three to one with 50 %. Contacts at random keep a quarter or two fifths of them in such a band, wherever it lies. So it
/// is a matter of counting: the bound of Chernoff says how unlikely so many are by chance. Bytes sent are counted alike, and count less.
/// </summary>
/// <param name="Intervals">How many there were.</param>
/// <param name="Median">Seconds.</param>
/// <param name="Share">Of the intervals that lie within the fullest band, two to one or three to one, whichever says more.</param>
/// <param name="Evidence">Minus the natural logarithm of how likely chance does that; 0 or more.</param>
public readonly record struct Regularity(int Intervals, double Median, double Share, double Evidence)
{
    const double Narrow = 2, Wide = 3;
    /// <summary>What irregular contacts keep within the fullest band, with room for habits: 0.25 and 0.385 where they come at random (exponential).</summary>
    const double NarrowByChance = 0.30, WideByChance = 0.42;
    /// <summary>What requests of all sorts keep within a quarter of the median to either side, and what sizes say at most.</summary>
    const double SizeByChance = 0.6, SizeAtMost = 5;

    /// <param name="intervals">Seconds; they are sorted in place.</param>
    public static Regularity Of(Span<float> intervals)
    {
        if (intervals.IsEmpty) return default;
        intervals.Sort();
        double median = (intervals[(intervals.Length - 1) / 2] + (double)intervals[intervals.Length / 2]) / 2;
        double narrow = (double)Fullest(intervals, Narrow) / intervals.Length, wide = (double)Fullest(intervals, Wide) / intervals.Length;
        double byNarrow = Evidenced(intervals.Length, narrow, NarrowByChance), byWide = Evidenced(intervals.Length, wide, WideByChance);
        return byNarrow >= byWide ? new Regularity(intervals.Length, median, narrow, byNarrow) : new Regularity(intervals.Length, median, wide, byWide);
    }

    /// <summary>What the sizes of the same contacts say besides: 0 to 5.</summary>
    /// <param name="sizes">Bytes; they are sorted in place.</param>
    /// <param name="share">Of the sizes within a quarter of their median to either side.</param>
    public static double OfSizes(Span<float> sizes, out double share)
    {
        share = 0;
        if (sizes.IsEmpty) return 0;
        sizes.Sort();
        float median = sizes[sizes.Length / 2];
        int within = 0;
        foreach (float size in sizes)
        {
            if (Math.Abs(size - median) <= median * 0.25f) within++;
        }
        share = (double)within / sizes.Length;
        return Math.Min(SizeAtMost, Evidenced(sizes.Length, share, SizeByChance));
    }

    /// <summary>The most of the sorted values that lie between one of them and <paramref name="ratio"/> times that.</summary>
    static int Fullest(ReadOnlySpan<float> sorted, double ratio)
    {
        int most = 0, to = 0;
        for (int from = 0; from < sorted.Length; from++)
        {
            while (to < sorted.Length && sorted[to] <= sorted[from] * ratio) to++;
            most = Math.Max(most, to - from);
        }
        return most;
    }

    /// <summary>Trials times the divergence (Kullback and Leibler) of two coins.</summary>
    static double Evidenced(int trials, double share, double byChance)
    {
        if (share <= byChance) return 0;
        double rest = share < 1 ? (1 - share) * Math.Log((1 - share) / (1 - byChance)) : 0;
        return trials * ((share * Math.Log(share / byChance)) + rest);
    }
}
