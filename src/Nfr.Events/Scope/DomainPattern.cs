namespace Nfr.Events;

/// <summary>
/// A domain of a scope file: <c>a.b</c> is that name only, <c>*.a.b</c> is a.b itself and every name below it. Kept in lower case without
/// a trailing dot.
/// </summary>
public readonly record struct DomainPattern
{
    /// <summary>RFC 1035 2.3.4, in presentation form without the trailing dot.</summary>
    public const int MaxNameLength = 253;
    const int MaxLabelLength = 63;

    DomainPattern(string name, bool subtree)
    {
        Name = name;
        Subtree = subtree;
    }

    public string Name { get; }

    /// <summary>Written with a leading "*.".</summary>
    public bool Subtree { get; }

    /// <summary>Letters, digits, hyphens and underscores in labels of 1 to 63, with an optional leading "*." and trailing dot.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DomainPattern pattern)
    {
        pattern = default;
        bool subtree = text.StartsWith("*.");
        if (subtree) text = text[2..];
        if (text.EndsWith('.')) text = text[..^1];
        if (text.Length is 0 or > MaxNameLength) return false;
        int label = 0;
        foreach (char c in text)
        {
            if (c == '.')
            {
                if (label == 0) return false;
                label = 0;
                continue;
            }
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_') || ++label > MaxLabelLength) return false;
        }
        if (label == 0) return false;
        pattern = new DomainPattern(text.ToString().ToLowerInvariant(), subtree);
        return true;
    }

    /// <summary>For constants in code.</summary>
    /// <exception cref="FormatException">The text is no domain pattern.</exception>
    public static DomainPattern Parse(ReadOnlySpan<char> text) =>
        TryParse(text, out DomainPattern pattern) ? pattern : throw new FormatException($"no domain pattern: {text}");

    public override string ToString() => Subtree ? "*." + Name : Name;
}
