using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nfr.Events;
using Nfr.Uplink;

namespace Nfr.Tests.Uplink;

/// <summary>A certificate authority of a test, and the PEM files of what it signs.</summary>
sealed class TestAuthority : IDisposable
{
    readonly RSA _key = RSA.Create(2048);
    readonly X509Certificate2 _root;

    public TestAuthority(string name = "Test root")
    {
        Directory = Path.Combine(Path.GetTempPath(), "nfr-ca-" + Guid.NewGuid().ToString("n"));
        System.IO.Directory.CreateDirectory(Directory);
        CertificateRequest request = new($"CN={name}", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        RootFile = Write("root.pem", _root.ExportCertificatePem());
    }

    public string Directory { get; }
    public string RootFile { get; }
    public X509Certificate2 Root => _root;

    public string Write(string name, string text)
    {
        string path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A certificate with its key, signed by this root.</summary>
    public X509Certificate2 Sign(string name, DateTimeOffset? from = null, DateTimeOffset? to = null)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        if (IPAddress.TryParse(name, out IPAddress? address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_root, from ?? DateTimeOffset.UtcNow.AddDays(-1), to ?? DateTimeOffset.UtcNow.AddDays(30), RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 own = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    public (string Certificate, string Key) WritePair(string name, X509Certificate2 certificate)
    {
        using RSA key = certificate.GetRSAPrivateKey()!;
        return (Write(name + ".pem", certificate.ExportCertificatePem()), Write(name + ".key", key.ExportPkcs8PrivateKeyPem()));
    }

    public void Dispose()
    {
        _root.Dispose();
        _key.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

/// <summary>A TLS server on loopback that may want a certificate of its client, and sends one byte when the handshake is done.</summary>
sealed class TlsServer : IAsyncDisposable
{
    readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource _stop = new();
    readonly Task _serving;

    public TlsServer(X509Certificate2 certificate, X509Certificate2? clientRoot = null)
    {
        _listener.Start();
        _serving = ServeAsync(certificate, clientRoot);
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Subject of the latest client's certificate; null when it showed none.</summary>
    public string? Client { get; private set; }

    async Task ServeAsync(X509Certificate2 certificate, X509Certificate2? clientRoot)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await using SslStream stream = new(client.GetStream());
                SslServerAuthenticationOptions options = new() { ServerCertificate = certificate, ClientCertificateRequired = clientRoot is not null };
                if (clientRoot is not null)
                {
                    options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
                    options.CertificateChainPolicy.CustomTrustStore.Add(clientRoot);
                }
                await stream.AuthenticateAsServerAsync(options, _stop.Token);
                Client = stream.RemoteCertificate?.Subject;
                await stream.WriteAsync("!"u8.ToArray(), _stop.Token);
                _ = await stream.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, _stop.Token);
            }
            catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException)
            {
                // The client did not want us, or we did not want it.
            }
        }
    }

    /// <summary>Shakes hands and reads the byte; the fault's sentence, or null when all went well.</summary>
    public async Task<TlsFault?> TryAsync(ClientTls tls, string host = "127.0.0.1")
    {
        TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, Port);
        (SslStream? stream, TlsFault? fault) = await tls.OpenAsync(client.GetStream(), host, CancellationToken.None);
        if (stream is null) return fault;
        await using (stream)
        {
            try
            {
                return await stream.ReadAsync(new byte[1]) == 1 ? null : new TlsFault("closed", false);
            }
            catch (IOException e)
            {
                return new TlsFault(ClientTls.Describe(e, host), false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving;
        _listener.Dispose();
        _stop.Dispose();
    }
}

public sealed class ClientTlsTests : IDisposable
{
    readonly TestAuthority _authority = new();
    readonly ManualTime _time = new() { Utc = DateTimeOffset.UtcNow };

    public void Dispose() => _authority.Dispose();

    ClientTls Tls(TlsSettings settings) => new(settings, _time);

    [Theory]
    [InlineData("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", true)]
    [InlineData("sha256/AAAA", false)]
    [InlineData("sha1/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", false)]
    [InlineData("sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", false)]
    [InlineData("", false)]
    public void A_pin_is_checked(string pin, bool good) => Assert.Equal(good, TlsSettings.CheckPin(pin) is null);

    [Fact]
    public void A_pin_is_what_openssl_makes_of_the_key()
    {
        // openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64, of the same key.
        using X509Certificate2 certificate = _authority.Sign("a.example");
        string expected = "sha256/" + Convert.ToBase64String(SHA256.HashData(certificate.GetRSAPublicKey()!.ExportSubjectPublicKeyInfo()));
        Assert.Equal(expected, ClientTls.PinOf(certificate));
        Assert.Null(TlsSettings.CheckPin(expected));
    }

    [Fact]
    public async Task A_pinned_key_is_believed_whatever_its_certificate_says()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(-5), "other.example");
        await using TlsServer server = new(certificate);
        Assert.NotNull(await server.TryAsync(Tls(TlsSettings.Default)));
        string other = TlsSettings.PinPrefix + Convert.ToBase64String(new byte[32]);
        Assert.Null(await server.TryAsync(Tls(new TlsSettings { Pins = [other, ClientTls.PinOf(certificate)] })));
    }

    [Fact]
    public async Task Another_key_than_the_pinned_one_is_refused_though_its_certificate_is_good()
    {
        using X509Certificate2 certificate = _authority.Sign("127.0.0.1");
        await using TlsServer server = new(certificate);
        string other = TlsSettings.PinPrefix + Convert.ToBase64String(new byte[32]);
        TlsFault? fault = await server.TryAsync(Tls(new TlsSettings { Roots = _authority.RootFile, Pins = [other] }));
        Assert.Contains(ClientTls.PinOf(certificate), fault?.Sentence, StringComparison.Ordinal);
        Assert.Contains("tls.pins", fault?.Sentence, StringComparison.Ordinal);
        // One of the authority that signed it counts, where the certificate is good besides.
        Assert.Null(await server.TryAsync(Tls(new TlsSettings { Roots = _authority.RootFile, Pins = [ClientTls.PinOf(_authority.Root)] })));
        Assert.NotNull(await server.TryAsync(Tls(new TlsSettings { Pins = [ClientTls.PinOf(_authority.Root)] })));
    }

    [Fact]
    public async Task Own_roots_are_the_only_ones_and_names_still_count()
    {
        using TestAuthority stranger = new("Another root");
        using X509Certificate2 certificate = _authority.Sign("engine.example");
        await using TlsServer server = new(certificate);
        Assert.Null(await server.TryAsync(Tls(new TlsSettings { Roots = _authority.RootFile }), "engine.example"));
        Assert.Null(await server.TryAsync(Tls(new TlsSettings { Roots = _authority.RootFile, ServerName = "engine.example" })));
        Assert.Contains("not for 127.0.0.1 but for engine.example", (await server.TryAsync(Tls(new TlsSettings { Roots = _authority.RootFile })))?.Sentence, StringComparison.Ordinal);
        Assert.Contains("does not trust", (await server.TryAsync(Tls(new TlsSettings { Roots = stranger.RootFile }), "engine.example"))?.Sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_wants_our_certificate_gets_it_and_no_other()
    {
        using TestAuthority stranger = new("Another root");
        using X509Certificate2 certificate = _authority.Sign("127.0.0.1"), ours = _authority.Sign("sensor-1"), wrong = stranger.Sign("sensor-2");
        (string file, string key) = _authority.WritePair("sensor-1", ours);
        (string wrongFile, string wrongKey) = stranger.WritePair("sensor-2", wrong);
        await using TlsServer server = new(certificate, _authority.Root);
        TlsSettings settings = new() { Roots = _authority.RootFile, Certificate = file, Key = key };
        Assert.Null(await server.TryAsync(Tls(settings)));
        Assert.Equal("CN=sensor-1", server.Client);
        // This server hangs up without an alert.
        Assert.NotNull(await server.TryAsync(Tls(settings with { Certificate = null, Key = null })));
        Assert.NotNull(await server.TryAsync(Tls(settings with { Certificate = wrongFile, Key = wrongKey })));
    }

    [Theory]
    [InlineData("error:0A00045C:SSL routines::tlsv13 alert certificate required", "host wants a certificate of ours; set tls.certificate and tls.key")]
    [InlineData("error:0A000418:SSL routines::tlsv1 alert unknown ca", "host does not take our certificate (tls.certificate): error:0A000418:SSL routines::tlsv1 alert unknown ca")]
    [InlineData("Received an unexpected EOF", "the TLS handshake with host failed: the server closed the connection, check that TLS is spoken on that port and look into its log")]
    public void An_alert_about_our_certificate_is_told_in_words(string said, string told) =>
        Assert.Equal(told, ClientTls.Describe(new IOException("outer", new AuthenticationException("middle", new InvalidOperationException(said))), "host"));

    [Fact]
    public async Task A_renewed_certificate_serves_without_a_restart_and_half_a_pair_changes_nothing()
    {
        using X509Certificate2 certificate = _authority.Sign("127.0.0.1"), first = _authority.Sign("first"), second = _authority.Sign("second");
        (string file, string key) = _authority.WritePair("own", first);
        await using TlsServer server = new(certificate, _authority.Root);
        ClientTls tls = Tls(new TlsSettings { Roots = _authority.RootFile, Certificate = file, Key = key });
        int version = tls.Version;
        Assert.Null(await server.TryAsync(tls));
        Assert.Equal("CN=first", server.Client);
        File.WriteAllText(file, second.ExportCertificatePem());
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(version, tls.Version);
        Assert.Null(await server.TryAsync(tls));
        Assert.Equal("CN=first", server.Client);
        _authority.WritePair("own", second);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.NotEqual(version, tls.Version);
        Assert.Null(await server.TryAsync(tls));
        Assert.Equal("CN=second", server.Client);
    }

    [Fact]
    public async Task A_file_that_never_ends_is_not_read()
    {
        string pipe = Path.Combine(_authority.Directory, "pipe.pem"), link = Path.Combine(_authority.Directory, "link.pem"), large = _authority.Write("large.pem", new string('x', (4 << 20) + 1));
        using (Process made = Process.Start("mkfifo", pipe)) await made.WaitForExitAsync();
        File.CreateSymbolicLink(link, large);
        foreach ((string file, string words) in new[] { (pipe, "no plain file"), ("/dev/zero", "no plain file"), (large, "larger than 4,194,304 bytes"), (link, "larger than 4,194,304 bytes") })
        {
            IReadOnlyList<TlsFileFault> faults = await Task.Run(() => new TlsSettings { Roots = file }.CheckFiles(DateTimeOffset.UtcNow)).WaitAsync(TimeSpan.FromMinutes(1));
            Assert.Contains(words, Assert.Single(faults).Message, StringComparison.Ordinal);
        }
        // One that takes the place of a file at work: the earlier roots stay in force.
        File.CreateSymbolicLink(link + "2", _authority.RootFile);
        ClientTls tls = Tls(new TlsSettings { Roots = link + "2" });
        int version = tls.Version;
        File.Delete(link + "2");
        File.CreateSymbolicLink(link + "2", pipe);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(version, await Task.Run(() => tls.Version).WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Roots_that_cannot_be_read_are_not_replaced_by_the_systems_and_serve_when_they_come()
    {
        using X509Certificate2 certificate = _authority.Sign("127.0.0.1");
        await using TlsServer server = new(certificate);
        string later = Path.Combine(_authority.Directory, "later.pem");
        ClientTls tls = Tls(new TlsSettings { Roots = later });
        Assert.Contains("no such file", (await server.TryAsync(tls))?.Sentence, StringComparison.Ordinal);
        File.Copy(_authority.RootFile, later);
        _time.Advance(TimeSpan.FromMinutes(2));
        Assert.Null(await server.TryAsync(tls));
    }

    [Fact]
    public async Task A_clock_of_1970_is_told_apart_from_a_bad_certificate()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using TlsServer server = new(certificate);
        TlsFault? fault = await server.TryAsync(Tls(TlsSettings.Default));
        Assert.False(fault!.ClockUnset);
        Assert.Contains("self-signed", fault.Sentence, StringComparison.Ordinal);
        _time.Utc = DateTimeOffset.UnixEpoch.AddMinutes(3);
        fault = await server.TryAsync(Tls(TlsSettings.Default));
        Assert.True(fault!.ClockUnset);
        Assert.StartsWith("the clock is not set, it says 1970-01-01 00:03 UTC", fault.Sentence, StringComparison.Ordinal);
        // A pinned key needs no clock.
        Assert.Null(await server.TryAsync(Tls(new TlsSettings { Pins = [ClientTls.PinOf(certificate)] })));
    }

    [Fact]
    public void Files_are_checked_with_a_sentence_each()
    {
        using X509Certificate2 ours = _authority.Sign("own"), other = _authority.Sign("other"), old = _authority.Sign("old", DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(-2));
        (string file, string key) = _authority.WritePair("own", ours);
        (_, string otherKey) = _authority.WritePair("other", other);
        (string oldFile, string oldKey) = _authority.WritePair("old", old);
        string empty = _authority.Write("empty.pem", "nothing\n");
        string both = _authority.Write("both.pem", File.ReadAllText(file) + "\n" + File.ReadAllText(key));

        Assert.Empty(Check(new TlsSettings { Roots = _authority.RootFile, Certificate = file, Key = key }));
        Assert.Empty(Check(new TlsSettings { Certificate = both }));
        Fault(TlsFile.Roots, "no such file", new TlsSettings { Roots = file + ".not" });
        Fault(TlsFile.Roots, "holds no certificate", new TlsSettings { Roots = empty });
        Fault(TlsFile.Roots, "is a folder", new TlsSettings { Roots = _authority.Directory });
        Fault(TlsFile.Certificate, "holds no private key", new TlsSettings { Certificate = file });
        Fault(TlsFile.Key, "no such file", new TlsSettings { Certificate = file, Key = key + ".not" });
        Fault(TlsFile.Key, "holds no private key", new TlsSettings { Certificate = file, Key = empty });
        Fault(TlsFile.Key, "does not belong", new TlsSettings { Certificate = file, Key = otherKey });
        Fault(TlsFile.Certificate, "expired on", new TlsSettings { Certificate = oldFile, Key = oldKey });

        static IReadOnlyList<TlsFileFault> Check(TlsSettings settings) => settings.CheckFiles(DateTimeOffset.UtcNow);

        static void Fault(TlsFile which, string words, TlsSettings settings)
        {
            TlsFileFault fault = Assert.Single(Check(settings));
            Assert.Equal(which, fault.File);
            Assert.Contains(words, fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_engine_is_reached_with_a_pin_and_our_certificate()
    {
        using X509Certificate2 certificate = EngineServer.Certificate(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using EngineServer server = await EngineServer.StartAsync(certificate);
        EngineOptions options = new() { Host = server.Host, ApiKey = "secret-key-1", Version = "2.0.0" };
        using EngineClient stranger = new(options, TimeProvider.System), pinned = new(options with { Tls = new TlsSettings { Pins = [ClientTls.PinOf(certificate)] } }, TimeProvider.System);
        Assert.Equal(EngineReplyKind.Unreachable, (await stranger.SendEventsAsync(EventType.Dns, new byte[] { 1 }, 1, 1, CancellationToken.None)).Kind);
        Assert.True((await pinned.GetAlertsAsync("", CancellationToken.None)).IsAccepted);
    }
}
