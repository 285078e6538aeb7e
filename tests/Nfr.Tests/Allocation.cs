namespace Nfr.Tests;

/// <summary>
/// Measures what a piece of work allocates on this thread, as the least of a few runs: what the runtime does for itself now and then is
/// not the work's. It keeps an array of its own while other threads load types, and a collection that another thread caused gives up the
/// rest of this thread's 8 KB of room, which then counts as allocated. What the work allocates comes again in every run.
/// </summary>
internal static class Allocation
{
    const int MaximumRuns = 5;

    /// <summary>Bytes of one run of the work, which is run up to five times, until one takes nothing.</summary>
    public static long Least(Action work)
    {
        long least = long.MaxValue;
        for (int run = 0; run < MaximumRuns && least > 0; run++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }

    /// <summary>Bytes of a hundred runs of the work after fifty for the runtime's own set-up.</summary>
    public static long Of(Action work)
    {
        for (int i = 0; i < 50; i++) work();
        return Least(() =>
        {
            for (int i = 0; i < 100; i++) work();
        });
    }
}
