using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Nfr.Demo;

/// <summary>HTTP/1.1 as the demo's sites speak it: keep-alive, a few paths, known lengths and chunks, a form, a page behind a password.</summary>
static class WebServer
{
    const int MaxHead = 16 * 1024;

    /// <summary>Serves one connection until either side closes it.</summary>
    public static async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        byte[] buffer = new byte[MaxHead];
        int filled = 0;
        while (!stop.IsCancellationRequested)
        {
            int end;
            while ((end = buffer.AsSpan(0, filled).IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (filled == buffer.Length) return;
                int read = await stream.ReadAsync(buffer.AsMemory(filled), stop).ConfigureAwait(false);
                if (read == 0) return;
                filled += read;
            }
            string[] head = Encoding.ASCII.GetString(buffer, 0, end).Split("\r\n");
            int body = ContentLength(head);
            int have = filled - end - 4;
            while (have < body)
            {
                // The body is read and forgotten.
                int read = await stream.ReadAsync(buffer.AsMemory(0, Math.Min(buffer.Length, body - have)), stop).ConfigureAwait(false);
                if (read == 0) return;
                have += read;
            }
            // Requests are not pipelined by our clients, so nothing follows the body.
            filled = 0;
            bool close = head.Any(line => line.Equals("Connection: close", StringComparison.OrdinalIgnoreCase));
            string[] request = head[0].Split(' ');
            if (request.Length < 3) return;
            await AnswerAsync(stream, request[0], request[1], head, close, stop).ConfigureAwait(false);
            if (close) return;
        }
    }

    static async Task AnswerAsync(Stream stream, string method, string path, string[] head, bool close, CancellationToken stop)
    {
        bool authorised = head.Any(line => line.StartsWith("Authorization: Basic ", StringComparison.OrdinalIgnoreCase));
        (string status, string type, int length, string more) = (method, path) switch
        {
            ("POST", _) => ("302 Found", "text/plain", 0, "Location: /thanks\r\n"),
            (_, "/private") when !authorised => ("401 Unauthorized", "text/plain", 12, "WWW-Authenticate: Basic realm=\"office\"\r\n"),
            (_, "/private") => ("200 OK", "text/html; charset=utf-8", 2_400, ""),
            (_, "/") => ("200 OK", "text/html; charset=utf-8", 3_100, ""),
            (_, "/style.css") => ("200 OK", "text/css", 1_900, ""),
            (_, "/logo.png") => ("200 OK", "image/png", 11_000, "Cache-Control: max-age=3600\r\n"),
            (_, "/api/v1/status") => ("200 OK", "application/json", 420, ""),
            (_, "/report.pdf") => ("200 OK", "application/pdf", 48_000, ""),
            (_, "/stream") => ("200 OK", "text/plain", -1, ""),
            _ when path.StartsWith("/bot", StringComparison.Ordinal) => ("200 OK", "application/json", 180, ""),
            (_, "/thanks") => ("200 OK", "text/html; charset=utf-8", 640, ""),
            _ => ("404 Not Found", "text/html; charset=utf-8", 300, ""),
        };
        string size = length < 0 ? "Transfer-Encoding: chunked" : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {length}");
        byte[] reply = Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nServer: demo\r\nContent-Type: {type}\r\n{more}{size}\r\n{(close ? "Connection: close\r\n" : "")}\r\n");
        await stream.WriteAsync(reply, stop).ConfigureAwait(false);
        if (method == "HEAD") return;
        if (length >= 0)
        {
            await stream.WriteAsync(Filler(length), stop).ConfigureAwait(false);
            return;
        }
        for (int chunk = 0; chunk < 4; chunk++)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes("200\r\n"), stop).ConfigureAwait(false);
            await stream.WriteAsync(Filler(0x200), stop).ConfigureAwait(false);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(chunk == 3 ? "\r\n0\r\n\r\n" : "\r\n"), stop).ConfigureAwait(false);
        }
    }

    static byte[] Filler(int length)
    {
        byte[] body = new byte[length];
        body.AsSpan().Fill((byte)'.');
        return body;
    }

    static int ContentLength(string[] head)
    {
        foreach (string line in head)
        {
            if (line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)
                && int.TryParse(line.AsSpan(15), NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out int length) && length >= 0) return length;
        }
        return 0;
    }

    /// <summary>The same inside TLS, with the site's own certificate.</summary>
    public static async Task ServeTlsAsync(Stream stream, Site site, X509Certificate2 certificate, CancellationToken stop)
    {
        using var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
        {
            ServerCertificate = certificate,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            // TLS 1.3 hides the certificate; some sites stay behind so that there is one to be seen.
            EnabledSslProtocols = site.OnlyTls12 ? SslProtocols.Tls12 : SslProtocols.Tls13,
        }, stop).ConfigureAwait(false);
        await ServeAsync(tls, stop).ConfigureAwait(false);
    }

    /// <summary>A certificate for one name, signed by itself, made anew at every start.</summary>
    public static X509Certificate2 MakeCertificate(Site site, TimeProvider time)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={site.Name}, O=Demo Town", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(site.Name);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = time.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-30), now.AddDays(60));
    }
}
