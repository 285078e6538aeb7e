namespace Nfr.Train.Evaluation;

/// <summary>How well a score tells bad from good: higher is worse. Good ones may weigh differently, when they stand for more than themselves.</summary>
sealed class Roc
{
    readonly double[] _good, _bad, _above;

    public Roc(IEnumerable<double> good, IEnumerable<double> bad) : this(good.Select(score => (score, 1.0)), bad) { }

    public Roc(IEnumerable<(double Score, double Weight)> good, IEnumerable<double> bad)
    {
        (double Score, double Weight)[] sorted = [.. good.OrderBy(g => g.Score)];
        _good = [.. sorted.Select(g => g.Score)];
        _bad = [.. bad.Order()];
        // The weight of the good from each place on, and none behind the last.
        _above = new double[sorted.Length + 1];
        for (int i = sorted.Length - 1; i >= 0; i--) _above[i] = _above[i + 1] + sorted[i].Weight;
    }

    public int Good => _good.Length;
    public int Bad => _bad.Length;

    /// <summary>The chance that a bad one scores above a good one; ties count half.</summary>
    public double Auc
    {
        get
        {
            double wins = 0;
            int below = 0, upTo = 0;
            foreach (double score in _bad)
            {
                while (below < _good.Length && _good[below] < score) below++;
                upTo = Math.Max(upTo, below);
                while (upTo < _good.Length && _good[upTo] <= score) upTo++;
                wins += _above[0] - ((_above[below] + _above[upTo]) / 2);
            }
            return wins / (_above[0] * _bad.Length);
        }
    }

    /// <summary>The lowest limit that no more than this share of the good lie above.</summary>
    public double LimitAt(double falsePositives)
    {
        int at = _good.Length - 1;
        while (at > 0 && _above[at] <= falsePositives * _above[0]) at--;
        return _good[at];
    }

    /// <param name="sortedGood">Scores of the good ones, rising.</param>
    /// <param name="falsePositives">The share of them that may lie above.</param>
    public static double LimitAt(double[] sortedGood, double falsePositives) =>
        sortedGood[Math.Clamp(sortedGood.Length - 1 - (int)(sortedGood.Length * falsePositives), 0, sortedGood.Length - 1)];

    /// <summary>The share of the good above a limit, by weight.</summary>
    public double FalsePositivesAbove(double limit)
    {
        int at = Array.BinarySearch(_good, Math.BitIncrement(limit));
        return _above[at >= 0 ? at : ~at] / _above[0];
    }

    /// <summary>The share of the bad above a limit.</summary>
    public double RecallAbove(double limit) => (double)_bad.Count(score => score > limit) / Math.Max(1, _bad.Length);

    public double RecallAt(double falsePositives) => RecallAbove(LimitAt(falsePositives));

    /// <summary>Recall over the rate of false positives, in steps that suit an axis of decades from <paramref name="from"/> to 1.</summary>
    public IEnumerable<(double X, double Y)> Curve(double from)
    {
        for (double rate = from; rate < 1; rate *= 1.15) yield return (rate, RecallAt(rate));
        yield return (1, 1);
    }
}
