using System.Text;

namespace Nfr.Scoring.Names;

/// <summary>
/// Holds one host name against the brands. Allocates nothing; a name costs about as many probes of a hash table as it has letters.
/// </summary>
/// <remarks>
/// The likeness alone is weighed here (a short brand or one that is an everyday word weighs less); whether that is enough is the detector's sum of
/// likeness, place, and whether the site has seen the domain before. A brand's own domains never match, nor does its label under a country's top-level domain.
/// </remarks>
sealed class BrandMatcher(BrandTable table)
{
    const int MaxLabel = 63, MaxName = 255;
    /// <summary>A word inside a longer label or among a host's labels is taken for a brand from this length on.</summary>
    const int MinInside = 4;
    /// <summary>Brands from this length on are told from words by one letter with some certainty.</summary>
    const int Long = 7, Short = 4;

    public BrandTable Brands => table;

    /// <param name="name">Without its last dot, any case, in presentation form or UTF-8.</param>
    /// <param name="start">Where the registered domain starts.</param>
    /// <param name="suffix">Where its public suffix starts.</param>
    public BrandMatch Match(ReadOnlySpan<byte> name, int start, int suffix)
    {
        if (suffix <= start || suffix >= name.Length || name.Length > MaxName) return default;
        Span<byte> lower = stackalloc byte[MaxName];
        for (int i = 0; i < name.Length; i++) lower[i] = Tables.Mix.Lower(name[i]);
        ReadOnlySpan<byte> host = lower[..name.Length], domain = host[start..], label = host[start..(suffix - 1)], top = host[suffix..];
        if (label.Length > MaxLabel || table.IsOwn(domain)) return default;
        bool odd = OddTopLevels.Holds(top);
        BrandMatch match = IsInternational(label) ? International(label, top, odd) : Label(label, top, odd);
        if (!match.IsNone) return match;
        return start > 1 ? Host(host[..(start - 1)], host[..(suffix - 1)], top, odd) : default;
    }

    static bool IsInternational(ReadOnlySpan<byte> label) => label.StartsWith("xn--"u8) || !Ascii.IsValid(label);

    bool IsPlace(BrandTable.Brand brand, ReadOnlySpan<byte> suffix, bool odd) =>
        odd || suffix.SequenceEqual(brand.Suffix) || (brand.Label.Length >= Long && suffix.SequenceEqual("com"u8));

    /// <summary>Characters of other scripts: held by their skeleton, and by its shape, against the brands; one may be unknown.</summary>
    BrandMatch International(ReadOnlySpan<byte> label, ReadOnlySpan<byte> suffix, bool odd)
    {
        Span<int> codePoints = stackalloc int[MaxLabel];
        int points = label.StartsWith("xn--"u8) ? Punycode.Decode(label[4..], codePoints) : Utf8(label, codePoints);
        if (points <= 0) return default;
        Span<byte> text = stackalloc byte[MaxLabel * 3], blurred = stackalloc byte[MaxLabel * 3];
        ReadOnlySpan<byte> skeleton = text[..Confusables.Table.Skeleton(codePoints[..points], text)];
        if (skeleton.Count(Confusables.Unknown) > 1) return default;
        BrandMatch best = default;
        int same = table.Find(skeleton);
        if (same >= 0) return Found(same, 1, suffix) with { SamePlace = true };
        ReadOnlySpan<byte> shape = blurred[..Shape.Coarse(skeleton, blurred)];
        for (var near = table.Near(shape, shapes: true); near.MoveNext();)
        {
            BrandTable.Brand brand = table.Brands[near.Current];
            if (shape.SequenceEqual(brand.Coarse)) return Found(near.Current, 1, suffix) with { SamePlace = true };
            if (BrandEdit.Of(shape, brand.Coarse) == BrandLikeness.None) continue;
            // A character that no table knows stands for any; otherwise one letter of difference besides must not be taken for a short brand.
            bool certain = skeleton.Contains(Confusables.Unknown) ? shape.Length == brand.Coarse.Length : brand.Label.Length >= Long;
            if (!certain && brand.Label.Length <= Short) continue;
            Better(ref best, Found(near.Current, certain ? 1 : 0.9, suffix));
        }
        for (var near = table.Near(skeleton, shapes: false); near.MoveNext();)
        {
            BrandTable.Brand brand = table.Brands[near.Current];
            if (BrandEdit.Of(skeleton, brand.Label) == BrandLikeness.None || brand.Label.Length <= Short) continue;
            Better(ref best, Found(near.Current, brand.Label.Length >= Long ? 1 : 0.9, suffix));
        }
        return best;

        BrandMatch Found(int brand, double weight, ReadOnlySpan<byte> suffix) =>
            new(BrandLikeness.Homoglyph, brand, weight, IsPlace(table.Brands[brand], suffix, odd), false, odd, true);
    }

