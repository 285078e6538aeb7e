using System.Net;
using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>
/// Whether anybody listens at a name, before another library is asked that connects blocking, address by address, and says little. All addresses are tried, each a moment after the
/// one before (RFC 8305, 5), so that one that leads nowhere costs no more than that moment.
/// </summary>
public static class TcpReach
{
    static readonly TimeSpan s_stagger = TimeSpan.FromMilliseconds(250);
    const int MostAddresses = 8;
    /// <summary>Where another address answered, one that does not within it is passed by: time for a lost packet to be sent again, with some to spare.</summary>
    static readonly TimeSpan s_leastLimit = TimeSpan.FromSeconds(2);

    /// <param name="host">Name or address.</param>
    /// <param name="port">TCP.</param>
    /// <param name="limit">For the resolver; and for TCP, all addresses together.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="answers">The address that answered first.</param>
    /// <param name="each">How long one address may be tried by who comes next, now that it is known how quick one is.</param>
    /// <returns>Success; the resolver's own fault, TryAgain when it did not answer; or what says most of why no address took a connection.</returns>
    /// <exception cref="OperationCanceledException">Only by <paramref name="cancel"/>.</exception>
    public static SocketError Try(string host, int port, TimeSpan limit, CancellationToken cancel, out IPAddress? answers, out TimeSpan each)
    {
        (answers, each) = (null, limit);
        IPAddress[] addresses;
        try
        {
            addresses = [.. Dns.GetHostAddressesAsync(host, cancel).WaitAsync(limit, cancel).GetAwaiter().GetResult().Take(MostAddresses)];
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode;
        }
        catch (TimeoutException)
        {
            return SocketError.TryAgain;
        }
        (answers, TimeSpan took, SocketError error) = FirstAsync(addresses, port, limit, cancel).GetAwaiter().GetResult();
        if (answers is not null && addresses.Length > 1) each = TimeSpan.FromTicks(Math.Clamp(4 * took.Ticks, Math.Min(s_leastLimit.Ticks, limit.Ticks), limit.Ticks));
        return error;
    }

    /// <summary>The first of them that takes a connection, which is closed again; otherwise what says most of why none did.</summary>
    static async Task<(IPAddress? Answers, TimeSpan Took, SocketError Error)> FirstAsync(IPAddress[] addresses, int port, TimeSpan most, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(most);
        var trying = new List<Task<(IPAddress Who, TimeSpan Took, SocketError Error)>>();
        var worst = SocketError.NoData;
        try
        {
            for (int next = 0; next < addresses.Length || trying.Count > 0;)
            {
                if (next < addresses.Length) trying.Add(TryAsync(addresses[next++], port, limit.Token));
                Task any = Task.WhenAny(trying);
                if (next < addresses.Length) await Task.WhenAny(any, Task.Delay(s_stagger, limit.Token)).ConfigureAwait(false);
                else await any.ConfigureAwait(false);
                foreach (Task<(IPAddress Who, TimeSpan Took, SocketError Error)> done in trying.Where(t => t.IsCompleted).ToList())
                {
                    trying.Remove(done);
                    (IPAddress who, TimeSpan took, SocketError error) = await done.ConfigureAwait(false);
                    if (error == SocketError.Success) return (who, took, error);
                    // That one refuses says more than that another is silent, and this more than that there is no way to a third.
                    if (Rank(error) > Rank(worst)) worst = error;
                }
            }
        }
        finally
        {
            await limit.CancelAsync().ConfigureAwait(false);
            // Each ends by that; none throws.
            await Task.WhenAll(trying).ConfigureAwait(false);
        }
        cancel.ThrowIfCancellationRequested();
        return (null, default, worst);
    }

    static int Rank(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => 4,
        SocketError.TimedOut => 3,
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => 1,
        SocketError.NoData => 0,
        _ => 2,
    };

    static async Task<(IPAddress Who, TimeSpan Took, SocketError Error)> TryAsync(IPAddress address, int port, CancellationToken cancel)
    {
        long from = System.Diagnostics.Stopwatch.GetTimestamp();
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address, port, cancel).ConfigureAwait(false);
            return (address, System.Diagnostics.Stopwatch.GetElapsedTime(from), SocketError.Success);
        }
        catch (SocketException fault)
        {
            return (address, default, fault.SocketErrorCode);
        }
        catch (OperationCanceledException)
        {
            return (address, default, SocketError.TimedOut);
        }
    }
}
