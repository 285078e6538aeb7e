namespace Nfr.Uplink;

/// <summary>Carries pages of messages to a server that says nothing back, and finds out what can be known of their arrival. One call at a time.</summary>
abstract class PageSender : IDisposable
{
    public static PageSender Open(LinkOptions link, TimeProvider time) => link.Protocol == LinkProtocol.Udp ? new DatagramSender(link, time) : new StreamSender(link, time);

    /// <param name="alerts">For each alert of the page its messages, whole as they go on the wire; none = nothing of it is sent.</param>
    /// <param name="cancel">Whatever was not settled by then comes again.</param>
    public abstract Task<SinkAnswer> SendAsync(IReadOnlyList<IReadOnlyList<byte[]>> alerts, CancellationToken cancel);

    /// <summary>Called while no alerts wait: sends again what is known to have been lost since; null = all is well.</summary>
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