    static int Utf8(ReadOnlySpan<byte> label, Span<int> codePoints)
    {
        int points = 0;
        while (!label.IsEmpty && points < codePoints.Length)
        {
            if (Rune.DecodeFromUtf8(label, out Rune rune, out int used) != System.Buffers.OperationStatus.Done) return -1;
            codePoints[points++] = rune.Value;
            label = label[used..];
        }
        return points;
    }

    static void Better(ref BrandMatch best, in BrandMatch other)
    {
        if (best.IsNone || Worth(other) > Worth(best)) best = other;

        static double Worth(in BrandMatch m) => m.Weight + (m.SamePlace ? 0.5 : 0) + (m.HasLure ? 0.5 : 0);
    }

    BrandMatch Label(ReadOnlySpan<byte> label, ReadOnlySpan<byte> suffix, bool odd)
    {
        int exact = table.Find(label);
        if (exact >= 0)
        {
            // The same name elsewhere is mostly the brand's own branch, in a country's domain always.
            return odd && suffix.Length > 2 && !table.Brands[exact].IsWord && label.Length >= MinInside
                ? new BrandMatch(BrandLikeness.OddTopLevel, exact, 0.8, true, false, true, false)
                : default;
        }
        BrandMatch best = default;
        if (label.Length <= BrandTable.MaxLength + 1) best = Edited(label, suffix, odd);
        if (best.Weight < 0.8 && label.Length > MinInside) Better(ref best, Compound(label, suffix, odd));
        return best;
    }

    BrandMatch Edited(ReadOnlySpan<byte> label, ReadOnlySpan<byte> suffix, bool odd)
    {
        BrandMatch best = default;
        // Two letters are a word by chance.
        bool isWord = label.Length > 2 && WordFilter.Table.Has(label);
        Span<byte> fine = stackalloc byte[BrandTable.MaxLength + 1], coarse = stackalloc byte[BrandTable.MaxLength + 1];
        fine = fine[..Shape.Fine(label, fine)];
        coarse = coarse[..Shape.Coarse(label, coarse)];
        for (var near = table.Near(label, shapes: false); near.MoveNext();)
        {
            BrandTable.Brand brand = table.Brands[near.Current];
            BrandLikeness kind = BrandEdit.Of(label, brand.Label);
            if (kind == BrandLikeness.None) continue;
            double weight = brand.Label.Length >= Long ? 1 : brand.Label.Length > Short ? 0.9 : 0.8;
            // Honest names lie one letter away too: words, and what no slip of finger or eye would make of the brand.
            bool same = fine.SequenceEqual(brand.Fine);
            if (kind == BrandLikeness.OtherEdit && !same && !coarse.SequenceEqual(brand.Coarse)) weight -= 0.35;
            if (isWord) weight -= 0.35;
            // Digits for letters are no slip: wherever it is registered, it is meant to be read as the brand.
            bool placed = IsPlace(brand, suffix, odd) || (same && brand.Label.Length >= Long);
            Better(ref best, new BrandMatch(same ? BrandLikeness.Homoglyph : kind, near.Current, weight, placed, false, odd, false));
        }
        if (!best.IsNone) return best;
        for (var near = table.Near(fine, shapes: false); near.MoveNext();)
        {
            BrandTable.Brand brand = table.Brands[near.Current];
            if (!fine.SequenceEqual(brand.Fine) || isWord) continue;
            Better(ref best, new BrandMatch(BrandLikeness.Homoglyph, near.Current, brand.Label.Length > Short ? 1 : 0.8, IsPlace(brand, suffix, odd), false, odd, false));
        }
        if (!best.IsNone) return best;
        for (var near = table.Near(coarse, shapes: true); near.MoveNext();)
        {
            BrandTable.Brand brand = table.Brands[near.Current];
            if (!coarse.SequenceEqual(brand.Coarse) || isWord || Math.Abs(label.Length - brand.Label.Length) > 2 || !IsBlurredInOnePlace(label, brand.Label)) continue;
            // From afar short names are alike that nobody takes for each other: these are told where the site never saw them.
            double weight = brand.Label.Length >= Long ? 0.9 : brand.Label.Length > Short ? 0.7 : 0.5;
            Better(ref best, new BrandMatch(BrandLikeness.Homoglyph, near.Current, weight, IsPlace(brand, suffix, odd), false, odd, false));
        }
        return best;
    }

    /// <summary>Both begin and end alike and differ by no more than three letters between.</summary>
    static bool IsBlurredInOnePlace(ReadOnlySpan<byte> label, ReadOnlySpan<byte> brand)
    {
        int least = Math.Min(label.Length, brand.Length), start = label.CommonPrefixLength(brand), end = 0;
        while (end < least - start && label[^(end + 1)] == brand[^(end + 1)]) end++;
        return start + end >= Math.Max(label.Length, brand.Length) - 3;
    }

