using System.Buffers.Binary;

namespace Nfr.Scoring.Names;

/// <summary>What <see cref="DgaModel"/> says of one name; higher is more like names that programs make up. Natural logarithms of odds, about.</summary>
/// <param name="Letters">The mean view of the heads: it averages well over the names of a host, also for families never seen.</param>
/// <param name="Name">The view of one name alone, from heads, shape and words by boosted trees, and half of the letters beside it.</param>
public readonly record struct DgaScore(double Letters, double Name);

/// <summary>
/// Tells names that programs make up from names that people choose: a few regressions over character n-grams, and boosted trees over
/// their sums, the label's shape and the everyday words in it. All in whole numbers: the same score on every machine. Nothing is allocated. The model is made
/// by <c>tests/Nfr.Train</c> (Models/README.md).
/// </summary>
/// <remarks>
/// The file: "NFRDGA03"; a head each: shortest, longest, log2 of the weights, power of the spread in tenths, weight of one logarithm (u8 each), weights (i8); 4,096 odds of suffixes (i8);
/// the number of trees (i32), and a tree each: <see cref="Nodes"/> × (feature u8, limit i16, left i8, right i8), <see cref="Leaves"/> × i16.
/// A child below 0 is leaf ~child. Little endian.
/// </remarks>
public sealed class DgaModel
{
    internal const int Leaves = 31, Nodes = Leaves - 1, SuffixCells = 1 << 12;
    internal const int TreeBytes = (Nodes * 5) + (Leaves * 2);
    /// <summary>A leaf of this is one natural logarithm of odds.</summary>
    internal const int LeafScale = 1024;
    const double LettersScale = 256;
    /// <summary>The trees know the families they were grown on; the first head's view beside theirs orders names of other families better. A power of two, so that the sum is exact.</summary>
    const double LettersShare = 0.5;
    internal static ReadOnlySpan<byte> Magic => "NFRDGA03"u8;
    const string Resource = "Nfr.Scoring.Models.dga.bin";

    readonly NameModel _names;
    readonly DgaHead[] _heads = new DgaHead[DgaFeatures.Heads];
    readonly sbyte[] _suffixes = new sbyte[SuffixCells];
    readonly Node[] _nodes;
    readonly short[] _leaves;

    readonly record struct Node(short Limit, byte Feature, sbyte Left, sbyte Right);

    /// <exception cref="InvalidDataException">The bytes are no model, or one that was cut.</exception>
    public DgaModel(ReadOnlySpan<byte> file, NameModel names)
    {
        _names = names;
        if (!file.StartsWith(Magic)) throw new InvalidDataException("The model of made-up names does not begin with NFRDGA03.");
        file = file[Magic.Length..];
        for (int i = 0; i < _heads.Length; i++)
        {
            ReadOnlySpan<byte> head = Take(ref file, 5);
            if (head[0] is 0 or > 6 || head[1] < head[0] || head[1] > 6 || head[2] is < 8 or > 20 || head[3] > 10 || head[4] == 0) throw new InvalidDataException("A head of the model of made-up names is malformed.");
            sbyte[] weights = new sbyte[1 << head[2]];
            Take(ref file, weights.Length).CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(weights.AsSpan()));
            _heads[i] = new DgaHead(head[0], head[1], head[3], head[4], weights);
        }
        Take(ref file, SuffixCells).CopyTo(System.Runtime.InteropServices.MemoryMarshal.AsBytes(_suffixes.AsSpan()));
        int trees = BinaryPrimitives.ReadInt32LittleEndian(Take(ref file, 4));
        if (trees < 0 || trees > file.Length / TreeBytes) throw new InvalidDataException("The model of made-up names was cut.");
        _nodes = new Node[trees * Nodes];
        _leaves = new short[trees * Leaves];
        for (int t = 0; t < trees; t++)
        {
            for (int i = 0; i < Nodes; i++)
            {
                ReadOnlySpan<byte> node = Take(ref file, 5);
                var read = new Node(BinaryPrimitives.ReadInt16LittleEndian(node[1..]), node[0], (sbyte)node[3], (sbyte)node[4]);
                // A child lies further on than its parent, so that a walk ends; leaves and features exist.
                if (read.Feature >= DgaFeatures.Count || !Fits(read.Left, i) || !Fits(read.Right, i)) throw new InvalidDataException("A tree of the model of made-up names is malformed.");
                _nodes[(t * Nodes) + i] = read;
            }
            for (int i = 0; i < Leaves; i++) _leaves[(t * Leaves) + i] = BinaryPrimitives.ReadInt16LittleEndian(Take(ref file, 2));
        }

        static bool Fits(sbyte child, int parent) => child < 0 ? ~child < Leaves : child > parent && child < Nodes;

        static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> file, int count)
        {
            if (file.Length < count) throw new InvalidDataException("The model of made-up names was cut.");
            ReadOnlySpan<byte> taken = file[..count];
            file = file[count..];
            return taken;
        }
    }

    /// <summary>The model that ships inside.</summary>
    public static DgaModel Shipped { get; } = new(ReadResource(), NameModel.Shipped);

    internal static byte[] ReadResource()
    {
        using Stream stream = typeof(DgaModel).Assembly.GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"The resource {Resource} is missing from this build.");
        byte[] file = new byte[stream.Length];
        stream.ReadExactly(file);
        return file;
    }

    /// <summary>Scores one registered name.</summary>
    /// <param name="label">The label that was registered: of <c>example.co.uk</c> it is <c>example</c>. Any bytes; those beyond 63 are not looked at.</param>
    /// <param name="suffix">Its public suffix: <c>co.uk</c>.</param>
    public DgaScore Score(ReadOnlySpan<byte> label, ReadOnlySpan<byte> suffix)
    {
        Span<byte> symbols = stackalloc byte[DgaFeatures.MaxSymbols + 2];
        Span<short> features = stackalloc short[DgaFeatures.Count];
        int n = DgaFeatures.Read(label, symbols);
        uint hash = DgaFeatures.StableHash(suffix);
        int letters = FillHeads(symbols, n, hash, features);
        DgaFeatures.FillShape(symbols, n, _suffixes[hash & (SuffixCells - 1)], 1 + suffix.Count((byte)'.'), _names, features);
        DgaFeatures.FillWords(symbols, n, features);
        int sum = 0;
        for (int root = 0, leaf = 0; root < _nodes.Length; root += Nodes, leaf += Leaves)
        {
            int at = 0;
            while (at >= 0)
            {
                ref readonly Node node = ref _nodes[root + at];
                at = features[node.Feature] <= node.Limit ? node.Left : node.Right;
            }
            sum += _leaves[leaf + ~at];
        }
        return new DgaScore(letters / LettersScale, ((double)sum / LeafScale) + (LettersShare * letters / LettersScale));
    }

    int FillHeads(ReadOnlySpan<byte> symbols, int n, uint suffixHash, Span<short> features)
    {
        int letters = 0;
        for (int i = 0; i < _heads.Length; i++)
        {
            _heads[i].Sum(symbols, n, suffixHash, out int sum, out int spread);
            features[2 * i] = (short)Math.Clamp(sum, short.MinValue, short.MaxValue);
            features[(2 * i) + 1] = (short)Math.Clamp(spread, short.MinValue, short.MaxValue);
            if (i == 0) letters = spread;
        }
        return letters;
    }
}
