using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nfr.Engine;
using Serilog.Core;

namespace Nfr.Tests.HostedEngine;

/// <summary>What the engine shows of itself over TLS.</summary>
public sealed class EngineTlsTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("nfr-tls-").FullName;
    readonly X509Certificate2 _root, _between;

    public EngineTlsTests()
    {
        _root = Make("CN=root", null);
        _between = Make("CN=between", _root);
    }

    string In(string name) => Path.Combine(_folder, name);

    static X509Certificate2 Make(string subject, X509Certificate2? issuer, bool server = false)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(!server, false, 0, true));
        if (server)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }
        DateTimeOffset from = DateTimeOffset.UtcNow.AddDays(-1), to = DateTimeOffset.UtcNow.AddDays(9);
        if (issuer is null) return request.CreateSelfSigned(from, to);
        using X509Certificate2 certificate = request.Create(issuer, from, to, RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    static string Key(X509Certificate2 of) => of.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n";

    static string Pem(params X509Certificate2[] certificates) => string.Concat(certificates.Select(c => c.ExportCertificatePem() + "\n"));

    string Write(string name, string text)
    {
        File.WriteAllText(In(name), text);
        return In(name);
    }

    /// <summary>A client that knows the root and nothing else.</summary>
    async Task<string> AskAsync(string address)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { _root }, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true },
            },
        });
        return await http.GetStringAsync(address + "/healthz");
    }

    [Theory]
    [InlineData("leaf, between")]
    [InlineData("between, leaf")]
    [InlineData("all in one file")]
    public async Task A_sensor_that_trusts_the_root_alone_is_shown_the_whole_chain(string order)
    {
        X509Certificate2 leaf = Make("CN=engine", _between, server: true);
        string? key = order == "all in one file" ? null : Write("tls.key", Key(leaf));
        string pem = order == "between, leaf" ? Pem(_between, leaf) : Pem(leaf, _between) + (key is null ? Key(leaf) + Pem(_root) : "");
        await using var bed = new EngineBed();
        await bed.StartAsync(o => o with { Certificate = Write("tls.pem", pem), CertificateKey = key });
        Assert.Equal("ok\n", await AskAsync(bed.Address));
    }

    [Fact]
    public async Task Without_what_lies_between_it_is_refused()
    {
        X509Certificate2 leaf = Make("CN=engine", _between, server: true);
        await using var bed = new EngineBed();
        await bed.StartAsync(o => o with { Certificate = Write("tls.pem", Pem(leaf)), CertificateKey = Write("tls.key", Key(leaf)) });
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(bed.Address));
    }

    [Fact]
    public void A_renewed_pair_serves_within_a_minute_and_half_of_one_changes_nothing()
    {
        X509Certificate2 first = Make("CN=first", _between, server: true), second = Make("CN=second", _between, server: true);
        var time = new ManualTime();
        var file = new CertificateFile(Write("tls.pem", Pem(first, _between)), Write("tls.key", Key(first)), time, Logger.None);
        Assert.Equal("CN=first", file.Current.TargetCertificate.Subject);
        Write("tls.pem", Pem(second, _between));
        File.SetLastWriteTimeUtc(In("tls.pem"), DateTime.UtcNow.AddMinutes(1));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("CN=first", file.Current.TargetCertificate.Subject);
        Write("tls.key", Key(second));
        File.SetLastWriteTimeUtc(In("tls.key"), DateTime.UtcNow.AddMinutes(1));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("CN=second", file.Current.TargetCertificate.Subject);
        Assert.Single(file.Current.IntermediateCertificates);
    }

    [Fact]
    public void What_a_link_leads_to_serves_when_it_is_another_pair()
    {
        X509Certificate2 first = Make("CN=first", _between, server: true), second = Make("CN=second", _between, server: true);
        DateTime old = DateTime.UtcNow.AddDays(-3);
        foreach ((string name, X509Certificate2 of) in new[] { ("1", first), ("2", second) })
        {
            Directory.CreateDirectory(In(name));
            // As archives of renewals are: the links stay, what they go through is turned, and times may be alike.
            File.SetLastWriteTimeUtc(Write(Path.Combine(name, "tls.pem"), Pem(of, _between)), old);
            File.SetLastWriteTimeUtc(Write(Path.Combine(name, "tls.key"), Key(of)), old);
        }
        Directory.CreateSymbolicLink(In("current"), In("1"));
        File.CreateSymbolicLink(In("live.pem"), In("current/tls.pem"));
        File.CreateSymbolicLink(In("live.key"), In("current/tls.key"));
        var time = new ManualTime();
        var file = new CertificateFile(In("live.pem"), In("live.key"), time, Logger.None);
        Assert.Equal("CN=first", file.Current.TargetCertificate.Subject);
        Directory.Delete(In("current"));
        Directory.CreateSymbolicLink(In("current"), In("2"));
        time.Advance(TimeSpan.FromSeconds(61));
        Assert.Equal("CN=second", file.Current.TargetCertificate.Subject);
    }

    [Fact]
    public void What_is_not_sent_of_the_file_is_named()
    {
        X509Certificate2 leaf = Make("CN=engine", _between, server: true), stranger = Make("CN=stranger", _root);
        string key = Write("tls.key", Key(leaf));
        CertificateFile.Load(Write("tls.pem", Pem(leaf, _between, _root)), key, out IReadOnlyList<string> unsent);
        Assert.Empty(unsent);
        CertificateFile.Load(Write("more.pem", Pem(stranger, leaf, _between)), key, out unsent);
        Assert.Equal(["CN=stranger"], unsent);
    }

    [Fact]
    public void What_cannot_be_used_is_told_with_the_reason()
    {
        X509Certificate2 leaf = Make("CN=engine", _between, server: true);
        string pem = Write("tls.pem", Pem(leaf, _between)), other = Write("other.key", Key(Make("CN=x", _between))), none = Write("none.pem", "hello\n");
        string locked = Write("locked.key", leaf.GetECDsaPrivateKey()!.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 10)));
        string cut = Write("cut.pem", Pem(leaf).Replace("MII", "AAA", StringComparison.Ordinal));
        string Why(string certificate, string? key) => Assert.Throws<CertificateFileException>(() => CertificateFile.Load(certificate, key, out _)).Message;
        Assert.StartsWith($"the private key in {other} does not belong to the certificate in {pem} (CN=engine, until ", Why(pem, other), StringComparison.Ordinal);
        Assert.Equal($"{none} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)", Why(none, other));
        Assert.Equal($"{none} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)", Why(pem, none));
        Assert.Equal($"{pem} holds no private key; name the key's file with --key", Why(pem, null));
        Assert.StartsWith($"the private key in {locked} has a password", Why(pem, locked), StringComparison.Ordinal);
        Assert.Equal($"{cut} holds a certificate that is damaged", Why(cut, other));
        Assert.Equal($"the certificate {In("absent")} cannot be read (no such file)", Why(In("absent"), null));
    }

    public void Dispose()
    {
        _root.Dispose();
        _between.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
