namespace Nfr.Scoring.Names;

/// <summary>
/// Whether a label is an everyday English word, by a Bloom filter of 128 KB over 70,000 words: one in five hundred other labels is taken for a word too.
/// A word that lies one letter from a brand is mostly somebody's honest name.
/// </summary>
sealed class WordFilter
{
    const ulong Probes = 6, Mask = (1 << 20) - 1;
    /// <summary>Bytes.</summary>
    public const int TableLength = 1 << 17;

    readonly byte[] _bits = Shipped.Read("words.bin");

    WordFilter() { }

    public static WordFilter Table { get; } = new();

    /// <param name="word">Lower case.</param>
    public bool Has(ReadOnlySpan<byte> word)
    {
        ulong h = Begin;
        foreach (byte c in word)
        {
            if (!char.IsAsciiLetterLower((char)c)) return false;
            h = Extend(h, c);
        }
        return HasHash(h);
    }

    /// <summary>The hash of no letters; letter by letter it is extended, so that all beginnings of a text are asked about in one walk.</summary>
    public const ulong Begin = 0xCBF2_9CE4_8422_2325;

    /// <param name="hash">Of the letters before.</param>
    /// <param name="letter">Lower case, ASCII.</param>
    public static ulong Extend(ulong hash, byte letter) => (hash ^ letter) * 0x0000_0100_0000_01B3;

    /// <summary>Whether the letters that were hashed are a word.</summary>
    public bool HasHash(ulong h)
    {
        h ^= h >> 29;
        h *= 0x9E37_79B9_7F4A_7C15;
        h ^= h >> 32;
        for (ulong i = 0; i < Probes; i++)
        {
            int at = (int)((h + (i * (h >> 32 | 1))) & Mask);
            if ((_bits[at >> 3] >> (at & 7) & 1) == 0) return false;
        }
        return true;
    }
}
