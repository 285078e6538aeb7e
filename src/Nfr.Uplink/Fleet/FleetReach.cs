using System.Net;
using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>
/// Whether anybody is there, before libmosquitto is asked, which connects blocking and says little. All addresses of the name are tried, each a moment after the one before
/// (RFC 8305, 5), so that one that leads nowhere costs no more than that moment.
/// </summary>
static class FleetReach
{
    /// <summary>For the resolver; and for TCP from its first try on.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);
    static readonly TimeSpan s_stagger = TimeSpan.FromMilliseconds(250);
    const int MostAddresses = 8;
    /// <summary>Where another address answered, one that does not within it is passed by: time for a lost packet to be sent again, with some to spare.</summary>
    static readonly TimeSpan s_leastLimit = TimeSpan.FromSeconds(2);

    /// <param name="host">Name or address.</param>
    /// <param name="port">Of the broker.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="answers">The address that answered first.</param>
    /// <param name="each">How long libmosquitto may try one address, now that it is known how quick one is.</param>
    /// <returns>Null = somebody listens there. After ten seconds at most.</returns>
    public static FleetFault? Try(string host, int port, CancellationToken cancel, out IPAddress? answers, out TimeSpan each)
    {
        (answers, each) = (null, s_limit);
        IPAddress[] addresses;
        try
        {
            addresses = [.. Dns.GetHostAddressesAsync(host, cancel).WaitAsync(s_limit, cancel).GetAwaiter().GetResult().Take(MostAddresses)];
        }
        catch (Exception fault) when (fault is SocketException or TimeoutException)
        {
            return new($"the broker's name {host} cannot be resolved", fault is TimeoutException ? "no name server answers: check the network of the management port" : "check fleet.broker, and the name servers of this box");
        }
        (answers, TimeSpan took, SocketError error) = FirstAsync(addresses, port, cancel).GetAwaiter().GetResult();
        if (answers is not null)
        {
            if (addresses.Length > 1) each = TimeSpan.FromTicks(Math.Clamp(4 * took.Ticks, s_leastLimit.Ticks, s_limit.Ticks));
            return null;
        }
        string who = addresses.Length > 1 ? $"{host} (none of its {addresses.Length} addresses)" : host;
        return error switch
        {
            SocketError.ConnectionRefused => new($"nobody listens on port {port} of {host}", "start the broker, or check the port in fleet.broker (1883 plain, 8883 TLS) and the broker's listener"),
            SocketError.TimedOut => new($"{who} does not answer on port {port}", "check that it is on and that no firewall is between"),
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => new($"there is no way to {host}", "check the management port's cable, address and gateway"),
            SocketError.NoData => new($"the broker's name {host} has no address", "check fleet.broker"),
            _ => new($"{host}:{port} cannot be reached ({error})", "check fleet.broker and the network of the management port"),
        };
    }

    /// <summary>The first of them that takes a connection, which is closed again; otherwise what says most of why none did.</summary>
    static async Task<(IPAddress? Answers, TimeSpan Took, SocketError Error)> FirstAsync(IPAddress[] addresses, int port, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(s_limit);
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
