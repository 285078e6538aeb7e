using System.Security.Cryptography;
using Nfr.Wire.Digests;

namespace Nfr.Wire;

/// <summary>What carries the hello: the first character of a JA4.</summary>
public enum Ja4Transport : byte
{
    Tcp = (byte)'t',
    Quic = (byte)'q',
    Dtls = (byte)'d',
}

/// <summary>
/// JA4, the TLS client fingerprint, after FoxIO's public technical description (BSD 3-Clause, "JA4: TLS Client Fingerprinting"). The
/// other members of that family are under another licence and are not here.
/// </summary>
public static class Ja4
{
    /// <summary>Such as t13d1516h2_8daaf6152771_e5627efa2ab1.</summary>
    public const int Length = 36;

    /// <summary>The most cipher suites or extensions sorted; a hello with more has no fingerprint.</summary>
    public const int MaxValues = 512;

    const int CommonValues = 64;

    /// <summary>Four digits and a comma, of extensions and signature algorithms.</summary>
    const int CharactersPerValue = 5;
    const int HashPartLength = 12;

    /// <summary>Writes 36 characters; false when the hello holds too many values or <paramref name="destination"/> is too short.</summary>
    public static bool TryWrite(TlsClientHello hello, Ja4Transport transport, Span<byte> destination, RecentDigests? recent = null)
    {
        if (destination.Length < Length) return false;
        // Nearly all hellos are far from the limit, and need no more to be cleared for them.
        Span<ushort> values = stackalloc ushort[2 * CommonValues];
        Span<byte> text = stackalloc byte[2 * CharactersPerValue * CommonValues];
        return TryWrite(hello, transport, destination, recent, values, text) || TryWriteLong(hello, transport, destination);
    }

    static bool TryWriteLong(TlsClientHello hello, Ja4Transport transport, Span<byte> destination)
    {
        Span<ushort> values = stackalloc ushort[2 * MaxValues];
        Span<byte> text = stackalloc byte[2 * CharactersPerValue * MaxValues];
        return TryWrite(hello, transport, destination, null, values, text);
    }

    static bool TryWrite(TlsClientHello hello, Ja4Transport transport, Span<byte> destination, RecentDigests? recent, Span<ushort> values, Span<byte> buffer)
    {
        Span<ushort> ciphers = values[..(values.Length / 2)], extensions = values[(values.Length / 2)..];
        if (!TrySortCiphers(hello.CipherSuites, ciphers, out int cipherCount)) return false;
        if (!TrySortExtensions(hello.Extensions, extensions, out int extensionCount, out int hashedCount)) return false;

        var text = new Utf8Cursor(destination);
        text.Append((byte)transport);
        text.Append(VersionName(hello.HighestVersion));
        text.Append(hello.HasServerName ? (byte)'d' : (byte)'i');
        AppendCount(ref text, cipherCount);
        AppendCount(ref text, extensionCount);
        AppendAlpn(ref text, hello.FirstAlpn);

        var list = new Utf8Cursor(buffer);
        text.Append((byte)'_');
        AppendList(ref list, ciphers[..cipherCount]);
        AppendHash(ref text, list.Written, recent);

        list = new Utf8Cursor(buffer);
        text.Append((byte)'_');
        AppendList(ref list, extensions[..hashedCount]);
        if (hashedCount > 0) AppendSignatureAlgorithms(ref list, hello.SignatureAlgorithms);
        if (list.IsCut) return false;
        AppendHash(ref text, list.Written, recent);
        return true;
    }

    static bool TrySortCiphers(TlsValues values, Span<ushort> sorted, out int count)
    {
        count = 0;
        for (int i = 0; i < values.Count; i++)
        {
            if (Grease.Is(values[i])) continue;
            if (count == sorted.Length) return false;
            sorted[count++] = values[i];
        }
        sorted[..count].Sort();
        return true;
    }

    /// <summary>All are counted; server name and ALPN are not hashed, so that one client has one hash whomever it speaks to.</summary>
    static bool TrySortExtensions(TlsExtensions values, Span<ushort> sorted, out int count, out int hashed)
    {
        count = hashed = 0;
        while (values.MoveNext())
        {
            if (Grease.Is(values.Type)) continue;
            count++;
            if (values.Type is TlsExtensionType.ServerName or TlsExtensionType.ApplicationLayerProtocolNegotiation) continue;
            if (hashed == sorted.Length) return false;
            sorted[hashed++] = values.Type;
        }
        sorted[..hashed].Sort();
        return true;
    }

    static void AppendList(ref Utf8Cursor text, ReadOnlySpan<ushort> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (i > 0) text.Append((byte)',');
            text.AppendHex(values[i]);
        }
    }

    static void AppendSignatureAlgorithms(ref Utf8Cursor text, TlsValues values)
    {
        bool first = true;
        for (int i = 0; i < values.Count && !text.IsCut; i++)
        {
            if (Grease.Is(values[i])) continue;
            text.Append(first ? (byte)'_' : (byte)',');
            first = false;
            text.AppendHex(values[i]);
        }
    }

    static void AppendCount(ref Utf8Cursor text, int count)
    {
        count = Math.Min(count, 99);
        text.Append((byte)('0' + (count / 10)));
        text.Append((byte)('0' + (count % 10)));
    }

    static void AppendAlpn(ref Utf8Cursor text, ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty)
        {
            text.Append("00"u8);
            return;
        }
        byte first = name[0], last = name[^1];
        bool plain = char.IsAsciiLetterOrDigit((char)first) && char.IsAsciiLetterOrDigit((char)last);
        text.Append(plain ? first : Hex.Digit(first >> 4));
        text.Append(plain ? last : Hex.Digit(last & 15));
    }

    static void AppendHash(ref Utf8Cursor text, scoped ReadOnlySpan<byte> list, RecentDigests? recent)
    {
        if (list.IsEmpty)
        {
            text.Append("000000000000"u8);
            return;
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (recent is null) SHA256.HashData(list, hash);
        else recent.Sha256(list, hash);
        for (int i = 0; i < HashPartLength / 2; i++) text.AppendHex(hash[i]);
    }

    static ReadOnlySpan<byte> VersionName(ushort version) => version switch
    {
        0x0304 => "13"u8,
        0x0303 => "12"u8,
        0x0302 => "11"u8,
        0x0301 => "10"u8,
        0x0300 => "s3"u8,
        0x0002 => "s2"u8,
        0xFEFF => "d1"u8,
        0xFEFD => "d2"u8,
        0xFEFC => "d3"u8,
        _ => "00"u8,
    };
}
