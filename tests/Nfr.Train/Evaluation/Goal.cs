namespace Nfr.Train.Evaluation;

/// <summary>A line of the summary: what a detector should do, and what it did.</summary>
/// <param name="Section">The section that measured it: <c>evaluate SECTION</c> prints it again.</param>
/// <param name="Figure">As measured, in words.</param>
/// <param name="Met">null = measured, and no goal was set for it.</param>
/// <param name="Data">What it was measured on.</param>
sealed record Goal(string Section, string Detector, string Wanted, string Figure, bool? Met, string Data);
