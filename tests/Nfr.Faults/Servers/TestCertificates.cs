using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Faults.Servers;

/// <summary>A root that only a test trusts, and certificates of it: good, of another host, expired.</summary>
sealed class TestCertificates : IDisposable
{
    readonly RamFolder _folder = new();
    readonly RSA _key = RSA.Create(2048);
    readonly X509Certificate2 _root;

    public TestCertificates()
    {
        CertificateRequest request = new("CN=Test root", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-2), DateTimeOffset.UtcNow.AddYears(2));
        RootFile = _folder.In("root.pem");
        File.WriteAllText(RootFile, _root.ExportCertificatePem());
        Good = Sign("127.0.0.1", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        OfAnotherHost = Sign("engine.elsewhere.example", TimeSpan.FromDays(-1), TimeSpan.FromDays(30));
        Expired = Sign("127.0.0.1", TimeSpan.FromDays(-60), TimeSpan.FromDays(-2));
    }

    /// <summary>PEM, for whoever is to trust them.</summary>
    public string RootFile { get; }
    public X509Certificate2 Good { get; }
    public X509Certificate2 OfAnotherHost { get; }
    public X509Certificate2 Expired { get; }

    X509Certificate2 Sign(string name, TimeSpan from, TimeSpan to)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        if (IPAddress.TryParse(name, out IPAddress? address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_root, DateTimeOffset.UtcNow + from, DateTimeOffset.UtcNow + to, RandomNumberGenerator.GetBytes(8));
        using X509Certificate2 own = signed.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(own.Export(X509ContentType.Pkcs12), null, X509KeyStorageFlags.Exportable);
    }

    public void Dispose()
    {
        foreach (X509Certificate2 certificate in new[] { _root, Good, OfAnotherHost, Expired }) certificate.Dispose();
        _key.Dispose();
        _folder.Dispose();
    }
}
