namespace Nfr.Train.Evaluation;

/// <summary>One section of the quality report. One class a detector; <see cref="Evaluations.All"/> lists them.</summary>
interface IEvaluation
{
    /// <summary>The section's file name, and what <c>evaluate NAME</c> asks for: lower case, no spaces.</summary>
    string Name { get; }

    /// <summary>
    /// Writes its section, from a heading of the second level on. Data that is absent is asked for by <see cref="EvaluationOutput.TryData"/>,
    /// which says so in the section; then there is nothing more to write.
    /// </summary>
    void Run(EvaluationOutput o);
}

/// <summary>The sections, in the order of the report.</summary>
static class Evaluations
{
    public static readonly IReadOnlyList<IEvaluation> All = 
    [
        new DgaEvaluation(), new BrandEvaluation(), new TunnelEvaluation(), new EchoEvaluation(), new BeaconEvaluation(), new ScanEvaluation(), new OldAttackEvaluation(),
        new PolicyEvaluation(), new IndicatorEvaluation(), new FingerprintEvaluation(), new DayEvaluation(),
    ];
}
