using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Indicators;

/// <summary>The one hash of all indicator tables: text is read from the right and without case, so that a name's suffixes cost one pass.</summary>
static class IndicatorHash
{
    const ulong Basis = 0xCBF2_9CE4_8422_2325, Prime = 0x0000_0100_0000_01B3;

    public static ulong Begin(IndicatorKind kind) => Basis ^ ((ulong)kind << 56);
    public static ulong Step(ulong h, byte c) => (h ^ Mix.Lower(c)) * Prime;
    public static ulong End(ulong h) => Mix.Of(h);

    /// <summary>For texts.</summary>
    public static ulong Of(IndicatorKind kind, ReadOnlySpan<byte> text)
    {
        ulong h = Begin(kind);
        for (int i = text.Length - 1; i >= 0; i--) h = Step(h, text[i]);
        return End(h);
    }

    /// <summary>For the kinds whose form is bytes, not text.</summary>
    public static ulong OfBinary(IndicatorKind kind, ReadOnlySpan<byte> bytes)
    {
        ulong h = Begin(kind);
        for (int i = bytes.Length - 1; i >= 0; i--) h = (h ^ bytes[i]) * Prime;
        return End(h);
    }

    public static bool IsText(IndicatorKind kind) => kind is IndicatorKind.Domain or IndicatorKind.Url or IndicatorKind.Path;
}
