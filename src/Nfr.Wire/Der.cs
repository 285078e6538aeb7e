namespace Nfr.Wire;

/// <summary>The DER of ITU-T X.690 as far as certificates need it: one-byte tags, definite lengths.</summary>
internal static class Der
{
    public const byte Integer = 0x02, ObjectIdentifier = 0x06, Utf8String = 0x0C, Sequence = 0x30, Set = 0x31, NumericString = 0x12,
        PrintableString = 0x13, TeletexString = 0x14, Ia5String = 0x16, UtcTime = 0x17, GeneralizedTime = 0x18, VisibleString = 0x1A,
        UniversalString = 0x1C, BmpString = 0x1E, ExplicitVersion = 0xA0,
        Boolean = 0x01, OctetString = 0x04, ExplicitExtensions = 0xA3, DnsName = 0x82;

    /// <summary>Takes the element at the front of <paramref name="rest"/>; false, and nothing taken, when it is not whole.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> rest, out byte tag, out ReadOnlySpan<byte> content)
    {
        tag = 0;
        content = default;
        if (rest.Length < 2 || (rest[0] & 0x1F) == 0x1F) return false;
        int start = 2, length = rest[1];
        if (length >= 0x80)
        {
            // 0x80 is the indefinite form of BER; more than three bytes of length is more than a handshake message holds.
            int count = length & 0x7F;
            if (count is 0 or > 3 || rest.Length < 2 + count) return false;
            length = 0;
            for (int i = 0; i < count; i++) length = (length << 8) | rest[2 + i];
            start += count;
        }
        if (rest.Length - start < length) return false;
        tag = rest[0];
        content = rest.Slice(start, length);
        rest = rest[(start + length)..];
        return true;
    }

    /// <summary>As the other, and the element must have this tag.</summary>
    public static bool TryTake(scoped ref ReadOnlySpan<byte> rest, byte wanted, out ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> before = rest;
        if (TryTake(ref rest, out byte tag, out content) && tag == wanted) return true;
        rest = before;
        content = default;
        return false;
    }

    /// <summary>Writes an object identifier's content in dotted form, X.690 8.19; false when an arc does not end or exceeds 32 bits.</summary>
    public static bool TryAppendOid(ref Utf8Cursor text, ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty) return false;
        ulong arc = 0;
        bool first = true, open = false;
        foreach (byte b in content)
        {
            arc = (arc << 7) | (uint)(b & 0x7F);
            if (arc > uint.MaxValue) return false;
            open = (b & 0x80) != 0;
            if (open) continue;
            if (first)
            {
                // The first two arcs share a number: 40 times the first, which is 0, 1 or 2, plus the second.
                uint root = (uint)Math.Min(arc / 40, 2);
                text.AppendDecimal(root);
                arc -= root * 40;
                first = false;
            }
            text.Append((byte)'.');
            text.AppendDecimal((uint)arc);
            arc = 0;
        }
        return !open;
    }

    /// <summary>Seconds since 1970 UTC of a UTCTime or GeneralizedTime (RFC 5280 4.1.2.5); false when it is neither.</summary>
    public static bool TryReadTime(byte tag, ReadOnlySpan<byte> text, out long unixSeconds)
    {
        unixSeconds = 0;
        int yearDigits = tag == UtcTime ? 2 : 4;
        if (tag is not (UtcTime or GeneralizedTime) || !TryDigits(ref text, yearDigits, out int year)) return false;
        // RFC 5280 4.1.2.5.1: two digits from 50 on are of the last century.
        if (tag == UtcTime) year += year >= 50 ? 1900 : 2000;
        if (!TryDigits(ref text, 2, out int month) || !TryDigits(ref text, 2, out int day)) return false;
        if (!TryDigits(ref text, 2, out int hour) || !TryDigits(ref text, 2, out int minute)) return false;
        // Old certificates leave the seconds out.
        if (!TryDigits(ref text, 2, out int second)) second = 0;
        if (month is < 1 or > 12 || day < 1 || day > DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 60) return false;
        if (!text.IsEmpty && text[0] is (byte)'.' or (byte)',')
        {
            int end = text[1..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            text = end < 0 ? default : text[(1 + end)..];
        }
        if (!TryReadZone(text, out int zoneSeconds)) return false;
        unixSeconds = (DaysSince1970(year, month, day) * 86400) + (hour * 3600) + (minute * 60) + second - zoneSeconds;
        return true;
    }

    static bool TryReadZone(ReadOnlySpan<byte> text, out int seconds)
    {
        seconds = 0;
        // No zone means local time, of a place that nobody knows: read as UTC.
        if (text.IsEmpty || text.SequenceEqual("Z"u8)) return true;
        int sign = text[0] == (byte)'+' ? 1 : text[0] == (byte)'-' ? -1 : 0;
        text = text[1..];
        if (sign == 0 || !TryDigits(ref text, 2, out int hours) || !TryDigits(ref text, 2, out int minutes) || !text.IsEmpty) return false;
        seconds = sign * ((hours * 3600) + (minutes * 60));
        return true;
    }

    static bool TryDigits(scoped ref ReadOnlySpan<byte> text, int count, out int value)
    {
        value = 0;
        if (text.Length < count) return false;
        foreach (byte b in text[..count])
        {
            if (!char.IsAsciiDigit((char)b)) return false;
            value = (value * 10) + (b - '0');
        }
        text = text[count..];
        return true;
    }

    static int DaysInMonth(int year, int month) => month switch
    {
        2 => (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>Proleptic Gregorian; counted in years that begin in March, so that the leap day comes last.</summary>
    static long DaysSince1970(int year, int month, int day)
    {
        long y = month <= 2 ? year - 1 : year;
        long era = (y >= 0 ? y : y - 399) / 400;
        long yearOfEra = y - (era * 400);
        long dayOfYear = (((153 * (month + (month > 2 ? -3 : 9))) + 2) / 5) + day - 1;
        long dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146097) + dayOfEra - 719468;
    }
}
