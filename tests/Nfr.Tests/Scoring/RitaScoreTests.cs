using Nfr.Scoring.Beacons;

namespace Nfr.Tests.Scoring;

/// <summary>The parts of RITA's score against values worked out apart from our code, to a thousandth.</summary>
public sealed class RitaScoreTests
{
    const double Day = 86_400;

    static void Matches(double[] seconds, double[] bytes, double times, double sizes, double duration, double histogram, double score)
    {
        int[] counts = RitaScore.Counts(seconds, 0, Day);
        double t = RitaScore.Times(seconds), s = RitaScore.Sizes(bytes), d = RitaScore.Duration(counts, seconds[0], seconds[^1], 0, Day), h = RitaScore.Histogram(counts);
        Assert.Equal([times, sizes, duration, histogram, score], [t, s, d, h, RitaScore.Of(t, s, d, h)]);
    }

    static double[] Steady(int count) => [.. Enumerable.Range(0, count).Select(i => 60.0 * i)];

    [Fact]
    public void A_minute_timer_for_a_day_scores_one() => Matches(Steady(1440), [.. Enumerable.Repeat(200.0, 1440)], 1, 1, 1, 1, 1);

    [Fact]
    public void Eight_hours_of_it_score_two_thirds() => Matches(Steady(480), [.. Enumerable.Repeat(200.0, 480)], 1, 1, 0.667, 0, 0.667);

    [Fact]
    public void A_timer_with_jitter()
    {
        long x = 1;
        var seconds = new List<double> { 0 };
        var bytes = new List<double>();
        while (true)
        {
            x = ((x * 1_103_515_245) + 12_345) % (1L << 31);
            double next = seconds[^1] + 210 + (x % 181);
            bytes.Add(400 + (x % 97 * 10));
            if (next >= Day) break;
            seconds.Add(next);
        }
        Matches([.. seconds], [.. bytes], 0.92, 0.857, 1, 0.939, 0.929);
    }

    [Fact]
    public void Bursts_and_pauses()
    {
        long x = 7;
        var seconds = new List<double> { 0 };
        var bytes = new List<double> { 100 };
        while (true)
        {
            x = ((x * 1_103_515_245) + 12_345) % (1L << 31);
            double next = (x >> 16) % 5 != 0 ? seconds[^1] + 1 + ((x >> 8) % 900) : seconds[^1] + 3600 + ((x >> 8) % 3000);
            if (next >= Day) break;
            seconds.Add(next);
            bytes.Add(50 + ((x >> 8) % 5000));
        }
        Matches([.. seconds], [.. bytes], 0.351, 0.745, 0.998, 0.556, 0.663);
    }

    [Fact]
    public void Two_heights_of_hours_are_as_good_as_one()
    {
        var seconds = new List<double>();
        for (int hour = 0; hour < 14; hour++)
        {
            int contacts = hour % 2 == 0 ? 60 : 20;
            for (int i = 0; i < contacts; i++) seconds.Add((hour * 3600) + (i * (3600 / contacts)));
        }
        Matches([.. seconds], [.. seconds.Select((_, i) => i % 3 != 0 ? 512.0 : 900.0)], 1, 1, 1, 1, 1);
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
