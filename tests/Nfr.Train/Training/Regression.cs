using Nfr.Scoring.Names;

namespace Nfr.Train.Training;

/// <summary>How one head is trained.</summary>
/// <param name="Power">Of the number of n-grams that a sum is spread over, in tenths.</param>
/// <param name="Scale">A byte of this is one natural logarithm of odds: the more a sum is divided by, the larger the weights, and they have to fit.</param>
/// <param name="EvenFamilies">Whether a family weighs by the root of its rows instead of by their number, so that the large ones do not speak for all.</param>
/// <param name="Wants">Which types of made-up names it learns; the others are left out of its training.</param>
sealed record HeadPlan(int Shortest, int Longest, int Bits, int Power, int Scale, bool EvenFamilies, Func<string, bool> Wants);

/// <summary>
/// Logistic regression by stochastic gradient with a rate of its own for each weight (AdaGrad), over n-grams that are spread over a power
/// of their number. The order of the rows is shuffled by a fixed seed; one thread: the same rows give the same weights.
/// </summary>
static class Regression
{
    const int Epochs = 8, Seed = 20261;
    const float Rate = 0.5f, Decay = 2e-6f;

    /// <param name="rows">What is trained on.</param>
    /// <param name="plan">The head.</param>
    /// <returns>Weights in 1/<see cref="HeadPlan.Scale"/>, rounded.</returns>
    public static DgaHead Train(IReadOnlyList<Data.DgaRow> rows, HeadPlan plan)
    {
        float[] weights = new float[1 << plan.Bits], squares = new float[1 << plan.Bits];
        int[] order = [.. Enumerable.Range(0, rows.Count).Where(i => !rows[i].IsBad || plan.Wants(rows[i].Type))];
        int[] places = new int[512];
        byte[] symbols = new byte[DgaFeatures.MaxSymbols + 2];
        float[] spread = [0, .. Enumerable.Range(1, places.Length).Select(n => (float)Math.Pow(n, -plan.Power / 10.0))];
        var random = new Random(Seed);
        Dictionary<string, double> families = plan.EvenFamilies ? WeightOfFamilies(rows) : [];
        double bias = 0;
        for (int epoch = 0; epoch < Epochs; epoch++)
        {
            random.Shuffle(order);
            foreach (int index in order)
            {
                Data.DgaRow row = rows[index];
                int n = DgaFeatures.Read(row.Label, symbols);
                int count = DgaHead.Places(symbols, n, DgaFeatures.StableHash(row.Suffix), plan.Shortest, plan.Longest, plan.Bits, places);
                float root = spread[count], sum = 0;
                for (int i = 0; i < count; i++) sum += weights[places[i]];
                double odds = (sum * root) + bias;
                float gradient = (float)(((1 / (1 + Math.Exp(-odds))) - (row.IsBad ? 1 : 0)) * families.GetValueOrDefault(row.Group, 1));
                bias -= 0.001 * gradient;
                float step = gradient * root;
                for (int i = 0; i < count; i++)
                {
                    ref float w = ref weights[places[i]];
                    float g = step + (Decay * w);
                    ref float s = ref squares[places[i]];
                    s += g * g;
                    w -= Rate * g / (MathF.Sqrt(s) + 1e-3f);
                }
            }
        }
        var whole = new sbyte[weights.Length];
        for (int i = 0; i < whole.Length; i++) whole[i] = (sbyte)Math.Clamp(MathF.Round(weights[i] * plan.Scale), -127, 127);
        return new DgaHead(plan.Shortest, plan.Longest, plan.Power, plan.Scale, whole);
    }

    /// <summary>The weight of a row of each family; all rows of families together weigh as before. Good rows and generated ones are in none.</summary>
    static Dictionary<string, double> WeightOfFamilies(IReadOnlyList<Data.DgaRow> rows)
    {
        var counts = rows.Where(row => row.IsBad && row.Group != GeneratedNames.Type).GroupBy(row => row.Group).ToDictionary(family => family.Key, family => (double)family.Count());
        double all = counts.Values.Sum(), roots = counts.Values.Sum(Math.Sqrt);
        return counts.ToDictionary(family => family.Key, family => all / roots / Math.Sqrt(family.Value));
    }
}
