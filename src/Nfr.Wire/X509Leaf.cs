using System.Security.Cryptography;
using Nfr.Wire.Digests;

namespace Nfr.Wire;

/// <summary>
/// The parts of an X.509 certificate (RFC 5280 4.1) that an event carries. Every getter is safe once <see cref="TryRead"/> has said
/// None. Nothing is verified: the sensor tells what was shown.
/// </summary>
public readonly ref struct X509Leaf
{
    public const int HashLength = 40;

    /// <summary>A validity that could not be read.</summary>
    public const long NoTime = long.MinValue;

    readonly ReadOnlySpan<byte> _der, _issuer, _subject, _afterSubject;

    X509Leaf(ReadOnlySpan<byte> der, ReadOnlySpan<byte> issuer, ReadOnlySpan<byte> subject, ReadOnlySpan<byte> afterSubject, long notBefore, long notAfter)
    {
        _der = der;
        _issuer = issuer;
        _subject = subject;
        _afterSubject = afterSubject;
        NotBefore = notBefore;
        NotAfter = notAfter;
    }

    /// <summary>Seconds since 1970 UTC, negative before; <see cref="NoTime"/> when unreadable.</summary>
    public long NotBefore { get; }
    /// <summary>Seconds since 1970 UTC, negative before; <see cref="NoTime"/> when unreadable.</summary>
    public long NotAfter { get; }

    /// <summary>Writes the issuer as RFC 4514 text and returns its length; what does not fit is cut off.</summary>
    public int WriteIssuer(Span<byte> destination) => DistinguishedName.Write(_issuer, destination);

    /// <summary>Writes the subject as RFC 4514 text and returns its length; what does not fit is cut off.</summary>
    public int WriteSubject(Span<byte> destination) => DistinguishedName.Write(_subject, destination);

    /// <summary>
    /// Writes the DNS names of subjectAltName (RFC 5280 4.2.1.6) with commas between them, and returns the length: 0 when there are none. What does not
    /// fit is left out from the first name on that does not (<paramref name="isCut"/>). A name with a comma in it is no DNS name, and left out too.
    /// </summary>
    public int WriteDnsNames(Span<byte> destination, out bool isCut)
    {
        isCut = false;
        ReadOnlySpan<byte> names = AlternativeNames();
        int length = 0;
        while (Der.TryTake(ref names, out byte tag, out ReadOnlySpan<byte> name))
        {
            if (tag != Der.DnsName || name.IsEmpty || name.Contains((byte)',')) continue;
            int comma = length > 0 ? 1 : 0;
            if (destination.Length - length < comma + name.Length)
            {
                isCut = true;
                return length;
            }
            if (comma > 0) destination[length++] = (byte)',';
            name.CopyTo(destination[length..]);
            length += name.Length;
        }
        return length;
    }

    /// <summary>The GeneralNames of the extension 2.5.29.17; empty without one.</summary>
    ReadOnlySpan<byte> AlternativeNames()
    {
        // The public key, and two unique identifiers that nobody uses, come before the extensions.
        ReadOnlySpan<byte> rest = _afterSubject;
        while (Der.TryTake(ref rest, out byte tag, out ReadOnlySpan<byte> content))
        {
            if (tag != Der.ExplicitExtensions || !Der.TryTake(ref content, Der.Sequence, out ReadOnlySpan<byte> extensions)) continue;
            while (Der.TryTake(ref extensions, Der.Sequence, out ReadOnlySpan<byte> extension))
            {
                if (!Der.TryTake(ref extension, Der.ObjectIdentifier, out ReadOnlySpan<byte> oid) || !oid.SequenceEqual((ReadOnlySpan<byte>)[0x55, 0x1D, 0x11])) continue;
                Der.TryTake(ref extension, Der.Boolean, out _);
                return Der.TryTake(ref extension, Der.OctetString, out ReadOnlySpan<byte> value) && Der.TryTake(ref value, Der.Sequence, out ReadOnlySpan<byte> names) ? names : default;
            }
        }
        return default;
    }

    /// <summary>Writes the SHA-1 of the certificate as 40 hex digits; 0 when <paramref name="destination"/> is shorter.</summary>
    public int WriteSha1(Span<byte> destination, RecentDigests? recent = null)
    {
        if (destination.Length < HashLength) return 0;
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        if (recent is null) SHA1.HashData(_der, hash);
        else recent.Sha1(_der, hash);
        Hex.Write(hash, destination[..HashLength]);
        return HashLength;
    }

    public static DecodeFault TryRead(ReadOnlySpan<byte> der, out X509Leaf leaf)
    {
        leaf = default;
        ReadOnlySpan<byte> rest = der;
        if (!Der.TryTake(ref rest, Der.Sequence, out ReadOnlySpan<byte> certificate)) return DecodeFault.X509Invalid;
        if (!Der.TryTake(ref certificate, Der.Sequence, out ReadOnlySpan<byte> fields)) return DecodeFault.X509Invalid;
        // Version is absent in version 1; then serial number, signature algorithm, issuer, validity, subject.
        Der.TryTake(ref fields, Der.ExplicitVersion, out _);
        if (!Der.TryTake(ref fields, Der.Integer, out _)) return DecodeFault.X509Invalid;
        if (!Der.TryTake(ref fields, Der.Sequence, out _)) return DecodeFault.X509Invalid;
        if (!Der.TryTake(ref fields, Der.Sequence, out ReadOnlySpan<byte> issuer)) return DecodeFault.X509Invalid;
        if (!Der.TryTake(ref fields, Der.Sequence, out ReadOnlySpan<byte> validity)) return DecodeFault.X509Invalid;
        if (!Der.TryTake(ref fields, Der.Sequence, out ReadOnlySpan<byte> subject)) return DecodeFault.X509Invalid;
        leaf = new X509Leaf(der, issuer, subject, fields, ReadTime(ref validity), ReadTime(ref validity));
        return DecodeFault.None;
    }

    static long ReadTime(scoped ref ReadOnlySpan<byte> validity) =>
        Der.TryTake(ref validity, out byte tag, out ReadOnlySpan<byte> text) && Der.TryReadTime(tag, text, out long seconds) ? seconds : NoTime;
}
