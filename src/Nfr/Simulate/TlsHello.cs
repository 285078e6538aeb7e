using System.Net.Security;
using System.Security.Authentication;

namespace Nfr.Simulate;

/// <summary>A TLS handshake with a server that may show any certificate: no secret is sent behind it.</summary>
static class TlsHello
{
    public static async Task<SslStream> SayAsync(Stream stream, string serverName, CancellationToken stop)
    {
        var tls = new SslStream(stream, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = serverName,
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            }, stop).ConfigureAwait(false);
            return tls;
        }
        catch (Exception failure)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            if (failure is AuthenticationException) throw new IOException("no TLS: " + failure.Message, failure);
            throw;
        }
    }
}
