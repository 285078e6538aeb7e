using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Nfr.Events;

namespace Nfr.Uplink;

/// <summary>Says in one sentence why a server's certificate was not trusted, and tells a bad certificate from a clock that is not set.</summary>
static class CertificateFault
{
    public static TlsFault Judge(string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (certificate is null || errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable))
            return new TlsFault($"{host} showed no certificate", false);
        using X509Certificate2 leaf = new(certificate);
        X509ChainStatusFlags flags = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain?.ChainStatus ?? []) flags |= status.Status;
        DateTimeOffset from = leaf.NotBefore.ToUniversalTime();
        DateTimeOffset to = leaf.NotAfter.ToUniversalTime();
        if (ClockFloor.IsUnset(now) && (now < from || now > to || flags.HasFlag(X509ChainStatusFlags.NotTimeValid)))
            return new TlsFault($"the clock is not set, it says {now:yyyy-MM-dd HH:mm} UTC: until it is, the certificate of {host} (valid from {from:yyyy-MM-dd}) cannot be trusted; check NTP", true);
        // A clock before the certificate's birth is far more often a Pi without a network clock than a certificate from the future.
        return now < from
            ? new TlsFault($"the certificate of {host} is valid from {from:yyyy-MM-dd HH:mm} UTC but this clock says {now:yyyy-MM-dd HH:mm} UTC: the clock is probably not set, check NTP", true)
            : new TlsFault(Describe(host, leaf, errors, flags, to, now), false);
    }

    static string Describe(string host, X509Certificate2 leaf, SslPolicyErrors errors, X509ChainStatusFlags flags, DateTimeOffset to, DateTimeOffset now)
    {
        if (now > to)
            return $"the certificate of {host} expired on {to:yyyy-MM-dd HH:mm} UTC (this clock says {now:yyyy-MM-dd HH:mm} UTC)";
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return $"the certificate is not for {host} but for {Names(leaf)}";

        if (flags.HasFlag(X509ChainStatusFlags.Revoked)) return $"the certificate of {host} was revoked";
        if (flags.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return $"a certificate above that of {host} is not valid at {now:yyyy-MM-dd HH:mm} UTC: it expired, or this clock is wrong";
        if ((flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
        {
            return leaf.SubjectName.RawData.AsSpan().SequenceEqual(leaf.IssuerName.RawData)
                ? $"the certificate of {host} is self-signed, no authority that this system trusts stands behind it"
                : $"the certificate of {host} is signed by \"{Short(leaf.Issuer)}\", which this system does not trust";
        }
        return $"the certificate of {host} is not valid ({errors}, {flags})";
    }

    static string Names(X509Certificate2 leaf)
    {
        foreach (X509Extension extension in leaf.Extensions)
        {
            if (extension is not X509SubjectAlternativeNameExtension names) continue;
            string list = string.Join(", ", names.EnumerateDnsNames().Take(3));
            if (list.Length > 0) return Short(list);
        }
        return Short(leaf.Subject);
    }

    static string Short(string text)
    {
        string clean = string.Concat(text.Take(200).Select(c => char.IsControl(c) ? ' ' : c));
        return clean.Length == 0 ? "nobody" : clean;
    }
}
