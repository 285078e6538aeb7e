using System.Globalization;

namespace Nfr.Events;

/// <summary>
/// A fingerprint of 128 bits, as JA3 and HASSH are, kept until its 32 hex digits are wanted. Not an <see cref="UInt128"/>: code that touches one is
/// left out of precompilation, since its place in memory is the machine's choice, and so the whole of the decode loop was (decisions/004).
/// </summary>
readonly record struct Hash128(ulong High, ulong Low)
{
    public const int TextLength = 32;

    public static implicit operator Hash128(UInt128 value) => new((ulong)(value >> 64), (ulong)value);

    /// <summary>From 32 hex digits; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Hash128 hash)
    {
        hash = default;
        if (text.Length != TextLength) return false;
        if (!ulong.TryParse(text[..16], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong high)) return false;
        if (!ulong.TryParse(text[16..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong low)) return false;
        hash = new Hash128(high, low);
        return true;
    }

    /// <summary>32 hex digits in lower case; <paramref name="text"/> has the room.</summary>
    public void Write(Span<byte> text)
    {
        High.TryFormat(text, out _, "x16", CultureInfo.InvariantCulture);
        Low.TryFormat(text[16..], out _, "x16", CultureInfo.InvariantCulture);
    }
}
