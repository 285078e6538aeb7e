namespace Nfr.Uplink;

/// <summary>What became of a page.</summary>
/// <param name="Taken">So many alerts, from the page's first on, need not come again: the other side keeps them, or refuses them for ever.</param>
/// <param name="Refused">How many of those it refuses for ever.</param>
/// <param name="Fault">Why it stopped before the page's end, in one sentence; null = the whole page was taken, or its rest only waits.</param>
/// <param name="After">
/// When the rest shall come again. With a fault: the other side's own wish, where it is longer than the output's back-off. Without one: the rest waits and nothing failed.
/// </param>
/// <param name="Waits">Of a rest that only waits: why, in words that a status shows, such as "gathering until 14:05".</param>
public readonly record struct SinkAnswer(int Taken, int Refused, string? Fault, TimeSpan? After = null, string? Waits = null)
{
    public static SinkAnswer All(AlertPage page)
    {
        ArgumentNullException.ThrowIfNull(page);
        return new(page.Count, 0, null);
    }

    /// <summary>Nothing of the page was taken for sure; it comes again whole.</summary>
    public static SinkAnswer None(string fault) => new(0, 0, fault);

    /// <summary>The first ones only.</summary>
    public static SinkAnswer First(int taken, string fault) => new(taken, 0, fault);

    /// <summary>Nothing is taken yet and nothing failed: the page comes again, with what was stored meanwhile, after so long.</summary>
    public static SinkAnswer Later(TimeSpan after, string waits) => new(0, 0, null, after, waits);
}

/// <summary>
/// Where an output's pages go. A write ends within a time that the sink states, and says how much of the page is kept for sure: the rest comes again. One
/// write at a time.
/// </summary>
public abstract class AlertSink : IDisposable
{
    /// <summary>Shown in status and log: the file's path, "stdout", "tcp://…". Never a password.</summary>
    public abstract string Target { get; }

    /// <summary>
    /// The last reason for which the other side refused alerts for ever, in one sentence; null when it never did.
    /// </summary>
    public virtual string? LastRefusal => null;

    /// <summary>What people should know though pages are taken, in one sentence, such as a recipient that is refused; null when there is nothing.</summary>
    public virtual string? Remark => null;

    /// <summary>Alerts that were taken although part of them was cut off, since the start.</summary>
    public virtual long Cut => 0;

    /// <summary>Alerts of one page at most.</summary>
    public virtual int PageSize => AlertOutput.PageSize;

    /// <summary>Writes a page and sees that it is kept.</summary>
    public abstract Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel);

    /// <summary>Called while no alerts wait, every half minute at least: a sink that has learnt of a loss since makes it good. Null = all is well, else what is wrong.</summary>
    public virtual Task<string?> SettleAsync(CancellationToken cancel) => Task.FromResult<string?>(null);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}
