using Nfr.Scoring.Names;

namespace Nfr.Train.Training;

/// <summary>One tree: <see cref="DgaModel.Nodes"/> nodes at most, the best split first; a child below 0 is leaf ~child.</summary>
sealed class Tree
{
    public readonly byte[] Feature = new byte[DgaModel.Nodes];
    public readonly short[] Limit = new short[DgaModel.Nodes];
    public readonly sbyte[] Left = new sbyte[DgaModel.Nodes], Right = new sbyte[DgaModel.Nodes];
    public readonly short[] Leaf = new short[DgaModel.Leaves];

    public int Value(ReadOnlySpan<short> f)
    {
        int at = 0;
        while (at >= 0) at = f[Feature[at]] <= Limit[at] ? Left[at] : Right[at];
        return Leaf[~at];
    }
}

/// <summary>Gradient boosting of logistic loss by trees over histograms of at most 128 bins (Friedman 2001; leaf by leaf, best first).</summary>
sealed class Boosting(int trees, double rate)
{
    const int Bins = 128, MinRows = 40;
    const double Lambda = 5;

    /// <param name="x">Rows of <see cref="DgaFeatures.Count"/> features, end to end.</param>
    /// <param name="bad">The side of each row.</param>
    public List<Tree> Train(short[] x, bool[] bad)
    {
        int rows = bad.Length, width = DgaFeatures.Count;
        short[][] limits = new short[width][];
        byte[] binned = new byte[rows * width];
        for (int f = 0; f < width; f++)
        {
            limits[f] = LimitsOf(x, f, rows, width);
            for (int r = 0; r < rows; r++)
            {
                int bin = Array.BinarySearch(limits[f], x[(r * width) + f]);
                binned[(r * width) + f] = (byte)(bin >= 0 ? bin : ~bin);
            }
        }
        float[] odds = new float[rows], g = new float[rows], h = new float[rows];
        var grown = new List<Tree>();
        for (int t = 0; t < trees; t++)
        {
            for (int r = 0; r < rows; r++)
            {
                float p = 1 / (1 + MathF.Exp(-odds[r]));
                g[r] = (bad[r] ? 1 : 0) - p;
                h[r] = p * (1 - p);
            }
            Tree tree = Grow(binned, limits, g, h, rows, out int[] order, out List<(int From, int To, int Leaf)> leaves);
            foreach ((int from, int to, int leaf) in leaves)
            {
                float add = (float)tree.Leaf[leaf] / DgaModel.LeafScale;
                for (int i = from; i < to; i++) odds[order[i]] += add;
            }
            grown.Add(tree);
        }
        return grown;
    }

    static short[] LimitsOf(short[] x, int f, int rows, int width)
    {
        short[] values = new short[rows];
        for (int r = 0; r < rows; r++) values[r] = x[(r * width) + f];
        Array.Sort(values);
        var limits = new SortedSet<short>();
        short[] distinct = [.. values.Distinct()];
        if (distinct.Length <= Bins) limits.UnionWith(distinct);
        else for (int i = 1; i < Bins; i++) limits.Add(values[(int)((long)rows * i / Bins)]);
        return [.. limits];
    }

    sealed record Part(int From, int To, double[] G, double[] H, int[] N, double SumG, double SumH)
    {
        public double Gain;
        public int Feature = -1, Bin, Parent = -1;
        public bool IsLeft;
    }

