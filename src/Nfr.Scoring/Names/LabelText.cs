using Nfr.Scoring.Tables;

namespace Nfr.Scoring.Names;

/// <summary>What the labels of a name could carry: how many octets of them look like data and not like words (RFC 1035 2.3.4: 63 octets a label).</summary>
static class LabelText
{
    /// <summary>Digests of files and messages (MD5, SHA-1) in hexadecimal: a label of such a length says which thing is asked about.</summary>
    const int Md5Digits = 32, Sha1Digits = 40, UuidLength = 36;

    /// <summary>
    /// The octets that count of a label which looks like data, or 0: a quarter of a digest, an identifier or an internationalized label, which programs
    /// make in the ordinary course of things, and all of any other.
    /// </summary>
    /// <param name="label">In presentation form, where \DDD is one octet.</param>
    /// <param name="octets">All its octets.</param>
    /// <param name="isText">All of them are printable.</param>
    public static int Weigh(ReadOnlySpan<byte> label, int octets, bool isText)
    {
        if (!isText) return octets;
        bool ordinary = (octets is Md5Digits or Sha1Digits && IsHex(label)) || IsUuid(label) || StartsAsInternational(label);
        return ordinary ? octets / 4 : octets;
    }

    /// <summary>Octets of a label in presentation form, where \DDD is one; <paramref name="isText"/> when all are printable.</summary>
    public static int OctetsOf(ReadOnlySpan<byte> label, out bool isText)
    {
        isText = true;
        int octets = label.Length;
        for (int i = label.IndexOf((byte)'\\'); i >= 0 && i < label.Length; i++)
        {
            if (label[i] != '\\') continue;
            isText = false;
            int escaped = i + 3 < label.Length && char.IsAsciiDigit((char)label[i + 1]) ? 3 : 1;
            octets -= escaped;
            i += escaped;
        }
        return octets;
    }

    /// <summary>A number of an IPv4 address, as block lists are asked with its octets in reverse (RFC 5782 2.1).</summary>
    public static bool IsDecimalOctet(ReadOnlySpan<byte> label) => label.Length is > 0 and <= 3 && !label.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    /// <summary>One digit of an IPv6 address (RFC 5782 2.4).</summary>
    public static bool IsNibble(ReadOnlySpan<byte> label) => label.Length == 1 && IsHex(label);

    /// <summary>No top-level domain has digits, or could have such a length: the name goes on to its end, and ends in no domain.</summary>
    public static bool IsNoTopLevelDomain(ReadOnlySpan<byte> label) => label.Length > 24 || (label.ContainsAnyInRange((byte)'0', (byte)'9') && !StartsAsInternational(label));

    static bool StartsAsInternational(ReadOnlySpan<byte> label) =>
        label.Length > 4 && Mix.Lower(label[0]) == 'x' && Mix.Lower(label[1]) == 'n' && label[2] == '-' && label[3] == '-';

    static bool IsHex(ReadOnlySpan<byte> text)
    {
        foreach (byte c in text)
        {
            if (!char.IsAsciiHexDigit((char)c)) return false;
        }
        return true;
    }

    static bool IsUuid(ReadOnlySpan<byte> label) =>
        label.Length == UuidLength && label[8] == '-' && label[13] == '-' && label[18] == '-' && label[23] == '-'
        && IsHex(label[..8]) && IsHex(label[9..13]) && IsHex(label[14..18]) && IsHex(label[19..23]) && IsHex(label[24..]);
}
