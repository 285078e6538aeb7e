using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Nfr.Scoring.Names;
using Nfr.Train.Data;

namespace Nfr.Train.Training;

/// <summary>
/// Makes the model of made-up names. The trees see what the heads, the model of good names and the suffixes say of rows that those were not
/// trained on (five folds); else they would trust them too much. The first head also learns generated names; the trees do not, since
/// the words in them are those of the shipped filter.
/// </summary>
static class DgaTrainer
{
    const int Folds = 5;
    const double Rate = 0.1;

    static readonly HeadPlan[] s_heads =
    [
        new(1, 5, 18, 7, 6, true, static _ => true),
        new(3, 6, 18, 5, 16, false, static type => type == "dictionary"),
        new(2, 5, 17, 5, 14, false, static type => type == "pronounceable"),
    ];

    sealed record Base(DgaHead[] Heads, NameModel Names, sbyte[] Suffixes);

    /// <param name="rows">What is trained on, in a fixed order.</param>
    /// <param name="words">Everyday words (<see cref="GeneratedNames.Words"/>).</param>
    /// <param name="trees">How many.</param>
    /// <returns>The model's file.</returns>
    public static byte[] Train(IReadOnlyList<DgaRow> rows, string[] words, int trees = 350)
    {
        DgaRow[] generated = [.. GeneratedNames.From(rows, words)];
        short[] x = new short[rows.Count * DgaFeatures.Count];
        uint[] folds = [.. rows.Select(row => row.Fold % Folds)];
        for (int fold = 0; fold < Folds; fold++)
        {
            Base other = TrainBase([.. rows.Where((_, i) => folds[i] != fold)], generated);
            for (int i = 0; i < rows.Count; i++)
            {
                if (folds[i] == fold) Fill(other, rows[i], x.AsSpan(i * DgaFeatures.Count, DgaFeatures.Count));
            }
        }
        return File(TrainBase(rows, generated), new Boosting(trees, Rate).Train(x, [.. rows.Select(row => row.IsBad)]));
    }

    static Base TrainBase(IReadOnlyList<DgaRow> rows, DgaRow[] generated) => new(
        [.. s_heads.Select(plan => Regression.Train([.. rows, .. generated], plan))],
        NameModel.Shipped,
        SuffixOdds(rows));

    static sbyte[] SuffixOdds(IReadOnlyList<DgaRow> rows)
    {
        double[] good = new double[DgaModel.SuffixCells], bad = new double[DgaModel.SuffixCells];
        foreach (DgaRow row in rows) (row.IsBad ? bad : good)[DgaFeatures.StableHash(row.Suffix) & (DgaModel.SuffixCells - 1)]++;
        var odds = new sbyte[DgaModel.SuffixCells];
        double goodSum = good.Sum(), badSum = bad.Sum();
        for (int i = 0; i < odds.Length; i++)
        {
            double each = Math.Log(((bad[i] + 5) / (badSum + 5)) / ((good[i] + 5) / (goodSum + 5)));
            odds[i] = (sbyte)Math.Clamp(Math.Round(each * 16), -127, 127);
        }
        return odds;
    }

    static void Fill(Base model, DgaRow row, Span<short> x)
    {
        Span<byte> symbols = stackalloc byte[DgaFeatures.MaxSymbols + 2];
        int n = DgaFeatures.Read(row.Label, symbols);
        uint hash = DgaFeatures.StableHash(row.Suffix);
        for (int i = 0; i < model.Heads.Length; i++)
        {
            model.Heads[i].Sum(symbols, n, hash, out int sum, out int spread);
            x[2 * i] = (short)Math.Clamp(sum, short.MinValue, short.MaxValue);
            x[(2 * i) + 1] = (short)Math.Clamp(spread, short.MinValue, short.MaxValue);
        }
        DgaFeatures.FillShape(symbols, n, model.Suffixes[hash & (DgaModel.SuffixCells - 1)], 1 + row.Suffix.AsSpan().Count((byte)'.'), model.Names, x);
        DgaFeatures.FillWords(symbols, n, x);
    }

    static byte[] File(Base model, List<Tree> trees)
    {
        using var file = new MemoryStream();
        file.Write(DgaModel.Magic);
        foreach (DgaHead head in model.Heads)
        {
            ReadOnlySpan<byte> weights = MemoryMarshal.AsBytes(head.Weights);
            file.Write([(byte)head.Shortest, (byte)head.Longest, (byte)System.Numerics.BitOperations.Log2((uint)weights.Length), (byte)head.Power, (byte)head.Scale]);
            file.Write(weights);
        }
        file.Write(MemoryMarshal.AsBytes(model.Suffixes.AsSpan()));
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(number, trees.Count);
        file.Write(number);
        foreach (Tree tree in trees)
        {
            for (int i = 0; i < DgaModel.Nodes; i++)
            {
                BinaryPrimitives.WriteInt16LittleEndian(number, tree.Limit[i]);
                file.Write([tree.Feature[i], number[0], number[1], (byte)tree.Left[i], (byte)tree.Right[i]]);
            }
            foreach (short leaf in tree.Leaf)
            {
                BinaryPrimitives.WriteInt16LittleEndian(number, leaf);
                file.Write(number[..2]);
            }
        }
        return file.ToArray();
    }
}