    Tree Grow(byte[] binned, short[][] limits, float[] g, float[] h, int rows, out int[] order, out List<(int From, int To, int Leaf)> leaves)
    {
        int width = DgaFeatures.Count;
        order = [.. Enumerable.Range(0, rows)];
        int[] rowOrder = order;
        var tree = new Tree();
        var open = new List<Part> { Fill(0, rows) };
        int nodes = 0;
        while (nodes < DgaModel.Nodes && open.MaxBy(p => p.Gain) is { Gain: > 1e-6 } part)
        {
            open.Remove(part);
            int node = nodes++;
            tree.Feature[node] = (byte)part.Feature;
            tree.Limit[node] = limits[part.Feature][part.Bin];
            if (part.Parent >= 0) (part.IsLeft ? tree.Left : tree.Right)[part.Parent] = (sbyte)node;
            int middle = Partition(part);
            // The smaller side is counted; the larger is what remains.
            bool leftSmaller = middle - part.From < part.To - middle;
            Part small = leftSmaller ? Fill(part.From, middle) : Fill(middle, part.To);
            Part large = Minus(part, small, leftSmaller ? middle : part.From, leftSmaller ? part.To : middle);
            (Part left, Part right) = leftSmaller ? (small, large) : (large, small);
            (left.Parent, left.IsLeft, right.Parent) = (node, true, node);
            open.Add(left);
            open.Add(right);
        }
        leaves = [];
        for (int leaf = 0; leaf < open.Count; leaf++)
        {
            Part part = open[leaf];
            double value = rate * part.SumG / (part.SumH + Lambda);
            tree.Leaf[leaf] = (short)Math.Clamp(Math.Round(value * DgaModel.LeafScale), short.MinValue, short.MaxValue);
            if (part.Parent >= 0) (part.IsLeft ? tree.Left : tree.Right)[part.Parent] = (sbyte)~leaf;
            leaves.Add((part.From, part.To, leaf));
        }
        // What was not grown leads to a leaf of nothing, so that every tree has one form.
        if (nodes == 0) (tree.Left[0], tree.Right[0]) = (~0, ~0);
        for (int i = Math.Max(nodes, 1); i < DgaModel.Nodes; i++) (tree.Left[i], tree.Right[i]) = (~0, ~0);
        return tree;

        int Partition(Part part)
        {
            int[] left = new int[part.To - part.From];
            int kept = part.From, moved = 0;
            for (int i = part.From; i < part.To; i++)
            {
                int row = rowOrder[i];
                if (binned[(row * width) + part.Feature] <= part.Bin) rowOrder[kept++] = row;
                else left[moved++] = row;
            }
            left.AsSpan(0, moved).CopyTo(rowOrder.AsSpan(kept));
            return kept;
        }

        Part Fill(int from, int to)
        {
            double[] pg = new double[width * Bins], ph = new double[width * Bins];
            int[] pn = new int[width * Bins];
            double sumG = 0, sumH = 0;
            for (int i = from; i < to; i++)
            {
                int row = rowOrder[i];
                ReadOnlySpan<byte> cells = binned.AsSpan(row * width, width);
                double rg = g[row], rh = h[row];
                sumG += rg;
                sumH += rh;
                for (int f = 0; f < cells.Length; f++)
                {
                    int at = (f * Bins) + cells[f];
                    pg[at] += rg;
                    ph[at] += rh;
                    pn[at]++;
                }
            }
            return Best(new Part(from, to, pg, ph, pn, sumG, sumH));
        }

        Part Minus(Part whole, Part part, int from, int to)
        {
            for (int i = 0; i < whole.G.Length; i++)
            {
                whole.G[i] -= part.G[i];
                whole.H[i] -= part.H[i];
                whole.N[i] -= part.N[i];
            }
            return Best(new Part(from, to, whole.G, whole.H, whole.N, whole.SumG - part.SumG, whole.SumH - part.SumH));
        }

        Part Best(Part part)
        {
            double none = part.SumG * part.SumG / (part.SumH + Lambda);
            for (int f = 0; f < width; f++)
            {
                double lg = 0, lh = 0;
                int ln = 0;
                for (int bin = 0; bin < limits[f].Length - 1; bin++)
                {
                    int at = (f * Bins) + bin;
                    lg += part.G[at];
                    lh += part.H[at];
                    ln += part.N[at];
                    if (ln < MinRows) continue;
                    if (part.To - part.From - ln < MinRows) break;
                    double rg = part.SumG - lg, rh = part.SumH - lh;
                    double gain = (lg * lg / (lh + Lambda)) + (rg * rg / (rh + Lambda)) - none;
                    if (gain > part.Gain) (part.Gain, part.Feature, part.Bin) = (gain, f, bin);
                }
            }
            return part;
        }
    }
}
