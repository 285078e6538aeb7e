using Nfr.Storage;

namespace Nfr.Uplink;

/// <summary>Alerts to be written together, and the same as whole lines of the output's format.</summary>
/// <param name="Alerts">In order of their sequence; at least one.</param>
/// <param name="Lines">UTF-8, each line ended.</param>
public sealed record AlertPage(IReadOnlyList<StoredAlert> Alerts, ReadOnlyMemory<byte> Lines);

/// <summary>Where an output's pages go. A write either takes the whole page or says why not; then the same page comes again.</summary>
public abstract class AlertSink : IDisposable
{
    /// <summary>Shown in status and log: the file's path, "stdout", "tcp://…".</summary>
    public abstract string Target { get; }

    /// <summary>Writes a page and sees that it is kept. Null = done; otherwise one sentence.</summary>
    public abstract Task<string?> WriteAsync(AlertPage page, CancellationToken cancel);

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>Standard output and error: lines, flushed per page.</summary>
public sealed class StreamSink(Stream stream, string target) : AlertSink
{
    public override string Target => target;

    public override async Task<string?> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        try
        {
            await stream.WriteAsync(page.Lines, cancel);
            await stream.FlushAsync(cancel);
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }
}
