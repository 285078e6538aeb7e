namespace Nfr.Scoring.Tables;

/// <summary>What this site has seen of one destination so far, the sighting at hand included.</summary>
/// <param name="IsNew">Nobody here was seen with it before this call (in <see cref="Prevalence.Of"/>: never at all).</param>
/// <param name="Clients">Different clients of the last 15 to 30 days, estimated: one off now and then up to 10, a tenth off mostly up to 60, 155 at most.</param>
/// <param name="Days">Different days (of 24 h since the sensor began) on which it was seen, 255 at most.</param>
/// <param name="AgeHours">Hours since it was first seen; <see cref="Unknown"/> when its row was lost and only "seen before" is known.</param>
readonly record struct Sighting(bool IsNew, int Clients, int Days, int AgeHours)
{
    public const int Unknown = int.MaxValue;

    /// <summary>Whether it was first seen within the last day of 24 h.</summary>
    public bool IsYoung => AgeHours < 24;
}
