using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Uplink;

/// <summary>Our certificate with its key and those between it and its root.</summary>
sealed record OwnCertificate(SslStreamCertificateContext Context)
{
    public DateTimeOffset Until => Context.TargetCertificate.NotAfter.ToUniversalTime();
}

/// <summary>Certificates and keys in PEM files (RFC 7468), read into what a handshake needs; every fault is a sentence.</summary>
static class PemFiles
{
    /// <summary>The system's whole bundle has 0.2 MiB.</summary>
    const int MaxBytes = 4 << 20;

    public static bool TryRoots(string file, out X509Certificate2Collection roots, out string fault)
    {
        roots = [];
        return TryRead(file, out string pem, out fault) && TryImport(file, pem, roots, out fault);
    }

    /// <param name="certificate">File of our certificate, and of those that signed it in any order.</param>
    /// <param name="key">File of its private key; null = it lies in the certificate's.</param>
    /// <param name="own">Set when true is returned.</param>
    /// <param name="which">The file that is at fault.</param>
    /// <param name="fault">One sentence.</param>
    public static bool TryPair(string certificate, string? key, out OwnCertificate? own, out TlsFile which, out string fault)
    {
        own = null;
        which = TlsFile.Certificate;
        X509Certificate2Collection chain = [];
        if (!TryRead(certificate, out string pem, out fault) || !TryImport(certificate, pem, chain, out fault)) return false;
        string keyPem = pem, keyFile = key ?? certificate;
        if (key is not null)
        {
            which = TlsFile.Key;
            if (!TryRead(key, out keyPem, out fault)) return false;
        }
        if (!keyPem.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
        {
            fault = key is null ? $"{certificate} holds no private key; name the key's file in key" : $"{key} holds no private key in PEM form (-----BEGIN PRIVATE KEY-----)";
            return false;
        }
        if (keyPem.Contains("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) || keyPem.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal))
        {
            fault = $"the private key in {keyFile} has a password, which nobody can type here; take it off with: openssl pkey -in {keyFile} -out FILE";
            return false;
        }
        // Our own comes first by custom, and is known by its key.
        foreach (X509Certificate2 candidate in chain)
        {
            if (WithKey(candidate, keyPem) is not { } leaf) continue;
            chain.Remove(candidate);
            try
            {
                own = new OwnCertificate(SslStreamCertificateContext.Create(leaf, chain, offline: true));
                return true;
            }
            catch (CryptographicException e)
            {
                fault = $"the certificate in {certificate} cannot be used ({e.Message})";
                return false;
            }
        }
        fault = $"the private key in {keyFile} does not belong to the certificate in {certificate} (until {chain[0].NotAfter.ToUniversalTime():yyyy-MM-dd}); one of them may be of an earlier renewal";
        return false;
    }

    static bool TryImport(string file, string pem, X509Certificate2Collection into, out string fault)
    {
        try
        {
            into.ImportFromPem(pem);
            fault = into.Count > 0 ? "" : $"{file} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        }
        catch (CryptographicException)
        {
            fault = $"{file} holds a certificate that is damaged";
        }
        return fault.Length == 0;
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

    static bool TryRead(string file, out string text, out string fault)
    {
        text = "";
        if (!TryRead(file, out byte[] bytes, out fault)) return false;
        using StreamReader reader = new(new MemoryStream(bytes));
        text = reader.ReadToEnd();
        return true;
    }

    /// <summary>A plain file of no more than <see cref="MaxBytes"/>.</summary>
    public static bool TryRead(string file, out byte[] bytes, out string fault)
    {
        bytes = [];
        try
        {
            // A link has a length of its own.
            FileSystemInfo target = File.ResolveLinkTarget(file, returnFinalTarget: true) ?? new FileInfo(file);
            if (Directory.Exists(file)) fault = $"{file} is a folder; name the file in it";
            // A pipe or a device has no length: to open it may wait for ever, to read it may never end.
            else if (target is not FileInfo { Exists: true, Length: > 0 } && File.Exists(file)) fault = $"{file} is empty, or no plain file";
            else
            {
                using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
                byte[] room = new byte[Math.Min(stream.Length, MaxBytes) + 1];
                int read = stream.ReadAtLeast(room, room.Length, throwOnEndOfStream: false);
                fault = read < room.Length ? "" : read > MaxBytes ? $"{file} is larger than {MaxBytes:N0} bytes" : $"{file} is being written";
                if (fault.Length == 0) bytes = room[..read];
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The platform's own messages are cut from the published file.
            fault = $"{file} cannot be read: {e switch { FileNotFoundException => "no such file", DirectoryNotFoundException => "no such folder", UnauthorizedAccessException => "permission denied", _ => e.Message }}";
        }
        return fault.Length == 0;
    }
}
