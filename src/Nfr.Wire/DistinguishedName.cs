using System.Buffers.Binary;
using System.Text;

namespace Nfr.Wire;

/// <summary>
/// A Name of RFC 5280 4.1.2.4 as text after RFC 4514: last part first, "CN=…,O=…,C=…", UTF-8. Types beyond that RFC's table have the
/// short names that OpenSSL and Zeek print; unknown ones are dotted numbers.
/// </summary>
internal static class DistinguishedName
{
    /// <summary>More parts than any real name has; those before the last 64 are left out.</summary>
    const int MaxParts = 64;

    /// <summary>Writes the content of a Name and returns the length; what does not fit is cut off between characters.</summary>
    public static int Write(ReadOnlySpan<byte> name, Span<byte> destination)
    {
        Span<int> starts = stackalloc int[MaxParts];
        int count = 0;
        ReadOnlySpan<byte> rest = name;
        while (true)
        {
            int start = name.Length - rest.Length;
            if (!Der.TryTake(ref rest, Der.Set, out _)) break;
            starts[count++ % MaxParts] = start;
        }
        var text = new Utf8Cursor(destination);
        int last = Math.Max(0, count - MaxParts);
        for (int i = count - 1; i >= last; i--)
        {
            if (i < count - 1) text.Append((byte)',');
            ReadOnlySpan<byte> part = name[starts[i % MaxParts]..];
            Der.TryTake(ref part, Der.Set, out ReadOnlySpan<byte> attributes);
            AppendPart(ref text, attributes);
        }
        return text.IsCut ? WholeCharacters(text.Written) : text.Length;
    }

    static void AppendPart(ref Utf8Cursor text, ReadOnlySpan<byte> attributes)
    {
        for (bool first = true; Der.TryTake(ref attributes, Der.Sequence, out ReadOnlySpan<byte> attribute); first = false)
        {
            if (!first) text.Append((byte)'+');
            if (!Der.TryTake(ref attribute, Der.ObjectIdentifier, out ReadOnlySpan<byte> oid)) continue;
            ReadOnlySpan<byte> shortName = ShortName(oid);
            int before = text.Length;
            bool wasCut = text.IsCut;
            if (!shortName.IsEmpty) text.Append(shortName);
            else if (!Der.TryAppendOid(ref text, oid) && !wasCut) text.Rewind(before);
            text.Append((byte)'=');
            ReadOnlySpan<byte> element = attribute;
            if (Der.TryTake(ref attribute, out byte tag, out ReadOnlySpan<byte> value)) AppendValue(ref text, tag, value, element);
        }
    }

    static ReadOnlySpan<byte> ShortName(ReadOnlySpan<byte> oid)
    {
        // 2.5.4.*: X.520 attributes.
        if (oid.Length == 3 && oid[0] == 0x55 && oid[1] == 0x04)
        {
            return oid[2] switch
            {
                3 => "CN"u8,
                4 => "SN"u8,
                5 => "serialNumber"u8,
                6 => "C"u8,
                7 => "L"u8,
                8 => "ST"u8,
                9 => "street"u8,
                10 => "O"u8,
                11 => "OU"u8,
                12 => "title"u8,
                13 => "description"u8,
                15 => "businessCategory"u8,
                17 => "postalCode"u8,
                41 => "name"u8,
                42 => "GN"u8,
                43 => "initials"u8,
                46 => "dnQualifier"u8,
                65 => "pseudonym"u8,
                97 => "organizationIdentifier"u8,
                _ => default,
            };
        }
        // 0.9.2342.19200300.100.1.*: RFC 4519.
        if (oid.Length == 10 && oid.StartsWith((ReadOnlySpan<byte>)[0x09, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 0x01]))
        {
            return oid[9] == 1 ? "UID"u8 : oid[9] == 25 ? "DC"u8 : default;
        }
        // 1.2.840.113549.1.9.1: PKCS #9.
        if (oid.SequenceEqual((ReadOnlySpan<byte>)[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x01])) return "emailAddress"u8;
        // 1.3.6.1.4.1.311.60.2.1.*: the place of incorporation in extended validation certificates.
        if (oid.Length == 11 && oid.StartsWith((ReadOnlySpan<byte>)[0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x3C, 0x02, 0x01]))
        {
            return oid[10] switch { 1 => "jurisdictionL"u8, 2 => "jurisdictionST"u8, 3 => "jurisdictionC"u8, _ => default };
        }
        return default;
    }

