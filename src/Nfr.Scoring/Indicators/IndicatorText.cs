using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Nfr.Scoring.Tables;
using Nfr.Wire;

namespace Nfr.Scoring.Indicators;

/// <summary>Turns one indicator as people write it into the form of the tables.</summary>
static class IndicatorText
{
    /// <summary>No stored form is longer.</summary>
    public const int MaxLength = 255;
    public const int Ja4Length = 36;
    const int MinPath = 6;
    /// <summary>A network wider than this would hold a large part of the Internet: a slip of the pen, not an indicator.</summary>
    const int MinPrefixV4 = 9, MinPrefixV6 = 20;

    /// <summary>Reads trimmed, non-empty text into its stored form; <paramref name="form"/> holds at least <see cref="MaxLength"/> bytes.</summary>
    /// <returns>null, or what is wrong.</returns>
    public static string? Read(scoped ReadOnlySpan<byte> text, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.None, 0);
        if (text.Length is 32 or 40 && IsHex(text))
        {
            kind = text.Length == 32 ? IndicatorKind.Ja3 : IndicatorKind.Certificate;
            Convert.FromHexString(text, form, out _, out length);
            return null;
        }
        if (IsJa4(text)) return Copy(text, IndicatorKind.Ja4, form, out kind, out length);
        Span<byte> plain = stackalloc byte[MaxLength];
        if (text.Length <= MaxLength && text.IndexOf("[.]"u8) > 0) text = Fanged(text, plain);
        int scheme = text.IndexOf("://"u8);
        if (scheme > 0)
        {
            ReadOnlySpan<byte> name = text[..scheme];
            bool plainWeb = Ascii.EqualsIgnoreCase(name, "http"u8) || Ascii.EqualsIgnoreCase(name, "hxxp"u8);
            bool web = plainWeb || Ascii.EqualsIgnoreCase(name, "https"u8) || Ascii.EqualsIgnoreCase(name, "hxxps"u8);
            text = text[(scheme + 3)..];
            int path = text.IndexOfAny((byte)'/', (byte)'?');
            // Only the web's paths are seen by a sensor; of other schemes the host is what counts.
            if (path < 0 || !web || path == text.Length - 1) return ReadHost(path < 0 ? text : text[..path], form, out kind, out length);
            return ReadUrl(text, path, plainWeb ? ":80"u8 : ":443"u8, form, out kind, out length);
        }
        if (text[0] == '/')
        {
            if (text.Length < MinPath) return "a path this short would match too much";
            return Copy(text, IndicatorKind.Path, form, out kind, out length);
        }
        int slash = text.IndexOf((byte)'/');
        if (slash < 0) return ReadHost(text, form, out kind, out length);
        if (AddressText.TryParse(text[..slash], out Address network) && IsDigits(text[(slash + 1)..])) return ReadNetwork(network, text[(slash + 1)..], form, out kind, out length);
        if (slash == text.Length - 1) return ReadHost(text[..slash], form, out kind, out length);
        return ReadUrl(text, slash, ":80"u8, form, out kind, out length);
    }

    /// <summary>"bad[.]example", as reports write it so that nobody follows the link.</summary>
    static ReadOnlySpan<byte> Fanged(ReadOnlySpan<byte> text, Span<byte> plain)
    {
        int length = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool dot = text[i..].StartsWith("[.]"u8);
            plain[length++] = dot ? (byte)'.' : text[i];
            if (dot) i += 2;
        }
        return plain[..length];
    }

    /// <summary>Protocol, version, server name or not, two counts and the ALPN's ends; then two cut SHA-256 digests.</summary>
    static bool IsJa4(ReadOnlySpan<byte> text) => text.Length == Ja4Length && text[10] == '_' && text[23] == '_' && text[0] is (byte)'t' or (byte)'q' or (byte)'d'
        && text[3] is (byte)'d' or (byte)'i' && IsHex(text[11..23]) && IsHex(text[24..]);

    static string? ReadNetwork(Address address, ReadOnlySpan<byte> digits, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.None, 0);
        int width = address.IsV4 ? 32 : 128;
        if (digits.Length > 3 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix > width) return "the prefix length is out of range";
        if (prefix < (address.IsV4 ? MinPrefixV4 : MinPrefixV6)) return "too broad: a network this wide";
        if (prefix == width) return PutAddress(address, form, out kind, out length);
        kind = IndicatorKind.Network;
        int full = prefix + 128 - width;
        length = Mask(address, full).WriteBytes(form);
        form[length++] = (byte)full;
        return null;
    }

    /// <summary>The host's name in its own form (IDNA, lower case) and the port unless it is the scheme's, then path and query as they are.</summary>
    static string? ReadUrl(ReadOnlySpan<byte> text, int path, ReadOnlySpan<byte> ownPort, Span<byte> form, out IndicatorKind kind, out int length)
    {
        ReadOnlySpan<byte> authority = text[..path], rest = text[path..];
        if (authority.EndsWith(ownPort)) authority = authority[..^ownPort.Length];
        string? fault = ReadHost(authority, form, out kind, out length);
        if (fault is not null) return fault;
        int fragment = rest.IndexOf((byte)'#');
        if (fragment >= 0) rest = rest[..fragment];
        if (kind != IndicatorKind.Domain)
        {
            authority.CopyTo(form);
            length = authority.Length;
        }
        else if (authority.LastIndexOf((byte)':') is > 0 and var colon)
        {
            // A name in IDNA's form may be longer than it was written.
            if (length + authority.Length - colon > MaxLength) return "longer than 255 bytes";
            authority[colon..].CopyTo(form[length..]);
            length += authority.Length - colon;
        }
        kind = IndicatorKind.Url;
        if (length + rest.Length > MaxLength) return "longer than 255 bytes";
        if (rest.ContainsAnyInRange((byte)0, (byte)32)) return "a blank or control character inside";
        rest.CopyTo(form[length..]);
        length += rest.Length;
        return null;
    }

    static string? Copy(ReadOnlySpan<byte> text, IndicatorKind what, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (what, 0);
        if (text.Length > MaxLength) return "longer than 255 bytes";
        if (text.ContainsAnyInRange((byte)0, (byte)32)) return "a blank or control character inside";
        text.CopyTo(form);
        length = text.Length;
        return null;
    }

    static string? ReadHost(ReadOnlySpan<byte> text, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.None, 0);
        if (text.IsEmpty || text.Length > MaxLength) return "no host";
        if (AddressText.TryParse(text, out Address address)) return PutAddress(address, form, out kind, out length);
        int colon = text.LastIndexOf((byte)':');
        if (colon >= 0)
        {
            ReadOnlySpan<byte> host = text[..colon], digits = text[(colon + 1)..];
            if (host.Length > 1 && host[0] == '[' && host[^1] == ']') host = host[1..^1];
            if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) || port == 0) return "the port is no number from 1 to 65535";
            if (!AddressText.TryParse(host, out address)) return ReadDomain(host, form, out kind, out length);
            string? fault = PutAddress(address, form, out _, out length);
            BinaryPrimitives.WriteUInt16BigEndian(form[length..], port);
            kind = IndicatorKind.AddressPort;
            length += 2;
            return fault;
        }
        if (text[0] == '[' && text[^1] == ']' && AddressText.TryParse(text[1..^1], out address)) return PutAddress(address, form, out kind, out length);
        return ReadDomain(text, form, out kind, out length);
    }

    static string? PutAddress(Address address, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.Address, address.WriteBytes(form));
        return address.IsUnspecified ? "too broad: the unspecified address" : null;
    }

    static string? ReadDomain(ReadOnlySpan<byte> text, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.Domain, 0);
        if (text.StartsWith("*."u8)) text = text[2..];
        else if (text.StartsWith("."u8)) text = text[1..];
        if (text.EndsWith("."u8)) text = text[..^1];
        if (!Ascii.IsValid(text))
        {
            try
            {
                text = Encoding.ASCII.GetBytes(new IdnMapping().GetAscii(Encoding.UTF8.GetString(text)));
            }
            catch (ArgumentException)
            {
                return "no domain name: its characters have no IDNA form";
            }
        }
        if (text.Length is 0 or > 253) return "no domain name: empty or longer than 253";
        int label = 0, dots = 0;
        bool digitsOnly = true;
        for (int i = 0; i < text.Length; i++)
        {
            byte c = Mix.Lower(text[i]);
            form[i] = c;
            if (c == '.')
            {
                if (label == 0) return "no domain name: an empty label";
                (label, digitsOnly) = (0, true);
                dots++;
                continue;
            }
            if (!char.IsAsciiLetterOrDigit((char)c) && c is not ((byte)'-' or (byte)'_')) return "neither a domain, address, network, URL nor fingerprint";
            if (!char.IsAsciiDigit((char)c)) digitsOnly = false;
            if (++label > 63) return "no domain name: a label longer than 63";
        }
        if (dots == 0) return "a single label would match too much";
        if (label == 0 || digitsOnly) return "no domain name: its last label is empty or a number";
        length = text.Length;
        return null;
    }

    /// <summary>Keeps the first bits, 0 to 128; for IPv4 the prefix length plus 96.</summary>
    public static Address Mask(Address address, int prefix) => prefix switch
    {
        >= 128 => address,
        > 64 => new Address(address.High, address.Low & (ulong.MaxValue << (128 - prefix))),
        64 => new Address(address.High, 0),
        > 0 => new Address(address.High & (ulong.MaxValue << (64 - prefix)), 0),
        _ => default,
    };

    static bool IsDigits(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    static bool IsHex(ReadOnlySpan<byte> text)
    {
        foreach (byte c in text)
        {
            if (!char.IsAsciiHexDigit((char)c)) return false;
        }
        return true;
    }
}
