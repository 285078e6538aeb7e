using System.Runtime.CompilerServices;

namespace Nfr.Scoring.Names;

/// <summary>
/// A logistic regression over hashed character n-grams and the suffix: one signed byte a weight. A head knows one kind of made-up name.
/// </summary>
sealed class DgaHead
{
    /// <summary>Sums are spread over at most so many n-grams.</summary>
    const int MaxPlaces = 512;

    readonly sbyte[] _weights;
    readonly int _shift;
    /// <summary>65536 / scale / n^power for n of 1 to 511: spreads a sum over its n-grams, in whole numbers.</summary>
    readonly int[] _spread;

    /// <param name="shortest">The shortest n-gram, in symbols.</param>
    /// <param name="longest">The longest, at most 6.</param>
    /// <param name="power">Of the number of n-grams that a sum is divided by, in tenths: 5 is the root, more lets long names say less.</param>
    /// <param name="scale">A weight of this is one natural logarithm of odds.</param>
    /// <param name="weights">A power of two of them.</param>
    public DgaHead(int shortest, int longest, int power, int scale, sbyte[] weights)
    {
        Shortest = shortest;
        Longest = longest;
        Power = power;
        Scale = scale;
        _spread = new int[MaxPlaces];
        for (int n = 1; n < MaxPlaces; n++) _spread[n] = (int)Math.Round(65536.0 / scale / Math.Pow(n, power / 10.0));
        _weights = weights;
        _shift = 32 - System.Numerics.BitOperations.Log2((uint)weights.Length);
    }

    public int Shortest { get; }
    public int Longest { get; }
    public int Power { get; }
    public int Scale { get; }
    public ReadOnlySpan<sbyte> Weights => _weights;

    /// <summary>The weight's place of one n-gram, of a packed run of symbols (six bits each) and its length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Place(ulong packed, int n, int shift)
    {
        ulong h = (packed + ((ulong)n << 40)) * 0x9E37_79B9_7F4A_7C15;
        h ^= h >> 29;
        return (int)((uint)((h * 0xBF58_476D_1CE4_E5B9) >> 32) >> shift);
    }

    /// <summary>The places of all n-grams of a label, and of its suffix, as the trainer needs them.</summary>
    /// <returns>How many.</returns>
    public static int Places(ReadOnlySpan<byte> symbols, int n, uint suffixHash, int shortest, int longest, int bits, Span<int> places)
    {
        int count = 0, shift = 32 - bits;
        for (int length = shortest; length <= longest; length++)
        {
            ulong packed = 0, mask = (1UL << (6 * length)) - 1;
            for (int i = 0; i < n + 2; i++)
            {
                packed = ((packed << 6) | symbols[i]) & mask;
                if (i >= length - 1 && (length > 1 || (i > 0 && i <= n))) places[count++] = Place(packed, length, shift);
            }
        }
        places[count++] = Place(suffixHash, 7, shift);
        return count;
    }

    /// <summary>The sum of the weights of a label, and that sum spread over their number's power, in 1/256 of a logarithm.</summary>
    public void Sum(ReadOnlySpan<byte> symbols, int n, uint suffixHash, out int sum, out int spread)
    {
        int count = 1;
        sum = _weights[Place(suffixHash, 7, _shift)];
        for (int length = Shortest; length <= Longest; length++)
        {
            ulong packed = 0, mask = (1UL << (6 * length)) - 1;
            for (int i = 0; i < n + 2; i++)
            {
                packed = ((packed << 6) | symbols[i]) & mask;
                if (i < length - 1 || (length == 1 && (i == 0 || i > n))) continue;
                sum += _weights[Place(packed, length, _shift)];
                count++;
            }
        }
        spread = (int)((long)sum * _spread[Math.Min(count, MaxPlaces - 1)] >> 8);
    }
}
