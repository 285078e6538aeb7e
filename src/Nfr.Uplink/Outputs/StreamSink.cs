namespace Nfr.Uplink;

/// <summary>Standard output and error: lines, flushed per page.</summary>
public sealed class StreamSink(Stream stream, string target) : AlertSink
{
    public override string Target => target;

    public override async Task<SinkAnswer> WriteAsync(AlertPage page, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(page);
        try
        {
            await stream.WriteAsync(page.Lines, cancel);
            await stream.FlushAsync(cancel);
            return SinkAnswer.All(page);
        }
        catch (IOException e)
        {
            return SinkAnswer.None(e.Message);
        }
    }
}
