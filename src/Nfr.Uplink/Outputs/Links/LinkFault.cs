using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>Says in one sentence why a server cannot be written to, and where to look.</summary>
static class LinkFault
{
    public static string Describe(Exception fault, LinkOptions link)
    {
        while (fault is not SocketException && fault.InnerException is { } inner) fault = inner;
        return fault is not SocketException socket ? fault.Message.TrimEnd('.').ReplaceLineEndings(" ") : socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => link.Protocol == LinkProtocol.Udp ? "port unreachable: nobody listens there" : "connection refused: nobody listens there, check host and port",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => $"no route to {link.Host}: check the network",
            SocketError.TimedOut => "the connection timed out: check host and port, and firewalls between",
            SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"the name {link.Host} cannot be resolved, check DNS",
            SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted => "the server reset the connection: look into its log",
            SocketError.MessageSize => "the network takes no datagram of that size; lower max_size",
            _ => socket.Message.TrimEnd('.').ReplaceLineEndings(" "),
        };
    }
}
