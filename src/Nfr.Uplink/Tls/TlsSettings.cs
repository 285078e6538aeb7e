using System.Security.Cryptography;

namespace Nfr.Uplink;

/// <summary>How a server is known, and how we show who we are; the same for every TLS client of the house. The defaults trust what the system trusts.</summary>
public sealed record TlsSettings
{
    /// <summary>"sha256/" and the base64 of the SHA-256 of a certificate's public key (SubjectPublicKeyInfo, RFC 7469, 2.4).</summary>
    public const string PinPrefix = "sha256/";

    public static TlsSettings Default { get; } = new();

    /// <summary>
    /// Any of these keys; empty = none is asked for. A server that shows one of them is believed whatever else its certificate says (self-signed, expired, another name): it
    /// has proved that it holds the key. One of an authority counts where the certificate is valid besides.
    /// </summary>
    public IReadOnlyList<string> Pins { get; init; } = [];
    /// <summary>PEM file of the only roots that are trusted; null = the system's.</summary>
    public string? Roots { get; init; }
    /// <summary>PEM file of our own certificate, with those between it and its root; null = we show none.</summary>
    public string? Certificate { get; init; }
    /// <summary>PEM file of its private key; null = it lies in <see cref="Certificate"/>'s.</summary>
    public string? Key { get; init; }
    /// <summary>Asked for and expected in the certificate in place of the host's name; null = the host's.</summary>
    public string? ServerName { get; init; }

    /// <summary>Says what is wrong with a pin, or null.</summary>
    public static string? CheckPin(string pin)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes + 1];
        return pin.StartsWith(PinPrefix, StringComparison.Ordinal) && Convert.TryFromBase64String(pin[PinPrefix.Length..], hash, out int length) && length == SHA256.HashSizeInBytes
            ? null
            : $"expected {PinPrefix} and 44 characters of base64, found \"{(pin.Length > 60 ? pin[..57] + "..." : pin)}\"";
    }

    /// <summary>Looks at the files as a connection will: whether they can be read, are PEM, and belong together.</summary>
    /// <param name="now">Held against our certificate's end; null = the clock cannot be asked.</param>
    public IReadOnlyList<TlsFileFault> CheckFiles(DateTimeOffset? now)
    {
        List<TlsFileFault> faults = [];
        if (Roots is not null && !PemFiles.TryRoots(Roots, out _, out string fault)) faults.Add(new TlsFileFault(TlsFile.Roots, fault, false));
        if (Certificate is null) return faults;
        if (!PemFiles.TryPair(Certificate, Key, out OwnCertificate? own, out TlsFile which, out fault)) faults.Add(new TlsFileFault(which, fault, false));
        else if (now is { } clock && own!.Until < clock)
            faults.Add(new TlsFileFault(TlsFile.Certificate, $"the certificate in {Certificate} expired on {own.Until:yyyy-MM-dd HH:mm} UTC; renew it", true));
        return faults;
    }
}

public enum TlsFile : byte
{
    Roots,
    Certificate,
    Key,
}

/// <param name="File">Whose.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Expired">It can be read and is only too old: servers will refuse it.</param>
public sealed record TlsFileFault(TlsFile File, string Message, bool Expired);
