using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Uplink;

/// <summary>
/// The client's side of TLS by one <see cref="TlsSettings"/>: makes the options of a handshake, judges the server, and says in one sentence why it was not trusted. The files are
/// looked at again every minute; those that cannot be used any more leave the earlier ones in force. Thread-safe.
/// </summary>
public sealed class ClientTls
{
    const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    sealed record Material(X509Certificate2Collection? Roots, OwnCertificate? Own, string? Problem);

    readonly TlsSettings _settings;
    readonly TimeProvider _time;
    readonly HashSet<string> _pins;
    readonly Lock _lock = new();
    Material _material;
    string _stamp;
    long _looked;
    int _version;
    volatile TlsFault? _fault;

    public ClientTls(TlsSettings settings, TimeProvider time)
    {
        (_settings, _time) = (settings, time);
        _pins = [.. settings.Pins];
        _stamp = Stamp();
        _looked = time.GetTimestamp();
        _material = Load();
    }

    public TlsSettings Settings => _settings;

    /// <summary>Of the latest handshake; null = it went well, or failed for another reason than trust. Kept until the next one, or <see cref="Forget"/>.</summary>
    public TlsFault? Fault => _fault;

    /// <summary>Called before a request, so that an old fault does not explain a new failure.</summary>
    public void Forget() => _fault = null;

    /// <summary>Another number when the files have changed: connections made before show the old certificate.</summary>
    public int Version
    {
        get
        {
            Current();
            return Volatile.Read(ref _version);
        }
    }

    /// <summary>Options of a handshake with <paramref name="host"/>; null where the caller's handler fills in the name (SocketsHttpHandler).</summary>
    public SslClientAuthenticationOptions Options(string? host)
    {
        Material material = Current();
        SslClientAuthenticationOptions options = new()
        {
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            TargetHost = host is null ? null : _settings.ServerName ?? host,
            ClientCertificateContext = material.Own?.Context,
            RemoteCertificateValidationCallback = (sender, certificate, chain, errors) =>
            {
                string name = host ?? (sender as SslStream)?.TargetHostName ?? "";
                _fault = Judge(material, name.Length == 0 ? "the server" : name, certificate, chain, errors);
                return _fault is null;
            },
        };
        if (material.Roots is { } roots)
        {
            options.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            options.CertificateChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
            options.CertificateChainPolicy.CustomTrustStore.AddRange(roots);
        }
        return options;
    }

    /// <summary>A handshake over a connection that is open. Only the caller's own cancellation throws; <paramref name="inner"/> is closed with the stream, and when there is none.</summary>
    public async Task<(SslStream? Stream, TlsFault? Fault)> OpenAsync(Stream inner, string host, CancellationToken cancel)
    {
        SslStream stream = new(inner, leaveInnerStreamOpen: false);
        _fault = null;
        try
        {
            await stream.AuthenticateAsClientAsync(Options(host), cancel);
            return (stream, null);
        }
        catch (Exception e) when (e is AuthenticationException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            await stream.DisposeAsync();
            return (null, _fault ?? new TlsFault(Describe(e, host), false));
        }
        catch (OperationCanceledException)
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>What a broken handshake, or the first read after it, says in words; a server looks at our certificate only after its own part is done.</summary>
    public static string Describe(Exception fault, string host) => AboutOurs(fault, host) ?? $"the TLS handshake with {host} failed: {Handshake(Innermost(fault))}";

    /// <summary>The commonest mistake is a port on which no TLS is spoken, and the platform's words for it help nobody.</summary>
    static string Handshake(string said) =>
        said.Contains("frame", StringComparison.OrdinalIgnoreCase) ? "what came is no TLS, check that it is spoken on that port"
        : said.Contains("unexpected EOF", StringComparison.OrdinalIgnoreCase) ? "the server closed the connection, check that TLS is spoken on that port and look into its log"
        : said;

    /// <summary>The sentence of a failure that was about our own certificate, or null.</summary>
    internal static string? AboutOurs(Exception fault, string host)
    {
        string said = Innermost(fault);
        return !said.Contains("alert", StringComparison.OrdinalIgnoreCase) ? null
            : said.Contains("certificate required", StringComparison.OrdinalIgnoreCase) ? $"{host} wants a certificate of ours; set tls.certificate and tls.key"
            : said.Contains("certificate", StringComparison.OrdinalIgnoreCase) || said.Contains("unknown ca", StringComparison.OrdinalIgnoreCase) ? $"{host} does not take our certificate (tls.certificate): {said}"
            : null;
    }

    static string Innermost(Exception fault)
    {
        while (fault.InnerException is { } inner) fault = inner;
        return fault.Message.TrimEnd('.').ReplaceLineEndings(" ");
    }

    TlsFault? Judge(Material material, string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (material.Problem is { } problem) return new TlsFault(problem, false);
        if (_pins.Count > 0 && certificate is not null)
        {
            using X509Certificate2 leaf = new(certificate);
            string shown = PinOf(leaf);
            if (_pins.Contains(shown)) return null;
            if (errors == SslPolicyErrors.None && chain is not null && chain.ChainElements.Any(element => _pins.Contains(PinOf(element.Certificate)))) return null;
            return new TlsFault($"the key of {host} is {shown}, none of those in tls.pins: somebody is between, or its key was changed and tls.pins has to be too", false);
        }
        return errors == SslPolicyErrors.None ? null : CertificateFault.Judge(host, certificate, chain, errors, _time.GetUtcNow());
    }

    /// <summary>The pin of a certificate's key.</summary>
    public static string PinOf(X509Certificate2 certificate) => TlsSettings.PinPrefix + Convert.ToBase64String(SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo()));

    Material Current()
    {
        lock (_lock)
        {
            if (_settings is { Roots: null, Certificate: null } || _time.GetElapsedTime(_looked) < s_interval) return _material;
            _looked = _time.GetTimestamp();
            string stamp = Stamp();
            if (stamp == _stamp && _material.Problem is null) return _material;
            // Half of a pair may be written yet: what is written then has another stamp.
            _stamp = stamp;
            Material loaded = Load();
            if (loaded.Problem is not null && _material.Problem is null) return _material;
            _material = loaded;
            _version++;
            return _material;
        }
    }

    Material Load()
    {
        X509Certificate2Collection? roots = null;
        OwnCertificate? own = null;
        // Without its roots a server must not be trusted by the system's, and without our certificate it would only tell us so in worse words.
        if (_settings.Roots is not null && !PemFiles.TryRoots(_settings.Roots, out roots, out string fault)) return new Material(null, null, "tls.ca: " + fault);
        if (_settings.Certificate is not null && !PemFiles.TryPair(_settings.Certificate, _settings.Key, out own, out TlsFile which, out fault))
            return new Material(roots, null, (which == TlsFile.Key ? "tls.key: " : "tls.certificate: ") + fault);
        return new Material(roots, own, null);
    }

    /// <summary>Of what the files hold: their times say nothing where a link is what changes, or a backup is put back.</summary>
    string Stamp()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? file in new[] { _settings.Roots, _settings.Certificate, _settings.Key })
        {
            if (file is null) continue;
            // What cannot be read, loading says. When it can be again, that is a change.
            hash.AppendData(PemFiles.TryRead(file, out byte[] bytes, out _) ? SHA256.HashData(bytes) : [0]);
        }
        return Convert.ToHexString(hash.GetHashAndReset());
    }
}
