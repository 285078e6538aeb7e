using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>
/// What <see cref="DgaModel"/> looks at in one label, all of it whole numbers, so that every machine comes to the same score. The trainer
/// fills the same vector by the same code.
/// </summary>
static class DgaFeatures
{
    /// <summary>Symbols of a label that is longer are left out: no label of DNS is.</summary>
    public const int MaxSymbols = 63;
    /// <summary>How many heads a model has: one a kind of made-up name.</summary>
    public const int Heads = 3;
    /// <summary>Two numbers a head come first: its weighted sum, and that sum spread over the root of the number of n-grams.</summary>
    public const int FirstShape = 2 * Heads;
    /// <summary>Then the label's shape, and after it what everyday words say.</summary>
    public const int FirstWords = FirstShape + 21;
    public const int Count = FirstWords + 4;
    /// <summary>What a letter costs that no word covers, and what a word costs.</summary>
    const int LetterCost = 16, WordCost = 12;
    const int ShortestWord = 3, LongestWord = 12;
    const int Symbols = NameModel.Symbols;
    const int Hyphen = 37;

    /// <summary>c × log2(c) × 256 for c of 0 to 63, rounded: entropy in whole numbers.</summary>
    static readonly int[] s_plogp = MakePlogP();

    static int[] MakePlogP()
    {
        int[] table = new int[MaxSymbols + 1];
        for (int c = 2; c < table.Length; c++) table[c] = (int)Math.Round(c * Math.Log2(c) * 256);
        return table;
    }

    /// <summary>The label as symbols of <see cref="NameModel"/>, a 0 before and after it.</summary>
    /// <returns>How many symbols lie between the two zeros.</returns>
    public static int Read(ReadOnlySpan<byte> label, Span<byte> symbols)
    {
        int n = Math.Min(label.Length, MaxSymbols);
        symbols[0] = 0;
        for (int i = 0; i < n; i++) symbols[i + 1] = (byte)NameModel.SymbolOf(label[i]);
        symbols[n + 1] = 0;
        return n;
    }

    /// <summary>A name's hash that is the same in every process: FNV-1a without regard to case.</summary>
    public static uint StableHash(ReadOnlySpan<byte> name)
    {
        uint h = 2166136261;
        foreach (byte c in name) h = (h ^ Mix.Lower(c)) * 16777619;
        return h ^ (h >> 15);
    }

    static bool IsVowel(int symbol) => symbol is 1 or 5 or 9 or 15 or 21;
    static bool IsLetter(int symbol) => symbol is >= 1 and <= 26;
    static bool IsDigit(int symbol) => symbol is >= 27 and <= 36;

