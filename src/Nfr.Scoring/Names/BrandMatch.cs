namespace Nfr.Scoring.Names;

/// <summary>What in a name looks like a brand.</summary>
/// <param name="Kind">None when nothing does.</param>
/// <param name="Brand">Index in the table.</param>
/// <param name="Weight">How sure the likeness alone is, 0 to 1.</param>
/// <param name="SamePlace">Registered where the brand is, or where customers would look for it first.</param>
/// <param name="HasLure">A word beside it that promises what customers look for.</param>
/// <param name="OddTopLevel">A top-level domain of ill repute.</param>
/// <param name="IsIdn">Written with characters outside ASCII.</param>
readonly record struct BrandMatch(BrandLikeness Kind, int Brand, double Weight, bool SamePlace, bool HasLure, bool OddTopLevel, bool IsIdn)
{
    public bool IsNone => Kind == BrandLikeness.None;

    /// <summary>One letter of difference: what goals count as "edit distance".</summary>
    public bool IsEdit => Kind is >= BrandLikeness.Transposition and <= BrandLikeness.OtherEdit;
}
