using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Training;

/// <summary>
/// The plain model that ours is held against: one logistic regression over character 1-4-grams hashed to 2^18 places and the top-level
/// domain, and for a host the mean of its names. It does not ship. What it reaches on families that are nowhere here has been measured by
/// others, so its figures beside ours, from the same rows and folds, say how hard a fold is.
/// </summary>
sealed class DgaReference
{
    const int Shortest = 1, Longest = 4, Bits = 18;

    readonly DgaHead _head;

    DgaReference(DgaHead head) => _head = head;

    /// <param name="rows">What our model was trained on.</param>
    public static DgaReference Train(IEnumerable<DgaRow> rows) =>
        new(Regression.Train([.. rows.Select(row => row with { Suffix = TopLevel(row.Suffix) })], new HeadPlan(Shortest, Longest, Bits, 5, 16, false, static _ => true)));

    static byte[] TopLevel(byte[] suffix) => suffix[(Array.LastIndexOf(suffix, (byte)'.') + 1)..];

    public double Score(DgaRow row)
    {
        Span<byte> symbols = stackalloc byte[DgaFeatures.MaxSymbols + 2];
        int n = DgaFeatures.Read(row.Label, symbols);
        _head.Sum(symbols, n, DgaFeatures.StableHash(TopLevel(row.Suffix)), out _, out int spread);
        return spread;
    }

    /// <summary>Mean scores, rising, of hosts that draw so many names at random (fixed seed).</summary>
    public static double[] Hosts(double[] scores, int hosts, int names)
    {
        var random = new Random(77);
        double[] means = new double[hosts];
        for (int h = 0; h < hosts; h++)
        {
            for (int i = 0; i < names; i++) means[h] += scores[random.Next(scores.Length)] / names;
        }
        Array.Sort(means);
        return means;
    }
}
