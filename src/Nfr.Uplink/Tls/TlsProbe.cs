using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Nfr.Uplink;

/// <summary>
/// One handshake that carries nothing, to learn why another library's failed: the runtime knows whose certificate it was and what is wrong with it, where libmosquitto says
/// "Protocol error".
/// </summary>
public static class TlsProbe
{
    /// <summary>For TCP and the handshake together.</summary>
    static readonly TimeSpan s_limit = TimeSpan.FromSeconds(5);
    /// <summary>TLS 1.3: a server looks at our certificate only after the handshake.</summary>
    static readonly TimeSpan s_afterthought = TimeSpan.FromSeconds(1);

    /// <summary>Waits six seconds at most. Null = it went well, or there is no news; only the caller's own cancellation throws.</summary>
    /// <param name="tls">What is trusted, and what is shown.</param>
    /// <param name="host">The name that the certificate is for.</param>
    /// <param name="server">The one of its addresses that answers.</param>
    /// <param name="cancel">Ends the look.</param>
    public static TlsFault? Look(ClientTls tls, string host, IPEndPoint server, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(s_limit);
        try
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.ConnectAsync(server, limit.Token).AsTask().GetAwaiter().GetResult();
            (SslStream? stream, TlsFault? fault) = tls.OpenAsync(new NetworkStream(socket), host, limit.Token).GetAwaiter().GetResult();
            if (fault is not null) return fault;
            using (stream)
            {
                limit.CancelAfter(s_afterthought);
                try
                {
                    _ = stream!.ReadAsync(new byte[1], limit.Token).AsTask().GetAwaiter().GetResult();
                }
                catch (IOException late)
                {
                    return new TlsFault(ClientTls.Describe(late, host), false);
                }
            }
        }
        catch (Exception fault) when (fault is SocketException or IOException or OperationCanceledException)
        {
            cancel.ThrowIfCancellationRequested();
        }
        return null;
    }
}