    /// <summary>Fills what does not come from the heads.</summary>
    /// <param name="symbols">Of <see cref="Read"/>: zero, the label, zero.</param>
    /// <param name="n">Symbols of the label.</param>
    /// <param name="suffixOdds">How much more often made-up names have this suffix, in 1/16 of a natural logarithm.</param>
    /// <param name="suffixLabels">Labels of the public suffix.</param>
    /// <param name="names">The model of good names.</param>
    /// <param name="f"><see cref="Count"/> places.</param>
    public static void FillShape(ReadOnlySpan<byte> symbols, int n, int suffixOdds, int suffixLabels, NameModel names, Span<short> f)
    {
        Span<byte> counts = stackalloc byte[Symbols];
        counts.Clear();
        int vowels = 0, digits = 0, hyphens = 0, hex = 0, consonantRun = 0, bestConsonants = 0, vowelRun = 0, bestVowels = 0, digitRun = 0, bestDigits = 0;
        int changes = 0, repeats = 0, bits = 0, worst = 0, best = int.MaxValue, firstDigit = 0, rare = 0, alternations = 0;
        int a = 0, b = 0, w1 = 0, w2 = 0, w3 = 0;
        ReadOnlySpan<byte> cells = names.Cells;
        for (int i = 1; i <= n + 1; i++)
        {
            int c = symbols[i];
            int cost = cells[(((a * Symbols) + b) * Symbols) + c];
            bits += cost;
            if (cost > 6 * NameModel.Scale) rare++;
            if (i >= 4)
            {
                int window = cost + w1 + w2 + w3;
                worst = Math.Max(worst, window);
                best = Math.Min(best, window);
            }
            (w3, w2, w1) = (w2, w1, cost);
            if (i > n) break;
            counts[c]++;
            bool letter = IsLetter(c), digit = IsDigit(c), vowel = IsVowel(c);
            vowels += vowel ? 1 : 0;
            digits += digit ? 1 : 0;
            hyphens += c == Hyphen ? 1 : 0;
            hex += digit || c is >= 1 and <= 6 ? 1 : 0;
            consonantRun = letter && !vowel ? consonantRun + 1 : 0;
            vowelRun = vowel ? vowelRun + 1 : 0;
            digitRun = digit ? digitRun + 1 : 0;
            bestConsonants = Math.Max(bestConsonants, consonantRun);
            bestVowels = Math.Max(bestVowels, vowelRun);
            bestDigits = Math.Max(bestDigits, digitRun);
            if (b != 0 && (IsLetter(b) && digit || IsDigit(b) && letter)) changes++;
            if (b != 0 && IsLetter(b) && letter && IsVowel(b) != vowel) alternations++;
            if (c == b) repeats++;
            if (digit && firstDigit == 0) firstDigit = i;
            (a, b) = (b, c);
        }
        int distinct = 0, sum = 0;
        foreach (byte count in counts)
        {
            distinct += count > 0 ? 1 : 0;
            sum += s_plogp[count];
        }
        int length = Math.Max(n, 1);
        int at = FirstShape;
        f[at++] = (short)n;
        f[at++] = (short)((s_plogp[length] - sum) / length);
        f[at++] = (short)distinct;
        f[at++] = (short)(distinct * 64 / length);
        f[at++] = (short)digits;
        f[at++] = (short)(digits * 64 / length);
        f[at++] = (short)(vowels * 64 / length);
        f[at++] = (short)bestConsonants;
        f[at++] = (short)bestVowels;
        f[at++] = (short)bestDigits;
        f[at++] = (short)changes;
        f[at++] = (short)(alternations * 64 / length);
        f[at++] = (short)hyphens;
        f[at++] = (short)(hex == n ? n : 0);
        f[at++] = (short)repeats;
        f[at++] = (short)(firstDigit * 64 / length);
        f[at++] = (short)(bits * 4 / (n + 1));
        f[at++] = (short)worst;
        f[at++] = (short)(best == int.MaxValue ? 0 : best);
        f[at++] = (short)(rare * 64 / (n + 1));
        f[at++] = (short)(suffixOdds + (1024 * Math.Min(suffixLabels, 3)));
    }

    /// <summary>Fills how well everyday English words cover a label: the least cost of spelling it by words and single letters, that cost a symbol, and the longest word that this met.</summary>
    /// <param name="symbols">Of <see cref="Read"/>: zero, the label, zero.</param>
    /// <param name="n">Symbols of the label.</param>
    /// <param name="f"><see cref="Count"/> places.</param>
    public static void FillWords(ReadOnlySpan<byte> symbols, int n, Span<short> f)
    {
        WordFilter words = WordFilter.Table;
        Span<int> cost = stackalloc int[MaxSymbols + 1];
        cost[..(n + 1)].Fill(int.MaxValue);
        cost[0] = 0;
        int longest = 0;
        for (int from = 0; from < n; from++)
        {
            cost[from + 1] = Math.Min(cost[from + 1], cost[from] + LetterCost);
            ulong hash = WordFilter.Begin;
            for (int length = 1; length <= LongestWord && from + length <= n; length++)
            {
                int symbol = symbols[from + length];
                if (!IsLetter(symbol)) break;
                hash = WordFilter.Extend(hash, (byte)('a' + symbol - 1));
                // No look at the filter where the word would not be cheaper than what is there.
                if (length < ShortestWord || cost[from] + WordCost >= cost[from + length] || !words.HasHash(hash)) continue;
                cost[from + length] = cost[from] + WordCost;
                longest = Math.Max(longest, length);
            }
        }
        int least = cost[n], all = Math.Max(n, 1);
        f[FirstWords] = (short)least;
        f[FirstWords + 1] = (short)(least * 8 / all);
        f[FirstWords + 2] = (short)longest;
        f[FirstWords + 3] = (short)(longest * 64 / all);
    }
}