    static void AppendValue(ref Utf8Cursor text, byte tag, ReadOnlySpan<byte> value, ReadOnlySpan<byte> element)
    {
        int unit = tag switch
        {
            Der.Utf8String => 0,
            Der.PrintableString or Der.TeletexString or Der.Ia5String or Der.VisibleString or Der.NumericString => 1,
            Der.BmpString => 2,
            Der.UniversalString => 4,
            _ => -1,
        };
        if (unit < 0)
        {
            // RFC 4514 2.4: what is no string is the hex of its DER.
            text.Append((byte)'#');
            foreach (byte b in element)
            {
                if (text.IsCut) return;
                text.AppendHex(b);
            }
            return;
        }
        bool first = true;
        while (!value.IsEmpty && !text.IsCut)
        {
            int used = Take(value, unit, out Rune rune);
            if (used < 0)
            {
                // Not of the encoding it claims: one unit's bytes as hex pairs.
                int broken = Math.Clamp(unit, 1, value.Length);
                foreach (byte b in value[..broken]) AppendHexPair(ref text, b);
                value = value[broken..];
            }
            else
            {
                value = value[used..];
                AppendRune(ref text, rune, first, value.IsEmpty);
            }
            first = false;
        }
    }

    /// <summary>One character in units of 1, 2 or 4 bytes, 0 being UTF-8; -1 when it is malformed.</summary>
    static int Take(ReadOnlySpan<byte> value, int unit, out Rune rune)
    {
        rune = default;
        switch (unit)
        {
            case 0:
                return Rune.DecodeFromUtf8(value, out rune, out int consumed) == System.Buffers.OperationStatus.Done ? consumed : -1;
            case 1:
                // Teletex was never written as T.61 prescribes; Latin-1 is what is found.
                rune = new Rune((uint)value[0]);
                return 1;
            case 2:
                if (value.Length < 2) return -1;
                char high = (char)BinaryPrimitives.ReadUInt16BigEndian(value);
                if (Rune.TryCreate(high, out rune)) return 2;
                return value.Length >= 4 && Rune.TryCreate(high, (char)BinaryPrimitives.ReadUInt16BigEndian(value[2..]), out rune) ? 4 : -1;
            default:
                return value.Length >= 4 && Rune.TryCreate(BinaryPrimitives.ReadUInt32BigEndian(value), out rune) ? 4 : -1;
        }
    }

    static void AppendRune(ref Utf8Cursor text, Rune rune, bool first, bool last)
    {
        int c = rune.Value;
        if (c is < 0x20 or 0x7F)
        {
            AppendHexPair(ref text, (byte)c);
            return;
        }
        bool escape = c is '"' or '+' or ',' or ';' or '<' or '>' or '\\' || (first && c is ' ' or '#') || (last && c == ' ');
        if (escape) text.Append((byte)'\\');
        Span<byte> utf8 = stackalloc byte[4];
        text.Append(utf8[..rune.EncodeToUtf8(utf8)]);
    }

    static void AppendHexPair(ref Utf8Cursor text, byte value)
    {
        text.Append((byte)'\\');
        text.AppendHex(value);
    }

    static int WholeCharacters(ReadOnlySpan<byte> cut)
    {
        int length = cut.Length;
        while (length > 0 && Rune.DecodeLastFromUtf8(cut[..length], out _, out int broken) != System.Buffers.OperationStatus.Done) length -= broken;
        return length;
    }
}
