namespace Nfr.Scoring.Names;

/// <summary>How a name differs from a brand's, from what cannot be told by eye to what only the place of the brand in it says.</summary>
public enum BrandLikeness
{
    None,
    /// <summary>Other characters that look the same.</summary>
    Homoglyph,
    /// <summary>Two neighbours changed places.</summary>
    Transposition,
    /// <summary>A letter left out.</summary>
    Omission,
    /// <summary>A letter doubled.</summary>
    Repetition,
    /// <summary>A hyphen put in or left out.</summary>
    Hyphenation,
    /// <summary>A vowel for another.</summary>
    VowelSwap,
    /// <summary>A letter for a neighbour on the keyboard or one that is a bit away.</summary>
    Replacement,
    /// <summary>A letter too many inside, as a finger that hits two keys makes it.</summary>
    Insertion,
    /// <summary>A letter or digit too many at the end.</summary>
    Addition,
    /// <summary>Any other single letter of difference.</summary>
    OtherEdit,
    /// <summary>The brand cut by dots: <c>pay.pal.com</c>.</summary>
    SplitLabels,
    /// <summary>The brand with more words in one label: <c>paypal-login.com</c>, <c>wwwpaypal.com</c>.</summary>
    Compound,
    /// <summary>The brand's whole domain to the left of somebody else's: <c>paypal.com.example.org</c>.</summary>
    DomainInside,
    /// <summary>The brand as a host of somebody else's domain.</summary>
    Subdomain,
    /// <summary>The brand's very name under a top-level domain of ill repute.</summary>
    OddTopLevel,
}

/// <summary>Tells two words one step apart (Damerau-Levenshtein, neighbours that change places are one step) and names the step.</summary>
static class BrandEdit
{
    /// <summary>Keys beside each key, on the common layouts (QWERTY, QWERTZ, AZERTY); indexes 0-25 letters, 26-35 digits.</summary>
    static readonly string[] s_beside = Beside();

    /// <summary>How <paramref name="name"/> was made from <paramref name="brand"/>; None when they are equal or further apart than one step.</summary>
    public static BrandLikeness Of(ReadOnlySpan<byte> name, ReadOnlySpan<byte> brand)
    {
        int head = name.CommonPrefixLength(brand);
        ReadOnlySpan<byte> n = name[head..], b = brand[head..];
        switch (name.Length - brand.Length)
        {
            case 0 when n.IsEmpty:
                return BrandLikeness.None;
            case 0 when n.Length >= 2 && n[0] == b[1] && n[1] == b[0] && n[2..].SequenceEqual(b[2..]):
                return BrandLikeness.Transposition;
            case 0 when n[1..].SequenceEqual(b[1..]):
                return Replaced(n[0], b[0]);
            case -1 when n.SequenceEqual(b[1..]):
                return b[0] == '-' ? BrandLikeness.Hyphenation : BrandLikeness.Omission;
            case 1 when n[1..].SequenceEqual(b):
                return Inserted(name, brand, head);
            default:
                return BrandLikeness.None;
        }
    }

    static BrandLikeness Replaced(byte to, byte from)
    {
        if (IsVowel(to) && IsVowel(from)) return BrandLikeness.VowelSwap;
        bool bit = System.Numerics.BitOperations.IsPow2(to ^ from);
        return bit || AreBeside(to, from) ? BrandLikeness.Replacement : BrandLikeness.OtherEdit;
    }

    static BrandLikeness Inserted(ReadOnlySpan<byte> name, ReadOnlySpan<byte> brand, int at)
    {
        byte c = name[at];
        if (c == '-') return BrandLikeness.Hyphenation;
        if (at > 0 && name[at - 1] == c) return BrandLikeness.Repetition;
        if (at == brand.Length) return BrandLikeness.Addition;
        return AreBeside(c, brand[at]) || (at > 0 && AreBeside(c, brand[at - 1])) ? BrandLikeness.Insertion : BrandLikeness.OtherEdit;
    }

    static bool IsVowel(byte c) => c is (byte)'a' or (byte)'e' or (byte)'i' or (byte)'o' or (byte)'u';

    static int KeyOf(byte c) => c is >= (byte)'a' and <= (byte)'z' ? c - 'a' : c is >= (byte)'0' and <= (byte)'9' ? c - '0' + 26 : -1;

    static bool AreBeside(byte a, byte b)
    {
        int key = KeyOf(a);
        return key >= 0 && s_beside[key].Contains((char)b, StringComparison.Ordinal);
    }

    static string[] Beside()
    {
        string[][] layouts =
        [
            ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"],
            ["1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"],
            ["1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"],
        ];
        string[] beside = [.. Enumerable.Repeat("", 36)];
        foreach (string[] rows in layouts)
        {
            for (int row = 0; row < rows.Length; row++)
            {
                for (int column = 0; column < rows[row].Length; column++)
                {
                    // A row stands half a key to the right of the one above it.
                    (int Row, int Column)[] places =
                        [(row, column - 1), (row, column + 1), (row - 1, column), (row - 1, column + 1), (row + 1, column - 1), (row + 1, column)];
                    foreach ((int r, int k) in places)
                    {
                        if (r < 0 || r >= rows.Length || k < 0 || k >= rows[r].Length) continue;
                        int key = KeyOf((byte)rows[row][column]);
                        if (!beside[key].Contains(rows[r][k], StringComparison.Ordinal)) beside[key] += rows[r][k];
                    }
                }
            }
        }
        return beside;
    }
}
