namespace Nfr.Scoring.Beacons;

/// <summary>
/// The beacon score of RITA v5 (Active Countermeasures), part by part: what a series of contacts would score there. It is evidence for people who know that
/// scale; our own decision (<see cref="Regularity"/>) does not wait for the hours that it needs. Pure functions; nothing is kept.
/// </summary>
public static class RitaScore
{
    /// <summary>Bins of the histogram: hours of a day.</summary>
    public const int Bins = 24;
    const int LeastBars = 6, LeastBimodalBars = 11, IdealRun = 12;
    /// <summary>Bars that differ by less than this share of the highest count as equally high.</summary>
    const double ModeSensitivity = 0.05;

    /// <summary>All four parts, each weighing a quarter, rounded to a thousandth.</summary>
    public static double Of(double times, double sizes, double duration, double histogram) => Round((times + sizes + duration + histogram) * 0.25);

    /// <summary>How alike the intervals are: 0 to 1.</summary>
    /// <param name="seconds">Ascending; at least four different.</param>
    public static double Times(ReadOnlySpan<double> seconds)
    {
        var deltas = new List<double>(seconds.Length);
        for (int i = 1; i < seconds.Length; i++)
        {
            if (seconds[i] > seconds[i - 1]) deltas.Add(seconds[i] - seconds[i - 1]);
        }
        return deltas.Count < 3 ? 0 : Alike([.. deltas], 1);
    }

    /// <summary>How alike the bytes sent are: 0 to 1.</summary>
    public static double Sizes(ReadOnlySpan<double> bytes) => bytes.Length < 3 ? 0 : Alike(bytes.ToArray(), 0);

    static double Alike(double[] values, double whenTiny) => Round((Skew(values) + Deviation(values, whenTiny)) / 2);

    /// <summary>1 - |Bowley's skewness|; symmetric or nearly constant values give 1.</summary>
    public static double Skew(ReadOnlySpan<double> values)
    {
        double[] sorted = Sorted(values);
        if (sorted.Length < 3) return 0;
        int half = sorted.Length / 2;
        double first = Median(sorted.AsSpan(0, half)), second = Median(sorted), third = Median(sorted.AsSpan(sorted.Length - half));
        double width = third - first;
        if (width < 10 || second == first || second == third) return 1;
        return 1 - Math.Abs((first + third - (2 * second)) / width);
    }

    /// <summary>How small the median absolute deviation is beside the median.</summary>
    /// <param name="values">At least one.</param>
    /// <param name="whenTiny">The result where the median is below 1.</param>
    public static double Deviation(ReadOnlySpan<double> values, double whenTiny)
    {
        double[] sorted = Sorted(values);
        if (sorted.Length == 0) return 0;
        double median = Median(sorted);
        if (median < 1) return whenTiny;
        for (int i = 0; i < sorted.Length; i++) sorted[i] = Math.Abs(sorted[i] - median);
        Array.Sort(sorted);
        return Math.Max(0, (median - Median(sorted)) / median);
    }

    /// <summary>Contacts an hour, for <see cref="Histogram"/> and <see cref="Duration"/>: the span from <paramref name="start"/> to <paramref name="end"/> in 24 equal bins.</summary>
    /// <param name="seconds">Ascending.</param>
    /// <param name="start">Of the whole data set, seconds.</param>
    /// <param name="end">Of the whole data set, seconds; above <paramref name="start"/>.</param>
    public static int[] Counts(ReadOnlySpan<double> seconds, double start, double end)
    {
        int[] bins = new int[Bins];
        double step = (end - start) / Bins;
        foreach (double second in seconds) bins[Math.Clamp((int)Math.Floor((second - start) / step), 0, Bins - 1)]++;
        return bins;
    }

    /// <summary>How flat the day is, or how well it falls into two heights: the greater of both.</summary>
    public static double Histogram(ReadOnlySpan<int> counts) => Math.Max(Flatness(counts), TwoHeights(counts));

    /// <summary>1 - the bins' standard deviation over their mean; 0 where that is negative.</summary>
    public static double Flatness(ReadOnlySpan<int> counts)
    {
        double mean = 0, square = 0;
        foreach (int count in counts) mean += (double)count / counts.Length;
        if (mean <= 0) return 0;
        foreach (int count in counts) square += (count - mean) * (count - mean) / counts.Length;
        double variation = Math.Sqrt(square) / mean;
        return variation > 1 ? 0 : Round(1 - variation);
    }

    /// <summary>The share of bars that belong to the two commonest heights, one bar forgiven; 0 with fewer than eleven bars.</summary>
    public static double TwoHeights(ReadOnlySpan<int> counts)
    {
        int bars = 0, highest = 0;
        foreach (int count in counts)
        {
            if (count > 0) bars++;
            highest = Math.Max(highest, count);
        }
        if (bars < LeastBimodalBars) return 0;
        double group = Math.Ceiling(highest * ModeSensitivity);
        var heights = new Dictionary<int, int>();
        foreach (int count in counts)
        {
            if (count <= 0) continue;
            int height = (int)Math.Floor(count / group);
            heights[height] = heights.GetValueOrDefault(height) + 1;
        }
        int two = heights.Values.OrderDescending().Take(2).Sum();
        return Math.Min(1, Round((double)two / Math.Max(1, bars - 1)));
    }

    /// <summary>How much of the data set's span is covered, or how many hours in a row (the last and the first follow one another): the greater; 0 with fewer than six hours.</summary>
    public static double Duration(ReadOnlySpan<int> counts, double first, double last, double start, double end)
    {
        int bars = 0, run = 0, longest = 0;
        for (int i = 0; i < counts.Length * 2; i++)
        {
            bool filled = counts[i % counts.Length] > 0;
            if (i < counts.Length && filled) bars++;
            run = filled ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }
        if (bars < LeastBars) return 0;
        longest = Math.Min(longest, counts.Length);
        return Math.Max(Math.Min(1, Ceiling((last - first) / (end - start))), Math.Min(1, Ceiling((double)longest / IdealRun)));
    }

    static double[] Sorted(ReadOnlySpan<double> values)
    {
        double[] sorted = values.ToArray();
        Array.Sort(sorted);
        return sorted;
    }

    static double Median(ReadOnlySpan<double> sorted) =>
        sorted.IsEmpty ? 0 : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;

    /// <summary>Of values in any order; 0 of none.</summary>
    public static double Median(ReadOnlySpan<float> values)
    {
        double[] sorted = new double[values.Length];
        for (int i = 0; i < sorted.Length; i++) sorted[i] = values[i];
        Array.Sort(sorted);
        return Median(sorted);
    }

    static double Round(double value) => Math.Round(value * 1000, MidpointRounding.AwayFromZero) / 1000;
    static double Ceiling(double value) => Math.Ceiling(value * 1000) / 1000;
}
