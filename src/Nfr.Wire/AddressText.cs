namespace Nfr.Wire;

/// <summary>Reads addresses from UTF-8 without allocating: answers, hosts and the addresses of uploaded lines are read per event.</summary>
public static class AddressText
{
    /// <summary>Eight groups of which the last two are written as an IPv4 address.</summary>
    public const int MaxLength = Address.MaxTextLength + 7;

    /// <summary>Dotted decimal with four numbers, or RFC 4291 2.2; no zone, no brackets, no port.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out Address address)
    {
        address = default;
        if (text.Length is < 2 or > MaxLength) return false;
        return text.Contains((byte)':') ? TryParseV6(text, out address) : TryParseV4(text, out address);
    }

    static bool TryParseV4(ReadOnlySpan<byte> text, out Address address)
    {
        address = default;
        if (text.Length > 15) return false;
        uint v = 0, octet = 0;
        int digits = 0, dots = 0;
        foreach (byte c in text)
        {
            if (c == '.')
            {
                if (digits == 0 || ++dots > 3) return false;
                v = (v << 8) | octet;
                octet = 0;
                digits = 0;
                continue;
            }
            if (!char.IsAsciiDigit((char)c) || ++digits > 3) return false;
            octet = (octet * 10) + c - '0';
            if (octet > 255) return false;
        }
        if (dots != 3 || digits == 0) return false;
        address = Address.FromV4((v << 8) | octet);
        return true;
    }

    /// <summary>RFC 4291 2.2: eight groups, one run of zeros as "::", the last two groups as an IPv4 address if so written.</summary>
    static bool TryParseV6(ReadOnlySpan<byte> text, out Address address)
    {
        address = default;
        Span<ushort> groups = stackalloc ushort[8];
        int count = 0, gap = -1, i = 0;
        if (text.StartsWith("::"u8)) (gap, i) = (0, 2);
        while (i < text.Length)
        {
            if (count == 8) return false;
            ReadOnlySpan<byte> rest = text[i..];
            int end = rest.IndexOf((byte)':');
            ReadOnlySpan<byte> group = end < 0 ? rest : rest[..end];
            if (end < 0 && group.Contains((byte)'.'))
            {
                if (count > 6 || !TryParseV4(group, out Address v4)) return false;
                groups[count++] = (ushort)(v4.V4 >> 16);
                groups[count++] = (ushort)v4.V4;
                break;
            }
            if (group.Length is 0 or > 4) return false;
            uint v = 0;
            foreach (byte c in group)
            {
                if (!char.IsAsciiHexDigit((char)c)) return false;
                v = (v << 4) | (uint)(c <= (byte)'9' ? c - '0' : (c | 0x20) - 'a' + 10);
            }
            groups[count++] = (ushort)v;
            if (end < 0) break;
            i += end + 1;
            if (i == text.Length) return false;
            if (text[i] != ':') continue;
            if (gap >= 0) return false;
            gap = count;
            i++;
        }
        if (gap < 0 ? count != 8 : count > 7) return false;
        if (gap >= 0)
        {
            int tail = count - gap;
            groups[gap..count].CopyTo(groups[(8 - tail)..]);
            groups[gap..(8 - tail)].Clear();
        }
        ulong high = 0, low = 0;
        for (int g = 0; g < 4; g++)
        {
            high = (high << 16) | groups[g];
            low = (low << 16) | groups[g + 4];
        }
        address = new Address(high, low);
        return true;
    }
}
