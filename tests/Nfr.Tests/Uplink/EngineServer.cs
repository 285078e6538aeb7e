using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Nfr.Tests.Uplink;

/// <summary>One request as the server got it.</summary>
sealed record Recorded(string Method, string Path, string Query, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    /// <summary>The body's gzip members, decompressed one after the other, as lines.</summary>
    public string[] Lines => Body.Length == 0 ? [] : Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public string Text
    {
        get
        {
            if (!Headers.TryGetValue("Content-Encoding", out string? encoding) || encoding != "gzip") return Encoding.UTF8.GetString(Body);
            using GZipStream gzip = new(new MemoryStream(Body), CompressionMode.Decompress);
            using MemoryStream plain = new();
            gzip.CopyTo(plain);
            return Encoding.UTF8.GetString(plain.ToArray());
        }
    }
}

/// <summary>A real HTTP server on loopback that records each request and answers as the test says.</summary>
sealed class EngineServer : IAsyncDisposable
{
    readonly WebApplication _app;
    readonly List<Recorded> _requests = [];

    EngineServer(WebApplication app, string host)
    {
        _app = app;
        Host = host;
    }

    public string Host { get; }

    /// <summary>Answers a request; by default all is well.</summary>
    public Func<HttpContext, Recorded, Task> Answer { get; set; } = Ok;

    public IReadOnlyList<Recorded> Requests
    {
        get
        {
            lock (_requests) return [.. _requests];
        }
    }

    public static Task Ok(HttpContext context, Recorded request) => Json(context, 200, $"{{\"received\":{request.Lines.Length},\"accepted\":{request.Lines.Length},\"rejected\":{{}}}}");

    public static async Task Json(HttpContext context, int status, string json)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(json);
    }

    /// <param name="certificate">Null = plain HTTP.</param>
    /// <param name="protocols">Of TLS.</param>
    /// <param name="port">0 = any.</param>
    /// <param name="listener">A bound socket, such as one of another network namespace; the server takes it over.</param>
    public static async Task<EngineServer> StartAsync(X509Certificate2? certificate = null, System.Security.Authentication.SslProtocols? protocols = null, int port = 0, Socket? listener = null)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestBodySize = null;
            if (listener is not null) kestrel.ListenHandle((ulong)listener.Handle, Listen);
            else kestrel.Listen(IPAddress.Loopback, port, Listen);

            void Listen(ListenOptions listen)
            {
                listen.Protocols = HttpProtocols.Http1;
                if (certificate is null) return;
                listen.UseHttps(certificate, https =>
                {
                    if (protocols is { } only) https.SslProtocols = only;
                });
            }
        });
        WebApplication app = builder.Build();
        EngineServer? server = null;
        app.Run(context => server!.HandleAsync(context));
        await app.StartAsync();
        int bound = listener is null ? new Uri(app.Urls.First()).Port : ((IPEndPoint)listener.LocalEndPoint!).Port;
        // The server closes the handle; two owners would close somebody else's.
        listener?.SafeHandle.SetHandleAsInvalid();
        server = new EngineServer(app, $"{(certificate is null ? "http" : "https")}://127.0.0.1:{bound}");
        return server;
    }

    async Task HandleAsync(HttpContext context)
    {
        using MemoryStream body = new();
        await context.Request.Body.CopyToAsync(body);
        Recorded request = new(
            context.Request.Method, context.Request.Path, context.Request.QueryString.ToString(),
            context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase), body.ToArray());
        lock (_requests) _requests.Add(request);
        await Answer(context, request);
    }

    /// <summary>A self-signed certificate that no system trusts.</summary>
    public static X509Certificate2 Certificate(DateTimeOffset from, DateTimeOffset to, string name = "127.0.0.1")
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        if (IPAddress.TryParse(name, out IPAddress? address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(from, to);
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }

    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource soon = new(TimeSpan.FromMilliseconds(200));
        try
        {
            await _app.StopAsync(soon.Token);
        }
        catch (OperationCanceledException)
        {
            // Connections that a test left hanging.
        }
        await _app.DisposeAsync();
    }
}
