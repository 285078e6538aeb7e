using System.Net;
using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>Whether anybody is there, in words, before libmosquitto is asked.</summary>
static class FleetReach
{
    /// <summary>For the resolver; and for TCP.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);

    /// <param name="host">Name or address.</param>
    /// <param name="port">Of the broker.</param>
    /// <param name="cancel">Ends it.</param>
    /// <param name="answers">The address that answered first.</param>
    /// <param name="each">How long libmosquitto may try one address.</param>
    /// <returns>Null = somebody listens there. After ten seconds at most.</returns>
    public static FleetFault? Try(string host, int port, CancellationToken cancel, out IPAddress? answers, out TimeSpan each) => TcpReach.Try(host, port, s_limit, cancel, out answers, out each) switch
    {
        SocketError.Success => null,
        SocketError.TryAgain => new($"the broker's name {host} cannot be resolved", "no name server answers: check the network of the management port"),
        SocketError.HostNotFound or SocketError.NoData or SocketError.NoRecovery => new($"the broker's name {host} cannot be resolved", "check fleet.broker, and the name servers of this box"),
        SocketError.ConnectionRefused => new($"nobody listens on port {port} of {host}", "start the broker, or check the port in fleet.broker (1883 plain, 8883 TLS) and the broker's listener"),
        SocketError.TimedOut => new($"{host} does not answer on port {port}", "check that it is on and that no firewall is between"),
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => new($"there is no way to {host}", "check the management port's cable, address and gateway"),
        SocketError error => new($"{host}:{port} cannot be reached ({error})", "check fleet.broker and the network of the management port"),
    };
}
