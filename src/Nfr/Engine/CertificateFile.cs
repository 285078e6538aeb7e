using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Nfr.Config;
using Serilog;

namespace Nfr.Engine;

/// <summary>Certificate and key cannot be used; the message says why and what to do.</summary>
sealed class CertificateFileException(string message) : Exception(message);

/// <summary>
/// A certificate with its chain, and its key, in PEM files. They are looked at again every minute, so that a renewed one serves without a restart; one that cannot be used changes
/// nothing but the log.
/// </summary>
sealed class CertificateFile
{
    static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    readonly string _certificate;
    readonly string? _key;
    readonly TimeProvider _time;
    readonly ILogger _log;
    readonly Lock _lock = new();
    SslStreamCertificateContext _current;
    string _stamp;
    IReadOnlyList<string> _unsent;
    long _looked;

    /// <exception cref="CertificateFileException">There is none that can be used.</exception>
    public CertificateFile(string certificate, string? key, TimeProvider time, ILogger log)
    {
        _certificate = certificate;
        _key = key;
        _time = time;
        _log = log;
        _stamp = Stamp();
        _looked = time.GetTimestamp();
        _current = Load(certificate, key, out _unsent);
        Warn();
    }

    /// <summary>What a server shows: its certificate and those between it and the root.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_looked) < s_interval) return _current;
                _looked = _time.GetTimestamp();
                string stamp = Stamp();
                if (stamp == _stamp) return _current;
                // Half of the pair may be written yet: what is written then has another stamp.
                _stamp = stamp;
                try
                {
                    // The old one stays undisposed: connections may still shake hands with it.
                    _current = Load(_certificate, _key, out _unsent);
                    _log.Information("engine: the certificate was read again; it is good until {Until:yyyy-MM-dd HH:mm} UTC", _current.TargetCertificate.NotAfter.ToUniversalTime());
                    Warn();
                }
                catch (CertificateFileException fault)
                {
                    _log.Error("engine: {Fault}; the certificate before it serves on", fault.Message);
                }
                return _current;
            }
        }
    }

    void Warn()
    {
        X509Certificate2 leaf = _current.TargetCertificate;
        DateTime now = _time.GetUtcNow().UtcDateTime;
        if (leaf.NotAfter.ToUniversalTime() < now) _log.Warning("engine: the certificate in {File} was good until {Until:yyyy-MM-dd HH:mm} UTC; sensors will refuse it", _certificate, leaf.NotAfter.ToUniversalTime());
        else if (leaf.NotBefore.ToUniversalTime() > now) _log.Warning("engine: the certificate in {File} is good from {From:yyyy-MM-dd HH:mm} UTC; until then sensors will refuse it", _certificate, leaf.NotBefore.ToUniversalTime());
        foreach (string subject in _unsent) _log.Warning("engine: {Subject} in {File} is not sent to sensors: it does not lead from the engine's own certificate to a root", subject, _certificate);
    }

    /// <summary>Of what both files hold: their times say nothing where a link is what changes, or a backup is put back.</summary>
    string Stamp()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in new[] { _certificate, _key ?? _certificate })
        {
            try
            {
                hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
            }
            catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
            {
                // Loading says so. When it can be read again, that is a change.
                hash.AppendData([0]);
            }
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    /// <param name="certificate">File of the server's certificate, and of those that signed it in any order.</param>
    /// <param name="key">File of its private key; null = it lies in the certificate's.</param>
    /// <param name="unsent">Subjects of the file's certificates that lie on no way from the server's own to its root; a root is nobody's concern.</param>
    /// <exception cref="CertificateFileException">They cannot be used together.</exception>
    public static SslStreamCertificateContext Load(string certificate, string? key, out IReadOnlyList<string> unsent)
    {
        string pem = Read(certificate, "certificate"), keyPem = key is null ? pem : Read(key, "key");
        string keyFile = key ?? certificate;
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(pem);
        }
        catch (CryptographicException)
        {
            throw new CertificateFileException($"{certificate} holds a certificate that is damaged");
        }
        if (chain.Count == 0) throw new CertificateFileException($"{certificate} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)");
        if (!keyPem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            throw new CertificateFileException(key is null
                ? $"{certificate} holds no private key; name the key's file with --key" : $"{keyFile} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)");
        }
        if (keyPem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) || keyPem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
            throw new CertificateFileException($"the private key in {keyFile} has a password, which nobody can type here; take it off with: openssl pkey -in {keyFile} -out FILE");
        // The server's own comes first by custom, and is known by its key.
        foreach (X509Certificate2 own in chain)
        {
            if (WithKey(own, keyPem) is not { } leaf) continue;
            chain.Remove(own);
            try
            {
                // Nothing is fetched; where the file has a gap, the platform may fill it from this machine's store.
                SslStreamCertificateContext context = SslStreamCertificateContext.Create(leaf, chain, offline: true);
                var sent = context.IntermediateCertificates.Select(c => c.Thumbprint).Append(leaf.Thumbprint).ToHashSet();
                unsent = [.. chain.Where(c => !sent.Contains(c.Thumbprint) && c.Subject != c.Issuer).Select(c => c.Subject)];
                return context;
            }
            catch (CryptographicException fault)
            {
                throw new CertificateFileException($"the certificate in {certificate} cannot be used ({fault.Message})");
            }
        }
        throw new CertificateFileException(
            $"the private key in {keyFile} does not belong to the certificate in {certificate} ({chain[0].Subject}, until {chain[0].NotAfter.ToUniversalTime():yyyy-MM-dd}); one of them may be of an earlier renewal");
    }

    static X509Certificate2? WithKey(X509Certificate2 certificate, string keyPem)
    {
        try
        {
            return X509Certificate2.CreateFromPem(certificate.ExportCertificatePem(), keyPem);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    static string Read(string file, string what)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new CertificateFileException($"the {what} {file} cannot be read ({Reason.Of(fault)})");
        }
    }
}
