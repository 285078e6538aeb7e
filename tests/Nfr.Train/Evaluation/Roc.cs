namespace Nfr.Train.Evaluation;

/// <summary>How well a score tells bad from good: higher is worse. Both sides are sorted once.</summary>
sealed class Roc
{
    readonly double[] _good, _bad;

    public Roc(IEnumerable<double> good, IEnumerable<double> bad)
    {
        _good = [.. good];
        _bad = [.. bad];
        Array.Sort(_good);
        Array.Sort(_bad);
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
                wins += below + ((upTo - below) / 2.0);
            }
            return wins / ((double)_good.Length * _bad.Length);
        }
    }

    /// <summary>The lowest limit that no more than this share of the good lie above.</summary>
    public double LimitAt(double falsePositives) => LimitAt(_good, falsePositives);

    /// <param name="sortedGood">Scores of the good ones, rising.</param>
    /// <param name="falsePositives">The share of them that may lie above.</param>
    public static double LimitAt(double[] sortedGood, double falsePositives) =>
        sortedGood[Math.Clamp(sortedGood.Length - 1 - (int)(sortedGood.Length * falsePositives), 0, sortedGood.Length - 1)];

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
