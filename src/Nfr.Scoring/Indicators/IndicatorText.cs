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
    const int MinPath = 6;
    /// <summary>A network wider than this would hold a large part of the Internet: a slip of the pen, not an indicator.</summary>
    const int MinPrefixV4 = 8, MinPrefixV6 = 16;

    /// <summary>Reads trimmed, non-empty text into its stored form; <paramref name="form"/> holds at least <see cref="MaxLength"/> bytes.</summary>
    /// <returns>null, or what is wrong.</returns>
    public static string? Read(ReadOnlySpan<byte> text, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.None, 0);
        if (text.Length is 32 or 40 && IsHex(text))
        {
            kind = text.Length == 32 ? IndicatorKind.Ja3 : IndicatorKind.Certificate;
            Convert.FromHexString(text, form, out _, out length);
            return null;
        }
        int scheme = text.IndexOf("://"u8);
        if (scheme > 0)
        {
            bool web = text[..scheme].SequenceEqual("http"u8) || text[..scheme].SequenceEqual("https"u8);
            text = text[(scheme + 3)..];
            int path = text.IndexOfAny((byte)'/', (byte)'?');
            // Only the web's paths are seen by a sensor; of other schemes the host is what counts.
            if (path < 0 || !web || path == text.Length - 1) return ReadHost(path < 0 ? text : text[..path], form, out kind, out length);
            return ReadUrl(text, path, form, out kind, out length);
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
        return ReadUrl(text, slash, form, out kind, out length);
    }

    static string? ReadNetwork(Address address, ReadOnlySpan<byte> digits, Span<byte> form, out IndicatorKind kind, out int length)
    {
        (kind, length) = (IndicatorKind.None, 0);
        int width = address.IsV4 ? 32 : 128;
        if (digits.Length > 3 || !int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out int prefix) || prefix > width) return "the prefix length is out of range";
        if (prefix < (address.IsV4 ? MinPrefixV4 : MinPrefixV6)) return "a network this wide is no indicator";
        if (prefix == width) return PutAddress(address, form, out kind, out length);
        kind = IndicatorKind.Network;
        int full = prefix + 128 - width;
        length = Mask(address, full).WriteBytes(form);
        form[length++] = (byte)full;
        return null;
    }

    static string? ReadUrl(ReadOnlySpan<byte> text, int path, Span<byte> form, out IndicatorKind kind, out int length)
    {
        string? fault = ReadHost(text[..path], form, out kind, out length);
        if (fault is not null) return fault;
        int fragment = text.IndexOf((byte)'#');
        if (fragment >= 0) text = text[..fragment];
        return Copy(text, IndicatorKind.Url, form, out kind, out length);
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
        if (text.IsEmpty) return "no host";
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
        return address.IsUnspecified ? "the unspecified address is no indicator" : null;
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
