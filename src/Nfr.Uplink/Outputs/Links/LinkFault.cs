using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>Says in a few words why a server cannot be written to.</summary>
static class LinkFault
{
    public static string Describe(Exception fault, LinkOptions link)
    {
        while (fault is not SocketException && fault.InnerException is { } inner) fault = inner;
        return fault is not SocketException socket ? fault.Message.TrimEnd('.').ReplaceLineEndings(" ") : socket.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => link.Protocol == LinkProtocol.Udp ? "port unreachable: nobody listens there" : "connection refused",
            SocketError.NetworkUnreachable or SocketError.HostUnreachable => $"no route to {link.Host}",
            SocketError.TimedOut => "the connection timed out",
            SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"the name {link.Host} cannot be resolved, check DNS",
            SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted => "the server reset the connection",
            SocketError.MessageSize => "the network takes no datagram of that size; lower max_size",
            _ => socket.Message.TrimEnd('.').ReplaceLineEndings(" "),
        };
    }
}
