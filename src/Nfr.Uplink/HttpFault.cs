using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>Says in a few words why a request got no answer.</summary>
static class HttpFault
{
    /// <param name="fault">Of the client.</param>
    /// <param name="host">Who was asked.</param>
    /// <param name="certificateFault">What was wrong with the certificate, when the handshake looked at it.</param>
    public static string Describe(HttpRequestException fault, string host, TlsFault? certificateFault)
    {
        return fault.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => $"the name {host} cannot be resolved, check DNS",
            HttpRequestError.ConnectionError => fault.InnerException is SocketException socket
                ? socket.SocketErrorCode switch
                {
                    SocketError.ConnectionRefused => "connection refused",
                    SocketError.NetworkUnreachable or SocketError.HostUnreachable => $"no route to {host}",
                    SocketError.TimedOut => "the connection timed out",
                    SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"the name {host} cannot be resolved, check DNS",
                    _ => $"no connection ({socket.SocketErrorCode})",
                }
                : "no connection",
            HttpRequestError.SecureConnectionError => certificateFault?.Sentence ?? ClientTls.Describe(fault, host),
            HttpRequestError.ResponseEnded => "the connection broke in the middle of the answer",
            HttpRequestError.InvalidResponse => "the answer is not HTTP",
            HttpRequestError.ProxyTunnelError => "the proxy refused the connection",
            HttpRequestError.ConfigurationLimitExceeded => "the answer's headers are too long",
            _ => ClientTls.AboutOurs(fault, host) is { } ours ? ours : Innermost(fault) is var inner && fault.InnerException is IOException or SocketException
                ? $"the connection broke while sending ({inner})"
                : inner,
        };
    }

    static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner) fault = inner;
        return fault.Message.TrimEnd('.').ReplaceLineEndings(" ");
    }
}
