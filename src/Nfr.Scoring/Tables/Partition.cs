namespace Nfr.Scoring.Tables;

/// <summary>
/// Whose events this thread scores now (<see cref="Scorer.Enter"/>): 0 on board, where there is one network. The tables that remember
/// (<see cref="LruTable{T}"/>, <see cref="SeenSet"/> and their like) make it part of every key, so what is known of 10.0.0.5 at one site says nothing of
/// 10.0.0.5 at another; what is read-only (lists, models) knows no partitions. A detector that keeps something in a form of its own asks
/// for <see cref="Current"/> itself, or shares it between sites.
/// </summary>
static class Partition
{
    [ThreadStatic]
    static ulong t_current;

    public static ulong Current
    {
        get => t_current;
        set => t_current = value;
    }
}
