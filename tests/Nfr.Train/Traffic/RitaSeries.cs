namespace Nfr.Train.Traffic;

/// <summary>A day of contacts and sizes, and the parts of RITA's score for it, worked out apart from our code.</summary>
/// <param name="Expected">Times, sizes, duration, histogram, and the whole.</param>
sealed record RitaSeries(string Name, double[] Seconds, double[] Bytes, double[] Expected)
{
    public const double Day = 86_400;

    public static readonly IReadOnlyList<RitaSeries> All =
    [
        new("a timer of a minute for a day", Steady(1440), [.. Enumerable.Repeat(200.0, 1440)], [1, 1, 1, 1, 1]),
        new("eight hours of it", Steady(480), [.. Enumerable.Repeat(200.0, 480)], [1, 1, 0.667, 0, 0.667]),
        Jitter(), Bursts(), TwoHeights(),
    ];

    static double[] Steady(int count) => [.. Enumerable.Range(0, count).Select(i => 60.0 * i)];

    static RitaSeries Jitter()
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
        return new("a timer with jitter", [.. seconds], [.. bytes], [0.92, 0.857, 1, 0.939, 0.929]);
    }

    static RitaSeries Bursts()
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
        return new("bursts and pauses", [.. seconds], [.. bytes], [0.351, 0.745, 0.998, 0.556, 0.663]);
    }

    static RitaSeries TwoHeights()
    {
        var seconds = new List<double>();
        for (int hour = 0; hour < 14; hour++)
        {
            int contacts = hour % 2 == 0 ? 60 : 20;
            for (int i = 0; i < contacts; i++) seconds.Add((hour * 3600) + (i * (3600 / contacts)));
        }
        return new("two heights of hours", [.. seconds], [.. seconds.Select((_, i) => i % 3 != 0 ? 512.0 : 900.0)], [1, 1, 1, 1, 1]);
    }
}
