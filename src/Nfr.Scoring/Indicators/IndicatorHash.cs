using System.Runtime.CompilerServices;
using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Indicators;

/// <summary>
/// The one hash of all indicators: 64 bits under a seed of this process, so that nobody can make a good name that is taken for a listed one. Names are
/// read from the right, so that all of a name's suffixes cost one pass; URLs and paths from the left, for their prefixes. Case does not matter.
/// </summary>
static class IndicatorHash
{
    const ulong Odd = 0x9FB2_1C65_1E98_DF25;

    public static ulong Begin(IndicatorKind kind) => Mix.Of((ulong)kind);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Step(ulong h, byte c) => StepRaw(h, Mix.Lower(c));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong StepRaw(ulong h, byte c)
    {
        ulong high = Math.BigMul(h ^ c, Odd, out ulong low);
        return high ^ low;
    }

    public static ulong End(ulong h) => Mix.Of(h);

    /// <param name="kind">Chooses the direction, and whether case matters.</param>
    /// <param name="form">The indicator as <see cref="IndicatorText"/> gives it.</param>
    public static ulong Of(IndicatorKind kind, ReadOnlySpan<byte> form)
    {
        ulong h = Begin(kind);
        switch (kind)
        {
            case IndicatorKind.Domain or IndicatorKind.Host:
                for (int i = form.Length - 1; i >= 0; i--) h = Step(h, form[i]);
                break;
            case IndicatorKind.Url or IndicatorKind.Path or IndicatorKind.Ja4:
                foreach (byte c in form) h = Step(h, c);
                break;
            default:
                foreach (byte c in form) h = StepRaw(h, c);
                break;
        }
        return End(h);
    }
}
