namespace Nfr.Service;

/// <summary>
/// One loop's sign of life: the loop counts its rounds, and <see cref="Watchdog"/> looks whether the count has moved. A round without work counts like any
/// other; a loop that is stuck in one does not come to the next. Written by its loop alone, read by any thread.
/// </summary>
/// <param name="name">Of the loop, for a person: "capture of eth1".</param>
sealed class Pulse(string name)
{
    long _rounds;

    public string Name => name;

    public long Rounds => Volatile.Read(ref _rounds);

    /// <summary>Once a round, never once a packet.</summary>
    public void Beat() => Volatile.Write(ref _rounds, _rounds + 1);
}
