using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>Says in a few words why a request got no answer.</summary>
static class HttpFault
{
    /// <param name="fault">Of the client.</param>
    /// <param name="host">Who was asked.</param>
    /// <param name="certificateFault">What was wrong with the certificate, when the handshake looked at it.</param>
    /// <param name="proxy">Between us and the host, as "host:port"; null = none.</param>
    public static string Describe(HttpRequestException fault, string host, TlsFault? certificateFault, string? proxy = null)
    {
        return fault.HttpRequestError switch
        {
            HttpRequestError.NameResolutionError => proxy is null ? $"the name {host} cannot be resolved, check DNS" : $"the name of the proxy {proxy} cannot be resolved, check DNS",
            // With a proxy between, it is the proxy that we connect to.
            HttpRequestError.ConnectionError => (proxy is null ? "" : $"the proxy {proxy} cannot be reached: ") + NoConnection(fault, proxy ?? host),
            HttpRequestError.SecureConnectionError => certificateFault?.Sentence ?? ClientTls.Describe(fault, host),
            HttpRequestError.ResponseEnded => "the connection broke in the middle of the answer",
            HttpRequestError.InvalidResponse => "the answer is not HTTP",
            HttpRequestError.ProxyTunnelError => ProxyFault.Describe(fault, proxy ?? "", host),
            HttpRequestError.ConfigurationLimitExceeded => "the answer's headers are too long",
            _ => ClientTls.AboutOurs(fault, host) is { } ours ? ours : Innermost(fault) is var inner && fault.InnerException is IOException or SocketException
                ? $"the connection broke while sending ({inner})"
                : inner,
        };
    }

    static string NoConnection(HttpRequestException fault, string host) => fault.InnerException is not SocketException socket ? "no connection" : socket.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => $"no route to {host}",
        SocketError.TimedOut => "the connection timed out",
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData => $"the name {host} cannot be resolved, check DNS",
        _ => $"no connection ({socket.SocketErrorCode})",
    };

    static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner) fault = inner;
        return fault.Message.TrimEnd('.').ReplaceLineEndings(" ");
    }
}
