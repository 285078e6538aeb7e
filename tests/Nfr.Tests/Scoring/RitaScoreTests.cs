using Nfr.Scoring.Beacons;

namespace Nfr.Tests.Scoring;

/// <summary>The parts of RITA's score against values worked out apart from our code, to a thousandth.</summary>
public sealed class RitaScoreTests
{
    const double Day = RitaSeries.Day;

    public static TheoryData<string> Names => [.. RitaSeries.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_series_scores_what_it_does_there(string name)
    {
        RitaSeries series = RitaSeries.All.Single(s => s.Name == name);
        int[] counts = RitaScore.Counts(series.Seconds, 0, Day);
        double t = RitaScore.Times(series.Seconds), s = RitaScore.Sizes(series.Bytes), d = RitaScore.Duration(counts, series.Seconds[0], series.Seconds[^1], 0, Day), h = RitaScore.Histogram(counts);
        Assert.Equal<double[]>(series.Expected, [t, s, d, h, RitaScore.Of(t, s, d, h)]);
    }

    [Fact]
    public void Skewness_and_deviation_of_five_and_of_six_values()
    {
        Assert.Equal(0.248175, RitaScore.Skew([1, 2, 10, 40, 100]), 1e-6);
        Assert.Equal(0.1, RitaScore.Deviation([1, 2, 10, 40, 100], 1), 1e-6);
        Assert.Equal(0.648649, RitaScore.Skew([100, 130, 190, 310, 500, 900]), 1e-6);
        Assert.Equal(0.46, RitaScore.Deviation([100, 130, 190, 310, 500, 900], 1), 1e-6);
    }

    [Fact]
    public void Too_little_and_tiny_values_give_what_they_give_there()
    {
        Assert.Equal(1, RitaScore.Deviation([0.1, 0.2, 0.3], 1));
        Assert.Equal(0, RitaScore.Deviation([0, 0, 0], 0));
        Assert.Equal(1, RitaScore.Skew([10, 12, 19]));
        Assert.Equal(0, RitaScore.Times([0, 5, 5, 9]));
        int[] five = new int[24];
        for (int i = 0; i < 5; i++) five[i] = 10;
        Assert.Equal(0, RitaScore.Duration(five, 0, 5 * 3600, 0, Day));
        Assert.Equal(0, RitaScore.Flatness(new int[24]));
        int[] wrapping = new int[24];
        for (int i = 0; i < 8; i++) wrapping[(20 + i) % 24] = 1;
        Assert.Equal(0.667, RitaScore.Duration(wrapping, 0, 3600, 0, Day));
    }
}
