using System.Globalization;
using Nfr.Wire;

namespace Nfr.Config;

/// <summary>Whether texts of scope.yml can be understood at all.</summary>
static class ScopeText
{
    /// <summary>An address, a slash and a prefix length; bits beyond the length may be set and do not count, as in Go's net.ParseCIDR.</summary>
    public static bool IsNetwork(string text)
    {
        int slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !Address.TryParse(text.AsSpan(0, slash), out Address address)) return false;
        ReadOnlySpan<char> length = text.AsSpan(slash + 1);
        if (length.Length is 0 or > 3 || (length.Length > 1 && length[0] == '0')) return false;
        bool six = text.Contains(':', StringComparison.Ordinal);
        return int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out int bits) && bits <= (six ? 128 : 32) && (six || address.IsV4);
    }

    /// <summary>Labels of letters, digits, hyphens and underscores; "*." may stand before them and a dot behind.</summary>
    public static bool IsDomain(string text)
    {
        ReadOnlySpan<char> name = text.AsSpan();
        if (name.StartsWith("*.")) name = name[2..];
        if (name.EndsWith('.')) name = name[..^1];
        if (name.Length is 0 or > 253) return false;
        foreach (Range range in name.Split('.'))
        {
            ReadOnlySpan<char> label = name[range];
            if (label.Length is 0 or > 63 || label[0] == '-' || label[^1] == '-') return false;
            foreach (char c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return false;
            }
        }
        return true;
    }
}
