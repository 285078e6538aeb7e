using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Nfr.Engine;

/// <summary>A certificate and its key in PEM files. They are looked at again every minute, so that a renewed one serves without a restart; one that cannot be read changes nothing.</summary>
sealed class CertificateFile
{
    static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    readonly string _certificate;
    readonly string? _key;
    readonly TimeProvider _time;
    readonly Lock _lock = new();
    X509Certificate2 _current;
    (DateTime, DateTime) _stamp;
    long _looked;

    public CertificateFile(string certificate, string? key, TimeProvider time)
    {
        _certificate = certificate;
        _key = key;
        _time = time;
        _stamp = Stamp();
        _looked = time.GetTimestamp();
        _current = Load(certificate, key);
    }

    public X509Certificate2 Current
    {
        get
        {
            lock (_lock)
            {
                if (_time.GetElapsedTime(_looked) < s_interval) return _current;
                _looked = _time.GetTimestamp();
                (DateTime, DateTime) stamp = Stamp();
                if (stamp == _stamp) return _current;
                try
                {
                    // The old one stays undisposed: connections may still shake hands with it.
                    _current = Load(_certificate, _key);
                    _stamp = stamp;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
                {
                    // Half of the pair is written yet, or it is broken: the next minute looks again.
                }
                return _current;
            }
        }
    }

    (DateTime, DateTime) Stamp() => (File.GetLastWriteTimeUtc(_certificate), File.GetLastWriteTimeUtc(_key ?? _certificate));

    /// <exception cref="CryptographicException">They are no PEM files, or do not belong together.</exception>
    public static X509Certificate2 Load(string certificate, string? key) => X509Certificate2.CreateFromPemFile(certificate, key);
}