    /// <summary>A brand at the start, at the end or between hyphens of a label, and what the rest says.</summary>
    BrandMatch Compound(ReadOnlySpan<byte> label, ReadOnlySpan<byte> suffix, bool odd)
    {
        BrandMatch best = default;
        for (int length = BrandTable.MinLength; length < label.Length && length <= BrandTable.MaxLength; length++)
        {
            int brand = table.Find(label[..length]);
            if (brand >= 0) Better(ref best, Beside(brand, label[length..], suffix, odd, label[length] == '-'));
            brand = table.Find(label[^length..]);
            if (brand >= 0) Better(ref best, Beside(brand, label[..^length], suffix, odd, label[^(length + 1)] == '-'));
        }
        int at = label.IndexOf((byte)'-');
        while (at > 0 && at < label.Length - 1)
        {
            ReadOnlySpan<byte> rest = label[(at + 1)..];
            int next = rest.IndexOf((byte)'-');
            if (next < 0) break;
            int brand = table.Find(rest[..next]);
            if (brand >= 0) Better(ref best, Beside(brand, label[..at], suffix, odd, true));
            at += 1 + next;
        }
        return best;
    }

    BrandMatch Beside(int index, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> suffix, bool odd, bool apart)
    {
        BrandTable.Brand brand = table.Brands[index];
        rest = rest.Trim((byte)'-');
        // "paypalcom", "orange-fr.fr": the brand's own ending written into the label.
        bool ending = rest.SequenceEqual(brand.Suffix) || rest.SequenceEqual("com"u8) || rest.SequenceEqual("www"u8);
        bool lure = ending, all = true, strong = false;
        for (ReadOnlySpan<byte> words = rest; !words.IsEmpty;)
        {
            int dash = words.IndexOf((byte)'-');
            ReadOnlySpan<byte> word = dash < 0 ? words : words[..dash];
            words = dash < 0 ? default : words[(dash + 1)..];
            bool isLure = table.IsLure(word);
            lure |= isLure;
            all &= isLure;
            strong |= isLure && table.IsStrongLure(word);
        }
        if (brand.Label.Length <= MinInside && !(ending || (lure && all && apart))) return default;
        // Branches and partners of a brand write "brandservices" too; with a hyphen, or what only a swindler would promise, it weighs more.
        double weight = ending ? 1 : brand.IsWord ? 0.4 : lure && (strong || (apart && all)) ? 1 : lure ? 0.7 : apart ? 0.6 : 0.4;
        return new BrandMatch(BrandLikeness.Compound, index, weight, false, lure, odd, false);
    }

    /// <summary>What stands before a registered domain that is not the brand's.</summary>
    BrandMatch Host(ReadOnlySpan<byte> before, ReadOnlySpan<byte> untilSuffix, ReadOnlySpan<byte> suffix, bool odd)
    {
        Span<byte> joined = stackalloc byte[BrandTable.MaxLength];
        int length = 0;
        ReadOnlySpan<byte> whole = untilSuffix.StartsWith("www."u8) ? untilSuffix[4..] : untilSuffix;
        if (whole.Length < BrandTable.MaxLength + 4)
        {
            foreach (byte c in whole)
            {
                if (c == '.') continue;
                if (length == joined.Length) return default;
                joined[length++] = c;
            }
            int split = table.Find(joined[..length]);
            if (split >= 0 && whole.Contains((byte)'.')) return new BrandMatch(BrandLikeness.SplitLabels, split, 1, IsPlace(table.Brands[split], suffix, odd), false, odd, false);
        }
        BrandMatch best = default;
        ReadOnlySpan<byte> rest = before;
        while (!rest.IsEmpty)
        {
            int dot = rest.IndexOf((byte)'.');
            ReadOnlySpan<byte> label = dot < 0 ? rest : rest[..dot];
            rest = dot < 0 ? default : rest[(dot + 1)..];
            int brand = table.Find(label);
            if (brand < 0 || label.Length < MinInside) continue;
            BrandTable.Brand found = table.Brands[brand];
            bool inside = rest.StartsWith(found.Suffix) && (rest.Length == found.Suffix.Length || rest[found.Suffix.Length] is (byte)'.' or (byte)'-');
            bool lure = HasLure(rest) || HasLure(untilSuffix[before.Length..].TrimStart((byte)'.'));
            Better(ref best, new BrandMatch(inside ? BrandLikeness.DomainInside : BrandLikeness.Subdomain, brand, inside ? 0.8 : found.IsWord ? 0.2 : 0.4, false, lure, odd, false));
        }
        return best;
    }

    /// <summary>Whether a word between dots and hyphens promises what customers look for; www and endings do not count.</summary>
    bool HasLure(ReadOnlySpan<byte> labels)
    {
        while (!labels.IsEmpty)
        {
            int end = labels.IndexOfAny((byte)'.', (byte)'-');
            ReadOnlySpan<byte> word = end < 0 ? labels : labels[..end];
            labels = end < 0 ? default : labels[(end + 1)..];
            if (word.Length > 3 && table.IsLure(word)) return true;
        }
        return false;
    }
}
