using System.Security.Cryptography;
using Nfr.Wire.Digests;

namespace Nfr.Wire;

/// <summary>
/// JA3 of a ClientHello and JA3S of a ServerHello (Althouse, Atkinson, Atkins, 2017): decimal values in the order of the wire, MD5 of
/// the text. GREASE values (RFC 8701) are left out. A hello with so many values that the text exceeds
/// <see cref="MaxTextLength"/> has no fingerprint.
/// </summary>
public static class Ja3
{
    public const int HashLength = 32;

    /// <summary>The longest text hashed, in bytes; real ones have a few hundred.</summary>
    public const int MaxTextLength = 8192;

    /// <summary>Nearly all texts fit here, and need no more to be cleared for them.</summary>
    const int CommonTextLength = 768;

    /// <summary>Writes 32 hex digits; false when the text is too long or <paramref name="destination"/> too short.</summary>
    public static bool TryWrite(TlsClientHello hello, Span<byte> destination, RecentDigests? recent = null)
    {
        Span<byte> text = stackalloc byte[CommonTextLength];
        int length = WriteText(hello, text);
        return length > 0 ? TryHash(text[..length], destination, recent) : TryWriteLong(hello, destination);
    }

    static bool TryWriteLong(TlsClientHello hello, Span<byte> destination)
    {
        Span<byte> text = stackalloc byte[MaxTextLength];
        int length = WriteText(hello, text);
        return length > 0 && TryHash(text[..length], destination, null);
    }

    /// <summary>Writes the text "version,ciphers,extensions,groups,point formats" and returns its length; 0 when it does not fit.</summary>
    public static int WriteText(TlsClientHello hello, Span<byte> destination)
    {
        var text = new Utf8Cursor(destination);
        text.AppendDecimal(hello.LegacyVersion);
        text.Append((byte)',');
        AppendValues(ref text, hello.CipherSuites);
        text.Append((byte)',');
        AppendTypes(ref text, hello.Extensions);
        text.Append((byte)',');
        AppendValues(ref text, hello.SupportedGroups);
        text.Append((byte)',');
        for (int i = 0; i < hello.EcPointFormats.Length; i++)
        {
            if (i > 0) text.Append((byte)'-');
            text.AppendDecimal(hello.EcPointFormats[i]);
        }
        return text.IsCut ? 0 : text.Length;
    }

    /// <summary>JA3S: writes 32 hex digits; false when the text is too long or <paramref name="destination"/> too short.</summary>
    public static bool TryWrite(TlsServerHello hello, Span<byte> destination, RecentDigests? recent = null)
    {
        Span<byte> text = stackalloc byte[CommonTextLength];
        int length = WriteText(hello, text);
        return length > 0 ? TryHash(text[..length], destination, recent) : TryWriteLong(hello, destination);
    }

    static bool TryWriteLong(TlsServerHello hello, Span<byte> destination)
    {
        Span<byte> text = stackalloc byte[MaxTextLength];
        int length = WriteText(hello, text);
        return length > 0 && TryHash(text[..length], destination, null);
    }

    /// <summary>JA3S: writes the text "version,cipher,extensions" and returns its length; 0 when it does not fit.</summary>
    public static int WriteText(TlsServerHello hello, Span<byte> destination)
    {
        var text = new Utf8Cursor(destination);
        text.AppendDecimal(hello.LegacyVersion);
        text.Append((byte)',');
        text.AppendDecimal(hello.CipherSuite);
        text.Append((byte)',');
        AppendTypes(ref text, hello.Extensions);
        return text.IsCut ? 0 : text.Length;
    }

    static void AppendValues(ref Utf8Cursor text, TlsValues values)
    {
        bool first = true;
        for (int i = 0; i < values.Count && !text.IsCut; i++) AppendValue(ref text, values[i], ref first);
    }

    static void AppendTypes(ref Utf8Cursor text, TlsExtensions extensions)
    {
        bool first = true;
        while (extensions.MoveNext() && !text.IsCut) AppendValue(ref text, extensions.Type, ref first);
    }

    static void AppendValue(ref Utf8Cursor text, ushort value, ref bool first)
    {
        if (Grease.Is(value)) return;
        if (!first) text.Append((byte)'-');
        first = false;
        text.AppendDecimal(value);
    }

    static bool TryHash(ReadOnlySpan<byte> text, Span<byte> destination, RecentDigests? recent)
    {
        if (destination.Length < HashLength) return false;
        Span<byte> hash = stackalloc byte[MD5.HashSizeInBytes];
        if (recent is null) MD5.HashData(text, hash);
        else recent.Md5(text, hash);
        Hex.Write(hash, destination[..HashLength]);
        return true;
    }
}
