namespace Nfr.Train.Evaluation;

/// <summary>How well made-up names, and the hosts that ask for them, are told from good ones.</summary>
sealed class DgaEvaluation : IEvaluation
{
    public string Name => "dga";

    public void Run(EvaluationOutput o)
    {
        o.Heading(2, "Made-up names (DGA)");
        if (!o.TryData("dga/dga.tsv", out _) || !o.TryData("benign/domains.tsv", out _)) return;
        o.Line("To be filled in.");
    }
}
